"""`RUN --mount=...` is read as BuildKit reads it."""

from __future__ import annotations

import pytest

from dfopt.syntax.dockerfile import parse
from dfopt.syntax.mounts import mounts

ROWS: list[tuple[str, str, tuple[str, str, str, str]]] = [
    ("a bind mount is the default", "target=/a", ("bind", "/a", "", "/")),
    ("long and short keys", "type=bind,dst=/a,src=b,from=c", ("bind", "/a", "c", "b")),
    ("upper case", "TYPE=cache,Destination=/a", ("cache", "/a", "", "/")),
    ("the last of two counts", "type=cache,target=/a,target=/b", ("cache", "/b", "", "/")),
    ("quoted fields", r"type=cache,\"target=/a,b\"", ("cache", "/a,b", "", "/")),
    ("variables stay", "type=cache,target=$HOME/x", ("cache", "$HOME/x", "", "/")),
    ("a secret has no target", "type=secret,id=x", ("secret", "", "", "/")),
]


@pytest.mark.parametrize(("value", "expected"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_mounts(value: str, expected: tuple[str, str, str, str]) -> None:
    (mount,) = mounts(parse(f"FROM x\nRUN --mount={value} true\n").instructions[1])
    assert (mount.kind, mount.target, mount.image, mount.source) == expected


def test_flags_without_a_mount() -> None:
    node = parse("FROM x\nRUN --network=none --mount=target=/a --mount=type=ssh true\n").instructions[1]
    assert [(mount.kind, mount.flag.name) for mount in mounts(node)] == [("bind", "mount"), ("ssh", "mount")]
