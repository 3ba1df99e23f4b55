"""Commands that build a Dockerfile, as shell scripts, Makefiles and CI jobs write them.

A script says literally what it says before any variable has a value: a word with an expansion is not known.
"""

from __future__ import annotations

import os
import posixpath

from dfopt.build_definitions.model import BuildTarget, NotLiteral, dockerfile_in, is_remote, resolved
from dfopt.knowledge import table
from dfopt.lazy import regex
from dfopt.syntax.shell import ShellSyntaxError, parse_shell
from dfopt.syntax.shell.nodes import AndOr, DoubleQuoted, Literal, Script, SimpleCommand, SingleQuoted, Subshell
from dfopt.syntax.shell.walk import iter_with_ancestors

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dfopt.build_definitions.model import DefinitionTree, Value
    from dfopt.syntax.shell.nodes import Word

_WRAPPERS = frozenset(("sudo", "time", "exec", "command"))
_OWN_DIRECTORY = regex(  # cd "$(dirname "$0")"/..
    r"""["']?\$\(\s*dirname\s+(?:--\s+)?["']?\$(?:0|\{0\}|\{BASH_SOURCE(?:\[0\])?\}|BASH_SOURCE)["']?\s*\)["']?(?P<below>/[\w./-]+)?["']?\Z"""
)


class BuildCommand:
    """What one command says. Paths are as written."""

    def __init__(self) -> None:
        self.dockerfile: Value | None = None
        self.context: Value | None = None
        self.target: Value | None = None
        self.args: dict[str, Value | None] = {}
        self.contexts: dict[str, Value] = {}
        self.tags: list[Value] = []
        self.platforms: list[Value] = []

    def option(self, name: str, value: Value) -> None:
        if name in ("--file", "-f", "--dockerfile"):
            self.dockerfile = NotLiteral("it comes from standard input") if value == "-" else value
        elif name in ("--tag", "-t", "--destination"):
            self.tags.append(value)
        elif name == "--target":
            self.target = value
        elif name == "--context":
            self.context = value.removeprefix("dir://") if isinstance(value, str) else value
        elif name == "--platform":
            self.platforms += value.split(",") if isinstance(value, str) else [value]
        elif name in ("--build-arg", "--build-context") and isinstance(value, str):
            key, equals, text = value.partition("=")
            if name == "--build-arg":
                self.args[key] = text if equals else None
            elif equals:
                self.contexts[key] = text


class CommandWord:
    """A word of a command: its value, or how it begins and whether it is one word for sure."""

    __slots__ = ("is_one", "prefix", "value")

    def __init__(self, value: Value, prefix: str, is_one: bool) -> None:
        self.value = value
        self.prefix = prefix
        self.is_one = is_one


def text_of_word(word: Word, source: str) -> CommandWord:
    if word.value is not None:
        return CommandWord(word.value, word.value, True)
    prefix = ""
    for part in word.parts:
        if isinstance(part, (Literal, SingleQuoted)):
            prefix += part.value
            continue
        if isinstance(part, DoubleQuoted):
            for inner in part.parts:
                if not isinstance(inner, Literal):
                    break
                prefix += inner.value
            else:
                continue
        break
    quoted = all(isinstance(part, (Literal, SingleQuoted, DoubleQuoted)) for part in word.parts)
    return CommandWord(NotLiteral(f"{source[word.start : word.end]} is not literal"), prefix, quoted)


def build_command(words: Sequence[CommandWord]) -> tuple[str, BuildCommand] | None:
    """What a command builds, by which kind of program ("docker", "podman", "kaniko"); None where it builds nothing."""
    start = next((at for at, word in enumerate(words) if word.value not in _WRAPPERS), len(words))
    names = [word.value if isinstance(word.value, str) else "" for word in words[start : start + 3]]
    if not names:
        return None
    names[0] = names[0] if names[0].startswith("/kaniko/") else posixpath.basename(names[0])
    for kind, commands in table("build_definitions")["commands"].items():
        for command in commands:
            length = command.count(" ") + 1
            if " ".join(names[:length]) == command:
                return kind, _read(words[start + length :])
    return None


def _read(words: Sequence[CommandWord]) -> BuildCommand:
    options = table("build_definitions")["options"]
    command = BuildCommand()
    at = 0
    while at < len(words):
        word = words[at]
        at += 1
        if not word.prefix.startswith("-") or word.value == "-":
            if isinstance(word.value, NotLiteral) and not word.is_one:
                # it may be any number of words: options, values and the context
                command.context = command.context or word.value
                command.dockerfile = command.dockerfile or word.value
            else:
                command.context = NotLiteral("it comes from standard input") if word.value == "-" else word.value
            continue
        name, equals, rest = word.prefix.partition("=")
        value: Value = rest if isinstance(word.value, str) else word.value
        if not name.startswith("--") and name[:2] in options["values"] and len(word.prefix) > 2:  # -tNAME
            rest = word.prefix[2:].removeprefix("=")
            command.option(name[:2], rest if isinstance(word.value, str) else word.value)
        elif equals:
            if isinstance(word.value, NotLiteral) and name == "--build-arg":
                command.args[rest.partition("=")[0]] = word.value
            command.option(name, value)
        elif name in options["values"] and at < len(words):
            following = words[at]
            at += 1
            if isinstance(following.value, NotLiteral) and name == "--build-arg" and "=" in following.prefix:
                command.args[following.prefix.partition("=")[0]] = following.value
            command.option(name, following.value)
        elif name not in options["flags"] and not name[1:].isalpha():
            command.context = command.dockerfile = NotLiteral(f"the option {name} is not known")
            break
    return command


def read_commands(
    text: str, file: str, line: int, bases: Sequence[str], tree: DefinitionTree, name: str = ""
) -> Iterator[BuildTarget]:
    """The builds of a shell text whose first line is `line` of the definition `file`. It starts in one of `bases`, the
    one where the files that it names are. `name`: of the targets; "": the command's own words. A text that is not
    understood builds nothing that is known."""
    try:
        script = parse_shell(text).script
    except (ShellSyntaxError, RecursionError):
        return
    directory = _Directory(text)
    for command, ancestors in iter_with_ancestors(script):
        words = [text_of_word(word, text) for word in command.words]
        if not words:
            continue
        if words[0].value in ("cd", "pushd", "popd"):
            certain = all(isinstance(node, (Script, AndOr, Subshell)) or type(node).__name__ == "ListItem"
                          for node in ancestors)  # fmt: skip
            directory.change(command, words, certain)
            continue
        built = build_command(words)
        if built is None:
            continue
        kind, options = built
        at = line + text.count("\n", 0, command.start)
        column = command.start - text.rfind("\n", 0, command.start)
        targets = [
            _target(kind, options, place, file, at, column, tree, name or _named(words))
            for place in (directory.of(base, os.path.dirname(file)) for base in dict.fromkeys(bases))
        ]
        there = [target for target in targets if isinstance(target.dockerfile, str) and tree.is_file(target.dockerfile)]
        if len(targets) == 1 or len({target.dockerfile for target in there}) == 1:
            yield there[0] if there else targets[0]
        else:
            why = NotLiteral("which directory it is run in is not known")
            known = isinstance(targets[0].dockerfile, NotLiteral)
            yield targets[0] if known else _target(kind, options, why, file, at, column, tree, name or _named(words))


class _Directory:
    """The working directory of a script, as far as `cd` tells. A subshell's change is taken to last: what follows it is
    then not found, and not known."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.own = False  # relative to the script's own directory
        self.below: Value = ""

    def change(self, command: SimpleCommand, words: Sequence[CommandWord], certain: bool) -> None:
        operands = [(word, text) for word, text in zip(command.words[1:], words[1:], strict=True) if text.value != "--"]
        source = self.text[operands[0][0].start : operands[0][0].end] if operands else ""
        match = _OWN_DIRECTORY.match(source)
        value = operands[0][1].value if len(operands) == 1 else NotLiteral("a directory that is not literal")
        if words[0].value != "cd" or not certain:
            self.below = NotLiteral("which directory it is run in is not known")
        elif match is not None:
            self.own, self.below = True, (match["below"] or "").lstrip("/")
        elif isinstance(value, NotLiteral):
            self.below = value
        elif isinstance(self.below, str):
            self.below = posixpath.join(self.below, value)

    def of(self, base: str, own: str) -> Value:
        return resolved(own if self.own else base, self.below) if isinstance(self.below, str) else self.below


def _named(words: Sequence[CommandWord]) -> str:
    return " ".join([word.value for word in words[:3] if isinstance(word.value, str) and word.prefix[:1] != "-"][:2])


def _target(
    kind: str, command: BuildCommand, base: Value, file: str, line: int, column: int, tree: DefinitionTree, name: str
) -> BuildTarget:
    def placed(path: Value | None) -> Value | None:
        if path is None or isinstance(path, NotLiteral) or is_remote(path) or os.path.isabs(path):
            return path
        return base if isinstance(base, NotLiteral) else resolved(base, path)

    written = command.context if command.context is not None or kind == "docker" else "."
    context = placed(NotLiteral("no context is named") if written is None else written)
    assert context is not None
    dockerfile = placed(command.dockerfile)
    if dockerfile is None or (kind == "kaniko" and isinstance(context, str)):
        dockerfile = dockerfile_in(context, command.dockerfile)
        if kind == "podman" and command.dockerfile is None:
            containerfile = dockerfile_in(context, "Containerfile")
            if isinstance(containerfile, str) and tree.is_file(containerfile):
                dockerfile = containerfile
    contexts = {key: placed(value) or value for key, value in command.contexts.items()}
    return BuildTarget(
        name, file, line, column, context, dockerfile, None, command.target, command.args, contexts,
        tuple(command.tags), platforms=tuple(command.platforms),
    )  # fmt: skip
