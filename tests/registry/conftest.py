"""Fixtures of the registry tests: servers, credentials, clients; and the check that no secret is ever told."""

from __future__ import annotations

import json
import logging
import os
import shutil
import ssl
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from dfopt.registry.client import RegistryClient
from dfopt.registry.credentials import CredentialStore
from dfopt.registry.resolution import ClientOptions
from dfopt.registry.transport import NetworkLimits
from registry.servers import (
    HTPASSWD,
    SECRETS,
    Answer,
    Authority,
    FakeServer,
    Request,
    Stored,
    TokenServer,
    Waits,
    docker_registry,
)


def _need(program: str, package: str) -> None:
    """In CI the program must be there; elsewhere its tests are skipped."""
    if shutil.which(program) is None:
        reason = f"{program} is not installed (apt-get install {package})"
        if os.environ.get("CI"):
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)


@pytest.fixture(autouse=True)
def no_secret_is_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Whatever a test does, no logger of any library says a secret at any level."""
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, "asyncio")
    yield
    for when in ("setup", "call"):
        for record in caplog.get_records(when):
            assert not any(secret in record.getMessage() for secret in SECRETS), record


@pytest.fixture
def serve() -> Iterator[Callable[..., FakeServer]]:
    """Starts fake servers, and stops them at the end."""
    with ExitStack() as stack:

        def start(respond: Callable[[Request], Answer], tls: ssl.SSLContext | None = None) -> FakeServer:
            server = FakeServer(respond, tls)
            stack.callback(server.stop)
            return server

        yield start


@pytest.fixture
def waits() -> Waits:
    return Waits()


@pytest.fixture
def home(tmp_path: Path) -> Callable[..., CredentialStore]:
    """Makes a credential store of a home directory whose ~/.docker/config.json has the given content."""

    def make(content: object = None, **env: str) -> CredentialStore:
        folder = tmp_path / ".docker"
        folder.mkdir(exist_ok=True)
        if content is not None:
            (folder / "config.json").write_text(json.dumps(content))
        return CredentialStore({"HOME": str(tmp_path), "PATH": os.environ["PATH"], **env}, helper_seconds=5)

    return make


@pytest.fixture
def client(home: Callable[..., CredentialStore], waits: Waits) -> Iterator[Callable[..., RegistryClient]]:
    """Makes clients that know no credentials of this machine; closes them at the end."""
    with ExitStack() as stack:

        def make(
            options: ClientOptions | None = None, credentials: CredentialStore | None = None, **limits: float
        ) -> RegistryClient:
            if options is None:
                options = ClientOptions(NetworkLimits(**limits), certs_dirs=())  # type: ignore[arg-type]
            made = RegistryClient(options, credentials or home(), waits.sleep)
            stack.callback(made.close)
            return made

        yield make


# -- the real registry -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    _need("openssl", "openssl")
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture(scope="session")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Stored:
    _need("docker-registry", "docker-registry")
    return Stored(tmp_path_factory.mktemp("registry"))


@pytest.fixture(scope="session")
def open_registry(stored: Stored) -> Iterator[str]:
    with docker_registry(stored.data.parent / "open", stored.data) as host:
        yield host


@pytest.fixture(scope="session")
def htpasswd_registry(stored: Stored) -> Iterator[str]:
    file = stored.data.parent / "htpasswd"
    file.write_text(HTPASSWD)
    auth = f"auth:\n  htpasswd: {{realm: tests, path: {file}}}\n"
    with docker_registry(stored.data.parent / "basic", stored.data, auth) as host:
        yield host


@pytest.fixture(scope="session")
def tls_registry(stored: Stored, authority: Authority) -> Iterator[str]:
    pair = (authority.certificate, authority.key)
    with docker_registry(stored.data.parent / "tls", stored.data, tls=pair) as host:
        yield host


@pytest.fixture(scope="session")
def token_server(authority: Authority) -> Iterator[TokenServer]:
    server = TokenServer(authority.certificate, authority.key)
    yield server
    server.fake.stop()


@pytest.fixture(scope="session")
def token_registry(stored: Stored, authority: Authority, token_server: TokenServer) -> Iterator[str]:
    auth = (
        f"auth:\n  token: {{realm: '{token_server.fake.url}/token', service: tests, issuer: tests, "
        f"rootcertbundle: {authority.ca}}}\n"
    )
    with docker_registry(stored.data.parent / "token", stored.data, auth) as host:
        yield host
