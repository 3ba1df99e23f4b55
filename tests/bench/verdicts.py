"""What a writing program's fixes are worth: files that BuildKit refuses afterwards, and files that change once more."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tests.oracle_client import Oracle

from .measure import Bench
from .sample import Sample
from .tools import Tool


class Verdict(NamedTuple):
    broken: int  # files that BuildKit's parser and LLB conversion took before the fix and refuse after it
    again: int  # files that a second run changes


def verdict(bench: Bench, tool: Tool, sample: Sample, oracle: Oracle) -> Verdict:
    """Runs `tool` twice over one copy of the sample, unmeasured."""
    assert tool.command is not None
    work = Path(tempfile.mkdtemp(prefix="judge-", dir=bench.scratch))
    try:
        tree = work / "tree"
        shutil.copytree(sample.root, tree)
        contents = [list(sample.originals())]
        for _ in range(2):
            home = bench.home(tool)
            subprocess.run(
                [*tool.command, *sample.names], cwd=tree, env=bench.environment(home, dict(tool.env)), check=False,
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL, timeout=bench.limit,
            )  # fmt: skip
            contents.append([(tree / name).read_bytes() for name in sample.names])
        before, once, twice = contents
        broken = sum(
            a != b and refused(oracle, b) and not refused(oracle, a) for a, b in zip(before, once, strict=True)
        )
        return Verdict(broken, sum(a != b for a, b in zip(once, twice, strict=True)))
    finally:
        shutil.rmtree(work)


def refused(oracle: Oracle, content: bytes) -> bool:
    """Whether BuildKit would not build the file."""
    seen = oracle.parse(content)
    return bool(seen.get("err") or seen.get("inst_err")) or "err" in oracle.llb(content)


def verdicts(bench: Bench, tools: Sequence[Tool], sample: Sample) -> dict[str, Verdict]:
    """The verdict on each program that writes."""
    with Oracle() as oracle:
        return {tool.name: verdict(bench, tool, sample, oracle) for tool in tools if tool.writes and tool.command}
