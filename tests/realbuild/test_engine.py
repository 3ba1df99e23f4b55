"""The engine builds, the comparison holds on real images, and nothing of a build is left behind."""

from __future__ import annotations

import os
import stat
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .compare import compare
from .engine import Engine, EngineError, without_frontend
from .image import ImageFacts, image_facts, images_of
from .plugin import require

SYNTAX = [
    ("nothing to do", b"FROM a\n", b"FROM a\n"),
    ("no directive", b"# a comment\n# syntax=x\nFROM a\n", b"# a comment\n# syntax=x\nFROM a\n"),
    ("after an instruction", b"FROM a\n# syntax=x\n", b"FROM a\n# syntax=x\n"),
    ("after a blank line", b"\n# syntax=x\nFROM a\n", b"\n# syntax=x\nFROM a\n"),
    ("unknown directive first", b"# foo=1\n# syntax=x\nFROM a\n", b"# foo=1\n# syntax=x\nFROM a\n"),
    ("syntax", b"# syntax=docker/dockerfile:1\nFROM a\n", b"FROM a\n"),
    ("blanks, case, CRLF", b"#  SynTax = x \r\nFROM a\r\n", b"FROM a\r\n"),
    ("escape stays", b"#syntax=x\n# escape=`\nFROM a\n", b"# escape=`\nFROM a\n"),
    ("escape first", b"# escape=`\n# syntax=x\nFROM a\n", b"# escape=`\nFROM a\n"),
    ("check between", b"# syntax=x\n# check=skip=all\n# escape=`\nFROM a", b"# escape=`\nFROM a"),
    ("in a heredoc", b"FROM a\nRUN <<E\n# syntax=x\nE\n", b"FROM a\nRUN <<E\n# syntax=x\nE\n"),
    ("only that", b"# syntax=x", b""),
]


@pytest.mark.parametrize(("given", "built"), [row[1:] for row in SYNTAX], ids=[row[0] for row in SYNTAX])
def test_without_frontend(given: bytes, built: bytes) -> None:
    assert without_frontend(given) == built


@pytest.fixture
def build(engine: Engine, tmp_path: Path) -> Iterator[Callable[..., str]]:
    """Builds a Dockerfile's text with an empty context; what was built is removed after the test."""
    built: list[str] = []

    def build(text: str, **options: object) -> str:
        built.append(engine.build(tmp_path, text.encode(), **options))  # type: ignore[arg-type]
        return built[-1]

    yield build
    engine.remove(*built)


def _facts(engine: Engine, *images: str) -> list[ImageFacts]:
    archive = engine.save(*images)
    try:
        found = {image.id: image for image in images_of(archive)}
    finally:
        archive.unlink()
    return [found[image] for image in images]


def test_a_repeated_build_is_equal(engine: Engine, build: Callable[..., str]) -> None:
    text = (
        "# syntax=docker/dockerfile:1\nFROM debian:trixie-slim\n"
        "RUN apt-get update && apt-get install -y --no-install-recommends dbus\n"
        "RUN useradd --create-home someone\n"
    )
    before, after = _facts(engine, build(text), build(text))
    assert before.layers != after.layers, "the second build took the first one's layers"
    assert compare(before, after) == []
    raw = {path for path, facts in before.files.items() if facts.sha256 != after.files[path].sha256}
    assert "/var/log/dpkg.log" in raw, "the masks had nothing to do: this test proves nothing about them"


# What `setcap cap_net_raw+ep` writes: struct vfs_cap_data of linux/capability.h, revision 2, effective, bit 13.
NET_RAW = "0100000200200000000000000000000000000000"


def test_planted_differences_are_seen(engine: Engine, build: Callable[..., str]) -> None:
    base = (
        "FROM python:3.13-slim\n"
        "RUN mkdir /p && cd /p && for f in content mode owner gone kind xattr; do echo 1 >$f; done; ln -s a link\n"
    )
    planted = base + (
        "RUN cd /p && echo 2 >content && chmod 600 mode && chown 5:6 owner && rm gone kind && mkdir kind && "
        "ln -sf b link && echo 1 >new && "
        f"python3 -c 'import os; os.setxattr(\"xattr\", \"security.capability\", bytes.fromhex(\"{NET_RAW}\"))'\n"
        "ENV A=1\nUSER 5\nCMD [\"true\"]\nEXPOSE 80\n"
    )  # fmt: skip
    before, after = _facts(engine, build(base), build(planted))
    assert [(difference.where, difference.what) for difference in compare(before, after)] == [
        ("/p/content", "content"),
        ("/p/gone", "path"),
        ("/p/kind", "kind"),
        ("/p/link", "target"),
        ("/p/mode", "mode"),
        ("/p/new", "path"),
        ("/p/owner", "owner"),
        ("/p/xattr", "xattrs"),
        ("config.Cmd", "value"),
        ("config.Env", "value"),
        ("config.ExposedPorts", "value"),
        ("config.User", "value"),
    ]


STACK = r"""
FROM debian:trixie-slim
RUN mkdir -p /t/keep/deep /t/opaque/deep /t/gone/deep /t/tofile && cd /t && echo 1 >keep/a && echo 1 >keep/deep/b && \
    echo 1 >opaque/a && echo 1 >opaque/deep/b && echo 1 >gone/deep/b && echo 1 >tofile/a && echo one >hard1 && \
    ln hard1 hard2 && ln hard1 keep/hard3 && ln -s keep tolink && mkfifo pipe && echo 1 >todir
RUN cd /t && rm -r opaque && mkdir opaque && echo 2 >opaque/new && rm -r gone tofile todir && echo 2 >tofile && \
    mkdir todir && echo 2 >todir/a && chmod 4711 hard1 && chown 12:34 keep/a && rm keep/deep/b tolink && mkdir tolink
RUN rm -rf /t/opaque && mkdir /t/opaque && ln /t/hard2 /t/hard4 && rm /t/hard1 && chmod 1777 /t/keep && \
    printf 2 >"/t/name with blanks" && printf 3 >/t/$(printf '\303\244\377')
"""


KINDS = {
    stat.S_IFDIR: "dir",
    stat.S_IFREG: "file",
    stat.S_IFLNK: "symlink",
    stat.S_IFIFO: "fifo",
    stat.S_IFCHR: "char",
}


def test_layers_are_applied_as_umoci_does(engine: Engine, build: Callable[..., str], tmp_path: Path) -> None:
    require("skopeo", "umoci")
    archive = engine.save(build(STACK))
    try:
        image = image_facts(archive)
        copy = ["skopeo", "--insecure-policy", "copy", "-q", f"docker-archive:{archive}", f"oci:{tmp_path}/oci:it"]
        subprocess.run(copy, check=True, timeout=120)
    finally:
        archive.unlink()
    unpack = ["umoci", "unpack", "--image", f"{tmp_path}/oci:it", str(tmp_path / "bundle")]
    subprocess.run(unpack, check=True, timeout=120, capture_output=True)
    root = tmp_path / "bundle" / "rootfs"
    unpacked = {"/" + str(path.relative_to(root)): path for path in root.rglob("*")}
    assert set(image.files) - {"/"} == set(unpacked)
    assert {path for path in image.files if path.startswith("/t/opaque/")} == set()
    for path, file in unpacked.items():
        status, facts = file.lstat(), image.files[path]
        assert KINDS[stat.S_IFMT(status.st_mode)] == facts.kind, path
        assert (status.st_uid, status.st_gid) == (facts.uid, facts.gid), path
        assert stat.S_IMODE(status.st_mode) == facts.mode, path
        if facts.kind == "file":
            assert file.stat().st_size == facts.size, path
        if facts.kind == "symlink":
            assert str(file.readlink()) == facts.target, path
        if facts.kind == "char":
            assert f"{os.major(status.st_rdev)}:{os.minor(status.st_rdev)}" == facts.target, path


def test_build_options(engine: Engine, build: Callable[..., str]) -> None:
    text = "FROM never-heard-of:1 AS first\nARG WORD=none\nRUN echo $WORD >/word\nFROM first\nRUN echo other >/word\n"
    stand_ins = {"never-heard-of:1": "busybox:latest"}
    image = build(text, target="first", args={"WORD": "given"}, stand_ins=stand_ins)
    assert engine.run(image, "cat /word").stdout == b"given\n"


def test_context(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"from the context")
    image = engine.build(tmp_path, b"FROM scratch\nCOPY file /there\n")
    [facts] = _facts(engine, image)
    engine.remove(image)
    assert facts.files["/there"].size == 16
    assert set(facts.files) == {"/", "/there"}


def test_run(engine: Engine, build: Callable[..., str]) -> None:
    image = build("FROM busybox\n")
    ran = engine.run(image, "echo out; echo err >&2; exit 3")
    assert (ran.code, ran.stdout, ran.stderr) == (3, b"out\n", b"err\n")
    assert engine.run(image, "ls /sys/class/net").stdout == b"lo\n", "the container sees a network"


def test_run_takes_too_long(engine: Engine, build: Callable[..., str]) -> None:
    with pytest.raises(EngineError, match=r"took over 2 s"):
        engine.run(build("FROM busybox\n"), "sleep 600", timeout=2)
    assert _listed(engine, "ps", "--all", "--quiet", "--filter", "name=dfopt-realbuild-") == []


FAILURES = [
    ("step fails", "FROM busybox\nRUN echo the reason; exit 7\n", r"the reason(.|\n)*exit code: 7"),
    ("no Dockerfile", "", "the Dockerfile cannot be empty"),
    ("unknown instruction", "FROM busybox\nHALLO\n", "unknown instruction: HALLO"),
]


@pytest.mark.parametrize(("text", "message"), [row[1:] for row in FAILURES], ids=[row[0] for row in FAILURES])
def test_failing_build(build: Callable[..., str], text: str, message: str) -> None:
    with pytest.raises(EngineError, match=message):
        build(text)


def test_build_takes_too_long(build: Callable[..., str]) -> None:
    with pytest.raises(EngineError, match=r"took over 3 s"):
        build("FROM busybox\nRUN sleep 600\n", timeout=3)


def test_cancelled_build(engine: Engine, build: Callable[..., str]) -> None:
    timer = threading.Timer(2, engine.cancel)
    timer.start()
    try:
        with pytest.raises(EngineError, match=r"status -9"):
            build("FROM busybox\nRUN sleep 600\n")
    finally:
        timer.cancel()


def test_no_engine_there(tmp_path: Path) -> None:
    nowhere = Engine(f"unix://{tmp_path}/none.sock")
    try:
        with pytest.raises(EngineError, match=r"none\.sock|cannot be run"):
            nowhere.check()
    finally:
        nowhere.close()


def test_removing_spares_the_base(engine: Engine, tmp_path: Path) -> None:
    def tags() -> list[str]:
        return _listed(engine, "image", "ls", "--format", "{{.Repository}}:{{.Tag}}")

    before = tags()
    image = engine.build(tmp_path, b"FROM busybox:latest\n")
    assert len(tags()) == len(before) + 1
    engine.remove(image)
    engine.remove(image)
    assert tags() == before
    assert "busybox:latest" in before


def _listed(engine: Engine, *words: str) -> list[str]:
    done = subprocess.run(["docker", "--host", engine.host, *words], check=True, stdout=subprocess.PIPE, timeout=60)
    return sorted(done.stdout.decode().split())
