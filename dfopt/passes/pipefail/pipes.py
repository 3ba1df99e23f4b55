"""Pipelines, and what a shell with pipefail would make of them."""

from __future__ import annotations

import re

from dfopt.ir.shell_body import memoized
from dfopt.knowledge import table
from dfopt.lazy import regex
from dfopt.syntax.shell.nodes import AndOr, Assignment, If, Parameter, Pipeline, SimpleCommand, While
from dfopt.syntax.shell.walk import iter_children, iter_nodes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.ir.shell_body import Body
    from dfopt.syntax.shell.nodes import Command, Node

_HARMLESS = ("true", ":", "exit", "false", "echo", "printf")  # behind ||: the step fails, or goes on as it did
_SET = regex(r"\bset\s+(?:-\w{1,20}\s{1,20}){0,20}-\w{0,20}o\s+pipefail\b")


def pipes(body: Body) -> bool:
    """Whether a body has a pipeline whose first commands may fail unseen. The status of one inside `$( )` counts only
    where the substitution is the value of a lone assignment."""
    if body.program is None or "|" not in body.text or "pipefail" in body.shell.options or _SET.search(body.text):
        return False
    if body.form == "script" and body.text.startswith("#!"):  # SHELL does not run it
        return False
    return memoized(body, "pipes", _pipes)


def _pipes(body: Body) -> bool:
    assert body.program is not None
    for node in _with_status(body.program.script):
        if isinstance(node, Pipeline) and len(node.commands) > 1 and not _only_prints(node):
            return True
    return False


def _with_status(root: Node) -> Iterator[Node]:
    """The node and all below it, without what fails unheard: substitutions in words, and what `|| true` excuses."""
    yield root
    for index, child in enumerate(iter_children(root)):
        if isinstance(root, SimpleCommand) and (root.words or not isinstance(child, Assignment)):
            continue
        if isinstance(root, AndOr) and _excused(root, index):
            continue
        yield from _with_status(child)


def _excused(chain: AndOr, index: int) -> bool:
    return any(
        op == "||" and _name(chain.items[at + 1]) in ("true", ":") for at, op in enumerate(chain.ops[index:], index)
    )


def _only_prints(node: Pipeline) -> bool:
    """Whether all but the last command are `echo` or `printf`, which do not fail."""
    return all(_name(command) in ("echo", "printf") for command in node.commands[:-1])


def _name(command: Command) -> str | None:
    if not isinstance(command, SimpleCommand) or not command.words:
        return None
    value = command.words[0].value
    return None if value is None else value.rpartition("/")[2]


def breaks_early(body: Body) -> str:
    """The command that makes a pipeline of the body end by SIGPIPE, by chance or always; "" where there is none."""
    return memoized(body, "breaks early", _breaks_early) if "|" in body.text else ""


def _breaks_early(body: Body) -> str:
    assert body.program is not None
    known = table("pipes")
    for node in iter_nodes(body.program.script):
        if not isinstance(node, Pipeline):
            continue
        for position, command in enumerate(node.commands):
            name = _name(command)
            if name is None or not isinstance(command, SimpleCommand):
                continue
            words = [word.value or "" for word in command.words[1:]]
            if position < len(node.commands) - 1 and name in known["endless"]["names"]:
                return name
            if position and _stops(name, words, known["early"]):
                return name
    return ""


def _stops(name: str, words: list[str], early: dict[str, dict[str, list[str]]]) -> bool:
    if name in early["always"]:
        return True
    for option in early["options"].get(name, ()):
        for word in words:
            short = len(option) == 2 and re.match(r"-\w", word) is not None and option[1] in word[1:]
            if word.partition("=")[0] == option or short:
                return True
    pattern = early["scripts"].get(name)
    return pattern is not None and any(re.search(str(pattern), word) for word in words)


def answers(body: Body) -> str:
    """The command on the left of a pipe whose failure is an answer, as grep's is; "" where there is none. One inside a
    substitution does not count, nor one that `|| true` excuses."""
    return memoized(body, "answers", _answers) if "|" in body.text else ""


def _answers(body: Body) -> str:
    assert body.program is not None
    answering = table("pipes")["answers"]
    for node in _with_status(body.program.script):
        if isinstance(node, Pipeline):
            for command in node.commands[:-1]:
                for inner in _with_status(command):
                    name = _name(inner) if isinstance(inner, SimpleCommand) else None
                    if name is None or not isinstance(inner, SimpleCommand):
                        continue
                    first = inner.words[1].value if len(inner.words) > 1 else None
                    if name in answering["names"] or first in answering["commands"].get(name, ()):
                        return name
    return ""


def decides(body: Body) -> bool:
    """Whether the status of a pipeline in the body decides what else runs: pipefail would change that unseen."""
    return memoized(body, "decides", _decides) if "|" in body.text else False


def _decides(body: Body) -> bool:
    assert body.program is not None
    for node in _with_status(body.program.script):
        if isinstance(node, If):
            conditions: list[Node] = [condition for condition, _ in node.branches]
        elif isinstance(node, While):
            conditions = [node.condition]
        elif isinstance(node, AndOr):
            ends = zip(node.items, node.items[1:], node.ops, strict=False)
            conditions = [left for left, right, op in ends if op == "||" and _name(right) not in _HARMLESS]
        elif isinstance(node, Pipeline) and node.negated:
            conditions = [node]
        else:
            continue
        for condition in conditions:
            for inner in _with_status(condition):
                if isinstance(inner, Pipeline) and len(inner.commands) > 1 and not _only_prints(inner):
                    return True
    return False


def differs_in_bash(body: Body) -> str:
    """What bash would read otherwise than the shell of the body does; "" where nothing is known to differ."""
    assert body.program is not None
    if body.program.bashisms:
        return body.program.bashisms[0][1]
    variables = table("pipes")["bash"]["variables"]
    for node in iter_nodes(body.program.script):
        if isinstance(node, Parameter | Assignment) and node.name in variables:
            return f"the variable {node.name}"
        if isinstance(node, SimpleCommand) and _name(node) == "echo":
            texts = [body.text[word.start : word.end] for word in node.words[1:]]
            if any("\\" in text for text in texts) or (texts and re.match(r"-\w*[eE]", texts[0])):
                return "echo with escapes"
    return ""
