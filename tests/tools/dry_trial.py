"""Builds real Dockerfiles before and after dfopt in worlds of stand-ins (tests/dryrun), and counts how they differ.

    python tests/tools/dry_trial.py DIR [--faults N] [--unsafe] [--modes] [--select PASS,...] [--set PASS.OPTION=VALUE]
                                    [--contexts] [--limit N] [--names TEXT] [--minimize N] [--keep DIR] [--workers N]
                                    [--failing]
                                    [--generate N [--seed N]]

Every Dockerfile below DIR (each different content once) is rewritten in the safe tier, with --unsafe in both, and
built twice; with --faults again with N of its calls failing, one each time; --modes adds the checks beyond equality
(a lost cache, the image's user, what the start of the image names). --contexts: the directory of a file is its build
context; without it no file has one. --failing prints why each file fails that fails both ways. Counts are printed by
kind, differences by cause (pass and kind); of each cause the first --minimize files are made small and, with --keep,
written there: before, after, and what differs. With --generate, N random files are put together from the idioms of
the files directly in DIR instead, from --seed on. Exit status 1 where there is a difference. Takes root, the oracle
(Go), a C compiler, busybox, dash and bash.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from dryrun.generate import Generator, from_directory
from dryrun.minimize import Minimizer, sort_of
from dryrun.pool import Pool, Settings, Task, Trial
from dryrun.trial import Checks
from oracle_client import Oracle

_NAME = re.compile(r"(^|[+./_-])([Dd]ocker|[Cc]ontainer)file|\.[Dd]ockerfile$")


def tasks(arguments: argparse.Namespace, oracle: Oracle) -> Iterator[Task]:
    checks = Checks(arguments.faults, arguments.modes, arguments.modes, arguments.modes)
    settings: Settings = {}
    for text in arguments.set:
        place, _, value = text.partition("=")
        name, _, option = place.rpartition(".")
        settings.setdefault(name, {})[option] = {"true": True, "false": False}.get(value, value)
    select = tuple(filter(None, arguments.select.split(",")))
    if arguments.generate:
        generator = Generator(from_directory(arguments.directory, oracle.parse))
        for seed in range(arguments.seed, arguments.seed + arguments.generate):
            text = generator.file(seed)
            yield Task(f"seed {seed}", text, None, select, (), arguments.unsafe, settings, checks)
        return
    seen: set[bytes] = set()
    count = 0
    for path in sorted(arguments.directory.rglob("*")):
        if not _NAME.search(path.name) or not path.is_file() or path.is_symlink() or arguments.names not in str(path):
            continue
        text = path.read_bytes()
        digest = sha256(text).digest()
        if digest in seen or (arguments.limit and count >= arguments.limit):
            continue
        seen.add(digest)
        count += 1
        yield Task(
            str(path.relative_to(arguments.directory)), text, path.parent if arguments.contexts else None, select, (),
            arguments.unsafe, settings, checks,
        )  # fmt: skip


def cause(trial: Trial) -> str:
    return f"{'+'.join(trial.passes)}: {sort_of(trial.verdict)}"


def keep(directory: Path, number: int, original: Trial, small: Trial) -> None:
    place = directory / f"{number:03}-{re.sub('[^a-z0-9]+', '-', cause(small).lower()).strip('-')[:60]}"
    place.mkdir(parents=True, exist_ok=True)
    (place / "Dockerfile").write_bytes(small.task.text)
    (place / "after.Dockerfile").write_bytes(small.after)
    select = f" --select {','.join(small.task.select)}" if small.task.select else ""
    (place / "difference.txt").write_text(
        f"{small.task.name}\npasses: {', '.join(small.passes)}{select}\n{small.verdict.kind}: {small.verdict.detail}\n"
        f"\nof the whole file: {original.verdict.kind}: {original.verdict.detail}\n",
        errors="surrogateescape",
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--faults", type=int, default=0)
    parser.add_argument("--unsafe", action="store_true")
    parser.add_argument("--modes", action="store_true")
    parser.add_argument("--select", default="")
    parser.add_argument("--set", action="append", default=[])
    parser.add_argument("--contexts", action="store_true")
    parser.add_argument("--failing", action="store_true", help="print what fails before and after")
    parser.add_argument("--limit", type=int, default=0)
    parser.add_argument("--names", default="", help="only files whose path holds this text")
    parser.add_argument("--minimize", type=int, default=1)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--generate", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int)
    arguments = parser.parse_args()
    counts: Counter[str] = Counter()
    found: dict[str, list[Trial]] = defaultdict(list)
    calls = faults = 0
    started = time.monotonic()
    with Pool(arguments.workers) as pool, Oracle() as oracle:
        for trial in pool.run(tasks(arguments, oracle)):
            counts[trial.verdict.kind] += 1
            calls += trial.verdict.calls
            faults += trial.verdict.faults
            if arguments.failing and trial.verdict.kind == "both fail":
                print(f"both fail\t{trial.task.name}\t{trial.verdict.detail!r}", flush=True)
            if trial.verdict.differs:
                found[cause(trial)].append(trial)
                print(
                    f"{trial.verdict.kind}\t{trial.task.name}\t{'+'.join(trial.passes)}\t{trial.verdict.detail!r}",
                    flush=True,
                )
        seconds = time.monotonic() - started
        total = sum(counts.values())
        print(f"\n{total} files in {seconds:.0f} s ({total / seconds * 60:.0f} a minute)")
        print(f"{calls} calls compared, {faults} made to fail")
        for kind, count in counts.most_common():
            print(f"  {count:6}  {kind}")
        minimizer = Minimizer(pool, oracle.parse)
        small_causes: dict[str, list[str]] = defaultdict(list)
        number = 0
        for name, trials in sorted(found.items(), key=lambda pair: -len(pair[1])):
            print(f"\n{len(trials)} x {name}")
            for trial in trials[: arguments.minimize]:
                small = minimizer.minimize(trial)
                number += 1
                small_causes[cause(small)].append(trial.task.name)
                print(f"  {trial.task.name}\n    {cause(small)}: {small.verdict.detail[:300]!r}")
                print(
                    "".join(f"    | {line}\n" for line in small.task.text.decode("utf-8", "replace").split("\n")),
                    flush=True,
                )
                if arguments.keep:
                    keep(arguments.keep, number, trial, small)
    for name, names in sorted(small_causes.items()):
        print(f"{len(names)} minimised: {name}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
