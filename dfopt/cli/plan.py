"""`dfopt plan`: what each level would bring, and what stands in the way of more."""

from __future__ import annotations

import json
from functools import partial

from dfopt.campaign.groups import NOBODY, Grouper
from dfopt.cli import out
from dfopt.cli.command_request import files_of, hosts_of, locked_facts, lookup_of, shared_of
from dfopt.cli.errors import UsageError
from dfopt.cli.plan_figures import (
    build_text,
    by_owner,
    history_text,
    note_on_search,
    obstacles,
    rebuild_text,
    saves,
    shape_texts,
)
from dfopt.cli.progress import listed, shown
from dfopt.cli.report.base import clean
from dfopt.cli.stream import NO_FILES, count
from dfopt.cost import benefit_json, written_text
from dfopt.forecast import SEARCHED, forecast
from dfopt.record import replace
from dfopt.request import STDIN, Request
from dfopt.units import human
from dfopt.workspace.selection import UnknownPass, canonical
from dfopt.workspace.settings import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from dfopt.cli.options import Values
    from dfopt.facts import Facts
    from dfopt.forecast import Forecast, ForecastStep, InstallHistory, Shape
    from dfopt.proof.search import Candidate
    from dfopt.results import Result
    from dfopt.workspace.discovery import InputFile
    from dfopt.workspace.facts import ContextFacts

LEVELS = (1, 2)
_NEAR = 0.99
_MOST = 20  # files that a summary lists


def run(values: Values) -> int:
    """Runs the command. Raises UsageError."""
    if values.engine is None:
        return _run(values, ())
    from dfopt.engine import EngineError
    from dfopt.engine.facts import EngineSizes
    from dfopt.engine.find import find_engine

    try:
        with find_engine(None if values.engine == "auto" else values.engine) as engine:
            return _run(values, (EngineSizes(engine),))
    except EngineError as failure:
        out.error(f"--engine: {failure}")
        return 2


def _run(values: Values, sizes: tuple[Facts, ...]) -> int:
    lookup = lookup_of(values)
    try:
        ignore = canonical(values.ignore)
    except UnknownPass as failure:
        raise UsageError(f"--ignore: {failure}") from None
    requests = {
        level: Request(
            lookup, (), ignore, None, (), (), values.context, (*locked_facts(values), *sizes), hosts_of(values),
            shared_of(values), level, values.modernize, profile=values.profile,
        )
        for level in LEVELS
    }  # fmt: skip
    files: Sequence[InputFile] = listed(files_of(values, lookup))
    failed = 0
    if values.online:
        from dfopt.cli.digests import ask_online

        files, failed = ask_online(values, requests[LEVELS[-1]], files)
        for request in requests.values():
            request.facts = requests[LEVELS[-1]].facts
    forecasts: list[Forecast] = []
    hosts = 0  # files that hold Dockerfiles
    diffs: dict[str, str] = {}
    grouper = Grouper("owner")
    for file in shown("forecasting", files, after=1.0):
        if not file.error and requests[LEVELS[-1]].host_kind(file) is not None:
            hosts += 1
            out.note(f"{out.printable(file.name)}: no forecast for the Dockerfiles in it; `dfopt check` reads them\n")
            continue
        try:
            results = {level: request.optimize(file) for level, request in requests.items()}
            tried = candidates_of(requests[LEVELS[-1]], file) if len(files) == 1 else []
            if tried:
                results[SEARCHED] = best_of(tried, results[LEVELS[-1]].output).result
            profile = requests[LEVELS[-1]].profile_of(file, results[LEVELS[-1]].source)
            if profile is not None and not values.quiet:
                out.note(profile.told(file.name))
            context_facts = requests[LEVELS[0]].context_facts
            builds = (context_facts.stated_builds() if context_facts is not None else None) or ()
            history = _history(file, results, context_facts, values.git_history) if values.git_history else None
            prediction: Forecast = replace(
                forecast(file.name, results), candidates=len(tried), builds=builds, history=history
            )
            owner = "" if file.path == STDIN else grouper.owner_of(file.path)
            if values.output_format == "markdown":
                from dfopt.workspace.patches import patch_of

                best = prediction.best_level
                diffs[file.name] = patch_of(results[best.level], file.name) if best is not None else ""
            forecasts.append(replace(prediction, owner="" if owner == NOBODY else owner))
        except (ConfigError, OSError) as failure:
            failed = 2
            message = str(failure) if isinstance(failure, ConfigError) else failure.strerror or str(failure)
            out.note(f"{out.printable(file.name)}: error: {out.printable(message)}\n")
    for prediction in forecasts:
        if prediction.problem is not None:
            failed = 2
            out.note(
                f"{out.printable(prediction.name)}:{prediction.problem.line}:{prediction.problem.column}: error: "
                f"{out.printable(prediction.problem.message)}\n"
            )
    read = [prediction for prediction in forecasts if prediction.problem is None]
    if values.html is not None and read:
        from dfopt.cli.plan_html import page
        from dfopt.writing import Output

        with Output(values.html) as output:
            output.write(page(read, next_command(read)).encode("utf-8", "replace"))
    if values.output_format == "json":
        out.data(json.dumps({"version": 1, "files": [_json(prediction) for prediction in read]}, indent=2) + "\n")
    elif values.output_format == "markdown":
        from dfopt.cli.plan_markdown import comment

        out.data(comment(read, diffs, next_command(read) if read else ""))
    elif not forecasts:
        out.note("" if hosts else NO_FILES)
    elif len(read) == 1:
        out.data(_details(read[0]))
    else:
        out.data(_summary(read))
    return failed


def _history(
    file: InputFile, results: dict[int, Result], facts: ContextFacts | None, commits: int
) -> InstallHistory | None:
    """What git history tells of a file; None where it tells nothing, which is said."""
    from dfopt.cli.plan_history import install_history
    from dfopt.refusal import Refusal
    from dfopt.workspace.git import GitError

    if next(iter(results.values())).problem is not None:
        return None
    try:
        return install_history(results, facts, commits)
    except (GitError, Refusal) as failure:
        out.note(f"{out.printable(file.name)}: no git history: {out.printable(str(failure))}\n")
        return None


def candidates_of(request: Request, file: InputFile) -> list[Candidate]:
    """What `-O3` would try for a file; nothing where it cannot be read as a Dockerfile. Raises OSError, ConfigError."""
    from dfopt.proof.search import candidates

    source = request.read(file)
    options = request.options_for(file, source)
    found = candidates(partial(request.optimize_source, file, source, None, ()), options)
    return found if found[0].result.problem is None else []


def best_of(tried: Sequence[Candidate], below: str) -> Candidate:
    """The candidate that is estimated to save most; what the level below gives, where the difference is no more than
    estimates are off."""
    best = max(tried, key=lambda candidate: candidate.saving)
    return next((one for one in tried if one.result.output == below and one.saving >= _NEAR * best.saving), best)


def _details(prediction: Forecast) -> str:
    """One file: its levels, the fixes of each, and what stands in the way."""
    lines = [out.printable(prediction.name), ""]
    rows = [
        ("", "saves", "layers", "rebuild", "setuid", "user", "runs as root"),
        ("now", "", *_cells(prediction.now, 0.0)),
    ]
    for level in prediction.levels:
        rows.append((f"-O{level.level}", saves(level), *_cells(level.shape, level.rebuild)))
    lines += _table(rows)
    if prediction.history is not None:
        lines += ["", history_text(prediction.history)]
    if prediction.builds:
        lines += ["", "Built by:", *[f"  {out.printable(build_text(build))}" for build in prediction.builds]]
    listed: set[tuple[str, int]] = set()
    for level in prediction.levels:
        steps = [step for step in level.fixes if (step.name, step.line) not in listed]
        listed |= {(step.name, step.line) for step in steps}
        if steps:
            lines += ["", f"-O{level.level}" + (" also" if level.level > 1 else "") + ":"]
            lines += [
                f"  line {step.line:<4} {step.name}: {out.printable(step.message)}{_worth(step)}" for step in steps
            ]
    if prediction.candidates:
        lines += ["", note_on_search(prediction)]
    if prediction.refusals:
        lines += ["", "In the way of more:"]
        lines += [f"  line {step.line:<4} {step.name}: {_why(step)}" for step in prediction.refusals]
    command = next_command([prediction])
    if command:
        lines += ["", f"Next: {command}"]
    return "\n".join(lines) + "\n"


def _summary(forecasts: Sequence[Forecast]) -> str:
    """Many files: the sums, the files that save most, and what stands in the way, by reason."""
    lines = [f"{count(len(forecasts), 'file')}:", ""]
    rows = [("", "saves", "files changed", "fixes")]
    for index, level in enumerate(LEVELS):
        of_level = [prediction.levels[index] for prediction in forecasts]
        rows.append(
            (
                f"-O{level}",
                human(sum(at_level.bytes for at_level in of_level)),
                str(sum(bool(at_level.fixes) for at_level in of_level)),
                str(sum(len(at_level.fixes) for at_level in of_level)),
            )
        )
    lines += _table(rows)
    most = sorted(
        (prediction for prediction in forecasts if prediction.best > 0),
        key=lambda prediction: (-prediction.best, prediction.name),
    )[:_MOST]
    if most:
        lines += ["", "The most, by file:"]
        lines += [f"  {human(prediction.best):>8}  {out.printable(prediction.name)}" for prediction in most]
    owners = by_owner(forecasts)
    if owners:
        lines += ["", "By owner:"]
        lines += [
            f"  {human(saved):>8}  {count(number, 'file'):>9}  {out.printable(name)}" for name, number, saved in owners
        ]
    ranked = obstacles(forecasts)[:_MOST]
    if ranked:
        lines += ["", "In the way of more, by what unblocks it:"]
        lines += [f"  {number:>6}  {name}: {out.printable(unblock)}" for (name, unblock), number in ranked]
    lines += ["", "Next: dfopt plan FILE for one of them, dfopt fix -O1 --write for all that is safe"]
    return "\n".join(lines) + "\n"


def next_command(forecasts: Sequence[Forecast]) -> str:
    """The command that brings the most; "" where nothing would be done."""
    if len(forecasts) != 1:
        return "dfopt fix -O1 --write"
    (prediction,) = forecasts
    best = prediction.best_level
    if best is None:
        return ""
    smoke = "--smoke COMMAND " if best.level == SEARCHED else ""
    return f"dfopt fix -O{best.level} {smoke}{out.printable(prediction.name)}"


def _cells(shape: Shape, rebuild: float) -> tuple[str, ...]:
    """Layers, seconds that a rebuild is shorter, setuid files of the base, user, and whether it is root."""
    layers, setuid, user, root = shape_texts(shape)
    return layers, rebuild_text(rebuild), setuid, out.printable(user), root


def _table(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  " + "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]


def _worth(step: ForecastStep) -> str:
    parts = [human(step.benefit.bytes)] if step.benefit is not None and step.benefit.bytes else []
    written = written_text(step.benefit)
    parts += [f"measured: {written}"] if written else []
    return f" ({'; '.join(parts)})" if parts else ""


def _why(step: ForecastStep) -> str:
    text = f"{step.message}: {step.reason}" + (f"; {step.unblock}" if step.unblock else "")
    return out.printable(text) + _worth(step)


def _json(prediction: Forecast) -> dict[str, Any]:
    def step(step: ForecastStep) -> dict[str, Any]:
        return {
            "pass": step.name, "tier": step.tier, "line": step.line, "message": clean(step.message),
            "benefit": benefit_json(step.benefit),
        }  # fmt: skip

    return {
        "path": clean(prediction.name),
        "owner": clean(prediction.owner),
        "now": _shape_json(prediction.now),
        "levels": [
            {
                "level": level.level, "bytes": level.bytes, "unknown": level.unknown, "measured": level.measured,
                **_shape_json(level.shape), "rebuild_seconds": level.rebuild,
                "fixes": [step(fix) for fix in level.fixes],
            }
            for level in prediction.levels
        ],
        "candidates": prediction.candidates,
        "evidence": prediction.evidence,
        "git_history": _history_json(prediction.history),
        "builds": [
            {
                "place": clean(build.place), "name": clean(build.name), "target": build.target and clean(build.target),
                "arguments": [clean(name) for name in build.arguments], "user": build.user and clean(build.user),
                "ports": [port and clean(port) for port in build.ports],
                "mounts": [mount and clean(mount) for mount in build.mounts],
            }
            for build in prediction.builds
        ],
        "refusals": [
            {**step(refusal), "reason": clean(refusal.reason), "unblock": clean(refusal.unblock)}
            for refusal in prediction.refusals
        ],
    }  # fmt: skip


def _history_json(history: InstallHistory | None) -> dict[str, Any] | None:
    if history is None:
        return None
    levels = ["now", *map(str, history.levels)]
    installs = {clean(name): dict(zip(levels, numbers, strict=True)) for name, numbers in history.installers}
    return {"commits": history.commits, "installs": installs}


def _shape_json(shape: Shape) -> dict[str, Any]:
    return {"layers": shape.layers, "root": shape.root, "user": clean(shape.user) or None, "setuid": shape.setuid}
