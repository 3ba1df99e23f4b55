"""The tar reader against other implementations: Python's tarfile for any archive, GNU tar for sparse files."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import tarfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dfopt.image.errors import Budget, ImageError, ReadLimits
from dfopt.image.layers import LayerEntry, clean_path, read_layer
from dfopt.image.model import Layer
from dfopt.image.tar import _sum
from dfopt.image.tar_member import BLOCK
from image.builders import digest, file, folder, hardlink, layer, link, node, opaque, require, whiteout


def entries(tar: bytes, limits: ReadLimits | None = None, **options: bool) -> tuple[LayerEntry, ...]:
    one = Layer(0, "", digest(tar), len(tar), "", lambda: io.BytesIO(tar))
    return read_layer(one, Budget(limits or ReadLimits()), **options).entries


FORMS = {"ustar": tarfile.USTAR_FORMAT, "gnu": tarfile.GNU_FORMAT, "pax": tarfile.PAX_FORMAT}
NAMES = st.lists(
    st.text("abé ~=\udcff.", min_size=1, max_size=40).filter(lambda part: part.strip(".") and part[:3] != ".wh"),
    min_size=1, max_size=6,
).map("/".join)  # fmt: skip


@st.composite
def members(draw: st.DrawFn) -> tuple[tarfile.TarInfo, bytes]:
    name = draw(NAMES)
    mode, owner = draw(st.integers(0, 0o7777)), (draw(st.integers(0, 2**21 - 1)), draw(st.integers(0, 2**21 - 1)))
    kind = draw(st.sampled_from(["file", "folder", "link", "hardlink", "device"]))
    if kind == "file":
        return file(name, draw(st.binary(max_size=1100)), mode, owner, mtime=draw(st.integers(0, 2**33 - 1)))
    if kind == "folder":
        return folder(name, mode, owner)
    if kind == "link":
        return link(name, draw(NAMES))
    if kind == "hardlink":
        return hardlink(name, draw(NAMES))
    return node(name, draw(st.sampled_from([tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])), 8, 1)


@pytest.mark.parametrize("form", ["gnu", "pax"])
@given(made=st.lists(members(), max_size=8))
@settings(max_examples=150)
def test_every_archive_reads_as_tarfile_reads_it(form: str, made: list[tuple[tarfile.TarInfo, bytes]]) -> None:
    tar = layer(*made, form=FORMS[form])
    with tarfile.open(fileobj=io.BytesIO(tar), encoding="utf-8", errors="surrogateescape") as other:
        expected = []
        for info in other:
            content = other.extractfile(info) if info.isreg() else None
            data = content.read() if content is not None else b""
            device = (info.devmajor, info.devminor) if info.ischr() or info.isblk() else (0, 0)
            parts = [part for part in info.name.split("/") if part not in ("", ".")]
            expected.append(
                ("/" + "/".join(parts), info.mode, info.uid, info.gid, info.size, info.mtime, device,
                 hashlib.sha256(data).digest() if info.isreg() else b"")
            )  # fmt: skip
    found = [(e.path, e.mode, e.uid, e.gid, e.size, e.mtime, e.device, e.sha256) for e in entries(tar)]
    assert found == expected


@pytest.mark.parametrize("form", FORMS)
def test_types_and_names(form: str) -> None:
    tar = layer(
        folder("./"), folder("etc/"), file("./etc//passwd", "root"), link("bin", "usr/bin"), file("a", "x"),
        hardlink("b", "./a"), node("dev/null", tarfile.CHRTYPE), node("pipe", tarfile.FIFOTYPE), file("/ko-app/x", "y"),
        form=FORMS[form],
    )  # fmt: skip
    assert [(e.path, e.kind, e.link, e.size) for e in entries(tar)] == [
        ("/", "directory", "", 0),
        ("/etc", "directory", "", 0),
        ("/etc/passwd", "file", "", 4),
        ("/bin", "symlink", "usr/bin", 0),
        ("/a", "file", "", 1),
        ("/b", "hardlink", "/a", 0),
        ("/dev/null", "character device", "", 0),
        ("/pipe", "fifo", "", 0),
        ("/ko-app/x", "file", "", 1),  # some builders write a leading slash; it means the image's root
    ]


def test_whiteouts_name_what_they_delete() -> None:
    tar = layer(whiteout("etc/passwd"), opaque("var"), opaque("."), whiteout("top"), file("x/.whale"))
    assert [(e.path, e.kind) for e in entries(tar)] == [
        ("/etc/passwd", "whiteout"), ("/var", "opaque"), ("/", "opaque"), ("/top", "whiteout"), ("/x/.whale", "file"),
    ]  # fmt: skip


def test_aufs_metadata_is_told_apart() -> None:
    tar = layer(folder(".wh..wh.plnk"), file(".wh..wh.plnk/1.2", "x"), file(".wh..wh.aufs"))
    assert {e.kind for e in entries(tar)} == {"aufs metadata"}


def test_extended_attributes_of_both_kinds() -> None:
    capability = b"\x01\0\0\2\0\x20\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
    records = {
        "SCHILY.xattr.security.capability": capability.decode("utf-8", "surrogateescape"),
        "LIBARCHIVE.xattr.user%2ekey": "dmFsdWU",
    }
    found = entries(layer(file("ping", "x", pax_headers=records)))[0].xattrs
    assert found == {"security.capability": capability, "user.key": b"value"}


def test_global_pax_headers_change_nothing() -> None:
    out = io.BytesIO()
    with tarfile.open(
        fileobj=out, mode="w", format=tarfile.PAX_FORMAT, pax_headers={"comment": "x", "uid": "7"}
    ) as tar:
        tar.addfile(file("a", "x")[0], io.BytesIO(b"x"))
    assert [(e.path, e.uid) for e in entries(out.getvalue())] == [("/a", 0)]


def test_negative_and_fractional_times() -> None:
    first = file("old", mtime=-5.5)
    assert entries(layer(first))[0].mtime == -5.5
    assert entries(layer(file("old", mtime=-5), form=tarfile.GNU_FORMAT))[0].mtime == -5


def test_large_numbers_are_base_256() -> None:
    tar = layer(file("a", owner=(2**31 - 2, 2**21)), form=tarfile.GNU_FORMAT)
    assert [(e.uid, e.gid) for e in entries(tar)] == [(2**31 - 2, 2**21)]


def test_end_marks_may_be_missing_and_padding_may_follow() -> None:
    tar = layer(file("a", "x"))
    bare = tar[:1024]
    assert entries(bare) == entries(tar) == entries(bare + bytes(1024) + b"\1" * 512)
    assert entries(b"") == ()


def test_visit_is_given_the_bytes_it_asks_for() -> None:
    tar = layer(file("a", b"1" * 3_000_000), file("b", "skip"), file("empty"), file("c", "ccc"))
    seen: dict[str, bytes] = {}

    def visit(entry: LayerEntry):  # type: ignore[no-untyped-def]
        if entry.path == "/b":
            return None
        return lambda piece: seen.update({entry.path: seen.get(entry.path, b"") + bytes(piece)})

    one = Layer(0, "", digest(tar), -1, "", lambda: io.BytesIO(tar))
    with_hashes = read_layer(one, Budget(ReadLimits()), visit=visit).entries
    assert seen == {"/a": b"1" * 3_000_000, "/c": b"ccc"}
    assert with_hashes == entries(tar)
    seen.clear()
    assert {e.sha256 for e in read_layer(one, Budget(ReadLimits()), hashes=False, visit=visit).entries} == {b""}
    assert seen == {"/a": b"1" * 3_000_000, "/c": b"ccc"}


SPARSE = {
    "gnu": ["--format=gnu"],
    "pax-0.0": ["--format=pax", "--sparse-version=0.0"],
    "pax-0.1": ["--format=pax", "--sparse-version=0.1"],
    "pax-1.0": ["--format=pax", "--sparse-version=1.0"],
}


@pytest.mark.parametrize("form", SPARSE)
@pytest.mark.parametrize("segments", [0, 1, 3, 60], ids=lambda count: f"{count}-segments")
def test_sparse_files_read_as_they_will_be(form: str, segments: int, tmp_path: Path) -> None:
    require("tar", "GNU tar makes the sparse archives")
    with open(tmp_path / "holes", "wb") as out:
        for number in range(segments):
            out.seek(number * 300_000 + 5000)
            out.write(os.urandom(9000))
        out.truncate(segments * 300_000 + 100_000)
    (tmp_path / "after").write_text("after")
    command = ["tar", "--create", "--sparse", "--hole-detection=raw", *SPARSE[form], "holes", "after"]
    tar = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True).stdout
    assert len(tar) < (tmp_path / "holes").stat().st_size, "GNU tar stored no holes: the test would show nothing"
    found = {e.path: (e.size, e.sha256) for e in entries(tar)}
    assert found == {
        f"/{name}": ((tmp_path / name).stat().st_size, hashlib.sha256((tmp_path / name).read_bytes()).digest())
        for name in ("holes", "after")
    }


def test_sparse_files_count_with_their_full_size(tmp_path: Path) -> None:
    require("tar", "GNU tar makes the sparse archives")
    with open(tmp_path / "huge", "wb") as out:
        out.truncate(1 << 40)
    tar = subprocess.run(
        ["tar", "--create", "--sparse", "--format=pax", "huge"], cwd=tmp_path, capture_output=True, check=True
    ).stdout
    with pytest.raises(ImageError, match="more than 1000000 bytes after decompression"):
        entries(tar, ReadLimits(total_bytes=1_000_000))


@given(st.one_of(st.binary(min_size=BLOCK, max_size=BLOCK), st.sampled_from([b"\xff" * BLOCK, bytes(BLOCK)])))
def test_sum_of_a_block(block: bytes) -> None:
    assert _sum(block) == sum(block)


PARTS = st.sampled_from(["a", ".", "..", "", ".wh.x", "b c", "é", "\udcff"])


@given(st.lists(PARTS, min_size=1, max_size=5).map("/".join))
def test_clean_paths(name: str) -> None:
    parts = [part for part in name.split("/") if part and part != "."]
    if ".." in parts or not name:
        with pytest.raises(ImageError):
            clean_path(name, "here", ReadLimits())
    else:
        assert clean_path(name, "here", ReadLimits()) == "/" + "/".join(parts)
