"""What the tests of the client share: images, a login, and registries that ask for it."""

from __future__ import annotations

import base64
from collections.abc import Callable

from dfopt.registry import errors
from dfopt.registry.client import RegistryClient
from dfopt.registry.credentials import CredentialStore
from dfopt.registry.manifests import Digest
from registry.servers import (
    PASSWORD,
    SECRETS,
    USER,
    Answer,
    FakeServer,
    Request,
    digest,
    image,
    manifest,
)

Clients = Callable[..., RegistryClient]
Homes = Callable[..., CredentialStore]
Serve = Callable[..., FakeServer]

BODY = manifest()
BASIC = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
LOGIN = {"username": USER, "password": PASSWORD}


OTHER = digest(b"something else")
LIMIT = "Retry-After"


def outcome(made: RegistryClient, ref: str, verify: bool = False) -> Digest | errors.RegistryError:
    found = made.resolve_all([ref], verify)[ref]
    for secret in SECRETS:
        assert secret not in str(found)
        assert secret not in repr(found)
    assert "\n" not in str(found)
    return found


def challenged(answer: Callable[[Request], Answer]) -> Callable[[Request], Answer]:
    """Asks for Basic, then answers."""

    def respond(request: Request) -> Answer:
        if request.headers.get("authorization") != BASIC:
            return Answer(401, {"WWW-Authenticate": 'Basic realm="r"'})
        return answer(request)

    return respond


def bearer(realm: str, tokens: list[str]) -> Callable[[Request], Answer]:
    """A registry that takes the tokens in the list, and names a token server."""

    def respond(request: Request) -> Answer:
        if request.headers.get("authorization", "").removeprefix("Bearer ") in tokens:
            return image(BODY)
        field = f'Basic realm="x", Bearer realm="{realm}",service="s"'
        return Answer(401, {"WWW-Authenticate": field})

    return respond
