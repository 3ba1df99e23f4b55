"""Modes and owners of directories: a COPY keeps those of what is in a directory, and not those of the directory itself.

BuildKit makes the target of a COPY as root's with mode 0755; `--chown` applies to it, `--chmod` does not (measured with
BuildKit 0.13). So the new stage repeats the commands that set them.
"""

from __future__ import annotations

import re

from dfopt.analysis.system_paths import SYSTEM
from dfopt.ir.effects import covers
from dfopt.record import Record
from dfopt.refusal import Refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dfopt.passes.multi_stage.copy_selection import StageCopy


class Attribute(Record):
    """What a command sets of a path. `program`: chmod, chown or chgrp; `value`: its mode, owner or group; `deep`: also
    of all that is below; `line`: of the command. `again`: a WORKDIR makes it so, which the new stage repeats."""

    path: str
    program: str
    value: str
    deep: bool
    line: int
    again: bool = False


def repeated(
    attributes: Sequence[Attribute], copies: Sequence[StageCopy], directories: Iterable[str], workdir: str
) -> list[str]:
    """The commands that the new stage runs behind its copies. `directories`: paths that are directories for certain;
    `workdir`: the image's. Raises Refusal where a mode or an owner is not written out."""
    whole = {copy.sources[0] for copy in copies if not copy.target.endswith("/")}
    kept = {path for copy in copies for path in copy.sources} | {workdir}
    owned = {copy.sources[0] for copy in copies if copy.owner}
    folders = set(directories)
    commands: dict[str, None] = {}
    for attribute in attributes:
        path = attribute.path
        if any(covers(source, path) and source != path for source in whole):
            continue  # inside a directory that is copied
        if path in ("/tmp", "/var/tmp") and attribute.value == "1777":
            continue  # as every image has it
        holds = any(covers(path, place) for place in kept)
        if path in whole and path not in folders:
            continue  # a file
        if path in SYSTEM:
            if attribute.deep and any(covers(path, place) for place in kept):
                raise Refusal(f"line {attribute.line} changes all that is below {path}")
        elif not holds or (path in owned and attribute.program == "chown"):
            continue
        if attribute.again and not any(covers(path, source) for copy in copies for source in copy.sources):
            continue
        if not re.fullmatch(r"[\w.,:+=-]+", attribute.value) or not re.fullmatch(r"/[\w./@+~-]*", path):
            raise Refusal(
                f"line {attribute.line} gives {path} a mode or an owner that is not written out",
                "write the value instead of the variable",
            )
        if path == workdir and path not in SYSTEM and not any(covers(path, source) for source in whole):
            commands[f"mkdir -p {path}"] = None  # by a WORKDIR that may stand behind
        deep = "-R " if attribute.deep and path in SYSTEM else ""
        commands[f"{attribute.program} {deep}{attribute.value} {path}"] = None
    return list(commands)
