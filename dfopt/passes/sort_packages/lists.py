"""The packages of an install command, and how they stand on lines."""

from __future__ import annotations

from dfopt.edit import Edit
from dfopt.editing.layout import chain_style, line_end, line_start, newline_at

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.analysis.package_managers import Tool
    from dfopt.ir.program import Program
    from dfopt.ir.shell_body import Body
    from dfopt.ir.stages import Step
    from dfopt.syntax.shell.nodes import Word


def package_runs(program: Program, body: Body, tool: Tool) -> Iterator[list[Word]]:
    """The packages of an install command, as runs of words that stand side by side."""
    taking = tool.facts.get("value-options", ())
    run: list[Word] = []
    skip = False
    for word in tool.invocation.words[tool.at + 1 :]:
        value = word.value
        option = value is not None and value.startswith("-")
        start, end = body.span(word.start, word.end)
        if skip or option or value is None or "\n" in program.text[start:end]:
            if run:
                yield run
            run = []
        else:
            run.append(word)
        skip = option and value in taking
    if run:
        yield run


def before_comments(program: Program, body: Body, step: Step, run: list[Word]) -> int:
    """How many words of a run stand before the first comment in it."""
    first = body.span(run[0].start, run[0].end)[0]
    comment = min((comment.start for comment in step.node.comments if comment.start > first), default=len(program.text))
    if any(comment.start < first for comment in step.node.comments):
        install = line_start(program.text, first)
        above = max(comment.start for comment in step.node.comments if comment.start < first)
        if line_start(program.text, install - 1) <= above:
            return 0  # the first package stands right below a comment
    return sum(body.span(word.start, word.end)[0] < comment for word in run)


def one_a_line(program: Program, step: Step, body: Body, tool: Tool, runs: list[list[Word]]) -> list[Edit]:
    """The edits that give each package a line of its own; none where each has one."""
    text = program.text
    words = tool.invocation.node.words
    behind = [words[words.index(run[-1]) + 1] for run in runs if run[-1] is not words[-1]]
    spans = [body.span(word.start, word.end) for run in runs for word in run]
    begins_line = [start for start, _ in spans if not text[line_start(text, start) : start].strip()]
    style = chain_style(program, step)
    last = spans[-1][1]
    indent = style.indent
    if begins_line:
        indent = text[line_start(text, begins_line[0]) : begins_line[0]]
    elif text[last : step.node.end].strip() or "\n" in text[step.node.start : spans[0][0]]:
        indent += "\t" if "\t" in style.indent else "    "  # deeper than the other commands of the chain
    escape, newline = program.dockerfile.escape, newline_at(text, spans[0][0])
    starts = [start for start, _ in spans]
    edits: list[Edit] = []
    for start in starts + [body.span(word.start, word.end)[0] for word in behind]:
        begin = line_start(text, start)
        head = text[begin:start]
        if head.strip() and (start in starts or edits):
            edits.append(Edit(begin + len(head.rstrip(" \t")), start, f" {escape}{newline}{indent}"))
    tail = text[last : line_end(text, last)]
    if edits and style.leading and tail.lstrip().startswith("&&"):
        edits.append(Edit(last, last + len(tail) - len(tail.lstrip(" \t")), f" {escape}{newline}{style.indent}"))
    return edits
