"""How many of the fixes that dfopt applies by default say what they bring: bytes, layers, seconds of rebuilds, or the
wrong result that they mend. Nothing is built.

    python -m tests.tools.benefit_share DIR [--level N] [--limit N] [--examples N] [--jobs N]

Every file below DIR is optimized at a level (1, as `dfopt fix` does by default). Ends with status 1 where a fix says
nothing.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter, defaultdict
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from dfopt.findings import Benefit
from dfopt.optimizer import optimize
from dfopt.pass_selection import Options
from dfopt.results import Applied
from dfopt.source import Source

TIERS = {1: ("safe",), 2: ("safe", "unsafe")}


def kind_of(benefit: Benefit | None) -> str:
    """What a fix says that it brings, the first of these; "nothing"."""
    if benefit is None:
        return "nothing"
    kinds = {
        "bytes": benefit.bytes > 0,
        "rebuild": benefit.rebuild > 0,
        "layers": benefit.layers > 0,
        "correctness": bool(benefit.mends),
        "rights": bool(benefit.setuid or benefit.root),
    }
    return next((kind for kind, holds in kinds.items() if holds), "nothing")


def fixes_of(path: Path, level: int) -> list[Applied]:
    """The fixes that a level makes in a file; none where it is no Dockerfile."""
    source = Source.from_bytes(path.read_bytes(), path.name)
    return list(optimize(source, Options((), (), TIERS[level], level=level)).applied)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.tools.benefit_share", description=__doc__.split("\n")[0])
    parser.add_argument("directory", type=Path)
    parser.add_argument("--level", type=int, choices=sorted(TIERS), default=1)
    parser.add_argument("--limit", type=int, help="only so many files, evenly spread")
    parser.add_argument("--examples", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=1)
    given = parser.parse_args()
    paths = sorted(path for path in given.directory.rglob("*") if path.is_file())
    if given.limit and given.limit < len(paths):
        paths = [paths[at * len(paths) // given.limit] for at in range(given.limit)]
    kinds, silent, examples = Counter[str](), Counter[tuple[str, str]](), defaultdict[tuple[str, str], list[str]](list)
    with ProcessPoolExecutor(given.jobs) as pool:
        levels = [given.level] * len(paths)
        for path, fixes in zip(paths, pool.map(fixes_of, paths, levels, chunksize=32), strict=True):
            for fix in fixes:
                kind = kind_of(fix.benefit)
                kinds[kind] += 1
                if kind == "nothing":
                    key = fix.name, fix.message[:70]
                    silent[key] += 1
                    if len(examples[key]) < given.examples:
                        examples[key].append(str(path))
    for key, number in silent.most_common():
        print(f"{number:>6}  {key[0]}: {key[1]}")
        print("".join(f"          {example}\n" for example in examples[key]), end="")
    total = sum(kinds.values())
    print(", ".join(f"{kind} {number}" for kind, number in kinds.most_common()))
    print(
        f"{len(paths)} files, {total} fixes, {total - kinds['nothing']} say what they bring"
        f" ({(total - kinds['nothing']) / max(total, 1):.1%})"
    )
    return 1 if kinds["nothing"] else 0


if __name__ == "__main__":
    sys.exit(main())
