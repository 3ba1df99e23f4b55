"""Tokens and token servers that fail, end, or are after a password."""

from __future__ import annotations

import json
import socket
import threading

import pytest

from dfopt.registry import errors
from dfopt.registry.transport import Ask, Reply
from registry.asking import BASIC, BODY, LIMIT, LOGIN, Clients, Homes, Serve, bearer, challenged, outcome
from registry.servers import (
    PASSWORD,
    Answer,
    Request,
    digest,
    image,
    raw_server,
)


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
        assert hung_up.wait(120)  # not only the image gave up: the request for the token was ended, too
    assert isinstance(found, errors.RegistryTimeLimitError)


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
