"""Statuses of the resolver: lock, modes, offline; and what an offline run imports."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dfopt.registry import errors
from dfopt.registry.client import RegistryClient
from dfopt.registry.lock import Lock, LockedImage
from dfopt.registry.resolver import DigestResolver
from registry.servers import OCI_MANIFEST, Answer, FakeServer, Request, digest, image, manifest

NOW, BEFORE, ELSE = (digest(manifest(note)) for note in ("now", "before", "else"))


def respond(request: Request) -> Answer:
    if request.path.endswith("/manifests/gone"):
        return Answer(404)
    if request.path.endswith("/manifests/broken"):
        return Answer(418)
    if request.path.endswith(ELSE):
        return image(manifest("else"))
    return image(manifest("now"))


# (what the lock says, mode, online, the reference behind the repository) -> (status, digest, previous, source, lock)
TABLE: list[object] = [
    pytest.param("", "locked", True, ":1", ("pinned", NOW, "", "registry", NOW), id="asked"),
    pytest.param(BEFORE, "locked", True, ":1", ("pinned", BEFORE, BEFORE, "lock", BEFORE), id="locked"),
    pytest.param(BEFORE, "locked", False, ":1", ("pinned", BEFORE, BEFORE, "lock", BEFORE), id="locked-offline"),
    pytest.param("", "locked", False, ":1", ("offline-unknown", "", "", "", ""), id="offline"),
    pytest.param("", "locked", True, ":1@{else}", ("pinned", ELSE, ELSE, "reference", ""), id="own-pin"),
    pytest.param(NOW, "locked", True, ":1@{else}", ("pinned", ELSE, ELSE, "reference", NOW), id="own-pin-beats-lock"),
    pytest.param("", "locked", False, "@{else}", ("pinned", ELSE, ELSE, "reference", ""), id="bare-digest"),
    pytest.param("", "update", True, ":1", ("pinned", NOW, "", "registry", NOW), id="update-new"),
    pytest.param(NOW, "update", True, ":1", ("pinned", NOW, NOW, "registry", NOW), id="update-same"),
    pytest.param(BEFORE, "update", True, ":1", ("moved", NOW, BEFORE, "registry", NOW), id="update-moved"),
    pytest.param("", "update", True, ":1@{else}", ("moved", NOW, ELSE, "registry", NOW), id="update-own-pin"),
    pytest.param(BEFORE, "update", False, ":1", ("pinned", BEFORE, BEFORE, "lock", BEFORE), id="update-offline"),
    pytest.param("", "check", True, ":1", ("pinned", NOW, "", "registry", ""), id="check-unknown"),
    pytest.param(BEFORE, "check", True, ":1", ("moved", NOW, BEFORE, "registry", BEFORE), id="check-moved"),
    pytest.param(NOW, "check", True, ":1", ("pinned", NOW, NOW, "registry", NOW), id="check-same"),
    pytest.param("", "check", True, ":1@{else}", ("moved", NOW, ELSE, "registry", ""), id="check-own-pin"),
    pytest.param(NOW, "check", True, ":1@{else}", ("moved", NOW, ELSE, "registry", NOW), id="check-own-pin-first"),
    pytest.param(BEFORE, "check", False, ":1@{else}", ("moved", BEFORE, ELSE, "lock", BEFORE), id="check-offline"),
    pytest.param("", "check", False, ":1@{else}", ("offline-unknown", "", ELSE, "", ""), id="check-offline-unknown"),
    pytest.param("", "check", True, "@{else}", ("pinned", ELSE, ELSE, "registry", ""), id="check-bare-digest"),
    pytest.param("", "update", False, "@{else}", ("pinned", ELSE, ELSE, "reference", ""), id="bare-digest-offline"),
    pytest.param("", "locked", True, ":gone", ("missing", "", "", "", ""), id="missing"),
    pytest.param(BEFORE, "update", True, ":gone", ("missing", "", BEFORE, "", BEFORE), id="missing-keeps-the-lock"),
    pytest.param("", "locked", True, ":broken", ("error", "", "", "", ""), id="error"),
]


@pytest.mark.parametrize(("locked", "mode", "online", "suffix", "expected"), TABLE)
def test_statuses(
    client: Callable[..., RegistryClient],
    serve: Callable[..., FakeServer],
    locked: str,
    mode: str,
    online: bool,
    suffix: str,
    expected: tuple[str, str, str, str, str],
) -> None:
    server = serve(respond)
    ref = f"{server.host}/app" + suffix.replace("{else}", ELSE)
    name = ref if ref.endswith(f"app@{ELSE}") else ref.partition("@")[0]
    lock = Lock("dfopt.lock", [LockedImage(name, locked, OCI_MANIFEST)] if locked else [])
    resolver = DigestResolver(lock, client() if online else None, mode)  # type: ignore[arg-type]
    found = resolver.resolve(ref)
    entry = lock.image(name)
    actual = (found.status, found.digest, found.previous, found.source, entry.digest if entry else "")
    assert actual == expected
    assert found.reference == name
    assert (found.error is None) == (found.status not in ("missing", "error"))
    assert bool(server.requests) == (online and expected[3] not in ("lock", "reference"))
    # Once more: an update has nothing left to move, and the rest says the same again.
    again = resolver.resolve(name if mode == "update" else ref)
    assert again.digest == found.digest
    assert again.status == ("pinned" if (mode, found.status) == ("update", "moved") else found.status)


def test_many_at_once(client: Callable[..., RegistryClient], serve: Callable[..., FakeServer]) -> None:
    server = serve(respond)
    lock = Lock("dfopt.lock")
    refs = [f"{server.host}/app:1", "No Reference", f"{server.host}/app:gone", f"{server.host}/app:1", "scratch"]
    found = DigestResolver(lock, client(), today="2026-11-03").resolve_all(refs)
    assert list(found) == list(dict.fromkeys(refs))
    assert [one.status for one in found.values()] == ["pinned", "error", "missing", "error"]
    assert isinstance(found["scratch"].error, errors.InvalidReferenceError)
    assert [image.resolved for image in lock.images] == ["2026-11-03"]


def test_all_spellings_of_a_name_learn_that_it_moved(
    client: Callable[..., RegistryClient], serve: Callable[..., FakeServer]
) -> None:
    server = serve(respond)
    lock = Lock("dfopt.lock", [LockedImage(f"{server.host}/app:latest", BEFORE, OCI_MANIFEST)])
    found = DigestResolver(lock, client(), "update").resolve_all([f"{server.host}/app", f"{server.host}/app:latest"])
    assert [(one.status, one.previous, one.digest) for one in found.values()] == [("moved", BEFORE, NOW)] * 2
    assert len(server.requests) == 1


def test_offline_needs_no_http_library(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from dfopt.registry.lock import read_lock\n"
        "from dfopt.registry.resolver import DigestResolver\n"
        f"found = DigestResolver(read_lock({str(tmp_path / 'dfopt.lock')!r})).resolve('debian:12')\n"
        "assert found.status == 'offline-unknown', found\n"
        "print(sorted(m for m in ('httpx', 'asyncio', 'ssl', 'socket') if m in sys.modules))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("[]\n", "")
