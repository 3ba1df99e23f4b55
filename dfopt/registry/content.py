"""Manifests and blobs of a repository: documents whole, layers as streams. Verifying blobs is the reader's part.

Source: OCI distribution specification 1.1, "Pulling manifests" and "Pulling blobs"; a registry may redirect a blob to a
storage server of another host, which is then asked without the registry's credentials (transport.py sees to that).
"""

from __future__ import annotations

import asyncio
import copy

from dfopt.registry.auth import refused
from dfopt.registry.errors import BadAnswerError, DigestMismatchError, NotFoundError, RegistryError
from dfopt.registry.hosts import server_of
from dfopt.registry.manifests import ACCEPT, hash_of, is_digest, read_manifest
from dfopt.registry.transport import Ask, BodySink

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any

    from dfopt.registry.mirrors import Endpoint
    from dfopt.registry.reference import Target
    from dfopt.registry.resolution import _Work
    from dfopt.registry.transport import Reply

_PIECE = 1 << 20  # bytes handed over at a time
_WAITING = 4  # pieces that may wait for their reader: memory stays flat
_FOREVER = float("inf")  # a blob may be of any size: silence and pace are limited (Limits.read, transport._PACE)


class Repository:
    """One repository, reached through its mirrors as `RegistryClient` does. Methods may be called from any thread."""

    def __init__(self, work: _Work, loop: asyncio.AbstractEventLoop, target: Target) -> None:
        self._work = work
        self._loop = loop
        self.target = target

    def manifest(self, name: str = "") -> tuple[str, bytes, str]:
        """(digest, body, media type) of the manifest or index of a tag or digest; "": the reference's own.

        The digest is that of the body, which agrees with what was asked for and with what the registry claims.
        Raises RegistryError.
        """
        manifest: tuple[str, bytes, str] = self._wait(self._manifest(name or self.target.digest or self.target.tag))
        return manifest

    def blob(self, digest: str) -> BlobReader:
        """A new reader of a blob from its beginning; what goes wrong is raised by `read`, as OSError."""
        queue: asyncio.Queue[bytes | RegistryError | None] = asyncio.Queue(_WAITING)
        task = asyncio.run_coroutine_threadsafe(self._pour(digest, queue), self._loop)
        return BlobReader(self._loop, queue, task)

    def _wait(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _manifest(self, name: str) -> tuple[str, bytes, str]:
        reply = await self._first(f"manifests/{name}", ACCEPT, is_digest(name), None)
        claimed = next(iter(reply.headers.get("docker-content-digest", [])), "")
        for claim in (name, claimed):
            if is_digest(claim) and hash_of(reply.body, claim) != claim:
                raise DigestMismatchError(
                    f"{reply.host} claims {claim} for {self.target.path}, but its content is {hash_of(reply.body)}",
                    "tell the registry's owner",
                    reply.host,
                )
        media_type, _ = read_manifest(reply.body, reply.header("content-type"), reply.host)
        return name if is_digest(name) else hash_of(reply.body), reply.body, media_type

    async def _pour(self, digest: str, queue: asyncio.Queue[bytes | RegistryError | None]) -> None:
        buffer = bytearray()

        async def take(piece: bytes) -> None:
            buffer.extend(piece)
            if len(buffer) >= _PIECE:
                await queue.put(bytes(buffer))
                buffer.clear()

        try:
            await self._first(f"blobs/{digest}", "*/*", True, BodySink(take))
        except RegistryError as error:
            await queue.put(error)
            return
        except Exception as error:  # a defect here must not leave the reader waiting
            await queue.put(BadAnswerError(f"{self.target.host}: a transfer failed: {type(error).__name__}"))
            return
        if buffer:
            await queue.put(bytes(buffer))
        await queue.put(None)

    async def _first(self, path: str, accept: str, by_digest: bool, sink: BodySink | None) -> Reply:
        """The answer of the first endpoint that has one."""
        passed_over: list[str] = []
        endpoints = self._work.mirrors.endpoints(self.target.host, self.target.path, by_digest=by_digest)
        for last, endpoint in zip([False] * (len(endpoints) - 1) + [True], endpoints, strict=True):
            try:
                return await self._ask(endpoint, path, accept, sink)
            except RegistryError as error:
                if (sink is not None and sink.started) or (last and not passed_over):
                    raise
                if last:
                    with_hint = copy.copy(error)
                    with_hint.hint = "; ".join([*filter(None, [error.hint]), *passed_over])
                    raise with_hint from None
                passed_over.append(f"mirror {endpoint.host}: {error.what}")
        raise AssertionError("there is always an endpoint")

    async def _ask(self, endpoint: Endpoint, path: str, accept: str, sink: BodySink | None) -> Reply:
        work = self._work
        deadline = asyncio.get_running_loop().time() + work.limits.total if sink is None else _FOREVER
        origin = await work.transport.origin(server_of(endpoint.host))
        authorization = await work.authorizer.known(origin, endpoint)
        for last in (False, True):
            ask = Ask("GET", f"{origin}/v2/{endpoint.path}/{path}", deadline, accept, authorization, sink=sink)
            reply = await work.transport.send(ask)
            if reply.status != 401 or reply.crossed or last:
                break
            login_until = asyncio.get_running_loop().time() + work.limits.total
            authorization = await work.authorizer.answer(origin, endpoint, reply, authorization, login_until)
        if reply.status == 200:
            return reply
        if reply.status == 404:
            kind, _, name = path.partition("/")
            full_name = f"{endpoint}{'@' if is_digest(name) else ':'}{name}"
            what = f"{reply.host} has no {full_name}" + (" (a blob)" if kind == "blobs" else "")
            raise NotFoundError(what, "check the name and the tag" if kind == "manifests" else "", endpoint.host)
        if reply.status in (401, 403) and not reply.crossed:
            raise refused(endpoint, await work.authorizer.lookup(endpoint))
        raise BadAnswerError(f"{reply.host} answered with status {reply.status}", "is this a registry?", endpoint.host)


class BlobReader:
    """The bytes of one blob as they arrive; for one thread at a time."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, queue: asyncio.Queue[bytes | RegistryError | None], task: Any
    ) -> None:
        self._loop = loop
        self._queue = queue
        self._task = task
        self._piece = b""
        self._end = False

    def read(self, size: int = -1, /) -> bytes:
        """At most `size` bytes, b"" at the end. OSError with the registry's trouble as its text."""
        if not self._piece and not self._end:
            item = asyncio.run_coroutine_threadsafe(self._queue.get(), self._loop).result()
            if isinstance(item, RegistryError):
                self._end = True
                raise OSError(str(item))
            self._end = item is None
            self._piece = item or b""
        if size < 0 or size >= len(self._piece):
            piece, self._piece = self._piece, b""
            return piece
        piece, self._piece = self._piece[:size], self._piece[size:]
        return piece

    def close(self) -> None:
        """Ends the transfer where it is under way."""
        self._end = True
        self._task.cancel()
