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
    from collections.abc import Iterable, Iterator, Sequence

    from dfopt.passes.multi_stage.copy_selection import StageCopy

_MADE = 0o755  # the mode of a directory that a COPY makes


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
    sources = [path for copy in copies for path in copy.sources]
    owned = {copy.sources[0] for copy in copies if copy.owner}
    folders = set(directories)
    made = sorted((whole & folders) | {above for source in sources for above in _above(source)})
    commands: dict[str, list[str]] = {}  # path -> what sets its attributes, in their order
    for attribute in attributes:
        path = attribute.path
        if any(covers(source, path) and source != path for source in whole):
            continue  # inside a directory that is copied
        if path in ("/tmp", "/var/tmp") and attribute.value == "1777":
            continue  # as every image has it
        below = [place for place in made if attribute.deep and covers(path, place) and place != path]
        if path in whole and path not in folders:
            continue  # a file
        holds = any(covers(path, place) for place in (*sources, workdir))
        if path in SYSTEM:
            if attribute.deep and holds:
                raise Refusal(f"line {attribute.line} changes all that is below {path}")
        elif not holds:
            continue
        if attribute.again and not any(covers(path, source) for source in sources):
            continue
        if not re.fullmatch(r"[\w.,:+=-]+", attribute.value) or not re.fullmatch(r"/[\w./@+~-]*", path):
            raise Refusal(
                f"line {attribute.line} gives {path} a mode or an owner that is not written out",
                "write the value instead of the variable",
            )
        for place in (path, *below):
            if attribute.program == "chown" and place in owned:
                continue
            so_far = commands.setdefault(place, [])
            if place == workdir and place not in SYSTEM and not any(covers(place, source) for source in sources):
                so_far.append(f"mkdir -p {place}")  # by a WORKDIR that may stand behind
            deep = "-R " if attribute.deep and place in SYSTEM else ""
            so_far.append(f"{attribute.program} {deep}{attribute.value} {place}")
    lines: list[tuple[str, list[str]]] = []  # a command without its paths, and these
    for place, setting in commands.items():
        for command in dict.fromkeys(setting) if place in SYSTEM or any(map(_tells, setting)) else ():
            program = command.removesuffix(f" {place}")
            if lines and lines[-1][0] == program:
                lines[-1][1].append(place)
            else:
                lines.append((program, [place]))
    return [f"{program} {' '.join(places)}" for program, places in lines]


def _above(path: str) -> Iterator[str]:
    """The directories above a path that a COPY makes."""
    while (path := path.rpartition("/")[0]) and path not in SYSTEM:
        yield path


def _tells(command: str) -> bool:
    """Whether a command gives a directory another mode than a COPY makes it with, or an owner."""
    program, value, *_ = command.split()
    return program != "mkdir" and (program != "chmod" or _mode(value) != _MADE)


def _mode(value: str) -> int | None:
    """The mode that chmod(1) gives a directory of mode 0755; None where that is not known."""
    if re.fullmatch(r"[0-7]{1,4}", value):
        return int(value, 8)
    mode = _MADE
    for clause in value.split(","):
        match = re.fullmatch(r"([ugoa]*)([+=-])([rwxX]*)", clause)
        if match is None:
            return None
        bits = sum({"r": 0o444, "w": 0o222, "x": 0o111}[letter] for letter in {*match[3].lower()})
        who = sum({"u": 0o700, "g": 0o070, "o": 0o007}[letter] for letter in {*match[1].replace("a", "ugo")} or "ugo")
        if not match[1]:
            who &= ~0o022  # a umask of 022 takes the right to write
        kept = mode & ~who if match[2] == "=" else mode
        mode = kept & ~(bits & who) if match[2] == "-" else kept | (bits & who)
    return mode
