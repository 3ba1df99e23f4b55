"""What short runs and second runs take: `python -m tests.bench.cold DIR [--files N] [--peer NAME=COMMAND]`.

DIR holds real Dockerfiles. Each figure is CPU time of a process and its children (user and system), since other work
on the machine makes it wait, but does not count there. Programs take turns; of the rounds, the least counts, which is
the run that was disturbed least. Prints a table in Markdown:

- one small file: by itself, in a checkout of 10,000 directories, and with a parent asked for there;
- the version, and the help;
- each of N files of DIR in a process of its own: the sum over all, and the median of the ratios to the first peer;
- all files of DIR in one process: without a cache, and a second time with it;
- the language server until it has answered for its first document;
- how the time grows (`scaling`): with the build context, the children of a file, the instructions of one;
- with --before, all files of DIR (at most 2,000, and 240 a repository) on two processes by dfopt and by an earlier one.

--quick is for tests: the same rows, of small sizes, once.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from . import scaling

SMALL = "FROM debian:13\nRUN apt-get update\nRUN apt-get install -y curl\nCOPY . /srv\nCMD /srv/run\n"
CHILD = "FROM org/platform-base\nRUN apt-get install -y curl\nCOPY . /srv\n"
DIRECTORIES = 10_000
MOST_FILES, MOST_OF_A_REPOSITORY = 2_000, 240  # of a comparison with an earlier dfopt


class Clock:
    """Runs commands in turns, with what is derived and cached in a place of this run's own."""

    def __init__(self, place: Path, rounds: int) -> None:
        self.rounds = rounds
        kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        self.environment = {**kept, "DFOPT_CACHE_DIR": str(place / "cache")}

    def least(self, commands: Sequence[tuple[Sequence[str], Path]]) -> list[float]:
        """CPU milliseconds of each command in its directory, after two rounds that do not count."""
        taken: list[list[float]] = [[] for _ in commands]
        for number in range(self.rounds + 2):
            for values, (command, directory) in zip(taken, commands, strict=True):
                milliseconds = self.once(command, directory)
                if number > 1:
                    values.append(milliseconds)
        return [min(values) for values in taken]

    def once(self, command: Sequence[str], directory: Path) -> float:
        process = subprocess.Popen(
            command, cwd=directory, env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        return _end(process)

    def server(self, command: Sequence[str], directory: Path) -> float:
        """CPU milliseconds of the language server until the findings of its first document are there."""
        process = subprocess.Popen(
            [*command, "lsp"], cwd=directory, env=self.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        assert process.stdin is not None
        assert process.stdout is not None
        uri = (directory / "Dockerfile").resolve().as_uri()
        document = {"uri": uri, "languageId": "dockerfile", "version": 1, "text": SMALL}
        pulls: dict[str, object] = {"textDocument": {"diagnostic": {}}}
        for number, (method, given) in enumerate(
            [
                ("initialize", {"processId": None, "rootUri": None, "capabilities": pulls}),
                ("initialized", {}),
                ("textDocument/didOpen", {"textDocument": document}),
                ("textDocument/diagnostic", {"textDocument": {"uri": uri}}),
                ("shutdown", None),
                ("exit", None),
            ]
        ):
            asks = method in ("initialize", "textDocument/diagnostic", "shutdown")
            message = {"jsonrpc": "2.0", "method": method, "params": given, **({"id": number} if asks else {})}
            content = json.dumps(message).encode()
            process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(content) + content)
            process.stdin.flush()
            while asks and _message(process.stdout).get("id") != number:
                pass
        return _end(process)


def _end(process: subprocess.Popen[bytes]) -> float:
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 1, 2):  # 2: among real files, some are no Dockerfiles
        raise SystemExit(f"{shlex.join(map(str, process.args))}: exit status {process.returncode}")  # type: ignore[arg-type]
    return (usage.ru_utime + usage.ru_stime) * 1000


def _message(stream: IO[bytes]) -> dict[str, object]:
    length = 0
    while (line := stream.readline().strip()) != b"":
        if line.lower().startswith(b"content-length:"):
            length = int(line.partition(b":")[2])
    message: dict[str, object] = json.loads(stream.read(length))
    return message


def checkout(place: Path, directories: int) -> Path:
    """A repository of many directories; gives the one of its Dockerfiles."""
    for number in range(directories):
        directory = place / f"{number // 100:03}" / f"{number % 100:02}"
        directory.mkdir(parents=True)
        (directory / "file.txt").touch()
    service = place / "services" / "shop"
    service.mkdir(parents=True)
    (service / "Dockerfile").write_text(SMALL)
    (service / "Dockerfile.child").write_text(CHILD)
    for words in (("init", "-q"), ("add", "--all")):
        subprocess.run(["git", *words], cwd=place, check=True)
    return service


def compared(clock: Clock, dfopt: Sequence[str], before: Path, every: Sequence[Path], place: Path) -> tuple[str, str]:
    """The row of both on the same files. A file's repository is what its path, or its name up to the second `+`,
    begins with."""
    of_repository: dict[str, int] = {}
    chosen: list[Path] = []
    for path in every:
        repository = "+".join(path.name.split("+")[:2]) if "+" in path.name else path.parent.name
        of_repository[repository] = of_repository.get(repository, 0) + 1
        if of_repository[repository] <= MOST_OF_A_REPOSITORY and len(chosen) < MOST_FILES:
            chosen.append(path)
    for number, path in enumerate(chosen):
        (place / f"{number:05}").mkdir(parents=True)
        shutil.copy(path, place / f"{number:05}" / "Dockerfile")
    words = ("fix", "-q", "-j2", "--no-cache", ".")
    now, then = clock.least([([*dfopt, *words], place), ([str(before / "bin" / "dfopt"), *words], place)])
    return f"{len(chosen):,} files on two processes", f"{now:,.0f} ms (before: {then:,.0f} ms, {then / now:.2f} times)"


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.cold", description=__doc__)
    parser.add_argument("directory", type=Path, metavar="DIR")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--files", type=int, default=40)
    parser.add_argument("--before", type=Path, metavar="VENV", help="the virtual environment of an earlier dfopt")
    parser.add_argument("--quick", action="store_true", help="small sizes, each once")
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=COMMAND")
    parser.add_argument("--dfopt", type=shlex.split, default=[str(Path(sys.executable).with_name("dfopt"))])
    args = parser.parse_args(argv)
    directories = 20 if args.quick else DIRECTORIES
    if args.quick:
        args.rounds, args.files = 1, min(args.files, 2)
    given = {name: shlex.split(command) for name, _, command in (word.partition("=") for word in args.peer)}
    peers = {name: command for name, command in given.items() if command}
    fix, cold = [*args.dfopt, "fix"], [*args.dfopt, "fix", "--no-cache"]
    with tempfile.TemporaryDirectory(prefix="dfopt-bench-") as name:
        place = Path(name)
        clock = Clock(place, args.rounds)
        alone, service = place / "alone", checkout(place / "checkout", directories)
        alone.mkdir()
        for file in ("Dockerfile", "Dockerfile.child"):
            shutil.copy(service / file, alone)
        names = ("a small file, alone", f"in a checkout of {directories:,} directories", "there, its base sought")
        starts: list[tuple[Sequence[str], Path]] = [
            ([*cold, "Dockerfile"], alone), ([*cold, "Dockerfile"], service), ([*cold, "Dockerfile.child"], service),
            ([*args.dfopt, "--version"], alone), ([*args.dfopt, "--help"], alone),
            ([sys.executable, "-c", "pass"], alone),
            *((([*command, "Dockerfile"]), alone) for command in peers.values()),
        ]  # fmt: skip
        titles = [
            *names,
            "`--version`",
            "`--help`",
            "`python -c pass`",
            *(f"the small file: {peer}" for peer in peers),
        ]
        rows = [(title, f"{value:.0f} ms") for title, value in zip(titles, clock.least(starts), strict=True)]
        rows += [(f"the small file: {name}", "not installed") for name, command in given.items() if not command]
        rows.append(
            ("language server, first answer", f"{min(clock.server(args.dfopt, alone) for _ in range(5)):.0f} ms")
        )
        every = sorted(path for path in args.directory.rglob("*") if path.is_file())
        sample = random.Random(16).sample(every, min(args.files, len(every)))
        of_each = {"dfopt": cold, **peers}
        figures = {program: [] for program in of_each}  # type: dict[str, list[float]]
        for path in sample:
            values = clock.least([([*command, str(path.resolve())], alone) for command in of_each.values()])
            for program, value in zip(of_each, values, strict=True):
                figures[program].append(value)
        for program, of_program in figures.items():
            first = figures[next(iter(peers), "dfopt")]
            median = statistics.median(value / other for value, other in zip(of_program, first, strict=True))
            share = f"{sum(of_program) / sum(first):.2f} by sum, {median:.2f} by median"
            rows.append((f"{len(sample)} files, a start each: {program}", f"{sum(of_program):.0f} ms ({share})"))
        tree = place / "tree"
        for number, path in enumerate(every):
            (tree / f"{number:05}").mkdir(parents=True)
            shutil.copy(path, tree / f"{number:05}" / "Dockerfile")
        first_run, second_run = clock.least([([*cold, "-q", "-j1", "."], tree), ([*fix, "-q", "-j1", "."], tree)])
        rows.append((f"{len(every):,} files in one process", f"{first_run:,.0f} ms"))
        rows.append(("the same from the cache", f"{second_run:,.0f} ms ({first_run / second_run:.1f} times faster)"))
        rows += scaling.rows(clock, args.dfopt, place / "scaling", scaling.QUICK if args.quick else scaling.Sizes())
        if args.before is not None:
            rows.append(compared(clock, args.dfopt, args.before, every, place / "compared"))
    print("| what | CPU time |\n|---|---|")
    print("\n".join(f"| {title} | {figure} |" for title, figure in rows))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
