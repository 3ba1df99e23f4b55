"""`dfopt pin` against every kind of registry: what is written, what is told, and how it ends."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from registry.asking import BASIC, BODY, LOGIN, OTHER, Serve, challenged
from registry.pinning import Tree
from registry.servers import (
    IDENTITY,
    PASSWORD,
    USER,
    Answer,
    Authority,
    FakeServer,
    Request,
    Stored,
    digest,
    free_port,
    image,
    raw_server,
)

WRONG = {"auth": base64.b64encode(f"{USER}:misspelt".encode()).decode()}


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def pins(tree: Tree, name: str, wanted: str, *args: str, **env: str) -> None:
    """`name` is pinned to `wanted`, in the file and in the lock; a second run changes nothing."""
    tree.put("Dockerfile", f"FROM {name}\n")
    done = tree.run("--write", *args, **env)
    assert (done.code, done.out) == (0, ""), done
    assert tree.text() == f"FROM {name}@{wanted}\n"
    assert f'reference = "{name}"\ndigest = "{wanted}"\n' in tree.text("dfopt.lock")
    assert 'resolved = "2026-11-03"' in tree.text("dfopt.lock")
    lock = tree.text("dfopt.lock")
    assert tree.run("--write", *args, **env).code == 0
    assert tree.text("dfopt.lock") == lock


def fails(tree: Tree, name: str, message: str, *args: str, **env: str) -> None:
    """`name` stays as it is, nothing is written, and standard error says where and why; exit code 2."""
    tree.put("Dockerfile", f"FROM scratch AS a\nFROM {name}\n")
    done = tree.run("--write", *args, **env)
    assert done.code == 2, done
    assert f"Dockerfile:2:6: error: {name}: " in done.err
    assert message in done.err
    assert tree.text() == f"FROM scratch AS a\nFROM {name}\n"
    assert not (tree.path / "dfopt.lock").exists()


# -- Debian's docker-registry ------------------------------------------------------------------------------------------


def test_anonymous(tree: Tree, open_registry: str, stored: Stored) -> None:
    pins(tree, f"{open_registry}/team/app:1.0", stored.single)


def test_an_index_with_several_platforms(tree: Tree, open_registry: str, stored: Stored) -> None:
    pins(tree, f"{open_registry}/team/app:multi", stored.index)
    assert 'platforms = ["linux/amd64", "linux/arm/v7", "linux/arm64/v8"]' in tree.text("dfopt.lock")


def test_what_is_not_there(tree: Tree, open_registry: str) -> None:
    fails(tree, f"{open_registry}/team/app:9", f"has no {open_registry}/team/app:9; check the name and the tag")


def test_htpasswd(tree: Tree, htpasswd_registry: str, stored: Stored) -> None:
    tree.login(**{htpasswd_registry: LOGIN})
    pins(tree, f"{htpasswd_registry}/team/app:1.0", stored.single)


def test_htpasswd_without_login(tree: Tree, htpasswd_registry: str) -> None:
    fails(tree, f"{htpasswd_registry}/team/app:1.0", f"`docker login {htpasswd_registry}`")


def test_htpasswd_with_a_wrong_password(tree: Tree, htpasswd_registry: str) -> None:
    tree.login(**{htpasswd_registry: WRONG})
    fails(tree, f"{htpasswd_registry}/team/app:1.0", "with the credentials from ")


def test_bearer_token(tree: Tree, token_registry: str, stored: Stored) -> None:
    tree.login(**{token_registry: LOGIN})
    pins(tree, f"{token_registry}/team/app:1.0", stored.single)


def test_bearer_token_for_everyone(tree: Tree, token_registry: str, stored: Stored) -> None:
    pins(tree, f"{token_registry}/open/app:1.0", stored.open)


def test_bearer_token_by_an_identity_token(tree: Tree, token_registry: str, stored: Stored) -> None:
    tree.login(**{token_registry: {"identitytoken": IDENTITY}})
    pins(tree, f"{token_registry}/team/app:1.0", stored.single)


def test_bearer_token_that_is_denied(tree: Tree, token_registry: str) -> None:
    fails(tree, f"{token_registry}/team/app:1.0", "does not show")


def test_credential_helper(tree: Tree, htpasswd_registry: str, stored: Stored) -> None:
    helper = tree.home / "docker-credential-desk"
    answer = json.dumps({"ServerURL": htpasswd_registry, "Username": USER, "Secret": PASSWORD})
    helper.write_text(f"#!/bin/sh\ncat >/dev/null\necho '{answer}'\n")
    helper.chmod(0o755)
    (tree.home / ".docker" / "config.json").write_text(json.dumps({"credHelpers": {htpasswd_registry: "desk"}}))
    pins(tree, f"{htpasswd_registry}/team/app:1.0", stored.single, PATH=f"{tree.home}:/usr/bin:/bin")


def test_private_ca(tree: Tree, tls_registry: str, stored: Stored, authority: Authority) -> None:
    pins(tree, f"{tls_registry}/team/app:1.0", stored.single, "--ca-file", str(authority.ca))


def test_unknown_ca(tree: Tree, tls_registry: str) -> None:
    fails(tree, f"{tls_registry}/team/app:1.0", f"the certificate of {tls_registry} is not accepted")


def test_insecure(tree: Tree, tls_registry: str, stored: Stored) -> None:
    pins(tree, f"{tls_registry}/team/app:1.0", stored.single, "--insecure-registry", tls_registry)


def test_mirror_of_docker_hub(tree: Tree, open_registry: str, stored: Stored) -> None:
    tree.put("Dockerfile", "FROM team/app:1.0\n")
    assert tree.run("--write", "--registry-mirror", open_registry).code == 0
    assert tree.text() == f"FROM team/app:1.0@{stored.single}\n"
    assert 'reference = "docker.io/team/app:1.0"' in tree.text("dfopt.lock")


# -- registries that misbehave -----------------------------------------------------------------------------------------


def limited(times: int, after: str) -> Callable[[Request], Answer]:
    left = [times]

    def respond(_: Request) -> Answer:
        if left[0]:
            left[0] -= 1
            return Answer(429, {"Retry-After": after})
        return image(BODY)

    return respond


def test_rate_limit_that_passes(tree: Tree, serve: Serve) -> None:
    server = serve(limited(2, "0"))
    pins(tree, f"{server.host}/app:1", digest(BODY))


def test_rate_limit_that_stays(tree: Tree, serve: Serve) -> None:
    server = serve(limited(99, "3600"))
    fails(tree, f"{server.host}/app:1", "limit")
    assert len(server.requests) == 1


def test_server_error(tree: Tree, serve: Serve) -> None:
    server = serve(lambda _: Answer(418))
    fails(tree, f"{server.host}/app:1", "answered with status 418")


def test_hang(tree: Tree, serve: Serve) -> None:
    server: FakeServer

    def hang(_: Request) -> Answer:
        server.stopping.wait(30)
        return Answer(500)

    server = serve(hang)
    fails(tree, f"{server.host}/app:1", "1 s", "--time-limit", "1")


def test_silence(tree: Tree) -> None:
    with raw_server(lambda _, stopping: stopping.wait(30) and None) as host:
        fails(tree, f"{host}/app:1", "1 s", "--time-limit", "1")


def test_nobody_there(tree: Tree) -> None:
    host = f"127.0.0.1:{free_port()}"
    fails(tree, f"{host}/app:1", f"{host}")


def test_redirect_to_another_host(tree: Tree, serve: Serve) -> None:
    other = serve(lambda _: image(BODY))
    first = serve(challenged(lambda _: Answer(307, {"Location": f"{other.url}/blob?sig=signed-Vv90-secret"})))
    tree.login(**{first.host: LOGIN, other.host: LOGIN})
    pins(tree, f"{first.host}/app:1", digest(BODY))
    assert other.requests
    assert all("authorization" not in request.headers for request in other.requests)
    assert any(request.headers.get("authorization") == BASIC for request in first.requests)


def test_login_asked_for_by_another_host(tree: Tree, serve: Serve) -> None:
    other = serve(lambda _: Answer(401, {"WWW-Authenticate": 'Basic realm="r"'}))
    first = serve(challenged(lambda _: Answer(307, {"Location": f"{other.url}/x"})))
    tree.login(**{first.host: LOGIN, other.host: LOGIN})
    fails(tree, f"{first.host}/app:1", "credentials are never sent to another host")
    assert all("authorization" not in request.headers for request in other.requests)


def test_lying_digest(tree: Tree, serve: Serve) -> None:
    server = serve(lambda _: image(BODY, claim=OTHER))
    fails(tree, f"{server.host}/app:1", f"claims {OTHER}")


def test_a_lie_is_seen_because_manifests_are_fetched(tree: Tree, serve: Serve) -> None:
    """Without --verify-digests the engine is the one to find out; one request in place of two."""
    server = serve(lambda _: image(BODY, claim=OTHER))
    pins(tree, f"{server.host}/app:1", OTHER, "--no-verify-digests")
    assert server.seen() == ["HEAD /v2/app/manifests/1"]


def test_no_manifest(tree: Tree, serve: Serve) -> None:
    server = serve(lambda _: Answer(200, {"Content-Type": "text/html"}, b"<html>Welcome</html>"))
    fails(tree, f"{server.host}/app:1", server.host)
