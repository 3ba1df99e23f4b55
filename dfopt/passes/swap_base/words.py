"""Commands of a distribution's package manager and account tools, said in another distribution's words."""

from __future__ import annotations

import re

from dfopt.edit import Edit
from dfopt.editing.chain_edits import remove_command
from dfopt.ir.base_images import ImageRows, split_image
from dfopt.ir.commands import INNER, MAYBE, TOP
from dfopt.ir.effects import manager, subcommand
from dfopt.knowledge import table
from dfopt.lazy import regex
from dfopt.passes.swap_base.accounts import account_words
from dfopt.passes.swap_base.microdnf import microdnf_words
from dfopt.passes.swap_base.target import ALPINE, RHEL, SLIM, ReplacementBase, programs_of
from dfopt.refusal import Refusal
from dfopt.rewrites.commands import EditWords, RemoveCommand
from dfopt.rewrites.instructions import RemoveStep
from dfopt.syntax.shell.nodes import AndOr, SimpleCommand
from dfopt.units import whole_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.ir.commands import Invocation
    from dfopt.ir.program import Program
    from dfopt.ir.shell_body import Body
    from dfopt.ir.stages import Step
    from dfopt.rewrites.base import Rewrite

_OLD = {"debian": "apt", "ubuntu": "apt", "rhel": "dnf", "alpine": "apk"}
_COLUMN = {ALPINE: "alpine", RHEL: "rhel"}
_INSTALL = {ALPINE: ("apk", "add", "--no-cache"), RHEL: ("dnf", "install", "-y")}
_UPGRADE = {ALPINE: ("apk", "upgrade --no-cache"), RHEL: ("dnf", "upgrade -y")}
# subcommands that bring all packages up to date, where they name none
_UPGRADES = {"apt": ("upgrade", "dist-upgrade", "full-upgrade"), "dnf": ("update", "upgrade", "distro-sync")}
_REMOVE = {ALPINE: ("apk", "del", ""), RHEL: ("dnf", "remove", "-y")}
# options that say how a person wants to be asked or told, or how much comes along: each manager has its own
_MANNERS = regex(
    r"-(?:y|q+|qq|qy|yq|yqq|f)|--(?:yes|assume-yes|assumeyes|quiet|no-install-recommends|no-install-suggests|fix-missing"
    r"|no-cache|refresh|update|auto-remove|purge|nodocs|setopt=(?:install_weak_deps|tsflags)=\w+|allow-downgrades|force-yes)"
)
_SETTING = regex(r"(?:install_weak_deps|tsflags)=\w+")
_INDEX = regex(r"/var/(?:lib/apt(?:/lists)?|cache/(?:apt|yum|dnf|apk))(?:/.*)?\Z")
_NAME = regex(r"[a-z0-9][a-z0-9+._-]*\Z", re.I)
_ACCOUNTS = ("useradd", "groupadd", "adduser", "addgroup")


class Translation:
    """Collects the edits and what they declare. `accounts`: users and groups that the file creates; `programs`: those
    of the packages that it installs."""

    def __init__(self, program: Program, target: ReplacementBase) -> None:
        self.program = program
        self.target = target
        self.edits: list[Edit] = []
        self.rewrites: list[Rewrite] = []
        self.accounts: set[str] = set()
        self.programs: set[str] = set()
        self._taken: set[tuple[int, int]] = set()
        self._gone: dict[int, list[SimpleCommand]] = {}
        self._fault = ""

    def taken(self, step: Step, invocation: Invocation) -> bool:
        return (step.index, invocation.node.start) in self._taken

    def take(self, step: Step, invocation: Invocation) -> str:
        """Translates a command where it is one of these; why that cannot be done, else ""."""
        facts = manager(invocation.program)
        family = (facts or {}).get("family")
        if facts is not None and family in ("apt", "dnf", "apk", "zypper", "pacman"):
            self._taken.add((step.index, invocation.node.start))
            if self.target.microdnf and family == "dnf":
                return self._placed(invocation) or self._microdnf(step, invocation)
            if self.target.kind not in _INSTALL or family != _OLD.get(self.target.source):
                return f"{invocation.program} has no counterpart in {self.target.image}"
            return self._placed(invocation) or self._manager(step, invocation, facts)
        if self.target.microdnf:
            return ""
        if invocation.program == "rm" and any(map(_INDEX.match, self._raw(step, invocation))):
            self._taken.add((step.index, invocation.node.start))
            return self._placed(invocation) or self._rm(step, invocation)
        if invocation.program in _ACCOUNTS and self.target.kind != SLIM:
            self._taken.add((step.index, invocation.node.start))
            return self._placed(invocation) or self._account(step, invocation)
        return ""

    def _placed(self, invocation: Invocation) -> str:
        if invocation.nested or invocation.where not in (TOP, INNER, MAYBE):
            return f"{invocation.program} runs in a string or a substitution that is not rewritten"
        return f"{invocation.wrappers[0]} {invocation.program}" if invocation.wrappers else ""

    # --- packages -----------------------------------------------------------------------------------------------------
    def _manager(self, step: Step, invocation: Invocation, facts: dict[str, object]) -> str:
        name, at = subcommand(invocation, facts)
        commands: dict[str, dict[str, object]] = facts["commands"]  # type: ignore[assignment]
        does = commands.get(name or "", {})
        options = [
            v
            for i, v in enumerate(invocation.values)
            if (v is None or v.startswith("-")) and i + 1 not in _settings(invocation)
        ]
        if at < 0 or None in invocation.values:
            return f"a word of {invocation.program} is not fixed"
        odd = next((value for value in options if value and not _MANNERS.fullmatch(value)), None)
        if does.get("cleans"):
            if self._remove(step, invocation.node):
                return ""
            if self.target.kind != ALPINE:
                return f"{invocation.program} {name} cannot be taken out here"
            texts = [
                "rm",
                "-rf /var/cache/apk/*",
                *[None] * (len(invocation.words) - 1),
            ]  # it ends well, as the other does
            return self._spell(step, invocation, texts, ["rm", "-rf", "/var/cache/apk/*"])
        if does.get("refreshes") or (name in ("autoremove", "makecache") and invocation.operands() == []):
            return (
                "" if self._remove(step, invocation.node) else f"{invocation.program} {name} cannot be taken out here"
            )
        if name == "autoremove" and len(invocation.operands()) == 1:
            return (
                "" if self._remove(step, invocation.node) else f"{invocation.program} {name} cannot be taken out here"
            )
        if odd is not None:
            return f"{invocation.program} {odd} has no counterpart"
        if name in _UPGRADES.get(str(facts["family"]), ()) and len(invocation.operands(("--setopt",))) == 1:
            program, spelled = _UPGRADE[self.target.kind]
            texts = [program, *[spelled if index == at else None for index in range(len(invocation.words))]]
            return self._spell(step, invocation, texts, [program, *spelled.split()])
        if name not in ("install", "remove", "purge", "erase", "add", "del"):
            return f"{invocation.program} {name} has no counterpart in {self.target.image}"
        return self._packages(step, invocation, at, installs=bool(does.get("installs")))

    def _packages(self, step: Step, invocation: Invocation, at: int, *, installs: bool) -> str:
        node = invocation.node
        program, command, option = (_INSTALL if installs else _REMOVE)[self.target.kind]
        new = [program, command] + ([option] if option else [])
        seen: set[str] = set()
        texts: list[str | None] = [program]  # per word from the program on; None: the word goes
        for index, word in enumerate(invocation.words):
            value = word.value or ""
            if index == at:
                texts.append(f"{command} {option}".strip())
            elif value.startswith("-") or index in _settings(invocation):
                texts.append(None)
            else:
                if not _NAME.match(value):
                    return f"the package {value} cannot be named in {self.target.image}"
                names = translated(
                    value, self.target.source, _COLUMN[self.target.kind], alpine_release(self.target.image)
                )
                if names is None:
                    return f"the package {value} has no counterpart in {self.target.image} that is known"
                fresh = [each for each in names if each not in seen]
                seen.update(fresh)
                new += fresh
                texts.append(" ".join(fresh) or None)
                self.programs.update(programs_of(value))
                for each in fresh:
                    self.programs.update(programs_of(each))
        if not seen:
            return "" if self._remove(step, node) else f"{invocation.program} cannot be taken out here"
        return self._spell(step, invocation, texts, new)

    def _microdnf(self, step: Step, invocation: Invocation) -> str:
        """dnf's command in microdnf's words."""
        try:
            texts, command = microdnf_words(invocation)
        except ValueError as error:
            return f"{invocation.program} {error}"
        operands = [text for text in texts if text and not text.startswith("-")][1:]
        if command == "makecache" or (command in ("install", "reinstall", "remove") and not operands):
            return (
                ""
                if self._remove(step, invocation.node)
                else f"{invocation.program} {command} cannot be taken out here"
            )
        if command != "remove":
            for name in operands:
                self.programs.update(programs_of(name))
        raw = self._raw(step, invocation)
        kept = [
            raw[index] if text == word.value else text
            for index, (word, text) in enumerate(zip(invocation.words, texts, strict=True))
        ]
        return self._spell(step, invocation, ["microdnf", *kept], ["microdnf", *[text for text in kept if text]])

    def _spell(self, step: Step, invocation: Invocation, texts: list[str | None], new: list[str]) -> str:
        """Writes `texts` in the places of the words from the program on (None: the word goes); `new` is what comes."""
        body, node = self.program.body(step), invocation.node
        first = len(node.words) - len(invocation.words) - 1
        words = node.words[first:]
        for index, (word, text) in enumerate(zip(words, texts, strict=True)):
            start, end = body.span(word.start, word.end)
            if text is None:  # with what stands before it, so that a line of its own goes whole
                before = body.span(words[index - 1].start, words[index - 1].end)[1]
                if "#" in self.program.text[before:start]:
                    return "a comment stands before a word that goes"
                self.edits.append(Edit(before, end, ""))
            elif self.program.text[start:end] != text:
                self.edits.append(Edit(start, end, text))
        self.rewrites.append(EditWords(step.index, node.start, first, len(words), tuple(new)))
        return ""

    def _raw(self, step: Step, invocation: Invocation) -> list[str]:
        text = self.program.body(step).text
        return [text[word.start : word.end] for word in invocation.words]

    def _rm(self, step: Step, invocation: Invocation) -> str:
        raw = self._raw(step, invocation)
        if all(word.startswith("-") or _INDEX.match(word) for word in raw):
            forced = any(word.startswith("-") and not word.startswith("--") and "f" in word for word in raw)
            return "" if self._remove(step, invocation.node) or forced else "rm cannot be taken out here"
        body = self.program.body(step)
        first = len(invocation.node.words) - len(invocation.words)
        kept = []
        for index, word in enumerate(invocation.words):
            if _INDEX.match(raw[index]):
                before = invocation.node.words[first + index - 1].end
                end = body.span(before - 1, before)[1]
                self.edits.append(Edit(end, body.span(word.start, word.end)[1], ""))
            else:
                kept.append(raw[index])
        self.rewrites.append(EditWords(step.index, invocation.node.start, first, len(invocation.words), tuple(kept)))
        return ""

    def _account(self, step: Step, invocation: Invocation) -> str:
        if self.target.kind == RHEL:
            if invocation.program not in ("useradd", "groupadd") or None in invocation.values:
                return f"{invocation.program} has no counterpart"
            self.accounts.add(invocation.values[-1] or "")
            return ""
        words, name = account_words(invocation, homes=self.target.source == "rhel")
        if words is None:
            return name
        self.accounts.add(name)
        body = self.program.body(step)
        first = len(invocation.node.words) - len(invocation.words) - 1
        old = [body.text[word.start : word.end] for word in invocation.node.words[first:]]
        if old == list(words):
            return ""
        start = body.span(invocation.node.words[first].start, invocation.node.words[first].end)[0]
        end = body.span(invocation.node.words[-1].start, invocation.node.words[-1].end)[1]
        if "\n" in self.program.text[start:end]:
            return f"{invocation.program} is written over several lines"
        self.edits.append(Edit(start, end, " ".join(words)))
        self.rewrites.append(EditWords(step.index, invocation.node.start, first, len(old), tuple(words)))
        return ""

    # --- commands that go ---------------------------------------------------------------------------------------------
    def _remove(self, step: Step, node: SimpleCommand) -> bool:
        """Notes a command of the step's top-level `&&` chain, or a step's only one, to go."""
        body = self.program.body(step)
        chain = _chain(body)
        if chain is None or not any(part is node for part in chain):
            made = remove_command(self.program, step, body, node)  # one of a list
            if made is None or body.program is None or not any(i.command is node for i in body.program.script.items):
                return False
            self.edits += made[0]
            self.rewrites.append(made[1])
            return True
        self._gone.setdefault(step.index, []).append(node)
        return True

    def finish(self, step: Step, body: Body) -> None:
        """Takes out what was noted for this step. Raises Refusal where a comment stands in the way."""
        gone = self._gone.pop(step.index, [])
        chain = _chain(body) or ()
        if not gone:
            return
        text, node = self.program.text, step.node
        if len(gone) == len(chain):
            start = text.rfind("\n", 0, node.start) + 1
            end = text.find("\n", node.end)
            if step.node.comments or step.heredocs or text[start : node.start].strip():
                raise Refusal(f"line {node.line}: a comment stands in a step that goes")
            self.edits.append(Edit(start, len(text) if end < 0 else end + 1, ""))
            self.rewrites.append(RemoveStep(step.index))
            return
        kept = [not any(part is one for one in gone) for part in chain]
        index = 0
        while index < len(chain):
            if kept[index]:
                index += 1
                continue
            last = index
            while last + 1 < len(chain) and not kept[last + 1]:
                last += 1
            if last + 1 < len(chain):
                start = body.span(*_ends(chain[index]))[0]
                end = body.span(*_ends(chain[last + 1]))[0]
            else:
                start = body.span(*_ends(chain[index - 1]))[1]
                end = body.span(*_ends(chain[last]))[1]
            if "#" in text[start:end]:
                raise Refusal(f"line {node.line}: a comment stands beside a command that goes")
            self.edits.append(Edit(start, end, ""))
            index = last + 1
        self.rewrites += [RemoveCommand(step.index, one.start) for one in gone]


def _settings(invocation: Invocation) -> set[int]:
    """The words that are values of a --setopt which says how much comes along."""
    pairs = zip(invocation.values, invocation.values[1:], strict=False)
    return {
        i + 1 for i, (option, value) in enumerate(pairs) if option == "--setopt" and _SETTING.fullmatch(value or "")
    }


def _ends(node: object) -> tuple[int, int]:
    return node.start, node.end  # type: ignore[attr-defined]


def _chain(body: Body) -> tuple[object, ...] | None:
    """The commands of a body that is one `&&` chain, or one command."""
    if body.program is None or len(body.program.script.items) != 1:
        return None
    command = body.program.script.items[0].command
    if isinstance(command, SimpleCommand):
        return (command,)
    return command.items if isinstance(command, AndOr) and "||" not in command.ops else None


_names: dict[tuple[str, str, str], dict[str, list[str]]] = {}


def translated(package: str, source: str, to: str, release: str = "") -> list[str] | None:
    """A package's name in another family's words (columns of package_names); [] where nothing is needed there.
    `release`: of Alpine, "3.22"; "" where it is not known, so that names that came with some release are not."""
    family = {"ubuntu": "debian"}.get(source, source)
    names = _names.get((family, to, release))
    if names is None:
        rows = table("package_names")
        names = _names[family, to, release] = {name: [name] for name in rows["same"]}
        for row in rows["package"]:
            if to in row and len(row.get(family, ())) == 1 and _there(row.get(f"{to}-since", ""), release):
                names.setdefault(row[family][0], row[to])
    return names.get(package)


def _there(since: str, release: str) -> bool:
    return not since or (release != "" and _numbers(since) <= _numbers(release))


def _numbers(release: str) -> tuple[int, ...]:
    return tuple(whole_number(part) for part in release.split("."))


def alpine_release(image: str) -> str:
    """The release of Alpine that an image on it is made of ("3.22"); "" where that is not known."""
    name, tag = split_image(image)
    said = re.search(r"(?:\A|alpine)(3\.\d+)", tag or "") if name == "alpine" or "alpine3" in (tag or "") else None
    if said is not None:
        return said[1]
    row = ImageRows(table("swaps")["alpine-release"]).find(image)
    return row["release"] if row is not None else ""
