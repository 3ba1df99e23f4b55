"""A task behind a result cache: an unchanged file gets its earlier outcome."""

from __future__ import annotations

import os

from dfopt.files import read_named
from dfopt.record import Record, replace
from dfopt.request import STDIN
from dfopt.workspace.settings import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dfopt.cli.tasks import FixTask
    from dfopt.workspace.cache import OutcomeStore
    from dfopt.workspace.discovery import InputFile
    from dfopt.workspace.run import FileOutcome

_FIRST = 16  # files that a process handles before it opens the cache: for fewer, the cache costs more than it saves


class Cached:
    """`task` with a cache in front. An outcome is stored (if it has a `key`) only if it depends on nothing but the
    file's content and the settings: not if a pass asked for outside facts, and not if the file was written."""

    def __init__(self, task: FixTask, store: OutcomeStore) -> None:
        self.task = task
        self.store = store
        self.failed = task.failed
        self._seen = 0
        self._salt = b""

    def __reduce__(self) -> tuple[object, ...]:
        return Cached, (self.task, self.store)

    def __call__(self, file: InputFile) -> FileOutcome:
        self._seen += 1
        if self._seen <= _FIRST or file.path == STDIN or file.error:
            return self.task(file)
        try:
            before = _state(file.path)
            key = self.key(file, read_named(file.path))
        except (OSError, ConfigError):
            return self.task(file)
        stored = self.store.get(key)
        if stored is not None:
            return stored
        outcome = self.task(file)
        request = self.task.request
        if outcome.status == 2 or request.asked or outcome.written or _state(file.path) != before:
            return outcome
        with_key: FileOutcome = replace(outcome, key=key)
        return with_key

    def key(self, file: InputFile, content: bytes) -> bytes:
        """What an outcome depends on, in 32 bytes. Raises ConfigError."""
        from hashlib import sha256

        if not self._salt:
            task = self.task
            fields = {field: getattr(task, field) for field in type(task).__fields__ if field != "request"}
            self._salt = sha256(repr((type(task).__name__, sorted(fields.items()))).encode()).digest()
        digest = sha256(self._salt)
        digest.update(self.task.request.settings_key(file).encode())
        digest.update(file.name.encode("utf-8", "surrogateescape") + b"\0")
        digest.update(content)
        return digest.digest()


class Keeping(Record):
    """Stores the outcomes of a run as they pass through."""

    store: OutcomeStore

    def over(self, outcomes: Iterable[FileOutcome]) -> Iterator[FileOutcome]:
        try:
            for outcome in outcomes:
                if outcome.key:
                    self.store.put(outcome.key, outcome)
                yield outcome
        finally:
            self.store.close()


def _state(path: str) -> tuple[int, int, int]:
    status = os.stat(path)
    return status.st_mtime_ns, status.st_size, status.st_ino
