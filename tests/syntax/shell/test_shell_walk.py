"""Walking: children, commands in source order, and what is around them."""

from __future__ import annotations

from itertools import pairwise

import pytest
from syntax.shell.valid_bodies import VALID

from dfopt.record import Record
from dfopt.syntax.shell import parse_shell
from dfopt.syntax.shell.nodes import Node, Redirect, SimpleCommand
from dfopt.syntax.shell.walk import iter_children, iter_commands, iter_nodes, iter_with_ancestors

EVERY = pytest.mark.parametrize("body", VALID.values(), ids=VALID.keys())


def fields_of(value: object) -> list[Node]:
    """All nodes directly inside a value, by looking at every field."""
    if isinstance(value, tuple):
        return [node for item in value for node in fields_of(item)]
    return [value] if isinstance(value, Node) else []


@EVERY
def test_children_are_all_nodes_in_all_fields(body: str) -> None:
    for node in iter_nodes(parse_shell(body).script):
        assert isinstance(node, Record)
        expected = [inner for field in type(node).__fields__ for inner in fields_of(getattr(node, field))]
        children = list(iter_children(node))
        assert {id(child) for child in children} == {id(child) for child in expected}
        assert len(children) == len(expected)
        if not isinstance(node, Redirect):
            assert [child.start for child in children] == sorted(child.start for child in children)


@EVERY
def test_commands_are_all_simple_commands(body: str) -> None:
    script = parse_shell(body).script
    every = [node for node in iter_nodes(script) if isinstance(node, SimpleCommand)]
    assert [id(command) for command in iter_commands(script)] == [id(command) for command in every]


@EVERY
def test_ancestors_are_a_chain(body: str) -> None:
    script = parse_shell(body).script
    for command, ancestors in iter_with_ancestors(script):
        assert ancestors[0] is script
        chain = (*ancestors, command)
        for parent, child in pairwise(chain):
            assert any(inner is child for inner in iter_children(parent))


def test_source_order() -> None:
    body = (
        'a $(b) "$(c `d`)" >$(e); if f; then g | { h; }; fi; X=$(i) j ${k:-$(l)}; for x in $(m); do n; done; '
        "case $(o) in p) q;; esac; r() { s; }; [[ $(t) ]]; (( $(u) )); v <<E <(w)\n$(y)\nE\n"
    )
    script = parse_shell(body).script
    names = [command.words[0].value for command in iter_commands(script)]
    # a here-document's expansions come with its operator, before what follows that on the line
    assert names == "a b c d e f g h i_j l m n o q s t u v y w".replace("i_j", "j i").split()


def test_ancestors_tell_where_a_command_is() -> None:
    found = {
        command.words[0].value: [type(node).__name__ for node in ancestors]
        for command, ancestors in iter_with_ancestors(parse_shell('a && ( b "$(c)" )').script)
    }
    assert found["a"] == ["Script", "ListItem", "AndOr"]
    assert found["b"] == ["Script", "ListItem", "AndOr", "Subshell", "Script", "ListItem"]
    assert found["c"] == [
        *found["b"], "SimpleCommand", "Word", "DoubleQuoted", "CommandSub", "Script", "ListItem"
    ]  # fmt: skip


def test_a_part_of_a_tree_can_be_walked() -> None:
    [item] = parse_shell("a $(b; c)").script.items
    assert [command.words[0].value for command in iter_commands(item.command)] == ["a", "b", "c"]
    assert list(iter_commands(item.command.words[0].parts[0])) == []  # type: ignore[union-attr]


def test_deep_trees_can_be_walked() -> None:
    script = parse_shell("{ " * 38 + "a;" + " }" * 38).script
    assert len(list(iter_commands(script))) == 1
    assert len(list(iter_nodes(script))) > 100
