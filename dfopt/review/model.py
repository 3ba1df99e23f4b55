"""The data of a review: records of plain values, built by build.py and shown by the reports."""

from __future__ import annotations

from dfopt.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.image.compare import Comparison
    from dfopt.image.dive import DiveFigures
    from dfopt.image.dive_ci import RuleVerdict
    from dfopt.image.ledger import Duplicate, Ledger
    from dfopt.image.model import Image
    from dfopt.review.packages import Package

LEVELS = ("note", "warning", "error")


class ImageFinding(Record):
    """One finding. rule and level: see knowledge/review_rules.toml. path: in the image, "" if none; layer: its index,
    -1 if none; line: in the Dockerfile, 0 if unknown; size: bytes concerned; passes: those that fix it in the
    Dockerfile."""

    rule: str
    level: str
    message: str
    path: str = ""
    layer: int = -1
    line: int = 0
    size: int = 0
    passes: tuple[str, ...] = ()


class DeadGroup(Record):
    """Bytes that one layer stored and another layer made dead in one way. examples: the largest paths."""

    producer: int
    killer: int
    kind: str
    size: int
    files: int
    examples: tuple[str, ...]


class Leftover(Record):
    """Live bytes of one kind (knowledge/leftovers.toml) that one layer stores."""

    kind: str
    title: str
    level: str
    layer: int
    size: int
    files: int
    examples: tuple[str, ...]
    passes: tuple[str, ...]
    advice: str


class Privileged(Record):
    """A privileged file. what: setuid, setgid, world-writable, capability; detail: octal mode, or the capabilities."""

    what: str
    path: str
    detail: str
    owner: str
    layer: int


class LayerAccount(Record):
    """One layer. stored: bytes in the archive; size = live + dead: bytes of its files; killed: bytes of any layer that
    died through it; step: what made it, its secrets masked; line and certainty: see `history.Origin`; base: it comes
    with the base image, as far as that is known."""

    index: int
    digest: str
    stored: int
    compression: str
    size: int
    live: int
    dead: int
    killed: int
    files: int
    whiteouts: int
    step: str
    line: int
    certainty: str
    base: bool


class Saving(Record):
    """What a pass would save. tier: safe or unsafe; size: bytes predicted from the ledger; message and line: those of
    the fix."""

    name: str
    tier: str
    size: int
    message: str
    line: int


class LineAccount(Record):
    """One instruction of the Dockerfile that made layers: bytes added = live + died; killed: bytes of other lines that
    died through it; savings: of the passes that touch it."""

    line: int
    text: str
    layers: tuple[int, ...]
    added: int
    live: int
    died: int
    killed: int
    savings: tuple[Saving, ...]


class SourceReview(Record):
    """The Dockerfile part of a review. name: as given; diff: what `dfopt fix` would do; savings: all, by line; lines:
    in order; problem: why it could not be read, else ""."""

    name: str
    diff: str
    savings: tuple[Saving, ...]
    lines: tuple[LineAccount, ...]
    unmapped: int
    problem: str


class Review(Record):
    """The review of one image. source: None without a Dockerfile; verdicts: empty without a .dive-ci."""

    name: str
    image: Image
    ledger: Ledger
    stored: int
    layers: tuple[LayerAccount, ...]
    dead: tuple[DeadGroup, ...]
    leftovers: tuple[Leftover, ...]
    privileged: tuple[Privileged, ...]
    packages: tuple[Package, ...]
    duplicates: tuple[Duplicate, ...]
    dive: DiveFigures
    verdicts: tuple[RuleVerdict, ...]
    source: SourceReview | None
    findings: tuple[ImageFinding, ...]
    notes: tuple[str, ...]


class Reviewed(Record):
    """The content of a report: one image, or two and their differences."""

    before: Review
    after: Review | None = None
    comparison: Comparison | None = None
