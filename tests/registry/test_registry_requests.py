"""Mirrors, and how many requests the client makes."""

from __future__ import annotations

import threading
import time

import pytest

from dfopt.registry import errors
from dfopt.registry.mirrors import Mirrors
from dfopt.registry.resolution import ClientOptions
from dfopt.registry.transport import NetworkLimits
from registry.asking import BODY, OTHER, Clients, Serve, outcome
from registry.servers import (
    Answer,
    FakeServer,
    Request,
    digest,
    image,
)


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
    options = ClientOptions(NetworkLimits(attempts=1), Mirrors.of({far.host: [f"{near.host}/cache"]}), certs_dirs=())
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
        together.wait(120)
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
    assert started.wait(120)
    made.close()
    thread.join(120)
    assert [type(error) for error in caught] == [errors.UnreachableError]
    made.close()  # again: nothing to do
