"""What an editor does with the edits that it is given, by the protocol's rules and with no code of dfopt's."""

from __future__ import annotations

import re
from typing import Any

from lsprotocol import types

_LINE_END = re.compile(r"\r\n|\n|\r")


def _units(text: str, encoding: str) -> int:
    if encoding == "utf-32":
        return len(text)
    if encoding == "utf-16":
        return len(text.encode("utf-16-le", "surrogatepass")) // 2
    return len(text.encode())


def offset_of(text: str, position: types.Position, encoding: str) -> int:
    """Fails where a position is none: past the last line or the line's end, or inside a character."""
    starts = [0, *[found.end() for found in _LINE_END.finditer(text)]]
    start = starts[position.line]
    found = _LINE_END.search(text, start)
    line = text[start : found.start() if found else len(text)]
    for at in range(len(line) + 1):
        if _units(line[:at], encoding) == position.character:
            return start + at
    raise AssertionError(f"{position} is no position of the text")


def applied(text: str, edits: list[Any], encoding: str) -> str:
    """The text after the edits, which must not overlap."""
    spans = sorted(
        (offset_of(text, one.range.start, encoding), offset_of(text, one.range.end, encoding), one.new_text)
        for one in edits
    )
    result, at = "", 0
    for start, end, new in spans:
        assert at <= start <= end
        result += text[at:start] + new
        at = end
    return result + text[at:]


def edits_of(edit: types.WorkspaceEdit, uri: str, version: int | None = None) -> list[Any]:
    """The text edits for a document. With `version`, they must be for that version of it."""
    if version is None:
        assert edit.document_changes is None
        assert edit.changes is not None
        return list(edit.changes[uri])
    assert edit.changes is None
    assert edit.document_changes is not None
    (change,) = edit.document_changes
    assert isinstance(change, types.TextDocumentEdit)
    assert (change.text_document.uri, change.text_document.version) == (uri, version)
    return list(change.edits)
