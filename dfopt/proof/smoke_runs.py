"""A smoke test that runs once, while what its container does is looked at: for a profile, and for `fix --verify`.

A smoke command runs in place of the image's own program; a smoke script runs beside it, and then the container is asked
to stop. docker and podman tell the paths that were written (`diff`); processes are looked for in /proc, the files that
they open by fanotify.
"""

from __future__ import annotations

import posixpath

from dfopt.engine.base import QUICK
from dfopt.engine.containers import container_output, container_state, end_of_log, of_container
from dfopt.engine.open_watch import OpenWatch, start_watched
from dfopt.image.layers import DIRECTORY
from dfopt.proof.errors import ProofError
from dfopt.proof.opened_files import is_below
from dfopt.proof.processes import ProcessWatch
from dfopt.proof.told_paths import told_paths
from dfopt.record import Record
from dfopt.refusal import Refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from typing import Any

    from dfopt.engine import Engine
    from dfopt.engine.base import Container
    from dfopt.proof.lab import Lab, ProofImage

_GRACE = 10  # seconds for a container that was asked to stop
_SIGNALS = {128 + 15: "SIGTERM", 128 + 9: "SIGKILL"}  # the statuses that docker and podman tell of these
_MOST = 2000  # paths that were written


class WatchedTest(Record):
    """`row`: of a profile's `runs`, without the files that the test opened; `opens`: what saw them, or why nothing
    did."""

    row: dict[str, Any]
    opens: OpenWatch | Refusal


def observed_runs(lab: Lab, built: ProofImage, secret_paths: Iterable[str] = ()) -> list[WatchedTest]:
    """One run for each smoke test. `secret_paths`: directories and files of which nothing is told. Raises ProofError
    where a test fails, EngineError."""
    tests = [test for test, given in (("smoke", lab.plan.smoke), ("script", lab.plan.smoke_script)) if given]
    if lab.engine.container_call() is not None:
        return [_observed(lab, built, tuple(secret_paths), test == "script") for test in tests]
    smoke = lab.smoke(built)
    if smoke is not None and not smoke.passed:
        raise ProofError(f"the smoke test fails: {smoke.output}")
    unwatched = Refusal(f"{lab.engine.name} tells nothing of its containers")
    return [WatchedTest(_row(test, 0 if test == "smoke" else None, None, None), unwatched) for test in tests]


def _observed(lab: Lab, built: ProofImage, hidden: tuple[str, ...], is_script: bool) -> WatchedTest:
    engine, plan = lab.engine, lab.plan
    lab.say(f"smoke script: {plan.smoke_script}" if is_script else f"smoke test: {plan.smoke}")
    words = () if is_script else lab.smoke_words(built)
    container, opens = start_watched(engine, built.image, plan.network, words)
    try:
        processes: ProcessWatch | None = None
        try:
            processes = _watch(engine, container)
            _run(lab, built, container, is_script)
        finally:
            if processes is not None:
                processes.end()
            if isinstance(opens, OpenWatch):
                opens.end()
        status: int | None = 0
        signal = None
        if is_script:
            running = container_state(engine, container.name).pid != 0
            container_output(engine, QUICK, "stop", "--time", str(_GRACE), container.name)
            status = container_state(engine, container.name).exit_status
            signal = _SIGNALS.get(status) if running else None
            status = None if signal else status
        row = _row("script" if is_script else "smoke", status, signal, processes)
        row["written"] = _written(engine, container, built, hidden)
        return WatchedTest(row, opens)
    finally:
        engine.stop(container)


def _run(lab: Lab, built: ProofImage, container: Container, is_script: bool) -> None:
    """Raises ProofError where the test fails, EngineError."""
    engine = lab.engine
    if is_script:
        done = engine.runner.run(lab.script_words(built, container), lab.plan.timeout, lab.progress, merged=True)
        status = done.code
    else:
        container_output(engine, lab.plan.timeout, "wait", container.name)
        status = container_state(engine, container.name).exit_status
    if status != 0:
        test = "script" if is_script else "test"
        raise ProofError(f"the smoke {test} fails: status {status}{end_of_log(engine, container)}")


def _row(test: str, status: int | None, signal: str | None, watch: ProcessWatch | None) -> dict[str, Any]:
    seen = watch is not None and watch.samples > 0
    return {
        "test": test, "exit_status": status, "signal": signal,
        "user": watch.user if watch is not None else None,
        "listens": sorted(watch.listens) if seen and watch is not None else None,
        "programs": sorted(watch.programs) if seen and watch is not None else None,
        "samples": watch.samples if watch is not None else 0,
        "opened": None,
        "written": None,
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
    told: dict[str, list[str]] = {"": [], "-": []}
    for kind, path in changes:
        if path not in parents and path not in directories and not is_below(path, hidden):
            told["-" if kind == "D" else ""].append(path)
    return sorted(f"{sign}{path}" for sign, paths in told.items() for path in told_paths(paths))[:_MOST]
