"""Builds images for the tests, with Python's own tarfile: an implementation that shares nothing with ours.

An entry is made by `file`, `folder`, `link`, `hardlink`, `whiteout`, `opaque` or `node`; `layer` makes the tar of some,
and `oci_layout`, `oci_archive` and `docker_archive` make images of layers.
"""

from __future__ import annotations

import gzip
import hashlib
import importlib
import io
import json
import os
import shutil
import sys
import tarfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NoReturn

import pytest

from dfopt.image import ImageContents, Ledger, make_ledger, open_archive, read_image

TarEntry = tuple[tarfile.TarInfo, bytes]
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"


def require(program: str, why: str) -> str:
    """The path of a program. Where it is missing the test fails in CI; elsewhere it is skipped, saying what to do."""
    beside_python = os.path.dirname(sys.executable)  # where a test dependency from PyPI puts it
    return shutil.which(program) or shutil.which(program, path=beside_python) or _left_out(program, why)


def require_module(name: str, why: str) -> Any:
    """A Python package, under the same rule."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return _left_out(name, why)


def _left_out(name: str, why: str) -> NoReturn:
    if os.environ.get("CI"):
        pytest.fail(f"{name} is missing: {why}", pytrace=False)
    pytest.skip(f"{name} is missing: {why}")


def file(
    path: str, content: bytes | str = b"", mode: int = 0o644, owner: tuple[int, int] = (0, 0), **more: Any
) -> TarEntry:
    data = content.encode() if isinstance(content, str) else content
    return _info(path, tarfile.REGTYPE, mode, owner, size=len(data), **more), data


def folder(path: str, mode: int = 0o755, owner: tuple[int, int] = (0, 0), **more: Any) -> TarEntry:
    return _info(path, tarfile.DIRTYPE, mode, owner, **more), b""


def link(path: str, target: str, mode: int = 0o777) -> TarEntry:
    return _info(path, tarfile.SYMTYPE, mode, (0, 0), linkname=target), b""


def hardlink(path: str, target: str) -> TarEntry:
    return _info(path, tarfile.LNKTYPE, 0o644, (0, 0), linkname=target), b""


def node(path: str, kind: bytes, major: int = 1, minor: int = 3) -> TarEntry:
    return _info(path, kind, 0o600, (0, 0), devmajor=major, devminor=minor), b""


def whiteout(path: str) -> TarEntry:
    parent, slash, name = path.rpartition("/")
    return file(f"{parent}{slash}.wh.{name}")


def opaque(path: str) -> TarEntry:
    return file(f"{path}/.wh..wh..opq")


def _info(path: str, kind: bytes, mode: int, owner: tuple[int, int], **more: Any) -> tarfile.TarInfo:
    info = tarfile.TarInfo(path)
    info.type, info.mode, (info.uid, info.gid) = kind, mode, owner
    for name, value in more.items():
        setattr(info, name, value)
    return info


def layer(*entries: TarEntry, form: int = tarfile.PAX_FORMAT) -> bytes:
    """The tar of some entries."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form, encoding="utf-8", errors="surrogateescape") as tar:
        for info, data in entries:
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


def digest(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def config(layers: Sequence[bytes], **more: Any) -> bytes:
    document = {
        "os": "linux",
        "architecture": "amd64",
        "config": {},
        "rootfs": {"type": "layers", "diff_ids": [digest(tar) for tar in layers]},
        "history": [{"created_by": f"step {number}"} for number in range(len(layers))],
    }
    return json.dumps(document | more).encode()


def plain(tar: bytes) -> bytes:
    return tar


def gz(tar: bytes) -> bytes:
    return gzip.compress(tar, 6, mtime=0)


class Layout:
    """An OCI layout under construction: a mapping of names to bytes, written by `directory` or `archive`."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {"oci-layout": b'{"imageLayoutVersion": "1.0.0"}'}
        self.index: list[dict[str, Any]] = []

    def blob(self, data: bytes, media_type: str = "", **more: Any) -> dict[str, Any]:
        name = digest(data)
        self.files[f"blobs/{name.replace(':', '/')}"] = data
        return {"mediaType": media_type, "digest": name, "size": len(data), **more}

    def manifest(
        self, layers: Sequence[bytes], pack: Callable[[bytes], bytes] = plain, **settings: Any
    ) -> dict[str, Any]:
        """The descriptor of a new manifest (not yet in the index)."""
        media = "application/vnd.oci.image.layer.v1.tar" + ("+gzip" if pack is gz else "")
        described = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": self.blob(config(layers, **settings), "application/vnd.oci.image.config.v1+json"),
            "layers": [self.blob(pack(tar), media) for tar in layers],
        }
        return self.blob(json.dumps(described).encode(), MANIFEST)

    def add(self, descriptor: dict[str, Any], name: str = "", platform: str = "") -> None:
        entry = dict(descriptor)
        if name:
            entry["annotations"] = {"org.opencontainers.image.ref.name": name}
        if platform:
            entry["platform"] = platform_object(platform)
        self.index.append(entry)

    def _complete(self) -> dict[str, bytes]:
        index = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": self.index}).encode()
        return {"index.json": index} | self.files

    def directory(self, path: Path) -> Path:
        for name, data in self._complete().items():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_bytes(data)
        return path

    def archive(self, path: Path) -> Path:
        path.write_bytes(layer(*[file(name, data) for name, data in self._complete().items()]))
        return path


def platform_object(text: str) -> dict[str, str]:
    return dict(zip(("os", "architecture", "variant"), text.split("/"), strict=False))


def oci_layout(
    path: Path, layers: Sequence[bytes], name: str = "latest", pack: Callable[[bytes], bytes] = gz, **settings: Any
) -> Path:
    layout = Layout()
    layout.add(layout.manifest(layers, pack, **settings), name)
    return layout.directory(path)


def oci_archive(path: Path, layers: Sequence[bytes], name: str = "latest", pack: Callable[[bytes], bytes] = gz) -> Path:
    layout = Layout()
    layout.add(layout.manifest(layers, pack), name)
    return layout.archive(path)


def docker_members(layers: Sequence[bytes], name: str = "app:1", **settings: Any) -> dict[str, bytes]:
    """The files of `docker save` in the form before Docker 25."""
    document = config(layers, **settings)
    config_name = f"{digest(document)[7:]}.json"
    paths = [f"{number}/layer.tar" for number in range(len(layers))]
    entry = {"Config": config_name, "RepoTags": [name] if name else None, "Layers": paths}
    return {
        **dict(zip(paths, layers, strict=True)),
        config_name: document,
        "manifest.json": json.dumps([entry]).encode(),
    }


def write_tar(path: Path, members: dict[str, bytes], extra: Iterable[TarEntry] = ()) -> Path:
    path.write_bytes(layer(*[file(name, data) for name, data in members.items()], *extra))
    return path


def docker_archive(path: Path, layers: Sequence[bytes], **settings: Any) -> Path:
    return write_tar(path, docker_members(layers, **settings))


def contents_of(path: Path) -> ImageContents:
    with open_archive(path) as archive:
        return read_image(archive.image())


def stack(tmp_path: Path, *layers: Iterable[TarEntry]) -> ImageContents:
    """An image of these layers, each a list of entries, read back."""
    return contents_of(docker_archive(tmp_path / "image.tar", [layer(*entries) for entries in layers]))


def ledger_of(tmp_path: Path, *layers: Iterable[TarEntry]) -> Ledger:
    return make_ledger(stack(tmp_path, *layers).layers)
