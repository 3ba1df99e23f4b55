"""What each optimization level brings to the applications, built: bytes, smoke tests, and `dfopt plan`'s estimate.

    python -m tests.suite.levels [--set SET] [--select APP ...] [--levels 1 2 3] [--out FILE] [--builds N]
                                  [--minutes N]

Each different text is built once, with the engine's cache: only sizes are measured here. Beside the levels stand single
selections (SINGLE), against which -O3 is held. `--out` is read first: what is in it is not built again. Progress goes
to standard error. Ends with status 1 when a build or a smoke test of a level fails.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).resolve().parents[1])]

from realbuild.engine import Engine, EngineError, engine_of_run  # noqa: E402

from suite.apps import SETS, App, AppError, find_apps  # noqa: E402
from suite.smoke import smoke  # noqa: E402
from suite.trial import TREE, left_out, served  # noqa: E402

SINGLE = {
    "multi-stage": ("--select", "multi-stage", "--unsafe"),
    "swap-base": ("--select", "swap-base", "--unsafe"),
    "all": ("--select", "all", "--unsafe"),
    "all,multi-stage": ("--select", "all,multi-stage", "--unsafe"),
}
_MB = 1_000_000
_ACCOUNT = 20_000  # bytes: more than any account takes


def try_levels(
    engine: Engine, app: App, chosen: dict[str, Sequence[str]], row: dict[str, Any], budget: Sequence[str]
) -> None:
    """Fills the row of one application: the bytes, or the failure, of the file as it is (`now`) and with each of
    `chosen` (name -> options of `dfopt fix`), and the bytes that `dfopt plan` says a level saves. `budget`: options of
    -O3's search. What is in the row is not built again. Raises EngineError; what was built before is in the row."""
    row.update({"texts": {}, "sides": {}, "plan": {}, "search": "", **row})
    with tempfile.TemporaryDirectory(prefix="dfopt-suite-") as work:
        context = Path(work) / "context"
        shutil.copytree(app.directory, context, symlinks=True, ignore=left_out)
        file = context / "Dockerfile"
        original = file.read_text(encoding="utf-8", errors="surrogateescape")

        def side(name: str, text: str) -> None:
            if text not in row["texts"]:
                file.write_text(text, encoding="utf-8", errors="surrogateescape")
                row["texts"][text] = _build(engine, app, context)
            row["sides"][name] = row["texts"][text]

        side("now", original)
        for name, options in chosen.items():
            if name in row["sides"]:
                continue
            file.write_text(original, encoding="utf-8", errors="surrogateescape")
            if name == "-O3":
                start = time.monotonic()
                row["search"] = _search(engine, app, context, budget)
                row["seconds"] = round(time.monotonic() - start, 1)
            else:
                _dfopt(context, "fix", "--write", *options)
            side(name, file.read_text(encoding="utf-8", errors="surrogateescape"))
        file.write_text(original, encoding="utf-8", errors="surrogateescape")
        for level in json.loads(
            _dfopt(context, "plan", "--output-format=json", "--engine=docker", DOCKER_HOST=engine.host)
        )["files"][0]["levels"]:
            row["plan"][f"-O{level['level']}"] = level["bytes"]


def _build(engine: Engine, app: App, context: Path) -> dict[str, Any]:
    image = None
    try:
        with served(app) as args:
            image = engine.build(context, (context / "Dockerfile").read_bytes(), args=args, cached=True)
        failures = smoke(engine, app, image)
        inspected = engine.call(["image", "inspect", "--format", "{{.Size}} {{.Config.User}}", image], timeout=60)
        size, _, user = inspected.stdout.decode().strip().partition(" ")
        return {"bytes": int(size), "failure": "; ".join(failures), "user": user or "root"}
    except EngineError as failure:
        return {"bytes": None, "failure": str(failure)[-600:]}
    finally:
        if image is not None:
            engine.remove(image)


def _dfopt(context: Path, command: str, *options: str, **more: str) -> str:
    words = [sys.executable, "-m", "dfopt", command, "--isolated", "--context=.", *options, "Dockerfile"]
    env = {**os.environ, "PYTHONPATH": str(TREE), **more}
    done = subprocess.run(words, cwd=context, env=env, capture_output=True, timeout=3600, check=False)
    if done.returncode not in (0, 1):
        raise EngineError(
            f"dfopt {command} {' '.join(options)}: {done.stderr.decode(errors='backslashreplace')[-600:]}"
        )
    return (done.stdout or done.stderr).decode(errors="backslashreplace")


def _search(engine: Engine, app: App, context: Path, budget: Sequence[str]) -> str:
    """Runs -O3 with the application's smoke test as the script; what it told."""
    script = context.parent / "smoke"
    script.write_text(f"#!/bin/sh\nexec {sys.executable} -m suite.smoke_script {app.directory}\n")
    script.chmod(0o755)
    words = ["--write", "-O3", "--no-cache", *budget, f"--smoke-script={script}"]
    words += ["--network=host", "--drop-syntax", "--engine=docker"]
    with served(app) as args:
        words += [f"--build-arg={key}={value}" for key, value in args.items()]
        path = f"{TREE / 'tests'}:{TREE}"
        return _dfopt(context, "fix", *words, DOCKER_HOST=engine.host, PYTHONPATH=path)


def table(rows: dict[str, dict[str, Any]], levels: Sequence[int]) -> list[str]:
    """A line for each application, and the sums."""
    names = ["now", *(f"-O{level}" for level in levels), "best single"]
    lines = [f"{'application':<18}" + "".join(f"{name:>14}" for name in names) + "   plan's error"]
    sums: dict[str, int] = dict.fromkeys(names, 0)
    passed: dict[str, int] = dict.fromkeys(names, 0)
    errors: dict[str, list[float]] = {}
    for app, row in rows.items():
        sides = row["sides"]
        good = [sides[name]["bytes"] for name in SINGLE if name in sides and not sides[name]["failure"]]
        best = {"bytes": min(good, default=sides["now"]["bytes"]), "failure": ""}
        cells = []
        for name in names:
            found = best if name == "best single" else sides.get(name, {"bytes": None, "failure": "not run"})
            passed[name] += not found["failure"]
            sums[name] += (sides["now"]["bytes"] if found["failure"] else found["bytes"]) or 0
            cells.append("FAILED" if found["failure"] else f"{found['bytes'] / _MB:.1f}")
        told = []
        for name, saved in row["plan"].items():
            if sides.get(name, {"failure": "x"})["failure"] or sides["now"]["failure"]:
                continue
            predicted, built = sides["now"]["bytes"] - saved, sides[name]["bytes"]
            errors.setdefault(name, []).append((predicted - built) / built)
            told.append(f"{name} {errors[name][-1]:+.0%}")
        lines.append(f"{app:<18}" + "".join(f"{cell:>14}" for cell in cells) + "   " + ", ".join(told))
    lines.append(f"{'MB in all':<18}" + "".join(f"{sums[name] / _MB:>14.1f}" for name in names))
    lines.append(f"{'smoke tests pass':<18}" + "".join(f"{passed[name]:>11}/{len(rows):<2}" for name in names))
    for name, found in errors.items():
        median = statistics.median(abs(error) for error in found)
        lines.append(f"plan {name}: median error {median:.1%} of the built bytes, largest {max(map(abs, found)):.0%}")
    top = f"-O{max(levels)}"
    rooted_again = [app for app, row in rows.items() if _gives_root_back(row["sides"], top, names)]
    if rooted_again:
        lines.append(f"{top} runs as root what a lower level does not: {', '.join(rooted_again)}")
    for what, rooted in (("the best single selection", False), ("a single selection that leaves root as it is", True)):
        above = [
            f"{app} ({gap / 1000:+.1f} kB)"
            for app, row in rows.items()
            for gap, root in [_above_single(row["sides"], top)]
            if gap > 0 and root == rooted
        ]
        if above:
            lines.append(f"{top} above {what}: {', '.join(above)}")
    return lines


def _above_single(sides: dict[str, dict[str, Any]], level: str) -> tuple[int, bool]:
    """The bytes that a level's image has more than that of the best single selection that passes; 0 where either is
    missing. And whether it is smaller only because its program runs as root, where the level's does not: the files of
    an account are a few kB."""
    good = [sides[name] for name in SINGLE if name in sides and not sides[name]["failure"]]
    found = sides.get(level, {"failure": "not run"})
    if found["failure"] or not good:
        return 0, False
    equal = [side["bytes"] for side in good if _root(found) or not _root(side)]
    gap = int(found["bytes"]) - min(side["bytes"] for side in good)
    return gap, gap <= _ACCOUNT and min(equal, default=found["bytes"]) >= found["bytes"]


def _gives_root_back(sides: dict[str, dict[str, Any]], level: str, names: Sequence[str]) -> bool:
    """Whether a level's image runs as root, where that of a lower level does not."""
    lower = [sides[name] for name in names[: names.index(level)] if name in sides and not sides[name]["failure"]]
    return level in sides and _root(sides[level]) and not all(map(_root, lower))


def _root(side: dict[str, Any]) -> bool:
    return str(side.get("user", "root")).partition(":")[0] in ("root", "0")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.suite.levels", description=__doc__.split("\n")[0])
    parser.add_argument("--set", choices=SETS, default=SETS[0])
    parser.add_argument("--select", nargs="+", metavar="APP")
    parser.add_argument("--levels", nargs="+", type=int, default=[1, 2, 3], choices=(1, 2, 3))
    parser.add_argument("--no-single", action="store_true", help="leave out the single selections")
    parser.add_argument("--builds", type=int, default=12, help="-O3's budget for an application")
    parser.add_argument("--minutes", type=int, default=60, help="-O3's minutes for an application's candidates")
    parser.add_argument("--out", type=Path, metavar="FILE")
    given = parser.parse_args()
    try:
        apps = find_apps(given.set, given.select)
    except AppError as error:
        print(f"tests.suite.levels: {error}", file=sys.stderr)
        return 2
    rows: dict[str, dict[str, Any]] = {}
    if given.out and given.out.exists():
        rows = json.loads(given.out.read_text(encoding="utf-8"))
    chosen: dict[str, Sequence[str]] = {f"-O{level}": (f"-O{level}",) for level in given.levels}
    chosen |= {} if given.no_single else SINGLE
    budget = (f"--budget={given.builds}", f"--budget-minutes={given.minutes}")
    try:
        with engine_of_run() as engine:
            for app in apps:
                print(f"{app.name} ...", end=" ", file=sys.stderr, flush=True)
                try:
                    try_levels(engine, app, chosen, rows.setdefault(app.name, {}), budget)
                finally:
                    if given.out:
                        given.out.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
                print("done", file=sys.stderr, flush=True)
    except EngineError as error:
        print(f"tests.suite.levels: {error}", file=sys.stderr)
        return 2
    shown = {app.name: rows[app.name] for app in apps}
    print("\n".join(table(shown, given.levels)))
    levels = {f"-O{level}" for level in given.levels}
    return int(any(row["sides"][name]["failure"] for row in shown.values() for name in levels))


if __name__ == "__main__":
    sys.exit(main())
