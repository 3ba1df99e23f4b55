"""Makes an input smaller while it fails in the same way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from tests.tools.fuzz.model import Input

Fails = Callable[[Input], bool]


def minimised(given: Input, fails: Fails, budget: int = 250) -> Input:
    """The smallest input found in `budget` runs: without files, then without pieces of the files that are left."""
    left = budget

    def still(candidate: Input) -> bool:
        nonlocal left
        left -= 1
        return left >= 0 and fails(candidate)

    for path in list(given.files):
        rest = {name: content for name, content in given.files.items() if name != path}
        smaller = replace(given, files=rest, targets=tuple(name for name in given.targets if name != path))
        if rest and still(smaller):
            given = smaller
    for path in sorted(given.files, key=lambda path: -len(given.files[path])):
        found = given

        def with_content(content: bytes, path: str = path, found: Input = found) -> bool:
            return still(found.with_file(path, content))

        given = given.with_file(path, _pieces(given.files[path], with_content))
    if given.stdin:
        given = replace(given, stdin=_pieces(given.stdin, lambda content: still(replace(given, stdin=content))))
    return given


def _pieces(content: bytes, fails: Callable[[bytes], bool]) -> bytes:
    """Without lines, then without bytes: halves first, then ever smaller pieces."""
    for split in (lambda data: data.splitlines(True), lambda data: [data[at : at + 1] for at in range(len(data))]):
        units = split(content)
        size = max(1, len(units) // 2)
        while size and len(units) < 20_000:
            at = 0
            while at < len(units):
                rest = units[:at] + units[at + size :]
                if fails(b"".join(rest)):
                    units = rest
                else:
                    at += size
            size //= 2
        content = b"".join(units)
    return content
