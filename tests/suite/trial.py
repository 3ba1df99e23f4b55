"""One application before and after dfopt: built, asked, measured, linted, twice; and what dfopt did in between."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from realbuild.engine import Engine, EngineError
from realbuild.file_server import serving

from dfopt.record import Record

from .apps import App
from .measure import Figures, figures, hadolint, tally
from .smoke import smoke

TREE = Path(__file__).resolve().parents[2]


class Side(Record):
    """The application with one Dockerfile. `failures`: of its smoke test; seconds: a build without the cache, and one
    with it after a source file changed (None: not measured)."""

    dockerfile: str
    figures: Figures
    failures: list[str]
    seconds: float
    rebuild_seconds: float | None
    hadolint: dict[str, int] | None
    tally: dict[str, int] | None


class Trial(Record):
    """`applied`: pass -> how often. `refused`: what dfopt left alone, as "pass: line N: reason". `after` is None where
    nothing changed. `error`: why there is no `before` or no `after`, else "".
    `alone`: pass -> bytes that the image has less when this pass alone is run (what was asked for only)."""

    app: App
    before: Side | None
    after: Side | None
    applied: dict[str, int]
    refused: list[str]
    error: str
    alone: dict[str, int]

    @property
    def ok(self) -> bool:
        sides = [side for side in (self.before, self.after) if side is not None]
        return not self.error and not any(side.failures for side in sides)


class Fixed(Record):
    applied: dict[str, int]
    refused: list[str]


def fix(context: Path, options: Sequence[str]) -> Fixed:
    """Runs `dfopt fix --write` with `options` on the Dockerfile in `context`, as a user would. Raises EngineError."""
    command = [sys.executable, "-m", "dfopt", "fix", "--write", "--isolated", "--output-format=json"]
    command += ["--show-refusals", "--context=.", *options, "Dockerfile"]
    env = {**os.environ, "PYTHONPATH": str(TREE)}
    done = subprocess.run(command, cwd=context, env=env, capture_output=True, timeout=600)
    log = done.stderr.decode(errors="backslashreplace")
    if done.returncode not in (0, 1) or not done.stdout:
        raise EngineError(f"dfopt fix ended with status {done.returncode}:\n{log}")
    (file,) = json.loads(done.stdout)["files"]
    applied: dict[str, int] = {}
    refused = []
    for finding in file["findings"]:
        if finding["kind"] == "fix":
            applied[finding["pass"]] = applied.get(finding["pass"], 0) + 1
        elif finding["reason"]:
            refused.append(f"{finding['pass']}: line {finding['line']}: {finding['reason']}")
    return Fixed(applied, refused)


def try_app(
    engine: Engine, app: App, options: Sequence[str] | None, *, rebuild: bool = True, each: bool = False
) -> Trial:
    """Builds, asks and measures `app` as it is and as dfopt with `options` leaves it; with `each`, every pass alone.

    `options` None: only as it is, dfopt is not run.
    A build that fails and a smoke test that fails are results: `error` and `failures` tell them.
    """
    with tempfile.TemporaryDirectory(prefix="dfopt-suite-") as work:
        context = Path(work) / "context"
        shutil.copytree(app.directory, context, symlinks=True, ignore=left_out)
        fixed = Fixed({}, [])
        built: list[_Built] = []
        error = ""
        alone: dict[str, int] = {}
        original = (context / "Dockerfile").read_bytes()
        try:
            built.append(_build(engine, app, context, rebuild))
            if options is not None:
                fixed = fix(context, options)
            if (context / "Dockerfile").read_bytes() != original:
                built.append(_build(engine, app, context, rebuild))
        except EngineError as failure:
            error = str(failure)
        try:
            measured = figures(engine, *(one.image for one in built)) if built else []
            sides = [one.side(facts) for one, facts in zip(built, measured, strict=True)]
            before, after = [*sides, None, None][:2]
            if each and options is not None and before is not None and after is not None and not error:
                for name in sorted(fixed.applied):
                    (context / "Dockerfile").write_bytes(original)
                    fix(context, [*_without_select(options), "--select", name])
                    alone[name] = before.figures.docker_bytes - _size(engine, app, context)
        except EngineError as failure:
            error = str(failure)
        finally:
            engine.remove(*(one.image for one in built))
        return Trial(app, before, after, fixed.applied, fixed.refused, error, alone)


def _without_select(options: Sequence[str]) -> list[str]:
    kept = list(options)
    if "--select" in kept:
        del kept[kept.index("--select") : kept.index("--select") + 2]
    return kept


def _size(engine: Engine, app: App, context: Path) -> int:
    """The bytes of an image that must pass its smoke test. Raises EngineError."""
    with served(app) as args:
        image = engine.build(context, (context / "Dockerfile").read_bytes(), args=args, cached=True)
    try:
        if failures := smoke(engine, app, image):
            raise EngineError("; ".join(failures))
        inspected = engine.call(["image", "inspect", "--format", "{{.Size}}", image], timeout=60)
        return int(inspected.stdout)
    finally:
        engine.remove(image)


def left_out(directory: str, names: list[str]) -> list[str]:
    return [name for name in names if name in ("smoke.toml", "served")]


class _Built(Record):
    """A side before its image is measured."""

    image: str
    dockerfile: str
    failures: list[str]
    seconds: float
    rebuild_seconds: float | None
    hadolint: dict[str, int] | None
    tally: dict[str, int] | None

    def side(self, facts: Figures) -> Side:
        return Side(
            self.dockerfile, facts, self.failures, self.seconds, self.rebuild_seconds, self.hadolint, self.tally
        )  # fmt: skip


def _build(engine: Engine, app: App, context: Path, rebuild: bool) -> _Built:
    """Builds and asks the application as `context` holds it; the caller removes the image. Raises EngineError."""
    dockerfile = context / "Dockerfile"
    with served(app) as args:
        start = time.monotonic()
        image = engine.build(context, dockerfile.read_bytes(), args=args)
        seconds = time.monotonic() - start
        failures = smoke(engine, app, image)
        again = None
        if rebuild:
            source = context / app.touch
            kept = source.read_bytes()
            source.write_bytes(kept + app.append.encode())
            start = time.monotonic()
            second = engine.build(context, dockerfile.read_bytes(), args=args, cached=True)
            again = time.monotonic() - start
            source.write_bytes(kept)
            if second != image:
                engine.remove(second)
    text = dockerfile.read_bytes().decode(errors="surrogateescape")
    return _Built(image, text, failures, seconds, again, hadolint(dockerfile), tally(dockerfile))


@contextmanager
def served(app: App) -> Iterator[dict[str, str]]:
    """The build arguments of `app`; while it lasts, its file server listens on a free port of loopback."""
    if app.serve is None:
        yield app.args
        return
    with serving(app.directory / "served") as url:
        yield {**app.args, app.serve: url}
