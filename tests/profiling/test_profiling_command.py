"""`dfopt profile` with a stand-in for docker, which hands over an image that a test has made."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cli.running import command, dfopt, environment
from engine.fake import Fake
from image.builders import docker_archive, file, layer, whiteout

from dfopt.profile.document import parse_document

SECRET = "TOP-SECRET-KEY"
DOCKERFILE = f"""FROM vendor/base:1
ARG TOKEN
ENV PASSWORD={SECRET}
RUN --mount=type=secret,id=key,target=/etc/vendor/key apt-get update && apt-get install -y curl
COPY app.sh /usr/local/bin/app
RUN touch /big
RUN rm /big
ENTRYPOINT ["/usr/local/bin/app", "--token={SECRET}"]
CMD ["run", "{SECRET}"]
"""
HISTORY = [
    {"created_by": "base"},
    {"created_by": "ENV PASSWORD=x", "empty_layer": True},
    {"created_by": "RUN |1 TOKEN=x /bin/sh -c apt-get update && apt-get install -y curl # buildkit"},
    {"created_by": "COPY app.sh /usr/local/bin/app # buildkit"},
    {"created_by": "RUN |1 TOKEN=x /bin/sh -c touch /big # buildkit"},
    {"created_by": "RUN |1 TOKEN=x /bin/sh -c rm /big # buildkit"},
]
PASSWD = f"root:{SECRET}:0:0:{SECRET}:/root/{SECRET}:/bin/sh\nwww:x:33:33::/:/bin/false\nbroken:x\n+::::::\n"
LAYERS = [
    [
        file("bin/sh", b"\x7fELF"), file("usr/bin/su", b"s" * 10, mode=0o4755), file("etc/passwd", PASSWD),
        file("etc/os-release", "ID=debian\nVERSION_CODENAME=trixie\n"),
        file("var/lib/dpkg/info/curl.list", f"/usr/bin/curl\n/{SECRET}\n"),
    ],
    [file("var/lib/apt/lists/x_Packages", "p" * 400_000), file("usr/bin/find", "f" * 1000, mode=0o4755)],
    [file("usr/local/bin/app", f"#!/bin/sh\n# {SECRET}\n", mode=0o755)],
    [file("big", "b" * 200_000)],
    [whiteout("big")],
]  # fmt: skip
CONFIG = {
    "User": "www", "WorkingDir": "/srv", "Env": [f"PASSWORD={SECRET}"], "Labels": {"x": SECRET},
    "Entrypoint": ["/usr/local/bin/app", f"--token={SECRET}"], "Cmd": ["run", SECRET], "ExposedPorts": {"8080/tcp": {}},
}  # fmt: skip


class Place:
    """A project, and a stand-in for docker that builds an image of it."""

    def __init__(self, folder: Path) -> None:
        self.project = folder / "project"
        self.project.mkdir()
        (self.project / "Dockerfile").write_text(DOCKERFILE)
        (self.project / "app.sh").write_text(f"# {SECRET}\n")
        self.temporary = folder / "tmp"
        self.temporary.mkdir()
        self.fake = Fake(folder / "fake", "docker", "podman", "buildah")
        self.fake.answer("buildx", "inspect", out="Name: default\nDriver: docker\n")
        self.fake.answer("info", out=f"{folder}\noverlay\n")
        layers = [layer(*entries) for entries in LAYERS]
        base = {"Config": CONFIG, "RootFS": {"Layers": [f"sha256:{sha256(layers[0]).hexdigest()}"]}}
        self.fake.answer("image", "inspect", out=json.dumps(base))
        self.fake.answer(
            "buildx", "build", err="#5 [1/4] FROM docker.io/vendor/base:1@sha256:" + "a" * 64 + "\n#5 DONE 0.0s\n"
        )
        archive = docker_archive(folder / "image.tar", layers, history=HISTORY, config=CONFIG)
        self.fake.answer("save", archive=str(archive))
        self.ends(0)
        self.fake.answer(
            "container", "diff",
            out=f"C /etc\nC /etc/vendor\nA /etc/vendor/key\nA /etc/vendor/key/{SECRET}\nC /run\nA /run/secrets\n"
            f"A /run/secrets/{SECRET}\nC /var\nA /var/app\nA /var/app/state\nD /etc/motd\n",
        )  # fmt: skip
        self.environment = {
            "PATH": f"{self.fake.path}{os.pathsep}{os.environ['PATH']}", "TMPDIR": str(self.temporary),
            "DOCKER_HOST": "tcp://127.0.0.1:1",
        }  # fmt: skip

    def ends(self, status: int, pid: int = 0) -> None:
        """How the container of a test ends. `pid`: it runs as that process for as long as it is asked for it."""
        state = {"State": {"Pid": pid, "ExitCode": status}, "Id": "c0ffee"}
        self.fake.answer("container", "inspect", "{{json .}}", out=json.dumps(state))

    def profile(self, *words: str) -> tuple[int, bytes, str]:
        done = dfopt("profile", *words, cwd=self.project, driven=False, env=self.environment)
        assert list(self.temporary.iterdir()) == []  # nothing stays behind, however it ends
        assert not [name for name in os.listdir(self.project) if ".dfopt-" in name]
        return done.returncode, done.stdout, done.stderr.decode()

    @property
    def path(self) -> Path:
        return self.project / "dfopt.profile"

    def document(self) -> dict[str, Any]:
        return parse_document(self.path.read_bytes())


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_what_is_written(place: Place) -> None:
    status, out, told = place.profile("--smoke", "curl localhost", "--build-arg", f"TOKEN={SECRET}")
    assert (status, out) == (0, b"")
    assert "dfopt: Dockerfile: 601 kB, 200 kB dead" in told
    assert "dfopt: which files the smoke test opens is not known: " in told
    made = place.document()
    assert made["file"] == "Dockerfile"
    assert made["keys"]["bases"] == {"vendor/base:1": "sha256:" + "a" * 64}
    assert made["build"]["arguments"] == ["TOKEN"]
    assert made["lines"] == [
        {"line": 4, "instruction": "RUN", "bytes": 401_000, "dead": 0, "leftovers": {"apt-index": 400_000}},
        {"line": 5, "instruction": "COPY", "bytes": 27, "dead": 0},
        {
            "line": 6, "instruction": "RUN", "bytes": 200_000, "dead": 200_000,
            "deaths": [{"by": 7, "bytes": 200_000}],
        },
        {"line": 7, "instruction": "RUN", "bytes": 0, "dead": 0},
    ]  # fmt: skip
    image = made["image"]
    assert (image["user"], image["workdir"], image["ports"]) == ("www", "/srv", ["tcp/8080"])
    assert (image["entrypoint"], image["cmd"]) == (
        {"program": "/usr/local/bin/app", "words": 2}, {"program": "run", "words": 2}
    )  # fmt: skip
    assert image["release"] == ["debian", "trixie"]
    assert image["accounts"] == [
        {"name": "root", "uid": 0, "gid": 0, "shell": "/bin/sh"},
        {"name": "www", "uid": 33, "gid": 33, "shell": "/bin/false"},
    ]
    assert image["packages"] == ["curl"]
    base = made["bases"]["vendor/base:1"]
    assert (base["user"], base["entrypoint"], base["cmd"]) == ("www", None, {"program": "run", "words": 2})
    assert (base["release"], base["packages"], base["accounts"]) == (["debian", "trixie"], ["curl"], image["accounts"])
    assert (base["set_id"]["/"], base["artifact"]["/bin/sh"]["kind"]) == ({"/usr/bin/su": 10}, "file")
    assert base["artifact"]["/usr/bin/find"] == {"kind": ""}
    (stage,) = made["stages"]
    assert (stage["stage"], stage["base"]) == (0, "vendor/base:1")
    assert stage["set_id"]["/"] == {"/usr/bin/find": 1000, "/usr/bin/su": 10}
    assert made["runs"] == [
        {
            "test": "smoke", "exit_status": 0, "signal": None, "user": None, "listens": None, "programs": None,
            "samples": 0, "opened": None, "written": ["-/etc/motd", "/var/app/state"],
        }
    ]  # fmt: skip


def test_no_secret_enters(place: Place) -> None:
    script = place.project / "test.sh"
    script.write_text("#!/bin/sh\nexit 0\n")
    script.chmod(0o755)
    words = ("--smoke", f"echo {SECRET}", "--smoke-script", "test.sh", "--build-arg", f"TOKEN={SECRET}")
    status, _, told = place.profile(*words, "--secret", f"id=key,env={SECRET}", "-q")
    assert (status, told) == (0, "")
    assert len(place.document()["runs"]) == 2
    assert SECRET not in place.path.read_text()


def test_the_commands_read_what_was_written(place: Place) -> None:
    assert place.profile("--smoke", "true")[0] == 0
    done = dfopt("fix", "--unsafe", cwd=place.project, driven=False, env={"PATH": str(place.project / "nothing")})
    assert b"(measured: 401 kB, 400 kB less)" in done.stdout
    assert b"changed since it was made" not in done.stderr


def test_the_same_makes_the_same(place: Place) -> None:
    assert place.profile("--smoke", "true")[0] == 0
    first = place.document()
    assert place.profile("--smoke", "true")[0] == 0
    for made in (first, again := place.document()):
        made["build"]["seconds"] = 0
    assert first == again


@pytest.mark.parametrize(
    ("words", "answer", "message"),
    [
        (("container", "inspect"), {"out": '{"State": {"ExitCode": 3}, "Id": "c"}'}, "the smoke test fails: status 3"),
        (("buildx", "build"), {"code": 1, "err": "ERROR: no such file\n"}, "the file does not build"),
        (("save",), {"code": 1, "err": "the engine has gone\n"}, "docker save"),
        (("create",), {"code": 1, "err": "the engine has gone\n"}, "the container does not start"),
        (("start",), {"code": 1, "err": "the engine has gone\n"}, "the container does not start"),
        (("container", "wait"), {"code": 1, "err": "the engine has gone\n"}, "docker container wait failed"),
        (("container", "inspect"), {"out": "nothing\n"}, "docker container inspect gave no state"),
        (("container", "diff"), {"code": 1}, "docker container diff failed"),
    ],
)
@pytest.mark.parametrize("before", [None, b"an older one"])
def test_a_failure_writes_nothing(
    place: Place, words: tuple[str, ...], answer: dict[str, Any], message: str, before: bytes | None
) -> None:
    if before is not None:
        place.path.write_bytes(before)
    place.fake.answer(*words, **answer)
    status, _, told = place.profile("--smoke", "true")
    assert status == 2
    assert "Dockerfile: no profile: " in told
    assert message in told
    assert (place.path.read_bytes() if place.path.exists() else None) == before
    for started in place.fake.calls("create", "--name"):
        assert place.fake.calls("rm", "--force", started[started.index("--name") + 1])
    built = {word for call in place.fake.calls("buildx", "build") for word in call if word.endswith(":latest")}
    removed = {call[-1] for call in place.fake.calls("image", "rm", "--force")}
    assert removed == (built if words != ("buildx", "build") else set())


def test_an_interrupt_leaves_nothing(place: Place) -> None:
    place.fake.answer("container", "wait", hang="polite")
    process = subprocess.Popen(
        command("profile", "--smoke", "true", driven=False), cwd=place.project, env=environment(**place.environment),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    while not place.fake.calls("container", "wait"):
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) != 0
    (started,) = place.fake.calls("create", "--name")
    assert place.fake.calls("rm", "--force", started[started.index("--name") + 1])
    assert not place.path.exists()
    assert list(place.temporary.iterdir()) == []


@pytest.mark.parametrize(
    ("running", "status", "shown"),
    [(True, 143, (None, "SIGTERM")), (True, 137, (None, "SIGKILL")), (True, 0, (0, None)), (False, 137, (137, None))],
)
def test_how_a_container_ends(place: Place, running: bool, status: int, shown: tuple[int | None, str | None]) -> None:
    (place.project / "test.sh").write_text("#!/bin/sh\nexit 0\n")
    (place.project / "test.sh").chmod(0o755)
    # a PID that no process of this machine has: as that of an engine on another one
    place.ends(status, 4_194_999 if running else 0)
    assert place.profile("--smoke-script", "test.sh")[0] == 0
    (run,) = place.document()["runs"]
    assert (run["test"], run["samples"], run["user"], run["listens"]) == ("script", 0, None, None)
    assert (run["exit_status"], run["signal"]) == shown
    assert len(place.fake.calls("container", "stop")) == 1


def test_a_script_that_fails(place: Place) -> None:
    (place.project / "test.sh").write_text("#!/bin/sh\nexit 9\n")
    (place.project / "test.sh").chmod(0o755)
    place.fake.answer("logs", out="the program said this\n")
    status, _, told = place.profile("--smoke-script", "test.sh")
    assert (status, place.path.exists()) == (2, False)
    assert "the smoke script fails: status 9: the program said this" in told


def test_a_context_that_changes_meanwhile(place: Place) -> None:
    (place.project / "test.sh").write_text("#!/bin/sh\necho more >>app.sh\n")
    (place.project / "test.sh").chmod(0o755)
    status, _, told = place.profile("--smoke-script", "test.sh")
    assert (status, place.path.exists()) == (2, False)
    assert "the build context changed while the file was built" in told


def test_podman(place: Place) -> None:
    assert place.profile("--engine", "podman", "--smoke", "echo 1")[0] == 0
    (started,) = place.fake.calls("create", "--name")
    assert started[started.index("--entrypoint") + 1] == '["/bin/sh"]'
    assert started[-2:] == ["-c", "echo 1"]


def test_without_a_test(place: Place) -> None:
    status, _, told = place.profile()
    assert (status, place.document()["runs"]) == (0, [])
    assert "no smoke test was given" in told


def test_where_it_is_written(place: Place) -> None:
    status, out, _ = place.profile("--smoke", "true", "--output", "-")
    assert (status, place.path.exists()) == (0, False)
    assert parse_document(out)["file"] == "Dockerfile"
    assert place.profile("--smoke", "true", "-o", "other.profile")[0] == 0
    assert (place.project / "other.profile").exists()
    place.path.symlink_to(place.project / "app.sh")
    status, _, told = place.profile("--smoke", "true")
    assert (status, (place.project / "app.sh").read_text()) == (2, f"# {SECRET}\n")
    assert "not written" in told


def test_the_profile_of_another_file_stays(place: Place) -> None:
    assert place.profile("--smoke", "true")[0] == 0
    before = place.path.read_bytes()
    (place.project / "Dockerfile.dev").write_text(DOCKERFILE)
    builds = len(place.fake.calls("buildx", "build"))
    status, _, told = place.profile("Dockerfile.dev", "--smoke", "true")
    assert (status, place.path.read_bytes()) == (2, before)
    assert "dfopt.profile is a profile of Dockerfile: --output writes this one elsewhere" in told
    assert len(place.fake.calls("buildx", "build")) == builds
    assert place.profile("Dockerfile.dev", "--smoke", "true", "-o", "dev.profile")[0] == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("nothing",), "nothing: No such file"),
        (("Broken",), "Broken:2:1: "),
        (("--context", "nowhere"), "--context: no such directory: nowhere"),
        (("--smoke-script", "nothing"), "--smoke-script: not an executable program"),
        (("--builder", "a", "--builder", "b"), "only one --builder"),
        (("--touch", "a"), "No such option"),
    ],
)
def test_cannot_begin(place: Place, words: tuple[str, ...], message: str) -> None:
    (place.project / "Broken").write_text("FROM a\nNONSENSE\n")
    status, _, told = place.profile(*words)
    assert (status, place.path.exists()) == (2, False)
    assert message in told
    assert place.fake.calls("build") == []


def test_without_an_engine(place: Place) -> None:
    done = dfopt("profile", cwd=place.project, driven=False, env={"PATH": str(place.project / "nothing")})
    assert (done.returncode, b"no engine that builds images answers" in done.stderr) == (2, True)
