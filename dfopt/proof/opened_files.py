"""Which files of an image its smoke tests open: evidence of what a run needs."""

from __future__ import annotations

import re

from dfopt.engine.open_watch import OpenWatch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from dfopt.image.merged_tree import Inode
    from dfopt.proof.lab import Lab, ProofImage
    from dfopt.refusal import Refusal

_BYTECODE = re.compile(r"(/.*)/__pycache__/([^/.]+)\.[^/]+\.pyc")


def needed_files(
    lab: Lab, built: ProofImage, watches: Iterable[OpenWatch | Refusal], secret_paths: Iterable[str] = ()
) -> frozenset[str] | None:
    """The files of the image that its smoke tests need, by absolute paths without links in them: `watches` saw those
    that were opened or executed, one for each test (of the containers that a script starts itself, nothing is seen).
    What lies in a VOLUME is all taken for opened, since it is not seen. Nothing below `secret_paths` is among them.

    Sources of the Python bytecode that was opened are among them: without these it is not read. It is what is needed at
    least: a program may also need other files whose existence alone it asks for, links, and empty directories; and what
    it does beyond its test.

    None where there is no test, or one was not watched from its first file on, or where events were lost: then the lab
    says why. Raises EngineError, ImageError."""
    paths: set[str] = set()
    reason = "there is no smoke test"
    for watch in watches:
        if not isinstance(watch, OpenWatch):
            reason = watch.reason
        elif not (watch.from_start and watch.complete):
            reason = "events were lost" if watch.from_start else "the start of the container was not seen"
        else:
            reason = ""
            paths |= watch.paths
        if reason:
            break
    if reason:
        lab.say(f"which files are opened is not known: {reason}")
        return None
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
