"""Modules of Node that only the build needs: whether the builder may take them away before the others are copied."""

from __future__ import annotations

import fnmatch
import re

from dfopt.analysis.json_files import json_object, member
from dfopt.knowledge import table
from dfopt.passes.multi_stage.launch import launch_of
from dfopt.record import Record
from dfopt.refusal import Refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    from dfopt.facts import Facts
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage
    from dfopt.passes.multi_stage.bases import Base
    from dfopt.passes.multi_stage.flow import Call, Flow
    from dfopt.passes.multi_stage.toolbox import Context

_INSTALLS = ("ci", "install", "i", "clean-install")
# Options of npm, set by variables, that change which modules there are, or where
_SETTING = re.compile(
    r"npm_config_(?:production|omit|only|include|also|global|prefix|save|package_lock|install|workspace)"
)
_READERS = ("RUN", "COPY", "ADD")
_CODE = re.compile(r"\.(?:[cm]?[jt]sx?|json|vue|svelte|ya?ml)\Z")
_TYPES = re.compile(r"\bimport\s+type\b[^;\n]*|///\s*<reference[^\n]*")
# A module whose name the program makes up: what it loads is not told
_MADE_UP = re.compile(r"\b(?:require|import)\(\s*(?![\"'\s)]|`[./]|path\.|__dirname|join\(|resolve\(|[\w.]*\bURL\()")


class Prune(Record):
    """`command`: what takes the modules away, run as the builder's last step; `mb` that it saves, about."""

    command: str
    mb: int


def prune_of(program: Program, stage: Stage, facts: Facts, base: Base, context: Context) -> Prune | None:
    """What is left out of an image of Node that runs JavaScript; None where nothing is, or where it is not proved that
    the program does without."""
    try:
        return _Modules(program, stage, facts, base, context).prune()
    except (Refusal, ValueError, AttributeError, TypeError):  # files that are not what npm writes
        return None


class _Modules:
    def __init__(self, program: Program, stage: Stage, facts: Facts, base: Base, context: Context) -> None:
        self.program = program
        self.stage = stage
        self.facts = facts
        self.base = base
        self.context = context
        self.flow: Flow = context.flow

    def prune(self) -> Prune | None:
        install = self.install()
        if install is None or not self.omits():
            return None
        directory = install.directory
        lock = json_object(self.context.text(f"{directory.rstrip('/')}/package-lock.json"))
        packages = {path: entry for path, entry in member(lock, "packages").items() if isinstance(entry, dict)}
        goes = removed(packages)
        if not goes or not self.same_user(install):
            return None
        launch = launch_of(self.program, self.stage, self.facts, self.context.text)
        if launch is None or launch.words[0] not in ("node", "nodejs"):
            return None
        words = [word or "$" for word in launch.words[1:]]
        if any(word.strip("./").startswith(tuple(goes)) or "$" in word for word in words if word):
            return None
        manifest = json_object(self.context.text(f"{directory.rstrip('/')}/package.json"))
        script = next((word for word in words if not word.startswith("-")), "")
        bodies = self.bodies(member(manifest, "scripts"))
        if not bundled(bodies, script) and not self.unused(goes, bodies):
            return None
        last = [step for step in self.stage.steps if step.node.keyword in _READERS][-1]
        inside = "" if self.program.scope(last).workdir == directory else f"cd {directory} && "
        if inside and not re.fullmatch(r"[\w./@+-]+", directory):
            return None
        sizes = table("node_modules")
        mb = sum(sizes["mb"].get(name, sizes["other"]) for name in goes)
        return Prune(f"{inside}npm prune --omit=dev", round(mb))

    def install(self) -> Call | None:
        """The one call of npm that installs the project's modules, all of them."""
        calls = [call for call in self.flow.calls if call.program in ("npm", "yarn", "pnpm")]
        found: list[Call] = []
        for call in calls:
            words = [word or "$" for word in call.words]
            name = next((word for word in words if not word.startswith("-")), "")
            if {"-g", "--global", "--location=global"} & set(words):
                continue
            if call.program != "npm" or name in ("link", "add", "update", "uninstall", "prune", "dedupe", "rebuild"):
                return None
            if name in _INSTALLS:
                found.append(call)
        if len(found) != 1 or self.stage.parent is not None:
            return None
        call = found[0]
        options = [word or "$" for word in call.words if word not in _INSTALLS]
        if any(
            not re.fullmatch(r"--(?:no-audit|no-fund|silent|quiet|verbose|loglevel=\w+|legacy-peer-deps|force)", o)
            for o in options
        ):
            return None
        given = {key.lower(): value for key, value in call.assignments.items()}
        if given.get("node_env") == "production" or any(map(_SETTING.match, given)):
            return None
        return call

    def omits(self) -> bool:
        """Whether the image's npm knows the option."""
        found = re.search(r":(?:(\d+)|lts|current|latest|slim|alpine)", self.base.image)
        return found is not None and int(found[1] or 99) >= table("node_modules")["omit-since"]

    def same_user(self, install: Call) -> bool:
        """Whether the builder's last step has the user who installed the modules."""
        last = [step for step in self.stage.steps if step.node.keyword in _READERS][-1]
        return self.program.scope(last).user == self.program.scope(install.step).user

    def bodies(self, scripts: Mapping[str, str]) -> str:
        """What the build runs: its calls, with the scripts of package.json that they name."""
        text = "\n".join([" ".join([call.program, *[word or "$" for word in call.words]]) for call in self.flow.calls])
        for _ in range(4):
            text += "".join(
                [f"\n{scripts[n]}" for n in scripts if re.search(rf"(?<![\w:-]){re.escape(n)}(?![\w:-])", text)]
            )
        return text

    def unused(self, goes: Iterable[str], bodies: str) -> bool:
        """Whether no source of the program names a module that goes, or one that nobody knows."""
        named = re.compile("[\"'`](?:" + "|".join(re.escape(n) for n in sorted(goes)) + ")(?:/[^\"'`]*)?[\"'`]")
        facts = table("node_modules")
        for entry in self.flow.made:
            if entry.kind == "tree":
                return False
            name = entry.source.rpartition("/")[2]
            if entry.kind != "context" or not _CODE.search(name) or re.search(facts["tests"], entry.source):
                continue
            built = re.search(rf"(?:^|[\s/])node\s+(?:\./)?{re.escape(entry.source)}(?:\s|$)", bodies, re.M)
            if built or any(fnmatch.fnmatchcase(name, pattern) for pattern in facts["configs"]):
                continue
            data = self.facts.context_file(entry.source)
            if data is None:
                return False
            text = _TYPES.sub("", data.decode("utf-8", "surrogateescape"))
            if named.search(text) or _MADE_UP.search(text):
                return False
        return True


def removed(packages: Mapping[str, Mapping[str, Any]]) -> set[str]:
    """The names of packages of a lock file (its key "packages") that only developers need; none where workspaces, local
    packages or optional peers stand against leaving them out."""
    names = {path: path.rpartition("node_modules/")[2] for path in packages if path}
    if any(package.get("link") or package.get("workspaces") for package in packages.values()):
        return set()
    if set(names.values()) & set(table("node_modules")["writes"]):
        return set()
    stays = {names[path] for path, package in packages.items() if path and not package.get("dev")}
    goes = {names[path] for path, package in packages.items() if path and package.get("dev")} - stays
    peers: Sequence[Mapping[str, str]] = [
        package.get("peerDependencies", {}) for path, package in packages.items() if path and not package.get("dev")
    ]
    return set() if any(goes & set(peer) for peer in peers) else goes


def bundled(bodies: str, script: str) -> bool:
    """Whether esbuild writes all that a program needs into the one file that is started."""
    for command in re.findall(r"\besbuild\s([^&|;\n]*)", bodies):
        out = re.search(r"--outfile=(\S+)", command)
        whole = "--bundle" in command and not re.search(r"--(?:external|packages)\b", command)
        if whole and out is not None and out[1].removeprefix("./") == script.removeprefix("./"):
            return True
    return False
