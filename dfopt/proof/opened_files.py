"""Which files of an image its smoke tests open: evidence of what a run needs."""

from __future__ import annotations

import re

from dfopt.engine.containers import container_output, container_state, end_of_log
from dfopt.engine.open_watch import OpenWatch, start_watched
from dfopt.proof.errors import ProofError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from dfopt.engine.base import Container
    from dfopt.image.merged_tree import Inode
    from dfopt.proof.lab import Lab, ProofImage

_BYTECODE = re.compile(r"(/.*)/__pycache__/([^/.]+)\.[^/]+\.pyc")


def opened_files(lab: Lab, built: ProofImage, secret_paths: Iterable[str] = ()) -> frozenset[str] | None:
    """The files of the image, by absolute paths without links in them, that its smoke tests open or execute, from the
    first one on: the smoke command does in place of the image's program, the smoke script while that program runs (of
    the containers that a script starts itself, nothing is seen). What lies in a VOLUME is all taken for opened, since
    it is not seen. Nothing below `secret_paths` is among them.

    Sources of the Python bytecode that was opened are among them: without these it is not read. It is what is needed at
    least: a program may also need other files whose existence alone it asks for, links, and empty directories; and what
    it does beyond its test.

    None where they could not be watched from the first one on, or where events were lost: then the lab says why. Raises
    ProofError where a test fails, EngineError."""
    paths: set[str] = set()
    tests = [(lab.smoke_words(built), False)] if lab.plan.smoke else []
    tests += [((), True)] if lab.plan.smoke_script else []
    if not tests:
        _unknown(lab, "there is no smoke test")
        return None
    for words, is_script in tests:
        lab.say(f"{'smoke script' if is_script else 'smoke test'}, to see which files it opens")
        container, watch = start_watched(lab.engine, built.image, lab.plan.network, words)
        try:
            if not isinstance(watch, OpenWatch):
                _unknown(lab, watch.reason)
                return None
            try:
                run_smoke_test(lab, built, container, is_script)
            finally:
                watch.end()
        finally:
            lab.engine.stop(container)
        if not (watch.from_start and watch.complete):
            _unknown(lab, "events were lost" if watch.from_start else "the start of the container was not seen")
            return None
        paths |= watch.paths
    return needed_files(lab, built, paths, secret_paths)


def needed_files(lab: Lab, built: ProofImage, opened: Iterable[str], secret_paths: Iterable[str]) -> frozenset[str]:
    """The files of the image that smoke tests need, by the paths that their containers `opened`; otherwise as
    `opened_files`. Raises EngineError, ImageError."""
    paths = set(opened)
    volumes = tuple(lab.settings(built.image).get("Volumes") or ())
    if volumes:
        paths |= {path for path, _ in built.view.ledger.tree.walk() if is_below(path, volumes)}
    paths |= {source for source in map(python_source, paths) if source}
    return frozenset(image_files(built, paths, tuple(secret_paths)))


def python_source(path: str) -> str:
    """The source of cached bytecode, by its path (PEP 3147); "" for another path."""
    match = _BYTECODE.fullmatch(path)
    return f"{match[1]}/{match[2]}.py" if match is not None else ""


def image_files(built: ProofImage, paths: Iterable[str], hidden: Collection[str] = ()) -> dict[str, Inode]:
    """Which of these are files of the image, at and below no path of `hidden`."""
    tree = built.view.ledger.tree
    nodes = {path: tree.find(path) for path in paths if not is_below(path, hidden)}
    return {path: node.inode for path, node in nodes.items() if node is not None and node.inode is not None}


def is_below(path: str, places: Iterable[str]) -> bool:
    """Whether an absolute path is one of these, or below one."""
    return any(f"{path}/".startswith(f"{place.rstrip('/')}/") for place in places)


def run_smoke_test(lab: Lab, built: ProofImage, container: Container, is_script: bool) -> None:
    """Runs a smoke test, with the container that was started for it. Raises ProofError where it fails, EngineError."""
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


def _unknown(lab: Lab, reason: str) -> None:
    lab.say(f"which files are opened is not known: {reason}")
