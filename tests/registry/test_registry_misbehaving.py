"""The client against registries that misbehave: limits, lies, redirects, hangs; and how many requests it makes."""

from __future__ import annotations

import base64
import email.utils
import json
import socket
import threading
import time
from collections.abc import Callable

import pytest

from dfopt.registry import errors
from dfopt.registry.client import ClientOptions, RegistryClient
from dfopt.registry.credentials import CredentialStore
from dfopt.registry.manifests import Digest
from dfopt.registry.mirrors import Mirrors
from dfopt.registry.transport import Ask, Limits, Reply, retry_after
from registry.servers import (
    OCI_INDEX,
    OCI_MANIFEST,
    PASSWORD,
    SECRETS,
    USER,
    Answer,
    Authority,
    FakeServer,
    Request,
    Waits,
    digest,
    free_port,
    image,
    manifest,
    raw_server,
)

Clients = Callable[..., RegistryClient]
Homes = Callable[..., CredentialStore]
Serve = Callable[..., FakeServer]

BODY = manifest()
BASIC = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
LOGIN = {"username": USER, "password": PASSWORD}


def outcome(made: RegistryClient, ref: str, verify: bool = False) -> Digest | errors.RegistryError:
    found = made.resolve_all([ref], verify)[ref]
    for secret in SECRETS:
        assert secret not in str(found)
        assert secret not in repr(found)
    assert "\n" not in str(found)
    return found


# -- digests: claimed, missing, lied about -----------------------------------------------------------------------------

OTHER = digest(b"something else")

ANSWERS: list[object] = [
    # id, HEAD, GET, verify, expected, requests
    pytest.param(image(BODY), None, False, digest(BODY), "HEAD", id="head-is-enough"),
    pytest.param(image(BODY), image(BODY), True, digest(BODY), "HEAD GET", id="verified"),
    pytest.param(image(BODY, claim=""), image(BODY, claim=""), False, digest(BODY), "HEAD GET", id="no-digest-in-head"),
    pytest.param(Answer(405), image(BODY), False, digest(BODY), "HEAD GET", id="no-head"),
    pytest.param(Answer(501), image(BODY, claim=""), True, digest(BODY), "HEAD GET", id="no-head-no-digest"),
    pytest.param(image(BODY, ""), image(BODY, ""), False, digest(BODY), "HEAD GET", id="no-type"),
    pytest.param(
        image(BODY, "application/json"),
        image(BODY, "application/json"),
        False,
        digest(BODY),
        "HEAD GET",
        id="json-type",
    ),
    pytest.param(
        image(BODY, OCI_MANIFEST + "; charset=utf-8"), None, False, digest(BODY), "HEAD", id="type-with-parameter"
    ),
    # What a registry says of a body that nobody reads cannot be known to be wrong...
    pytest.param(image(BODY, claim=OTHER), None, False, OTHER, "HEAD", id="lie-not-looked-at"),
    # ... but is found out as soon as the body is read.
    pytest.param(
        image(BODY, claim=OTHER), image(BODY), True, errors.DigestMismatchError, "HEAD GET", id="head-lies-get-does-not"
    ),
    pytest.param(
        image(BODY, claim=OTHER), image(BODY, claim=OTHER), True, errors.DigestMismatchError, "HEAD GET", id="both-lie"
    ),
    pytest.param(
        image(BODY, claim=OTHER), Answer(404), True, errors.DigestMismatchError, "HEAD GET", id="claims-what-it-lacks"
    ),
    pytest.param(
        Answer(405),
        image(BODY, claim=OTHER),
        False,
        errors.DigestMismatchError,
        "HEAD GET",
        id="get-lies-without-verify",
    ),
    pytest.param(image(BODY, claim="sha256:12"), None, False, errors.BadAnswerError, "HEAD", id="malformed-digest"),
    pytest.param(image(BODY, claim="md5:" + "0" * 32), None, False, errors.BadAnswerError, "HEAD", id="unknown-hash"),
    pytest.param(
        Answer(200, {"Content-Type": "text/html"}, b"<html>log in</html>"),
        Answer(200, {"Content-Type": "text/html"}, b"<html>log in</html>"),
        False,
        errors.BadAnswerError,
        "HEAD GET",
        id="captive-portal",
    ),
    pytest.param(
        image(b"{", "application/json"),
        image(b"{", "application/json"),
        True,
        errors.BadAnswerError,
        "HEAD GET",
        id="broken",
    ),
    pytest.param(
        image(BODY, "application/vnd.docker.distribution.manifest.v1+prettyjws"),
        image(BODY, "application/vnd.docker.distribution.manifest.v1+prettyjws"),
        False,
        errors.BadAnswerError,
        "HEAD GET",
        id="schema-1",
    ),
    pytest.param(
        image(BODY, claim=""),
        image(b" " * ((4 << 20) + 1)),
        False,
        errors.BadAnswerError,
        "HEAD GET",
        id="endless-body",
    ),
    pytest.param(Answer(404), None, False, errors.NotFoundError, "HEAD", id="not-found"),
    pytest.param(Answer(403), None, False, errors.CredentialsNeededError, "HEAD", id="forbidden"),
    pytest.param(Answer(418), None, False, errors.BadAnswerError, "HEAD", id="odd-status"),
    pytest.param(Answer(401), None, False, errors.BadAnswerError, "HEAD", id="401-without-challenge"),
    pytest.param(
        Answer(401, {"WWW-Authenticate": "Negotiate abc=="}), None, False, errors.BadAnswerError, "HEAD", id="negotiate"
    ),
]


@pytest.mark.parametrize(("head", "get", "verify", "expected", "requests"), ANSWERS)
def test_answers(
    client: Clients,
    serve: Serve,
    head: Answer,
    get: Answer | None,
    verify: bool,
    expected: str | type[Exception],
    requests: str,
) -> None:
    server = serve(lambda request: head if request.method == "HEAD" else (get or Answer(500)))
    found = outcome(client(), f"{server.host}/app:1", verify)
    if isinstance(expected, str):
        assert str(found) == expected
    else:
        assert type(found) is expected, found
        assert server.host in str(found)
    assert [r.method for r in server.requests] == requests.split()


def test_all_four_types_are_asked_for(client: Clients, serve: Serve) -> None:
    server = serve(lambda _: image(BODY))
    client().resolve(f"{server.host}/app:1")
    accepted = server.requests[0].headers["accept"].split(", ")
    assert len(accepted) == 4
    assert {OCI_INDEX, OCI_MANIFEST} < set(accepted)


def test_a_wrong_answer_to_a_digest(client: Clients, serve: Serve) -> None:
    server = serve(lambda _: image(BODY))
    found = outcome(client(), f"{server.host}/app@{OTHER}")
    assert isinstance(found, errors.DigestMismatchError)


@pytest.mark.parametrize(
    "ref", ["scratch", "", "Upper/Case", "a b", "app:", "app@sha256:12", "foo_bar.com/app", "x\ny", "\udc80"]
)
def test_no_reference(client: Clients, ref: str) -> None:
    assert isinstance(outcome(client(), ref), errors.InvalidReferenceError)


# -- rate limits and failures ------------------------------------------------------------------------------------------


def in_turn(*answers: Answer) -> Callable[[Request], Answer]:
    """Gives the answers one after the other, the last one for ever."""
    left = list(answers)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]


LIMIT = "Retry-After"


@pytest.mark.parametrize(
    ("answers", "expected", "waited", "requests"),
    [
        pytest.param([image(BODY)], None, [], 1, id="no-limit"),
        pytest.param([Answer(429, {LIMIT: "7"}), image(BODY)], None, [7], 2, id="retry-after"),
        pytest.param([Answer(429, {LIMIT: "0"}), image(BODY)], None, [], 2, id="retry-at-once"),
        pytest.param([Answer(429), image(BODY)], None, ["1"], 2, id="429-without-retry-after"),
        pytest.param([Answer(429, {LIMIT: "soon"}), image(BODY)], None, ["1"], 2, id="unreadable-retry-after"),
        pytest.param([Answer(429, {LIMIT: "31"})], errors.RateLimitedError, [], 1, id="longer-than-the-limit"),
        pytest.param([Answer(429, {LIMIT: "2"})], errors.RateLimitedError, [2, 2, 2], 4, id="429-for-ever"),
        pytest.param([Answer(503), Answer(502), image(BODY)], None, ["1", "2"], 3, id="5xx-then-fine"),
        pytest.param([Answer(500)], errors.ServerError, ["1", "2", "4"], 4, id="5xx-for-ever"),
        pytest.param([Answer(503, {LIMIT: "9"}), image(BODY)], None, [9], 2, id="503-with-retry-after"),
        pytest.param([Answer(505)], errors.BadAnswerError, [], 1, id="other-5xx"),
    ],
)
def test_limits(
    client: Clients,
    serve: Serve,
    waits: Waits,
    answers: list[Answer],
    expected: type[Exception] | None,
    waited: list[float | str],
    requests: int,
) -> None:
    """A wait in quotes is a backoff: a quarter less or more."""
    server = serve(in_turn(*answers))
    found = outcome(client(), f"{server.host}/app:1")
    assert type(found) is (expected or Digest), found
    assert len(server.requests) == requests
    assert len(waits) == len(waited)
    for actual, asked in zip(waits, waited, strict=True):
        assert actual == pytest.approx(float(asked), rel=0.25, abs=0.2)
    if isinstance(found, errors.RateLimitedError):
        assert found.retry_after in (2, 31)


def test_a_limited_host_is_left_alone_by_other_images(client: Clients, serve: Serve) -> None:
    server = serve(lambda _: Answer(429, {LIMIT: "3600"}))
    made = client(concurrency=1)
    found = made.resolve_all([f"{server.host}/app:{n}" for n in range(5)])
    assert {type(error) for error in found.values()} == {errors.RateLimitedError}
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("120", 120.0),
        (" 5 ", 5.0),
        ("9" * 400, 999999999.0),
        ("-1", None),
        ("", None),
        ("\u0661", None),
        ("Wed, 99 Foo 2026", None),
        (email.utils.formatdate(1_000_060, usegmt=True), 60.0),
        (email.utils.formatdate(999_000, usegmt=True), 0.0),
    ],
)
def test_retry_after(value: str, expected: float | None) -> None:
    assert retry_after(value, 1_000_000.0) == expected


# -- time --------------------------------------------------------------------------------------------------------------


def test_a_registry_that_hangs(client: Clients, serve: Serve) -> None:
    server: FakeServer

    def hang(_: Request) -> Answer:
        server.stopping.wait(30)
        return Answer(500)

    server = serve(hang)
    found = outcome(client(read=0.2), f"{server.host}/app:1")
    assert isinstance(found, errors.TimeLimitError)
    assert "sent nothing for 0.2 s" in str(found)


def test_a_registry_that_trickles(client: Clients, serve: Serve) -> None:
    """Each byte comes within the read limit; only the limit on the whole ends it."""

    def trickle(connection: socket.socket, stopping: threading.Event) -> None:
        asked = connection.recv(4096)
        if b" /v2/ " in asked:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            return
        for byte in b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 1000:
            connection.sendall(bytes([byte]))
            if stopping.wait(0.05):
                return

    with raw_server(trickle) as host:
        found = outcome(client(read=5, total=0.5), f"{host}/app:1")
    assert isinstance(found, errors.TimeLimitError)
    assert "no whole answer in 0.5 s" in str(found)


def test_a_registry_that_takes_connections_and_says_nothing(client: Clients) -> None:
    def nothing(_: socket.socket, stopping: threading.Event) -> None:
        stopping.wait(30)

    with raw_server(nothing) as host:
        found = outcome(client(read=0.2, connect=0.2), f"{host}/app:1")
    assert isinstance(found, errors.TimeLimitError)


def test_a_host_that_did_not_answer_is_not_asked_for_ever(client: Clients, serve: Serve) -> None:
    server: FakeServer

    def hang(_: Request) -> Answer:
        server.stopping.wait(30)
        return Answer(500)

    server = serve(hang)
    found = client(read=0.5, concurrency=1).resolve_all([f"{server.host}/app:{n}" for n in range(9)])
    kinds = [type(error) for error in found.values()]
    assert kinds == [errors.TimeLimitError] * 2 + [errors.UnreachableError] * 7
    assert len(server.requests) == 2


def test_a_tls_handshake_that_hangs(client: Clients) -> None:
    def nothing(_: socket.socket, stopping: threading.Event) -> None:
        stopping.wait(30)

    with raw_server(nothing) as host:
        made = client(ClientOptions(Limits(connect=0.2, read=0.2), insecure=(host,), certs_dirs=()))
        found = outcome(made, f"{host}/app:1")
    assert isinstance(found, errors.TimeLimitError)
    assert "0.2 s" in str(found)


def test_a_listed_host_may_wait_for_the_end_of_a_tls_greeting(client: Clients, serve: Serve) -> None:
    """As Python's own server does; then it is asked by plain http."""
    server = serve(lambda _: image(BODY))
    made = client(ClientOptions(Limits(connect=0.3), insecure=(server.host,), certs_dirs=()))
    assert str(outcome(made, f"{server.host}/app:1")) == digest(BODY)


def drop(connection: socket.socket, _: threading.Event) -> None:
    connection.recv(4096)


def garble(connection: socket.socket, _: threading.Event) -> None:
    connection.recv(4096)
    connection.sendall(b"SSH-2.0-OpenSSH_9.9\r\n")


@pytest.mark.parametrize("handle", [drop, garble])
def test_no_http_at_all(client: Clients, handle: Callable[[socket.socket, threading.Event], None]) -> None:
    with raw_server(handle) as host:
        found = outcome(client(), f"{host}/app:1")
    assert isinstance(found, errors.UnreachableError)


def test_a_broken_connection_is_tried_again(client: Clients, waits: Waits) -> None:
    answers = [
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",  # to /v2/
        b"",
        f"HTTP/1.1 200 OK\r\nContent-Type: {OCI_MANIFEST}\r\nDocker-Content-Digest: {digest(BODY)}\r\n"
        f"Content-Length: {len(BODY)}\r\nConnection: close\r\n\r\n".encode(),
    ]

    def handle(connection: socket.socket, _: threading.Event) -> None:
        connection.recv(4096)
        connection.sendall(answers.pop(0))

    with raw_server(handle) as host:
        assert str(outcome(client(), f"{host}/app:1")) == digest(BODY)
    assert len(waits) == 1


def test_nobody_there(client: Clients) -> None:
    found = outcome(client(), f"127.0.0.1:{free_port()}/app:1")
    assert isinstance(found, errors.UnreachableError)
    assert "refused" in str(found).lower()


@pytest.mark.parametrize("port", [0, 65536, 99999, 10**30])
def test_no_such_port(client: Clients, port: int) -> None:
    assert isinstance(outcome(client(), f"127.0.0.1:{port}/app:1"), errors.RegistryError)


def test_no_such_name(client: Clients) -> None:
    found = outcome(client(connect=20), "registry.invalid/app:1")
    assert isinstance(found, errors.UnreachableError)
    assert "registry.invalid cannot be reached" in str(found)


@pytest.mark.parametrize(
    ("proxy", "error"),
    [
        pytest.param(f"http://{USER}:{PASSWORD}@{{proxy}}", errors.UnreachableError, id="wants-another-login"),
        pytest.param(f"gopher://{USER}:{PASSWORD}@{{proxy}}", errors.SettingsError, id="unknown-scheme"),
        pytest.param(f"http://{USER}:{PASSWORD}@{{proxy}}0000", errors.UnreachableError, id="no-port"),
    ],
)
def test_proxies(client: Clients, monkeypatch: pytest.MonkeyPatch, proxy: str, error: type[Exception]) -> None:
    def refuse(connection: socket.socket, _: threading.Event) -> None:
        assert connection.recv(4096).startswith(b"CONNECT registry.invalid:443 ")
        connection.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")

    monkeypatch.delenv("NO_PROXY", raising=False)
    with raw_server(refuse) as host:
        monkeypatch.setenv("HTTPS_PROXY", proxy.format(proxy=host))
        found = outcome(client(), "registry.invalid/app:1")
    assert type(found) is error, found
    assert "HTTPS_PROXY" in str(found)


def test_loopback_is_never_asked_through_a_proxy(
    client: Clients, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    monkeypatch.delenv("NO_PROXY", raising=False)
    server = serve(lambda _: image(BODY))
    assert str(outcome(client(), f"{server.host}/app:1")) == digest(BODY)


# -- redirects ---------------------------------------------------------------------------------------------------------


def challenged(answer: Callable[[Request], Answer]) -> Callable[[Request], Answer]:
    """Asks for Basic, then answers."""

    def respond(request: Request) -> Answer:
        if request.headers.get("authorization") != BASIC:
            return Answer(401, {"WWW-Authenticate": 'Basic realm="r"'})
        return answer(request)

    return respond


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_credentials_stay_with_their_host(client: Clients, serve: Serve, home: Homes, status: int) -> None:
    other = serve(lambda _: image(BODY))
    first = serve(challenged(lambda r: Answer(status, {"Location": f"{other.url}/blob?sig=signed-Vv90-secret"})))
    store = home({"auths": {first.host: LOGIN, other.host: LOGIN}})
    assert str(outcome(client(credentials=store), f"{first.host}/app:1")) == digest(BODY)
    assert other.seen() == ["HEAD /blob"]
    assert "authorization" not in other.requests[0].headers
    assert other.requests[0].query == {"sig": "signed-Vv90-secret"}


def test_credentials_are_not_given_back_on_the_way_home(client: Clients, serve: Serve, home: Homes) -> None:
    servers: dict[str, FakeServer] = {}

    def respond(request: Request) -> Answer:
        if request.path == "/home":
            return image(BODY)
        return challenged(lambda _: Answer(307, {"Location": f"{servers['other'].url}/away"}))(request)

    servers["first"] = first = serve(respond)
    servers["other"] = serve(lambda _: Answer(307, {"Location": f"{servers['first'].url}/home"}))
    made = client(credentials=home({"auths": {first.host: LOGIN}}))
    assert str(outcome(made, f"{first.host}/app:1")) == digest(BODY)
    assert ["authorization" in r.headers for r in first.requests] == [False, True, False]


def test_redirects_within_a_host_keep_credentials(client: Clients, serve: Serve, home: Homes) -> None:
    def respond(request: Request) -> Answer:
        return image(BODY) if request.path == "/inner" else Answer(302, {"Location": "/inner"})

    server = serve(challenged(respond))
    made = client(credentials=home({"auths": {server.host: LOGIN}}))
    assert str(outcome(made, f"{server.host}/app:1")) == digest(BODY)


def test_a_login_asked_for_by_another_host_is_not_answered(client: Clients, serve: Serve, home: Homes) -> None:
    other = serve(lambda _: Answer(401, {"WWW-Authenticate": 'Basic realm="r"'}))
    first = serve(challenged(lambda _: Answer(307, {"Location": f"{other.url}/x"})))
    store = home({"auths": {first.host: LOGIN, other.host: LOGIN}})
    found = outcome(client(credentials=store), f"{first.host}/app:1")
    assert isinstance(found, errors.BadAnswerError)
    assert "never sent to another host" in str(found)
    assert all("authorization" not in r.headers for r in other.requests)


def test_another_host_cannot_ask_for_the_first_ones_password(client: Clients, serve: Serve, home: Homes) -> None:
    thief = serve(lambda _: Answer(200, {}, b'{"token": "x"}'))
    other = serve(lambda _: Answer(401, {"WWW-Authenticate": f'Bearer realm="{thief.url}/token",service="s"'}))
    first = serve(lambda _: Answer(307, {"Location": f"{other.url}/x"}))
    found = outcome(client(credentials=home({"auths": {first.host: LOGIN}})), f"{first.host}/app:1")
    assert isinstance(found, errors.BadAnswerError)
    assert not thief.requests


def test_a_user_part_in_a_redirect_is_dropped(client: Clients, serve: Serve) -> None:
    other = serve(lambda _: image(BODY))
    first = serve(lambda _: Answer(307, {"Location": f"http://{USER}:{PASSWORD}@{other.host}/x"}))
    assert str(outcome(client(), f"{first.host}/app:1")) == digest(BODY)
    assert "authorization" not in other.requests[0].headers


@pytest.mark.parametrize(
    ("location", "error"),
    [
        pytest.param("{self}", errors.RedirectError, id="loop"),
        pytest.param("", errors.RedirectError, id="no-target"),
        pytest.param("ftp://127.0.0.1/x", errors.RedirectError, id="other-scheme"),
        pytest.param("http://[::1", errors.RedirectError, id="unreadable"),
        pytest.param("http://plain.invalid/x?sig=signed-Vv90-secret", errors.PlainHttpError, id="plain-http-elsewhere"),
    ],
)
def test_redirects_not_followed(client: Clients, serve: Serve, location: str, error: type[Exception]) -> None:
    server = serve(lambda r: Answer(307, {"Location": location.format(self=r.target)}))
    found = outcome(client(), f"{server.host}/app:1")
    assert type(found) is error, found


def test_tls_does_not_lead_to_plain_http(client: Clients, serve: Serve, authority: Authority) -> None:
    plain = serve(lambda _: image(BODY))
    safe = serve(lambda _: Answer(307, {"Location": f"{plain.url}/x"}), authority.server_context())
    options = ClientOptions(ca_file=str(authority.ca), certs_dirs=())
    found = outcome(client(options), f"{safe.host}/app:1")
    assert isinstance(found, errors.PlainHttpError)
    assert not plain.requests
    listed = ClientOptions(ca_file=str(authority.ca), certs_dirs=(), insecure=(plain.host,))
    assert str(outcome(client(listed), f"{safe.host}/app:1")) == digest(BODY)


# -- login -------------------------------------------------------------------------------------------------------------


def bearer(realm: str, tokens: list[str]) -> Callable[[Request], Answer]:
    """A registry that takes the tokens in the list, and names a token server."""

    def respond(request: Request) -> Answer:
        if request.headers.get("authorization", "").removeprefix("Bearer ") in tokens:
            return image(BODY)
        field = f'Basic realm="x", Bearer realm="{realm}",service="s"'
        return Answer(401, {"WWW-Authenticate": field})

    return respond


def test_a_token_that_ended_is_replaced(client: Clients, serve: Serve) -> None:
    made: list[str] = []

    def issue(_: Request) -> Answer:
        made.append(f"token-Jj42-secret-{len(made)}")
        valid[:] = made[-1:]
        return Answer(200, {}, json.dumps({"access_token": made[-1]}).encode())

    valid: list[str] = []
    tokens = serve(issue)
    registry = serve(bearer(f"{tokens.url}/token?x=1", valid))
    one = client()
    assert str(outcome(one, f"{registry.host}/app:1")) == digest(BODY)
    valid.clear()
    assert str(outcome(one, f"{registry.host}/app:2")) == digest(BODY)
    assert len(made) == 2
    assert tokens.requests[0].query == {"x": "1", "service": "s", "scope": "repository:app:pull"}


@pytest.mark.parametrize(
    ("token", "error"),
    [
        pytest.param(Answer(200, {}, b'{"token": "token-Jj42-secret"}'), errors.CredentialsNeededError, id="useless"),
        pytest.param(Answer(403), errors.CredentialsNeededError, id="refused"),
        pytest.param(Answer(200, {}, b"{}"), errors.BadAnswerError, id="no-token"),
        pytest.param(Answer(200, {}, b"[" * 100_000), errors.BadAnswerError, id="deep-json"),
        pytest.param(Answer(200, {}, b'{"token": "a\\r\\nX: y"}'), errors.BadAnswerError, id="header-in-token"),
        pytest.param(Answer(302, {"Location": "/token"}), errors.RedirectError, id="redirect-loop"),
        pytest.param(Answer(503), errors.ServerError, id="broken"),
        pytest.param(Answer(429, {LIMIT: "99"}), errors.RateLimitedError, id="limited"),
    ],
)
def test_token_servers_that_fail(client: Clients, serve: Serve, token: Answer, error: type[Exception]) -> None:
    tokens = serve(lambda _: token)
    registry = serve(bearer(f"{tokens.url}/token", []))
    found = outcome(client(), f"{registry.host}/app:1")
    assert type(found) is error, found


def test_a_token_server_that_trickles(client: Clients, serve: Serve) -> None:
    def trickle(connection: socket.socket, stopping: threading.Event) -> None:
        connection.recv(4096)
        try:
            while not stopping.wait(0.05):
                connection.sendall(b"H")
        except OSError:
            hung_up.set()

    hung_up = threading.Event()
    with raw_server(trickle) as host:
        registry = serve(bearer(f"http://{host}/token", []))
        made = client(read=5, total=1)
        found = outcome(made, f"{registry.host}/app:1")
        assert hung_up.wait(20)  # not only the image gave up: the request for the token was ended, too
    assert isinstance(found, errors.TimeLimitError)


@pytest.mark.parametrize(
    ("realm", "error"),
    [
        pytest.param("http://plain.invalid/token", errors.PlainHttpError, id="plain-http"),
        pytest.param("/token", errors.RedirectError, id="relative"),
        pytest.param("", errors.RedirectError, id="none"),
        pytest.param("file:///etc/passwd", errors.RedirectError, id="file"),
    ],
)
def test_token_servers_not_asked(
    client: Clients, serve: Serve, home: Homes, realm: str, error: type[Exception]
) -> None:
    registry = serve(bearer(realm, []))
    made = client(credentials=home({"auths": {registry.host: LOGIN}}))
    found = outcome(made, f"{registry.host}/app:1")
    assert type(found) is error, found


def test_a_token_server_does_not_pass_a_password_on(client: Clients, serve: Serve, home: Homes) -> None:
    thief = serve(lambda _: Answer(200, {}, b'{"token": "x"}'))
    tokens = serve(lambda _: Answer(307, {"Location": f"{thief.url}/token"}))
    registry = serve(bearer(f"{tokens.url}/token", ["x"]))
    made = client(credentials=home({"auths": {registry.host: LOGIN}}))
    assert str(outcome(made, f"{registry.host}/app:1")) == digest(BODY)
    assert tokens.requests[0].headers["authorization"] == BASIC
    assert "authorization" not in thief.requests[0].headers
    identity = client(credentials=home({"auths": {registry.host: {"identitytoken": "identity-Zq77-secret"}}}))
    assert isinstance(outcome(identity, f"{registry.host}/app:1"), errors.RedirectError)
    assert [r.method for r in thief.requests] == ["GET"]


def test_basic_is_sent_at_once_after_the_first_challenge(client: Clients, serve: Serve, home: Homes) -> None:
    server = serve(challenged(lambda _: image(BODY)))
    made = client(concurrency=1, credentials=home({"auths": {server.host: LOGIN}}))
    made.resolve_all([f"{server.host}/app:{n}" for n in range(3)])
    assert ["authorization" in r.headers for r in server.requests] == [False, True, True, True]


def test_representations_hide_what_is_sent_and_what_comes() -> None:
    ask = Ask("POST", f"https://u:{PASSWORD}@host/x?{PASSWORD}", 0.0, "", f"Basic {PASSWORD}", {"refresh": PASSWORD})
    reply = Reply(302, {"location": [PASSWORD]}, PASSWORD.encode(), "host", False)
    assert (repr(ask), repr(reply)) == ("Ask(POST https://host/x)", "Reply(302 from host)")


@pytest.mark.parametrize("token", ["a\r\nX: y", "", "not-known"])
def test_a_registry_token_that_is_of_no_use(client: Clients, serve: Serve, home: Homes, token: str) -> None:
    tokens = serve(lambda _: Answer(401))
    registry = serve(bearer(f"{tokens.url}/token", ["token-Jj42-secret"]))
    found = outcome(
        client(credentials=home({"auths": {registry.host: {"registrytoken": token}}})), f"{registry.host}/a:1"
    )
    assert type(found) is (errors.DeniedError if token else errors.CredentialsNeededError), found
    assert not token or token not in str(found)


# -- mirrors -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mirror", "expected", "asked"),
    [
        pytest.param(image(BODY), digest(BODY), 0, id="mirror-has-it"),
        pytest.param(Answer(404), OTHER, 1, id="mirror-lacks-it"),
        pytest.param(Answer(500), OTHER, 1, id="mirror-fails"),
        pytest.param(Answer(401, {"WWW-Authenticate": "Basic"}), OTHER, 1, id="mirror-wants-a-login"),
        pytest.param(image(BODY, claim=OTHER), errors.DigestMismatchError, 0, id="mirror-lies"),
    ],
)
def test_mirrors(client: Clients, serve: Serve, mirror: Answer, expected: str | type[Exception], asked: int) -> None:
    near = serve(lambda _: mirror)
    far = serve(lambda _: image(BODY, claim=OTHER))
    options = ClientOptions(Limits(attempts=1), Mirrors.of({far.host: [f"{near.host}/cache"]}), certs_dirs=())
    found = outcome(client(options), f"{far.host}/team/app:1", verify=not isinstance(expected, str))
    if isinstance(expected, str):
        assert str(found) == expected
    else:
        assert type(found) is expected
    assert near.requests[0].path == "/v2/cache/team/app/manifests/1"
    assert len(far.requests) == asked


def test_when_all_mirrors_fail_each_is_named(client: Clients, serve: Serve) -> None:
    near, far = serve(lambda _: Answer(404)), serve(lambda _: Answer(404))
    options = ClientOptions(mirrors=Mirrors.of({far.host: [near.host]}), certs_dirs=())
    found = outcome(client(options), f"{far.host}/app:1")
    assert isinstance(found, errors.NotFoundError)
    assert near.host in str(found)
    assert far.host in str(found)


def test_docker_hub_names_go_to_a_mirror(client: Clients, serve: Serve) -> None:
    near = serve(lambda _: image(BODY))
    options = ClientOptions(mirrors=Mirrors.of({"docker.io": [near.host]}), certs_dirs=())
    made = client(options)
    refs = ["debian", "docker.io/debian:latest", "index.docker.io/library/debian", "bitnami/git:2"]
    assert {str(found) for found in made.resolve_all(refs).values()} == {digest(BODY)}
    assert sorted(near.seen()) == [
        "HEAD /v2/bitnami/git/manifests/2",
        "HEAD /v2/library/debian/manifests/latest",
    ]


# -- how many requests -------------------------------------------------------------------------------------------------


def test_one_request_per_image_however_many_ask(client: Clients, serve: Serve) -> None:
    server = serve(lambda _: image(BODY))
    made = client()
    found: list[str] = []

    def ask() -> None:
        found.extend(str(made.resolve(ref)) for ref in (f"{server.host}/app", f"{server.host}/app:latest"))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [digest(BODY)] * 16
    assert server.seen() == ["HEAD /v2/app/manifests/latest"]


def test_errors_are_shared_too(client: Clients, serve: Serve) -> None:
    server = serve(lambda _: Answer(404))
    made = client()
    for _ in range(3):
        assert isinstance(outcome(made, f"{server.host}/app:1"), errors.NotFoundError)
    assert len(server.requests) == 1


def test_concurrency_is_used_and_bounded(client: Clients, serve: Serve) -> None:
    """Every request waits until three are under way; a fourth at the same time would be seen."""
    together = threading.Barrier(3)
    lock = threading.Lock()
    under_way: list[int] = [0, 0]

    def respond(_: Request) -> Answer:
        with lock:
            under_way[0] += 1
            under_way[1] = max(under_way)
        together.wait(20)
        time.sleep(0.02)  # room for a fourth
        with lock:
            under_way[0] -= 1
        return image(BODY)

    server = serve(respond)
    seen: list[str] = []
    refs = [f"{server.host}/app:{n}" for n in range(12)]
    found = client(concurrency=3).resolve_all(refs, on_result=lambda ref, _: seen.append(ref))
    assert list(found) == refs
    assert {str(one) for one in found.values()} == {digest(BODY)}
    assert under_way[1] == 3
    assert sorted(seen) == sorted(refs)


def test_closing_ends_what_is_under_way(client: Clients, serve: Serve) -> None:
    started = threading.Event()
    server: FakeServer

    def hang(_: Request) -> Answer:
        started.set()
        server.stopping.wait(30)
        return Answer(500)

    server = serve(hang)
    made = client()
    caught: list[BaseException] = []

    def ask() -> None:
        try:
            made.resolve(f"{server.host}/app:1")
        except errors.RegistryError as error:
            caught.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    assert started.wait(20)
    made.close()
    thread.join(20)
    assert [type(error) for error in caught] == [errors.UnreachableError]
    made.close()  # again: nothing to do
