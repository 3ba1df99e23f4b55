"""Archives that a test makes, of files given by name: the same content gives the same bytes."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from collections.abc import Mapping


def tar_gz(files: Mapping[str, bytes]) -> bytes:
    """A compressed tar of `files`; the same content gives the same bytes."""
    return gzip.compress(tar(files), mtime=0)


def tar(files: Mapping[str, bytes]) -> bytes:
    """A tar of `files`, without times and names of users."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as made:
        for path, content in files.items():
            member = tarfile.TarInfo(path)
            member.size, member.mode = len(content), 0o644
            made.addfile(member, io.BytesIO(content))
    return out.getvalue()


def zipped(files: Mapping[str, bytes]) -> bytes:
    """A zip of `files`."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for path, content in files.items():
            made.writestr(zipfile.ZipInfo(path), content)
    return out.getvalue()
