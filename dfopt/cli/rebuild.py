"""`dfopt history IMAGE --rebuild DIR`: from an image back to a Dockerfile and the context that it needs."""

from __future__ import annotations

import os
from contextlib import contextmanager

from dfopt.cli import out
from dfopt.cli.errors import UsageError
from dfopt.cli.progress import StatusDisplay, build_log, say
from dfopt.cli.stream import count
from dfopt.record import Record
from dfopt.units import human

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dfopt.cli.options import Values
    from dfopt.proof import Lab, ProofVerdict
    from dfopt.rebuild.rebuilding import Rebuilt


class WrittenRebuild(Record):
    """A rebuild in its directory. `size`: the bytes of its tars; `verdict`: of the build, None where there was none."""

    rebuilt: Rebuilt
    size: int
    verdict: ProofVerdict | None


def run(values: Values) -> int:
    """Runs the command. Raises UsageError, also for everything that is wrong with an image."""
    from dfopt.cli.proving import interruptible

    with errors(values.rebuild), StatusDisplay(f"reading {values.image}", quiet=bool(values.given.get("quiet"))):
        if values.verify:
            with lab_of(values) as lab:
                written = write(values, lab)
        else:
            with interruptible():
                written = write(values)
    if values.output_format == "json":
        out.data(report_json(values.rebuild, written))
    else:
        out.text(report(values.image, values.rebuild, written))
    return 0 if written.verdict is None or written.verdict.holds else 1


@contextmanager
def errors(directory: str) -> Iterator[None]:
    """Whatever is wrong with an image, a directory or an engine, as a UsageError."""
    from dfopt.engine.errors import EngineError
    from dfopt.image.errors import ImageError
    from dfopt.proof.errors import ProofError
    from dfopt.rebuild.model import RebuildError

    try:
        yield
    except (ImageError, RebuildError, EngineError, ProofError) as failure:
        raise UsageError(str(failure)) from None
    except OSError as failure:
        raise UsageError(f"{out.printable(failure.filename or directory)}: {failure.strerror or failure}") from None


@contextmanager
def lab_of(values: Values, allow: tuple[str, ...] = ()) -> Iterator[Lab]:
    """An engine for the builds of a rebuild. `allow`: differences that are allowed. Raises UsageError, EngineError."""
    from dfopt.cli.proving import engines_of, interruptible
    from dfopt.proof import Lab, ProofSettings

    if values.image == "-":
        raise UsageError("an archive on standard input can be read only once: save it to a file")
    if len(values.builder) > 1:
        raise UsageError("--rebuild takes only one --builder")
    settings = ProofSettings(network=values.network, timeout=float(values.timeout or 1800), allow=allow)
    with interruptible(), engines_of(values)[0] as engine:
        yield Lab(engine, settings, build_log)


def write(values: Values, lab: Lab | None = None, disposable: Callable[[str], bool] | None = None) -> WrittenRebuild:
    """Rebuilds into the directory `values.rebuild`; with an engine, what was written is built and compared, and what
    packages install is an install where that is equal. Raises ImageError, RebuildError, EngineError, ProofError,
    OSError."""
    from dfopt.image.open_image import open_image
    from dfopt.rebuild.rebuilding import rebuild
    from dfopt.writing import NewDirectory

    with open_image(values.image, values.platform) as image, NewDirectory(values.rebuild) as folder:
        stored = image.stored()
        say(f"rebuilding {values.image}")
        rebuilt = rebuild(stored, values.base, squash=values.squash, disposable=disposable, lab=lab)
        size = rebuilt.write(folder)
        verdict = compared(lab, values.image, folder, rebuilt.text) if lab is not None else None
    return WrittenRebuild(rebuilt, size, verdict)


def compared(lab: Lab, image: str, folder: str, dockerfile: str) -> ProofVerdict:
    """What a build of a directory is to an image."""
    from dfopt.proof import Subject, verify

    lab.say("the result is built, and compared with the image")
    return verify(lab, Subject(image), Subject(os.path.join(folder, "Dockerfile"), dockerfile.encode()))


def report(image: str, folder: str, written: WrittenRebuild) -> str:
    """What was written, in a few lines."""
    rebuilt, plan = written.rebuilt, written.rebuilt.plan
    path = os.path.join(folder, "Dockerfile")
    tars = [step.tar for step in plan.steps if step.has_tar]
    copied = sum(len(step.copied) for step in plan.steps)
    base = plan.base
    parts = [f"FROM {base.name}" + (f" ({base.layers} of {len(rebuilt.image.layers)} layers)" if base.layers else "")]
    if rebuilt.installs:
        parts.append(count(len(rebuilt.installs), "install"))
    if tars:
        parts.append(f"{count(len(tars), 'tar')} ({human(written.size)})")
    if copied:
        parts.append(f"{count(copied, 'file')} by COPY")
    lines = [f"{path}: {', '.join(parts)}"]
    lines += [f"note: {note}" for note in rebuilt.notes]
    if rebuilt.secrets:
        lines.append(
            f"note: {count(rebuilt.secrets, 'file')} or settings hold secrets, which are now in {folder}: comments "
            "that begin with 'secret:' name them"
        )
    verdict = written.verdict
    if verdict is None:
        lines.append(f"dfopt verify {image} {path} builds and compares it")
    else:
        lines += [f"differs: {difference}" for difference in verdict.differences]
        but = f" but for {count(verdict.declared, 'allowed difference')}" if verdict.declared else ""
        lines.append(f"built: equal to the image{but}" if verdict.holds else f"built: {verdict.failure}")
    return "".join(f"{out.printable(line)}\n" for line in lines)


def report_json(folder: str, written: WrittenRebuild) -> str:
    from dfopt.cli.report.base import clean
    from dfopt.messages import json_text

    rebuilt, plan = written.rebuilt, written.rebuilt.plan
    document = {
        "version": 1,
        "image": clean(rebuilt.image.name),
        "directory": clean(folder),
        "base": {"name": plan.base.name, "layers": plan.base.layers},
        "squashed": plan.squashed,
        "tar_bytes": written.size,
        "steps": [
            {
                "layers": [step.first, step.last],
                "deleted": len(step.deleted),
                "installs": step.number in rebuilt.installs,
                "tar": step.tar if step.has_tar else None,
                "copied": len(step.copied),
                "reasons": dict(step.reasons),
            }
            for step in plan.steps
        ],
        "notes": [clean(note) for note in rebuilt.notes],
        "secrets": rebuilt.secrets,
        "equal": written.verdict.holds if written.verdict is not None else None,
    }
    return json_text(document, indent=2) + "\n"
