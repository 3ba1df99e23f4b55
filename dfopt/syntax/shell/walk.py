"""Walking the tree: the children of any node, and all simple commands of a body with what surrounds them."""

from __future__ import annotations

from dfopt.syntax.shell.nodes import (
    AndOr,
    Arithmetic,
    ArithmeticCommand,
    ArithmeticFor,
    ArrayLiteral,
    Assignment,
    BraceGroup,
    Case,
    CaseItem,
    CommandSub,
    Coproc,
    DoubleQuoted,
    ExtGlob,
    For,
    Function,
    If,
    ListItem,
    Parameter,
    Pipeline,
    ProcessSub,
    Redirect,
    Script,
    SimpleCommand,
    Subshell,
    Test,
    While,
    Word,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any, TypeAlias

    from dfopt.syntax.shell.nodes import Node

    Ancestors: TypeAlias = tuple[Node, ...]


def _simple(node: SimpleCommand) -> Iterable[Node]:
    if not node.redirects:
        return node.assignments + node.words if node.assignments else node.words  # no word precedes an assignment
    return sorted(node.assignments + node.words + node.redirects, key=_start)


def _start(node: Node) -> int:
    return node.start


def _assignment(node: Assignment) -> Iterable[Node]:
    if node.array is not None:
        return node.array
    return (*node.parts, node.value) if node.value is not None else node.parts


def _if(node: If) -> Iterable[Node]:
    children: list[Node] = [script for branch in node.branches for script in branch]
    if node.otherwise is not None:
        children.append(node.otherwise)
    return children + list(node.redirects)


_CHILDREN: dict[type[Node], Callable[[Any], Iterable[Node]]] = {
    SimpleCommand: _simple,
    Word: lambda node: node.parts,
    DoubleQuoted: lambda node: node.parts,
    Parameter: lambda node: node.parts,
    Arithmetic: lambda node: node.parts,
    ExtGlob: lambda node: node.parts,
    ArrayLiteral: lambda node: node.words,
    CommandSub: lambda node: (node.body,) if node.body is not None else (),
    ProcessSub: lambda node: (node.body,),
    Assignment: _assignment,
    Redirect: lambda node: (node.target, *node.parts) if node.parts else (node.target,),
    Script: lambda node: node.items,
    ListItem: lambda node: (node.command,),
    AndOr: lambda node: node.items,
    Pipeline: lambda node: node.commands,
    Subshell: lambda node: (node.body, *node.redirects),
    BraceGroup: lambda node: (node.body, *node.redirects),
    If: _if,
    For: lambda node: (*(node.words or ()), node.body, *node.redirects),
    ArithmeticFor: lambda node: (*node.parts, node.body, *node.redirects),
    While: lambda node: (node.condition, node.body, *node.redirects),
    Case: lambda node: (node.subject, *node.items, *node.redirects),
    CaseItem: lambda node: (*node.patterns, node.body),
    Function: lambda node: (node.body,),
    Test: lambda node: node.words + node.redirects,
    ArithmeticCommand: lambda node: node.parts + node.redirects,
    Coproc: lambda node: (node.command,),
}


def _none(_: Node) -> Iterable[Node]:
    return ()


def iter_children(node: Node) -> Iterable[Node]:
    """The nodes directly inside `node`, in the order of their offsets. The expansions in a here-document's body come
    right after its delimiter, though they stand further on."""
    return _CHILDREN.get(type(node), _none)(node)


def iter_nodes(root: Node) -> Iterator[Node]:
    """`root` and every node below it, each before its children."""
    stack = [root]
    while stack:
        node = stack.pop()
        yield node
        children = _CHILDREN.get(type(node), _none)(node)
        if children:
            stack.extend(reversed(tuple(children)))


def iter_with_ancestors(root: Node) -> Iterator[tuple[SimpleCommand, Ancestors]]:
    """Every SimpleCommand below `root`, those in substitutions too, in source order (a command before the ones in its
    own words), each with the chain of the nodes around it, `root` first, its own parent last. Chains share their
    making: one tuple for each node that has commands below it.

    What is not seen: commands in backquotes whose backslashes had to be resolved (`CommandSub.body` is None)."""
    stack: list[tuple[Node, Ancestors]] = [(root, ())]
    while stack:
        node, ancestors = stack.pop()
        if type(node) is SimpleCommand:
            yield node, ancestors
        children = [
            child
            for child in _CHILDREN.get(type(node), _none)(node)
            # a word with a value has no expansions; the simplest parts have no children
            if not (type(child) is Word and child.value is not None) and type(child) in _CHILDREN
        ]
        if children:
            chain = (*ancestors, node)
            children.reverse()
            stack += [(child, chain) for child in children]


def iter_commands(root: Node) -> Iterator[SimpleCommand]:
    """Every SimpleCommand below `root`, as `iter_with_ancestors` does, without the chains."""
    for command, _ in iter_with_ancestors(root):
        yield command
