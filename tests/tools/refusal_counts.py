"""How many refusals over a corpus have one reason, by pass and by base image. Nothing is built, no registry is asked.

    python -m tests.tools.refusal_counts DIR [--about user] [--select P,Q] [--images] [--examples N] [--jobs N]

Every file below DIR is optimized alone, with the safe and unsafe fixes of the passes selected (add-user, strip-suid and
cache-mounts, unless said), for an engine with BuildKit. `--about user`: the refusals that say that a base image's user,
or how a user is created in it, is not known; any other value is a pattern for the reason. `--images` counts by base
image.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections import Counter, defaultdict
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from dfopt.optimizer import optimize
from dfopt.pass_selection import Options
from dfopt.source import Source

USER = (
    r"^whether (?P<image>.*) runs as root is not known|^how a user is created in (?P<in>.*) is not known"
    r"|^the user of (?P<of>.*) is not known"
)
PASSES = "add-user,strip-suid,cache-mounts"


def refusals_of(path: Path, passes: tuple[str, ...]) -> list[tuple[str, str]]:
    """(pass, reason) of the refusals in a file; none where it is no Dockerfile."""
    source = Source.from_bytes(path.read_bytes(), path.name)
    options = Options(passes, (), ("safe", "unsafe"), settings={"*": {"engine": "buildkit"}})
    return [(each.name, each.reason) for each in optimize(source, options).reported if each.reason]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.tools.refusal_counts", description=__doc__.split("\n")[0])
    parser.add_argument("directory", type=Path)
    parser.add_argument("--about", default="user")
    parser.add_argument("--select", default=PASSES)
    parser.add_argument("--images", action="store_true")
    parser.add_argument("--examples", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1)
    given = parser.parse_args()
    about = re.compile(USER if given.about == "user" else given.about)
    paths = sorted(path for path in given.directory.rglob("*") if path.is_file())
    counts, examples, files = Counter[str](), defaultdict[str, list[str]](list), set[Path]()
    passes = [tuple(given.select.split(","))] * len(paths)
    with ProcessPoolExecutor(given.jobs) as pool:
        for path, refusals in zip(paths, pool.map(refusals_of, paths, passes, chunksize=32), strict=True):
            for name, reason in refusals:
                match = about.search(reason)
                if match is None:
                    continue
                image = next((text for text in match.groupdict().values() if text), "")
                key = image if given.images else f"{name}: {reason.replace(image, '...') if image else reason}"
                counts[key] += 1
                files.add(path)
                if len(examples[key]) < given.examples:
                    examples[key].append(str(path))
    for key, number in counts.most_common():
        print(f"{number:>6}  {key}")
        print("".join(f"          {example}\n" for example in examples[key]), end="")
    print(f"{len(paths)} files, {counts.total()} refusals in {len(files)} of them")
    return 0


if __name__ == "__main__":
    sys.exit(main())
