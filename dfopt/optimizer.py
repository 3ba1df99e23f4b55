"""The optimizer: passes to a fix-point, every fix through the gate. A pure function of source, options and facts."""

from __future__ import annotations

from dfopt.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from dfopt.edit import Change
    from dfopt.passes.base import Facts
    from dfopt.source import Source


class Options(Record):
    """What to run.

    select    names, groups ("size") or codes ("DL3009") to run; empty means every pass that is on by default
    ignore    the same, taken away
    tiers     the tiers whose fixes are applied
    settings  pass name -> its options
    """

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    tiers: tuple[str, ...] = ("safe",)
    settings: Mapping[str, Mapping[str, object]] = {}


class Applied(Record):
    """A fix that passed the gate. Offsets are in the original text; `number` is its author number in the changes."""

    number: int
    name: str
    tier: str
    message: str
    start: int
    end: int
    round: int


class Reported(Record):
    """A finding that changed nothing: a fix of a tier that was not asked for (`fixable`), a suggestion, or, with
    `reason`, a refusal (by the pass, or by the gate). Offsets are in the original text."""

    name: str
    tier: str
    message: str
    start: int
    end: int
    fixable: bool = False
    reason: str = ""
    by_gate: bool = False


class Suppression(Record):
    """A suppression comment: `names` as written, and whether any finding was held back by it."""

    names: tuple[str, ...]
    start: int
    end: int
    used: bool


class Problem(Record):
    """Why a file could not be read as a Dockerfile. `line` and `column` count from 1."""

    message: str
    line: int
    column: int


class Result(Record):
    """What became of one file. `output` equals the source's text where nothing was applied, and always where there is
    a `problem`."""

    source: Source
    output: str
    changes: tuple[Change, ...] = ()
    applied: tuple[Applied, ...] = ()
    reported: tuple[Reported, ...] = ()
    suppressions: tuple[Suppression, ...] = ()
    rounds: int = 0
    problem: Problem | None = None

    @property
    def changed(self) -> bool:
        return self.output != self.source.text


def optimize(source: Source, options: Options, facts: Facts | None = None) -> Result:
    """Optimizes one file. Never raises for bad input: `Result.problem` tells of a file that BuildKit would refuse."""
    raise NotImplementedError
