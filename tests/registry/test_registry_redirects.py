"""Redirects, and that credentials never follow them to another host."""

from __future__ import annotations

import pytest

from dfopt.registry import errors
from dfopt.registry.resolution import ClientOptions
from registry.asking import BODY, LOGIN, Clients, Homes, Serve, challenged, outcome
from registry.servers import (
    PASSWORD,
    USER,
    Answer,
    Authority,
    FakeServer,
    Request,
    digest,
    image,
)


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
