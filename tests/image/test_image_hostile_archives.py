"""Broken and hostile archives: each is one clear ImageError that names the place, and nothing is written anywhere."""

from __future__ import annotations

import gzip
import io
import json
import os
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dfopt.image import ImageError, ReadLimits, make_ledger, open_archive, read_image
from image.builders import (
    INDEX,
    Layout,
    contents_of,
    docker_archive,
    docker_members,
    file,
    folder,
    gz,
    hardlink,
    layer,
    link,
    node,
    oci_layout,
    opaque,
    plain,
    whiteout,
    write_tar,
)

GOOD = layer(folder("d"), file("d/a", "content" * 500), file("d/b", "b"))
EVIL = layer(folder("d"), file("d/a", "CONTENT" * 500), file("d/b", "b"))
Edit = Callable[[dict[str, Any]], object]
Spoil = Callable[[Path], object]


def largest(path: Path) -> Path:
    return max((path / "blobs/sha256").iterdir(), key=lambda blob: blob.stat().st_size)


def stored(data: bytes) -> Spoil:
    """A sound layout whose layer is then replaced on disk."""
    return lambda path: largest(oci_layout(path, [GOOD], pack=plain)).write_bytes(data)


def linked(target: str) -> Spoil:
    def make(path: Path) -> None:
        blob = largest(oci_layout(path, [GOOD]))
        blob.unlink()
        blob.symlink_to(target.replace("ITSELF", blob.name))

    return make


def gone(path: Path) -> None:
    largest(oci_layout(path, [GOOD], pack=plain)).unlink()


def fifo(path: Path) -> None:
    blob = largest(oci_layout(path, [GOOD]))
    blob.unlink()
    os.mkfifo(blob)


def index(edit: Edit) -> Spoil:
    """A layout whose index.json was changed."""

    def make(path: Path) -> None:
        document = json.loads((oci_layout(path, [GOOD]) / "index.json").read_bytes())
        edit(document)
        (path / "index.json").write_text(json.dumps(document))

    return make


def descriptor(**values: object) -> Spoil:
    return index(lambda document: document["manifests"][0].update(values))


def text(name: str, data: str) -> Spoil:
    return lambda path: (oci_layout(path, [GOOD]) / name).write_text(data)


def manifest(edit: Edit) -> Spoil:
    """A layout whose manifest says something else, with right digests all the way up."""

    def make(path: Path) -> None:
        layout = Layout()
        entry = layout.manifest([GOOD], plain)
        document = json.loads(layout.files[f"blobs/sha256/{entry['digest'][7:]}"])
        edit(document)
        layout.add(layout.blob(json.dumps(document).encode(), entry["mediaType"]))
        layout.directory(path)

    return make


def layer_entry(**values: object) -> Spoil:
    return manifest(lambda document: document["layers"][0].update(values))


def nested(path: Path) -> None:
    layout = Layout()
    entry = layout.manifest([GOOD])
    for _ in range(12):
        entry = layout.blob(json.dumps({"schemaVersion": 2, "manifests": [entry]}).encode(), INDEX)
    layout.add(entry)
    layout.directory(path)


LAYER = "application/vnd.oci.image.layer.v1.tar"
OCI: dict[str, tuple[Spoil, str]] = {
    "layer of another content": (stored(EVIL), r"layer 0 .*: digest does not match: sha256:\w+ expected, \w+ found"),
    "layer that is cut": (stored(GOOD[:2048]), "layer 0 .*: 2048 bytes stored"),
    "layer that is shorter": (stored(GOOD[:-512]), "bytes stored, its descriptor says"),
    "layer that is longer": (stored(GOOD + bytes(512)), "longer than the"),
    "layer that is missing": (gone, "layer 0: sha256:.* is missing"),
    "manifest that is missing": (descriptor(digest="sha256:" + "0" * 64), "sha256:0{12}.* is listed, but missing"),
    "blob linked out of the layout": (linked("/etc/passwd"), "leads out of the directory"),
    "blob linked out by dots": (linked("../../../x"), "leads out of the directory"),
    "blob linked to nowhere": (linked("nowhere"), "link to nowhere"),
    "blob linked in a circle": (linked("ITSELF"), "links in a circle"),
    "blob that is a fifo": (fifo, "not a regular file"),
    "digest that climbs": (descriptor(digest="sha256:../../../etc/passwd"), "not a digest"),
    "digest of another algorithm": (descriptor(digest="md5:" + "0" * 32), "not a digest"),
    "digest that is no text": (descriptor(digest=7), "not a digest: 7"),
    "descriptor of another size": (descriptor(size=3), "its descriptor says 3"),
    "size that is no number": (descriptor(size="3"), "size is not an int"),
    "annotations that are none": (descriptor(annotations=[]), "annotations is not a dict"),
    "manifests that are no list": (index(lambda document: document.update(manifests=3)), "manifests is not a list"),
    "descriptor that is no object": (index(lambda document: document.update(manifests=[3])), "not a descriptor"),
    "index without images": (index(lambda document: document.update(manifests=[])), "holds no image"),
    "index that is no JSON": (text("index.json", "{"), "not valid JSON"),
    "index that is no object": (text("index.json", "[]"), "a JSON object is expected"),
    "index of bottomless JSON": (text("index.json", "[" * 100_000), "not valid JSON"),
    "index of a huge number": (text("index.json", "9" * 100_000), "not valid JSON|object is expected"),
    "index of megabytes": (text("index.json", " " * (17 << 20)), "too many for a JSON document"),
    "layout of the future": (text("oci-layout", '{"imageLayoutVersion": "9.0"}'), "version '9.0' is not known"),
    "indexes in indexes": (nested, "nested more than 8 deep"),
    "schema 1": (manifest(lambda document: document.update(schemaVersion=1)), "schema 1 is not supported"),
    "index for a manifest": (manifest(lambda document: document.update(manifests=[])), "an index where a manifest"),
    "too few layers": (manifest(lambda document: document.update(layers=[])), "0 layers, but the config lists 1"),
    "layer that is no object": (manifest(lambda document: document.update(layers=[1])), "layer 0: not a descriptor"),
    "encrypted layer": (layer_entry(mediaType=f"{LAYER}+encrypted"), "is encrypted"),
    "foreign layer": (layer_entry(mediaType="a.foreign.diff", digest="sha256:" + "0" * 64), "outside of the archive"),
    "layer of a wrong size": (layer_entry(size=7), "longer than the 7 bytes"),
    "artifact": (manifest(lambda document: document.update(config=document["layers"][0])), "not valid JSON"),
}  # fmt: skip


@pytest.mark.parametrize("case", OCI)
def test_layouts(case: str, tmp_path: Path) -> None:
    make, message = OCI[case]
    make(tmp_path)
    with pytest.raises(ImageError, match=message) as caught, open_archive(tmp_path) as archive:
        read_image(archive.image())
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rootfs": {"type": "layers", "diff_ids": ["sha256:" + "1" * 64]}}, r"layer 0 .*diff_id .* does not match"),
        ({"rootfs": {"diff_ids": ["sha256:1"]}}, "not a digest"),
        ({"rootfs": None}, "not a container image"),
        ({"history": ["x"]}, "history is not a list of objects"),
        ({"history": [{"created_by": 3}]}, "created_by is not a str"),
        ({"os": 3}, "os is not a str"),
    ],
    ids=["diff_id", "digest", "rootfs", "history", "created_by", "os"],
)
def test_configs(settings: dict[str, Any], message: str, tmp_path: Path) -> None:
    layout = Layout()
    layout.add(layout.manifest([GOOD], gz, **settings))
    with pytest.raises(ImageError, match=message):
        contents_of(layout.directory(tmp_path))


def edited(**values: object) -> Callable[[dict[str, bytes]], object]:
    def edit(parts: dict[str, bytes]) -> None:
        entry = json.loads(parts["manifest.json"])[0] | values
        parts["manifest.json"] = json.dumps([entry]).encode()

    return edit


def put(name: str, data: bytes) -> Callable[[dict[str, bytes]], object]:
    return lambda parts: parts.update({name: data})


DOCKER: dict[str, tuple[Callable[[dict[str, bytes]], object], list[Any], str]] = {
    "layer outside of the archive": (edited(Layers=["../../etc/passwd"]), [], "not a path inside the archive"),
    "absolute layer": (edited(Layers=["/etc/passwd"]), [], "an absolute path: '/etc/passwd'"),
    "layer that is missing": (edited(Layers=["9/layer.tar"]), [], "9/layer.tar: not in the archive"),
    "layers that are no texts": (edited(Layers=[1]), [], "not a list of texts"),
    "too few layers": (edited(Layers=[]), [], "0 layers, but the config lists 1"),
    "config that is missing": (edited(Config="none.json"), [], "none.json: not in the archive"),
    "config without a name": (edited(Config=""), [], "not a path inside the archive"),
    "config of another content": (edited(Config=f"{0:064}.json"), [file(f"{0:064}.json", "{}")], "match its digest"),
    "layer of another content": (put("0/layer.tar", layer(file("evil"))), [], r"diff_id .* does not match"),
    "manifest that is no list": (put("manifest.json", b"{}"), [], "a list of objects is expected"),
    "manifest that is no JSON": (put("manifest.json", b"\xff"), [], "not valid JSON"),
    "member that climbs": (put("x", b""), [file("../evil", "x")], r"climbs with '\.\.' in the archive"),
    "member of a long name": (put("x" * 5000, b""), [], "path of more than 4096 bytes in the archive"),
    "member that is absolute": (put("x", b""), [file("/evil", "x")], "an absolute path in the archive"),
    "link out of the archive": (edited(Layers=["l"]), [link("l", "../../etc/passwd")], "leads out of the archive"),
    "absolute link": (edited(Layers=["l"]), [link("l", "/etc/passwd")], "leads out of the archive"),
    "link to nowhere": (edited(Layers=["l"]), [link("l", "none")], "a link to nowhere"),
    "links in a circle": (edited(Layers=["l"]), [link("l", "m"), link("m", "l")], "links in a circle"),
    "link to itself": (edited(Layers=["l"]), [link("l", "l")], "links in a circle"),
    "hardlink that climbs": (edited(Layers=["l"]), [hardlink("l", "../x")], "not a path inside the archive"),
    "layer that is a device": (edited(Layers=["l"]), [node("l", tarfile.BLKTYPE)], "not a regular file in the archive"),
}


@pytest.mark.parametrize("case", DOCKER)
def test_docker_archives(case: str, tmp_path: Path) -> None:
    edit, extra, message = DOCKER[case]
    parts = docker_members([GOOD])
    edit(parts)
    path = write_tar(tmp_path / "image.tar", parts, extra)
    with pytest.raises(ImageError, match=message) as caught, open_archive(path) as archive:
        read_image(archive.image())
    assert "\n" not in str(caught.value)
    assert os.listdir(tmp_path) == ["image.tar"]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not an image archive"),
        (b"no tar", "not a tar archive"),
        (layer(file("a")), "neither index.json nor manifest.json"),
        (layer(file("repositories", "{}")), "older than 1.10"),
        (gzip.compress(b"no tar"), "not a tar archive"),
        (gzip.compress(layer(file("a")))[:40], "truncated gzip"),
        (layer(file("manifest.json", "[]"))[:700], "truncated tar"),
        (b"PK\x03\x04" + bytes(600), "zip compression"),
    ],
)
def test_files_that_are_no_archive(data: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "image.tar"
    path.write_bytes(data)
    with pytest.raises(ImageError, match=f"{path}: .*{message}"):
        open_archive(path)


def test_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"none\.tar: No such file"):
        open_archive(tmp_path / "none.tar")
    with pytest.raises(ImageError, match=r"neither index\.json nor manifest\.json"):
        open_archive(tmp_path)


def test_too_many_members(tmp_path: Path) -> None:
    path = docker_archive(tmp_path / "image.tar", [GOOD])
    with pytest.raises(ImageError, match="more than 2 files in the archive"):
        open_archive(path, ReadLimits(members=2))


def test_documents_are_limited_all_together(tmp_path: Path) -> None:
    """One large config that is named a thousand times is read once; a thousand different ones are too many."""
    parts = docker_members([GOOD], name="", config={"Labels": {"x": "y" * 9000}})
    entry = json.loads(parts["manifest.json"])[0]
    parts["manifest.json"] = json.dumps([entry] * 500).encode()
    limits = ReadLimits(metadata_bytes=100_000)
    with open_archive(write_tar(tmp_path / "one.tar", parts), limits) as archive:
        assert len(archive.choices) == 500
    for number in range(60):
        parts[f"{number}.json"] = parts[entry["Config"]]
    parts["manifest.json"] = json.dumps([entry | {"Config": f"{number}.json"} for number in range(60)]).encode()
    with pytest.raises(ImageError, match="too many bytes of JSON documents"):
        open_archive(write_tar(tmp_path / "many.tar", parts), limits)


def test_a_compressed_archive_has_its_own_limit(tmp_path: Path) -> None:
    path = tmp_path / "image.tar.gz"
    path.write_bytes(gzip.compress(bytes(32 << 20)))
    with pytest.raises(ImageError, match="more than 1048576 bytes after decompression"):
        open_archive(path, ReadLimits(archive_bytes=1 << 20))


ARCHIVE = layer(*[file(name, data) for name, data in docker_members([GOOD, layer(opaque("d"), whiteout("x"))]).items()])


@given(st.lists(st.tuples(st.integers(0, len(ARCHIVE) - 1), st.integers(0, 255)), min_size=1, max_size=6))
@settings(max_examples=300)
def test_any_damage_is_an_image_error_or_harmless(changes: list[tuple[int, int]]) -> None:
    damaged = bytearray(ARCHIVE)
    for position, value in changes:
        damaged[position] = value
    try:
        with open_archive(io.BytesIO(bytes(damaged))) as archive:
            contents = read_image(archive.image())
    except ImageError:
        return
    ledger = make_ledger(contents.layers)
    assert ledger.total_bytes == ledger.live_bytes + ledger.dead_bytes
    assert len(contents.layers) == 2


@given(st.integers(0, len(ARCHIVE)))
@settings(max_examples=100)
def test_any_truncation_is_an_image_error_or_harmless(length: int) -> None:
    try:
        with open_archive(io.BytesIO(ARCHIVE[:length])) as archive:
            assert len(read_image(archive.image()).layers) == 2
    except ImageError:
        pass
