"""Compare the speed and memory of dfopt and its peers: `python -m tests.bench DIR [--files N]`.

Every program gets the same sample of the Dockerfiles below DIR in one start; programs take turns, so that a machine
that slows down for a while slows all of them; each figure is the median. Programs that are missing or fail have a row
that says so. Programs that take one file (see each.py) get the first --each files of the sample, as their row says.

Of what the writing programs made, in two unmeasured runs: `broken` counts files that BuildKit took before and
refuses now, `changed again` those that the second run changes, `comments lost` those whose comments are not all there
after the first (see comments.py). A second table, of short runs, second runs and growth, is that of cold.py, with the
peers that read one file beside dfopt. The peers, once, somewhere outside this tree:

    python3 -m venv PEERS && PEERS/bin/pip install -r tests/bench/peers.txt
    npm install --prefix PEERS @reteps/dockerfmt@0.5.4 && ln -s ../node_modules/.bin/dockerfmt PEERS/bin/
    python -m tests.bench DIR --peers-bin PEERS/bin
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from . import cold
from .measure import Bench, Row, Run, summary
from .report import header, table, versions
from .sample import Sample, SampleError, draw, oracle_screen
from .tool import Tool
from .tools import all_tools, readers_of_one_file, tally_screen

if TYPE_CHECKING:
    from .verdicts import Verdict

SMALL = """\
FROM debian:12
RUN apt-get update && apt-get install -y curl
WORKDIR /srv
COPY . .
EXPOSE 8080
CMD ["./serve", "--port", "8080"]
"""


def arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("directory", type=Path, metavar="DIR", help="folder of real Dockerfiles")
    parser.add_argument("--files", type=int, default=2000, metavar="N", help="size of the sample (default %(default)s)")
    parser.add_argument("--repeat", type=int, default=3, metavar="N", help="runs per program (default %(default)s)")
    parser.add_argument("--cold", type=int, default=20, metavar="N", help="starts on one file (default %(default)s)")
    parser.add_argument("--each", type=int, default=300, metavar="N",
                        help="files for programs that need a start for each (default %(default)s)")  # fmt: skip
    parser.add_argument("--only", action="append", metavar="TEXT", help="only rows whose name has TEXT (repeatable)")
    parser.add_argument("--dfopt", type=shlex.split, metavar="COMMAND", help="how to start dfopt")
    parser.add_argument("--peers-bin", type=Path, metavar="DIR", help="where the peers are, before PATH (peers.txt)")
    parser.add_argument("--oracle", type=Path, metavar="FILE", help="BuildKit's parser; default: built here")
    parser.add_argument(
        "--before", type=Path, metavar="VENV", help="an earlier dfopt to compare with, in cold.py's table"
    )
    parser.add_argument("--quick", action="store_true", help="small sizes, few runs: for tests")
    parser.add_argument("--timeout", type=float, default=1800, metavar="S", help="limit of one run")
    args = parser.parse_args(argv)
    if args.quick:
        args.repeat = args.cold = 1
    if min(args.files, args.repeat, args.cold, args.each) < 1 or args.timeout <= 0:
        parser.error("--files, --repeat, --cold, --each and --timeout must be positive")
    if not args.directory.is_dir():
        parser.error(f"{args.directory} is no directory")
    return args


def find_oracle(given: Path | None) -> tuple[Path | None, str]:
    """The oracle program, built if it can be; or None and what is missing."""
    if given is not None:
        return (given.resolve(), "") if given.is_file() else (None, str(given))
    from tests import oracle_client

    try:
        return oracle_client.build(), ""
    except (oracle_client.OracleMissing, oracle_client.OracleError) as error:
        return None, str(error).partition("\n")[0]


def small_sample(scratch: Path) -> Sample:
    root = scratch / "small"
    (root / "00000").mkdir(parents=True)
    (root / "00000" / "Dockerfile").write_text(SMALL)
    return Sample(root, ["00000/Dockerfile"], len(SMALL), {})


def say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


def measure(bench: Bench, tools: Sequence[Tool], sample: Sample, repeat: int, cold: int) -> dict[str, Row]:
    """A row for each installed tool. One start that does not count warms the page cache and compiled code."""
    small = small_sample(bench.scratch)
    colds: dict[str, list[Run]] = {tool.name: [] for tool in tools}
    runs: dict[str, list[Run]] = {tool.name: [] for tool in tools}
    for turn in range(cold + 1):
        for tool in tools:
            run = bench.run(tool, small, watch=False)
            if turn:
                colds[tool.name].append(run)
    for turn in range(repeat):
        for tool in tools:
            run = bench.run(tool, sample)
            runs[tool.name].append(run)
            say(f"run {turn + 1}/{repeat}  {tool.name}: {run.wall:.1f} s {run.note}")
    return {tool.name: summary(runs[tool.name], colds[tool.name]) for tool in tools}


def judge(bench: Bench, tools: Sequence[Tool], sample: Sample) -> dict[str, Verdict]:
    """BuildKit's verdict on what the writing programs made; none where the oracle cannot be built."""
    from tests import oracle_client

    from .verdicts import verdicts

    try:
        return verdicts(bench, tools, sample)
    except (oracle_client.OracleMissing, oracle_client.OracleError) as error:
        say(f"not judged: {error}")
        return {}


def main(argv: Sequence[str]) -> int:
    args = arguments(argv)
    if not sys.platform.startswith("linux"):
        say("python -m tests.bench: reads Linux's /proc, so it runs on Linux only")
        return 2
    load = os.getloadavg()[0]
    oracle, oracle_missing = find_oracle(args.oracle)
    tools = all_tools(args.dfopt, args.peers_bin, oracle, oracle_missing, args.each)
    chosen = [t for t in tools if t.command and (not args.only or any(text in t.name for text in args.only))]
    if not chosen:
        say("python -m tests.bench: nothing to measure: no chosen program is installed")
        return 2
    if args.files * 25 + 20_000 > os.sysconf("SC_ARG_MAX"):  # a name, its end and its pointer; and the environment
        say(f"python -m tests.bench: --files {args.files}: more names than one command line holds on this machine")
        return 2
    scratch = Path(tempfile.mkdtemp(prefix="dfopt-bench-"))
    try:
        bench = Bench(scratch, args.timeout)
        screens = [oracle_screen(oracle)] if oracle else []
        for tool in [tool for tool in chosen if tool.name.startswith("tally")][:1]:
            screen = tally_screen(tool, bench.environment(bench.home(tool), {}))
            screens += [screen] if screen else []
        (scratch / "sample").mkdir()
        sample = draw(args.directory, args.files, scratch / "sample", screens)
        rows = measure(bench, chosen, sample, args.repeat, args.cold)
        judged = judge(bench, [tool for tool in chosen if not rows[tool.name].failed], sample) if oracle else {}
    except SampleError as error:
        say(f"python -m tests.bench: {error}")
        return 2
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    for path, reason in sorted(sample.rejected.items()):
        say(f"left out: {path}: {reason}")
    print(header(sample, str(args.directory), args.repeat, args.cold, len(SMALL), load))
    print(table(tools, rows, len(sample.names), judged))
    print("\n" + versions(chosen) + "\n")
    return cold.main(cold_arguments(args, tools))


def cold_arguments(args: argparse.Namespace, tools: Sequence[Tool]) -> list[str]:
    """The arguments of cold.py's table: the same directory, dfopt and peers, which only read there."""
    words = [str(args.directory), *(["--quick"] if args.quick else [])]
    words += ["--dfopt", shlex.join(args.dfopt)] if args.dfopt else []
    words += ["--before", str(args.before)] if args.before else []
    for name, command in readers_of_one_file(tools).items():
        words += ["--peer", f"{name}={shlex.join(command)}"]
    return words


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
