"""The journal of a campaign: one JSON line for each file that is finished, so that an interrupted run goes on.

A line counts for a file only while the file still has the content that the line tells of, and version and settings are
the same. A last line that was cut off is passed over.
"""

from __future__ import annotations

import json
import os

from dfopt.campaign.model import FileResult, Note

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Any, TextIO

_KEYS = ("name", "path", "root", "state", "available", "suggestions", "error", "digest", "settings", "delivered")


class Journal:
    """The lines of earlier runs, by path, and a file to add to. Raises OSError, and ValueError for a foreign file."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.known: dict[str, FileResult] = {}
        self._read()
        self._file: TextIO = open(path, "a", encoding="utf-8", errors="surrogateescape")  # noqa: SIM115

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def _read(self) -> None:
        try:
            with open(self.path, encoding="utf-8", errors="surrogateescape") as file:
                text = file.read()
        except FileNotFoundError:
            return
        lines = text.split("\n")
        whole, rest = lines[:-1], lines[-1]
        for number, line in enumerate(whole, 1):
            try:
                row = _from_json(json.loads(line))
            except (ValueError, KeyError, TypeError):
                raise ValueError(f"{self.path}:{number}: not a line of a campaign's journal") from None
            self.known[row.path] = row
        if rest:  # the run was ended while it wrote
            with open(self.path, "r+b") as file_to_cut:
                file_to_cut.truncate(len(text[: len(text) - len(rest)].encode("utf-8", "surrogateescape")))

    def finished(self, path: str, settings: str) -> FileResult | None:
        """The row of a file that needs no more work: unchanged, or its change delivered, and still so."""
        row = self.known.get(os.path.abspath(path))
        if row is None or row.settings != settings or (row.state == "changed" and not row.delivered):
            return None
        if row.state == "failed":
            return None
        try:
            with open(path, "rb") as file:
                content = file.read()
        except OSError:
            return None
        from hashlib import sha256

        return row if sha256(content).hexdigest() == row.digest else None

    def add(self, row: FileResult) -> None:
        """Writes a line, and makes it last."""
        value = {key: getattr(row, key) for key in _KEYS}
        value["path"] = os.path.abspath(row.path)
        for key in ("fixes", "refusals"):
            value[key] = [[note.name, note.tier, note.line, note.text] for note in getattr(row, key)]
        self._file.write(json.dumps(value, ensure_ascii=True) + "\n")
        self._file.flush()


def _from_json(value: dict[str, Any]) -> FileResult:
    fields = {key: value[key] for key in _KEYS}
    for key in ("fixes", "refusals"):
        fields[key] = tuple(Note(*item) for item in value[key])
    return FileResult(**fields)
