"""The verdicts of a search, kept from run to run, so that the next one goes on where the last one ended.

A verdict belongs to a file's text, its build context, how it is built and tested, and what was built in its place. It
is forgotten after a week: base images and package archives move on. As with every cache, whatever goes wrong with it
costs time, and changes no result.
"""

from __future__ import annotations

import json
import os
import stat
import time
from contextlib import closing
from hashlib import sha256

from dfopt.files import LIMIT, read_regular
from dfopt.proof.lab import Smoke
from dfopt.proof.verdict import ImageCost, ProofVerdict
from dfopt.source import encode
from dfopt.version import fingerprint

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from sqlite3 import Connection

    from dfopt.findings import Declares
    from dfopt.proof.lab import ProofSettings

NAME = "results-verdicts-1.sqlite"  # `cache clean` deletes what begins with "results-"
_SECONDS = 7 * 24 * 3600


class StoredVerdicts:
    """The verdicts for one file. `directory`: where caches are kept; `subject`: a digest of all that decides what
    becomes of a build beside what is built (see `subject_of`)."""

    def __init__(self, directory: str, subject: str) -> None:
        self.directory = directory
        self.subject = subject

    def get(self, before: ImageCost, output: str, declared: Sequence[Declares], measure: bool) -> ProofVerdict | None:
        """The verdict on `output`, or None. `before`: the original's figures now; `measure`: one that was measured
        without the engine's cache (one that was serves both)."""
        import sqlite3

        try:
            with closing(self._open()) as connection:
                for measured in (True,) if measure else (True, False):
                    key = self._key(output, declared, measured)
                    row = connection.execute("SELECT at, verdict FROM verdicts WHERE key = ?", (key,)).fetchone()
                    if row is not None and 0 <= time.time() - row[0] < _SECONDS:
                        failure, count, after, smoke, log = json.loads(row[1])
                        cost = ImageCost(*after) if after is not None else None
                        return ProofVerdict(failure, (), count, before, cost, Smoke(*smoke) if smoke else None, log)
        except (sqlite3.Error, OSError, ValueError, TypeError):
            pass
        return None

    def any(self) -> bool:
        """Whether an earlier run left a verdict for this file."""
        import sqlite3

        try:
            with closing(self._open()) as connection:
                row = connection.execute("SELECT 1 FROM verdicts WHERE subject = ?", (self.subject,)).fetchone()
                return row is not None
        except (sqlite3.Error, OSError):
            return False

    def put(self, output: str, declared: Sequence[Declares], measure: bool, verdict: ProofVerdict) -> None:
        """Keeps a verdict at once: the run may be interrupted. Differences in detail are not kept."""
        import sqlite3

        after, smoke = verdict.after, verdict.smoke
        row = json.dumps(
            (
                verdict.failure, verdict.declared,
                after and _fields(after),
                smoke and (smoke.passed, smoke.output),
                verdict.log,
            )
        )  # fmt: skip
        try:
            with closing(self._open()) as connection, connection:
                now = time.time()
                values = (self._key(output, declared, measure), self.subject, now, row)
                connection.execute("INSERT OR REPLACE INTO verdicts VALUES (?, ?, ?, ?)", values)
                connection.execute("DELETE FROM verdicts WHERE at < ?", (now - _SECONDS,))
        except (sqlite3.Error, OSError):
            pass

    def _key(self, output: str, declared: Sequence[Declares], measure: bool) -> str:
        return _digest(self.subject, output, repr(tuple(declared)), str(measure))

    def _open(self) -> Connection:
        import sqlite3

        os.makedirs(self.directory, mode=0o700, exist_ok=True)
        connection = sqlite3.connect(os.path.join(self.directory, NAME), timeout=2)
        try:
            connection.execute(
                "CREATE TABLE IF NOT EXISTS verdicts (key TEXT UNIQUE, subject TEXT, at REAL, verdict TEXT)"
            )
        except BaseException:
            connection.close()
            raise
        return connection


def _fields(cost: ImageCost) -> tuple[float | None, ...]:
    return cost.live, cost.total, cost.stored, cost.layers, cost.files, cost.seconds, cost.rebuild


def subject_of(plan: ProofSettings, engine: str, original: str, context: str) -> str:
    """The digest of what decides what becomes of builds for a file: its text, the content of its build context, the
    settings of builds and tests, the engine's label, the version of dfopt. Raises OSError."""
    arguments = [os.environ.get(word, "") if "=" not in word else "" for word in plan.args]
    script = read_regular(plan.smoke_script) if plan.smoke_script else b""
    return _digest(
        fingerprint(), engine, repr(plan), repr(arguments), sha256(script).hexdigest(), original, content_of(context)
    )


def content_of(directory: str) -> str:
    """A digest of the names, modes and contents below a directory. Of what cannot be read, the name alone counts."""
    whole = sha256()
    for folder, folders, files in os.walk(directory):
        folders.sort()
        for name in sorted([*files, *(entry for entry in folders if os.path.islink(os.path.join(folder, entry)))]):
            path = os.path.join(folder, name)
            try:
                status = os.lstat(path)
                mode, content = status.st_mode, _content(path, status)
            except OSError:
                mode, content = 0, b""
            place = os.fsencode(os.path.relpath(path, directory))
            whole.update(b"%d %o %d\0" % (len(place), mode, len(content)) + place + content)
    return whole.hexdigest()


def _content(path: str, status: os.stat_result) -> bytes:
    """The content of a file, or where a link leads; of one that is too large to read, its size and time of change.
    Raises OSError."""
    if stat.S_ISLNK(status.st_mode):
        return os.fsencode(os.readlink(path))
    if not stat.S_ISREG(status.st_mode) or status.st_size > LIMIT:
        return repr((status.st_size, status.st_mtime_ns)).encode()
    return read_regular(path)


def _digest(*parts: str) -> str:
    whole = sha256()
    for part in parts:
        data = encode(part)
        whole.update(b"%d\0" % len(data) + data)
    return whole.hexdigest()
