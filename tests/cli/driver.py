"""dfopt's command line over an optimizer that does what the file says, line by line.

FROM wrong      in the first line: not a Dockerfile
RUN old         a safe fix makes it `RUN new`, and saves 20 MB
RUN risky       an unsafe fix makes it `RUN tame`
RUN odd         a suggestion
RUN never       a refusal
RUN boom        an exception in the optimizer
RUN die         the process ends at once
RUN wait        half a second
RUN unused      a suppression comment that held nothing back
"""

import os
import re
import sys
import time

from dfopt import optimizer
from dfopt.cli.entry import main
from dfopt.edit import Edit, Patchwork
from dfopt.findings import Benefit, Finding
from dfopt.ir.program import Program
from dfopt.pass_selection import Options, chosen
from dfopt.results import Applied, Problem, Reported, Result, Suppression
from dfopt.source import Source
from dfopt.syntax.dockerfile import parse

_FIXES = {"old": ("safe", "new"), "risky": ("unsafe", "tame")}


def optimize(source: Source, options: Options, facts: object = None, only: object = None) -> Result:
    text = source.text
    if text.startswith("FROM wrong"):
        return Result(source, text, problem=Problem("unknown instruction: wrong", 1, 6))
    passes = {one.name for one in chosen(options)}
    patch = Patchwork(text)
    applied: list[Applied] = []
    reported: list[Reported] = []
    comments: list[Suppression] = []
    edits: list[tuple[Edit, int]] = []
    for match in re.finditer(r"^RUN (\w+)", text, re.M):
        word, (start, end) = match[1], match.span()
        if word == "boom":
            raise KeyError("no such thing")
        if word == "die":
            os._exit(7)
        if word == "wait":
            time.sleep(0.5)
        if word in _FIXES and "apt-cleanup" in passes:
            tier, new = _FIXES[word]
            if tier in options.tiers:
                number = len(applied)
                benefit = Benefit(bytes=20_000_000) if word == "old" else None
                message = f"{word} is {new}"
                applied.append(Applied(number, "apt-cleanup", tier, message, start, end, 1, None, benefit))
                edits.append((Edit(start + 4, end, new), number))
            else:
                reported.append(Reported("apt-cleanup", tier, f"{word} is {new}", start, end, fixable=True))
        if word == "odd":
            reported.append(Reported("merge-run", "suggestion", "this is odd", start, end))
        if word == "never":
            reported.append(Reported("merge-run", "safe", "joins two", start, end, reason="the shell is not known"))
        if word == "unused":
            comments.append(Suppression(("dl3009",), start, end, False))
    patch.apply(edits)
    return Result(
        source, patch.text, tuple(patch.changes()), tuple(applied), tuple(reported), tuple(comments), 1
    )  # fmt: skip


class Optimizer:
    def __init__(self, options: Options, observer: object = None) -> None:
        self.options = options

    def run(self, source: Source, facts: object = None, only: object = None) -> Result:
        return optimize(source, self.options, facts, only)

    def findings(self, source: Source, facts: object = None) -> tuple[Program, list[Finding]]:
        return Program(parse(source.text)), []


optimizer.Optimizer = Optimizer

if __name__ == "__main__":
    sys.exit(main())
