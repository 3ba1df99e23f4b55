"""Command invocations: which programs a step runs, with their words, wrappers removed."""

from __future__ import annotations

from dfopt.ir.shell_body import memoized
from dfopt.knowledge import table
from dfopt.record import Record
from dfopt.syntax.shell import ShellSyntaxError, parse_shell
from dfopt.syntax.shell.nodes import (
    AndOr,
    ArithmeticFor,
    BraceGroup,
    Case,
    CommandSub,
    Coproc,
    For,
    Function,
    If,
    Pipeline,
    ProcessSub,
    Script,
    SimpleCommand,
    Subshell,
    Test,
    While,
    Word,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from typing import Any

    from dfopt.ir.shell_body import Body
    from dfopt.syntax.shell.nodes import Command

# Where a command stands, from surest to least sure that it runs exactly once when the step succeeds
TOP = "top"  # in the step's own list or && chain
INNER = "inner"  # in a group, subshell or pipeline that runs for certain
MAYBE = "maybe"  # after ||, in a branch, a loop, a function
SUBSTITUTION = "substitution"  # inside $( ), ` `, <( )


class Invocation(Record):
    """One command as it runs.

    node      the whole simple command, wrappers included; rewrites name it by `node.start`
    program   base name of the program; None where it is not a fixed string
    path      the program word's fixed value, as written
    words     the words after the program
    wrappers  what stood before it: ("sudo",), ("env", "nice") ...
    where     TOP, INNER, MAYBE or SUBSTITUTION
    nested    it stands in the string of `sh -c '...'`: its spans are not true ones
    """

    node: SimpleCommand
    program: str | None
    path: str | None
    words: tuple[Word, ...]
    wrappers: tuple[str, ...]
    where: str
    nested: bool = False

    @property
    def values(self) -> list[str | None]:
        """The words' fixed values; None for a word that is not fixed."""
        return [word.value for word in self.words]

    def operands(self, value_options: Iterable[str] = ()) -> list[Word]:
        """The words that are neither options nor values of `value_options`; after `--` everything is an operand."""
        taking = frozenset(value_options)
        words: list[Word] = []
        skip = False
        only = False
        for word in self.words:
            value = word.value
            if skip:
                skip = False
            elif only or value is None or not value.startswith("-") or value == "-":
                words.append(word)
            elif value == "--":
                only = True
            elif value in taking:
                skip = True
        return words

    def has_option(self, *names: str) -> bool:
        """Whether one of the options is given, also as `--name=value`, or as a letter in a bundle like `-qy`."""
        for value in self.values:
            if value is None:
                continue
            if value in names or (value.startswith("--") and value.partition("=")[0] in names):
                return True
            if len(value) > 2 and value[0] == "-" and value[1] != "-":
                for name in names:
                    if len(name) == 2 and name[1] in value[1:]:
                        return True
        return False


def unbundled(values: Iterable[str | None], taking: Collection[str]) -> list[str | None]:
    """Words with joined short options taken apart as getopt(3) does: `-qO/x` is `-q`, `-O`, `/x`. `taking`: options
    that take a value. Not for programs whose long options have one dash."""
    options: list[str | None] = []
    skip = False
    for value in values:
        if skip or value is None or value in ("-", "--") or not value.startswith("-"):
            skip = False
            options.append(value)
        elif value.startswith("--"):
            skip = value in taking
            options.append(value)
        else:
            for position, letter in enumerate(value[1:], 2):
                options.append(f"-{letter}")
                if f"-{letter}" in taking:
                    rest = value[position:]
                    options += [rest] if rest else []
                    skip = not rest
                    break
    return options


class CommandList(Record):
    """All invocations of a step, and the names of the functions that it defines."""

    invocations: tuple[Invocation, ...]
    functions: frozenset[str]


def commands(body: Body) -> CommandList:
    """The invocations of a body, in source order; none where it is not understood."""
    return CommandList((), frozenset()) if body.program is None else memoized(body, "commands", _commands)


def _commands(body: Body) -> CommandList:
    assert body.program is not None
    collector = _InvocationCollector()
    collector.script(body.program.script, TOP)
    return CommandList(tuple(collector.invocations), frozenset(collector.functions))


def argv_commands(words: Iterable[str]) -> CommandList:
    """The invocations of an argument list that runs without a shell (exec form): every word stands for itself. Their
    spans are not those of the file."""
    text = " ".join(["'" + word.replace("'", "'\\''") + "'" for word in words])
    collector = _InvocationCollector()
    collector.script(parse_shell(text).script, TOP)
    return CommandList(tuple(collector.invocations), frozenset())


class _InvocationCollector:
    __slots__ = ("depth", "functions", "invocations", "nested", "wrappers")

    def __init__(self) -> None:
        self.invocations: list[Invocation] = []
        self.functions: set[str] = set()
        self.nested = False
        self.depth = 0
        self.wrappers: dict[str, Any] = table("programs")["wrappers"]

    def script(self, script: Script, where: str) -> None:
        for item in script.items:
            node = item.command
            if isinstance(node, AndOr) and item is not script.items[-1]:
                self.chain(node, where, _least(where, MAYBE))  # `a && b; c` goes on without b, also under `set -e`
            else:
                self.command(node, where)

    def chain(self, node: AndOr, where: str, rest: str) -> None:
        for index, item in enumerate(node.items):
            self.command(item, rest if index else where)

    def command(self, node: Command, where: str) -> None:
        if isinstance(node, SimpleCommand):
            self.simple(node, where)
        elif isinstance(node, AndOr):
            rest = _least(where, MAYBE) if "||" in node.ops else where  # `a && b || c` may end well without b
            self.chain(node, where, rest)
        elif isinstance(node, Pipeline):
            inner = where if len(node.commands) == 1 and not node.negated else _least(where, INNER)
            for part in node.commands:
                self.command(part, inner)
        elif isinstance(node, Subshell | BraceGroup):
            self.script(node.body, _least(where, INNER))
            self.redirects(node)
        elif isinstance(node, If):
            for index, (condition, then) in enumerate(node.branches):
                self.script(condition, _least(where, MAYBE if index else INNER))
                self.script(then, _least(where, MAYBE))
            if node.otherwise is not None:
                self.script(node.otherwise, _least(where, MAYBE))
            self.redirects(node)
        elif isinstance(node, For | ArithmeticFor):
            if isinstance(node, For):
                for word in node.words or ():
                    self.word(word)
            self.script(node.body, _least(where, MAYBE))
            self.redirects(node)
        elif isinstance(node, While):
            self.script(node.condition, _least(where, INNER))
            self.script(node.body, _least(where, MAYBE))
            self.redirects(node)
        elif isinstance(node, Case):
            self.word(node.subject)
            for case in node.items:
                self.script(case.body, _least(where, MAYBE))
            self.redirects(node)
        elif isinstance(node, Function):
            self.functions.add(node.name)
            self.command(node.body, MAYBE)
        elif isinstance(node, Test):
            for word in node.words:
                self.word(word)
        elif isinstance(node, Coproc):
            self.command(node.command, _least(where, INNER))

    def redirects(self, node: Any) -> None:
        for redirect in node.redirects:
            self.word(redirect.target)

    def simple(self, node: SimpleCommand, where: str) -> None:
        self.invocations.append(self._invocation(node, where))
        for assignment in node.assignments:
            if assignment.value is not None:
                self.word(assignment.value)
            for word in assignment.array or ():
                self.word(word)
        for word in node.words:
            self.word(word)
        self.redirects(node)
        self._inline_script(self.invocations[-1], where)

    def _invocation(self, node: SimpleCommand, where: str) -> Invocation:
        words = node.words
        prefix: list[str] = []
        at = 0
        while at < len(words):
            value = words[at].value
            if value is None:
                return Invocation(node, None, None, words[at + 1 :], tuple(prefix), where, self.nested)
            name = value.rpartition("/")[2]
            wrapper = self.wrappers.get(name)
            if wrapper is None:
                return Invocation(node, name, value, words[at + 1 :], tuple(prefix), where, self.nested)
            behind = _behind_wrapper(words, at + 1, wrapper)
            if behind >= len(words):
                return Invocation(node, name, value, words[at + 1 :], tuple(prefix), where, self.nested)
            prefix.append(name)
            at = behind
        return Invocation(node, None, None, (), tuple(prefix), where, self.nested)

    def _inline_script(self, invocation: Invocation, where: str) -> None:
        """The commands inside `sh -c 'script'`, where the script is a fixed string."""
        if invocation.program not in ("sh", "bash", "dash", "ash") or self.depth > 3:
            return
        values = invocation.values
        for index, value in enumerate(values):
            if value is None or not value.startswith("-"):
                return
            if value.startswith("-") and not value.startswith("--") and "c" in value:
                script = values[index + 1] if index + 1 < len(values) else None
                if script is None:
                    return
                try:
                    tree = parse_shell(script)
                except ShellSyntaxError:
                    return
                outer, self.nested = self.nested, True
                self.depth += 1
                self.script(tree.script, _least(where, INNER))
                self.depth -= 1
                self.nested = outer
                return

    def word(self, word: Word) -> None:
        if word.value is None:
            self.parts(word.parts)

    def parts(self, parts: Iterable[Any]) -> None:
        for part in parts:
            if isinstance(part, CommandSub):
                if part.body is not None:
                    self.script(part.body, SUBSTITUTION)
            elif isinstance(part, ProcessSub):
                self.script(part.body, SUBSTITUTION)
            elif hasattr(part, "parts"):  # double quotes, parameters, arithmetic
                self.parts(part.parts)


_ORDER = (TOP, INNER, MAYBE, SUBSTITUTION)


def _least(where: str, other: str) -> str:
    return max(where, other, key=_ORDER.index)


def _behind_wrapper(words: tuple[Word, ...], at: int, wrapper: Any) -> int:
    """The index of the wrapped program's word; past the end where there is none."""
    taking = wrapper.get("value-options", ())
    operands = wrapper.get("operands", 0)
    while at < len(words):
        value = words[at].value
        if value is not None and value.startswith("-") and value != "-":
            at += 2 if value in taking else 1
            if value == "--":
                break
            continue
        if wrapper.get("assignments") and value is not None and "=" in value.partition("/")[0]:
            at += 1
            continue
        if operands:
            operands -= 1
            at += 1
            continue
        break
    return at
