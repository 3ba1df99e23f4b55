"""A small case from a large one: delta debugging over instructions, then over the commands of RUNs, then over
passes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from .pool import Pool, Task, Trial
from .trial import Verdict

_JOINTS = re.compile(rb"(\s*(?:&&|\|\||;)\s*(?:\\\n\s*)?|\s*\\\n\s*(?:&&|;)\s*)")


def sort_of(verdict: Verdict) -> str:
    """What has to stay for a smaller file to show the same."""
    if verdict.kind == "fault":
        return "fault: " + ("fails" if ": fails: " in verdict.detail else "other")
    if verdict.kind == "fails":
        return "fails: " + verdict.detail.partition(":")[0]
    return verdict.kind


class Minimizer:
    """`budget`: how many trials one case may cost."""

    def __init__(self, pool: Pool, parse: Callable[[bytes], dict[str, Any]], budget: int = 160) -> None:
        self.pool, self.parse, self.budget = pool, parse, budget
        self.left = 0

    def minimize(self, trial: Trial) -> Trial:
        """The smallest file found that differs in the same way by one of the same passes."""
        self.left = self.budget
        sort = sort_of(trial.verdict)
        checks = trial.task.checks
        if trial.verdict.kind == "fault":  # another call may be the one in a smaller file
            checks = replace(checks, faults=-1)
        start = Trial(replace(trial.task, checks=checks), trial.passes, trial.after, trial.verdict)
        best = self._passes(start, sort)
        while True:
            size = len(best.task.text)
            best = self._units(best, self._instructions(best.task.text), sort)
            for number in range(len(self._instructions(best.task.text))):
                lines = self._instructions(best.task.text)
                if number < len(lines):
                    best = self._commands(best, lines, number, sort)
            if len(best.task.text) == size or self.left <= 0:
                return best

    def _holds(self, trial: Trial, sort: str, passes: Iterable[str]) -> bool:
        return trial.verdict.differs and sort_of(trial.verdict) == sort and bool(set(trial.passes) & set(passes))

    def _first(self, candidates: Sequence[Task], best: Trial, sort: str) -> Trial | None:
        """The first candidate that shows the same; as many are tried at once as there are workers."""
        for at in range(0, len(candidates), self.pool.workers):
            if self.left <= 0:
                return None
            some = candidates[at : at + self.pool.workers]
            self.left -= len(some)
            for trial in self.pool.run(some):
                if self._holds(trial, sort, best.passes):
                    return trial
        return None

    def _passes(self, best: Trial, sort: str) -> Trial:
        """The one pass that does it alone."""
        if len(best.passes) < 2:
            return best
        found = self._first([replace(best.task, select=(name,)) for name in best.passes], best, sort)
        return found or best

    def _instructions(self, text: bytes) -> list[bytes]:
        """The instructions with their comments, as bytes."""
        lines = text.split(b"\n")
        starts = sorted({node.get("start", 1) - 1 for node in self.parse(text).get("ast") or []})
        if not starts:
            return [text]
        bounds = [0, *starts[1:], len(lines)]
        return [b"\n".join(lines[low:high]) for low, high in pairwise(bounds)]

    def _units(self, best: Trial, units: list[bytes], sort: str) -> Trial:
        size = max(1, len(units) // 2)
        while units and self.left > 0:
            tries = [[*units[:at], *units[at + size :]] for at in range(0, len(units), size)]
            tasks = [replace(best.task, text=b"\n".join(kept)) for kept in tries if kept]
            found = self._first(tasks, best, sort)
            if found is not None:
                best = found
                units = self._instructions(best.task.text)
                size = min(size, max(1, len(units) // 2))
            elif size == 1:
                break
            else:
                size //= 2
        return best

    def _commands(self, best: Trial, lines: list[bytes], number: int, sort: str) -> Trial:
        """Takes commands from one RUN."""
        line = lines[number]
        if not re.match(rb"(?:\s*#[^\n]*\n|\s*\n)*\s*run\s", line, re.IGNORECASE) or b"<<" in line:
            return best
        head = re.match(rb"(?:\s*#[^\n]*\n|\s*\n)*\s*run\s+(?:--\S+\s+)*", line, re.IGNORECASE)
        assert head is not None
        pieces = _JOINTS.split(line[head.end() :])
        while len(pieces) >= 3 and self.left > 0:
            tries: list[list[bytes]] = []
            for size in dict.fromkeys((len(pieces) // 4 * 2, 2)):
                if size >= 2:
                    tries += [pieces[:at] + pieces[at + size :] for at in range(0, len(pieces) - 1, size)]
            tries.append(pieces[:-2])
            tasks = []
            for kept in tries:
                body = head.group() + b"".join(kept)
                tasks.append(replace(best.task, text=b"\n".join([*lines[:number], body, *lines[number + 1 :]])))
            found = self._first(tasks, best, sort)
            if found is None:
                break
            best = found
            pieces = tries[[task.text for task in tasks].index(best.task.text)]
        return best
