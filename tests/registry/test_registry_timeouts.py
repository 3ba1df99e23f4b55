"""The client against servers that hang, trickle, break off, or are not there."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable

import pytest

from dfopt.registry import errors
from dfopt.registry.resolution import ClientOptions
from dfopt.registry.transport import NetworkLimits
from registry.asking import BODY, Clients, Serve, outcome
from registry.servers import (
    OCI_MANIFEST,
    PASSWORD,
    USER,
    Answer,
    FakeServer,
    Request,
    Waits,
    digest,
    free_port,
    image,
    raw_server,
)


def test_a_registry_that_hangs(client: Clients, serve: Serve) -> None:
    server: FakeServer

    def hang(_: Request) -> Answer:
        server.stopping.wait(30)
        return Answer(500)

    server = serve(hang)
    found = outcome(client(read=0.2), f"{server.host}/app:1")
    assert isinstance(found, errors.RegistryTimeLimitError)
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
    assert isinstance(found, errors.RegistryTimeLimitError)
    assert "no whole answer in 0.5 s" in str(found)


def test_a_registry_that_takes_connections_and_says_nothing(client: Clients) -> None:
    def nothing(_: socket.socket, stopping: threading.Event) -> None:
        stopping.wait(30)

    with raw_server(nothing) as host:
        found = outcome(client(read=0.2, connect=0.2), f"{host}/app:1")
    assert isinstance(found, errors.RegistryTimeLimitError)


def test_a_host_that_did_not_answer_is_not_asked_for_ever(client: Clients, serve: Serve) -> None:
    server: FakeServer

    def hang(_: Request) -> Answer:
        server.stopping.wait(30)
        return Answer(500)

    server = serve(hang)
    found = client(read=0.5, concurrency=1).resolve_all([f"{server.host}/app:{n}" for n in range(9)])
    kinds = [type(error) for error in found.values()]
    assert kinds == [errors.RegistryTimeLimitError] * 2 + [errors.UnreachableError] * 7
    assert len(server.requests) == 2


def test_a_tls_handshake_that_hangs(client: Clients) -> None:
    def nothing(_: socket.socket, stopping: threading.Event) -> None:
        stopping.wait(30)

    with raw_server(nothing) as host:
        made = client(ClientOptions(NetworkLimits(connect=0.2, read=0.2), insecure=(host,), certs_dirs=()))
        found = outcome(made, f"{host}/app:1")
    assert isinstance(found, errors.RegistryTimeLimitError)
    assert "0.2 s" in str(found)


def test_a_listed_host_may_wait_for_the_end_of_a_tls_greeting(client: Clients, serve: Serve) -> None:
    """As Python's own server does; then it is asked by plain http."""
    server = serve(lambda _: image(BODY))
    made = client(ClientOptions(NetworkLimits(connect=0.3), insecure=(server.host,), certs_dirs=()))
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
