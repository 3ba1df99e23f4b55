"""Small image archives made by hand, in the layout of `docker save`, for tests of the reader and the comparison."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

Entry = tuple[tarfile.TarInfo, bytes]

_TYPES = {
    "dir": tarfile.DIRTYPE,
    "symlink": tarfile.SYMTYPE,
    "hardlink": tarfile.LNKTYPE,
    "fifo": tarfile.FIFOTYPE,
    "char": tarfile.CHRTYPE,
    "block": tarfile.BLKTYPE,
}


def entry(
    name: str,
    content: bytes = b"",
    *,
    kind: str = "file",
    mode: int = 0o644,
    owner: tuple[int, int] = (0, 0),
    link: str = "",
    mtime: int = 0,
    device: tuple[int, int] = (0, 0),
    xattrs: dict[str, str] | None = None,
) -> Entry:
    """One tar entry. `.wh.NAME` and `.wh..wh..opq` are whiteouts, as in real layers."""
    member = tarfile.TarInfo(name)
    member.type = _TYPES.get(kind, tarfile.REGTYPE)
    member.mode, member.mtime, member.linkname, member.size = mode, mtime, link, len(content)
    member.uid, member.gid = owner
    member.devmajor, member.devminor = device
    member.pax_headers = {f"SCHILY.xattr.{key}": value for key, value in (xattrs or {}).items()}
    return member, content


def tarball(entries: Sequence[Entry], mode: str = "w") -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode, format=tarfile.PAX_FORMAT) as tar:  # type: ignore[call-overload]
        for member, content in entries:
            tar.addfile(member, io.BytesIO(content))
    return out.getvalue()


def archive(path: Path, *layers: Sequence[Entry] | bytes, config: dict[str, Any] | None = None) -> Path:
    """Writes one image of `layers`, lowest first (entries, or a layer's bytes as they are), to `path`."""
    blobs = [layer if isinstance(layer, bytes) else tarball(layer) for layer in layers]
    names = [f"blobs/sha256/{hashlib.sha256(blob).hexdigest()}" for blob in blobs]
    diff_ids = [f"sha256:{name.rpartition('/')[2]}" for name in names]
    document = {"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": diff_ids}}
    settings = json.dumps({**document, **(config or {})}).encode()
    settings_name = f"blobs/sha256/{hashlib.sha256(settings).hexdigest()}"
    manifest = json.dumps([{"Config": settings_name, "RepoTags": None, "Layers": names}]).encode()
    files = {**dict(zip(names, blobs, strict=True)), settings_name: settings, "manifest.json": manifest}
    path.write_bytes(tarball([entry(name, content) for name, content in files.items()]))
    return path
