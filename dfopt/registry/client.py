"""The registry client: an image reference becomes the digest that its tag names now.

Recipe of docker and the containers tools: HEAD the manifest with the types of index, list and both manifests; answer a
401 by its challenge; take Docker-Content-Digest, or GET the body and hash it; pin the index, not one platform. Sources:
OCI distribution specification 1.1, distribution's authentication specifications, containers-registries.conf(5).

The work runs on an event loop in a thread of its own, so that a limit on the *whole* of a request can be kept (an
answer that trickles in never trips a read limit) and so that callers, of any thread, share requests, tokens and limits.
"""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import CancelledError

from dfopt.registry.credentials import CredentialStore
from dfopt.registry.errors import (
    RegistryError,
    UnreachableError,
)
from dfopt.registry.manifests import (
    Digest,
)
from dfopt.registry.reference import spelled, target_of
from dfopt.registry.resolution import ClientOptions, _Work

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from dfopt.registry.content import Repository
    from dfopt.syntax.image_ref import ImageRef


class RegistryClient:
    """Resolves references, each once however many ask, some at a time. A context manager; all methods are thread-safe.

    `sleep` waits for retries (tests put a clock of their own in its place).
    """

    def __init__(
        self,
        options: ClientOptions | None = None,
        credentials: CredentialStore | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._options = options or ClientOptions()
        self._credentials = credentials or CredentialStore()
        self._sleep = sleep
        self._start_lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._work: _Work | None = None

    def __enter__(self) -> RegistryClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def resolve(self, ref: str | ImageRef, verify: bool = False) -> Digest:
        """The digest that a reference's tag names now (`latest` without one); of a bare digest: that it exists.

        A tag beside a digest (`debian:12@sha256:...`) is looked up; comparing is the caller's business. `verify`: the
        content is fetched and hashed, too. Raises RegistryError.
        """
        outcome = next(iter(self.resolve_all([ref], verify).values()))
        if isinstance(outcome, RegistryError):
            raise outcome
        return outcome

    def resolve_all(
        self,
        refs: Iterable[str | ImageRef],
        verify: bool = False,
        on_result: Callable[[str, Digest | RegistryError], None] | None = None,
    ) -> dict[str, Digest | RegistryError]:
        """A digest or an error for each reference, keyed by its text as given, in the order given.

        `on_result` is called from the client's thread as results come in, in the order they do.
        """
        work, loop = self._started()
        references = {spelled(ref): ref for ref in refs}

        async def resolve_reference(text: str, ref: str | ImageRef) -> Digest | RegistryError:
            try:
                outcome: Digest | RegistryError = await work.flight(target_of(ref), verify)
            except RegistryError as error:
                outcome = error
            if on_result is not None:
                on_result(text, outcome)
            return outcome

        async def every() -> list[Digest | RegistryError]:
            return await asyncio.gather(*[resolve_reference(text, ref) for text, ref in references.items()])

        try:
            outcomes = asyncio.run_coroutine_threadsafe(every(), loop).result()
        except CancelledError:
            raise UnreachableError("the registry client was closed meanwhile") from None
        return dict(zip(references, outcomes, strict=True))

    def repository(self, ref: str | ImageRef) -> Repository:
        """The repository of a reference, to read manifests and blobs from. Raises InvalidReferenceError."""
        from dfopt.registry.content import Repository

        work, loop = self._started()
        return Repository(work, loop, target_of(ref))

    def checksums(self, urls: Iterable[str], seconds: float = 600.0) -> dict[str, str | RegistryError]:
        """The checksum ("sha256:...") of what each URL serves now, or an error; see `downloads.checksums`."""
        from dfopt.registry.checksums import checksums

        work, loop = self._started()
        return asyncio.run_coroutine_threadsafe(checksums(work, urls, seconds), loop).result()

    def problems(self) -> list[str]:
        """What stood in the way of finding credentials so far (broken files, failing helpers); fit to be shown."""
        return list(self._work.authorizer.problems) if self._work is not None else []

    def close(self) -> None:
        """Ends what is under way and the client's thread. A running credential helper is left to its own limit."""
        with self._start_lock:
            loop, thread, work = self._loop, self._thread, self._work
            self._loop = self._thread = self._work = None
        if loop is None or thread is None or work is None:
            return
        asyncio.run_coroutine_threadsafe(work.close(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()

    def _started(self) -> tuple[_Work, asyncio.AbstractEventLoop]:
        with self._start_lock:
            if self._loop is None or self._work is None:
                self._work = _Work(self._options, self._credentials, self._sleep)
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=self._loop.run_forever, name="dfopt-registry", daemon=True)
                self._thread.start()
            return self._work, self._loop
