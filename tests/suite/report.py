"""The outcome of a run: one line per application on standard output, everything as JSON."""

from __future__ import annotations

import difflib
import statistics
from collections.abc import Sequence
from typing import Any

from .trial import Side, Trial

_MB = 1_000_000


def table(trials: Sequence[Trial]) -> list[str]:
    """One line per application, under a heading; sizes in MB of docker's own figure, then live and dead bytes."""
    lines = [
        f"{'application':<18}{'MB':>13}{'live':>13}{'dead':>11}{'layers':>7}{'build s':>11}{'again s':>11}"
        f"{'hadolint':>9}{'tally':>7} {'user':<12}{'setuid':>7}  smoke  passes"
    ]
    lines += [_line(trial) for trial in trials]
    lines += ["", *_sums(trials)]
    return lines


def _line(trial: Trial) -> str:
    before, after = trial.before, trial.after or trial.before
    if before is None or after is None:
        return f"{trial.app.name:<18}{trial.error}"

    def pair(what: Any, form: str = "{}") -> str:
        old, new = what(before), what(after)
        shown = [form.format(value) for value in (old, new)] if old is not None else ["-"]
        return shown[0] if trial.after is None else ">".join(shown)

    mega = "{:.1f}"
    failures = before.failures + (trial.after.failures if trial.after else [])
    outcome = "FAILED" if failures or trial.error else "ok"
    told = ", ".join(f"{name} {count}" if count > 1 else name for name, count in sorted(trial.applied.items()))
    text = (
        f"{trial.app.name:<18}{pair(lambda s: s.figures.docker_bytes / _MB, mega):>13}"
        f"{pair(lambda s: s.figures.live / _MB, mega):>13}{pair(lambda s: s.figures.dead / _MB, mega):>11}"
        f"{pair(lambda s: len(s.figures.layers)):>7}{pair(lambda s: s.seconds, mega):>11}"
        f"{pair(lambda s: s.rebuild_seconds, mega):>11}{pair(lambda s: _count(s.hadolint)):>9}"
        f"{pair(lambda s: _count(s.tally)):>7} {pair(lambda s: s.figures.user or 'root'):<12}"
        f"{pair(lambda s: len(s.figures.setuid)):>7}  {outcome:<6} {told}"
    )
    notes = [*(f"before: {each}" for each in before.failures), trial.error]
    notes += [f"after: {each}" for each in (trial.after.failures if trial.after else [])]
    return "\n".join([text, *(f"    {note}" for note in notes if note)])


def _count(findings: dict[str, int] | None) -> int | None:
    return None if findings is None else sum(findings.values())


def _sums(trials: Sequence[Trial]) -> list[str]:
    changed = [(trial.before, trial.after) for trial in trials if trial.before and trial.after]
    lines = [f"{len(trials)} applications, {len(changed)} changed, {sum(not trial.ok for trial in trials)} failed"]
    if changed:
        ratios = [after.figures.docker_bytes / before.figures.docker_bytes for before, after in changed]
        old, new = (sum(pair[side].figures.docker_bytes for pair in changed) for side in (0, 1))
        lines.append(
            f"size of the changed ones: {old / _MB:.0f} MB > {new / _MB:.0f} MB, median {statistics.median(ratios):.0%}"
        )
    for name in sorted({name for trial in trials for name in trial.applied}):
        counts = [trial.applied[name] for trial in trials if name in trial.applied]
        saved = [trial.alone[name] for trial in trials if name in trial.alone]
        told = (
            f"  alone: {sum(saved) / _MB:>8.1f} MB less in {sum(1 for one in saved if one > 0)} images" if saved else ""
        )
        lines.append(f"{name:<22} {len(counts):>3} files {sum(counts):>4} fixes{told}")
    return lines


def as_json(trials: Sequence[Trial], options: Sequence[str]) -> dict[str, Any]:
    """Everything that was measured; sizes in bytes, times in seconds."""
    return {"options": list(options), "applications": [_trial(trial) for trial in trials]}


def _trial(trial: Trial) -> dict[str, Any]:
    before, after = trial.before, trial.after
    diff = ""
    if before and after:
        old, new = ([f"{line}\n" for line in side.dockerfile.split("\n")] for side in (before, after))
        diff = "".join(difflib.unified_diff(old, new, "before", "after"))
    return {
        "name": trial.app.name,
        "about": trial.app.about,
        "ok": trial.ok,
        "error": trial.error,
        "applied": trial.applied,
        "refused": trial.refused,
        "alone_bytes": trial.alone,
        "before": before and _side(before),
        "after": after and _side(after),
        "diff": diff,
    }


def _side(side: Side) -> dict[str, Any]:
    facts = side.figures
    return {
        "docker_bytes": facts.docker_bytes,
        "live_bytes": facts.live,
        "dead_bytes": facts.dead,
        "layers": list(facts.layers),
        "stages": sum(line.lstrip().upper().startswith("FROM ") for line in side.dockerfile.split("\n")),
        "user": facts.user or "root",
        "setuid": list(facts.setuid),
        "failures": side.failures,
        "build_seconds": round(side.seconds, 2),
        "rebuild_seconds": side.rebuild_seconds and round(side.rebuild_seconds, 2),
        "hadolint": side.hadolint,
        "tally": side.tally,
    }
