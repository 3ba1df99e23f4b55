"""The optimizer over a host: each part as a separate Dockerfile, then the whole through the host's gate."""

from __future__ import annotations

from dfopt.edit import Edit, OverlapError, Patchwork
from dfopt.embedded.model import DOCKERFILE, IMAGE, Embedded, HostError, Unmappable
from dfopt.facts import NO_FACTS
from dfopt.optimizer import optimize
from dfopt.pass_selection import Options, select_passes
from dfopt.record import Record, replace
from dfopt.results import Applied, Problem, Reported, Result
from dfopt.source import LineIndex, Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable

    from dfopt.embedded.model import EmbeddedReader
    from dfopt.facts import Facts


# the passes that look at an image's name alone: what they say of `FROM name` holds for the name anywhere
IMAGE_PASSES = ("pin-digest", "latest-tag")
_FROM = "FROM "
# formats of build definitions that hold no Dockerfile: what they do not say literally is reported, and that is all
WITHOUT_PARTS = frozenset(("devcontainer", "make", "shell", "skaffold"))


class PartResult(Record):
    """What became of one part: its new text, the edits of the host with the numbers of their authors, findings."""

    text: str
    edits: tuple[tuple[Edit, int], ...]
    applied: tuple[Applied, ...]
    reported: tuple[Reported, ...]


class _NoParts:
    def parts(self, text: str) -> list[Embedded]:
        return []

    def check(self, before: str, after: str, parts: list[Embedded], texts: list[str]) -> str:
        return "it holds nothing to change"


def reader_of(kind: str) -> EmbeddedReader:
    """The reader of a kind (one of `kinds.KINDS`, but for templates)."""
    if kind == "python":
        from dfopt.embedded.python_source import PythonReader

        return PythonReader()
    if kind in WITHOUT_PARTS:
        return _NoParts()
    if kind == "bake":
        from dfopt.embedded.bake_file import BakeReader

        return BakeReader()
    if kind == "kustomize":
        from dfopt.embedded.kustomize import KustomizationReader

        return KustomizationReader()
    if kind in ("helm", "kubernetes"):
        from dfopt.embedded.kubernetes import ManifestReader

        return ManifestReader(kind)
    from dfopt.embedded.yaml_file import YamlReader

    return YamlReader(kind)


def optimize_host(
    source: Source,
    kind: str,
    options: Options,
    facts: Facts | None = None,
    only: Container[tuple[str, int]] | None = None,
    with_images: bool = True,
) -> Result:
    """As `optimizer.optimize`, for a host; `with_images`: image names, too, and not Dockerfiles alone. What its gate
    refuses is left alone as a whole, and reported."""
    if kind == "template":
        from dfopt.embedded.template import optimize_template

        return optimize_template(source, options, facts, only)
    reader = reader_of(kind)
    try:
        parts = reader.parts(source.text)
    except HostError as failure:
        line, column = LineIndex(source.text).position(min(failure.offset, len(source.text)))
        return Result(source, source.text, problem=Problem(failure.message, line + 1, column + 1))
    images = _for_images(options) if with_images else None
    patch = Patchwork(source.text)
    results: list[PartResult] = []
    applied: list[Applied] = []
    for part in parts:
        result = _part(part, options if part.kind == DOCKERFILE else images, facts or NO_FACTS, len(applied), only)
        results.append(result)
        applied += result.applied
    reported = tuple(finding for result in results for finding in result.reported)
    edits = [pair for result in results for pair in result.edits]
    if not edits:
        return Result(source, source.text, reported=reported)
    reason = ""
    try:
        patch.apply(edits)
    except OverlapError as failure:
        reason = str(failure)
    reason = reason or reader.check(source.text, patch.text, parts, [result.text for result in results])
    if reason:
        refused = tuple(_refused(fix, f"the file would not say the same: {reason}") for fix in applied)
        return Result(source, source.text, reported=(*reported, *refused))
    return Result(source, patch.text, tuple(patch.changes()), tuple(applied), reported)


def with_unknown(result: Result, unknown: Iterable[tuple[int, int, str, str]]) -> Result:
    """A result with refusals for what a build definition does not say literally: line, column, what, and why."""
    starts = LineIndex(result.source.text).starts
    refusals = []
    for line, column, what, why in unknown:
        at = min(starts[min(line, len(starts)) - 1] + column - 1, len(result.source.text))
        refusals.append(Reported("build-definition", "suggestion", what, at, at, False, why))
    return replace(result, reported=(*result.reported, *refusals)) if refusals else result


def _for_images(options: Options) -> Options | None:
    """The options for image names: the selected IMAGE_PASSES; None if none is selected."""
    names = tuple(cls.name for cls in select_passes(options) if cls.name in IMAGE_PASSES)
    image_options: Options | None = replace(options, select=names, ignore=()) if names else None
    return image_options


class _InPart:
    """Identities of fixes in a host, asked for by their place in a part."""

    def __init__(self, only: Container[tuple[str, int]], place: Callable[[int], int]) -> None:
        self.only = only
        self.place = place

    def __contains__(self, identity: object) -> bool:
        assert isinstance(identity, tuple)
        return (identity[0], self.place(identity[1])) in self.only


def _part(
    part: Embedded, options: Options | None, facts: Facts, number: int, only: Container[tuple[str, int]] | None
) -> PartResult:
    """Runs one part; its applied fixes are numbered from `number`."""
    nothing = PartResult(part.text, (), (), ())
    if options is None:
        return nothing
    if part.why:
        what = "this image's name" if part.kind == IMAGE else "this Dockerfile"
        report = Reported(
            "host", "suggestion", f"{what} is left alone", part.start, part.end, False, part.why, False, part.unblock
        )
        return PartResult(part.text, (), (), (report,))
    shift = 0
    text = part.text
    if part.kind == IMAGE:
        shift, text = len(_FROM), f"{_FROM}{part.text}\n"

    def at(offset: int) -> int:
        return part.host_offset(max(0, min(offset - shift, len(part.text))))

    result = optimize(Source("Dockerfile", text), options, facts, None if only is None else _InPart(only, at))
    if result.problem is not None:
        if part.kind == IMAGE:
            return nothing  # not a name that docker would take: nothing that dfopt knows about
        where, why = part.host_offset(0), result.problem.message
        return PartResult(
            part.text, (), (), (Reported("host", "suggestion", "no Dockerfile", where, where, False, why),)
        )
    reported = tuple(replace(fix, start=at(fix.start), end=at(fix.end)) for fix in result.reported)
    applied = tuple(
        replace(fix, number=fix.number + number, start=at(fix.start), end=at(fix.end)) for fix in result.applied
    )
    try:
        edits = tuple(
            (part.edit(change.start - shift, change.end - shift, change.text), number + min(change.authors))
            for change in result.changes
        )
    except Unmappable as failure:
        return PartResult(part.text, (), (), (*reported, *[_refused(fix, str(failure)) for fix in applied]))
    new = result.output[shift:-1] if part.kind == IMAGE else result.output
    return PartResult(new, edits, applied, reported)


def _refused(fix: Applied, reason: str) -> Reported:
    return Reported(fix.name, fix.tier, fix.message, fix.start, fix.end, False, reason, True)
