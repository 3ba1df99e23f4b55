"""Do two images agree: same live files, same configuration, but for the paths that were declared disposable?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from dfopt.record import Record

from .image import FileFacts, ImageFacts
from .patterns import compile_pattern

_NOT_COMPARED = ("created", "history", "rootfs", "container", "container_config", "docker_version")


class Difference(Record):
    """One way in which the images differ. `where`: a path, or `config.KEY`; `what`: the fact that differs there."""

    where: str
    what: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}: {self.before} -> {self.after}"


def compare(before: ImageFacts, after: ImageFacts, disposable: Sequence[str] = ()) -> list[Difference]:
    """What differs outside the `disposable` patterns (see patterns.py), sorted by place. Empty: the images agree.

    Not compared: times, history, layer boundaries, which files are hardlinks of each other, and the content that
    stable.py names. A pattern that would match every path (its first name is a wildcard) raises ValueError: it would
    make the comparison empty.
    """
    patterns = [_usable(pattern) for pattern in disposable]
    return [
        difference
        for difference in _differences(before, after)
        if not any(pattern.fullmatch(difference.where) for pattern in patterns)
    ]


def unused(before: ImageFacts, after: ImageFacts, disposable: Sequence[str]) -> list[str]:
    """Those patterns under which nothing differs: they declare more than the change does."""
    places = {difference.where for difference in _differences(before, after)}
    return [pattern for pattern in disposable if not any(map(_usable(pattern).fullmatch, places))]


def _usable(pattern: str) -> re.Pattern[str]:
    compiled = compile_pattern(pattern)
    if set("*?") & set(pattern.split("/")[1]):
        raise ValueError(f"too wide to be disposable: {pattern!r}")
    return compiled


def _differences(before: ImageFacts, after: ImageFacts) -> Iterator[Difference]:
    for path in sorted(before.files.keys() | after.files.keys()):
        old, new = before.files.get(path), after.files.get(path)
        if old is None or new is None:
            yield Difference(path, "path", _shown(old), _shown(new))
        elif old is not new:
            for what, was, now in _changes(old, new):
                yield Difference(path, what, was, now)
    for key in sorted(before.config.keys() | after.config.keys()):
        if key == "config":
            yield from _settings(before.config.get(key) or {}, after.config.get(key) or {})
        elif key not in _NOT_COMPARED:
            yield from _settings({key: before.config.get(key)}, {key: after.config.get(key)})


def _shown(facts: FileFacts | None) -> str:
    if facts is None:
        return "absent"
    return f"{facts.kind} {facts.mode:04o} {facts.uid}:{facts.gid} {facts.size} B"


def _changes(old: FileFacts, new: FileFacts) -> Iterator[tuple[str, str, str]]:
    if old.kind != new.kind:
        yield "kind", old.kind, new.kind
        return
    if old.mode != new.mode:
        yield "mode", f"{old.mode:04o}", f"{new.mode:04o}"
    if (old.uid, old.gid) != (new.uid, new.gid):
        yield "owner", f"{old.uid}:{old.gid}", f"{new.uid}:{new.gid}"
    if old.target != new.target:
        yield "target", old.target, new.target
    if old.xattrs != new.xattrs:
        yield "xattrs", repr(dict(old.xattrs)), repr(dict(new.xattrs))
    masked = old.stable is not None and new.stable is not None
    if (old.stable != new.stable) if masked else (old.sha256 != new.sha256):
        yield "content", f"{old.size} B, sha256 {old.sha256[:12]}", f"{new.size} B, sha256 {new.sha256[:12]}"


def _settings(old: dict[str, object], new: dict[str, object]) -> Iterator[Difference]:
    """An engine treats a missing setting, null and an empty value alike, so they are equal here too."""
    for key in sorted(old.keys() | new.keys()):
        was, now = old.get(key) or None, new.get(key) or None
        if was != now:
            yield Difference(f"config.{key}", "value", repr(was), repr(now))
