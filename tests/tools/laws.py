"""The laws of selections over golden cases, the applications of the suite and Dockerfiles at hand. Nothing is built.

    python -m tests.tools.laws [--golden] [--suite] [--dir DIR] [--limit N] [--examples N] [--jobs N]

Without a choice: goldens and suite. All pairs of passes, all passes together, the recipes and the levels are held
against fewer (see tests/selection_laws.py). Ends with status 1 where a law is broken.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests")]

from selection_laws import Selections  # noqa: E402

from dfopt.facts import NO_FACTS, Facts  # noqa: E402
from dfopt.pass_selection import Options  # noqa: E402
from dfopt.recipes.load import RecipeLibrary  # noqa: E402
from dfopt.recipes.plan import RecipePlan  # noqa: E402
from dfopt.source import Source  # noqa: E402
from dfopt.testing import golden  # noqa: E402
from dfopt.testing.discovery import find  # noqa: E402
from dfopt.workspace.facts import ContextFacts  # noqa: E402

TIERS = ("safe", "unsafe")
RECIPES = ("small", "hardened", "ci")
Row = tuple[str, str]
# Cases in which a law is known not to hold
EXCEPTIONS = {
    # the second of two neighbours installs from the index, or what is recommended, that the first one brings: the table
    # counts it for each
    "apk-no-cache/upgrade",
    "apk-no-cache/with-merge-run",
    "merge-run/comment-behind-operator",
    # swap-base needs what exec-form does in a later phase; add-user, of that phase too, adds a RUN before it can act
    "swap-base/distroless-shell-form",
    # undefined-variable declares the variable in the stage: a digest in its value would be seen there
    "pin-digest/arg-whole-name",
    # add-user, alone, takes the modes that a find gave for the image's own; behind the split, it sees nothing of them
    "multi-stage/directory-mode-find",
    # the split says what umask did as a chmod, which add-user takes for rights that are meant for root's group
    "multi-stage/directory-mode-umask",
    # what add-user, alone, sees started is `[`: json-slip makes the CMD that was meant of it, which it refuses
    "json-slip/comma-at-the-end",
    # with `every`, update-with-install fetches an index that only its own cleanup deletes: both count as savings
    "update-with-install/update-that-does-more-every",
}


def broken(kind_and_name: Row) -> list[str]:
    """What is broken for one file."""
    if kind_and_name[1] in EXCEPTIONS:
        return []
    selections = selections_of(*kind_and_name)
    found = [*selections.pairs(), *selections.wholes(), *selections.levels()]
    for name in RECIPES:
        plan = RecipePlan((RecipeLibrary(()).get(name),), unsafe=True, settings=selections.options.settings)
        found += selections.recipe(name, plan.optimize(selections.source, selections.facts))
    return found


def selections_of(kind: str, name: str) -> Selections:
    facts: Facts = NO_FACTS
    if kind == "golden":
        case = cases()[name]
        return Selections(case.source, case.facts(), Options((), (), TIERS, case.options.settings))
    path = Path(name)
    source = Source.from_bytes(path.read_bytes(), name)
    if kind == "suite":
        facts = ContextFacts(name, str(path.parent), source, str(path.parent))
    return Selections(source, facts, Options((), (), TIERS))


_cases: dict[str, golden.GoldenCase] = {}


def cases() -> dict[str, golden.GoldenCase]:
    if not _cases:
        _cases.update({files.name: golden.load(files) for files in find(ROOT / "golden")})
    return _cases


def files(given: argparse.Namespace) -> Iterator[Row]:
    if given.golden:
        yield from (("golden", name) for name in sorted(cases()))
    if given.suite:
        yield from (("suite", str(path)) for path in sorted((ROOT / "tests" / "suite").glob("*/*/Dockerfile")))
    if given.dir:
        yield from (("file", str(path)) for path in sorted(given.dir.rglob("*")) if path.is_file())


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.tools.laws", description=__doc__.split("\n")[0])
    parser.add_argument("--golden", action="store_true")
    parser.add_argument("--suite", action="store_true")
    parser.add_argument("--dir", type=Path)
    parser.add_argument("--limit", type=int, help="only so many files, evenly spread")
    parser.add_argument("--examples", type=int, default=2)
    parser.add_argument("--jobs", type=int, default=1)
    given = parser.parse_args()
    if not (given.golden or given.suite or given.dir):
        given.golden = given.suite = True
    rows = list(files(given))
    if given.limit and given.limit < len(rows):
        rows = [rows[at * len(rows) // given.limit] for at in range(given.limit)]
    started, counts, examples = time.monotonic(), Counter[str](), defaultdict[str, list[str]](list)
    with ProcessPoolExecutor(given.jobs) as pool:
        for (_, name), found in zip(rows, pool.map(broken, rows, chunksize=8), strict=True):
            for text in dict.fromkeys(found):
                key = text.partition(":")[0] + ": " + " ".join(text.partition(":")[2].split()[:4])
                counts[key] += 1
                if len(examples[key]) < given.examples:
                    examples[key].append(f"{os.path.relpath(name, ROOT) if name[:1] == '/' else name}: {text}")
    for key, number in counts.most_common():
        print(f"{number:>6}  {key}")
        print("".join(f"          {example}\n" for example in examples[key]), end="")
    print(f"{len(rows)} files, {sum(counts.values())} broken laws, {time.monotonic() - started:.0f} s")
    return 1 if counts else 0


if __name__ == "__main__":
    sys.exit(main())
