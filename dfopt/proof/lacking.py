"""What the failure of a build or a smoke test on another base names, and the packages of the old base that have it."""

from __future__ import annotations

import posixpath
import re

from dfopt.image.layers import SYMLINK
from dfopt.knowledge import table
from dfopt.proof.observed.missing import is_thing, named_things
from dfopt.proof.observed.started_programs import StartedPrograms

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.image.artifacts import ImageFiles

_LONGEST = 16000  # characters, from the end


def lacking_packages(base: ImageFiles, output: str) -> dict[str, str]:
    """Package of the base -> what the output names of it. `base`: the old base image."""
    output = output[-_LONGEST:]
    found: dict[str, str] = {}
    rows = table("lacking")
    for kind, name in (*named_things(output, table("observed")["missing"]), *named_things(output, rows["things"])):
        for path in _places(base, kind, name):
            package = _package(base, path)
            if package:
                found.setdefault(package, name)
                break
    here = frozenset(base.owners.values())
    for package, expressions in rows["packages"].items():
        match = next(filter(None, (re.search(expression, output) for expression in expressions)), None)
        if match is not None and package in here:
            found.setdefault(package, match[0])
    return found


def _places(base: ImageFiles, kind: str, name: str) -> Iterator[str]:
    """Where a thing of that kind may be in the base, the likeliest first."""
    if kind == "program":
        yield StartedPrograms(base, {}, bare=False).program(name)
    elif kind == "file":
        yield name if name.startswith("/") else ""
    else:
        yield from sorted((path for path in base.owners if is_thing(path, kind, name)), key=len)


def _package(base: ImageFiles, path: str) -> str:
    """The package of a file, or of the first one on the way that its links lead; "" for none."""
    for _ in range(10):
        path = posixpath.join(base.resolved(posixpath.dirname(path)), posixpath.basename(path)) if path else ""
        owner = base.owner(path) if path else None
        node = base.tree.find(path) if path else None
        if owner is not None or node is None or node.entry.kind != SYMLINK:
            return owner or ""
        path = posixpath.normpath(posixpath.join(posixpath.dirname(path), node.entry.link))
    return ""
