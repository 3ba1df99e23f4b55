"""Edits that take options against caching from the commands that a cache mount serves."""

from __future__ import annotations

from dfopt.analysis.package_managers import option_edit, tools
from dfopt.edit import Edit
from dfopt.ir.commands import SUBSTITUTION
from dfopt.refusal import Refusal
from dfopt.rewrites.commands import EditWords

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from dfopt.ir.commands import Invocation
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Step
    from dfopt.passes.cache_mounts.places import CacheUse
    from dfopt.rewrites.base import Rewrite


def option_edits(program: Program, step: Step, family_uses: Sequence[CacheUse]) -> tuple[list[Edit], list[Rewrite]]:
    """The edits that take options against caching off the commands of one family, and add those that keep a cache.
    Raises Refusal."""
    body = program.body(step)
    edits: list[Edit] = []
    rewrites: list[Rewrite] = []
    for use in family_uses:
        tool = use.tool
        if tool is None:
            continue
        words = use.invocation.node.words
        swap: dict[str, str] = use.row.get("swap", {})
        hits = [index for index, word in enumerate(words) if word.value in swap]
        added: list[str] = list(use.row.get("add", ()))
        ensure = use.row.get("ensure")
        if ensure and not hits and not tool.given("fresh") and not _refreshed(program, step, use.invocation):
            added.append(ensure)
        if not hits and not added:
            continue
        if use.invocation.nested or use.invocation.where == SUBSTITUTION:
            raise Refusal(f"{tool.label} runs in a string or a substitution that is not rewritten")
        for index in reversed(hits):
            word = words[index]
            put = swap[word.value or ""]
            start, end = body.span(word.start, word.end)
            if not put:
                start = body.span(words[index - 1].end, word.end)[0]
            edits.append(Edit(start, end, put))
            rewrites.append(EditWords(step.index, use.invocation.node.start, index, 1, (put,) if put else ()))
        if added:
            edit, words_rewrite = option_edit(step, body, tool, " ".join(added))
            edits.append(edit)
            rewrites.append(EditWords(step.index, words_rewrite.offset, words_rewrite.index, 0, tuple(added)))
    return edits, rewrites


def _refreshed(program: Program, step: Step, invocation: Invocation) -> bool:
    """Whether the same RUN renewed the index before."""
    return any(
        tool.does.get("refreshes") and tool.start < invocation.node.start
        for tool in tools(program, step)
        if tool.family == "apk"
    )
