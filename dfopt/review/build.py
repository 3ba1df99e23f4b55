"""Builds the review of an image from its contents: ledger, history, survey and rules meet only here."""

from __future__ import annotations

from dfopt.image.dive import dive_figures
from dfopt.image.dive_ci import FAIL, judge
from dfopt.image.errors import printable
from dfopt.image.history import map_history, stage_steps
from dfopt.image.ledger import make_ledger
from dfopt.knowledge import table
from dfopt.passes.base import registered
from dfopt.record import Record, replace
from dfopt.review import dockerfile_review
from dfopt.review.disclosure import disclosed, environment, masked
from dfopt.review.model import ImageFinding, LayerAccount, Review
from dfopt.review.packages import packages_of
from dfopt.review.secret_scan import mask
from dfopt.review.survey import dead_groups, survey
from dfopt.units import human

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping as Table
    from collections.abc import Sequence

    from dfopt.image.created_by import DockerfileStep
    from dfopt.image.history import Mapping, Origin
    from dfopt.image.layers import ImageContents, LayerFiles
    from dfopt.image.ledger import Ledger
    from dfopt.results import Result
    from dfopt.review.model import DeadGroup, Leftover, Privileged, SourceReview
    from dfopt.review.secret_scan import Watch

SMALL = 100_000  # bytes: less waste than this counts in the sums, but is not a finding
_TITLES = {
    "setuid": "runs as its owner (setuid)", "setgid": "runs with its group (setgid)",
    "world-writable": "can be changed by every user", "capability": "gets file capabilities",
}  # fmt: skip


class ReviewSettings(Record):
    """How to review. rules: those of a .dive-ci file, None without one. max_size, max_wasted (bytes) and min_efficiency
    (0 to 1): limits whose violation is a finding; None: no limit. target: the stage that was built, "" for the last."""

    rules: Table[str, str] | None = None
    max_size: int | None = None
    max_wasted: int | None = None
    min_efficiency: float | None = None
    target: str = ""


def make_review(
    contents: ImageContents,
    watch: Watch,
    settings: ReviewSettings,
    result: Result | None = None,
    labels: Sequence[str] = (),
) -> Review:
    """The review of an image that was read with `watch.visit`; `result`: the optimizer's, of its Dockerfile. ImageError
    for layers that do not fit together and for a broken .dive-ci."""
    ledger = make_ledger(contents.layers)
    image_survey = survey(ledger)
    figures = dive_figures(contents.layers)
    verdicts = tuple(judge(figures, settings.rules)) if settings.rules is not None else ()
    steps: list[DockerfileStep] = []
    source = None
    if result is not None and result.problem is not None:
        where = f"{result.problem.line}:{result.problem.column}"
        source = dockerfile_review.unreadable(result.source.name, f"{where}: {result.problem.message}")
    elif result is not None:
        steps = stage_steps(dockerfile_review.steps_of(result.source.text), settings.target)
    mapping = map_history(contents.image, steps)
    if result is not None and source is None:
        source = dockerfile_review.source_review(result, mapping, ledger, image_survey, labels)
    layers = _layers(contents.layers, ledger, mapping, bool(steps))
    groups = dead_groups(ledger)
    duplicates = tuple(ledger.duplicates())
    rules = _Rules(layers)
    rules.secrets(contents, watch, ledger, mapping)
    for verdict in verdicts:
        if verdict.status == FAIL:
            rules.add("dive-ci", f"{verdict.rule}: {verdict.message}")
    rules.limits(settings, ledger)
    for group in groups:
        rules.dead(group)
    for leftover in image_survey.leftovers:
        rules.leftover(leftover)
    for file in image_survey.privileged:
        rules.privileged(file)
    for duplicate in duplicates:
        if duplicate.wasted() >= SMALL:
            paths = ", ".join(printable(path) for path in duplicate.paths[:4])
            rules.add(
                "duplicate", f"{len(duplicate.paths)} copies of {human(duplicate.size)}: {paths}",
                path=duplicate.paths[0], size=duplicate.wasted(),
            )  # fmt: skip
    notes = [*ledger.notes, *mapping.notes]
    if source is not None and not source.problem and not source.lines:
        notes.append(f"no line of {source.name} can be found in the image's history: is it the file it was built from?")
    if watch.unread:
        text = "text file" if watch.unread == 1 else "text files"
        notes.append(f"of {watch.unread} {text} larger than 1 MiB only the first MiB was searched for secrets")
    if watch.databases.left_out:
        notes.append(f"{watch.databases.left_out} package databases were too large to be read")
    rules.findings = [
        replace(finding, passes=_fitting(finding, source)) if finding.passes else finding for finding in rules.findings
    ]
    order = {"error": 0, "warning": 1, "note": 2}
    findings = sorted(
        rules.findings,
        key=lambda finding: (order[finding.level], finding.rule, -finding.size, finding.line, finding.path),
    )
    return Review(
        contents.image.name, contents.image, ledger, sum(layer.stored for layer in contents.layers), layers, groups,
        image_survey.leftovers, image_survey.privileged, tuple(packages_of(watch.databases, ledger.tree)),
        duplicates, figures, verdicts, source, tuple(findings), tuple(dict.fromkeys(notes)),
    )  # fmt: skip


def _fitting(finding: ImageFinding, source: SourceReview | None) -> tuple[str, ...]:
    """The passes that can fix a finding: those that exist and, given a Dockerfile, act on its line."""
    passes = registered()
    if source is None:
        return tuple(name for name in finding.passes if name in passes)
    acting = {saving.name for line in source.lines if line.line == finding.line for saving in line.savings}
    return tuple(name for name in finding.passes if name in acting)


def _layers(
    files: Sequence[LayerFiles], ledger: Ledger, mapping: Mapping, with_steps: bool
) -> tuple[LayerAccount, ...]:
    origins = {origin.layer: origin for origin in mapping.origins if origin.layer is not None}
    mapped = [layer for layer, origin in origins.items() if origin.step is not None]
    first_own = min(mapped, default=len(files)) if with_steps and mapped else 1
    accounts = []
    for stored_layer, tally in zip(files, ledger.layers, strict=True):
        origin = origins.get(tally.index)
        step = origin.step if origin is not None else None
        text = origin.entry.created_by if origin is not None else ""
        accounts.append(
            LayerAccount(
                tally.index, stored_layer.layer.digest or stored_layer.layer.diff_id, stored_layer.stored,
                stored_layer.compression, tally.bytes, tally.live, tally.dead, tally.killed, tally.files,
                tally.whiteouts, printable(masked(text)),
                step.line if step is not None else 0, origin.certainty if origin is not None else "",
                tally.index < first_own,
            )
        )  # fmt: skip
    return tuple(accounts)


class _Rules:
    """Turns observations into findings with line numbers."""

    def __init__(self, layers: tuple[LayerAccount, ...]) -> None:
        self.layers = layers
        self.findings: list[ImageFinding] = []
        self.rule_table = table("review_rules")

    def add(
        self,
        rule: str,
        message: str,
        level: str = "",
        *,
        path: str = "",
        layer: int = -1,
        line: int = 0,
        size: int = 0,
        passes: tuple[str, ...] = (),
    ) -> None:
        if layer >= 0 and not line:
            line = self.layers[layer].line
        level = level or self.rule_table[rule]["level"]
        self.findings.append(ImageFinding(rule, level, message, printable(path), layer, line, size, passes))

    def where(self, layer: int) -> str:
        """The name of a layer in messages: its line if known."""
        line = self.layers[layer].line
        return f"line {line}" if line else f"layer {layer}" + (" (base image)" if self.layers[layer].base else "")

    def secrets(self, contents: ImageContents, watch: Watch, ledger: Ledger, mapping: Mapping) -> None:
        entries = {id(secret.entry) for secret in watch.secrets}
        brought: dict[int, list[int]] = {}
        for number, layer in enumerate(contents.layers if entries else ()):
            for entry in layer.entries:
                if id(entry) in entries:
                    brought.setdefault(id(entry), []).append(number)
        killers = {(dead.path, dead.producer): dead for dead in ledger.dead}
        for secret in watch.secrets:
            for layer_index in brought.get(id(secret.entry), [])[-1:]:
                path = secret.entry.path
                death = killers.get((path, layer_index))
                place = f"{printable(path)}" + (f":{secret.line}" if secret.line else "")
                text = f"{secret.what} in {place}: {secret.shown}"
                if death is not None:
                    text += (
                        f"; {self.where(death.killer)} removes the file, but {self.where(layer_index)} still holds it"
                    )
                self.add("secret", text, secret.level, path=path, layer=layer_index, size=secret.entry.size)
        for place, what, masked_value in environment(contents.image.settings()):
            self.add("secret", f"{what} in the image's config ({place}): {masked_value}")
        self.history(mapping)

    def history(self, mapping: Mapping) -> None:
        """Secrets in the history: a build argument is in every later entry, but is reported once."""
        places: dict[tuple[str, str], list[Origin]] = {}
        for origin in mapping.origins:
            text = origin.entry.created_by
            for what, value in dict.fromkeys((what, text[start:end]) for what, start, end in disclosed(text)):
                places.setdefault((what, value), []).append(origin)
        for (what, value), origins in places.items():
            first = origins[0]
            where = f"entry {first.index}" + (f" and {len(origins) - 1} more" if len(origins) > 1 else "")
            line = first.step.line if first.step is not None else 0
            layer = -1 if first.layer is None else first.layer
            self.add("secret", f"{what} in the image's history ({where}): {mask(value)}", layer=layer, line=line)

    def limits(self, settings: ReviewSettings, ledger: Ledger) -> None:
        if settings.max_size is not None and ledger.total_bytes > settings.max_size:
            self.add("threshold", f"{human(ledger.total_bytes)} in all layers, more than {human(settings.max_size)}")
        if settings.max_wasted is not None and ledger.dead_bytes > settings.max_wasted:
            self.add("threshold", f"{human(ledger.dead_bytes)} are dead, more than {human(settings.max_wasted)}")
        if settings.min_efficiency is not None and ledger.efficiency() < settings.min_efficiency:
            alive = f"{ledger.efficiency():.2%} of the bytes are alive"
            self.add("threshold", f"{alive}, less than {settings.min_efficiency:.2%}")

    def dead(self, group: DeadGroup) -> None:
        if group.size < SMALL:
            return
        how = {
            "deleted": "deletes", "overwritten": "overwrites", "metadata only": "stores again with other metadata only",
            "shadowed": "hides behind an opaque directory",
        }[group.kind]  # fmt: skip
        files = f"{group.files} file" + ("s" if group.files > 1 else "")
        text = (
            f"{self.where(group.killer)} {how} {files} ({human(group.size)}) that {self.where(group.producer)} stores"
        )
        passes = tuple(table("leftovers")["dead"]["metadata" if group.kind == "metadata only" else "within"])
        level = "note" if self.layers[group.producer].base else ""
        self.add("dead-bytes", text + f": {group.examples[0]}" + (" ..." if group.files > 1 else ""), level,
                 path=group.examples[0], layer=group.producer, size=group.size, passes=passes)  # fmt: skip

    def leftover(self, leftover: Leftover) -> None:
        if leftover.size < SMALL:
            return
        level = "note" if self.layers[leftover.layer].base else leftover.level
        text = f"{leftover.title}: {human(leftover.size)} in {leftover.files} file" + (
            "s" if leftover.files > 1 else ""
        )
        self.add("leftover", f"{text} from {self.where(leftover.layer)}; {leftover.advice}", level,
                 path=leftover.examples[0], layer=leftover.layer, size=leftover.size,
                 passes=leftover.passes)  # fmt: skip

    def privileged(self, file: Privileged) -> None:
        rule = "setuid" if file.what == "setgid" else file.what
        level = "note" if self.layers[file.layer].base else ""
        text = (
            f"{printable(file.path)} {_TITLES[file.what]}: {file.detail}, owner {file.owner}, {self.where(file.layer)}"
        )
        passes = ("strip-suid",) if rule == "setuid" else ("chmod-777",) if rule == "world-writable" else ()
        self.add(rule, text, level, path=file.path, layer=file.layer, passes=passes)
