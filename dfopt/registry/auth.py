"""Authorization by a registry's own challenge: Basic, or Bearer with a token from the server that it names.

Tokens are kept per registry, repository and challenge until shortly before they end; many images of one repository wait
for one token. Sources: distribution's token authentication and OAuth2 specifications.
"""

from __future__ import annotations

import asyncio
import json
import re

from dfopt.record import Record
from dfopt.registry import failures
from dfopt.registry.challenge import parse_challenges
from dfopt.registry.errors import BadAnswerError, CredentialsNeededError, DeniedError, PlainHttpError, shown_url
from dfopt.registry.transport import Ask, parse_url

TYPE_CHECKING = False
if TYPE_CHECKING:
    from concurrent.futures import Executor

    from dfopt.registry.challenge import Challenge
    from dfopt.registry.credentials import CredentialLookup, CredentialStore
    from dfopt.registry.mirrors import Endpoint
    from dfopt.registry.transport import Reply, Transport

_CLIENT_ID = "dfopt"
_DEFAULT_SECONDS = 60.0  # a token's life when its server does not say; so says the specification
_EARLY_SECONDS = 10.0
_SENDABLE = re.compile(r"[\x21-\x7e]+")


class _Grant(Record):
    """An Authorization value and when it ends, on the event loop's clock."""

    value: str
    ends: float

    def __repr__(self) -> str:
        return "_Grant(***)"


class Authorizer:
    """Makes Authorization values for endpoints; on the running event loop.

    `executor` runs the lookups: credential helpers are programs, and may be slow. `problems` gathers what stood in the
    way of finding credentials, each line once.
    """

    def __init__(self, transport: Transport, credentials: CredentialStore, executor: Executor) -> None:
        self.problems: dict[str, None] = {}
        self._transport = transport
        self._credentials = credentials
        self._executor = executor
        self._known: dict[tuple[str, str], _Grant] = {}  # by origin and repository
        self._basic: set[str] = set()  # origins that asked for Basic
        self._requests: dict[tuple[str, ...], asyncio.Task[_Grant]] = {}

    async def known(self, origin: str, endpoint: Endpoint) -> str:
        """What to send with a first request: what worked before here, or nothing."""
        grant = self._known.get((origin, endpoint.path))
        if grant is not None and grant.ends > asyncio.get_running_loop().time():
            return grant.value
        if origin in self._basic:
            credential = (await self.lookup(endpoint)).credential
            if credential is not None and credential.password:
                return credential.basic()
        return ""

    async def answer(self, origin: str, endpoint: Endpoint, reply: Reply, tried: str, deadline: float) -> str:
        """The Authorization value for a 401. `tried`: the one that got it, empty for none. Raises RegistryError."""
        challenges = {c.scheme: c for c in reversed(parse_challenges(reply.headers.get("www-authenticate", [])))}
        lookup = await self.lookup(endpoint)
        if lookup.credential is not None and lookup.credential.bearer and "bearer" in challenges:
            if not _SENDABLE.fullmatch(lookup.credential.bearer):
                raise DeniedError(f"the token for {endpoint.host} in {lookup.credential.source} is malformed")
            value = f"Bearer {lookup.credential.bearer}"
            if value == tried:
                raise refused(endpoint, lookup)
            self._known[origin, endpoint.path] = _Grant(value, float("inf"))
            return value
        if "bearer" in challenges:
            grant = await self._token(origin, endpoint, challenges["bearer"], lookup, tried, deadline)
            self._known[origin, endpoint.path] = grant
            return grant.value
        if "basic" in challenges:
            return self._from_basic(origin, endpoint, lookup, tried)
        raise BadAnswerError(
            f"{endpoint.host} wants a kind of login that is neither Basic nor Bearer",
            "is this a registry?",
            endpoint.host,
        )

    async def lookup(self, endpoint: Endpoint) -> CredentialLookup:
        """The credentials for an endpoint, found in a thread; problems met are kept for the caller to show."""
        loop = asyncio.get_running_loop()
        lookup = await loop.run_in_executor(self._executor, self._credentials.find, endpoint.host, endpoint.path)
        self.problems.update(dict.fromkeys(lookup.problems))
        return lookup

    def _from_basic(self, origin: str, endpoint: Endpoint, lookup: CredentialLookup, tried: str) -> str:
        if lookup.credential is None or not lookup.credential.password:
            raise refused(endpoint, lookup)
        value = lookup.credential.basic()
        if value == tried:
            raise refused(endpoint, lookup)
        self._basic.add(origin)
        return value

    # -- tokens ----------------------------------------------------------------------------------------------------

    async def _token(
        self,
        origin: str,
        endpoint: Endpoint,
        challenge: Challenge,
        lookup: CredentialLookup,
        tried: str,
        deadline: float,
    ) -> _Grant:
        service = challenge.params.get("service", "")
        scope = challenge.params.get("scope") or f"repository:{endpoint.path}:pull"
        key = (origin, challenge.params.get("realm", ""), service, scope)
        task = self._requests.get(key)
        if task is not None and task.done():
            spent = task.cancelled() or task.exception() is not None
            if spent or task.result().value == tried or task.result().ends <= asyncio.get_running_loop().time():
                task = None
        if task is None:
            task = asyncio.create_task(self._request(origin, endpoint, key, lookup, deadline))
            task.add_done_callback(lambda done: done.cancelled() or done.exception())  # else the loop complains
            self._requests[key] = task
        return await asyncio.shield(task)

    async def _request(
        self, origin: str, endpoint: Endpoint, key: tuple[str, ...], lookup: CredentialLookup, deadline: float
    ) -> _Grant:
        _, realm, service, scope = key
        host = endpoint.host
        url = parse_url(realm, host)
        if url.scheme == "http" and not self._transport.policy.may_be_plain(
            url.netloc.decode("ascii"), origin.partition(":")[0]
        ):
            raise PlainHttpError(
                f"{host} names a token server without TLS: {shown_url(realm)}",
                "list that server as insecure if this is meant",
                host,
            )
        credential = lookup.credential
        params = {"service": service, "scope": scope} if service else {"scope": scope}
        ask = Ask("GET", str(url.copy_merge_params(params)), deadline, "application/json")
        if credential is not None and credential.identity:
            form = {
                **params, "grant_type": "refresh_token", "refresh_token": credential.identity, "client_id": _CLIENT_ID,
            }  # fmt: skip
            ask = Ask("POST", str(url), deadline, "application/json", form=form)
        elif credential is not None and credential.password:
            url = url.copy_merge_params({**params, "account": credential.username})
            ask = Ask("GET", str(url), deadline, "application/json", authorization=credential.basic())
        remaining = deadline - asyncio.get_running_loop().time()
        try:  # this task outlives the image that asked first: a server that trickles must not keep it for ever
            reply = await asyncio.wait_for(self._transport.send(ask), remaining)
        except asyncio.TimeoutError:
            raise failures.too_slow(f"the token server of {host}", self._transport.limits.total) from None
        if reply.status in (400, 401, 403, 404):  # 400: what OAuth2 says to a refresh token that has ended
            raise refused(endpoint, lookup)
        if reply.status != 200:
            raise BadAnswerError(f"the token server of {host} answered with status {reply.status}", "", host)
        return _read_token(reply.body, host, asyncio.get_running_loop().time())


def refused(endpoint: Endpoint, lookup: CredentialLookup) -> DeniedError | CredentialsNeededError:
    """The error for a refusal: without credentials, or of the ones that were found; with what kept others away."""
    image = f"{endpoint.host}/{endpoint.path}"
    met = "".join(f"; {problem}" for problem in lookup.problems)
    if lookup.credential is None:
        return CredentialsNeededError(
            f"{endpoint.host} does not show {image} to everyone, or does not have it",
            f"check the name, or `docker login {endpoint.host}`{met}",
            endpoint.host,
        )
    return DeniedError(
        f"{endpoint.host} refuses {image} with the credentials from {lookup.credential.source}",
        f"check the name and your rights, or `docker login {endpoint.host}` again{met}",
        endpoint.host,
    )


def _read_token(body: bytes, host: str, now: float) -> _Grant:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        content = None
    token = (content.get("token") or content.get("access_token")) if isinstance(content, dict) else None
    if not isinstance(token, str) or not _SENDABLE.fullmatch(token):
        raise BadAnswerError(f"the token server of {host} sent no token", "", host)
    seconds = content.get("expires_in") if isinstance(content, dict) else None
    if not isinstance(seconds, (int, float)) or isinstance(seconds, bool) or not 0 < seconds < 1e9:
        seconds = _DEFAULT_SECONDS
    return _Grant(f"Bearer {token}", now + max(seconds - _EARLY_SECONDS, seconds / 2))
