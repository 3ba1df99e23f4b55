"""What make writes, read from the Makefile of the build context."""

from __future__ import annotations

import re

from dfopt.passes.multi_stage.build_results import BuildResult, path_in
from dfopt.passes.multi_stage.unblock import APART, CONTEXT, WRITE_OUT
from dfopt.refusal import Refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TypeAlias

    Reader: TypeAlias = Callable[[str], "str | None"]

# GNU make's own variables (make 4.4, `make -p`)
_MAKE = {"CC": "cc", "CXX": "g++", "RM": "rm -f", "AR": "ar", "MAKE": "make", "CURDIR": "", "DESTDIR": ""}


_MOST_USES = 10_000  # uses of variables in variables that one text is expanded for; what is left stays as it is


class Makefile:
    """Variables and rules of a makefile, as far as they are written out: no functions beyond wildcard and patsubst are
    followed, and a name that cannot be told is not among the results."""

    def __init__(self, text: str, given: dict[str, str]) -> None:
        self.variables: dict[str, str] = {**_MAKE}
        self.uses = 0
        self.rules: dict[str, tuple[list[str], list[str]]] = {}
        self.order: list[str] = []
        current: list[str] = []
        text = text.replace("\\\r\n", " ").replace("\\\n", " ")
        for line in text.splitlines():
            if line.startswith("\t"):
                for name in current:
                    self.rules[name][1].append(line.strip().lstrip("@-+"))
                continue
            bare = line.split("#", 1)[0].rstrip() if "#" in line else line.rstrip()
            match = re.match(r"\s*(?:export\s+|override\s+)?([\w.-]+)\s*(\?=|:=|::=|\+=|=)\s*(.*)", bare, re.S)
            if match:
                current = []
                name, operator, value = match.groups()
                if operator == "+=":
                    value = (self.variables.get(name, "") + " " + value).strip()
                if operator != "?=" or name not in self.variables or name in _MAKE:
                    self.variables[name] = value
                continue
            rule = re.match(r"([^:=\s][^:=]*)::?(?!=)(.*)", bare, re.S)
            if rule:
                current = self.expand(rule[1]).split()
                recipe: list[str] = []
                needs = rule[2].split(";", 1)
                if len(needs) > 1:
                    recipe.append(needs[1].strip())
                for name in current:
                    old = self.rules.get(name, ([], []))
                    self.rules[name] = (old[0] + self.expand(needs[0]).replace("|", " ").split(), old[1] + recipe)
                    if name not in self.order and not name.startswith(".") and "%" not in name:
                        self.order.append(name)
        self.variables.update(given)

    def expand(self, text: str, automatic: dict[str, str] | None = None, depth: int = 0) -> str:
        """A text with its variables; what is not known stays as `$(...)`."""
        if depth == 0:
            self.uses = 0
        if depth > 12:
            return text

        def value(match: re.Match[str]) -> str:
            self.uses += 1
            if self.uses > _MOST_USES:
                return match[0]
            name = match[1] or match[2] or match[3]
            if automatic is not None and name in automatic:
                return automatic[name]
            if name in self.variables:
                return self.expand(self.variables[name], automatic, depth + 1)
            return "" if re.fullmatch(r"[\w.-]+", name) else match[0]

        text = text.replace("$$", "\0")
        text = re.sub(r"\$\(([^()$]+)\)|\$\{([^{}$]+)\}|\$([@<^*?]|\w)", value, text)
        if "$(" in text and depth < 3:
            again = re.sub(r"\$\(([\w.-]+)\)|\$\{([\w.-]+)\}|\$([@<^*?])", value, text)
            text = again
        return text.replace("\0", "$")

    def commands(self, target: str, seen: set[str] | None = None) -> Iterator[str]:
        """The command lines that make runs for a target, those of what it needs first."""
        seen = set() if seen is None else seen
        if target in seen:
            return
        seen.add(target)
        needs, recipe = self.rules.get(target, ([], []))
        for need in needs:
            yield from self.commands(need, seen)
        pattern, stem = (recipe, "") if recipe else self._pattern(target)
        for line in pattern:
            automatic = {
                "@": target,
                "<": needs[0] if needs else stem,
                "^": " ".join(needs),
                "*": stem,
                "@D": target.rpartition("/")[0],
            }
            yield self.expand(line, automatic)

    def _pattern(self, target: str) -> tuple[list[str], str]:
        for name, (_, recipe) in self.rules.items():
            if "%" in name:
                head, _, tail = name.partition("%")
                if target.startswith(head) and target.endswith(tail) and recipe:
                    return recipe, target[len(head) : len(target) - len(tail)]
        return [], ""


def makefile_outputs(
    text: str, targets: list[str], given: dict[str, str], directory: str, read: Reader, depth: int = 0
) -> BuildResult:
    """What `make targets` in `directory` leaves; `read` gives the text of other files. Raises Refusal."""
    if re.search(r"^[^\S\n]*-?include\s|\$\(call\s|\$\(eval\s|\$\(foreach\s", text, re.M):
        raise Refusal("the Makefile includes others or computes its rules", WRITE_OUT)
    makefile = Makefile(text, given)
    goals = targets or makefile.order[:1]
    programs: list[str] = []
    data: list[str] = []
    loads: list[str] = []
    lines: list[str] = []
    for target in goals:
        if target not in makefile.rules and not makefile._pattern(target)[0]:
            raise Refusal(f"the Makefile has no rule for {target}", APART)
        lines += list(makefile.commands(target))
    static = False
    inner: list[BuildResult] = []
    for line in lines:
        place = directory
        for command in re.split(r"&&|;|\|\|", line):
            words = command.strip().lstrip("@-+").split()
            if not words:
                continue
            name = words[0].rpartition("/")[2]
            if name == "cd" and len(words) == 2:
                place = path_in(place, words[1])
                continue
            if name == "make":
                inner.append(_again(words, given, place, read, depth))
                continue
            if place != directory:
                raise Refusal("the Makefile changes its directory", APART)
            if re.fullmatch(r"(?:[\w-]+-)?(?:gcc|g\+\+|cc|c\+\+|clang|clang\+\+|ld)(?:-\d+)?", name):
                output = _after(words, "-o")
                if "-c" in words or "-E" in words or "-M" in words:
                    continue
                if "-shared" in words:
                    loads.append(output or "")
                elif output:
                    programs.append(path_in(directory, output))
                    static = static or "-static" in words
            elif name == "install":
                _installs(words, directory, programs, data)
            elif name == "cp" and len(words) > 2:
                operands = [w for w in words[1:] if not w.startswith("-")]
                _placed(operands, directory, data)
            elif name == "go" and "build" in words:
                output = _after(words, "-o")
                if output:
                    programs.append(path_in(directory, output))
            elif name in ("cargo", "npm", "python", "python3", "cmake", "meson", "ninja", "./configure"):
                raise Refusal(f"the Makefile calls {name}", APART)
    everything = "\n".join([*lines, *makefile.variables.values()])
    if any("$(" in path or "$" in path for path in (*programs, *data)):
        raise Refusal("a path in the Makefile depends on something unknown", WRITE_OUT)
    for built in inner:
        programs += built.programs
        data += built.data
        loads += built.loads
    return BuildResult(
        tuple(dict.fromkeys(programs)), tuple(dict.fromkeys(data)),
        _libraries(everything) + tuple([name for built in inner for name in built.libraries]),
        _modules(everything) + tuple([name for built in inner for name in built.modules]), tuple(loads), static,
    )  # fmt: skip


def _again(words: list[str], given: dict[str, str], directory: str, read: Reader, depth: int) -> BuildResult:
    """`make -C directory targets` inside a Makefile."""
    targets: list[str] = []
    rest = iter(words[1:])
    for word in rest:
        if word == "-C":
            directory = path_in(directory, next(rest, "."))
        elif word.startswith("-C"):
            directory = path_in(directory, word[2:])
        elif "=" in word:
            given = {**given, word.partition("=")[0]: word.partition("=")[2]}
        elif not word.startswith("-"):
            targets.append(word)
    text = next(
        (
            content
            for name in ("GNUmakefile", "makefile", "Makefile")
            if (content := read(f"{directory}/{name}")) is not None
        ),
        None,
    )
    if text is None or depth > 5:
        raise Refusal(f"the Makefile in {directory} is not at hand", CONTEXT)
    return makefile_outputs(text, targets, given, directory, read, depth + 1)


def _after(words: list[str], option: str) -> str:
    for index, word in enumerate(words):
        if word == option and index + 1 < len(words):
            return words[index + 1]
        if word.startswith(option) and len(word) > len(option) and len(option) == 2:
            return word[len(option) :]
    return ""


def _installs(words: list[str], directory: str, programs: list[str], data: list[str]) -> None:
    taking = ("-m", "--mode", "-o", "--owner", "-g", "--group", "-S")
    operands: list[str] = []
    skip = False
    for word in words[1:]:
        if skip:
            skip = False
        elif word in taking or re.fullmatch(r"-\w*[mog]", word):
            skip = True
        elif not word.startswith("-"):
            operands.append(word)
    if any(re.fullmatch(r"-[^\Wd]*d\w*|--directory", word) and "m" not in word.lstrip("-")[:-1] for word in words[1:]):
        return
    mode = _after(words, "-m")
    programs_ = programs if not re.fullmatch(r"0?[0-6]44|0?600", mode) else data
    _placed(operands, directory, programs_)


def _placed(operands: list[str], directory: str, out: list[str]) -> None:
    if len(operands) < 2:
        return
    target = path_in(directory, operands[-1])
    into = (
        operands[-1].endswith("/") or len(operands) > 2 or target.rpartition("/")[2] in ("bin", "lib", "share", "etc")
    )
    for word in operands[:-1]:
        out.append(target.rstrip("/") + "/" + word.rpartition("/")[2] if into else target)


def _libraries(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(re.findall(r"(?:^|\s)-l(?!dflags\b)(\w[\w.+-]*)", text)))


def _modules(text: str) -> tuple[str, ...]:
    names: list[str] = []
    for words in re.findall(r"(?:pkg-config|pkgconf)\s+([^)`\n]*)", text):
        names += [word for word in words.split() if not word.startswith("-") and re.fullmatch(r"[\w.+-]+", word)]
    return tuple(dict.fromkeys(names))
