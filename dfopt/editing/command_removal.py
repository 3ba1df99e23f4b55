"""Edits that take out what would empty a cache: cleanups in the same RUN, options against caching."""

from __future__ import annotations

from dfopt.analysis.package_managers import tools
from dfopt.edit import Edit
from dfopt.editing.chain_edits import remove_command
from dfopt.ir.commands import SUBSTITUTION
from dfopt.ir.effects import covers
from dfopt.refusal import Refusal
from dfopt.rewrites.cache_mounts import may_delete, may_reach
from dfopt.rewrites.commands import EditWords, RemoveCommand
from dfopt.rewrites.remove_last import RemoveLast
from dfopt.syntax.shell.nodes import AndOr

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from dfopt.ir.program import Program
    from dfopt.ir.shell_body import Body
    from dfopt.ir.stages import Step
    from dfopt.rewrites.base import Rewrite
    from dfopt.syntax.shell.nodes import SimpleCommand


def without_cleanups(
    program: Program, step: Step, paths: Sequence[str], family: str = "", what: str = "the cache"
) -> tuple[list[Edit], list[Rewrite]]:
    """The edits that take every deletion of `paths`, or of what lies below, out of a RUN; and the cleaning commands of
    a package manager. Raises Refusal where one cannot be removed."""
    body = program.body(step)
    edits: list[Edit] = []
    rewrites: list[Rewrite] = []
    whole: list[SimpleCommand] = []
    for invocation in program.commands(step).invocations:
        words = (
            tuple([body.text[word.start : word.end] for word in invocation.node.words]) if not invocation.nested else ()
        )
        if invocation.nested:
            words = tuple([value or "$" for value in (invocation.program, *invocation.values)])
        hit = [path for path in paths if may_delete(words, path)]
        if not hit:
            continue
        if (
            invocation.program != "rm"
            or invocation.nested
            or invocation.where == SUBSTITUTION
            or invocation.node.redirects
            or invocation.node.assignments
        ):
            raise Refusal(f"`{' '.join(words)[:50]}` reaches {what}, and cannot be removed")
        operands = [
            word for word in invocation.operands() if any(may_reach(body.text[word.start : word.end], p) for p in paths)
        ]
        for word in operands:
            if not any(_inside(body.text[word.start : word.end], path) for path in paths):
                shown = body.text[word.start : word.end]
                which = "may be anything" if "$" in shown else f"is more than {what}"
                raise Refusal(f"the RUN deletes `{shown}`, which {which}")
        if len(operands) == len(invocation.operands()):
            whole.append(invocation.node)
            continue
        for word in reversed(operands):
            index = invocation.node.words.index(word)
            begin = body.span(invocation.node.words[index - 1].end, word.end)[0]
            edits.append(Edit(begin, body.span(word.start, word.end)[1], ""))
            rewrites.append(EditWords(step.index, invocation.node.start, index, 1, ()))
    for tool in tools(program, step):
        emptied = "index" if family == "apt" else "cache"  # `apt-get clean` does not reach where the packages are kept
        if tool.family == family and emptied in tool.does.get("cleans", ()):
            if tool.invocation.nested or tool.invocation.node.redirects or tool.invocation.node.assignments:
                raise Refusal(f"`{tool.label} {tool.name}` empties the cache, and cannot be removed")
            whole.append(tool.invocation.node)
    if whole:
        more, gone = removals(program, step, body, sorted(whole, key=lambda node: node.start))
        edits += more
        rewrites += gone
    return edits, rewrites


def _inside(word: str, path: str) -> bool:
    """Whether a word names the path, or what lies below it."""
    word = word.strip("\"'")
    for home in ("~", "$HOME", "${HOME}"):
        if word.startswith(home + "/"):
            rest = word[len(home) :].rstrip("/*")
            return any(covers(path[at:], rest) for at in range(len(path)) if path[at] == "/" and at > 0)
    return covers(path, word.rstrip("/*") or "/")


def removals(
    program: Program, step: Step, body: Body, gone: Sequence[SimpleCommand]
) -> tuple[list[Edit], list[Rewrite]]:
    """The edits that take commands (in their order) out of a RUN's chain or list. Raises Refusal."""
    assert body.program is not None
    text = program.text
    rewrites: list[Rewrite] = [RemoveCommand(step.index, node.start) for node in gone]
    nodes = {id(node) for node in gone}
    for item in body.program.script.items:
        chain = item.command
        if not isinstance(chain, AndOr) or len(gone) == 1:
            continue
        places = [place for place, part in enumerate(chain.items) if id(part) in nodes]
        if len(places) != len(gone) or len(places) == len(chain.items) or "||" in chain.ops:
            continue
        edits: list[Edit] = []
        at = 0
        while at < len(places):
            first = last = places[at]
            while at + 1 < len(places) and places[at + 1] == last + 1:
                at += 1
                last = places[at]
            at += 1
            if last + 1 < len(chain.items):
                start = body.span(chain.items[first].start, chain.items[first].end)[0]
                end = body.span(chain.items[last + 1].start, chain.items[last + 1].end)[0]
            else:
                start = body.span(chain.items[first - 1].start, chain.items[first - 1].end)[1]
                end = body.span(chain.items[last].start, chain.items[last].end)[1]
            if "#" in text[start:end]:
                raise Refusal("a comment stands between the cleanups")
            edits.append(Edit(start, end, ""))
        return edits, rewrites
    edits = []
    for at, node in enumerate(gone):
        removed = remove_command(program, step, body, node)
        tail = _last(program, body, node) if removed is None else None
        if removed is not None:
            edits += removed[0]
        elif tail is not None:
            edits.append(tail)
            rewrites[at] = RemoveLast(step.index, node.start)
        else:
            raise Refusal("a cleanup cannot be removed without its neighbours")
    if touching_itself(edits):
        raise Refusal("cleanups that stand side by side in a list cannot be removed")
    return edits, rewrites


def touching_itself(edits: Sequence[Edit]) -> bool:
    """Whether two edits of a set overlap."""
    ordered = sorted(edits, key=lambda edit: (edit.start, edit.end))
    return any(ordered[index].end > ordered[index + 1].start for index in range(len(ordered) - 1))


def _last(program: Program, body: Body, node: SimpleCommand) -> Edit | None:
    """The edit that takes the last command off a list of several; None where it is none."""
    assert body.program is not None
    items = body.program.script.items
    if len(items) < 2 or items[-1].command is not node:
        return None
    before = items[-2]
    start = body.span(before.command.start, before.command.end)[1]
    end = body.span(node.start, max(node.end, items[-1].end))[1]
    return None if "#" in program.text[start:end] else Edit(start, end, "")
