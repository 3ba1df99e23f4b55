"""The journal of the last `fix --write`: what each file held before, kept beside the cache for `fix --undo`.

Lines of JSON: `path` (absolute, links resolved), `root` (the directory that links must not leave), `before` (the bytes,
base64) and `after` (sha256 of what was written, hexadecimal).
"""

from __future__ import annotations

import json
import os

from dfopt.files import read_regular
from dfopt.record import Record
from dfopt.source import encode
from dfopt.workspace.cache import default_directory
from dfopt.writing import Replacement, WriteRefused, remove_file, replace_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import BinaryIO

    from dfopt.results import Result

NAME = "undo-1.jsonl"
_LONGEST = 200_000_000  # bytes of a journal that is read


class UndoError(Exception):
    """There is nothing to undo, or the journal cannot be read; the message says why."""


class UndoEntry(Record):
    """One file of the journal."""

    path: str
    root: str
    before: bytes
    after: str


def journal_path() -> str:
    return os.path.join(default_directory(), NAME)


def undo_line(result: Result, path: str, root: str) -> str:
    """The line of a file that was just written."""
    from dfopt.hashing import sha256

    after = sha256(encode(result.output)).hexdigest()
    return _line(os.path.realpath(path), os.path.realpath(root), result.source.to_bytes(), after)


class UndoJournal:
    """Collects the lines of a run, and puts them in the place of the last run's when it ends, however it ends. A run
    that writes no file leaves the journal alone."""

    def __init__(self) -> None:
        self.replacement: Replacement | None = None
        self.file: BinaryIO | None = None

    def add(self, line: str) -> None:
        """Adds a line. Raises OSError."""
        if self.file is None:
            os.makedirs(default_directory(), mode=0o700, exist_ok=True)
            self.replacement = Replacement(journal_path())
            self.file = self.replacement.__enter__()
        self.file.write(line.encode("ascii"))

    def close(self) -> None:
        """Raises OSError."""
        if self.replacement is not None:
            self.replacement.__exit__(None, None, None)
            self.replacement = None


def read_journal() -> list[UndoEntry]:
    """The entries of the last run. Raises UndoError."""
    from base64 import b64decode

    try:
        content = read_regular(journal_path(), _LONGEST)
        rows = [json.loads(line) for line in content.splitlines()]
        return [UndoEntry(row["path"], row["root"], b64decode(row["before"]), row["after"]) for row in rows]
    except FileNotFoundError:
        raise UndoError("no --write is on record") from None
    except OSError as failure:
        raise UndoError(f"{journal_path()}: {failure.strerror or failure}") from None
    except (ValueError, KeyError, TypeError):
        raise UndoError(f"{journal_path()}: not a journal of dfopt") from None


def undo(entries: Iterable[UndoEntry]) -> Iterator[tuple[UndoEntry, str]]:
    """Puts each file back as it was: each entry with "", or with why its file was left alone."""
    from dfopt.hashing import sha256

    for entry in entries:
        try:
            now = read_regular(entry.path)
            if sha256(now).hexdigest() != entry.after:
                yield entry, "the file changed since"
                continue
            replace_file(entry.path, entry.before, now, entry.root)
        except FileNotFoundError:
            yield entry, "the file is gone"
        except WriteRefused as failure:
            yield entry, str(failure)
        except OSError as failure:
            yield entry, failure.strerror or str(failure)
        else:
            yield entry, ""


def keep(entries: list[UndoEntry]) -> None:
    """Leaves these entries in the journal. Raises OSError."""
    if not entries:
        remove_file(journal_path())
        return
    lines = [_line(entry.path, entry.root, entry.before, entry.after) for entry in entries]
    replace_file(journal_path(), "".join(lines).encode("ascii"))


def _line(path: str, root: str, before: bytes, after: str) -> str:
    from base64 import b64encode

    row = {"path": path, "root": root, "before": b64encode(before).decode("ascii"), "after": after}
    return json.dumps(row) + "\n"
