"""The packages of an rpm database in SQLite form (Fedora 33, RHEL 9, openSUSE and later).

The table `Packages` holds one header blob for each package. Source: rpm's "RPM Package format" (header format, tags)
and `lib/backend/sqlite.c`; older databases (Berkeley DB, ndb) are not read.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import struct
import tempfile

from dfopt.writing import create_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_NAME, _VERSION, _RELEASE, _EPOCH, _SIZE = 1000, 1001, 1002, 1003, 1009
_DIRINDEXES, _BASENAMES, _DIRNAMES = 1116, 1117, 1118
_INT32, _STRING, _STRING_ARRAY, _I18N = 4, 6, 8, 9
_ENTRY = struct.Struct(">IIiI")
_MOST = 1 << 20  # entries or items that a header may state


def installed(database: bytes) -> Iterator[tuple[str, str, int, list[str]]]:
    """(name, [epoch:]version-release, stated bytes, absolute paths) of each package; nothing for a file that
    is not such a database."""
    with tempfile.TemporaryDirectory(prefix="dfopt-rpm-") as folder:
        path = os.path.join(folder, "rpmdb.sqlite")
        create_file(path, database)
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as connection:
            try:
                for (blob,) in connection.execute("SELECT blob FROM Packages ORDER BY hnum"):
                    if isinstance(blob, bytes) and (fields := header(blob)):
                        yield _package(fields)
            except sqlite3.Error:
                return


def _package(fields: dict[int, list[Any]]) -> tuple[str, str, int, list[str]]:
    def first(tag: int, default: Any) -> Any:
        return (fields.get(tag) or [default])[0]

    version = f"{first(_VERSION, '')}-{first(_RELEASE, '')}"
    if _EPOCH in fields:
        version = f"{first(_EPOCH, 0)}:{version}"
    folders = fields.get(_DIRNAMES, [])
    paths = [
        f"{folders[index]}{name}"
        for index, name in zip(fields.get(_DIRINDEXES, []), fields.get(_BASENAMES, []), strict=False)
        if index < len(folders)
    ]
    return str(first(_NAME, "")), version, int(first(_SIZE, 0)), paths


def header(blob: bytes) -> dict[int, list[Any]]:
    """The wanted tags of a header blob, each a list of values; an empty dict for a blob that is none."""
    tags: dict[int, list[Any]] = {}
    try:
        count, length = struct.unpack_from(">II", blob)
        start = 8 + 16 * count
        if count > _MOST or start + length > len(blob):
            return {}
        store = blob[start : start + length]
        for number in range(count):
            tag, kind, offset, items = _ENTRY.unpack_from(blob, 8 + 16 * number)
            if tag not in (_NAME, _VERSION, _RELEASE, _EPOCH, _SIZE, _DIRINDEXES, _BASENAMES, _DIRNAMES):
                continue
            if offset < 0 or items > _MOST:
                return {}
            if kind == _INT32:
                tags[tag] = list(struct.unpack_from(f">{items}I", store, offset))
            elif kind in (_STRING, _STRING_ARRAY, _I18N):
                values = []
                for _ in range(1 if kind == _STRING else items):
                    end = store.index(b"\0", offset)
                    values.append(store[offset:end].decode("utf-8", "surrogateescape"))
                    offset = end + 1
                tags[tag] = values
    except (struct.error, ValueError):
        return {}
    return tags if _NAME in tags else {}
