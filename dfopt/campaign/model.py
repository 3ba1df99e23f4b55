"""The outcome of a campaign: for each file, and in total."""

from __future__ import annotations

from dfopt.cost import Total, saving
from dfopt.record import Record
from dfopt.refusal import reason_class

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.findings import Benefit
    from dfopt.results import Result

STATES = ("changed", "unchanged", "refused", "failed")


class CampaignError(Exception):
    """A campaign cannot continue; the message says why."""


class Note(Record):
    """One fix or refusal. `text`: what the fix does, or why it was refused; `line` counts from 1; `benefit`: what the
    fix brings, where that is known."""

    name: str
    tier: str
    line: int
    text: str
    benefit: Benefit | None = None


class FileResult(Record):
    """One file of a campaign.

    name      for display: relative to the working directory if it is below it
    path      for the file system; `root`: the directory that links must not leave
    state     one of STATES: "refused" is an unchanged file that some pass would have changed
    digest    sha256 of the content read, hexadecimal; "" if it could not be read
    result    of a changed file, until it is delivered
    settings  a digest of the version and settings that processed the file
    delivered where the change was delivered: "" (not yet), "written", a patch file or a branch
    """

    name: str
    path: str
    root: str
    state: str
    fixes: tuple[Note, ...] = ()
    refusals: tuple[Note, ...] = ()
    available: int = 0
    suggestions: int = 0
    error: str = ""
    digest: str = ""
    settings: str = ""
    result: Result | None = None
    delivered: str = ""

    @property
    def saving(self) -> int:
        """The predicted saving in bytes: what is known of the fixes."""
        return saving(note.benefit for note in self.fixes)


class Totals:
    """Counts over the files of a campaign, added up one at a time: memory does not grow with the unchanged ones."""

    def __init__(self) -> None:
        self.states = dict.fromkeys(STATES, 0)
        self.fixes: dict[str, int] = {}
        self.refusals: dict[tuple[str, str], int] = {}
        self.examples: dict[tuple[str, str], str] = {}
        self.benefit = Total()
        self.available = 0
        self.suggestions = 0
        self.left = 0  # changed files beyond --max-files

    @property
    def saving(self) -> int:
        """The predicted saving of all files in bytes."""
        return self.benefit.bytes

    @property
    def files(self) -> int:
        return sum(self.states.values())

    def add(self, row: FileResult) -> None:
        self.states[row.state] += 1
        self.available += row.available
        self.suggestions += row.suggestions
        for note in row.fixes:
            self.benefit.add(note.benefit)
            self.fixes[note.name] = self.fixes.get(note.name, 0) + 1
        for note in row.refusals:
            key = (note.name, reason_class(note.text))
            self.refusals[key] = self.refusals.get(key, 0) + 1
            self.examples.setdefault(key, f"{row.name}:{note.line}")

    def not_delivered(self) -> None:
        """A row that was added as changed turned out to be one that failed."""
        self.states["changed"] -= 1
        self.states["failed"] += 1
