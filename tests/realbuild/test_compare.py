"""The comparison sees every planted difference, and nothing where there is none."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import pytest

from .compare import Difference, compare, unused
from .image import ImageFacts, image_facts
from .patterns import compile_pattern
from .stable import MASKS
from .synthetic import Entry, archive, entry


def _image(path: Path, layers: list[list[Entry]], settings: dict[str, Any] | None = None) -> ImageFacts:
    return image_facts(archive(path, *layers, config=settings))


def _pyc(mtime: int, body: bytes, flags: int = 0) -> bytes:
    return b"\xf3\x0d\x0d\x0a" + struct.pack("<III", flags, mtime, 7) + body


F = entry("f", b"x")
PYC = "usr/lib/python3/__pycache__/m.cpython-313.pyc"

EQUAL: list[tuple[str, list[list[Entry]], list[list[Entry]]]] = [
    ("the same", [[F]], [[F]]),
    ("times", [[entry("f", b"x", mtime=1)]], [[entry("f", b"x", mtime=2)]]),
    ("layer boundaries", [[F], [entry("g", b"y")]], [[F, entry("g", b"y")]]),
    ("order in a layer", [[F, entry("g", b"y")]], [[entry("g", b"y"), F]]),
    ("deleted in a later layer", [[F, entry("t", b"t")], [entry(".wh.t")]], [[F]]),
    ("overwritten and put back", [[F], [entry("f", b"y")], [F]], [[F]]),
    ("hardlink and copy", [[F, entry("g", kind="hardlink", link="f")]], [[F, entry("g", b"x")]]),
    ("root named or not", [[F]], [[entry("./", kind="dir", mode=0o755), F]]),
    ("apt's log", [[entry("var/log/apt/history.log", b"1")]], [[entry("var/log/apt/history.log", b"22")]]),
    ("machine id", [[entry("etc/machine-id", b"1")]], [[entry("etc/machine-id", b"2")]]),
    ("time in bytecode", [[entry(PYC, _pyc(1, b"code"))]], [[entry(PYC, _pyc(2, b"code"))]]),
    ("day in shadow", [[entry("etc/shadow", b"a:!:19999:0:::::\n")]], [[entry("etc/shadow", b"a:!:20000:0:::::\n")]]),
]


@pytest.mark.parametrize(("before", "after"), [row[1:] for row in EQUAL], ids=[row[0] for row in EQUAL])
def test_equal(tmp_path: Path, before: list[list[Entry]], after: list[list[Entry]]) -> None:
    assert compare(_image(tmp_path / "before", before), _image(tmp_path / "after", after)) == []


PLANTED: list[tuple[str, Entry | None, Entry | None, str]] = [
    ("content", F, entry("f", b"y"), "/f: content: 1 B, sha256 2d711642b726 -> 1 B, sha256 a1fce4363854"),
    ("mode", F, entry("f", b"x", mode=0o600), "/f: mode: 0644 -> 0600"),
    ("setuid", F, entry("f", b"x", mode=0o4644), "/f: mode: 0644 -> 4644"),
    ("owner", F, entry("f", b"x", owner=(7, 0)), "/f: owner: 0:0 -> 7:0"),
    ("group", F, entry("f", b"x", owner=(0, 7)), "/f: owner: 0:0 -> 0:7"),
    ("kind", F, entry("f", kind="fifo"), "/f: kind: file -> fifo"),
    ("gone", F, None, "/f: path: file 0644 0:0 1 B -> absent"),
    ("new", None, F, "/f: path: absent -> file 0644 0:0 1 B"),
    ("new directory", None, entry("d", kind="dir", mode=0o755), "/d: path: absent -> dir 0755 0:0 0 B"),
    ("link", entry("s", kind="symlink", link="a"), entry("s", kind="symlink", link="b"), "/s: target: a -> b"),
    (
        "link's owner",
        entry("s", kind="symlink", link="a"),
        entry("s", kind="symlink", link="a", owner=(1, 1)),
        "/s: owner: 0:0 -> 1:1",
    ),
    (
        "device",
        entry("n", kind="char", device=(1, 3)),
        entry("n", kind="char", device=(1, 5)),
        "/n: target: 1:3 -> 1:5",
    ),
    (
        "xattr",
        F,
        entry("f", b"x", xattrs={"security.capability": "c"}),
        "/f: xattrs: {} -> {'security.capability': 'c'}",
    ),
    ("root's mode", entry("./", kind="dir", mode=0o755), entry("./", kind="dir", mode=0o700), "/: mode: 0755 -> 0700"),
    (
        "masked file's mode",
        entry("etc/machine-id", b"1"),
        entry("etc/machine-id", b"2", mode=0o600),
        "/etc/machine-id: mode: 0644 -> 0600",
    ),
    ("masked file gone", entry("etc/machine-id", b"1"), None, "/etc/machine-id: path: file 0644 0:0 1 B -> absent"),
    ("bytecode", entry(PYC, _pyc(1, b"a")), entry(PYC, _pyc(1, b"b")), f"/{PYC}: content: 17 B, sha256"),
    ("hash in bytecode", entry(PYC, _pyc(1, b"a", 1)), entry(PYC, _pyc(2, b"a", 1)), f"/{PYC}: content: 17 B, sha256"),
    (
        "password",
        entry("etc/shadow", b"a:!:1:0:\n"),
        entry("etc/shadow", b"a:*:2:0:\n"),
        "/etc/shadow: content: 9 B, sha256",
    ),
]


@pytest.mark.parametrize(("old", "new", "shown"), [row[1:] for row in PLANTED], ids=[row[0] for row in PLANTED])
def test_planted_difference(tmp_path: Path, old: Entry | None, new: Entry | None, shown: str) -> None:
    def base(planted: Entry | None) -> list[Entry]:
        parents = [entry(name, kind="dir", mode=0o755) for name in ("etc", "usr/lib/python3/__pycache__")]
        return [entry("same", b"s"), *parents, *([planted] if planted else [])]

    before, after = _image(tmp_path / "before", [base(old)]), _image(tmp_path / "after", [base(new)])
    assert [str(difference).startswith(shown) for difference in compare(before, after)] == [True], compare(
        before, after
    )
    assert len(compare(after, before)) == 1


CONFIG: list[tuple[str, dict[str, Any], dict[str, Any], list[str]]] = [
    ("times and history", {"created": "a", "history": [1]}, {"created": "b", "history": []}, []),
    ("null, empty, missing", {"config": {"Cmd": None, "User": "", "Labels": {}}}, {"config": {"Entrypoint": []}}, []),
    ("no config at all", {}, {"config": {}}, []),
    ("user", {"config": {"User": "a"}}, {"config": {"User": "b"}}, ["config.User: value: 'a' -> 'b'"]),
    (
        "env order",
        {"config": {"Env": ["A=1", "B=2"]}},
        {"config": {"Env": ["B=2", "A=1"]}},
        ["config.Env: value: ['A=1', 'B=2'] -> ['B=2', 'A=1']"],
    ),
    ("cmd gone", {"config": {"Cmd": ["x"]}}, {}, ["config.Cmd: value: ['x'] -> None"]),
    ("label new", {"config": {}}, {"config": {"Labels": {"k": "v"}}}, ["config.Labels: value: None -> {'k': 'v'}"]),
    ("architecture", {"architecture": "arm64"}, {}, ["config.architecture: value: 'arm64' -> 'amd64'"]),
]


@pytest.mark.parametrize(("old", "new", "shown"), [row[1:] for row in CONFIG], ids=[row[0] for row in CONFIG])
def test_config(tmp_path: Path, old: dict[str, Any], new: dict[str, Any], shown: list[str]) -> None:
    before, after = _image(tmp_path / "before", [[F]], old), _image(tmp_path / "after", [[F]], new)
    assert [str(difference) for difference in compare(before, after)] == shown


def test_disposable_takes_its_paths_only(tmp_path: Path) -> None:
    lists = [
        entry("var/lib/apt/lists/a", b"1"),
        entry("var/lib/apt/lists/partial/b", b"1"),
        entry("var/lib/apt/c", b"1"),
    ]
    kept = [entry("var/lib/apt/lists", kind="dir", mode=0o755), entry("var/lib/apt/c", b"2")]
    before, after = _image(tmp_path / "before", [lists]), _image(tmp_path / "after", [kept])
    assert [d.where for d in compare(before, after)] == [
        "/var/lib/apt/c",
        "/var/lib/apt/lists/a",
        "/var/lib/apt/lists/partial",
        "/var/lib/apt/lists/partial/b",
    ]
    assert [d.where for d in compare(before, after, ["/var/lib/apt/lists/**"])] == ["/var/lib/apt/c"]
    assert compare(before, after, ["/var/lib/apt/lists/**", "/var/lib/apt/c"]) == []
    assert unused(before, after, ["/var/lib/apt/lists/**", "/var/cache/**"]) == ["/var/cache/**"]


@pytest.mark.parametrize("pattern", ["/**", "/*", "/v?r/x", "relative/**", "", "/", "/a//b", "/a/../b", "/a/"])
def test_disposable_patterns_that_are_refused(tmp_path: Path, pattern: str) -> None:
    image = _image(tmp_path / "image", [[F]])
    with pytest.raises(ValueError, match=r"pattern|wide"):
        compare(image, image, [pattern])


PATTERNS = [
    ("/a", "/a", True),
    ("/a", "/a/b", False),
    ("/a/*", "/a/b", True),
    ("/a/*", "/a/b/c", False),
    ("/a/*", "/a", False),
    ("/a/*.log", "/a/.log", True),
    ("/a/?", "/a/bc", False),
    ("/a/**", "/a", False),
    ("/a/**", "/a/b/c", True),
    ("/a/**", "/ab/c", False),
    ("/a/**/z", "/a/z", True),
    ("/a/**/z", "/a/b/c/z", True),
    ("/a/**/z", "/a/bz", False),
    ("/a.b", "/aXb", False),
    ("/a/[b]", "/a/b", False),
    ("/a/[b]", "/a/[b]", True),
    ("/a/*", "/a/b\nc", True),
]


@pytest.mark.parametrize(("pattern", "path", "matches"), PATTERNS, ids=[f"{row[0]} {row[1]!r}" for row in PATTERNS])
def test_patterns(pattern: str, path: str, matches: bool) -> None:
    assert (compile_pattern(pattern).fullmatch(path) is not None) is matches


def test_every_mask_gives_its_reason() -> None:
    assert all(len(mask.reason.split()) > 3 for mask in MASKS)
    assert len({mask.pattern for mask in MASKS}) == len(MASKS)


def test_difference_is_shown_in_one_line() -> None:
    assert str(Difference("/f", "mode", "0644", "0600")) == "/f: mode: 0644 -> 0600"
