"""httpx's exceptions, translated to this package's errors; their own texts are not shown, ours name host and cause."""

from __future__ import annotations

import os
import socket
import ssl

import httpx

from dfopt.registry.errors import (
    BadAnswerError,
    RateLimitedError,
    RegistryError,
    RegistryTimeLimitError,
    ServerError,
    TlsError,
    UnreachableError,
    shown,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_PLAIN_HTTP_SIGNS = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG", "HTTP_REQUEST")


class BrokenConnectionError(Exception):
    """The connection broke before the answer was whole; may be tried again. `cause`: what to tell the user."""

    def __init__(self, cause: RegistryError) -> None:
        super().__init__(cause)
        self.cause = cause


class WrongSchemeError(BrokenConnectionError):
    """The server seems to speak the other one of http and https."""


def translate(error: Exception, host: str, scheme: str, connect: float, read: float) -> Exception:
    """The exception to raise for what came out of httpx: ours, or the same when the network is not to blame.

    `connect` and `read`: the limits in seconds, for the messages.
    """
    if isinstance(error, httpx.ConnectTimeout):
        return RegistryTimeLimitError(f"{host} accepted no connection in {connect:g} s", _NETWORK, host)
    if isinstance(error, httpx.TimeoutException):
        return RegistryTimeLimitError(
            f"{host} sent nothing for {read:g} s", "try again, or use the lock file offline", host
        )
    if isinstance(error, httpx.ProxyError):
        return UnreachableError(
            f"the proxy does not lead to {host}", "see HTTPS_PROXY, HTTP_PROXY and NO_PROXY in the environment", host
        )
    chain = list(_chain(error))
    for link in chain:
        if isinstance(link, ssl.SSLCertVerificationError):
            reason = shown(link.verify_message or "not trusted")
            return TlsError(
                f"the certificate of {host} is not accepted: {reason}",
                f"put the CA into /etc/docker/certs.d/{host}/ca.crt, name it in SSL_CERT_FILE, or give a CA file",
                host,
            )
    for link in chain:
        if isinstance(link, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
            # What a plain http server that hangs up on a TLS greeting looks like, too.
            return WrongSchemeError(UnreachableError(f"{host} broke the connection", "try again later", host))
        if isinstance(link, ssl.SSLError):
            reason = (link.reason or "unknown reason").upper().replace(" ", "_")
            tls_error = TlsError(f"TLS with {host} failed: {shown(reason)}", "", host)
            if any(sign in reason for sign in _PLAIN_HTTP_SIGNS):
                tls_error.hint = "it seems to speak plain http: list it as insecure if this is meant"
                return WrongSchemeError(tls_error)
            if "CERTIFICATE_REQUIRED" in reason:
                tls_error.hint = f"put a client certificate (client.cert, client.key) into /etc/docker/certs.d/{host}/"
            return tls_error
    if isinstance(error, httpx.ConnectError):
        unreachable = UnreachableError(f"{host} cannot be reached: {_reason(chain)}", _NETWORK, host)
        dropped = any(isinstance(link, (ConnectionResetError, EOFError)) for link in chain)
        return WrongSchemeError(unreachable) if scheme == "https" and dropped else unreachable
    if any(isinstance(link, OverflowError) for link in chain):  # in an exception group of anyio's
        return UnreachableError(f"{host}: its port, or that of the proxy to it, is no port", "see HTTPS_PROXY", host)
    if not isinstance(error, (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, OSError, UnicodeError)):
        return error  # not the network's doing
    if isinstance(error, (httpx.InvalidURL, httpx.UnsupportedProtocol, httpx.LocalProtocolError, UnicodeError)):
        return BadAnswerError(f"{host}: a request cannot be made of its name or of what it sent", "", host)
    broken = UnreachableError(f"{host} broke the connection", "try again later", host)
    if isinstance(error, httpx.DecodingError):
        return BadAnswerError(f"{host} sent a body that cannot be decoded", "", host)
    return WrongSchemeError(broken) if scheme == "http" else BrokenConnectionError(broken)


def rate_limited(host: str, seconds: float | None) -> RateLimitedError:
    """429; `seconds`: what Retry-After said."""
    when = f", asks to wait {seconds:.0f} s" if seconds is not None else ""
    return RateLimitedError(
        f"{host} limits the rate of requests{when}",
        "log in for a higher limit, try later, or use the lock file offline",
        host,
        seconds,
    )


def server_error(host: str, status: int) -> ServerError:
    """A 5xx that the last attempt got, too."""
    return ServerError(f"{host} answered with status {status}", "try again later, or use the lock file offline", host)


def too_slow(host: str, seconds: float) -> RegistryTimeLimitError:
    """The limit on the whole has passed."""
    return RegistryTimeLimitError(
        f"{host} gave no whole answer in {seconds:g} s", "try again, or use the lock file offline", host
    )


_NETWORK = "check the name, the network and the proxy settings, or use the lock file offline"


def _reason(chain: list[BaseException]) -> str:
    for link in reversed(chain):
        if isinstance(link, socket.gaierror):
            return shown(link.strerror or "no such name")
        if isinstance(link, OSError) and link.errno:  # asyncio puts the address into strerror
            return os.strerror(link.errno)
    return "no connection"


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The exception, then everything that it came from, exception groups opened (anyio raises these)."""
    todo, visited = [error], set()
    while todo:
        link = todo.pop(0)
        if link is None or id(link) in visited:
            continue
        visited.add(id(link))
        yield link
        todo += [link.__cause__, link.__context__, *getattr(link, "exceptions", ())]
