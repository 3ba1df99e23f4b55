"""`python -m tests.tools.same_results DIRECTORY CHECKOUT CHECKOUT` runs dfopt from two checkouts (each with a `.venv`).

It does so over copies of a directory's files, and prints where they differ: in what `fix --write` writes, at both
tiers, and in what `check` finds. For changes that must change nothing. Exit status: 1 where something differs.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.bench.sample import ranked

RUNS = {
    "fix": ("fix", "--write", "--no-cache", "--isolated"),
    "fix --unsafe": ("fix", "--write", "--unsafe", "--no-cache", "--isolated"),
    "check": ("check", "--output-format", "json", "--show-refusals", "--no-cache", "--isolated"),
}


def copied(directory: Path, target: Path, most: int) -> None:
    """Copies the files, each into a folder of its own, as a Dockerfile."""
    files = [path for path in directory.rglob("*") if path.is_file() and not path.is_symlink()]
    for number, (_, path) in enumerate(ranked(files)[:most]):
        folder = target / f"{number % 100:02}" / f"{number:05}"
        folder.mkdir(parents=True)
        shutil.copyfile(path, folder / "Dockerfile")


def outcome(checkout: Path, tree: Path, command: tuple[str, ...]) -> dict[str, str]:
    """What a run wrote (the text of every file), or, of a report, what it says of each file."""
    python = (checkout / ".venv/bin/python").absolute()
    done = subprocess.run([python, "-m", "dfopt", *command, "."], cwd=tree, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, check=False)  # fmt: skip
    if "json" in command:
        return {file["path"]: json.dumps(file, sort_keys=True, indent=1) for file in json.loads(done.stdout)["files"]}
    return {str(path.relative_to(tree)): path.read_bytes().decode("latin-1") for path in tree.rglob("Dockerfile")}


def compared(name: str, directory: Path, checkouts: list[Path], most: int, shown: int) -> int:
    """The number of files that differ."""
    outcomes: list[dict[str, str]] = []
    for checkout in checkouts:
        with tempfile.TemporaryDirectory(prefix="dfopt-same-") as scratch:
            copied(directory, Path(scratch), most)
            outcomes.append(outcome(checkout, Path(scratch), RUNS[name]))
    before, after = outcomes
    different = sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))
    print(f"{name}: {len(before)} files, {len(different)} differ")
    for path in different[:shown]:
        old, new = (text.get(path, "").split("\n") for text in outcomes)
        print(f"  {path}", *(f"    - {line}" for line in old if line not in new), sep="\n")
        print(*(f"    + {line}" for line in new if line not in old), sep="\n")
    return len(different)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.tools.same_results", description=__doc__)
    parser.add_argument("directory", type=Path, help="Where the Dockerfiles are, whatever they are called.")
    parser.add_argument("checkouts", type=Path, nargs=2)
    parser.add_argument("--run", choices=RUNS, action="append", help="What to compare (default: all).")
    parser.add_argument("--files", type=int, default=1_000_000, help="Take this many files at most.")
    parser.add_argument("--show", type=int, default=5, help="Show this many of the files that differ.")
    args = parser.parse_args()
    runs = args.run or list(RUNS)
    different = [compared(name, args.directory, args.checkouts, args.files, args.show) for name in runs]
    return 1 if any(different) else 0


if __name__ == "__main__":
    sys.exit(main())
