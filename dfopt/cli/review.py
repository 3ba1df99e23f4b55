"""`dfopt review`: the size of an image, its dead bytes, what should not be in it, and the lines responsible."""

from __future__ import annotations

import os

from dfopt.cli import out, style
from dfopt.cli.command_request import lookup_of
from dfopt.cli.errors import UsageError
from dfopt.cli.progress import StatusDisplay, say
from dfopt.files import read_regular
from dfopt.request import Request

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.cli.options import Values
    from dfopt.image.layers import ImageContents
    from dfopt.results import Result
    from dfopt.review.build import ReviewSettings
    from dfopt.review.model import Review, Reviewed
    from dfopt.workspace.config import ConfigLookup

DIVE_CI = ".dive-ci"
_LAYOUT = ("index.json", "manifest.json", "oci-layout")  # a directory with one of these is an image
_GATES = ("dive-ci", "threshold")  # rules that the user configured as gates


def run(values: Values) -> int:
    """Runs the command. Raises UsageError, also for everything that is wrong with an image."""
    from dfopt.image.errors import ImageError

    images, context = _images(values)
    if not images:
        raise UsageError("which image? (see dfopt review --help)")
    if len(images) > 2 or len(values.file) > len(images):
        raise UsageError("give one image, or two to compare, and at most one Dockerfile for each")
    failing = fail_on(values.fail_on)
    lookup = lookup_of(values)
    try:
        settings = _settings(values)
        results = [_optimized(path, lookup, context) for path in values.file]
        with StatusDisplay("reading the image"):
            reviewed = _reviewed(images, settings, results, values)
    except ImageError as failure:
        raise UsageError(str(failure)) from None
    if values.html is not None:
        _write_page(values.html, reviewed)
    from dfopt.review.reports import render

    color = style.use_color(values.color, os.environ, out.is_terminal())
    report = render(values.output_format, reviewed, everything=values.all, color=color)
    if values.output_format == "text":
        out.text(report, color)
    else:
        out.data(report)
    reviews = [review for review in (reviewed.before, reviewed.after) if review is not None]
    unread = [review.source for review in reviews if review.source is not None and review.source.problem]
    for source in unread:
        out.error(f"{out.printable(source.name)}:{source.problem}")
    if unread:
        return 2
    return 1 if any(fails(review, failing) for review in reviews[-1:]) else 0


def _images(values: Values) -> tuple[tuple[str, ...], str | None]:
    """The images, and the build context of their Dockerfiles: from --context as in `fix`, or from the last argument as
    in docker build. Raises UsageError."""
    images: tuple[str, ...] = values.images
    context: str | None = values.context
    last = images[-1] if values.file and len(images) > 1 else ""
    if os.path.isdir(last) and not any(os.path.exists(os.path.join(last, name)) for name in _LAYOUT):
        if context is not None:
            raise UsageError(f"--context already sets the build context; remove {out.printable(last)}")
        images, context = images[:-1], last
    if context is not None and not os.path.isdir(context):
        raise UsageError(f'--context: no such directory: "{out.printable(context)}"')
    if context is not None and not values.file:
        raise UsageError("--context needs --file")
    return images, context


def fail_on(words: tuple[str, ...]) -> frozenset[str]:
    """The levels and rules of --fail-on; a level includes those above it. Raises UsageError for an unknown word."""
    from dfopt.knowledge import table
    from dfopt.review.model import LEVELS

    rules = table("review_rules")
    failing: set[str] = set()
    for word in words:
        if word in LEVELS:
            failing.update(LEVELS[LEVELS.index(word) :])
        elif word in rules:
            failing.add(word)
        elif word != "none":
            raise UsageError(f"--fail-on: {word!r} is neither a level ({', '.join(LEVELS)}) nor a rule "
                             f"({', '.join(rules)})")  # fmt: skip
    return frozenset(failing)


def fails(review: Review, failing: frozenset[str]) -> bool:
    """Whether a review has a finding that makes the exit status 1: one of `failing`, or of a configured gate."""
    return any(
        finding.rule in _GATES or finding.rule in failing or finding.level in failing for finding in review.findings
    )


def _settings(values: Values) -> ReviewSettings:
    from dfopt.image.dive_ci import read_rules
    from dfopt.review.build import ReviewSettings
    from dfopt.units import parse_share, parse_size

    path = values.dive_ci if values.dive_ci is not None else DIVE_CI if os.path.isfile(DIVE_CI) else "none"
    rules = None
    if path != "none":
        rules = read_rules(read_regular(path).decode("utf-8", "replace"))
    sizes: dict[str, int | None] = {}
    for name in ("max_size", "max_wasted"):
        text = getattr(values, name)
        try:
            sizes[name] = parse_size(text) if text is not None else None
        except ValueError as error:
            raise UsageError(f"--{name.replace('_', '-')}: {error}") from None
    try:
        share = parse_share(values.min_efficiency) if values.min_efficiency is not None else None
    except ValueError as error:
        raise UsageError(f"--min-efficiency: {error}") from None
    return ReviewSettings(rules, sizes["max_size"], sizes["max_wasted"], share, values.target or "")


def _optimized(path: str, lookup: ConfigLookup, context: str | None) -> Result:
    """The optimizer's result for a Dockerfile, under the configuration that applies to it."""
    from dfopt.workspace.discovery import discover
    from dfopt.workspace.settings import ConfigError

    if os.path.isdir(path):
        raise UsageError(f"{out.printable(path)}: is a directory; name the Dockerfile")
    file = next(iter(discover([path], lookup)))
    try:
        return Request(lookup, context=context).optimize(file)
    except ConfigError as failure:
        raise UsageError(str(failure)) from None
    except OSError as failure:
        raise UsageError(f"{out.printable(file.name)}: {failure.strerror or failure}") from None


def _reviewed(images: tuple[str, ...], settings: ReviewSettings, results: list[Result], values: Values) -> Reviewed:
    from dfopt.image.compare import compare
    from dfopt.image.open_image import open_image
    from dfopt.record import replace
    from dfopt.review.build import make_review
    from dfopt.review.model import Reviewed
    from dfopt.review.secret_scan import Watch
    from dfopt.workspace.patches import labels

    reviews: list[Review] = []
    read: list[ImageContents] = []
    for number, reference in enumerate(images):
        result = results[number] if number < len(results) else None
        watch = Watch(secrets=not values.no_secrets)
        say(f"reading {reference}")
        with open_image(reference, values.platform) as image:
            contents = image.read(visit=watch.visit)
            name = image.name
        # Gates apply to the image that will ship: of two, the second.
        gate = settings if number == len(images) - 1 else replace(
            settings, rules=None, max_size=None, max_wasted=None, min_efficiency=None
        )  # fmt: skip
        review = make_review(contents, watch, gate, result, labels(result) if result is not None else ())
        reviews.append(replace(review, name=name))
        read.append(contents)
    if len(reviews) == 1:
        return Reviewed(reviews[0])
    comparison = compare(read[0], reviews[0].ledger, read[1], reviews[1].ledger)
    return Reviewed(reviews[0], reviews[1], comparison)


def _write_page(path: str, reviewed: Reviewed) -> None:
    try:
        from dfopt.review.reports.page import render
    except ImportError as error:
        raise UsageError(f"--html needs the Python package jinja2 ({error})") from None
    from dfopt.cli.patch import PatchFile

    with PatchFile(path) as file:
        file.add(render(reviewed))
