"""HTTP to registries: limits, retries, redirects. Knows nothing of tokens or manifests.

One request goes out with time limits on connecting and reading; 429 and 5xx answers and broken connections are tried
again, as often and as long as `NetworkLimits` allow; redirects are followed, and an Authorization never leaves the
origin that it was made for. The caller bounds the whole by a deadline.
"""

from __future__ import annotations

import asyncio
import email.utils
import logging
import random
import time

import httpx

from dfopt.record import Record
from dfopt.registry import failures
from dfopt.registry.errors import (
    BadAnswerError,
    PlainHttpError,
    RateLimitedError,
    RedirectError,
    RegistryError,
    RegistryTimeLimitError,
    SettingsError,
    TlsError,
    UnreachableError,
    shown,
    shown_url,
)
from dfopt.registry.hosts import PlainHttpPolicy, bare_host, is_loopback
from dfopt.registry.manifests import BODY_LIMIT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from dfopt.registry.tls import TlsSettings

USER_AGENT = "dfopt"
_REDIRECTS = 5
_PACE = 1024  # bytes a second: a blob that comes slower is given up
_RETRIED = frozenset({500, 502, 503, 504})

# httpx logs request URLs and httpcore the answers' fields: signed links and cookies among them.
for _name in ("httpx", "httpcore"):
    if logging.getLogger(_name).level == logging.NOTSET:
        logging.getLogger(_name).setLevel(logging.WARNING)


class NetworkLimits(Record):
    """Bounds of the network work; times in seconds.

    `connect` also bounds the TLS handshake; `read` the silence between two pieces of an answer; `total` one image at
    one registry, tokens, waits and retries included. `attempts`: requests sent for one answer, at least 1. `max_wait`:
    the longest wait that a Retry-After may ask for. `concurrency`: images asked for at the same time.
    """

    connect: float = 10.0
    read: float = 20.0
    total: float = 60.0
    attempts: int = 4
    max_wait: float = 30.0
    concurrency: int = 8


class BodySink:
    """Where the body of an answer of status 200 goes instead of memory. Once it has `started`, nothing is asked again:
    the bytes that were handed on cannot be taken back."""

    def __init__(self, take: Callable[[bytes], Awaitable[None]]) -> None:
        self.take = take
        self.started = False


class Ask(Record):
    """A request. `deadline`: on the event loop's clock; `form`: fields to POST; `sink`: for a body of any size."""

    method: str
    url: str
    deadline: float
    accept: str
    authorization: str = ""
    form: dict[str, str] | None = None
    sink: BodySink | None = None

    def __repr__(self) -> str:
        return f"Ask({self.method} {shown_url(self.url)})"


class Reply(Record):
    """An answer: `headers` by lower-case name (repeated ones as a list), `host` that gave it in the end.

    `crossed`: it came from another origin than the one asked, so that its 401 is not ours to answer.
    """

    status: int
    headers: dict[str, list[str]]
    body: bytes
    host: str
    crossed: bool

    def __repr__(self) -> str:
        return f"Reply({self.status} from {self.host})"

    def header(self, name: str) -> str:
        """The first field of this name, or an empty text."""
        return (self.headers.get(name) or [""])[0]


class Transport:
    """Sends requests on the running event loop; one connection pool per host."""

    def __init__(
        self,
        limits: NetworkLimits,
        tls: TlsSettings,
        policy: PlainHttpPolicy,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.limits = limits
        self.policy = policy
        self._tls = tls
        self._sleep = sleep
        self._clients: dict[str, httpx.AsyncClient] = {}
        self._origins: dict[str, asyncio.Task[str]] = {}
        self._not_before: dict[str, float] = {}

    async def close(self) -> None:
        for client in self._clients.values():
            await client.aclose()
        self._clients.clear()

    # -- which scheme ----------------------------------------------------------------------------------------------

    async def origin(self, host: str) -> str:
        """`scheme://host` of a registry: https, except where plain http is allowed and is what the server speaks."""
        if not self.policy.is_insecure(host) and not is_loopback(host):
            return f"https://{host}"
        task = self._origins.get(host)
        if task is None:
            task = self._origins[host] = asyncio.create_task(self._probe(host))
            task.add_done_callback(lambda done: self._probed(host, done))
        return await asyncio.shield(task)

    def _probed(self, host: str, done: asyncio.Task[str]) -> None:
        if done.cancelled() or done.exception() is not None:
            self._origins.pop(host, None)  # the next image tries again

    async def _probe(self, host: str) -> str:
        """Asks /v2/ by both schemes, the likelier first; no credentials go out."""
        only_port = host != bare_host(host) and not host.endswith("]")
        failed: RegistryError | None = None
        answered_400 = False
        for scheme in ("https", "http") if self.policy.is_insecure(host) else ("http", "https"):
            until = asyncio.get_running_loop().time() + self.limits.total
            ask = Ask("GET", f"{scheme}://{host}/v2/", until, "application/json")
            try:
                reply = await asyncio.wait_for(self._send_once(ask, parse_url(ask.url, ""), ""), self.limits.total)
            except asyncio.TimeoutError:
                raise failures.too_slow(host, self.limits.total) from None
            except failures.WrongSchemeError as error:
                failed = failed or error.cause
            except failures.BrokenConnectionError as error:
                raise error.cause from None
            except (UnreachableError, RegistryTimeLimitError) as error:
                # The other scheme may have its own port, or the server may wait for ever for the end of what it
                # takes for plain http: a TLS greeting.
                if only_port and (scheme == "http" or isinstance(error, UnreachableError)):
                    raise
                failed = failed or error
            else:
                if scheme == "https" or reply.status != 400:
                    return f"{scheme}://{host}"
                answered_400 = True  # what TLS servers answer to plain http
        if failed is None or answered_400:
            return f"http://{host}"
        raise failed

    # -- one answer ------------------------------------------------------------------------------------------------

    async def send(self, ask: Ask) -> Reply:
        """The answer after redirects and retries; any status but 429 and the retried 5xx is the caller's.

        Raises RegistryError.
        """
        loop = asyncio.get_running_loop()
        attempts = max(1, self.limits.attempts)
        for attempt in range(1, attempts + 1):
            wait = min(2.0 ** (attempt - 1), 8.0) * random.uniform(0.75, 1.25)
            try:
                reply = await self._follow(ask)
            except failures.BrokenConnectionError as error:
                failure: RegistryError = error.cause
                if isinstance(failure, TlsError):
                    raise failure from None
            else:
                if reply.status != 429 and reply.status not in _RETRIED:
                    return reply
                retry_seconds = retry_after(reply.header("retry-after"), time.time())
                wait = wait if retry_seconds is None else retry_seconds
                if reply.status == 429:
                    failure = failures.rate_limited(reply.host, retry_seconds)
                    self._not_before[reply.host] = loop.time() + wait
                else:
                    failure = failures.server_error(reply.host, reply.status)
            if attempt == attempts or wait > self.limits.max_wait or loop.time() + wait >= ask.deadline:
                raise failure
            if not isinstance(failure, RateLimitedError):  # for these, _wait_turn holds every request to the host
                await self._sleep(wait)
        raise AssertionError("the last attempt returns or raises")

    async def _follow(self, ask: Ask) -> Reply:
        url = parse_url(ask.url, "")
        authorization, crossed = ask.authorization, False
        for _ in range(_REDIRECTS + 1):
            await self._wait_turn(url.netloc.decode("ascii"), ask.deadline)
            reply = await self._send_once(ask, url, authorization)
            if reply.status not in (301, 302, 303, 307, 308):
                return Reply(reply.status, reply.headers, reply.body, reply.host, crossed)
            target = parse_url(reply.header("location"), reply.host, base=url)
            self._check_scheme(target, url)
            if _origin(target) != _origin(url):
                if ask.form is not None:
                    raise RedirectError(
                        f"token server {reply.host} redirects to another host; a secret is not sent there",
                        "",
                        reply.host,
                    )
                authorization, crossed = "", True
            url = target
        raise RedirectError(f"{ask_host(ask)} redirects more than {_REDIRECTS} times", "", ask_host(ask))

    def _check_scheme(self, target: httpx.URL, source: httpx.URL) -> None:
        if target.scheme == "http" and not self.policy.may_be_plain(_host(target), source.scheme):
            raise PlainHttpError(
                f"{_host(source)} leads to {shown_url(str(target))} without TLS",
                "list that host as insecure if this is meant",
                _host(source),
            )

    async def _wait_turn(self, host: str, deadline: float) -> None:
        """Holds a request to a host that has just asked others to wait."""
        now = asyncio.get_running_loop().time()
        wait = self._not_before.get(host, 0.0) - now
        if wait <= 0:
            return
        if wait > self.limits.max_wait or now + wait >= deadline:
            raise failures.rate_limited(host, wait)
        await self._sleep(wait)

    async def _send_once(self, ask: Ask, url: httpx.URL, authorization: str) -> Reply:
        host = _host(url)
        headers = {"Accept": ask.accept, "Accept-Encoding": "identity", "User-Agent": USER_AGENT}
        if authorization:
            headers["Authorization"] = authorization
        client = self._client(host)
        request = client.build_request(ask.method, url, headers=headers, data=ask.form)
        try:
            # the head of an answer may trickle in, too
            answer = await asyncio.wait_for(client.send(request, stream=True), self.limits.total)
            try:
                body = await self._body(answer, ask, host)
            finally:
                await answer.aclose()
            fields: dict[str, list[str]] = {}
            for name, value in answer.headers.multi_items():
                fields.setdefault(name.lower(), []).append(value)
            return Reply(answer.status_code, fields, body, host, False)
        except RegistryError:
            raise
        except asyncio.TimeoutError:
            raise failures.too_slow(host, self.limits.total) from None
        except Exception as error:
            failure = failures.translate(error, host, url.scheme, self.limits.connect, self.limits.read)
            if ask.sink is not None and ask.sink.started and isinstance(failure, failures.BrokenConnectionError):
                raise failure.cause from None
            raise failure from None

    async def _body(self, answer: httpx.Response, ask: Ask, host: str) -> bytes:
        """The body in memory, as it was sent and up to BODY_LIMIT; b"" for HEAD, and where it goes to the sink."""
        _check_encoding(answer, host)
        if ask.sink is not None and answer.status_code == 200:
            await self._pour(answer, ask, ask.sink, host)
            return b""
        body = bytearray()
        if ask.method != "HEAD":
            async for piece in answer.aiter_raw():
                body += piece
                if len(body) > BODY_LIMIT:
                    raise BadAnswerError(f"{host} answered with more than {BODY_LIMIT} bytes", "", host)
                if asyncio.get_running_loop().time() > ask.deadline:
                    raise failures.too_slow(host, self.limits.total)
        return bytes(body)

    async def _pour(self, answer: httpx.Response, ask: Ask, sink: BodySink, host: str) -> None:
        """Hands on a body of any size, within the request's deadline; one that has none must come at a pace (_PACE),
        counted without the time that its reader takes."""
        clock = asyncio.get_running_loop().time
        since, size = clock(), 0
        async for piece in answer.aiter_raw():
            now = clock()
            if now > ask.deadline:
                raise failures.too_slow(host, self.limits.total)
            size += len(piece)
            if now - since > self.limits.total:
                if size < _PACE * self.limits.total:
                    raise RegistryTimeLimitError(f"{host} sends less than {_PACE} bytes a second", "try again", host)
                since, size = now, 0
            sink.started = True
            await sink.take(piece)
            since += clock() - now

    def _client(self, host: str) -> httpx.AsyncClient:
        if host not in self._clients:
            limits = self.limits
            try:
                self._clients[host] = httpx.AsyncClient(
                    verify=self._tls.context(host, self.policy.is_insecure(host)),
                    timeout=httpx.Timeout(limits.read, connect=limits.connect, pool=None),
                    follow_redirects=False,
                    event_hooks={"response": [_check_location]},
                    trust_env=not is_loopback(host),  # proxies; loopback is never behind one
                )
            except (ValueError, ImportError, httpx.InvalidURL):  # never the text: a proxy address may hold a password
                raise SettingsError(
                    "the proxy settings of the environment cannot be used",
                    "see HTTPS_PROXY, HTTP_PROXY, ALL_PROXY",
                    host,
                ) from None
        return self._clients[host]


def _check_encoding(answer: httpx.Response, host: str) -> None:
    """Raises BadAnswerError for a body that would have to be decoded. None was asked for, digests are of the bytes as
    they are, and what some kilobytes become that are compressed twice is more than a machine holds."""
    encoding = ", ".join(answer.headers.get_list("content-encoding")).strip().lower()
    if encoding not in ("", "identity"):
        raise BadAnswerError(f"{host} sends an answer in the encoding {shown(encoding, 60)}", "", host)


async def _check_location(answer: httpx.Response) -> None:
    """httpx reads a Location even when it does not follow it, and calls a malformed one a broken connection."""
    if answer.has_redirect_location:
        parse_url(answer.headers["location"], _host(answer.url), base=answer.url)


def ask_host(ask: Ask) -> str:
    """The "host[:port]" of a request's own URL."""
    return _host(httpx.URL(ask.url))


def parse_url(text: str, host: str, base: httpx.URL | None = None) -> httpx.URL:
    """An absolute http or https URL without user part (httpx would send that as Basic). Raises RedirectError."""
    try:
        url = httpx.URL(text)
        url = (base.join(url) if base is not None else url).copy_with(userinfo=b"", fragment=None)
        _host(url)
    except (httpx.InvalidURL, UnicodeError, ValueError):
        raise RedirectError(f"{host} leads to an address that cannot be read", "", host) from None
    if not text or url.scheme not in ("http", "https") or not url.host:
        raise RedirectError(f"{host} leads to an address that is no http or https URL", "", host)
    return url


def retry_after(value: str, now: float) -> float | None:
    """Seconds that a Retry-After asks for: a number, or a date against `now` (Unix time); None when unreadable."""
    text = value.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        when = email.utils.parsedate_to_datetime(text)
        return max(0.0, when.timestamp() - now)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None


def _host(url: httpx.URL) -> str:
    return url.netloc.decode("ascii")


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    default = {"http": 80, "https": 443}.get(url.scheme)
    return url.scheme, url.host, url.port or default
