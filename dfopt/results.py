"""What became of one file: the fixes that were applied, and the findings that changed nothing."""

from __future__ import annotations

from dfopt.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.edit import Change
    from dfopt.findings import Benefit, Declares
    from dfopt.source import Source


class Applied(Record):
    """A fix that passed the gate. Offsets are in the original text; `number` is its author number in the changes.

    `declares`: what it may change in the image; None: what its pass declares. `benefit`: what it brings.
    """

    number: int
    name: str
    tier: str
    message: str
    start: int
    end: int
    round: int
    declares: Declares | None = None
    benefit: Benefit | None = None

    @property
    def identity(self) -> tuple[str, int]:
        """Pass and place: by this `optimize` can be told to apply this fix again, among fewer others."""
        return self.name, self.start


class Reported(Record):
    """A finding that changed nothing: a fix of a tier that was not asked for (`fixable`), a suggestion, or, with
    `reason`, a refusal (by the pass, or by the gate), with what the user can do about it (`unblock`). `benefit`: what
    acting would bring. Offsets are in the original text."""

    name: str
    tier: str
    message: str
    start: int
    end: int
    fixable: bool = False
    reason: str = ""
    by_gate: bool = False
    unblock: str = ""
    benefit: Benefit | None = None

    @property
    def full_message(self) -> str:
        """The message, with a refusal's reason and what unblocks it."""
        message = f"{self.message}: {self.reason}" if self.reason else self.message
        return f"{message}; {self.unblock}" if self.unblock else message


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
