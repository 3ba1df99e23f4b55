"""The forms of archives, and the choice of an image by name and platform."""

from __future__ import annotations

import gzip
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dfopt.image import ImageContents, ImageError, open_archive, read_image
from dfopt.image.model import host_platform, parse_platform
from image.builders import (
    INDEX,
    Layout,
    contents_of,
    digest,
    docker_archive,
    docker_members,
    file,
    folder,
    gz,
    hardlink,
    layer,
    link,
    oci_archive,
    oci_layout,
    plain,
    platform_object,
    require_module,
    write_tar,
)

LAYERS = [layer(folder("etc"), file("etc/a", "one")), layer(file("etc/a", "two"), file("b" * 150, "long"))]
OTHER = [layer(file("other", "image"))]


def zst(tar: bytes) -> bytes:
    zstandard = require_module("zstandard", "zstd layers are made and read with it")
    half = len(tar) // 2  # two frames with a skippable one between them, as zstd:chunked has them
    pack = zstandard.ZstdCompressor().compress
    return pack(tar[:half]) + b"\x50\x2a\x4d\x18\x03\0\0\0abc" + pack(tar[half:])


def members(tar: bytes) -> bytes:
    """Several gzip members in a row, as eStargz has them, and zeros after them."""
    return b"".join(gzip.compress(tar[i : i + 700], mtime=0) for i in range(0, len(tar), 700)) + bytes(100)


FORMS: dict[str, Callable[[Path], Path]] = {
    "oci-layout, plain": lambda path: oci_layout(path, LAYERS, pack=plain),
    "oci-layout, gzip": lambda path: oci_layout(path, LAYERS, pack=gz),
    "oci-layout, gzip members": lambda path: oci_layout(path, LAYERS, pack=members),
    "oci-layout, zstd": lambda path: oci_layout(path, LAYERS, pack=zst),
    "oci-archive": lambda path: oci_archive(path / "image.tar", LAYERS),
    "docker-archive": lambda path: docker_archive(path / "image.tar", LAYERS),
}


def facts(contents: ImageContents) -> list[tuple[str, str, int, bytes]]:
    return [(e.path, e.kind, e.size, e.sha256) for layer in contents.layers for e in layer.entries]


@pytest.mark.parametrize("form", FORMS)
def test_all_forms_hold_the_same_image(form: str, tmp_path: Path) -> None:
    path = FORMS[form](tmp_path)
    with open_archive(path) as archive:
        assert archive.kind == form.split(",")[0]
        image = archive.image()
        contents = read_image(image)
    assert [entry[0] for entry in facts(contents)] == ["/etc", "/etc/a", "/etc/a", "/" + "b" * 150]
    assert [layer.unpacked for layer in contents.layers] == [len(tar) for tar in LAYERS]
    assert [layer.diff_id for layer in image.layers] == [digest(tar) for tar in LAYERS]
    assert str(image.platform) == "linux/amd64"
    assert [entry.created_by for entry in image.history] == ["step 0", "step 1"]
    assert facts(contents) == facts(contents_of(docker_archive(tmp_path / "same.tar", LAYERS)))


@pytest.mark.parametrize("pack", [gzip.compress, zst], ids=["gzip", "zstd"])
def test_archives_compressed_as_a_whole(pack: Callable[[bytes], bytes], tmp_path: Path) -> None:
    path = docker_archive(tmp_path / "image.tar", LAYERS)
    expected = facts(contents_of(path))
    path.write_bytes(pack(path.read_bytes()))
    assert facts(contents_of(path)) == expected


def test_archives_from_a_pipe_and_from_memory(tmp_path: Path) -> None:
    path = docker_archive(tmp_path / "image.tar", LAYERS)
    expected = facts(contents_of(path))
    with subprocess.Popen(["cat", os.fspath(path)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        with open_archive(process.stdout) as archive:
            assert facts(read_image(archive.image())) == expected
    memory = io.BytesIO(path.read_bytes())
    with open_archive(memory) as archive:
        assert facts(read_image(archive.image())) == expected
    assert not memory.closed, "the caller's file was closed"


def test_a_directory_that_a_docker_archive_was_unpacked_to(tmp_path: Path) -> None:
    for name, data in docker_members(LAYERS).items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
    expected = facts(contents_of(docker_archive(tmp_path / "same.tar", LAYERS)))
    assert facts(contents_of(tmp_path)) == expected


def test_since_docker_25_an_archive_is_both(tmp_path: Path) -> None:
    layout = Layout()
    descriptor = layout.manifest(LAYERS)
    layout.add(descriptor, "1")
    manifest = json.loads(layout.files[f"blobs/sha256/{descriptor['digest'][7:]}"])
    paths = [f"blobs/sha256/{entry['digest'][7:]}" for entry in [manifest["config"], *manifest["layers"]]]
    entry = {"Config": paths[0], "RepoTags": ["app:1"], "Layers": paths[1:]}
    layout.files["manifest.json"] = json.dumps([entry]).encode()
    path = layout.archive(tmp_path / "image.tar")
    with open_archive(path) as archive:
        image = archive.image("app:1")
        assert [layer.digest for layer in image.layers] == [digest(tar) for tar in LAYERS]
        assert len(read_image(image).layers) == 2


def test_layers_shared_through_links(tmp_path: Path) -> None:
    """Docker before 1.25 stored a layer once and linked to it from the other images of the archive."""
    parts = docker_members(LAYERS)
    real = parts.pop("1/layer.tar")
    extra = [file("2/layer.tar", real), link("1/layer.tar", "../2/layer.tar")]
    expected = facts(contents_of(docker_archive(tmp_path / "same.tar", LAYERS)))
    assert facts(contents_of(write_tar(tmp_path / "symlink.tar", parts, extra))) == expected
    extra[1] = hardlink("1/layer.tar", "2/layer.tar")
    assert facts(contents_of(write_tar(tmp_path / "hardlink.tar", parts, extra))) == expected


def test_a_layer_that_is_used_twice_is_counted_twice(tmp_path: Path) -> None:
    contents = contents_of(oci_layout(tmp_path, [LAYERS[0], LAYERS[0]]))
    assert [len(layer.entries) for layer in contents.layers] == [2, 2]
    assert [layer.layer.index for layer in contents.layers] == [0, 1]


def several(path: Path) -> Path:
    layout = Layout()
    layout.add(layout.manifest(LAYERS), "docker.io/library/app:1.0")
    layout.add(layout.manifest(OTHER), "registry.example/team/other:2.0")
    layout.add(layout.manifest([]), "odd name")
    return layout.directory(path)


@pytest.mark.parametrize(
    ("asked", "layers"),
    [
        ("docker.io/library/app:1.0", 2),
        ("app:1.0", 2),
        ("1.0", 2),
        ("registry.example/team/other:2.0", 1),
        ("2.0", 1),
        ("odd name", 0),
    ],
)
def test_an_image_is_chosen_by_name(asked: str, layers: int, tmp_path: Path) -> None:
    with open_archive(several(tmp_path)) as archive:
        image = archive.image(asked)
        assert len(image.layers) == layers
        by_digest = [archive.image(image.digest), archive.image(image.digest[7:19])]
        assert [other.digest for other in by_digest] == [image.digest] * 2


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (None, "holds several images, name one: docker.io/library/app:1.0; registry.example/team/other:2.0; odd name"),
        ("app:2.0", "no image 'app:2.0' in it: it holds docker.io/library/app:1.0;"),
        ("other:2.0", "no image 'other:2.0'"),
        ("ab", "no image 'ab'"),
    ],
)
def test_a_name_that_does_not_fit_is_told_what_there_is(asked: str | None, message: str, tmp_path: Path) -> None:
    with open_archive(several(tmp_path)) as archive, pytest.raises(ImageError, match=message):
        archive.image(asked)


def for_platforms(path: Path, *platforms: str) -> Path:
    """One image for several platforms in a nested index, with BuildKit's attestation beside each."""
    layout = Layout()
    entries = []
    for platform in platforms:
        os_name, architecture, *variant = platform.split("/")
        described = layout.manifest(
            [layer(file("platform", platform))], os=os_name, architecture=architecture, variant="".join(variant)
        )
        entries.append({**described, "platform": platform_object(platform)})
        attestation = layout.manifest([layer(file("sbom", platform))])
        notes = {"vnd.docker.reference.type": "attestation-manifest"}
        entries.append({**attestation, "annotations": notes, "platform": {"os": "unknown", "architecture": "unknown"}})
    index = layout.blob(json.dumps({"schemaVersion": 2, "manifests": entries}).encode(), INDEX)
    layout.add(index, "app")
    return layout.directory(path)


@pytest.mark.parametrize(
    ("platforms", "asked", "chosen"),
    [
        (("linux/amd64", "linux/arm64/v8"), "linux/arm64", "linux/arm64/v8"),
        (("linux/amd64", "linux/arm64"), "linux/arm64/v8", "linux/arm64"),
        (("linux/amd64", "linux/arm64"), "aarch64", "linux/arm64"),
        (("linux/amd64", "linux/arm64"), "x86_64", "linux/amd64"),
        (("linux/arm/v6", "linux/arm/v7", "linux/amd64"), "linux/arm", "linux/arm/v7"),
        (("linux/arm/v6", "linux/amd64"), "linux/arm", "linux/arm/v6"),
        (("linux/s390x",), None, "linux/s390x"),
        (("windows/amd64", "linux/riscv64"), "windows/amd64", "windows/amd64"),
    ],
)
def test_a_platform_is_chosen_from_an_index(
    platforms: tuple[str, ...], asked: str | None, chosen: str, tmp_path: Path
) -> None:
    with open_archive(for_platforms(tmp_path, *platforms)) as archive:
        assert len(archive.choices) == len(platforms)
        assert str(archive.image(None, asked).platform) == chosen
        assert str(archive.image("app", asked).platform) == chosen


def test_without_a_wish_this_machine_decides(tmp_path: Path) -> None:
    here = host_platform()
    with open_archive(for_platforms(tmp_path, "linux/mips64le", str(here), "linux/s390x")) as archive:
        assert archive.image().platform.key() == here.key()


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (None, "holds images for linux/mips, linux/sparc: choose a platform"),
        ("linux/amd64", "no image for linux/amd64: it holds linux/mips, linux/sparc"),
        ("linux/mips/v2", "no image for linux/mips/v2"),
        ("a/b/c/d", "not a platform: 'a/b/c/d'"),
        ("linux/", "not a platform"),
    ],
)
def test_platforms_that_are_not_there(asked: str | None, message: str, tmp_path: Path) -> None:
    with (
        open_archive(for_platforms(tmp_path, "linux/mips", "linux/sparc")) as archive,
        pytest.raises(ImageError, match=message),
    ):
        archive.image(None, asked)


def test_one_name_for_two_platforms_in_a_docker_archive(tmp_path: Path) -> None:
    parts = docker_members(LAYERS)
    arm = {f"arm/{name}": data for name, data in docker_members(OTHER, architecture="arm64").items()}
    entry = json.loads(arm.pop("arm/manifest.json"))[0]
    entry = {"Config": f"arm/{entry['Config']}", "RepoTags": ["app:1"], "Layers": ["arm/0/layer.tar"]}
    parts["manifest.json"] = json.dumps([*json.loads(parts["manifest.json"]), entry]).encode()
    with open_archive(write_tar(tmp_path / "image.tar", parts | arm)) as archive:
        assert len(archive.image("app:1", "linux/amd64").layers) == 2
        assert len(archive.image("app:1", "linux/arm64").layers) == 1


def test_an_index_may_list_what_the_archive_leaves_out(tmp_path: Path) -> None:
    path = for_platforms(tmp_path, "linux/amd64", "linux/s390x")
    with open_archive(path) as archive:
        gone = archive.image(None, "linux/s390x")
    (path / "blobs" / gone.digest.replace(":", "/")).unlink()
    with open_archive(path) as archive:
        assert [str(choice.platform) for choice in archive.choices] == ["linux/amd64"]


def test_zstd_without_its_package_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = oci_layout(tmp_path, LAYERS, pack=lambda tar: b"\x28\xb5\x2f\xfd" + tar)
    monkeypatch.setitem(sys.modules, "zstandard", None)
    monkeypatch.setitem(sys.modules, "compression", None)
    with pytest.raises(ImageError, match=r"layer 0 .*: compressed with zstd, which needs the Python package zstandard"):
        contents_of(path)


def test_platform_aliases() -> None:
    assert parse_platform("ARM64").key() == parse_platform("linux/aarch64/v8").key()
    assert parse_platform("linux/arm/v6").key() != parse_platform("linux/arm").key()
