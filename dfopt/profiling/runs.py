"""The smoke test of a profile: it runs once, and what its container does is looked at.

A smoke command runs in place of the image's own program; a smoke script runs beside it, and then the container is asked
to stop. docker and podman tell the paths that were written (`diff`); processes are looked for in /proc.
"""

from __future__ import annotations

import posixpath
import re

from dfopt.engine.containers import QUICK, container_output, container_state, end_of_log, of_container
from dfopt.image.layers import DIRECTORY
from dfopt.profiling.processes import ProcessWatch
from dfopt.proof import ProofError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from typing import Any

    from dfopt.engine import Engine
    from dfopt.engine.base import Container
    from dfopt.proof import Lab
    from dfopt.proof.lab import ProofImage

_GRACE = 10  # seconds for a container that was asked to stop
_SIGNALS = {128 + 15: "SIGTERM", 128 + 9: "SIGKILL"}  # the statuses that docker and podman tell of these
_SAFE = re.compile(r"/[A-Za-z0-9_.+@,:=%~/-]{0,390}")
_MANY = 20  # names of one directory that are worth to be told
_MOST = 2000


def observed_runs(lab: Lab, built: ProofImage, secret_paths: Iterable[str]) -> list[dict[str, Any]]:
    """The rows of a profile's `runs`: one for each smoke test. `secret_paths`: directories and files of which nothing
    is told. Raises ProofError where a test fails, EngineError."""
    hidden = tuple(secret_paths)
    rows: list[dict[str, Any]] = []
    if lab.engine.container_call() is None:
        smoke = lab.smoke(built)
        if smoke is not None and not smoke.passed:
            raise ProofError(f"the smoke test fails: {smoke.output}")
        tests = [test for test, given in (("smoke", lab.plan.smoke), ("script", lab.plan.smoke_script)) if given]
        return [_row(test, 0 if test == "smoke" else None, None, None, None) for test in tests]
    if lab.plan.smoke:
        rows.append(_command(lab, built, hidden))
    if lab.plan.smoke_script:
        rows.append(_script(lab, built, hidden))
    return rows


def _command(lab: Lab, built: ProofImage, hidden: tuple[str, ...]) -> dict[str, Any]:
    engine = lab.engine
    lab.say(f"smoke test: {lab.plan.smoke}")
    container = engine.start(built.image, lab.plan.network, lab.smoke_words(built))
    try:
        watch = _watch(engine, container)
        try:
            container_output(engine, lab.plan.timeout, "wait", container.name)
        finally:
            if watch is not None:
                watch.end()
        state = container_state(engine, container.name)
        if state.exit_status != 0:
            raise ProofError(f"the smoke test fails: status {state.exit_status}{end_of_log(engine, container)}")
        return _row("smoke", state.exit_status, None, watch, _written(engine, container, built, hidden))
    finally:
        engine.stop(container)


def _script(lab: Lab, built: ProofImage, hidden: tuple[str, ...]) -> dict[str, Any]:
    engine = lab.engine
    lab.say(f"smoke script: {lab.plan.smoke_script}")
    container = engine.start(built.image, lab.plan.network)
    try:
        watch = _watch(engine, container)
        try:
            words = lab.script_words(built, container)
            done = engine.runner.run(words, lab.plan.timeout, lab.progress, merged=True)
        finally:
            if watch is not None:
                watch.end()
        if done.code != 0:
            raise ProofError(f"the smoke script fails: status {done.code}{end_of_log(engine, container)}")
        running = container_state(engine, container.name).pid != 0
        container_output(engine, QUICK, "stop", "--time", str(_GRACE), container.name)
        status = container_state(engine, container.name).exit_status
        signal = _SIGNALS.get(status) if running else None
        return _row("script", None if signal else status, signal, watch, _written(engine, container, built, hidden))
    finally:
        engine.stop(container)


def _row(
    test: str, status: int | None, signal: str | None, watch: ProcessWatch | None, written: list[str] | None
) -> dict[str, Any]:
    seen = watch is not None and watch.samples > 0
    return {
        "test": test, "exit_status": status, "signal": signal,
        "user": watch.user if watch is not None else None,
        "listens": sorted(watch.listens) if seen and watch is not None else None,
        "programs": sorted(watch.programs) if seen and watch is not None else None,
        "samples": watch.samples if watch is not None else 0,
        "written": written,
    }  # fmt: skip


def _watch(engine: Engine, container: Container) -> ProcessWatch | None:
    """A watch over a container's processes; None where it has ended already. Raises EngineError."""
    state = container_state(engine, container.name)
    if not state.pid:
        return None
    return ProcessWatch(state.pid, lambda pid: bool(state.identity) and of_container(pid, state.identity))


def _written(engine: Engine, container: Container, built: ProofImage, hidden: tuple[str, ...]) -> list[str]:
    """The paths that came, changed or (-) went. Raises EngineError."""
    output = container_output(engine, QUICK, "diff", container.name).decode("utf-8", "surrogateescape")
    rows = [line.split(" ", 1) for line in output.split("\n") if line[1:3] == " /"]
    nodes = {path: built.view.ledger.tree.find(path) for kind, path in rows if kind == "C"}
    directories = {path for path, node in nodes.items() if node is not None and node.entry.kind == DIRECTORY}
    return written_paths([(kind, path) for kind, path in rows], hidden, directories)


def written_paths(
    changes: Iterable[tuple[str, str]], hidden: Collection[str] = (), directories: Collection[str] = ()
) -> list[str]:
    """What a profile tells of changes (`A`, `C` or `D`, and a path): the deepest ones; `DIR/*` for many of one
    directory, or for names that a profile cannot hold; nothing at or below a path of `hidden`. Of `directories`, which
    the image has, a change alone says nothing: engines mount files into them."""
    changes = list(changes)
    parents = {posixpath.dirname(path) for _, path in changes}
    groups: dict[tuple[str, str], list[str]] = {}
    for kind, path in changes:
        is_hidden = any(f"{path}/".startswith(f"{place}/") for place in hidden)
        if path not in parents and path not in directories and not is_hidden:
            sign = "-" if kind == "D" else ""
            groups.setdefault((sign, posixpath.dirname(path)), []).append(path)
    told: list[str] = []
    for (sign, directory), paths in groups.items():
        place = directory if directory == "/" else f"{directory}/"
        if not _SAFE.fullmatch(place):
            continue
        plain = [path for path in paths if _SAFE.fullmatch(path)]
        told += [f"{sign}{path}" for path in plain] if len(paths) <= _MANY else []
        if len(plain) != len(paths) or len(paths) > _MANY:
            told.append(f"{sign}{place}*")
    return sorted(told)[:_MOST]
