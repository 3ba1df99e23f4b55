"""Runs the whole command line on mutated inputs of all its readers; what must be 0 is the number of failures.

    python -m tests.tools.fuzz [--minutes N | --count N] [--seed N] [--reader NAME ...] [--keep DIR] [--unguided]
    python -m tests.tools.fuzz --replay DIR

A failure is: a traceback or an internal error, a status that is not documented, a process that takes too much time or
memory, is killed, waits for ever or leaves another one behind, a file that is changed by a command which only reads, an
erroneous file that is changed, a temporary file that stays, a report that no reader of its format takes, and a raw
control character on standard error. The first of each class is made smaller and kept in DIR, to be run by --replay.

Inputs start from the project's own cases, and from inputs whose messages were new. With the package atheris installed
and --minutes, the code that an input reaches decides instead (`guided`).
"""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import random
import signal
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path

from tests.tools.fuzz import readers
from tests.tools.fuzz.minimise import minimised
from tests.tools.fuzz.model import Input, Outcome
from tests.tools.fuzz.session import TOGETHER, Session

POOL = 400  # inputs of a reader that were novel


def preload() -> None:
    """Imports everything once, before the children are forked."""
    import dfopt

    for info in pkgutil.walk_packages(dfopt.__path__, "dfopt."):
        if not info.name.endswith("__main__"):
            importlib.import_module(info.name)
    for name in (
        "httpx",
        "jinja2.sandbox",
        "libcst",
        "ruamel.yaml",
        "pygls.lsp.server",
        "dockerfile_parse",
        "zstandard",
        "typer",
    ):
        try:
            importlib.import_module(name)
        except ImportError:
            print(f"fuzz: {name} is not installed: its readers are left out", file=sys.stderr)


class Campaign:
    """The counts, the novel inputs and the failures of a run."""

    def __init__(self, session: Session, seed: int, keep: Path | None) -> None:
        self.session = session
        self.seed = seed
        self.keep = keep
        self.runs: Counter[str] = Counter()
        self.statuses: dict[str, Counter[int]] = defaultdict(Counter)
        self.failures: Counter[tuple[str, str]] = Counter()
        self.seen: dict[str, set[frozenset[str]]] = defaultdict(set)
        self.pool: dict[str, list[Input]] = defaultdict(list)
        self.slowest: dict[str, float] = defaultdict(float)

    def inputs(self, number: int, names: list[str], count: int) -> list[Input]:
        """The inputs of batch `number`: a function of the seed and of what was novel before."""
        chance = random.Random(f"{self.seed} {number}")
        weights = [readers.READERS[name][0] for name in names]
        name = (
            names[number] if number < len(names) else chance.choices(names, weights)[0]
        )  # each once, in the beginning
        given: list[Input] = []
        for _ in range(count):
            pool = self.pool[name]
            start = chance.choice(pool) if pool and chance.random() < 0.3 else readers.READERS[name][1](chance)
            given.append(readers.mutated(start, chance))
        return given

    def batch(self, inputs: list[Input]) -> None:
        for given, outcome in zip(inputs, self.session.run(inputs), strict=True):
            self.note(given, outcome)

    def note(self, given: Input, outcome: Outcome) -> None:
        name = given.reader
        self.runs[name] += 1
        self.statuses[name][outcome.status] += 1
        self.slowest[name] = max(self.slowest[name], outcome.cpu)
        if outcome.messages not in self.seen[name] and not outcome.failure:
            self.seen[name].add(outcome.messages)
            pool = self.pool[name]
            size = sum(map(len, given.files.values())) + len(given.stdin)
            if size < 100_000:
                pool.append(given)
                if len(pool) > POOL:
                    del pool[0]
        if outcome.failure:
            self.failed(given, outcome)

    def failed(self, given: Input, outcome: Outcome) -> None:
        key = (given.reader, outcome.failure)
        self.failures[key] += 1
        if self.failures[key] > 1:
            return
        print(f"FAILURE {given.reader}: {outcome.failure}: dfopt {' '.join(given.argv)}", flush=True)
        if self.keep is None:
            print(outcome.details[-3000:], flush=True)
            return
        place = self.keep / f"{given.reader}-{len(self.failures):03}"
        given.keep(place, f"{outcome.failure}\n\n{outcome.details}")

        def fails(candidate: Input) -> bool:
            return next(iter(self.session.run([candidate]))).failure == outcome.failure

        if not fails(given):
            with open(place / "why.txt", "a") as file:
                file.write("\nalone, this input does not fail: it needs those that ran before in its process\n")
            return
        small = minimised(given, fails, 60 if outcome.failure.startswith("hang") else 250)
        small.keep(place / "smaller", outcome.failure)

    def report(self) -> None:
        print(f"{'reader':12} {'inputs':>8} {'0':>7} {'1':>7} {'2':>7} {'slowest':>8}  failures")
        for name in sorted(self.runs):
            status = self.statuses[name]
            bad = sum(count for (reader, _), count in self.failures.items() if reader == name)
            print(
                f"{name:12} {self.runs[name]:8} {status[0]:7} {status[1]:7} {status[2]:7} {self.slowest[name]:6.1f} s  {bad}"
            )
        print(f"{'all':12} {sum(self.runs.values()):8} {'':39}  {sum(self.failures.values())}")
        for (reader, failure), count in sorted(self.failures.items()):
            print(f"{count:6} {reader}: {failure}")
        sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.tools.fuzz", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=0)
    parser.add_argument("--count", type=int, default=2000, help="inputs, where --minutes is not given")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--reader", action="append", choices=sorted(readers.READERS))
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--unguided", action="store_true", help="not by coverage, though atheris is installed")
    parser.add_argument("--replay", type=Path)
    given = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    names = given.reader or sorted(readers.READERS)
    guided = bool(given.minutes) and not given.unguided and not given.replay
    if guided:
        try:
            import atheris
        except ImportError:
            print("fuzz: atheris is not installed: mutation without coverage", file=sys.stderr)
            guided = False
    if guided:
        print("guided by coverage", flush=True)
        with atheris.instrument_imports(include=["dfopt"], exclude=["dfopt.record"]):  # which makes code objects itself
            preload()
    else:
        preload()
    with Session() as session:
        if given.replay:
            outcome = next(iter(session.run([Input.unpack((given.replay / "input.json").read_bytes())])))
            print(f"status {outcome.status}: {outcome.failure or 'no failure'}\n{outcome.details}")
            return bool(outcome.failure)
        campaign = Campaign(session, given.seed, given.keep)
        if guided:
            from tests.tools.fuzz.guided import run
        end, shown, number = time.monotonic() + given.minutes * 60, time.monotonic(), 0
        try:
            if guided:
                run(campaign, names, given.minutes)
            while time.monotonic() < end if given.minutes else sum(campaign.runs.values()) < given.count:
                campaign.batch(campaign.inputs(number, names, TOGETHER))
                number += 1
                if time.monotonic() - shown > 300:
                    campaign.report()
                    shown = time.monotonic()
        except KeyboardInterrupt:
            print("stopped")
        campaign.report()
        return 1 if campaign.failures else 0


if __name__ == "__main__":
    sys.exit(main())
