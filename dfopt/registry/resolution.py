"""One run of a registry client: its limits, its connections, and what it has been answered."""

from __future__ import annotations

import asyncio
import contextlib
import copy
from concurrent.futures import ThreadPoolExecutor

from dfopt.record import Record
from dfopt.registry import failures
from dfopt.registry.auth import Authorizer, refused
from dfopt.registry.credentials import CredentialStore
from dfopt.registry.errors import (
    BadAnswerError,
    DigestMismatchError,
    NotFoundError,
    RegistryError,
    RegistryTimeLimitError,
    UnreachableError,
)
from dfopt.registry.hosts import PlainHttpPolicy, server_of
from dfopt.registry.manifests import ACCEPT, ACCEPTED_TYPES, Digest, hash_of, is_digest, media_type_of, read_manifest
from dfopt.registry.mirrors import Mirrors
from dfopt.registry.reference import Target
from dfopt.registry.tls import CERTS_DIRS, TlsSettings
from dfopt.registry.transport import Ask, NetworkLimits, Reply, Transport

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from dfopt.registry.mirrors import Endpoint


_FAILURES_BEFORE_GIVING_UP = 2


class ClientOptions(Record):
    """Settings of a client. `insecure`: "host[:port]" that may be spoken to by plain http or unverified TLS.

    `ca_file`: PEM certificates to trust besides the machine's; `certs_dirs`: where docker's HOST[:PORT] directories
    lie.
    """

    limits: NetworkLimits = NetworkLimits()
    mirrors: Mirrors = Mirrors()
    insecure: tuple[str, ...] = ()
    ca_file: str | None = None
    certs_dirs: tuple[str, ...] = CERTS_DIRS


class _Work:
    """What happens on the client's event loop."""

    def __init__(
        self, options: ClientOptions, credentials: CredentialStore, sleep: Callable[[float], Awaitable[None]]
    ) -> None:
        self.limits = options.limits
        self.mirrors = options.mirrors
        policy = PlainHttpPolicy((*options.insecure, *options.mirrors.insecure_hosts()))
        tls = TlsSettings(options.ca_file, options.certs_dirs)
        self.transport = Transport(options.limits, tls, policy, sleep)
        self.executor = ThreadPoolExecutor(4, thread_name_prefix="dfopt-credentials")
        self.authorizer = Authorizer(self.transport, credentials, self.executor)
        self._flights: dict[tuple[Target, bool], asyncio.Task[Digest]] = {}
        self._failures: dict[str, int] = {}
        self._slots = asyncio.Semaphore(max(1, options.limits.concurrency))

    async def close(self) -> None:
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self.transport.close(), 2)
        self.executor.shutdown(wait=False, cancel_futures=True)

    async def flight(self, target: Target, verify: bool) -> Digest:
        """One resolution per target, shared by all who ask, during it and afterwards."""
        key = (target, verify)
        task = self._flights.get(key)
        if task is None:
            task = self._flights[key] = asyncio.create_task(self._resolve(target, verify))
        return await asyncio.shield(task)

    async def _resolve(self, target: Target, verify: bool) -> Digest:
        async with self._slots:
            endpoints = self.mirrors.endpoints(target.host, target.path, by_digest=not target.tag)
            passed_over: list[str] = []
            for endpoint in endpoints[:-1]:
                try:
                    return await self._bounded(endpoint, target, verify)
                except DigestMismatchError:
                    raise
                except RegistryError as error:
                    passed_over.append(f"mirror {endpoint.host}: {error.what}")
            try:
                return await self._bounded(endpoints[-1], target, verify)
            except RegistryError as error:
                if not passed_over:
                    raise
                with_hint = copy.copy(error)  # the original may be shared with other images: a token's, a host's
                with_hint.hint = "; ".join([*filter(None, [error.hint]), *passed_over])
                raise with_hint from None

    async def _bounded(self, endpoint: Endpoint, target: Target, verify: bool) -> Digest:
        """One endpoint, within the limit on the whole; a host that failed to answer is not waited for again."""
        host = endpoint.host
        if self._failures.get(host, 0) >= _FAILURES_BEFORE_GIVING_UP:
            raise UnreachableError(f"{host} did not answer before and was not asked again", "see the first error", host)
        total = self.limits.total
        deadline = asyncio.get_running_loop().time() + total
        try:
            answer = await asyncio.wait_for(self._ask(endpoint, target, verify, deadline), total)
        except (UnreachableError, RegistryTimeLimitError):
            self._failures[host] = self._failures.get(host, 0) + 1
            raise
        except asyncio.TimeoutError:
            self._failures[host] = self._failures.get(host, 0) + 1
            raise failures.too_slow(host, total) from None
        self._failures.pop(host, None)
        return answer

    async def _ask(self, endpoint: Endpoint, target: Target, verify: bool, deadline: float) -> Digest:
        name = target.tag or target.digest
        reply = await self._manifest("HEAD", endpoint, name, deadline)
        claimed = _claimed_digest(reply)
        media_type = media_type_of(reply.header("content-type"))
        if reply.status == 200 and claimed and (media_type in ACCEPTED_TYPES or verify):
            _check_asked(endpoint, target, claimed)
            if not verify:
                return Digest(claimed, media_type, None, False, str(endpoint))
            return await self._verified(endpoint, claimed, deadline)
        # No digest, no type, or no HEAD at all here: the body tells.
        reply = await self._manifest("GET", endpoint, name, deadline)
        return _read_body(endpoint, reply, "" if target.tag else target.digest)

    async def _verified(self, endpoint: Endpoint, claimed: str, deadline: float) -> Digest:
        """Fetches the content by the digest that was claimed for it: it must be there, and it must hash to it."""
        try:
            reply = await self._manifest("GET", endpoint, claimed, deadline)
        except NotFoundError:
            raise DigestMismatchError(
                f"{endpoint.host} names {claimed} for {endpoint.path}, but does not have it",
                "do not pin this; tell the registry's owner",
                endpoint.host,
            ) from None
        return _read_body(endpoint, reply, claimed)

    async def _manifest(self, method: str, endpoint: Endpoint, name: str, deadline: float) -> Reply:
        """The answer for a manifest, logged in if need be. For HEAD, 405 and 501 are answers, too."""
        origin = await self.transport.origin(server_of(endpoint.host))
        url = f"{origin}/v2/{endpoint.path}/manifests/{name}"
        authorization = await self.authorizer.known(origin, endpoint)
        for last in (False, True):
            reply = await self.transport.send(Ask(method, url, deadline, ACCEPT, authorization))
            if reply.status != 401 or reply.crossed or last:
                break
            authorization = await self.authorizer.answer(origin, endpoint, reply, authorization, deadline)
        if reply.status == 200 or (method == "HEAD" and reply.status in (405, 501)):
            return reply
        if reply.status == 404:
            full_name = f"{endpoint}{'@' if is_digest(name) else ':'}{name}"
            raise NotFoundError(f"{reply.host} has no {full_name}", "check the name and the tag", endpoint.host)
        if reply.status in (401, 403):
            if reply.crossed:
                raise BadAnswerError(
                    f"{endpoint.host} redirects to {reply.host}, which wants a login",
                    "credentials are never sent to another host",
                    endpoint.host,
                )
            raise refused(endpoint, await self.authorizer.lookup(endpoint))
        raise BadAnswerError(f"{reply.host} answered with status {reply.status}", "is this a registry?", endpoint.host)


def _claimed_digest(reply: Reply) -> str:
    """Docker-Content-Digest, or "". Raises BadAnswerError when it is present but not a digest."""
    claims = {claim.strip() for claim in reply.headers.get("docker-content-digest", [])} - {""}
    if len(claims) > 1 or not all(is_digest(claim) for claim in claims):
        raise BadAnswerError(f"{reply.host} sent a Docker-Content-Digest that is no digest", "", reply.host)
    return next(iter(claims), "")


def _read_body(endpoint: Endpoint, reply: Reply, expected: str) -> Digest:
    """The digest of a manifest's body. `expected`: the one that was claimed before, empty for none."""
    claimed = _claimed_digest(reply)
    for claim in filter(None, (expected, claimed)):
        actual = hash_of(reply.body, claim)
        if actual != claim:
            raise DigestMismatchError(
                f"{endpoint.host} claims {claim} for {endpoint.path}, but its content is {actual}",
                "do not pin this; tell the registry's owner",
                endpoint.host,
            )
    media_type, platforms = read_manifest(reply.body, reply.header("content-type"), endpoint.host)
    return Digest(expected or claimed or hash_of(reply.body), media_type, platforms, True, str(endpoint))


def _check_asked(endpoint: Endpoint, target: Target, digest: str) -> None:
    if not target.tag and digest.partition(":")[0] == target.digest.partition(":")[0] and digest != target.digest:
        raise DigestMismatchError(
            f"{endpoint.host} answers {target.digest} with {digest}", "tell the registry's owner", endpoint.host
        )
