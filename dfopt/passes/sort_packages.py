from __future__ import annotations

from dfopt.edit import Edit
from dfopt.ir.rewrite import EditWords
from dfopt.lazy import regex
from dfopt.passes._layout import chain_style, line_end, line_start, newline_at
from dfopt.passes._tools import tools
from dfopt.passes.base import Facts, Finding, Fix, Option, Pass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.ir.body import Body
    from dfopt.ir.program import Program, Step
    from dfopt.passes._tools import Tool
    from dfopt.syntax.shell.nodes import Word

_FAMILIES = frozenset(("apt", "apk", "dnf", "zypper", "pacman"))
_VERSION = regex(r"[=<>~/]")
_INSTALLS = regex(r"install|\badd\b|\s-S|\bin\b")


class SortPackages(Pass):
    """Puts the packages of an install command on lines of their own, in the step's own style, and sorts them.

    Comments stay where they are, and the packages below one keep their order: it may speak of the first of them or of
    all. Words that the shell expands keep their place too.

    Why: a sorted list shows a package that is there twice, and a change of it is a diff of one line.

    Example:

    ```dockerfile
    FROM debian:13-slim
    RUN apt-get update \\
        && apt-get install -y --no-install-recommends wget curl \\
            ca-certificates \\
        && rm -rf /var/lib/apt/lists/*
    ```

    ```dockerfile
    FROM debian:13-slim
    RUN apt-get update \\
        && apt-get install -y --no-install-recommends \\
            ca-certificates \\
            curl \\
            wget \\
        && rm -rf /var/lib/apt/lists/*
    ```

    Refuses: nothing. Lists of fewer packages than `least` are left alone, and heredocs keep their lines.

    Declares: the words of the command in another order. `safe` where only the line breaks change. `unsafe` where the
    order does: a package manager may choose other alternatives, and user ids that packages ask for may come out in
    another order.
    """

    name = "sort-packages"
    group = "style"
    default = False
    triggers = ("install", "add ", " -s")
    order = 83
    options = (Option("least", "int", 3, "lists of fewer packages are left alone"),)

    def find(self, program: Program, facts: Facts) -> Iterator[Finding]:
        for stage in program.stages:
            for step in stage.steps:
                node = step.node
                if node.keyword != "RUN" or not _INSTALLS.search(program.text, node.start, node.end):
                    continue
                for tool in tools(program, step):
                    if tool.family in _FAMILIES and tool.does.get("installs") and not tool.one.nested:
                        yield from self.check(program, step, tool)

    def check(self, program: Program, step: Step, tool: Tool) -> Iterator[Finding]:
        body = program.body(step)
        runs = [run for run in _runs(program, body, tool) if len(run) >= int(self.settings["least"])]
        if body.form not in ("line", "script") or not runs:
            return
        start, end = body.span(tool.one.node.start, tool.one.node.end)
        texts = [[body.text[word.start : word.end] for word in run] for run in runs]
        edits = _lines(program, step, body, tool, runs) if body.form == "line" else []
        if edits:
            fix = Fix(tuple(edits), tuple(_rewrites(step, tool, runs, texts)), "safe")
            yield Finding(self.name, "one package on a line", start, end, fix)
        new: list[list[str]] = []
        for run, old in zip(runs, texts, strict=True):
            head = _before_comments(program, body, step, run)
            new.append([*sorted(old[:head], key=_key), *old[head:]])
        if new != texts:
            moves = [
                Edit(*body.span(word.start, word.end), after)
                for run, old, sorted_ in zip(runs, texts, new, strict=True)
                for word, before, after in zip(run, old, sorted_, strict=True)
                if before != after
            ]
            fix = Fix(tuple(moves), tuple(_rewrites(step, tool, runs, new)), "unsafe")
            yield Finding(self.name, "sort the packages", start, end, fix)


def _rewrites(step: Step, tool: Tool, runs: list[list[Word]], texts: list[list[str]]) -> Iterator[EditWords]:
    node = tool.one.node
    for run, new in zip(runs, texts, strict=True):
        yield EditWords(step.index, node.start, node.words.index(run[0]), len(run), tuple(new))


def _key(text: str) -> tuple[str, str]:
    bare = text.strip("\"'")
    return _VERSION.split(bare, maxsplit=1)[0].lower(), bare


def _runs(program: Program, body: Body, tool: Tool) -> Iterator[list[Word]]:
    """The packages of an install command, as runs of words that stand side by side."""
    taking = tool.facts.get("value-options", ())
    run: list[Word] = []
    skip = False
    for word in tool.one.words[tool.at + 1 :]:
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


def _before_comments(program: Program, body: Body, step: Step, run: list[Word]) -> int:
    """How many words of a run stand before the first comment in it."""
    first = body.span(run[0].start, run[0].end)[0]
    comment = min((comment.start for comment in step.node.comments if comment.start > first), default=len(program.text))
    if any(comment.start < first for comment in step.node.comments):
        install = line_start(program.text, first)
        above = max(comment.start for comment in step.node.comments if comment.start < first)
        if line_start(program.text, install - 1) <= above:
            return 0  # the first package stands right below a comment
    return sum(body.span(word.start, word.end)[0] < comment for word in run)


def _lines(program: Program, step: Step, body: Body, tool: Tool, runs: list[list[Word]]) -> list[Edit]:
    """The edits that give each package a line of its own; none where each has one."""
    text = program.text
    words = tool.one.node.words
    behind = [words[words.index(run[-1]) + 1] for run in runs if run[-1] is not words[-1]]
    spans = [body.span(word.start, word.end) for run in runs for word in run]
    own = [start for start, _ in spans if not text[line_start(text, start) : start].strip()]
    style = chain_style(program, step)
    last = spans[-1][1]
    indent = style.indent
    if own:
        indent = text[line_start(text, own[0]) : own[0]]
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
