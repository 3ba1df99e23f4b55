"""What a writing program's fixes are worth: files that BuildKit refuses afterwards, that change once more, that lost
a comment."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tests.oracle_client import Oracle

from .comments import lost
from .measure import Bench, share
from .sample import Sample
from .tool import Tool


class Verdict(NamedTuple):
    broken: int  # files that BuildKit's parser and LLB conversion took before the fix and refuse after it
    again: int  # files that a second run changes
    lost: int  # files whose comments are not all there after the fix; see comments.py


def twice(bench: Bench, tool: Tool, sample: Sample) -> list[list[bytes]]:
    """The contents before, after one run and after a second one, unmeasured. Raises subprocess.TimeoutExpired.

    A program that is started for each file does its files on all cores.
    """
    assert tool.command is not None
    work = Path(tempfile.mkdtemp(prefix="judge-", dir=bench.scratch))
    try:
        tree = work / "tree"
        shutil.copytree(sample.root, tree)
        contents = [list(sample.originals())]
        slices = (os.cpu_count() or 1) if tool.first else 1
        for _ in range(2):
            environment = bench.environment(bench.home(tool), dict(tool.env))
            parts = [part for part in (sample.names[i::slices] for i in range(slices)) if part]
            running = [
                subprocess.Popen(
                    [*tool.command, *part], cwd=tree, env=environment, stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
                ) for part in parts
            ]  # fmt: skip
            end = time.monotonic() + bench.limit
            try:
                for process in running:
                    process.wait(max(0.0, end - time.monotonic()))
            finally:
                for process in running:
                    if process.poll() is None:
                        os.killpg(process.pid, signal.SIGKILL)
                        process.wait()
            contents.append([(tree / name).read_bytes() for name in sample.names])
        return contents
    finally:
        shutil.rmtree(work)


def verdict(bench: Bench, tool: Tool, sample: Sample, oracle: Oracle) -> Verdict:
    """Judges two runs over one copy of the tool's share of the sample. Raises subprocess.TimeoutExpired."""
    before, once, again = twice(bench, tool, share(tool, sample))
    changed = [(a, b) for a, b in zip(before, once, strict=True) if a != b]
    return Verdict(
        sum(refused(oracle, b) and not refused(oracle, a) for a, b in changed),
        sum(a != b for a, b in zip(once, again, strict=True)),
        sum(lost(a, b) for a, b in changed),
    )


def refused(oracle: Oracle, content: bytes) -> bool:
    """Whether BuildKit would not build the file."""
    seen = oracle.parse(content)
    return bool(seen.get("err") or seen.get("inst_err")) or "err" in oracle.llb(content)


def verdicts(bench: Bench, tools: Sequence[Tool], sample: Sample) -> dict[str, Verdict]:
    """The verdict on each program that writes; none on one that runs past the limit."""
    found: dict[str, Verdict] = {}
    with Oracle() as oracle:
        for tool in tools:
            if tool.writes and tool.command:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    found[tool.name] = verdict(bench, tool, sample, oracle)
    return found
