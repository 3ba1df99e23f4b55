"""The journal of a campaign: one JSON line for each finished file, so that an interrupted run can resume.

A line counts only while the content of its file, the version and the settings are unchanged. A truncated last line is
ignored.
"""

from __future__ import annotations

import json
import os

from dfopt.campaign.model import FileResult, Note
from dfopt.files import read_regular
from dfopt.findings import Benefit
from dfopt.writing import append_regular

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any

_LINE = 16 << 20  # bytes; no file's line is longer
_KEYS = ("name", "path", "root", "state", "available", "suggestions", "error", "digest", "settings", "delivered")


class Journal:
    """The lines of earlier runs by path, and the file to append to. Raises OSError, and ValueError if it is not a
    journal."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.known: dict[str, FileResult] = {}
        self._file = append_regular(path)
        try:
            self._read()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def _read(self) -> None:
        self._file.seek(0)
        length = 0
        for number, line in enumerate(iter(lambda: self._file.readline(_LINE + 1), b""), 1):
            if not line.endswith(b"\n") and len(line) <= _LINE:  # the run was stopped while writing
                self._file.truncate(length)
                break
            length += len(line)
            try:
                row = _from_json(json.loads(line))
            except (ValueError, KeyError, TypeError, RecursionError):
                raise ValueError(f"{self.path}:{number}: not a line of a campaign's journal") from None
            self.known[row.path] = row

    def finished(self, path: str, settings: str) -> FileResult | None:
        """The row of a file that needs no more work: still unchanged, or still with its delivered change."""
        row = self.known.get(os.path.abspath(path))
        if row is None or row.settings != settings or (row.state == "changed" and not row.delivered):
            return None
        if row.state == "failed":
            return None
        try:
            content = read_regular(path)
        except OSError:
            return None
        from dfopt.hashing import sha256

        return row if sha256(content).hexdigest() == row.digest else None

    def add(self, row: FileResult) -> None:
        """Writes a line and syncs it to disk."""
        value = {key: getattr(row, key) for key in _KEYS}
        value["path"] = os.path.abspath(row.path)
        for key in ("fixes", "refusals"):
            value[key] = [
                [note.name, note.tier, note.line, note.text, note.benefit and _columns(note.benefit)]
                for note in getattr(row, key)
            ]
        self._file.write(json.dumps(value, ensure_ascii=True).encode("ascii") + b"\n")
        self._file.flush()


def _from_json(value: dict[str, Any]) -> FileResult:
    fields = {key: value[key] for key in _KEYS}
    for key in ("fixes", "refusals"):
        fields[key] = tuple(
            Note(name, tier, line, text, benefit and Benefit(*benefit))
            for name, tier, line, text, benefit in value[key]
        )
    return FileResult(**fields)


def _columns(benefit: Benefit) -> list[Any]:
    return [getattr(benefit, field) for field in Benefit.__fields__]
