"""Archives read once from a pipe: the same contents as from a file, and no trust in what cannot be checked."""

from __future__ import annotations

import io
import json
import os
import random
from pathlib import Path

import pytest

from dfopt.image import ImageContents, ImageError, LayerEntry, ReadLimits, open_archive, read_image
from dfopt.image.archive_stream import read_passing
from image.builders import (
    Layout,
    docker_archive,
    docker_members,
    file,
    folder,
    gz,
    layer,
    link,
    oci_archive,
    plain,
    write_tar,
)
from image.samples import IMAGES


class Pipe:
    """A reader that gives what it likes, as pipes do, and cannot seek."""

    def __init__(self, data: bytes, seed: int = 7) -> None:
        self.data, self.at, self.random = data, 0, random.Random(seed)

    def read(self, size: int, /) -> bytes:
        piece = self.data[self.at : self.at + min(size, self.random.randrange(1, 9000))]
        self.at += len(piece)
        return piece

    def close(self) -> None:
        pass


def passed(path: Path, **more: object) -> ImageContents:
    return read_passing(Pipe(path.read_bytes()), "pipe", **more)  # type: ignore[arg-type]


def stored(path: Path) -> ImageContents:
    with open_archive(path) as archive:
        return read_image(archive.image())


def facts(contents: ImageContents) -> list[object]:
    return [(each.entries, each.stored, each.unpacked, each.compression) for each in contents.layers]


@pytest.mark.parametrize("case", IMAGES)
def test_a_docker_archive_in_passing(case: str, tmp_path: Path) -> None:
    path = docker_archive(tmp_path / "image.tar", [layer(*entries) for entries in IMAGES[case]])
    assert facts(passed(path)) == facts(stored(path))


@pytest.mark.parametrize("pack", [plain, gz], ids=["plain", "gzip"])
def test_an_oci_archive_in_passing(pack: object, tmp_path: Path) -> None:
    tars = [layer(*entries) for entries in IMAGES["metadata only"]]
    path = oci_archive(tmp_path / "image.tar", tars, pack=pack)  # type: ignore[arg-type]
    found = passed(path)
    assert facts(found) == facts(stored(path))
    assert found.image.digest


def test_an_archive_compressed_as_a_whole(tmp_path: Path) -> None:
    path = docker_archive(tmp_path / "image.tar", [layer(file("a", "x" * 5000))])
    packed = tmp_path / "image.tar.gz"
    packed.write_bytes(gz(path.read_bytes()))
    assert facts(passed(packed)) == facts(stored(path))


def test_layers_behind_links(tmp_path: Path) -> None:
    """What podman writes: layers by their digest, and links to them under the names that the manifest uses."""
    tar = layer(file("a", "1"))
    members = docker_members([tar])
    real = members.pop("0/layer.tar")
    path = write_tar(tmp_path / "i.tar", {"abc.tar": real, **members}, [link("0/layer.tar", "../abc.tar")])
    assert [entry.path for entry in passed(path).layers[0].entries] == ["/a"]


def test_the_order_of_the_archive_does_not_matter(tmp_path: Path) -> None:
    tars = [layer(file("a", "1")), layer(file("b", "22"))]
    members = docker_members(tars)
    path = write_tar(tmp_path / "i.tar", dict(reversed(members.items())))
    assert [each.entries[0].path for each in passed(path).layers] == ["/a", "/b"]


def test_the_same_layer_twice(tmp_path: Path) -> None:
    tar = layer(file("a", "1"))
    found = passed(docker_archive(tmp_path / "i.tar", [tar, tar]))
    assert found.layers[0].entries == found.layers[1].entries


def test_one_of_two_images(tmp_path: Path) -> None:
    layout = Layout()
    layout.add(layout.manifest([layer(file("a", "1"))]), "one")
    layout.add(layout.manifest([layer(file("b", "1"))]), "two")
    path = layout.archive(tmp_path / "i.tar")
    assert passed(path, name="two").layers[0].entries[0].path == "/b"
    with pytest.raises(ImageError, match="holds several images, name one: one; two"):
        passed(path)


def test_a_visitor_sees_every_file(tmp_path: Path) -> None:
    found: dict[str, bytes] = {}

    def visit(entry: LayerEntry) -> object:
        return lambda piece: found.update({entry.path: found.get(entry.path, b"") + bytes(piece)})

    path = docker_archive(tmp_path / "i.tar", [layer(file("a", "x" * 70000), file("b", "y"))])
    passed(path, visit=visit)
    assert {name: len(content) for name, content in found.items()} == {"/a": 70000, "/b": 1}


def test_a_layer_that_is_not_the_one_of_the_config(tmp_path: Path) -> None:
    members = docker_members([layer(file("a", "1"))])
    members["0/layer.tar"] = layer(file("a", "2"))
    with pytest.raises(ImageError, match="no layer in the archive has the digest sha256:"):
        passed(write_tar(tmp_path / "i.tar", members))


def test_a_blob_that_is_not_its_name(tmp_path: Path) -> None:
    layout = Layout()
    layout.add(layout.manifest([layer(file("a", "1"))]))
    name = next(name for name, data in layout.files.items() if data[257:262] == b"ustar")
    layout.files[name] = layer(file("a", "2"))
    with pytest.raises(ImageError, match="no layer in the archive has the digest"):
        passed(layout.archive(tmp_path / "i.tar"))


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        pytest.param([file("../evil", "x")], "leads out of the archive", id="climbs"),
        pytest.param([file("/evil", "x")], "leads out of the archive", id="absolute"),
        pytest.param([link("x", "../../etc/passwd")], "leads out of the archive", id="link"),
        pytest.param([link("y", "/etc/passwd")], "leads out of the archive", id="absolute-link"),
    ],
)
def test_tricks_around_the_layers(extra: list[object], message: str, tmp_path: Path) -> None:
    path = write_tar(tmp_path / "i.tar", docker_members([layer(file("a", "1"))]), extra)  # type: ignore[arg-type]
    with pytest.raises(ImageError, match=message):
        passed(path)


def test_links_in_a_circle(tmp_path: Path) -> None:
    members = docker_members([layer(file("a", "1"))])
    members.pop("0/layer.tar")
    path = write_tar(tmp_path / "i.tar", members, [link("0/layer.tar", "x"), link("0/x", "layer.tar")])
    with pytest.raises(ImageError, match="links in a circle"):
        passed(path)


@pytest.mark.parametrize("keep", [100, 700, 2000])
def test_a_pipe_that_breaks(keep: int, tmp_path: Path) -> None:
    data = docker_archive(tmp_path / "i.tar", [layer(folder("d"), file("d/a", os.urandom(4000)))]).read_bytes()
    with pytest.raises(ImageError):
        read_passing(Pipe(data[:keep]), "pipe")


@pytest.mark.parametrize("content", [b"", b"no archive", gz(b"x"), json.dumps({"a": 1}).encode()])
def test_what_is_no_archive(content: bytes) -> None:
    with pytest.raises(ImageError):
        read_passing(io.BytesIO(content), "pipe")


def test_limits_hold(tmp_path: Path) -> None:
    path = docker_archive(tmp_path / "i.tar", [layer(*[file(f"f{n}") for n in range(20)])])
    with pytest.raises(ImageError, match="more than 10 entries"):
        passed(path, limits=ReadLimits(entries=10))
    with pytest.raises(ImageError, match="limit"):
        passed(path, limits=ReadLimits(archive_bytes=3000))
