"""What each optimization level would bring to a file, before anything is written."""

from __future__ import annotations

from dfopt.analysis.image_sizes import image_bytes
from dfopt.cost import saving
from dfopt.ir.image_config import image_config
from dfopt.ir.liveness import layer_steps
from dfopt.ir.program import Program
from dfopt.knowledge import table
from dfopt.record import Record
from dfopt.source import LineIndex
from dfopt.syntax.dockerfile import parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.facts import StatedBuild
    from dfopt.findings import Benefit
    from dfopt.results import Problem, Result

SEARCHED = 3  # the level that builds what it tries
_SMALL = 20_000_000  # bytes of a base image of which evidence can take little
_LAYERS = frozenset(("RUN", "COPY", "ADD", "WORKDIR"))  # BuildKit makes a layer of each


class Shape(Record):
    """What the file itself says of the image that is shipped: layers above its base image; whether it runs as root
    (None: the base decides, and is not known), and as which user ("": not known); how many setuid and setgid files its
    base brings (None: not known)."""

    layers: int
    root: bool | None
    user: str = ""
    setuid: int | None = None


class ForecastStep(Record):
    """A fix, or what a refusal keeps from being done: `line` counts from 1."""

    name: str
    tier: str
    line: int
    message: str
    benefit: Benefit | None
    reason: str = ""
    unblock: str = ""


class Level(Record):
    """A level's result. `bytes`: the sum of what its fixes are known to save; `unknown`: fixes of which nothing is
    known; `measured`: whether every known figure was measured; `rebuild`: the seconds that a rebuild takes less when a
    source changed, as far as known. Of level 3, the candidate that is estimated to be the smallest: builds decide."""

    level: int
    shape: Shape
    bytes: int
    unknown: int
    measured: bool
    fixes: tuple[ForecastStep, ...]
    rebuild: float = 0.0


class InstallHistory(Record):
    """How many of the latest `commits` to the build context make an installer run anew: of each, by its program's name,
    the number now, and then with each of `levels`."""

    commits: int
    levels: tuple[int, ...]
    installers: tuple[tuple[str, tuple[int, ...]], ...]


class Forecast(Record):
    """One file: `now`, what each level would make of it, and the refusals of the highest one that builds nothing.
    `owner`: whom a CODEOWNERS file names; `candidates`: how many texts level 3 would try, 0 where none was forecast;
    `builds`: what build definitions say of how it is built and run; `evidence`: whether a smoke test may show level 3
    more than the text does, which no figure counts; `history`: what the commits of the checkout tell of rebuilds."""

    name: str
    now: Shape
    levels: tuple[Level, ...]
    refusals: tuple[ForecastStep, ...]
    problem: Problem | None = None
    owner: str = ""
    candidates: int = 0
    builds: tuple[StatedBuild, ...] = ()
    evidence: bool = False
    history: InstallHistory | None = None

    @property
    def best(self) -> int:
        """The bytes that the best level saves."""
        return max((level.bytes for level in self.levels), default=0)

    @property
    def best_level(self) -> Level | None:
        """The lowest level that saves as much, and does something; None where none does."""
        return next((level for level in self.levels if level.fixes and level.bytes == self.best), None)


def forecast(name: str, results: dict[int, Result]) -> Forecast:
    """The forecast of a file from its results, by level; that of level 3 may be left out."""
    source = next(iter(results.values())).source
    problem = next((result.problem for result in results.values() if result.problem is not None), None)
    if problem is not None:
        return Forecast(name, Shape(0, None), (), (), problem)
    lines = LineIndex(source.text)

    def line(offset: int) -> int:
        return lines.line(min(offset, len(source.text))) + 1

    levels: list[Level] = []
    for number, result in results.items():
        steps = tuple(
            ForecastStep(fix.name, fix.tier, line(fix.start), fix.message, fix.benefit) for fix in result.applied
        )
        benefits = [step.benefit for step in steps if step.benefit is not None and step.benefit.known]
        shape = shape_of(result.output, any(step.name == "strip-suid" for step in steps))
        levels.append(
            Level(
                number, shape, saving(benefits), len(steps) - len(benefits),
                bool(benefits) and all(benefit.origin == "measured" for benefit in benefits), steps,
                sum(benefit.rebuild for benefit in benefits),
            )
        )  # fmt: skip
    refusals = tuple(
        ForecastStep(fix.name, fix.tier, line(fix.start), fix.message, fix.benefit, fix.reason, fix.unblock)
        for fix in results[max(level for level in results if level < SEARCHED)].reported
        if fix.reason
    )
    return Forecast(
        name, shape_of(source.text), tuple(levels), refusals, evidence=_starts_on_more(results[max(results)].output)
    )


def _starts_on_more(text: str) -> bool:
    """Whether the image that a text makes starts a program of its own on more than an empty image."""
    program = Program(parse(text))
    stage = program.final
    if stage is None:
        return False
    image = program.root(stage).image or ""
    size = image_bytes(image)
    starts = any(step.node.keyword in ("CMD", "ENTRYPOINT") for step in layer_steps(program, stage))
    return bool(image) and starts and (size is None or size > _SMALL)


def shape_of(text: str, stripped: bool = False) -> Shape:
    """The shape of the image that a text makes. `stripped`: strip-suid took setuid bits from all of it."""
    program = Program(parse(text))
    stage = program.final
    if stage is None:
        return Shape(0, None)
    layers = 0
    at = stage
    while True:
        layers += sum(step.node.keyword in _LAYERS for step in at.steps)
        if at.parent is None:
            break
        at = program.stages[at.parent]
    scope = program.end_scope(stage)
    root = scope.root
    if root is None and scope.user is None and image_config(program, stage).user in ("root", "0"):
        root = True
    user = image_config(program, stage).user
    base = program.end_scope(stage).base
    counted = table("suid")["base"].get(base.family if base is not None else "", {}).get("files")
    name = user if isinstance(user, str) and user else "root" if root else ""
    return Shape(layers, root, name, 0 if stripped or stage.base.lower() == "scratch" else counted)
