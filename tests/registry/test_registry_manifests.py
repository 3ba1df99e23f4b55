"""What is read out of a manifest's body."""

from __future__ import annotations

import json

import pytest

from dfopt.registry.errors import BadAnswerError
from dfopt.registry.manifests import DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST, is_digest, read_manifest


def entry(os: object, architecture: object, variant: object = None) -> dict[str, object]:
    return {"platform": {"os": os, "architecture": architecture, **({"variant": variant} if variant else {})}}


@pytest.mark.parametrize(
    ("content_type", "content", "media_type"),
    [
        (OCI_MANIFEST, {}, OCI_MANIFEST),
        (DOCKER_MANIFEST.upper() + " ; charset=x", {}, DOCKER_MANIFEST),
        ("", {"mediaType": DOCKER_LIST}, DOCKER_LIST),
        ("application/json", {"mediaType": OCI_MANIFEST}, OCI_MANIFEST),
        ("text/plain", {"schemaVersion": 2, "manifests": []}, OCI_INDEX),
        ("text/plain", {"schemaVersion": 2, "config": {}, "layers": []}, OCI_MANIFEST),
        (OCI_INDEX, {"mediaType": OCI_MANIFEST}, OCI_INDEX),
        ("text/plain", {"schemaVersion": 2}, None),
        ("text/plain", {"schemaVersion": 1, "manifests": []}, None),
        ("text/plain", {"mediaType": 3}, None),
        ("application/vnd.docker.container.image.v1+json", {"mediaType": OCI_MANIFEST}, None),
        ("application/vnd.docker.distribution.manifest.v1+json", {}, None),
    ],
)
def test_media_types(content_type: str, content: dict[str, object], media_type: str | None) -> None:
    body = json.dumps(content).encode()
    if media_type is None:
        with pytest.raises(BadAnswerError):
            read_manifest(body, content_type, "reg.example")
    else:
        assert read_manifest(body, content_type, "reg.example")[0] == media_type


@pytest.mark.parametrize("body", [b"", b"[]", b"3", b"{", b"\xff", b"[" * 100_000])
def test_no_manifest(body: bytes) -> None:
    with pytest.raises(BadAnswerError):
        read_manifest(body, OCI_INDEX, "reg.example")


@pytest.mark.parametrize(
    ("manifests", "platforms"),
    [
        ([], ()),
        (None, ()),
        ([3, {}, {"platform": 3}, entry("linux", 3), entry("linux", "")], ()),
        ([entry("unknown", "unknown")], ()),
        ([entry("windows", "amd64"), entry("linux", "arm", "v7")], ("linux/arm/v7", "windows/amd64")),
        ([entry("linux", "amd64"), entry("linux", "amd64")], ("linux/amd64",)),
        ([entry("linux", "\x1b[31m")], ()),
    ],
)
def test_platforms(manifests: object, platforms: tuple[str, ...]) -> None:
    body = json.dumps({"manifests": manifests}).encode()
    assert read_manifest(body, OCI_INDEX, "reg.example") == (OCI_INDEX, platforms)
    assert read_manifest(body, OCI_MANIFEST, "reg.example") == (OCI_MANIFEST, None)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sha256:" + "a" * 64, True),
        ("sha384:" + "a" * 96, True),
        ("sha512:" + "a" * 128, True),
        ("sha256:" + "a" * 63, False),
        ("sha256:" + "A" * 64, False),
        ("sha256:" + "a" * 64 + "\n", False),
        ("md5:" + "a" * 32, False),
        ("", False),
    ],
)
def test_digests(text: str, expected: bool) -> None:
    assert is_digest(text) is expected
