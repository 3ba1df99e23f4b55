"""The client against Debian's docker-registry: every way to log in, TLS, indexes."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

import pytest

from dfopt.registry.client import RegistryClient
from dfopt.registry.credentials import CredentialStore
from dfopt.registry.errors import (
    CredentialsNeededError,
    DeniedError,
    NotFoundError,
    RegistryError,
    TlsError,
)
from dfopt.registry.resolution import ClientOptions
from dfopt.registry.transport import NetworkLimits
from registry.servers import IDENTITY, OCI_INDEX, OCI_MANIFEST, PASSWORD, USER, Authority, Request, Stored, TokenServer

Clients = Callable[..., RegistryClient]
Homes = Callable[..., CredentialStore]

BASIC = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()


def test_anonymous(client: Clients, open_registry: str, stored: Stored) -> None:
    found = client().resolve(f"{open_registry}/team/app:1.0")
    assert (found.value, found.media_type, found.verified) == (stored.single, OCI_MANIFEST, False)
    assert found.served_by == f"{open_registry}/team/app"


@pytest.mark.parametrize("verify", [False, True], ids=["claimed", "verified"])
def test_an_index_is_pinned_as_index(client: Clients, open_registry: str, stored: Stored, verify: bool) -> None:
    found = client().resolve(f"{open_registry}/team/app:multi", verify)
    assert (found.value, found.media_type, found.verified) == (stored.index, OCI_INDEX, verify)
    assert found.platforms == (("linux/amd64", "linux/arm/v7", "linux/arm64/v8") if verify else None)


@pytest.mark.parametrize(
    ("suffix", "expected"),
    [
        pytest.param("@{single}", "single", id="bare-digest"),
        pytest.param(":multi@{single}", "index", id="tag-beside-digest-looks-the-tag-up"),
    ],
)
def test_references_with_a_digest(
    client: Clients, open_registry: str, stored: Stored, suffix: str, expected: str
) -> None:
    found = client().resolve(f"{open_registry}/team/app" + suffix.format(single=stored.single), verify=True)
    assert found.value == getattr(stored, expected)


@pytest.mark.parametrize("name", ["team/app:9", "team/none:1.0", "team/app@sha256:" + "0" * 64])
def test_what_is_not_there(client: Clients, open_registry: str, name: str) -> None:
    with pytest.raises(NotFoundError) as caught:
        client().resolve(f"{open_registry}/{name}")
    assert name in str(caught.value)


@pytest.mark.parametrize(
    ("entry", "error"),
    [
        pytest.param({"auth": BASIC}, None, id="auth"),
        pytest.param({"username": USER, "password": PASSWORD}, None, id="username-and-password"),
        pytest.param(None, CredentialsNeededError, id="none"),
        pytest.param({"username": USER, "password": "misspelt"}, DeniedError, id="wrong-password"),
        pytest.param({"identitytoken": IDENTITY}, DeniedError, id="identity-token-is-no-password"),
    ],
)
def test_htpasswd(
    client: Clients,
    home: Homes,
    htpasswd_registry: str,
    stored: Stored,
    entry: dict[str, str] | None,
    error: type[RegistryError] | None,
) -> None:
    store = home({"auths": {htpasswd_registry: entry} if entry else {}})
    outcome = next(iter(client(credentials=store).resolve_all([f"{htpasswd_registry}/team/app:1.0"]).values()))
    if error is None:
        assert not isinstance(outcome, RegistryError)
        assert outcome.value == stored.single
    else:
        assert type(outcome) is error
        assert "docker login" in str(outcome)
        assert "misspelt" not in str(outcome)


@pytest.mark.parametrize(
    ("name", "entry", "error"),
    [
        pytest.param("open/app:1.0", None, None, id="anonymous-token"),
        pytest.param("team/app:1.0", {"auth": BASIC}, None, id="password"),
        pytest.param("team/app:1.0", {"identitytoken": IDENTITY}, None, id="identity-token"),
        pytest.param("team/app:1.0", None, CredentialsNeededError, id="none"),
        pytest.param("team/app:1.0", {"username": USER, "password": "misspelt"}, DeniedError, id="wrong-password"),
        pytest.param("team/app:1.0", {"identitytoken": "ended"}, DeniedError, id="ended-identity-token"),
        pytest.param("team/app:1.0", {"registrytoken": "not-a-jwt"}, DeniedError, id="wrong-registry-token"),
    ],
)
def test_bearer_token(
    client: Clients,
    home: Homes,
    token_registry: str,
    stored: Stored,
    name: str,
    entry: dict[str, str] | None,
    error: type[RegistryError] | None,
) -> None:
    store = home({"auths": {token_registry: entry} if entry else {}})
    outcome = next(iter(client(credentials=store).resolve_all([f"{token_registry}/{name}"]).values()))
    if error is None:
        assert not isinstance(outcome, RegistryError), outcome
        assert outcome.value == (stored.open if name.startswith("open") else stored.single)
    else:
        assert type(outcome) is error, outcome


def test_a_given_registry_token_is_used(
    client: Clients, home: Homes, token_registry: str, token_server: TokenServer, stored: Stored
) -> None:
    token = token_server.token("tests", [{"type": "repository", "name": "team/app", "actions": ["pull"]}])
    before = len(token_server.fake.requests)
    store = home({"auths": {token_registry: {"registrytoken": token}}})
    assert client(credentials=store).resolve(f"{token_registry}/team/app:1.0").value == stored.single
    assert len(token_server.fake.requests) == before


def test_one_token_serves_a_repository(
    client: Clients, home: Homes, token_registry: str, token_server: TokenServer, stored: Stored
) -> None:
    before = len(token_server.fake.requests)
    made = client(credentials=home({"auths": {token_registry: {"auth": BASIC}}}))
    names = [f"{token_registry}/team/app{tag}" for tag in (":1.0", ":multi", f"@{stored.single}")]
    outcomes = made.resolve_all(names, verify=True)
    assert [str(found) for found in outcomes.values()] == [stored.single, stored.index, stored.single]
    asked: list[Request] = token_server.fake.requests[before:]
    assert [(r.method, r.query["scope"]) for r in asked] == [("GET", "repository:team/app:pull")]


def tls_options(authority: Authority, tmp_path: Path, how: str, host: str) -> ClientOptions:
    limits = NetworkLimits(read=10)
    if how == "option":
        return ClientOptions(limits, ca_file=str(authority.ca), certs_dirs=())
    if how == "insecure":
        return ClientOptions(limits, insecure=(host,), certs_dirs=())
    folder = tmp_path / "certs.d" / host
    folder.mkdir(parents=True)
    if how == "certs.d":
        (folder / "ca.crt").write_bytes(authority.ca.read_bytes())
    return ClientOptions(limits, certs_dirs=(str(tmp_path / "certs.d"),))


@pytest.mark.parametrize("how", ["option", "certs.d", "SSL_CERT_FILE", "insecure"])
def test_private_ca(
    client: Clients,
    tls_registry: str,
    stored: Stored,
    authority: Authority,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    how: str,
) -> None:
    if how == "SSL_CERT_FILE":
        monkeypatch.setenv("SSL_CERT_FILE", str(authority.ca))
    options = tls_options(authority, tmp_path, how, tls_registry)
    assert client(options).resolve(f"{tls_registry}/team/app:1.0").value == stored.single


def test_unknown_ca(client: Clients, tls_registry: str) -> None:
    with pytest.raises(TlsError) as caught:
        client().resolve(f"{tls_registry}/team/app:1.0")
    assert "self-signed certificate" in str(caught.value) or "issuer" in str(caught.value)
    assert f"/etc/docker/certs.d/{tls_registry}/ca.crt" in str(caught.value)


def test_wrong_host_name(client: Clients, tls_registry: str, authority: Authority) -> None:
    other_name = tls_registry.replace("127.0.0.1", "localhost")
    with pytest.raises(TlsError, match="not accepted"):
        client(ClientOptions(ca_file=str(authority.ca), certs_dirs=())).resolve(f"{other_name}/team/app:1.0")
