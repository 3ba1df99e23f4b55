"""How long a rebuild takes after a change of one source file, before and after `dependency-layers`.

    python -m tests.realbuild.rebuild_times [PROJECT ...]

Needs DFOPT_TEST_ENGINE. `npm-real`, `yarn-real` and `pip-real` install what people install, from the
registries that this machine is set up for; the others install the tests' one tiny package from loopback, so that their
figures show what the step itself costs. One line each: seconds before, seconds after.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from dfopt.source import encode

from . import registries
from .engine import Engine
from .file_server import serving
from .projects import PROJECTS, Project, npm, pip, yarn
from .test_dependency_layers import change, optimized

_PACKAGES = '{"name": "app", "version": "1.0.0", "dependencies": {"express": "4", "lodash": "4", "axios": "1"}}\n'


def _real(made: Project, **files: str) -> Project:
    kept = {name: text for name, text in made.files.items() if "lock" not in name}
    base = f"FROM {made.image}\n"
    names = {name.replace("__", "."): text for name, text in files.items()}
    return Project(
        made.image,
        made.dockerfile.replace("npm ci", "npm install").replace(
            "uv sync --frozen", "uv pip install --system -r r.txt"
        ),
        {**kept, **names},
        base,
        {},
        made.source,
        made.change,
        "true",
        (),
    )


def _npm(url: str) -> Project:
    return _real(npm(url), package__json=_PACKAGES)


def _yarn(url: str) -> Project:
    return _real(yarn(url), package__json=_PACKAGES)


def _pip(url: str) -> Project:
    return _real(pip(url), requirements__txt="flask\nrequests\npandas\n")


REAL: dict[str, Callable[[str], Project]] = {"npm-real": _npm, "yarn-real": _yarn, "pip-real": _pip}


def measured(engine: Engine, make: Callable[[str], Project], work: Path) -> Iterator[float]:
    """The seconds of the rebuild before, and after."""
    context, served = work / "context", work / "served"
    served.mkdir()
    with serving(served) as url:
        project = make(url)
        registries.write(served, project.served)
        registries.write(context, {path: text.encode() for path, text in project.files.items()})
        result = optimized(context, project)
        if not result.changed:
            raise SystemExit(f"no fix: {[one.reason for one in result.reported]}")
        base = engine.build(context, project.base.encode(), cached=True)
        stand_ins = {project.image: engine.name(base)}
        for file in (project.dockerfile.encode(), encode(result.output)):
            engine.build(context, file, stand_ins=stand_ins, cached=True)
            change(context, project)
            start = time.monotonic()
            engine.build(context, file, stand_ins=stand_ins, cached=True)
            yield time.monotonic() - start


def main() -> int:
    known = {**REAL, **PROJECTS}
    engine = Engine(os.environ["DFOPT_TEST_ENGINE"])
    try:
        for name in sys.argv[1:] or known:
            with tempfile.TemporaryDirectory() as work:
                before, after = measured(engine, known[name], Path(work))
                print(f"{name:10} {before:6.1f} s {after:6.1f} s", flush=True)
    finally:
        engine.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
