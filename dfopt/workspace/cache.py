"""The cache of outcomes: what a file gave, by its content, the settings and the version of dfopt, each with what was
asked of the outside for it.

One SQLite file below the user's cache directory. Worker processes only read it; the run's own process writes, in
batches. Whatever goes wrong with it (a full disk, a file that is not a database, another version's tables) slows the
run down, but never changes its result: entries carry their whole key, and anything unreadable is a miss.
"""

from __future__ import annotations

import os
import sys

from dfopt.workspace.run import FileOutcome

TYPE_CHECKING = False
if TYPE_CHECKING:
    from sqlite3 import Connection

NAME = "results-3.sqlite"  # the number goes up with the form of the table
LIMIT = 100_000  # entries; the oldest go first
_BATCH = 64  # entries that wait to be written
_PAGES = 256  # KiB of the file in memory: each entry is read once


def default_directory() -> str:
    """Where caches belong on this system: $DFOPT_CACHE_DIR, else `dfopt` in the user's cache directory
    ($XDG_CACHE_HOME or ~/.cache; ~/Library/Caches on macOS; %LOCALAPPDATA% on Windows)."""
    configured = os.environ.get("DFOPT_CACHE_DIR")
    if configured:
        return configured
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or os.path.expanduser("~\\AppData\\Local")
    elif sys.platform == "darwin":
        base = os.path.expanduser("~/Library/Caches")
    else:
        base = os.environ.get("XDG_CACHE_HOME", "")
        base = base if os.path.isabs(base) else os.path.expanduser("~/.cache")
    return os.path.join(base, "dfopt")


class OutcomeStore:
    """The outcomes by key (bytes). Picklable: a copy in another process opens the file for itself, to read."""

    def __init__(self, directory: str) -> None:
        self.directory = directory
        self._connection: Connection | None = None
        self._process = 0
        self._waiting: list[tuple[bytes, str]] = []

    def __reduce__(self) -> tuple[object, ...]:
        return OutcomeStore, (self.directory,)

    @property
    def path(self) -> str:
        return os.path.join(self.directory, NAME)

    def get(self, key: bytes) -> FileOutcome | None:
        """The outcome of a key, or None."""
        import json
        import sqlite3

        try:
            row = self._open().execute("SELECT outcome FROM results WHERE key = ?", (key,)).fetchone()
            if row is None:
                return None
            out, patch, notes, status, counts, once, name, passes, refusals, trace, needs = json.loads(row[0])
            rows = tuple([tuple(map(str, columns)) for columns in refusals])
            asked = tuple([tuple(map(str, columns)) for columns in trace])
            needed = None if needs is None else tuple([(str(path), bool(wildcard)) for path, wildcard in needs])
            return FileOutcome(
                out, patch, notes, status, counts, once, False, name, passes, b"", rows, trace=asked, needs=needed
            )
        except (sqlite3.Error, OSError, ValueError, TypeError):
            return None

    def put(self, key: bytes, outcome: FileOutcome) -> None:
        """Keeps an outcome; `flush` makes it last."""
        import json

        output = (outcome.out, outcome.patch, outcome.notes, outcome.status, dict(outcome.counts), outcome.once)
        row = (*output, outcome.name, dict(outcome.passes), outcome.refusals, outcome.trace, outcome.needs)
        self._waiting.append((key, json.dumps(row)))
        if len(self._waiting) >= _BATCH:
            self.flush()

    def flush(self) -> None:
        """Writes what waits, and drops the oldest entries beyond the limit."""
        rows, self._waiting = self._waiting, []
        if not rows:
            return
        import sqlite3

        try:
            connection = self._open()
            with connection:
                connection.executemany("INSERT OR REPLACE INTO results (key, outcome) VALUES (?, ?)", rows)
                connection.execute("DELETE FROM results WHERE rowid <= (SELECT max(rowid) FROM results) - ?", (LIMIT,))
        except (sqlite3.Error, OSError):
            return

    def close(self) -> None:
        self.flush()
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _open(self) -> Connection:
        """The connection of this process. Raises sqlite3.Error and OSError."""
        if self._connection is not None and self._process == os.getpid():
            return self._connection
        import sqlite3

        os.makedirs(self.directory, mode=0o700, exist_ok=True)
        connection = sqlite3.connect(self.path, timeout=2)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = OFF")
            connection.execute(f"PRAGMA cache_size = -{_PAGES}")
            connection.execute("CREATE TABLE IF NOT EXISTS results (key BLOB NOT NULL UNIQUE, outcome TEXT NOT NULL)")
        except sqlite3.DatabaseError as failure:
            connection.close()
            if not isinstance(failure, sqlite3.OperationalError):  # the file is not a database
                os.unlink(self.path)
            raise
        self._connection, self._process = connection, os.getpid()
        return connection


def clean(directory: str) -> tuple[int, int]:
    """Deletes the caches in `directory`: how many files, and their bytes. Nothing else there is touched. Raises
    OSError."""
    files = size = 0
    try:
        entries = list(os.scandir(directory))
    except FileNotFoundError:
        return 0, 0
    for entry in entries:
        if entry.name.startswith("results-") and ".sqlite" in entry.name and entry.is_file(follow_symlinks=False):
            size += entry.stat(follow_symlinks=False).st_size
            os.unlink(entry.path)
            files += 1
    return files, size
