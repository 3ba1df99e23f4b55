"""Every node's span is its source: laws that hold for all nodes of all bodies, and shfmt's opinion."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from itertools import pairwise

import pytest
from syntax.shell.refused_bodies import EXTENDED
from syntax.shell.shell_oracles import inside, mutated, own_spans, parsed, shfmt_spans
from syntax.shell.valid_bodies import VALID

from dfopt.record import Record
from dfopt.syntax.shell import ShellProgram, nodes, parse_shell
from dfopt.syntax.shell.nodes import Node, Redirect, Script, SimpleCommand
from dfopt.syntax.shell.walk import iter_children, iter_nodes

BODIES = {**VALID, **{f"extglob-{name}": body for name, body in EXTENDED.items()}}
EVERY = pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())

# Around a body: the same tree at other offsets.
WRAPPINGS = {
    "group": ("{ ", "\n}"),
    "subshell": ("( ", "\n)"),
    "substitution": ("x=$(", "\n)"),
    "quoted": ('echo "$( ', '\n)"'),
    "condition": ("if ", "\nthen y; fi"),
    "branch": ("case a in b) ", "\n;; esac"),
    "function": ("f() { ", "\n}"),
}

# What the source of a node looks like, where that is not told by its children alone. No redirects at their ends.
SHAPES: dict[type[Node], str] = {
    nodes.SingleQuoted: r"'[^']*'",
    nodes.AnsiQuoted: r"\$'.*'",
    nodes.DoubleQuoted: r"\$?\".*\"",
    nodes.Parameter: r"\$([A-Za-z_]\w*|[0-9@*#?$!-]|\{.*\})",
    nodes.CommandSub: r"\$\(.*\)|`.*`",
    nodes.Arithmetic: r"\$\(\(.*\)\)|\$\[.*\]",
    nodes.ProcessSub: r"[<>]\(.*\)",
    nodes.ExtGlob: r"[?*+@!]?\(.*\)",
    nodes.ArrayLiteral: r"\(.*\)",
    nodes.Assignment: r"[A-Za-z_]\w*(\[.*\])?\+?=.*",
    nodes.Redirect: r"(\d*|\{\w+\})(&>>?|[<>][<>&|]?[<-]?).+",
    nodes.Subshell: r"\(.*\)",
    nodes.BraceGroup: r"\{.*\}",
    nodes.If: r"if\b.*\bfi",
    nodes.For: r"(for|select)\b.*(\bdone|\})",
    nodes.ArithmeticFor: r"for[ \t]*\(\(.*(\bdone|\})",
    nodes.While: r"(while|until)\b.*\bdone",
    nodes.Case: r"case\b.*\besac",
    nodes.Test: r"\[\[.*\]\]",
    nodes.ArithmeticCommand: r"\(\(.*\)\)",
    nodes.Coproc: r"coproc\b.*",
}
COMMANDS = (
    SimpleCommand, nodes.Pipeline, nodes.AndOr, nodes.Subshell, nodes.BraceGroup, nodes.If, nodes.For, nodes.While,
    nodes.ArithmeticFor, nodes.Case, nodes.Function, nodes.Test, nodes.ArithmeticCommand, nodes.Coproc,
)  # fmt: skip


def check(program: ShellProgram) -> None:
    """The laws, for a whole tree."""
    text = program.text
    assert (program.script.start, program.script.end) == (0, len(text))
    for node in iter_nodes(program.script):
        where = text[node.start : node.end]
        assert 0 <= node.start <= node.end <= len(text), node
        children = list(iter_children(node))
        in_line = [child for child in children if not _in_document(node, child)]
        for child in in_line:
            assert node.start <= child.start <= child.end <= node.end, (where, child)
        for before, after in pairwise(in_line):
            assert before.end <= after.start, (where, before, after)
        _check_shape(node, where)
        _check_own(node, text)
    for start, end in program.script.comments:
        assert text[start] == "#"
        assert "\n" not in text[start:end]
        assert text[end : end + 1] in ("\n", "", "`")


def _in_document(node: Node, child: Node) -> bool:
    return isinstance(node, Redirect) and child is not node.target


def _check_shape(node: Node, where: str) -> None:
    shape = SHAPES.get(type(node))
    redirects = getattr(node, "redirects", ())
    if shape is not None and not redirects:
        assert re.fullmatch(shape, where, re.S), node
    if redirects and not isinstance(node, SimpleCommand):
        assert redirects[-1].end == node.end
    if isinstance(node, nodes.Literal) and "\\" not in where:
        assert where == node.value
    if isinstance(node, nodes.SingleQuoted):
        assert where == f"'{node.value}'"
    if isinstance(node, nodes.Word):
        assert "".join(where[part.start - node.start : part.end - node.start] for part in node.parts) == where


def _check_own(node: Node, text: str) -> None:
    if isinstance(node, SimpleCommand):
        members = list(iter_children(node))
        assert (node.start, node.end) == (members[0].start, max(member.end for member in members))
        for before, after in pairwise(members):
            assert re.fullmatch(r"([ \t]|\\\n)*", text[before.end : after.start])
    elif isinstance(node, nodes.ListItem):
        assert (node.start, node.end) == (node.command.start, node.command.end)
        at = node.terminator_start
        assert text[at : at + len(node.terminator)] == node.terminator
        assert re.fullmatch(r"([ \t]|\\\n|#[^\n]*)*", text[node.end : at])
    elif isinstance(node, Script) and node.items and (node.start, node.end) != (0, len(text)):
        last = node.items[-1]
        assert node.start == node.items[0].start
        assert node.end == (last.terminator_start + 1 if last.terminator in (";", "&") else last.end)
    elif isinstance(node, nodes.AndOr):
        assert len(node.ops) == len(node.op_starts) == len(node.items) - 1
        for number, (op, at) in enumerate(zip(node.ops, node.op_starts, strict=True)):
            assert text[at : at + 2] == op
            assert node.items[number].end <= at < node.items[number + 1].start
    elif isinstance(node, Redirect):
        assert text.startswith(node.fd + node.op, node.start)
        assert node.end == node.target.end
        if node.body is not None:
            assert text[node.body_start : node.body_end] == node.body
            rest = text[node.body_end :]
            delimiter = (rest if node.quoted else rest.replace("\\\n", "")).partition("\n")[0]
            if node.op == "<<-":
                delimiter = delimiter.lstrip("\t")
            assert node.terminated == (delimiter == node.target.value and node.body_end < len(text))
            for part in node.parts:
                assert node.body_start <= part.start <= part.end <= node.body_end
    elif isinstance(node, nodes.Parameter):
        assert node.argument in text[node.start : node.end]
        assert f"{node.prefix}{node.name}" in text[node.start : node.end]


def shifted(value: object, by: int) -> object:
    """A tree as plain values, its offsets moved by `by`."""
    if isinstance(value, Record):
        fields = type(value).__fields__
        moved = {"start", "end", "terminator_start", "op_starts"}
        if isinstance(value, Redirect) and value.body is not None:
            moved |= {"body_start", "body_end"}
        return (
            type(value).__name__,
            *[_moved(getattr(value, f), by) if f in moved else shifted(getattr(value, f), by) for f in fields],
        )
    if isinstance(value, tuple):
        return tuple(shifted(item, by) for item in value)
    return value


def _moved(value: object, by: int) -> object:
    return tuple(item + by for item in value) if isinstance(value, tuple) else value + by  # type: ignore[operator]


def has_document(node: Node) -> bool:
    return any(isinstance(inner, Redirect) and inner.body is not None for inner in iter_nodes(node))


@EVERY
def test_every_span_is_its_source(body: str) -> None:
    check(parse_shell(body))


@EVERY
@pytest.mark.parametrize("wrapping", WRAPPINGS.values(), ids=WRAPPINGS.keys())
def test_the_same_tree_inside_of_another(body: str, wrapping: tuple[str, str]) -> None:
    before, after = wrapping
    alone = parse_shell(body)
    if any(not node.terminated for node in iter_nodes(alone.script) if isinstance(node, Redirect)):
        return  # its body would take in what follows
    if not alone.script.items:
        body = "a"
        alone = parse_shell(body)
    whole = parse_shell(before + body + after)
    check(whole)
    scripts = [node for node in iter_nodes(whole.script) if isinstance(node, Script) and node is not whole.script]
    found = scripts[0]
    items = [shifted(item, len(before)) for item in alone.script.items]
    # the last command may be ended by the newline that the wrapping adds
    assert [shifted(item.command, 0) for item in found.items] == [item[3] for item in items]  # type: ignore[index]
    comments = [(start + len(before), end + len(before)) for start, end in alone.script.comments]
    assert list(whole.script.comments) == comments
    kinds = [(at + len(before), kind) for at, kind in alone.bashisms]
    assert set(kinds) <= set(whole.bashisms)


@EVERY
def test_a_command_alone_is_the_same_command(body: str) -> None:
    """The source of each command, parsed alone, gives the same tree (where no here-document ties it to its place)."""
    for command in commands_alone(parse_shell(body)):
        source = body[command.start : command.end]
        again = parse_shell(source).script.items
        assert len(again) == 1
        assert shifted(again[0].command, command.start) == shifted(command, 0)


def commands_alone(program: ShellProgram) -> Iterator[Node]:
    """Commands whose source can stand alone: behind a bar `time` is an ordinary word."""
    for node in iter_nodes(program.script):
        if isinstance(node, COMMANDS) and not has_document(node) and not program.text.startswith("time", node.start):
            yield node


@pytest.mark.parametrize("seed", range(3))
def test_spans_of_broken_bodies_that_still_parse(seed: int) -> None:
    found = [parsed(body) for body in mutated(list(BODIES.values()), 400, random.Random(seed))]
    programs = [program for program in found if isinstance(program, ShellProgram)]
    assert len(programs) > 100
    for program in programs:
        check(program)


# shfmt reads these otherwise, or not at all: why
SHFMT_DIFFERS = {
    "not-not": "several ! are refused",
    "not-subshell": "!( ) is an extended glob",
    "time-not": "! behind time is refused",
    "time-behind-bar": "time is a keyword behind a bar",
    "time-dashes": "-- is a word of the command",
    "surrogate": "bytes that are no UTF-8 are refused",
    "substitution-subshell": "$(( is arithmetic always",
    "subshell-double": "(( is arithmetic always",
    "subshell-double-and": "(( is arithmetic always",
    "heredoc-unterminated": "refused",
    "heredoc-nothing": "refused",
    "heredoc-dollar": "expansions in a delimiter are refused",
    "array-keys": "keys are apart from the words",
    "array-keys-expanded": "keys are apart from the words",
    "array-append": "an array in front of a command is refused",
}


@EVERY
def test_shfmt_sees_the_same_commands_and_words(body: str, shfmt: str, request: pytest.FixtureRequest) -> None:
    ours, opaque = own_spans(parse_shell(body))
    name = request.node.callspec.id
    try:
        theirs = shfmt_spans(shfmt, body)
    except ValueError:
        assert name in SHFMT_DIFFERS
        return
    commands = [span for span in theirs.commands if not inside(span, opaque)]
    words = [span for span in theirs.words if not inside(span, opaque)]
    same = ours.commands == commands and ours.words == words
    assert same != (name in SHFMT_DIFFERS), ([body[a:b] for a, b in ours.words], [body[a:b] for a, b in words])
