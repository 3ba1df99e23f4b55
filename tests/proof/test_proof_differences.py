"""What two images may differ in: declarations, noise, a user's own list."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from realbuild.synthetic import Entry, archive, entry

from dfopt.findings import Declares
from dfopt.passes.base import registered
from dfopt.proof.differences import Allowed, allowance, compare_views
from dfopt.proof.image_view import ImageReader, ImageView
from dfopt.proof.nondeterminism import mask_for
from dfopt.proof.patterns import compile_pattern, parents


class Pair:
    """Two images, made of entries on top of one base."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.reader = ImageReader()

    def image(self, name: str, entries: Sequence[Entry], settings: dict[str, Any] | None = None) -> ImageView:
        path = archive(self.folder / name, [entry("base")], list(entries), config={"config": settings or {}})
        return self.reader.archive(str(path))

    def undeclared(
        self,
        before: Sequence[Entry],
        after: Sequence[Entry],
        *declared: Declares,
        settings: tuple[dict[str, Any], dict[str, Any]] = ({}, {}),
        noise: Sequence[str] = (),
    ) -> list[str]:
        """The places of what differs and is not allowed."""
        one, two = self.image("one", before, settings[0]), self.image("two", after, settings[1])
        return [
            f"{found.where}: {found.what}" for found in Allowed(declared, noise).undeclared(compare_views(one, two))
        ]


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return Pair(tmp_path)


GONE = ([entry("var/lib/apt/lists/x", b"1"), entry("usr/bin/a", b"a")], [entry("usr/bin/a", b"a")])


def test_equal_images_do_not_differ(pair: Pair) -> None:
    assert pair.undeclared(GONE[0], GONE[0]) == []


def test_undeclared_loss(pair: Pair) -> None:
    assert pair.undeclared(*GONE) == [
        "/var: path", "/var/lib: path", "/var/lib/apt: path", "/var/lib/apt/lists: path", "/var/lib/apt/lists/x: path"
    ]  # fmt: skip


def test_declared_paths_and_the_directories_above_them_may_go(pair: Pair) -> None:
    assert pair.undeclared(*GONE, Declares(paths=("/var/lib/apt/lists/**",))) == []
    assert pair.undeclared(*GONE, Declares(caches=("apt",))) == []
    assert pair.undeclared(*GONE, Declares(files="fewer")) == []
    assert (
        pair.undeclared(*GONE, noise=("/var", "/var/lib", "/var/lib/apt", "/var/lib/apt/lists", "/var/lib/apt/lists/x"))
        == []
    )
    assert "/var/lib/apt/lists/x: path" in pair.undeclared(*GONE, Declares(paths=("/var/lib/dpkg/**",)))


def test_other_things_in_a_directory_above_are_told_of(pair: Pair) -> None:
    before = [*GONE[0], entry("var/lib/mine", b"1")]
    assert pair.undeclared(before, GONE[1], Declares(caches=("apt",))) == ["/var/lib/mine: path"]


def test_fewer_is_not_more(pair: Pair) -> None:
    assert pair.undeclared([], [entry("new", b"1")], Declares(files="fewer")) == ["/new: path"]
    assert pair.undeclared([entry("a", b"1")], [entry("a", b"2")], Declares(files="fewer")) == ["/a: content"]
    assert pair.undeclared([entry("a", b"1")], [entry("a", b"2")], Declares(files="any")) == []


@pytest.mark.parametrize(
    ("declared", "expected"),
    [
        (Declares(), ["/su: mode"]),
        (Declares(setid=("/**",)), []),
        (Declares(modes=("/su",)), []),
        (Declares(modes=("/other",)), ["/su: mode"]),
    ],
)
def test_setuid_bits(pair: Pair, declared: Declares, expected: list[str]) -> None:
    assert pair.undeclared([entry("su", mode=0o4755)], [entry("su", mode=0o755)], declared) == expected


def test_setid_allows_the_loss_of_these_bits_alone(pair: Pair) -> None:
    setid = Declares(setid=("/**",))
    assert pair.undeclared([entry("su", mode=0o4755)], [entry("su", mode=0o700)], setid) == ["/su: mode"]
    assert pair.undeclared([entry("su", mode=0o755)], [entry("su", mode=0o4755)], setid) == ["/su: mode"]


def test_owners(pair: Pair) -> None:
    before, after = [entry("app/x")], [entry("app/x", owner=(5, 5), mode=0o600)]
    assert pair.undeclared(before, after, Declares(owners=("/app/**",))) == ["/app/x: mode"]


def test_settings(pair: Pair) -> None:
    settings = ({"User": "root", "Labels": {"maintainer": "x"}}, {"Labels": {"author": "x", "dev.dfopt.run": "1"}})
    assert pair.undeclared([], [], settings=settings) == [
        "config.User: value", "config.Labels.maintainer: value", "config.Labels.author: value"
    ]  # fmt: skip
    assert pair.undeclared([], [], Declares(settings=("Labels.*", "User")), settings=settings) == []


@pytest.mark.parametrize(
    ("path", "before", "after", "same"),
    [
        ("var/log/dpkg.log", b"monday", b"tuesday", True),
        ("var/log/mine.log", b"monday", b"tuesday", False),
        (
            "lib/a.pyc",
            b"mmmm\0\0\0\0" + b"time" + b"size" + b"code",
            b"mmmm\0\0\0\0" + b"TIME" + b"size" + b"code",
            True,
        ),
        (
            "lib/a.pyc",
            b"mmmm\0\0\0\0" + b"time" + b"size" + b"code",
            b"mmmm\0\0\0\0" + b"time" + b"size" + b"CODE",
            False,
        ),
        ("lib/a.pyc", b"mmmm\1\0\0\0" + b"hash" + b"hash", b"mmmm\1\0\0\0" + b"HASH" + b"hash", False),
        ("doc/a.gz", gzip.compress(b"x", mtime=1), gzip.compress(b"x", mtime=2), True),
        ("doc/a.gz", gzip.compress(b"x", mtime=1), gzip.compress(b"y", mtime=1), False),
        ("etc/shadow", b"app:!:20000:0:9:7:::\n", b"app:!:20001:0:9:7:::\n", True),
        ("etc/shadow", b"app:!:20000:0:9:7:::\n", b"app::20000:0:9:7:::\n", False),
        ("root/.cache/go-build/00/008f-a", b"v1 008f 901a 64 17\n", b"v1 008f 901a 64 18\n", True),
        ("root/.cache/go-build/90/901a-d", b"an object", b"another", False),
        ("etc/shadow", b"a:$y$j9T$s1$h1:20000:0:9:7:::\n", b"a:$y$j9T$s2$h2:20000:0:9:7:::\n", True),
        ("etc/shadow", b"a:$y$j9T$s1$h1:20000:0:9:7:::\n", b"a:$1$s1$h1:20000:0:9:7:::\n", False),
        ("etc/shadow", b"a:$y$j9T$s1$h1:20000:0:9:7:::\n", b"a:!$y$j9T$s1$h1:20000:0:9:7:::\n", False),
        ("etc/shadow", b"a:$y$j9T$s1$h1:20000:0:9:7:::\n", b"a:*:20000:0:9:7:::\n", False),
    ],
)
def test_noise(pair: Pair, path: str, before: bytes, after: bytes, same: bool) -> None:
    expected = [] if same else [f"/{path}: content"]
    assert pair.undeclared([entry(path, before)], [entry(path, after)]) == expected


def test_noise_is_of_content_alone(pair: Pair) -> None:
    path = "var/log/dpkg.log"
    assert pair.undeclared([entry(path, b"1")], [entry(path, b"2", mode=0o600)]) == [f"/{path}: mode"]
    assert f"/{path}: path" in pair.undeclared([entry(path, b"1")], [])


def test_names_made_of_times_come_and_go(pair: Pair) -> None:
    before, after = [entry("root/.npm/_logs/1.log")], [entry("root/.npm/_logs/2.log")]
    assert pair.undeclared(before, after) == []


def test_layers_are_read_once(pair: Pair) -> None:
    one, two = pair.image("one", [entry("a")]), pair.image("two", [entry("b")])
    assert one.contents.layers[0].entries is two.contents.layers[0].entries
    assert two.has("/b")
    assert not two.has("/a")


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("/a/*", "/a/b", True), ("/a/*", "/a/b/c", False), ("/a/**", "/a/b/c", True), ("/a/**", "/a", False),
        ("/**/x", "/x", True), ("/**/x", "/a/b/x", True), ("~/.cache/**", "/root/.cache/pip", True),
        ("~/.cache/**", "/home/app/.cache/x/y", True), ("~/.cache/**", "/.cache/x", True),
        ("~/.cache/**", "/srv/.cache/x", False), ("/a.b", "/aXb", False), ("/a?", "/ab", True),
    ],
)  # fmt: skip
def test_patterns(pattern: str, path: str, matches: bool) -> None:
    assert bool(compile_pattern(pattern).fullmatch(path)) == matches


@pytest.mark.parametrize("pattern", ["", "a", "a/b", "//", "/a//b", "/a/../b", "/./a", "~"])
def test_bad_patterns(pattern: str) -> None:
    with pytest.raises(ValueError, match="pattern"):
        compile_pattern(pattern)
    with pytest.raises(ValueError, match="pattern"):
        allowance([pattern])


def test_parents() -> None:
    assert parents("/var/lib/x/**") == ["/var", "/var/lib", "/var/lib/x"]
    assert parents("~/.cache/pip") == ["~/.cache"]


def test_what_passes_declare_is_well_formed() -> None:
    declared = [cls.declares for cls in registered().values()]
    assert any(one.caches for one in declared)
    for one in declared:
        Allowed([one])
        assert one.files in ("", "fewer", "any")


def test_registers_of_packages_change_with_what_is_recommended(pair: Pair) -> None:
    declares = registered()["no-recommends"].declares
    for path in ("var/lib/pam/auth", "usr/lib/x86_64-linux-gnu/gio/modules/giomodule.cache", "usr/share/info/dir"):
        assert pair.undeclared([entry(path, b"1")], [entry(path, b"2")], declares) == []
        assert pair.undeclared([entry(path, b"1")], [entry(path, b"2")]) == [f"/{path}: content"]


def test_noise_has_a_reason_each() -> None:
    from dfopt.knowledge import table

    for row in table("build_noise")["mask"]:
        assert row["reason"]
        assert row["source"]
        for pattern in row["paths"]:
            sample = pattern.replace("/**", "/x").replace("*", "x")
            assert mask_for(sample) is not None
