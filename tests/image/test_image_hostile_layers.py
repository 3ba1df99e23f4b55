"""Broken and hostile layers: each is one clear ImageError that names the layer, and nothing is written anywhere."""

from __future__ import annotations

import io
import os
import tarfile
import zlib
from pathlib import Path

import pytest

from dfopt.image import ImageError, ReadLimits, make_ledger, open_archive, read_image
from dfopt.image.errors import Budget
from dfopt.image.layer_stream import LayerStream
from dfopt.image.layers import read_layer
from dfopt.image.model import Layer
from image.builders import (
    contents_of,
    docker_archive,
    file,
    folder,
    gz,
    hardlink,
    layer,
    link,
    node,
    require_module,
    whiteout,
)

GOOD = layer(folder("d"), file("d/a", "content" * 500), file("d/b", "b"))


def read_tar(tar: bytes, limits: ReadLimits | None = None) -> None:
    one = Layer(7, "", "", -1, "", lambda: io.BytesIO(tar))
    make_ledger([read_layer(one, Budget(limits or ReadLimits()))])


def patched(tar: bytes, position: int, data: bytes, checksum: bool = True) -> bytes:
    """A tar whose first header was changed, its checksum made right again."""
    block = bytearray(tar[:512])
    block[position : position + len(data)] = data
    if checksum:
        block[148:156] = b" " * 8
        block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block) + tar[512:]


def pax(**records: str) -> bytes:
    return layer(file("a", "x", pax_headers=records))


LAYERS: dict[str, tuple[bytes, str]] = {
    "parent directory": (layer(file("../etc/passwd")), r"climbs with '\.\.': '\.\./etc/passwd'"),
    "parent directory inside": (layer(file("a/../../b")), "climbs"),
    "parent directory, absolute": (layer(file("/../etc/passwd")), "climbs"),
    "parent directory in a PAX path": (pax(path="x/../../y"), "climbs"),
    "NUL in a PAX path": (pax(path="x\0y"), "NUL byte"),
    "hardlink that climbs": (layer(hardlink("a", "../../etc/shadow")), "climbs"),
    "hardlink to nowhere": (layer(hardlink("a", "b")), "/a: hardlink to nowhere: /b"),
    "hardlink to itself": (layer(file("a"), hardlink("a", "a")), "hardlink to nowhere"),
    "hardlink to a directory": (layer(folder("d"), hardlink("a", "d")), "hardlink to a directory"),
    "hardlink to the root": (layer(hardlink("a", "/")), "hardlink without a target"),
    "link as a parent": (layer(link("d", "/etc"), file("d/passwd")), "/d/passwd: lies below /d, which this layer"),
    "link as a parent, deep": (layer(folder("x"), link("x/d", ".."), folder("x/d/y/z")), "lies below /x/d"),
    "link without a target": (layer(link("a", "")), "symbolic link with no target"),
    "link with a huge target": (layer(link("a", "x" * 5000)), "over-long target"),
    "root as a file": (layer(file("/", "x")), "the root of the image as a file"),
    "root as a link": (layer(link("./", "/etc")), "the root of the image as a symlink"),
    "no name": (patched(layer(file("a")), 0, bytes(100)), "without a name"),
    "long path": (layer(file("d/" * 3000 + "x")), "path of more than 4096 bytes"),
    "whiteout of nothing": (layer(file("d/.wh.")), "whiteout of nothing"),
    "whiteout of the directory itself": (layer(file("d/.wh..")), "whiteout of nothing"),
    "whiteout of the parent": (layer(file("d/.wh...")), "whiteout of nothing"),
    "whiteout as a directory": (layer(folder("d/.wh.x")), "whiteout used as a directory"),
    "whiteout as a parent": (layer(file("d/.wh.x/y")), "whiteout used as a directory"),
    "unknown type": (patched(GOOD, 156, b"V"), "unsupported type 'V'"),
    "not a tar": (b"hello" * 300, "layer 7 .*: not a tar archive"),
    "short junk": (b"hello", "not a tar archive"),
    "xz": (b"\xfd7zXZ\x00" + bytes(600), "xz compression is not used by images"),
    "truncated content": (GOOD[:1600], "truncated tar"),
    "truncated header": (GOOD[: 512 + 100], "truncated tar"),
    "truncated padding": (GOOD[: 512 * 9 + 100], "truncated tar"),
    "header after one block of zeros": (GOOD[:512] + bytes(512) + GOOD[:512], "end mark"),
    "checksum": (patched(GOOD, 0, b"e", checksum=False), "not a tar archive"),
    "checksum of a later header": (GOOD[:512] + patched(GOOD[512:], 0, b"e", checksum=False), "checksum"),
    "size that is no number": (patched(GOOD, 124, b"12x45678901\0"), "number"),
    "size with an eight": (patched(GOOD, 124, b"00000000008\0"), "number"),
    "negative size": (patched(layer(file("a", "x")), 124, b"\xff" * 12), "negative number"),
    "size of exabytes": (patched(layer(file("a", "x")), 124, b"\x80" + b"\x7f" * 11), "truncated tar"),
    "PAX record of a wrong length": (pax(path="b").replace(b"9 path=b", b"7 path=b"), "PAX"),
    "PAX size": (pax(size="-5"), "corrupt PAX record size"),
    "PAX time": (pax(mtime="1e999"), "corrupt PAX record mtime"),
    "PAX header of megabytes": (pax(comment="x" * 2_000_000), "extension header of"),
    "extension header at the end": (layer(file("x" * 200), form=tarfile.GNU_FORMAT)[:1024], "without its entry"),
    "sparse map that overlaps": (
        pax(**{"GNU.sparse.map": "0,1,0,1", "GNU.sparse.size": "9"}), "segments overlap"
    ),
    "sparse map beyond the end": (pax(**{"GNU.sparse.map": "9,1", "GNU.sparse.size": "3"}), "sizes disagree"),
    "sparse map of odd length": (pax(**{"GNU.sparse.map": "9", "GNU.sparse.size": "3"}), "corrupt sparse map"),
    "sparse size": (pax(**{"GNU.sparse.map": "0,1", "GNU.sparse.size": "x"}), "number"),
    "bad base64": (pax(**{"LIBARCHIVE.xattr.a": "x"}), "corrupt PAX record LIBARCHIVE"),
    "corrupt gzip": (gz(GOOD)[:30] + b"xxxx" + gz(GOOD)[34:], "corrupt gzip"),
    "gzip checksum": (gz(GOOD)[:-8] + b"xxxx" + gz(GOOD)[-4:], "corrupt gzip"),
    "truncated gzip": (gz(GOOD)[:-20], "truncated"),
    "gzip without its trailer": (gz(GOOD)[:-8], "truncated gzip"),
    "bytes after gzip": (gz(GOOD) + b"more", "corrupt gzip"),
}  # fmt: skip


@pytest.mark.parametrize("case", LAYERS)
def test_layers(case: str) -> None:
    tar, message = LAYERS[case]
    with pytest.raises(ImageError, match=message) as caught:
        read_tar(tar)
    assert str(caught.value).startswith("layer 7 ")
    assert "\n" not in str(caught.value)


def test_the_good_layer_is_good() -> None:
    for tar in (GOOD, gz(GOOD), patched(GOOD, 0, b"e")):
        read_tar(tar)


def test_devices_are_recorded_and_not_made(tmp_path: Path) -> None:
    tar = layer(node("dev/sda", tarfile.BLKTYPE, 8, 0), node("p", tarfile.FIFOTYPE), node("c", tarfile.CHRTYPE))
    contents = contents_of(docker_archive(tmp_path / "image.tar", [tar]))
    assert [(e.path, e.kind, e.device) for e in contents.layers[0].entries] == [
        ("/dev/sda", "block device", (8, 0)), ("/p", "fifo", (0, 0)), ("/c", "character device", (1, 3)),
    ]  # fmt: skip
    assert os.listdir(tmp_path) == ["image.tar"]


STACKS: dict[str, tuple[list[bytes], str]] = {
    "circle of links": ([layer(link("a", "b"), link("b", "a")), layer(file("a/x"))], "links in a circle"),
    "link to itself": ([layer(link("a", "a")), layer(file("a/x"))], "links in a circle"),
    "link out of the image": ([layer(link("a", "../../etc")), layer(file("a/x"))], "link that leads out of the image"),
    "hardlink to a deleted file": ([layer(file("a")), layer(whiteout("a"), hardlink("b", "a"))], "nowhere"),
}


@pytest.mark.parametrize("case", STACKS)
def test_stacks(case: str, tmp_path: Path) -> None:
    tars, message = STACKS[case]
    contents = contents_of(docker_archive(tmp_path / "image.tar", tars))
    with pytest.raises(ImageError, match=f"layer 1 .*{message}"):
        make_ledger(contents.layers)


def zeros(megabytes: int) -> bytes:
    """A gzip of a tar with one file of zeros, made without holding it."""
    out = io.BytesIO()
    pack = zlib.compressobj(9, zlib.DEFLATED, 31)
    header = tarfile.TarInfo("zeros")
    header.size = megabytes << 20
    out.write(pack.compress(header.tobuf()))
    for _ in range(megabytes):
        out.write(pack.compress(bytes(1 << 20)))
    out.write(pack.compress(bytes(1024)) + pack.flush())
    return out.getvalue()


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"total_bytes": 20 << 20}, "more than 20971520 bytes after decompression"),
        ({"ratio_floor": 1 << 20}, "more than 200 times its size"),
        ({"entries": 0}, "more than 0 entries"),
        ({"path_bytes": 3}, "path of more than 3 bytes"),
        ({"names_bytes": 4}, "names of more than 4 bytes"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_bombs_meet_their_limit(limits: dict[str, int], message: str) -> None:
    bomb = zeros(32)
    assert len(bomb) < 1 << 16
    read_tar(bomb)
    assert max(map(len, LayerStream(io.BytesIO(bomb), "", Budget(ReadLimits())))) <= 1 << 20
    with pytest.raises(ImageError, match=message):
        read_tar(bomb, ReadLimits(**limits))


def test_zstd_bombs_are_read_in_small_pieces() -> None:
    zstandard = require_module("zstandard", "zstd layers are made and read with it")
    tar = tarfile.TarInfo("zeros")
    tar.size = 512 << 20
    pack = zstandard.ZstdCompressor(level=3).compressobj()
    bomb = pack.compress(tar.tobuf()) + b"".join(pack.compress(bytes(1 << 20)) for _ in range(512)) + pack.flush()
    assert len(bomb) < 1 << 17
    assert max(map(len, LayerStream(io.BytesIO(bomb), "", Budget(ReadLimits())))) <= 1 << 20
    with pytest.raises(ImageError, match="more than 8388608 bytes after decompression"):
        read_tar(bomb, ReadLimits(total_bytes=8 << 20))


def test_limits_count_all_layers_together(tmp_path: Path) -> None:
    path = docker_archive(tmp_path / "image.tar", [GOOD, GOOD, layer(file("x"))])
    with open_archive(path) as archive:
        for limits, message in (
            (ReadLimits(entries=6), "more than 6 entries"),
            (ReadLimits(total_bytes=2 * len(GOOD)), "after decompression"),
            (ReadLimits(layers=2), "3 layers"),
        ):
            with pytest.raises(ImageError, match=message):
                read_image(archive.image(), limits)
        read_image(archive.image(), ReadLimits(entries=7, layers=3))


def test_messages_are_one_printable_line() -> None:
    """Names of an archive go to terminals and logs: no line ends, no escape codes, nothing that cannot be encoded."""
    with pytest.raises(ImageError) as caught:
        read_tar(layer(hardlink("a\n\x1b[31m\udcff\u2028b", "none")))
    text = str(caught.value)
    assert r"/a\n\x1b[31m\xff\u2028b: hardlink to nowhere: /none" in text
    assert text.isprintable()
    assert text.encode()


def test_attributes_count_as_names() -> None:
    tar = layer(file("a", "x", pax_headers={"SCHILY.xattr.user.x": "v" * 1000}))
    read_tar(tar, ReadLimits(names_bytes=1010))
    with pytest.raises(ImageError, match="names of more than 900 bytes"):
        read_tar(tar, ReadLimits(names_bytes=900))
