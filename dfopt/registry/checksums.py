"""Checksums of files that servers offer over http and https: fetched whole, hashed as they come, kept nowhere."""

from __future__ import annotations

import asyncio
import hashlib

from dfopt.registry import failures
from dfopt.registry.errors import (
    BadAnswerError,
    CredentialsNeededError,
    NotFoundError,
    PlainHttpError,
    RegistryError,
    shown_url,
)
from dfopt.registry.hosts import is_loopback
from dfopt.registry.transport import Ask, BodySink, parse_url

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from dfopt.registry.resolution import _Work

SIZE_LIMIT = 4 << 30  # bytes of one file


async def checksums(work: _Work, urls: Iterable[str], seconds: float) -> dict[str, str | RegistryError]:
    """The sha256 checksum of what each URL serves now, or why there is none; on the client's event loop. No credentials
    are sent. `seconds` bounds one download as a whole."""
    slots = asyncio.Semaphore(max(1, work.limits.concurrency))

    async def checksum_of(url: str) -> str | RegistryError:
        async with slots:
            try:
                return await asyncio.wait_for(_checksum(work, url, seconds), seconds)
            except asyncio.TimeoutError:
                return failures.too_slow(f"the download of {shown_url(url)}", seconds)
            except RegistryError as error:
                return error

    distinct = list(dict.fromkeys(urls))
    return dict(zip(distinct, await asyncio.gather(*[checksum_of(url) for url in distinct]), strict=True))


async def _checksum(work: _Work, text: str, seconds: float) -> str:
    url = parse_url(text, shown_url(text))
    host = url.netloc.decode("ascii")
    if url.scheme == "http" and not is_loopback(host) and not work.transport.policy.is_insecure(host):
        raise PlainHttpError(
            f"{shown_url(text)} is served without TLS: whose file that is cannot be known",
            "use https, or list the host as insecure",
            host,
        )
    hasher = hashlib.sha256()
    size = 0

    async def take(piece: bytes) -> None:
        nonlocal size
        size += len(piece)
        if size > SIZE_LIMIT:
            raise BadAnswerError(f"{shown_url(text)} serves more than {SIZE_LIMIT} bytes", "", host)
        hasher.update(piece)

    deadline = asyncio.get_running_loop().time() + seconds
    reply = await work.transport.send(Ask("GET", str(url), deadline, "*/*", sink=BodySink(take)))
    if reply.status in (401, 403):
        raise CredentialsNeededError(f"{reply.host} does not give {shown_url(text)} to everyone", "", host)
    if reply.status in (404, 410):
        raise NotFoundError(f"{reply.host} has no {shown_url(text)}", "", host)
    if reply.status != 200:
        raise BadAnswerError(f"{reply.host} answered with status {reply.status} to {shown_url(text)}", "", host)
    return f"sha256:{hasher.hexdigest()}"
