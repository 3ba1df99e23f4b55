"""What is said to engines, by fake ones: the command lines of a build, of a run, and of cleaning up."""

from __future__ import annotations

import itertools
import json
import os
import threading
import time
from pathlib import Path

import pytest

from dfopt.engine import (
    NAMES,
    Build,
    BuildError,
    CancelledError,
    EngineError,
    EngineTimeLimitError,
    NoEngineError,
    find_engine,
    marks,
)
from dfopt.engine.base import abandoned_folders
from dfopt.engine.facts import EngineFacts, EngineSizes
from dfopt.engine.process import Runner

from .fake import Fake

ALL = ("docker", "podman", "buildah")
DOCKERFILE = b"FROM scratch\nCOPY a /\n"


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fake:
    """All three engines, each of which answers; temporary folders lie in the test's own."""
    made = Fake(tmp_path / "fake", *ALL)
    made.answer("buildx", "inspect", out="Name: default\nDriver: docker\n")
    made.answer("info", out=f"{tmp_path}\noverlay\n")
    work = tmp_path / "tmp"
    work.mkdir()
    monkeypatch.setenv("PATH", str(made.path))
    monkeypatch.setenv("TMPDIR", str(work))
    return made


def folders(tmp_path: Path) -> list[str]:
    return os.listdir(tmp_path / "tmp")


@pytest.mark.parametrize("name", ALL)
def test_build(fake: Fake, tmp_path: Path, name: str) -> None:
    (tmp_path / "Dockerfile").write_bytes(DOCKERFILE)
    (tmp_path / "Dockerfile.dockerignore").write_text("b\n")
    build = Build(
        "/context", DOCKERFILE, str(tmp_path / "Dockerfile"), "final", ("A=1", "B"), ("id=s,src=/s",), ("base=/x",),
        "host", "linux/arm64", cache=False,
    )  # fmt: skip
    with find_engine(name) as engine:
        image = engine.build(build, 60)
        assert image.own
        (call,) = fake.calls("build", image.name)
        assert call[-1] == "/context"
        for flag, value in (
            ("--target", "final"), ("--build-arg", "A=1"), ("--build-arg", "B"), ("--secret", "id=s,src=/s"),
            ("--build-context", "base=/x"), ("--network", "host"), ("--platform", "linux/arm64"),
        ):  # fmt: skip
            assert (flag, value) in list(itertools.pairwise(call))
        assert "--no-cache" in call
        assert image.name.rpartition("/")[2].startswith(marks.PREFIX)
        if name == "docker":
            assert f"{marks.LABEL}={marks.owner()}" in call
            assert "--load" in call
        else:
            assert ("--pull=never" in call, "--ignorefile" in call) == (True, True)
            assert call[call.index("--root") + 1].startswith(engine.folder)
    assert folders(tmp_path) == []


@pytest.mark.parametrize("name", ALL)
def test_failed_build_tells_the_end_of_its_log(fake: Fake, tmp_path: Path, name: str) -> None:
    fake.answer("build", "/c", code=1, err="step 1\nERROR: no such file\n")
    with find_engine(name) as engine, pytest.raises(BuildError, match="no such file"):
        engine.build(Build("/c", DOCKERFILE), 60)
    assert folders(tmp_path) == []


@pytest.mark.parametrize(
    ("log", "gone"),
    [
        ("#5 DONE\nERROR: failed to receive status: rpc error: code = Unavailable desc = error reading: EOF\n", True),
        ("ERROR: Cannot connect to the Docker daemon at unix:///s. Is the docker daemon running?\n", True),
        ("#5 0.1 ERROR: Cannot connect to the Docker daemon\nERROR: failed to solve: exit code: 1\n", False),
    ],
)
def test_an_engine_that_stops_is_no_fault_of_the_file(fake: Fake, log: str, gone: bool) -> None:
    """A failed build proves something of the fixes; this must not."""
    fake.answer("build", "/c", code=1, err=log)
    with find_engine("docker") as engine, pytest.raises(EngineError) as failure:
        engine.build(Build("/c", DOCKERFILE), 60)
    assert isinstance(failure.value, BuildError) != gone


@pytest.mark.parametrize("kind", ["polite", "deaf"])
@pytest.mark.parametrize("name", ALL)
def test_build_that_hangs_is_ended(
    fake: Fake, tmp_path: Path, name: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dfopt.engine import process

    monkeypatch.setattr(process, "_GRACE", tuple((number, 0.5) for number, _ in process._GRACE))
    fake.answer("build", "/c", hang=kind)
    seen: list[str] = []
    with find_engine(name) as engine, pytest.raises(EngineTimeLimitError, match="took over 2 s"):
        engine.build(Build("/c", DOCKERFILE), 2, seen.append)
    assert seen == ["waiting"]
    assert folders(tmp_path) == []


def test_interrupt_cleans_up(fake: Fake, tmp_path: Path) -> None:
    fake.answer("build", "/c", hang="polite")

    def interrupt(_: str) -> None:
        engine.cancel()

    with find_engine("docker") as engine:
        with pytest.raises((CancelledError, BuildError)):
            engine.build(Build("/c", DOCKERFILE), 60, interrupt)
        with pytest.raises(CancelledError):
            engine.build(Build("/c", DOCKERFILE), 60)
    assert fake.calls("image", "ls")  # it asked for what the cancelled build may have left
    assert folders(tmp_path) == []


def test_docker_removes_what_carries_its_mark(fake: Fake) -> None:
    fake.answer("image", "ls", f"label={marks.LABEL}={marks.owner()}", out="sha256:1\nsha256:2\n")
    fake.answer("container", "ls", f"label={marks.LABEL}={marks.owner()}", out="c1\n")
    with find_engine("docker"):
        pass
    assert [call[-2:] for call in fake.calls("image", "rm")] == [["sha256:1", "sha256:2"]]
    assert [call[-1] for call in fake.calls("rm", "--volumes")] == ["c1"]


def test_start_removes_what_a_crashed_run_left(fake: Fake, tmp_path: Path) -> None:
    gone = marks.owner().replace(f"-{os.getpid()}-", "-4194999-")  # above any process id of Linux
    fake.answer("image", "ls", out="sha256:1\nsha256:2\nsha256:3\n")
    elsewhere = "0" * 12 + "-1-1"
    fake.answer("image", "inspect", out=f"sha256:1 {gone}\nsha256:2 {elsewhere}\nsha256:3 {marks.owner()}\n")
    left, mine = tmp_path / f"tmp/dfopt-docker-{gone}-abc", tmp_path / "tmp/dfopt-docker-mine"
    left.mkdir()
    mine.mkdir()
    (left / "image.tar").write_text("x")
    assert abandoned_folders("docker") == [str(left)]
    engine = find_engine("docker")
    try:
        assert [call[-1] for call in fake.calls("image", "rm")] == ["sha256:1"]
        assert not left.exists()
        assert mine.exists()
    finally:
        engine.close()


def test_builder_elsewhere_delivers_an_archive(fake: Fake) -> None:
    fake.answer("buildx", "inspect", "far", out="Name: far\nDriver: docker-container\n")
    with find_engine(None, "far") as engine:
        image = engine.build(Build("/c", DOCKERFILE, network="host"), 60)
        (call,) = fake.calls("build", "/c")
        assert call[call.index("--builder") + 1] == "far"
        assert f"type=docker,dest={image.archive},name={image.name}" in call
        assert ("--allow", "network.host") in list(itertools.pairwise(call))
        assert engine.save(image) == image.archive
        engine.run(image, ("true",), None, 60)
        assert fake.calls("load", image.archive)
        engine.remove(image)
        assert not os.path.exists(image.archive)


def test_builder_by_address_leaves_the_users_builders_alone(fake: Fake) -> None:
    fake.answer("buildx", "inspect", "--bootstrap", out="Driver: remote\n")
    with find_engine(None, "tcp://10.0.0.1:1234") as engine:
        (call,) = fake.calls("buildx", "create")
        assert call[-1] == "tcp://10.0.0.1:1234"
        assert engine.runner.environment["BUILDX_CONFIG"].startswith(engine.folder)
    assert fake.calls("buildx", "rm")


def test_builder_of_another_docker_context_is_spoken_to_by_that_context(fake: Fake) -> None:
    fake.answer("buildx", "inspect", "there", out="Driver: docker\n")
    with find_engine(None, "there") as engine:
        engine.save(engine.build(Build("/c", DOCKERFILE), 60))
    assert fake.calls("save")[0][1:3] == ["--context", "there"]


def test_a_container_that_is_deaf_goes_before_its_client(fake: Fake) -> None:
    fake.answer("run", "-c", hang="deaf")
    with find_engine("docker") as engine:
        image = engine.build(Build("/c", DOCKERFILE), 60)
        with pytest.raises(EngineTimeLimitError):
            engine.run(image, ("/bin/sh", "-c", "x"), "none", 1)
        (call,) = fake.calls("run", "/bin/sh")
        removed = fake.calls("rm", call[call.index("--name") + 1])
    assert len(removed) == 2  # at once, and, since docker did not say that it is gone, after the client's end


@pytest.mark.parametrize("cancelled", [False, True], ids=["time-limit", "cancelled"])
def test_what_a_command_waits_for_is_ended_first(tmp_path: Path, cancelled: bool) -> None:
    gone, ended = tmp_path / "gone", tmp_path / "ended"
    script = f"trap '' INT TERM; until [ -e {gone} ]; do sleep 0.02; done; echo x >{ended}"
    runner = Runner()

    def stop() -> None:
        runner.run(["touch", str(gone)], 60, always=True)
        while not ended.exists():
            time.sleep(0.02)

    if cancelled:
        threading.Timer(0.2, runner.cancel).start()
    with pytest.raises(CancelledError if cancelled else EngineTimeLimitError):
        runner.run(["sh", "-c", script], 60 if cancelled else 0.2, stop=stop)
    assert ended.read_text() == "x\n"


@pytest.mark.parametrize("name", ALL)
def test_command_in_a_container(fake: Fake, name: str) -> None:
    fake.answer("run", "-c", code=3, out="said", err="log\n")
    with find_engine(name) as engine:
        image = engine.build(Build("/c", DOCKERFILE), 60)
        ran = engine.run(image, ("/bin/sh", "-c", "x"), "none", 60)
        assert (ran.code, ran.output, ran.log) == (3, b"said", "log")
        assert fake.calls("--network", "none")
        (call,) = fake.calls("run", "/bin/sh") if name != "podman" else fake.calls("run", '["/bin/sh"]')
        assert call[-2:] == ["-c", "x"]
        container = call[call.index("--name") + 1] if "--name" in call else call[call.index("--") - 1]
        assert "--rm" in call if name == "docker" else fake.calls("rm", container)


@pytest.mark.parametrize("name", ALL)
def test_config_of_an_image(fake: Fake, name: str) -> None:
    known = {"Architecture": "amd64", "Os": "linux", "Config": {"User": "app", "Env": None}}
    fake.answer("inspect", "known", out=json.dumps(known))
    fake.answer("inspect", "missing", code=1)
    with find_engine(name) as engine:
        facts = EngineFacts(engine)
        assert facts.image_config("known") == {"User": "app"}
        assert facts.image_config("missing") is None
        facts.image_config("missing")
        assert len(fake.calls("inspect", "missing")) == 1
        assert facts.digest("known") is None


@pytest.mark.parametrize(
    ("name", "words", "told", "size"),
    [
        ("docker", ("image", "history", "--human=false"), "0\n4096\n78615712\n", 78_619_808),
        ("docker", ("image", "history", "--human=false"), "78.6MB\n", None),
        ("docker", ("image", "history", "--human=false"), "", None),
        ("podman", ("image", "inspect"), "78619808\n", 78_619_808),
        ("buildah", ("images", "--noheading"), "78.6 MB\n", 78_600_000),
        ("buildah", ("images", "--noheading"), "78.6 MB\n1.2 GB\n", None),
    ],
)
def test_size_of_an_image(fake: Fake, name: str, words: tuple[str, ...], told: str, size: int | None) -> None:
    fake.answer(*words, "known", out=told)
    fake.answer(*words, "missing", code=1)
    with find_engine(name) as engine:
        facts = EngineSizes(engine)
        assert facts.image_bytes("known") == size
        assert facts.image_bytes("missing") is None
        facts.image_bytes("missing")
        assert len(fake.calls(*words, "missing")) == 1
        assert not facts.knows("image_config")


@pytest.mark.parametrize("answer", ["", "null", "[]", "{", "[" * 5000])
@pytest.mark.parametrize("name", ALL)
def test_an_image_that_is_not_described(fake: Fake, name: str, answer: str) -> None:
    fake.answer("inspect", "known", out=answer)
    with find_engine(name) as engine, pytest.raises(EngineError, match="describes known by what is no JSON object"):
        engine.config("known")


def test_first_engine_that_answers(fake: Fake) -> None:
    fake.answer("buildx", "inspect", out="Name: default\nDriver: \nError: cannot connect\n")
    with find_engine() as engine:
        assert engine.name == "podman"


def test_no_engine_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoEngineError) as caught:
        find_engine()
    for name in NAMES:
        assert f"apt-get install {name}" in str(caught.value)
        with pytest.raises(NoEngineError, match=f"{name} is not installed"):
            find_engine(name)
    with pytest.raises(NoEngineError, match="belong to docker"):
        find_engine("podman", "far")


@pytest.mark.parametrize(
    ("mark", "expected"),
    [
        ("", False), ("x", False), ("a-b", False), ("0-1-2", False), ("--", False),
        (marks.owner(), False),
        (marks.owner()[:-1] + "x", True),  # the same number, another process
        (f"{marks.owner().partition('-')[0]}-4194999-5", True),
        (f"{marks.owner().partition('-')[0]}-x-5", False),
    ],
)  # fmt: skip
def test_marks(mark: str, expected: bool) -> None:
    assert marks.abandoned(mark) == expected
