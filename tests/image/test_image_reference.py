"""Naming an image: every form, real engines and a real registry among them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from registry.servers import Answer, FakeServer, Pusher, Request, docker_registry

from dfopt.image import ImageError, ReadLimits, make_ledger, open_image
from dfopt.image.engines import ENGINES
from dfopt.registry.client import RegistryClient
from dfopt.registry.credentials import CredentialStore
from dfopt.registry.resolution import ClientOptions
from image.builders import Layout, digest, docker_archive, file, gz, layer, oci_archive, oci_layout, require, whiteout

TARS = [layer(file("etc/a", "x" * 3000), file("b", "yy")), layer(whiteout("b"), file("c", "zzz"))]


def live(reference: str, **more: object) -> tuple[int, int]:
    with open_image(reference, **more) as image:  # type: ignore[arg-type]
        ledger = make_ledger(image.read().layers)
        return ledger.live_bytes, ledger.dead_bytes


@pytest.fixture
def forms(tmp_path: Path) -> dict[str, Path]:
    return {
        "oci": oci_layout(tmp_path / "layout", TARS),
        "oci-archive": oci_archive(tmp_path / "oci.tar", TARS),
        "docker-archive": docker_archive(tmp_path / "docker.tar", TARS),
    }


@pytest.mark.parametrize("kind", ["oci", "oci-archive", "docker-archive"])
def test_files_by_path_and_by_scheme(forms: dict[str, Path], kind: str) -> None:
    path = forms[kind]
    name = "app:1" if kind == "docker-archive" else "latest"
    for reference in (f"{path}", f"{kind}:{path}", f"{kind}:{path}:{name}"):
        assert live(reference) == (3003, 2)


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("oci:{docker-archive}", "is no oci-layout, but of the form docker-archive"),
        ("docker-archive:{oci}", "is no docker-archive, but of the form oci-layout"),
        ("oci:{oci}:none", "no image 'none' in it: it holds latest"),
        ("oci:/no/such/place:x", "/no/such/place: no such file or directory"),
        ("/no/such/image.tar", "/no/such/image.tar: no such file or directory"),
        ("https://example.com/x", "is written docker://HOST/NAME:TAG"),
        ("docker://", "is no image reference"),
        ("-x", "is neither a file nor an image's name"),
        ("a b", "is neither a file nor an image's name"),
    ],
)
def test_what_is_told(forms: dict[str, Path], reference: str, message: str) -> None:
    with pytest.raises(ImageError, match=message):
        open_image(reference.format_map(forms))


def test_a_path_with_a_colon(tmp_path: Path) -> None:
    path = docker_archive(tmp_path / "a:b.tar", TARS)
    assert live(f"docker-archive:{path}:app:1") == live(str(path)) == (3003, 2)


def test_standard_input(forms: dict[str, Path]) -> None:
    script = "from dfopt.image import *\nprint(make_ledger(open_image('-').read().layers).live_bytes)"
    data = forms["docker-archive"].read_bytes()
    done = subprocess.run([sys.executable, "-c", script], input=data, capture_output=True, check=True)
    assert done.stdout == b"3003\n"


# -- engines -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory that is all of PATH: an engine is a script there."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def stand_in(folder: Path, name: str, exists: str, save: str) -> None:
    script = folder / name
    script.write_text(
        f'#!/bin/sh\nPATH=/usr/bin:/bin\ncase "$1 $2" in\n"image inspect"|"inspect "*) {exists};;\n*) {save};;\nesac\n'
    )
    script.chmod(0o755)


def test_the_first_engine_that_has_it(tools: Path, forms: dict[str, Path]) -> None:
    stand_in(tools, "docker", "echo 'Error: No such image' >&2; exit 1", "exit 9")
    stand_in(tools, "podman", "exit 0", f"cat '{forms['docker-archive']}'")
    with open_image("whatever:1") as image:
        assert image.kind == "engine"
        assert make_ledger(image.read().layers).live_bytes == 3003


def test_no_engine_has_it(tools: Path) -> None:
    stand_in(tools, "docker", "echo 'warning' >&2; echo 'No such image: x' >&2; exit 1", "exit 9")
    with pytest.raises(ImageError, match=r"no image of that name \(docker: No such image: x\); docker://x reads it"):
        open_image("x")


def test_no_engine_at_all(tools: Path) -> None:
    with pytest.raises(ImageError, match="no engine to ask for an image of that name"):
        open_image("x")
    with pytest.raises(ImageError, match="podman is not installed"):
        open_image("podman:x")


@pytest.mark.parametrize(
    ("save", "message"),
    [
        pytest.param("echo 'disk full' >&2; exit 3", "docker failed: disk full", id="fails-at-once"),
        pytest.param("head -c 1500 '{archive}'; echo gone >&2; exit 1", "docker failed: gone", id="fails-midway"),
        pytest.param("head -c 1500 '{archive}'", "truncated", id="ends-midway"),
        pytest.param("cat '{archive}'; exit 4", "ended with status 4", id="fails-at-the-end"),
        pytest.param("cat /dev/zero", "more than 4194304 bytes", id="never-ends"),
    ],
)
def test_an_engine_that_fails(tools: Path, forms: dict[str, Path], save: str, message: str) -> None:
    stand_in(tools, "docker", "exit 0", save.format(archive=forms["docker-archive"]))
    with open_image("x") as image, pytest.raises(ImageError, match=message):
        image.read(ReadLimits(archive_bytes=1 << 22))


@pytest.mark.parametrize("program", ["buildah", "podman"])
def test_a_real_engine_without_a_daemon(program: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = require(program, f"images of {program} are read from it (Debian package {program})")
    if os.geteuid() != 0:
        pytest.skip(f"{program}'s storage in a directory of the test needs root")
    storage = ["--root", str(tmp_path / "root"), "--runroot", str(tmp_path / "run"), "--storage-driver", "vfs"]
    archive = docker_archive(tmp_path / "image.tar", TARS, name="localhost/dfopt-review-test:1")
    pull = ["pull", "--quiet"] if program == "buildah" else ["load", "--quiet", "--input"]
    source = f"docker-archive:{archive}" if program == "buildah" else str(archive)
    done = subprocess.run([path, *storage, *pull, source], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    wrapper = tmp_path / "bin" / program  # as the user's storage.conf would say it
    wrapper.parent.mkdir()
    wrapper.write_text(f'#!/bin/sh\nexec {path} {" ".join(storage)} "$@"\n')
    wrapper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{wrapper.parent}:{os.environ['PATH']}")
    assert live(f"{program}:localhost/dfopt-review-test:1") == (3003, 2)
    with pytest.raises(ImageError, match="no image of that name"):
        live(f"{program}:localhost/dfopt-review-test:2")
    shutil.rmtree(tmp_path / "root", ignore_errors=True)


def test_every_engine_is_asked_without_a_shell() -> None:
    assert all(" " not in word for command in ENGINES.values() for word in (*command.exists, *command.save))


# -- registries --------------------------------------------------------------------------------------------------------


@pytest.fixture
def client(tmp_path: Path) -> Iterator[RegistryClient]:
    home = CredentialStore({"HOME": str(tmp_path), "PATH": os.environ["PATH"]})
    with RegistryClient(ClientOptions(certs_dirs=()), home) as made:
        yield made


def pushed(host: str, layout: Layout, tag: str) -> None:
    """Pushes the single manifest of a layout."""
    import json

    descriptor = layout.index[0]
    with closing(Pusher(host, "team/app")) as pusher:
        for data in layout.files.values():
            pusher.blob(data, "")
        manifest = json.loads(layout.files[f"blobs/{descriptor['digest'].replace(':', '/')}"])
        pusher.manifest(tag, manifest)


def test_a_real_registry(tmp_path: Path, client: RegistryClient) -> None:
    require("docker-registry", "images of a registry are read from a real one (Debian package docker-registry)")
    layout = Layout()
    layout.add(layout.manifest([*TARS, layer(file("big", os.urandom(6 << 20)))], gz))
    with docker_registry(tmp_path / "registry", tmp_path / "data") as host:
        pushed(host, layout, "1")
        assert live(f"docker://{host}/team/app:1", client=client) == (3003 + (6 << 20), 2)
        with pytest.raises(ImageError, match=r"has no .*team/app:none"):
            live(f"docker://{host}/team/app:none", client=client)


def serving(layout: Layout, **instead: bytes) -> tuple[FakeServer, dict[str, bytes]]:
    """A server of the one image of a layout. instead: by `manifest` or `blob`: bytes to answer with."""
    name = layout.index[0]["digest"]

    def respond(request: Request) -> Answer:
        kind, key = request.path.split("/")[-2:]
        body = layout.files.get(f"blobs/{(name if kind == 'manifests' else key).replace(':', '/')}")
        body = instead.get(kind, body)
        if body is None:
            return Answer(404)
        media = {"Content-Type": "application/vnd.oci.image.manifest.v1+json"} if kind == "manifests" else {}
        return Answer(200, media, body)

    return FakeServer(respond), layout.files


def test_blobs_are_verified(client: RegistryClient) -> None:
    layout = Layout()
    layout.add(layout.manifest([layer(file("a", "1"))]))
    tar = layer(file("a", "1"))
    layout.files[f"blobs/{digest(tar).replace(':', '/')}"] = layer(file("a", "2"))
    server, _ = serving(layout)
    try:
        with pytest.raises(ImageError, match=r"digest does not match|diff_id"):
            live(f"docker://{server.host}/x:1", client=client)
    finally:
        server.stop()


def test_a_manifest_that_is_not_its_digest(client: RegistryClient) -> None:
    layout = Layout()
    layout.add(layout.manifest([layer(file("a", "1"))]))
    server, _ = serving(layout)
    try:
        with pytest.raises(ImageError, match="but its content is"):
            live(f"docker://{server.host}/x@sha256:{'0' * 64}", client=client)
    finally:
        server.stop()


def test_a_config_and_a_layer_that_are_not_there(client: RegistryClient) -> None:
    layout = Layout()
    layout.add(layout.manifest([layer(file("a", "1"))]))
    tar = f"blobs/{digest(layer(file('a', '1'))).replace(':', '/')}"
    del layout.files[tar]
    server, _ = serving(layout)
    try:
        with pytest.raises(ImageError, match=r"cannot be read: .* has no .*@sha256:.* \(a blob\)"):
            live(f"docker://{server.host}/x:1", client=client)
    finally:
        server.stop()
