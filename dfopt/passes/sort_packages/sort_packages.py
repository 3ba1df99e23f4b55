from __future__ import annotations

from dfopt.analysis.package_managers import tools
from dfopt.edit import Edit
from dfopt.facts import Facts
from dfopt.findings import Finding, Fix
from dfopt.lazy import regex
from dfopt.passes.base import Option, Pass
from dfopt.passes.sort_packages.lists import before_comments, one_a_line, package_runs
from dfopt.rewrites.commands import EditWords

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.analysis.package_managers import Tool
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Step
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
    group = "modernize"
    phase = "names"
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
                    if tool.family in _FAMILIES and tool.does.get("installs") and not tool.invocation.nested:
                        yield from self.check(program, step, tool)

    def check(self, program: Program, step: Step, tool: Tool) -> Iterator[Finding]:
        body = program.body(step)
        runs = [run for run in package_runs(program, body, tool) if len(run) >= int(self.settings["least"])]
        if body.form not in ("line", "script") or not runs:
            return
        start, end = body.span(tool.start, tool.invocation.node.end)
        texts = [[body.text[word.start : word.end] for word in run] for run in runs]
        edits = one_a_line(program, step, body, tool, runs) if body.form == "line" else []
        if edits:
            fix = Fix(tuple(edits), tuple(_rewrites(step, tool, runs, texts)), "safe")
            yield Finding(self.name, "one package on a line", start, end, fix)
        new: list[list[str]] = []
        for run, old in zip(runs, texts, strict=True):
            head = before_comments(program, body, step, run)
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
    node = tool.invocation.node
    for run, new in zip(runs, texts, strict=True):
        yield EditWords(step.index, node.start, node.words.index(run[0]), len(run), tuple(new))


def _key(text: str) -> tuple[str, str]:
    bare = text.strip("\"'")
    return _VERSION.split(bare, maxsplit=1)[0].lower(), bare
