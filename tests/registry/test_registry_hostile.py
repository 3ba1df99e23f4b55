"""Registries that answer in encodings nobody asked for, without end, or by the drop."""

from __future__ import annotations

import gzip
import socket
import threading
import zlib

import pytest

from dfopt.registry import errors
from registry.asking import BODY, Clients, Serve, outcome
from registry.servers import OCI_MANIFEST, Answer, Request, digest, image, raw_server

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: " + OCI_MANIFEST.encode() + b"\r\n"


def twice(size: int) -> bytes:
    """Some kilobytes that become `size` bytes when they are decompressed twice."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    zeros = b"\0" * (1 << 24)
    return gzip.compress(b"".join(packer.compress(zeros) for _ in range(size >> 24)) + packer.flush())


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        pytest.param("gzip, gzip", twice(1 << 30), id="stacked"),
        pytest.param("gzip", gzip.compress(BODY), id="gzip"),
        pytest.param("deflate", zlib.compress(BODY), id="deflate"),
        pytest.param("br", BODY, id="br"),
        pytest.param("identity, gzip", gzip.compress(BODY), id="mixed"),
        pytest.param("x\x7f\x9b", BODY, id="unknown"),
    ],
)
@pytest.mark.parametrize("what", ["manifest", "blob"])
def test_encodings(client: Clients, serve: Serve, encoding: str, body: bytes, what: str) -> None:
    def respond(request: Request) -> Answer:
        if request.path == "/v2/":
            return Answer()
        if request.method == "HEAD":
            return Answer(200, {"Content-Type": OCI_MANIFEST})
        return Answer(200, {"Content-Type": OCI_MANIFEST, "Content-Encoding": encoding}, body)

    server = serve(respond)
    if what == "manifest":
        found = outcome(client(), f"{server.host}/app:1")
        assert isinstance(found, errors.BadAnswerError)
        said = str(found)
    else:
        reader = client().repository(f"{server.host}/app:1").blob(digest(BODY))
        with pytest.raises(OSError, match="in the encoding") as caught:
            reader.read()
        said = str(caught.value)
    assert "in the encoding" in said
    assert said.isprintable()


def test_identity_is_what_was_asked_for(client: Clients, serve: Serve) -> None:
    def respond(request: Request) -> Answer:
        answer = image(BODY)
        return Answer(200, {**answer.headers, "Content-Encoding": "identity"}, answer.body)

    assert not isinstance(outcome(client(), f"{serve(respond).host}/app:1", verify=True), errors.RegistryError)


def test_a_body_without_end(client: Clients) -> None:
    sent = [0]

    def pour(connection: socket.socket, stopping: threading.Event) -> None:
        asked = connection.recv(4096)
        if asked.startswith(b"HEAD") or b" /v2/ " in asked:
            connection.sendall(HEAD + b"Content-Length: 0\r\nConnection: close\r\n\r\n")
            return
        connection.sendall(HEAD + b"Connection: close\r\n\r\n")
        while not stopping.is_set():
            connection.sendall(b"x" * 65536)
            sent[0] += 65536

    with raw_server(pour) as host:
        found = outcome(client(), f"{host}/app:1")
    assert isinstance(found, errors.BadAnswerError)
    assert "more than 4194304 bytes" in str(found)
    assert sent[0] < 64 << 20


@pytest.mark.parametrize("part", ["head", "body"])
def test_a_blob_that_trickles(client: Clients, part: str) -> None:
    """Neither is ever silent for as long as the read limit."""

    def trickle(connection: socket.socket, stopping: threading.Event) -> None:
        asked = connection.recv(4096)
        if b" /v2/ " in asked:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            return
        connection.sendall(b"HTTP/1.1 200 OK\r\n" + (b"" if part == "head" else b"Connection: close\r\n\r\n"))
        while not stopping.wait(0.05):
            connection.sendall(b"x" if part == "body" else b"X-A: b\r\n")

    with raw_server(trickle) as host:
        reader = client(read=5, total=0.5).repository(f"{host}/app:1").blob(digest(b"x"))
        with pytest.raises(OSError, match=r"no whole answer in 0\.5 s|less than 1024 bytes a second"):
            list(iter(reader.read, b""))


def test_a_manifest_whose_head_trickles(client: Clients) -> None:
    def trickle(connection: socket.socket, stopping: threading.Event) -> None:
        asked = connection.recv(4096)
        if b" /v2/ " in asked:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            return
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        while not stopping.wait(0.05):
            connection.sendall(b"X-A: b\r\n")

    with raw_server(trickle) as host, pytest.raises(errors.RegistryTimeLimitError):
        client(read=5, total=0.5).repository(f"{host}/app:1").manifest()


def test_a_reader_that_is_slow_is_not_a_slow_registry(client: Clients, serve: Serve) -> None:
    """What the reader of a blob takes for itself does not count against the registry."""
    body = b"x" * (24 << 20)
    server = serve(lambda request: Answer() if request.path == "/v2/" else Answer(200, {}, body))
    reader = client(read=5, total=0.2).repository(f"{server.host}/app:1").blob(digest(body))
    size = 0
    pause = threading.Event()
    while piece := reader.read():
        size += len(piece)
        pause.wait(0.05)
    assert size == len(body)
