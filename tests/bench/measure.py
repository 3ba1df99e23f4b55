"""One measured run of one program, and the medians over several."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from .sample import Sample
from .tool import Tool

PROBE = Path(__file__).with_name("probe.py")
SAMPLE_EVERY = 0.1  # seconds between two looks at the process tree


class Run(NamedTuple):
    wall: float  # seconds
    cpu: float  # seconds, user and system, of the program and every process it waited for
    peak: int  # KiB; see `Bench.run`
    changed: int  # files whose bytes differ afterwards
    note: str  # of a complete run: empty
    failed: bool  # the run did not do the work: its times mean nothing


class Row(NamedTuple):
    """The medians of one program's runs."""

    wall: float
    cpu: float
    peak: int
    changed: int
    cold_cpu: float  # seconds for one small file
    cold_wall: float
    note: str
    failed: bool


def share(tool: Tool, sample: Sample) -> Sample:
    """What of the sample `tool` gets: all, or its first files where every file costs a start."""
    if not tool.first or tool.first >= len(sample.names):
        return sample
    names = sample.names[: tool.first]
    return Sample(sample.root, names, sum((sample.root / name).stat().st_size for name in names), sample.rejected)


class Bench:
    """Runs programs in a workspace below `scratch`; the caller removes it."""

    def __init__(self, scratch: Path, limit: float) -> None:
        self.scratch = scratch
        self.limit = limit
        self.path = os.environ.get("PATH", os.defpath)

    def environment(self, home: Path, extra: dict[str, str]) -> dict[str, str]:
        """A small fixed environment: the user's configuration, caches and CI variables reach no program."""
        return {
            "PATH": self.path, "HOME": str(home), "XDG_CACHE_HOME": str(home / ".cache"),
            "XDG_CONFIG_HOME": str(home / ".config"), "TMPDIR": str(self.scratch), "LANG": "C.UTF-8",
            "NO_COLOR": "1", **extra,
        }  # fmt: skip

    def home(self, tool: Tool) -> Path:
        """Where the program may cache. Kept between runs for compiled code, new where results would be cached."""
        if tool.fresh_home:
            return Path(tempfile.mkdtemp(prefix="home-", dir=self.scratch))
        home = self.scratch / ("home-" + "".join(c if c.isalnum() else "-" for c in tool.name))
        home.mkdir(exist_ok=True)
        return home

    def run(self, tool: Tool, sample: Sample, *, watch: bool = True) -> Run:
        """Run `tool` over fresh copies of `sample`.

        `peak` is the largest resident set of any one process or, where `watch` saw more, the sum over the process tree
        of proportional set sizes.
        """
        assert tool.command is not None
        sample = share(tool, sample)
        work = Path(tempfile.mkdtemp(prefix="run-", dir=self.scratch))
        home = self.home(tool)
        try:
            tree = work / "tree"
            shutil.copytree(sample.root, tree)
            streams = work / "in", work / "out", work / "err"
            streams[0].write_text("".join(f"{name}\n" for name in sample.names) if tool.stdin else "")
            names = [] if tool.stdin else sample.names
            probe = subprocess.run(
                [sys.executable, "-I", "-S", str(PROBE), str(self.limit), str(SAMPLE_EVERY if watch else 0),
                 *map(str, streams), *tool.command, *names],
                cwd=tree, env=self.environment(home, dict(tool.env)), stdout=subprocess.PIPE, check=True, text=True,
            )  # fmt: skip
            cost = dict(pair.split("=") for pair in probe.stdout.split())
            changed = sum(
                (tree / name).read_bytes() != before
                for name, before in zip(sample.names, sample.originals(), strict=True)
            )
            error = streams[2].read_text(encoding="utf-8", errors="replace")
            note, failed = judge(tool, cost, changed, streams[1].stat().st_size, error, len(sample.names))
            peak = max(int(cost["maxrss"]), int(cost["tree"]))
            return Run(float(cost["wall"]), float(cost["cpu"]), peak, changed, note, failed)
        finally:
            shutil.rmtree(work)
            if tool.fresh_home:
                shutil.rmtree(home)


def judge(tool: Tool, cost: dict[str, str], changed: int, printed: int, error: str, files: int) -> tuple[str, bool]:
    """What to say of a run, and whether it failed: it must end as it should and leave a trace of its work.

    `changed` files of `files`, `printed` bytes on stdout, `error`: what it said on stderr.
    """
    code = int(cost["exit"])
    last = error.strip().rpartition("\n")[2][:120]
    told = f": {last}" if last else ""
    if cost["timeout"] == "1":
        return "killed: it ran past the limit of one run", True
    if code not in tool.ok | tool.partial or "Traceback (most recent call last)" in error:
        return f"exit {code}{told}", True
    if not changed and not printed and not (tool.first and files == 1):  # one file may need nothing; each.py checks it
        return f"exit {code}, but neither output nor a changed file{told}", True
    if changed and not tool.writes:
        return f"changed {changed} of {files} files though it should only read", True
    return (f"exit {code}{told}", False) if code in tool.partial else ("", False)


def summary(runs: Sequence[Run], cold: Sequence[Run]) -> Row:
    """Medians, each figure by itself. The first run that failed, if any, makes the row's note."""
    failures = [run.note for run in (*runs, *cold) if run.failed]
    notes = failures or [run.note for run in runs if run.note]
    middle = statistics.median
    return Row(
        middle(run.wall for run in runs), middle(run.cpu for run in runs), int(middle(run.peak for run in runs)),
        int(middle(run.changed for run in runs)), middle(run.cpu for run in cold), middle(run.wall for run in cold),
        notes[0] if notes else "", bool(failures),
    )  # fmt: skip
