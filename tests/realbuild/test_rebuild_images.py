"""`dfopt history --rebuild` on images of several makers: what it writes is built, and the ledger finds no difference in
files, modes, owners and config."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cli.running import dfopt

from dfopt.image import Comparison, compare, make_ledger, open_image
from dfopt.rebuild.rebuilding import Rebuilt, rebuild
from dfopt.writing import NewDirectory

from .engine import Engine
from .plugin import require


@pytest.fixture(autouse=True)
def opened(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Images are read from the engine of the tests."""
    monkeypatch.setenv("DOCKER_HOST", engine.host)
    monkeypatch.delenv("DOCKER_CONTEXT", raising=False)


@pytest.fixture
def made(engine: Engine) -> Iterator[list[str]]:
    """Names of images and containers, removed in the end."""
    names: list[str] = []
    yield names
    for name in names:
        engine.call(["rm", "--force", name], timeout=60)
        engine.call(["image", "rm", "--force", name], timeout=60)


def done(engine: Engine, *words: str, given: bytes = b"") -> bytes:
    ended = engine.call(words, 300, given)
    assert ended.returncode == 0, ended.stderr.decode()
    return ended.stdout


def round_trip(
    engine: Engine, reference: str, directory: Path, base: str | None = None, *, squash: bool = False
) -> tuple[Rebuilt, Comparison]:
    """The rebuild of an image in `directory`, and how what the engine builds from it differs from the image."""
    with open_image(reference) as image, NewDirectory(os.fspath(directory)) as folder:
        result = rebuild(image.stored(), base, squash=squash)
        result.write(folder)
        before = image.read()
    built = engine.build(directory, (directory / "Dockerfile").read_bytes())
    try:
        with open_image(f"docker-daemon:{built}") as image:
            after = image.read()
    finally:
        engine.remove(built)
    return result, compare(before, make_ledger(before.layers), after, make_ledger(after.layers))


def differences(comparison: Comparison) -> list[str]:
    """All of them but one that is none: no working directory is the root."""
    config = [change for change in comparison.config if (change.key, change.before) != ("WorkingDir", None)]
    return [*map(str, comparison.files), *map(str, config)]


# By mmdebstrap, by Alpine's own builder, by busybox's, of two kinds of Docker builds, for distroless.
IMAGES = [
    pytest.param("debian:13", (), id="debian"),
    pytest.param("debian:13-slim", (), id="debian-slim"),
    pytest.param("alpine:3.22", (), id="alpine"),
    pytest.param("busybox:1.37", (), id="busybox"),
    pytest.param("python:3.13-slim", (), id="python"),
    pytest.param("python:3.12-alpine", ("python-alpine",), id="python on alpine"),
    pytest.param("gcr.io/distroless/cc:latest", ("distroless-cc",), id="distroless"),
    pytest.param("nginxinc/nginx-unprivileged:alpine-slim", ("nginx-alpine-unprivileged",), id="nginx"),
    pytest.param("php:8.4-cli", ("php",), id="php"),
]


@pytest.mark.parametrize(("name", "bases"), IMAGES)
@pytest.mark.parametrize("how", ["on what is there", "from scratch"])
def test_images_of_several_makers(
    name: str, bases: tuple[str, ...], how: str, engine: Engine, more_bases: Callable[..., None], tmp_path: Path
) -> None:
    if bases:
        more_bases(*bases)
    base = "scratch" if how == "from scratch" else None
    _, comparison = round_trip(engine, f"docker-daemon:{name}", tmp_path / "out", base)
    assert differences(comparison) == []


CHANGES = r"""
set -e
mkdir -p /srv/app/conf && echo 'echo hello' > /srv/app/run.sh && chmod 755 /srv/app/run.sh
echo 'a = 1' > /srv/app/conf/app.toml && chown -R 1234:5678 /srv/app
cp /bin/true /srv/root && chmod 4755 /srv/root && cp /bin/true /srv/group && chmod 2711 /srv/group
ln /srv/root /srv/hard && ln -s ../app /srv/app/self && ln -s /nowhere /srv/dangling
mkfifo /srv/fifo && mkdir -p /srv/empty /srv/shared && chmod 1777 /srv/shared && chown 42:0 /srv/empty
echo x > '/srv/a b $HOME "q"' && echo y > "/srv/line
break" && printf z > /srv/$(printf '\303\251') && echo n > /srv/$(printf '\377')
rm /etc/motd /usr/share/doc/base-files/README && rm -r /usr/share/doc/tzdata && rm -rf /opt
echo 'kernel.x = 1' >> /etc/sysctl.conf && chmod 600 /etc/sysctl.conf && chown 3:4 /etc/fstab
rm -rf /media && echo 'a file now' > /media
"""


@pytest.mark.parametrize("squash", [False, True], ids=["layers", "squashed"])
def test_a_committed_container(squash: bool, engine: Engine, made: list[str], tmp_path: Path) -> None:
    name = f"dfopt-rebuild-{uuid.uuid4().hex}"
    made.append(name)
    done(engine, "run", "--name", name, "--network=none", "debian:13", "/bin/sh", "-c", CHANGES)
    changes = [
        "--change=ENV A=\"two words\" B='$x'", "--change=USER 1234:5678", "--change=WORKDIR /srv/app",
        '--change=ENTRYPOINT ["/bin/sh", "-c", "exec \\"$0\\""]', '--change=CMD ["/srv/app/run.sh"]',
        "--change=EXPOSE 8080/tcp 53/udp", "--change=VOLUME /data", "--change=LABEL one=1 two='a b'",
        "--change=STOPSIGNAL SIGINT", "--change=ONBUILD RUN make",
        "--change=HEALTHCHECK --interval=5s CMD true || false",
    ]  # fmt: skip
    done(engine, "commit", *changes, name, name)
    result, comparison = round_trip(engine, f"docker-daemon:{name}", tmp_path / "out", "debian:13", squash=squash)
    assert differences(comparison) == []
    text = (tmp_path / "out/Dockerfile").read_text()
    assert "\nFROM debian:13\n" in text
    assert "\nCOPY --chown=1234:5678 layer-1/srv/app /srv/app/\n" in text
    assert '"/usr/share/doc/tzdata"' in text
    assert result.plan.base.layers == comparison.shared


CAPABLE = """\
FROM debian:13-slim AS build
RUN cp /bin/true /ping && chmod 755 /ping
FROM debian:13-slim
USER nobody
WORKDIR /nowhere/else
ENV EMPTY="" QUOTED="say \\"hi\\"" DOLLAR='$HOME'
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
HEALTHCHECK --interval=1m --timeout=1500ms --retries=2 CMD ["/ping", "a b"]
STOPSIGNAL 10
VOLUME ["/data", "/with space"]
COPY --from=build --chown=7:8 --chmod=4711 /ping /usr/local/bin/ping
CMD echo $HOME | cat
"""


def test_an_image_on_a_base_with_another_user(engine: Engine, made: list[str], tmp_path: Path) -> None:
    """The rm of an upper layer must run as root, and leave user and directory as they were."""
    base = f"dfopt-rebuild-{uuid.uuid4().hex}"
    made.append(base)
    below = engine.build(tmp_path, CAPABLE.encode())
    done(engine, "tag", below, base)
    upper = (
        b"FROM %s\nUSER 0\nRUN rm /usr/local/bin/ping /etc/issue && chmod 700 /nowhere\nUSER nobody\n" % base.encode()
    )
    image = engine.build(tmp_path, upper)
    result, comparison = round_trip(engine, f"docker-daemon:{image}", tmp_path / "out", base)
    assert differences(comparison) == []
    assert (result.plan.base.name, result.plan.squashed) == (base, False)
    _, comparison = round_trip(engine, f"docker-daemon:{below}", tmp_path / "below")
    assert differences(comparison) == []


def test_an_imported_file_system(engine: Engine, made: list[str], tmp_path: Path) -> None:
    """It has no history, no PATH, and what an engine puts into each container."""
    name = f"dfopt-rebuild-{uuid.uuid4().hex}"
    made.append(name)
    done(engine, "create", "--name", name, "busybox:1.37")
    done(engine, "import", "-", name, given=done(engine, "export", name))
    result, comparison = round_trip(engine, f"docker-daemon:{name}", tmp_path / "out", "scratch")
    assert [change.key for change in comparison.config if change.key != "WorkingDir"] == ["Env.PATH"]
    assert comparison.files == ()
    assert "PATH is set, as engines do for a container without one" in result.notes


def test_an_image_that_umoci_made(engine: Engine, tmp_path: Path) -> None:
    """An OCI layout with attributes and devices, read without an engine."""
    require("umoci")
    layout = f"{tmp_path}/image:one"

    def umoci(*words: str) -> None:
        ended = subprocess.run(["umoci", *words], capture_output=True, text=True, check=False)
        assert ended.returncode == 0, ended.stderr

    umoci("init", "--layout", f"{tmp_path}/image")
    umoci("new", "--image", layout)
    umoci("unpack", "--image", layout, f"{tmp_path}/bundle")
    root = tmp_path / "bundle/rootfs"
    (root / "bin").mkdir()
    (root / "bin/tool").write_bytes(b"\x7fELF")
    (root / "bin/tool").chmod(0o6755)
    os.chown(root / "bin/tool", 11, 22)
    (root / "bin/tool").chmod(0o6755)
    capability = b"\x01\x00\x00\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
    (root / "bin/able").write_bytes(b"\x7fELF")
    (root / "bin/able").chmod(0o750)
    os.setxattr(root / "bin/able", "security.capability", capability)
    os.mknod(root / "null", 0o20666, os.makedev(1, 3))
    umoci("repack", "--image", layout, f"{tmp_path}/bundle")
    umoci("config", "--image", layout, "--config.user=11:22", "--config.env=A=1", "--config.cmd=/bin/tool")
    _, comparison = round_trip(engine, f"oci:{layout}", tmp_path / "out", "scratch")
    assert comparison.files == ()
    assert {change.key for change in comparison.config} <= {"WorkingDir", "Env.PATH"}


HARD = {
    "nofile": resource.getrlimit(resource.RLIMIT_NOFILE)[1],
    "nproc": resource.getrlimit(resource.RLIMIT_NPROC)[1],
}


def test_an_image_that_buildah_made(engine: Engine, tmp_path: Path) -> None:
    """A layer of everything above the base, in an OCI archive."""
    require("buildah")
    storage = ["--storage-driver=vfs", f"--root={tmp_path}/storage", f"--runroot={tmp_path}/run"]

    def buildah(*words: str) -> str:
        ended = subprocess.run(["buildah", *storage, *words], capture_output=True, text=True, check=False)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout.strip()

    base = engine.save("busybox:1.37")
    try:
        limits = [f"--ulimit={name}={hard}:{hard}" for name, hard in HARD.items()]  # it cannot raise its own
        container = buildah("from", *limits, f"docker-archive:{base}")
    finally:
        base.unlink()
    buildah("run", "--isolation=chroot", container, "/bin/sh", "-c", "rm /bin/wget; mkdir -m 700 /srv; echo x > /srv/a")
    buildah("config", "--entrypoint", '["/bin/sh"]', "--label=a=b c", "--workingdir=/srv", container)
    buildah("commit", container, f"oci-archive:{tmp_path}/image.tar")
    buildah("rm", container)
    for base_name in ("busybox:1.37", "scratch"):
        directory = tmp_path / base_name.partition(":")[0]
        _, comparison = round_trip(engine, f"oci-archive:{tmp_path}/image.tar", directory, base_name)
        assert differences(comparison) == []


PACKAGES = """\
set -e
apt-get update -qq && apt-get install -y -qq --no-install-recommends file less
rm -rf /var/lib/apt/lists/*
mkdir /srv/app && echo 'echo hello' > /srv/app/run.sh && chmod 755 /srv/app/run.sh
"""


def test_packages_of_a_committed_container_become_an_install(
    engine: Engine, made: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"dfopt-rebuild-{uuid.uuid4().hex}"
    made.append(name)
    done(engine, "run", "--name", name, "--network=host", "debian:13-slim", "/bin/sh", "-c", PACKAGES)
    done(engine, "commit", '--change=CMD ["/srv/app/run.sh"]', name, name)
    monkeypatch.chdir(tmp_path)
    words = ["history", name, "--rebuild", "out", "--base", "debian:13-slim", "--verify", "--network", "host"]
    ended = dfopt(*words, cwd=tmp_path, driven=False)
    assert ended.returncode == 0, ended.stderr.decode()
    assert ended.stdout.decode().endswith("built: equal to the image\n")
    text = (tmp_path / "out/Dockerfile").read_text()
    assert "apt-get install -y --no-install-recommends file less" in text
    assert "rm -rf /var/lib/apt/lists/*" in text
    assert "\nCOPY layer-1/srv/app /srv/app/\n" in text
    assert "ADD" not in text


def test_a_fat_container_becomes_a_small_image_with_its_source(engine: Engine, made: list[str], tmp_path: Path) -> None:
    first, second = (f"dfopt-rebuild-{uuid.uuid4().hex}" for _ in range(2))
    made += [second, first]
    grow = f"{PACKAGES}head -c 20000000 /dev/urandom > /srv/big\napt-get update -qq"
    done(engine, "run", "--name", first, "--network=host", "debian:13", "/bin/sh", "-c", grow)
    done(engine, "commit", first, first)
    done(engine, "run", "--name", second, "--network=none", first, "rm", "/srv/big")
    done(engine, "commit", '--change=CMD ["/srv/app/run.sh"]', second, second)
    words = ["optimize", second, "out", "--base", "debian:13", "--network", "host", "--smoke", "file /srv/app/run.sh"]
    ended = dfopt(*words, "--budget", "2", "--output-format", "json", cwd=tmp_path, driven=False)
    assert ended.returncode == 0, ended.stderr.decode()
    document = json.loads(ended.stdout)
    assert document["after"]["layer_bytes"] < document["before"]["layer_bytes"] - 40_000_000  # the file, and indexes
    assert "apt-get install" in (tmp_path / "out/Dockerfile").read_text()
    assert b"built: equal to the image" in ended.stderr
