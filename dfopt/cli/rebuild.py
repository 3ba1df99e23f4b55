"""`dfopt history IMAGE --rebuild DIR`: from an image back to a Dockerfile and the context that it needs."""

from __future__ import annotations

import os

from dfopt.cli import out
from dfopt.cli.errors import UsageError
from dfopt.cli.stream import count
from dfopt.units import human

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.cli.options import Values
    from dfopt.rebuild.rebuilding import Rebuilt


def run(values: Values) -> int:
    """Runs the command. Raises UsageError, also for everything that is wrong with an image."""
    from dfopt.image.errors import ImageError
    from dfopt.image.open_image import open_image
    from dfopt.rebuild.model import RebuildError
    from dfopt.rebuild.rebuilding import rebuild
    from dfopt.writing import NewDirectory

    try:
        with open_image(values.image, values.platform) as image, NewDirectory(values.rebuild) as folder:
            rebuilt = rebuild(image.stored(), values.base, squash=values.squash)
            size = rebuilt.write(folder)
    except (ImageError, RebuildError) as failure:
        raise UsageError(str(failure)) from None
    except OSError as failure:
        raise UsageError(
            f"{out.printable(failure.filename or values.rebuild)}: {failure.strerror or failure}"
        ) from None
    if values.output_format == "json":
        out.data(report_json(values.rebuild, rebuilt, size))
    else:
        out.text(report(values.image, values.rebuild, rebuilt, size))
    return 0


def report(image: str, folder: str, rebuilt: Rebuilt, size: int) -> str:
    """What was written, in a few lines."""
    plan = rebuilt.plan
    tars = [step.tar for step in plan.steps if step.has_tar]
    copied = sum(len(step.copied) for step in plan.steps)
    base = plan.base
    parts = [f"FROM {base.name}" + (f" ({base.layers} of {len(rebuilt.image.layers)} layers)" if base.layers else "")]
    if tars:
        parts.append(f"{count(len(tars), 'tar')} ({human(size)})")
    if copied:
        parts.append(f"{count(copied, 'file')} by COPY")
    lines = [f"{os.path.join(folder, 'Dockerfile')}: {', '.join(parts)}"]
    lines += [f"note: {note}" for note in rebuilt.notes]
    if rebuilt.secrets:
        lines.append(
            f"note: {count(rebuilt.secrets, 'file')} or settings hold secrets, which are now in {folder}: the comments "
            "that begin with 'secret:' name them"
        )
    lines.append(f"dfopt verify {image} {os.path.join(folder, 'Dockerfile')} builds and compares it")
    return "".join(f"{out.printable(line)}\n" for line in lines)


def report_json(folder: str, rebuilt: Rebuilt, size: int) -> str:
    from dfopt.cli.report.base import clean
    from dfopt.messages import json_text

    plan = rebuilt.plan
    document = {
        "version": 1,
        "image": clean(rebuilt.image.name),
        "directory": clean(folder),
        "base": {"name": plan.base.name, "layers": plan.base.layers},
        "squashed": plan.squashed,
        "tar_bytes": size,
        "steps": [
            {
                "layers": [step.first, step.last],
                "deleted": len(step.deleted),
                "tar": step.tar if step.has_tar else None,
                "copied": len(step.copied),
                "reasons": dict(step.reasons),
            }
            for step in plan.steps
        ],
        "notes": [clean(note) for note in rebuilt.notes],
        "secrets": rebuilt.secrets,
    }
    return json_text(document, indent=2) + "\n"
