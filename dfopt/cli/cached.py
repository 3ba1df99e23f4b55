"""A task behind a result cache: an unchanged file gets its earlier outcome."""

from __future__ import annotations

import os

from dfopt.files import read_named
from dfopt.record import Record, replace
from dfopt.request import STDIN
from dfopt.source import Source
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
    """`task` with a cache in front. An outcome is stored (if it has a `key`) with what was asked of the outside for it,
    and counts while all of that has the same answers; it is not stored if the file was written."""

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
        if self._seen <= _FIRST or file.path == STDIN or file.error or self.task.request.profile_path(file):
            return self.task(file)
        try:
            before = _state(file.path)
            key = self.key(file, read_named(file.path))
        except (OSError, ConfigError):
            return self.task(file)
        stored = self.store.get(key)
        if stored is not None and self._holds(file, stored):
            return stored
        from dfopt.workspace.fact_trace import FactTrace

        request = self.task.request
        request.trace = trace = FactTrace()
        try:
            outcome = self.task(file)
        finally:
            request.trace = None
        if outcome.status == 2 or not trace.complete or outcome.written or _state(file.path) != before:
            return outcome
        needs = request.context_facts.known_needs() if request.context_facts is not None else None
        with_key: FileOutcome = replace(outcome, key=key, trace=trace.rows(), needs=needs)
        return with_key

    def _holds(self, file: InputFile, stored: FileOutcome) -> bool:
        """Whether the outside gives the answers that an outcome is made of. What fails here fails in the task, too."""
        if not stored.trace:
            return True
        from dfopt.workspace.fact_trace import answers_hold

        request = self.task.request
        try:
            facts = request.facts_of(file, Source(file.name, ""))  # its text says no more than `needs`
            assert request.context_facts is not None
            request.context_facts.needs = stored.needs
            return answers_hold(facts, stored.trace)
        except (OSError, ValueError, TypeError, ConfigError):
            return False

    def key(self, file: InputFile, content: bytes) -> bytes:
        """What an outcome depends on, in 32 bytes. Raises ConfigError."""
        from dfopt.hashing import sha256

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
