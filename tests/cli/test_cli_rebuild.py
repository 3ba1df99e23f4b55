"""`dfopt history --rebuild` as a process."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from image.builders import docker_archive, file, folder, layer

from cli.running import dfopt


@pytest.fixture
def place(tmp_path: Path) -> Path:
    tars = [
        layer(folder("bin"), file("bin/rm", "#!", 0o755)),
        layer(file("srv/app.sh", "x", 0o755), file("su", "y", 0o4755)),
    ]
    docker_archive(tmp_path / "image.tar", tars, config={"Cmd": ["/srv/app.sh"], "StopTimeout": 3})
    docker_archive(tmp_path / "base.tar", tars[:1], name="base:1")
    return tmp_path


def history(place: Path, *args: str, stdin: bytes = b"") -> tuple[int, str, str]:
    done = dfopt("history", *args, cwd=place, stdin=stdin, driven=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def test_what_is_written_and_said(place: Path) -> None:
    status, out, err = history(place, "image.tar", "--rebuild", "out", "--base", "base.tar")
    assert (status, err) == (0, "")
    assert out.startswith("out/Dockerfile: FROM base:1 (1 of 2 layers), 1 tar (")
    assert "1 file by COPY" in out
    assert "note: not kept: StopTimeout of the config" in out
    text = (place / "out/Dockerfile").read_text()
    assert "\nFROM base:1\n" in text
    assert text.endswith('\nCMD ["/srv/app.sh"]\n')
    assert sorted(os.listdir(place / "out")) == ["Dockerfile", "layer-1", "layer-1.tar.gz"]


def test_json(place: Path) -> None:
    status, out, _ = history(
        place, "image.tar", "--rebuild", "out", "--base", "scratch", "--squash", "--output-format", "json"
    )
    document = json.loads(out)
    assert status == 0
    assert document["base"] == {"name": "scratch", "layers": 0}
    assert document["squashed"] is True
    assert [step["layers"] for step in document["steps"]] == [[0, 1]]


def test_an_archive_on_standard_input(place: Path) -> None:
    data = (place / "image.tar").read_bytes()
    assert history(place, "-", "--rebuild", "out", "--base", "scratch", stdin=data)[0] == 0
    assert (place / "out/layer-2/srv/app.sh").read_text() == "x"


@pytest.mark.parametrize(
    ("args", "error"),
    [
        pytest.param(["--rebuild", "out", "--file", "x"], "--rebuild excludes", id="with a Dockerfile"),
        pytest.param(["--base", "x"], "--base needs --rebuild", id="base alone"),
        pytest.param(["--squash"], "--squash needs --rebuild", id="squash alone"),
        pytest.param(["--verify"], "--verify needs --rebuild", id="verify alone"),
        pytest.param(["--network", "host"], "--network needs --rebuild", id="network alone"),
        pytest.param(["--rebuild", "out", "--network", "host"], "--network needs --verify", id="without a build"),
        pytest.param(["--rebuild", "out", "--verify", "--engine", "podman", "--builder", "x"], "", id="no engine"),
        pytest.param(["--rebuild", "."], "the directory is not empty", id="not empty"),
        pytest.param(["--rebuild", "no/such/out"], "No such file", id="no parent"),
        pytest.param(["--rebuild", "image.tar"], "it is not a directory", id="a file"),
        pytest.param(["--rebuild", "out", "--base", "other.tar"], "other.tar", id="no such base"),
    ],
)  # fmt: skip
def test_errors(place: Path, args: list[str], error: str) -> None:
    before = sorted(os.listdir(place))
    status, out, err = history(place, "image.tar", *args)
    assert (status, out) == (2, "")
    assert error in err
    assert sorted(os.listdir(place)) == before


def test_standard_input_is_read_once(place: Path) -> None:
    status, _, err = history(place, "-", "--rebuild", "out", "--verify", stdin=(place / "image.tar").read_bytes())
    assert status == 2
    assert "can be read only once" in err


def test_optimize_needs_an_engine(place: Path) -> None:
    before = sorted(os.listdir(place))
    done = dfopt("optimize", "image.tar", "out", "--engine", "podman", "--builder", "nothing", cwd=place, driven=False)
    assert done.returncode == 2
    assert done.stderr.startswith(b"dfopt: error: ")
    assert sorted(os.listdir(place)) == before
