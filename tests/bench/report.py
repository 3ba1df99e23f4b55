"""The table that a comparison prints."""

from __future__ import annotations

import os
import platform
import shlex
import subprocess
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from .measure import Row
from .sample import Sample
from .tool import Tool

if TYPE_CHECKING:
    from .verdicts import Verdict

HEAD = (
    "program", "files/s", "files/CPU s", "wall s", "CPU s", "peak MB", "1 file: CPU ms", "wall ms", "changed", "broken",
    "changed again", "comments lost", "",
)  # fmt: skip
FIGURES = len(HEAD) - 2


def calibrate() -> float:
    """CPU seconds of five million additions in this interpreter: what a second on this machine is worth."""
    start = time.process_time()
    total = 0
    for number in range(5_000_000):
        total += number
    return time.process_time() - start


def versions(tools: Sequence[Tool]) -> str:
    """One line for each program measured: how it was started, and the first line of what it says its version is."""
    lines: dict[str, str] = {}
    for tool in tools:
        key = shlex.join(tool.version[:-1])
        if key in lines:
            continue
        try:
            run = subprocess.run(
                tool.version, capture_output=True, text=True, check=False, timeout=60, env={**os.environ, **tool.env}
            )
            said = run.stdout.strip().partition("\n")[0] if run.returncode == 0 else ""
        except (OSError, subprocess.TimeoutExpired):
            said = ""
        lines[key] = f"{key}: {said or 'version unknown'}"
    return "\n".join(lines.values())


def rate(files: int, seconds: float) -> str:
    """Files per second; the kernel may account no time at all to a very short run."""
    return f"{files / seconds:.0f}" if seconds else "-"


def table(
    tools: Sequence[Tool], rows: dict[str, Row], files: int, verdicts: Mapping[str, Verdict] | None = None
) -> str:
    """Markdown, aligned; a program without figures keeps its row, and one that got a part of the files says so."""
    lines: list[tuple[str, ...]] = [HEAD]
    for tool in tools:
        row = rows.get(tool.name)
        each = min(tool.first or files, files)
        if row is None:
            note = f"not installed: {tool.missing}" if tool.command is None else "not selected"
            lines.append((tool.name, *["-"] * FIGURES, note))
        elif row.failed:
            lines.append((tool.name, *["-"] * FIGURES, f"failed: {row.note}"))
        else:
            note = "; ".join([f"first {each} files, a start each"] * bool(tool.first) + [row.note] * bool(row.note))
            lines.append((
                tool.name, rate(each, row.wall), rate(each, row.cpu), f"{row.wall:.2f}", f"{row.cpu:.2f}",
                f"{row.peak / 1024:.0f}", f"{row.cold_cpu * 1000:.0f}", f"{row.cold_wall * 1000:.0f}",
                str(row.changed) if tool.writes else "reads only",
                *(str(n) if n is not None else "-" for n in (verdicts or {}).get(tool.name, (None, None, None))), note,
            ))  # fmt: skip
    ends = (0, len(HEAD) - 1)  # text; the others are figures
    widths = [max(len(line[i]) for line in lines) for i in range(len(HEAD))]
    lines.insert(1, tuple(("-" * w if i in ends else "-" * (w - 1) + ":") if w else "" for i, w in enumerate(widths)))
    just = [str.ljust if i in ends else str.rjust for i in range(len(HEAD))]
    return "\n".join(
        ("| " + " | ".join(just[i](cell, widths[i]) for i, cell in enumerate(line)) + " |").rstrip() for line in lines
    )


def header(sample: Sample, directory: str, repeat: int, cold: int, small: int, load: float) -> str:
    """What was measured, where, and how fast this machine is."""
    return (
        f"{len(sample.names)} files, {sample.size} bytes, from {directory}"
        f" ({len(sample.rejected)} others left out: a reader refuses them); median of {repeat} runs,"
        f" {cold} starts on one file of {small} bytes\n"
        f"{os.cpu_count()} cores, load {load:.1f} at the start, Python {platform.python_version()},"
        f" five million additions in {calibrate():.2f} s\n"
        + ("Others used this machine at the same time: trust the CPU figures, not files/s.\n" if load > 0.5 else "")
    )
