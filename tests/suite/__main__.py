"""Builds small applications before and after dfopt, and asks both images what the application must answer.

    python -m tests.suite [--set SET | --unseen] [--select APP ...] [--with PASSES] [--recipe NAME] [--unsafe]
                          [--each | --before-only] [--no-rebuild] [--out FILE] [-- OPTION ...]

Prints one table; progress goes to standard error. Ends with status 1 when a build or a smoke test fails.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1])]

from realbuild.engine import EngineError, engine_of_run  # noqa: E402

from suite.apps import NEWEST, SETS, AppError, find_apps  # noqa: E402
from suite.report import as_json, table  # noqa: E402
from suite.trial import try_app  # noqa: E402


def command_line(words: Sequence[str] | None = None) -> argparse.Namespace:
    """The options in `words` (default: of this process). Ends the process with status 2 when they contradict."""
    parser = argparse.ArgumentParser(prog="python -m tests.suite", description=__doc__.split("\n")[0])
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--set", choices=SETS, help="the applications of this folder (default: apps)")
    which.add_argument("--unseen", action="store_const", dest="set", const=NEWEST, help=f"short for --set {NEWEST}")
    parser.add_argument("--select", nargs="+", metavar="APP", help="only these applications")
    parser.add_argument("--with", dest="passes", metavar="PASSES", help="dfopt's --select: passes, groups, codes")
    parser.add_argument("--recipe", help="dfopt's --recipe")
    parser.add_argument("--unsafe", action="store_true", help="dfopt's --unsafe")
    parser.add_argument("--no-rebuild", action="store_true", help="leave out the second build, with the cache")
    more = parser.add_mutually_exclusive_group()
    more.add_argument("--each", action="store_true", help="also run every pass alone that applies, for its bytes")
    more.add_argument("--before-only", action="store_true", help="the applications as they are: dfopt is not run")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write everything as JSON")
    parser.add_argument("options", nargs="*", metavar="OPTION", help="more options of 'dfopt fix', after --")
    given = parser.parse_args(words)
    # No default of argparse: it would not see that `--set apps --unseen` names two.
    given.set = given.set or SETS[0]
    return given


def main() -> int:
    given = command_line()
    options = list(given.options)
    options += ["--select", given.passes] if given.passes else []
    options += ["--recipe", given.recipe] if given.recipe else []
    options += ["--unsafe"] if given.unsafe else []
    try:
        apps = find_apps(given.set, given.select)
    except AppError as error:
        print(f"tests.suite: {error}", file=sys.stderr)
        return 2

    trials = []
    try:
        with engine_of_run() as engine:
            engine.check()
            for app in apps:
                print(f"{app.name} ...", end=" ", file=sys.stderr, flush=True)
                trial = try_app(
                    engine,
                    app,
                    None if given.before_only else options,
                    rebuild=not given.no_rebuild,
                    each=given.each,
                )
                trials.append(trial)
                print("ok" if trial.ok else "FAILED", file=sys.stderr)
    except EngineError as error:
        print(f"tests.suite: {error}", file=sys.stderr)
        return 2
    print("\n".join(table(trials)))
    if given.out:
        given.out.write_text(json.dumps(as_json(trials, options), indent=1) + "\n", encoding="utf-8")
    return 0 if all(trial.ok for trial in trials) else 1


if __name__ == "__main__":
    sys.exit(main())
