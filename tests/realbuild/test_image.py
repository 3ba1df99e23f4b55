"""Reading images: layers with whiteouts, opaque directories and links, and archives that are none."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path

import pytest

from .image import _BASES, _BASES_KEPT, FileFacts, ImageError, ImageFacts, image_facts, images_of
from .synthetic import Entry, archive, entry, tarball


def _live(image: ImageFacts) -> dict[str, str]:
    """Path -> what is there, in short: the content's first digits for a file, else the kind."""
    return {path: facts.sha256[:6] or facts.kind for path, facts in image.files.items() if path != "/"}


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:6]


A, B = _digest(b"a"), _digest(b"b")
D = entry("d", kind="dir", mode=0o755)

LAYERS: list[tuple[str, list[list[Entry]], dict[str, str]]] = [
    ("nothing", [[]], {}),
    ("untouched by an empty layer", [[entry("a", b"a")], []], {"/a": A}),
    ("dot and slash in names", [[entry("./a", b"a"), entry("d/", kind="dir")]], {"/a": A, "/d": "dir"}),
    ("upper wins", [[entry("a", b"a")], [entry("a", b"b")]], {"/a": B}),
    ("last entry of a layer wins", [[entry("a", b"a"), entry("a", b"b")]], {"/a": B}),
    ("parents are made", [[entry("d/e/a", b"a")]], {"/d": "dir", "/d/e": "dir", "/d/e/a": A}),
    ("whiteout of a file", [[entry("a", b"a"), entry("b", b"b")], [entry(".wh.a")]], {"/b": B}),
    ("whiteout of nothing", [[entry("a", b"a")], [entry(".wh.x")]], {"/a": A}),
    ("whiteout of a directory", [[D, entry("d/a", b"a"), entry("da", b"a")], [entry(".wh.d")]], {"/da": A}),
    (
        "whiteout below a directory",
        [[D, entry("d/a", b"a"), entry("d/b", b"b")], [entry("d/.wh.a")]],
        {"/d": "dir", "/d/b": B},
    ),
    ("whiteout spares its own layer, before", [[entry("a", b"a")], [entry(".wh.a"), entry("a", b"b")]], {"/a": B}),
    ("whiteout spares its own layer, after", [[entry("a", b"a")], [entry("a", b"b"), entry(".wh.a")]], {"/a": B}),
    ("deleted, made again", [[entry("a", b"a")], [entry(".wh.a")], [entry("a", b"a")]], {"/a": A}),
    (
        "whiteout then directory",
        [[entry("d", b"a")], [entry(".wh.d"), D, entry("d/b", b"b")]],
        {"/d": "dir", "/d/b": B},
    ),
    ("opaque", [[D, entry("d/a", b"a")], [D, entry("d/.wh..wh..opq"), entry("d/b", b"b")]], {"/d": "dir", "/d/b": B}),
    (
        "opaque listed last",
        [[D, entry("d/a", b"a")], [entry("d/b", b"b"), entry("d/.wh..wh..opq")]],
        {"/d": "dir", "/d/b": B},
    ),
    (
        "opaque is deep",
        [[D, entry("d/e/a", b"a"), entry("x", b"a")], [entry("d/.wh..wh..opq")]],
        {"/d": "dir", "/x": A},
    ),
    ("opaque root", [[entry("a", b"a"), D], [entry(".wh..wh..opq"), entry("b", b"b")]], {"/b": B}),
    ("directory over file", [[entry("d", b"a")], [D, entry("d/b", b"b")]], {"/d": "dir", "/d/b": B}),
    ("file over directory", [[D, entry("d/a", b"a"), entry("da", b"a")], [entry("d", b"b")]], {"/d": B, "/da": A}),
    ("directory over directory keeps content", [[D, entry("d/a", b"a")], [D]], {"/d": "dir", "/d/a": A}),
    ("symlink over directory", [[D, entry("d/a", b"a")], [entry("d", kind="symlink", link="x")]], {"/d": "symlink"}),
    ("hardlink", [[entry("a", b"a"), entry("b", kind="hardlink", link="a")]], {"/a": A, "/b": A}),
    ("hardlink to a lower layer", [[entry("a", b"a")], [entry("b", kind="hardlink", link="/a")]], {"/a": A, "/b": A}),
    (
        "hardlink outlives its name",
        [[entry("a", b"a"), entry("b", kind="hardlink", link="a")], [entry(".wh.a")]],
        {"/b": A},
    ),
    (
        "hardlink is not the new file",
        [[entry("a", b"a"), entry("b", kind="hardlink", link="a")], [entry("a", b"b")]],
        {"/a": B, "/b": A},
    ),
    ("name that is no UTF-8", [[entry("\udcff", b"a")]], {"/\udcff": A}),
]


@pytest.mark.parametrize(("layers", "live"), [row[1:] for row in LAYERS], ids=[row[0] for row in LAYERS])
def test_layers(tmp_path: Path, layers: list[list[Entry]], live: dict[str, str]) -> None:
    assert _live(image_facts(archive(tmp_path / "image.tar", *layers))) == live


def test_every_fact(tmp_path: Path) -> None:
    layer = [
        entry("f", b"abc", mode=0o4755, owner=(1, 2), xattrs={"user.k": "v", "security.capability": "\x01\x00"}),
        entry("d", kind="dir", mode=0o1777, owner=(3, 4)),
        entry("s", kind="symlink", link="../else where", mode=0o644, owner=(5, 6)),
        entry("p", kind="fifo", mode=0o600),
        entry("c", kind="char", device=(1, 3), mode=0o666),
        entry("b", kind="block", device=(8, 1), mode=0o660),
        entry("h", kind="hardlink", link="f"),
    ]
    config = {"config": {"Env": ["A=1"]}}
    image = image_facts(archive(tmp_path / "image.tar", layer, config=config))
    abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180-4's own example
    xattrs = (("security.capability", "\x01\x00"), ("user.k", "v"))
    assert image.files == {
        "/": FileFacts("dir", 0o755, 0, 0),
        "/f": FileFacts("file", 0o4755, 1, 2, 3, abc, "", xattrs),
        "/d": FileFacts("dir", 0o1777, 3, 4),
        "/s": FileFacts("symlink", 0o777, 5, 6, target="../else where"),
        "/p": FileFacts("fifo", 0o600, 0, 0),
        "/c": FileFacts("char", 0o666, 0, 0, target="1:3"),
        "/b": FileFacts("block", 0o660, 0, 0, target="8:1"),
        "/h": FileFacts("file", 0o4755, 1, 2, 3, abc, "", xattrs),
    }
    assert image.config["config"] == {"Env": ["A=1"]}
    assert len(image.layers) == 1
    assert image.id.startswith("sha256:")


def test_gzip_layer(tmp_path: Path) -> None:
    layer = gzip.compress(tarball([entry("a", b"a")]))
    assert _live(image_facts(archive(tmp_path / "image.tar", layer))) == {"/a": A}


BROKEN = [
    ("climbs out", [entry("../a", b"a")], "climbs out"),
    ("climbs out inside", [entry("d/../../a", b"a")], "climbs out"),
    ("hardlink climbs out", [entry("a", kind="hardlink", link="../../etc/passwd")], "climbs out"),
    ("hardlink to nothing", [entry("a", kind="hardlink", link="x")], "hardlink"),
    ("hardlink to a directory", [D, entry("a", kind="hardlink", link="d")], "hardlink"),
    ("below a file", [entry("a", b"a"), entry("a/b", b"b")], "below '/a', which is a file"),
    ("below a symlink", [entry("a", kind="symlink", link="d"), entry("a/b", b"b")], "below '/a', which is a symlink"),
    ("not a tar", b"no tar at all" * 100, "cannot be read"),
    ("cut off", tarball([entry("a", b"a" * 5000)])[:2048], "cannot be read"),
    ("gzip cut off", gzip.compress(tarball([entry("a", bytes(range(256)) * 50)]))[:60], "cannot be read"),
]


@pytest.mark.parametrize(("layer", "message"), [row[1:] for row in BROKEN], ids=[row[0] for row in BROKEN])
def test_broken_layer(tmp_path: Path, layer: list[Entry] | bytes, message: str) -> None:
    with pytest.raises(ImageError, match=message):
        image_facts(archive(tmp_path / "image.tar", layer))


ARCHIVES = [
    ("empty file", b""),
    ("text", b"FROM scratch\n" * 100),
    ("no manifest", tarball([entry("a", b"a")])),
    ("manifest is no JSON", tarball([entry("manifest.json", b"{")])),
    ("manifest of another shape", tarball([entry("manifest.json", b'[{"Layers": 3}]')])),
    (
        "layer is missing",
        tarball(
            [
                entry("manifest.json", b'[{"Config": "c", "Layers": ["x"]}]'),
                entry("c", b'{"rootfs": {"diff_ids": ["x"]}}'),
            ]
        ),
    ),
    (
        "counts differ",
        tarball(
            [entry("manifest.json", b'[{"Config": "c", "Layers": []}]'), entry("c", b'{"rootfs": {"diff_ids": ["x"]}}')]
        ),
    ),
    (
        "layer is a directory",
        tarball(
            [
                entry("manifest.json", b'[{"Config": "c", "Layers": ["d"]}]'),
                D,
                entry("c", b'{"rootfs": {"diff_ids": ["x"]}}'),
            ]
        ),
    ),
    ("no image at all", tarball([entry("manifest.json", b"[]")])),
]


@pytest.mark.parametrize("content", [row[1] for row in ARCHIVES], ids=[row[0] for row in ARCHIVES])
def test_no_image(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "image.tar"
    path.write_bytes(content)
    with pytest.raises(ImageError, match=str(path)):
        image_facts(path)


def test_missing_archive(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"none\.tar"):
        list(images_of(tmp_path / "none.tar"))


def test_many_bases(tmp_path: Path) -> None:
    """Lowest layers are remembered, but never for another image, and not without end."""
    for number in [*range(20), *range(20), 0, 0]:
        name = f"base{number}"
        image = image_facts(archive(tmp_path / "image.tar", [entry(name, b"a")], [entry("upper", b"b")]))
        assert _live(image) == {f"/{name}": A, "/upper": B}
    assert len(_BASES) == _BASES_KEPT
