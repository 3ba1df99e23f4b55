"""Dockerfile templates with Jinja2 markers: only what the markers cannot touch is changed.

Each marker is blanked out in place: inside a line by a word of its length, alone on its lines by comments. A fix is
kept where the stages that it touches hold no marker at all, nor do the stages that they are built on; and where what
comes before them (parser directives, ARG) holds none. The spans of the fix stay clear of every marker by construction.
"""

from __future__ import annotations

import re

from dfopt.embedded.model import HostError
from dfopt.facts import NO_FACTS
from dfopt.ir.program import Program
from dfopt.optimizer import optimize
from dfopt.pass_selection import Options
from dfopt.record import replace
from dfopt.results import Problem, Reported, Result
from dfopt.source import LineIndex, Source
from dfopt.syntax.dockerfile import parse
from dfopt.syntax.tree import DockerfileError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Iterator

    from dfopt.facts import Facts

# Jinja2's default delimiters (its documentation, "Synopsis"); `-` and `+` control white space
_OPENING = re.compile(r"\{[{%#]")
_CLOSING = {"{{": "}}", "{%": "%}", "{#": "#}"}
_RAW = re.compile(r"\{%[-+]?\s*raw\s*[-+]?%\}")


def blanked(text: str) -> tuple[str, list[tuple[int, int]]]:
    """The text with its markers blanked out, of the same length, and the spans of the markers. Raises HostError for
    an open marker."""
    spans: list[tuple[int, int]] = []
    pieces: list[str] = []
    at = 0
    for start, end in _markers(text):
        line = text.rfind("\n", 0, start) + 1
        stop = text.find("\n", end)
        line_end = text[end : stop if stop >= 0 else len(text)]
        alone = not text[line:start].strip(" \t") and not line_end.strip(" \t\r")
        pieces.append(text[at:start])
        pieces.append(_comment(text[start:end]) if alone else _word(text[start:end]))
        spans.append((start, end))
        at = end
    pieces.append(text[at:])
    return "".join(pieces), spans


def _markers(text: str) -> Iterator[tuple[int, int]]:
    at = 0
    while opening := _OPENING.search(text, at):
        closing = text.find(_CLOSING[opening[0]], opening.end())
        if closing < 0:
            raise HostError("an open marker", opening.start())
        at = closing + 2
        yield opening.start(), at


def _comment(marker: str) -> str:
    return "\n".join("#" + "-" * (len(line) - 1) if line else "" for line in marker.split("\n"))


def _word(marker: str) -> str:
    # the letter keeps it a name wherever one is allowed
    return "".join(char if char in "\r\n" else "x" for char in marker)


def optimize_template(
    source: Source, options: Options, facts: Facts | None = None, only: Container[tuple[str, int]] | None = None
) -> Result:
    """As `optimizer.optimize`, for a template."""
    file_facts = facts or NO_FACTS
    if _RAW.search(source.text):
        return _left_alone(source, "it has raw blocks")
    spans: list[tuple[int, int]] = []
    try:
        text, spans = blanked(source.text)
        program = Program(parse(text))
    except (HostError, DockerfileError) as failure:
        if spans:
            return _left_alone(source, f"without what its markers say it is no Dockerfile: {failure.message}")
        line, column = LineIndex(source.text).position(min(failure.offset, len(source.text)))
        return Result(source, source.text, problem=Problem(failure.message, line + 1, column + 1))
    blank = Source(source.name, text)
    if not spans:
        plain: Result = replace(optimize(blank, options, file_facts, only), source=source)
        return plain
    touched = _touched(program, spans)
    result = optimize(blank, options, file_facts, only=_Untouched(program, touched, only))
    stretches = [(fix.start, fix.end) for fix in result.applied]
    stretches += [(change.start, change.end) for change in result.changes]
    if not all(_clear(program, start, end, touched) for start, end in stretches):
        why = "a marker of the template is near"
        refused = [
            Reported(fix.name, fix.tier, fix.message, fix.start, fix.end, False, why, True) for fix in result.applied
        ]
        return Result(source, source.text, reported=(*result.reported, *refused))
    restored: Result = replace(result, source=source, output=_restored(source.text, result))
    return restored


def _left_alone(source: Source, why: str) -> Result:
    report = Reported("host", "suggestion", "this template is left alone", 0, 0, False, why)
    return Result(source, source.text, reported=(report,))


class _Untouched:
    """The identities of fixes (`Applied.identity`) in stages that no marker can touch, and in `only`."""

    def __init__(self, program: Program, touched: set[int], only: Container[tuple[str, int]] | None) -> None:
        self.program = program
        self.touched = touched
        self.only = only

    def __contains__(self, identity: object) -> bool:
        assert isinstance(identity, tuple)
        wanted = self.only is None or identity in self.only
        return wanted and _clear(self.program, identity[1], identity[1], self.touched)


def _restored(original: str, result: Result) -> str:
    from dfopt.edit import apply_edits

    return apply_edits(original, [change.edit for change in result.changes])


def _touched(program: Program, spans: list[tuple[int, int]]) -> set[int]:
    """The stages that a marker can touch; -1 stands for what comes before the first."""
    starts = [stage.node.start for stage in program.stages]
    touched: set[int] = set()
    for start, _ in spans:
        touched.add(sum(begin <= start for begin in starts) - 1)
    for stage in program.stages:
        used = {stage.parent} if stage.parent is not None else set()
        if -1 in touched or used & touched:
            touched.add(stage.index)
    return touched


def _clear(program: Program, start: int, end: int, touched: set[int]) -> bool:
    starts = [stage.node.start for stage in program.stages]
    first = sum(begin <= start for begin in starts) - 1
    last = sum(begin <= end for begin in starts) - 1
    return first >= 0 and not any(stage in touched for stage in range(first, last + 1))
