"""`dfopt verify`: compares two images, given as such or built from Dockerfiles.

0: the second can replace the first. 1: it cannot: it fails to build, its files or config differ, or it fails the smoke
test. 2: undecided: there is no engine, the first does not build, or an image cannot be read.
"""

from __future__ import annotations

import os
from collections import Counter
from contextlib import nullcontext

from dfopt.cli import out
from dfopt.cli.errors import UsageError
from dfopt.cli.progress import StatusDisplay, build_log
from dfopt.cli.proving import engines_of, figures_json, figures_line, interruptible, plan_of
from dfopt.cli.report.base import clean
from dfopt.engine import EngineError
from dfopt.files import open_regular, read_regular
from dfopt.image import ImageError
from dfopt.messages import json_text
from dfopt.proof import Lab, ProofError, ProofVerdict, Subject, verify

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from dfopt.cli.options import Values
    from dfopt.proof.differences import Difference

_SCREEN = 40  # lines


def run(values: Values) -> int:
    """Runs the command. Raises UsageError."""
    before, after = _subject(values.before), _subject(values.after)
    builds = before.dockerfile is not None or after.dockerfile is not None
    context = values.context
    if context is None and builds:
        first = before if before.dockerfile is not None else after
        context = os.path.dirname(first.name) or "."
    plan = plan_of(values, context)
    if len(values.builder) > 1:
        raise UsageError("verify takes only one --builder")
    needed = builds or plan.smoke or plan.smoke_script
    with interruptible():
        try:
            with (
                StatusDisplay(f"{before.name} and {after.name}", quiet=values.quiet),
                engines_of(values)[0] if needed else nullcontext() as engine,
            ):
                verdict = verify(Lab(engine, plan, build_log), before, after)
        except (EngineError, ImageError, ProofError) as failure:
            out.error(str(failure))
            return 2
    if values.output_format == "json":
        out.data(_json(before, after, verdict))
    else:
        out.text(_text(before, after, verdict))
    return 0 if verdict.holds else 1


def _subject(name: str) -> Subject:
    """A file that is not an archive is a Dockerfile."""
    if os.path.isfile(name):
        with os.fdopen(open_regular(name), "rb") as file:
            archive = _is_archive(file.read(512))
        if not archive:
            return Subject(name, read_regular(name))
    return Subject(name)


def _is_archive(head: bytes) -> bool:
    """Whether the file is a tar archive, plain or compressed with gzip or zstd."""
    return head[257:262] == b"ustar" or head.startswith((b"\x1f\x8b", b"\x28\xb5\x2f\xfd"))


def _text(before: Subject, after: Subject, verdict: ProofVerdict) -> str:
    lines = [f"before: {before.name}: {figures_line(verdict.before)}"]
    lines.append(f"after:  {after.name}: {figures_line(verdict.after) if verdict.after is not None else 'no image'}")
    lines += [f"differs: {line}" for line in _grouped(verdict.differences)]
    if verdict.smoke is not None:
        lines.append(f"smoke test: {'passes' if verdict.smoke.passed else verdict.smoke.output}")
    lines.append(verdict.failure or f"holds{f' ({verdict.declared} differences allowed)' if verdict.declared else ''}")
    return "".join(f"{out.printable(line)}\n" for line in lines)


def _grouped(differences: Sequence[Difference]) -> list[str]:
    """A line for each difference; of many, those of files by directory, as deep as a screen of lines allows."""
    paths = [difference for difference in differences if difference.where.startswith("/")]
    depth = max((difference.where.count("/") for difference in paths), default=0)
    groups: dict[str, list[Difference]] = {difference.where: [difference] for difference in paths}
    while len(groups) > _SCREEN and depth > 1:
        depth -= 1
        groups = {}
        for difference in paths:
            parts = difference.where.split("/")
            place = "/".join(parts[: depth + 1]) + "/*" if len(parts) > depth + 1 else difference.where
            groups.setdefault(place, []).append(difference)
    lines = [str(difference) for difference in differences if not difference.where.startswith("/")]
    for place, group in groups.items():
        counts = Counter(map(_kind, group))
        kinds = ", ".join(f"{count:,} {kind}" for kind, count in counts.most_common())
        lines += [str(one) for one in group] if len(group) == 1 else [f"{place}: {kinds}"]
    return lines


def _kind(difference: Difference) -> str:
    if difference.what != "path":
        return f"with another {difference.what}"
    return "gone" if difference.after == "absent" else "new" if difference.before == "absent" else "of another kind"


def _json(before: Subject, after: Subject, verdict: ProofVerdict) -> str:
    document = {
        "version": 1,
        "holds": verdict.holds,
        "failure": clean(verdict.failure),
        "before": {"name": clean(before.name), **(figures_json(verdict.before) or {})},
        "after": {"name": clean(after.name), **(figures_json(verdict.after) or {})},
        "differences": [
            {
                "where": clean(difference.where),
                "what": difference.what,
                "before": clean(difference.before),
                "after": clean(difference.after),
            }
            for difference in verdict.differences
        ],
        "allowed": verdict.declared,
        "smoke": None
        if verdict.smoke is None
        else {"passed": verdict.smoke.passed, "said": clean(verdict.smoke.output)},
    }
    return json_text(document, indent=2) + "\n"
