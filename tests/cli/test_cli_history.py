"""`dfopt history` as a process."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from image.builders import docker_archive, file, layer

from cli.running import dfopt

HISTORY = [
    {"created_by": "base", "created": "2026-11-01T10:00:00Z"},
    {"created_by": "RUN |1 TOKEN=Kq8-zzTop-Yv3 /bin/sh -c apt-get update # buildkit"},
    {"created_by": 'CMD ["x"]', "empty_layer": True},
]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    tars = [layer(file("etc/os-release", 'PRETTY_NAME="Test OS 1"\n')), layer(file("a", "x" * 2000))]
    docker_archive(tmp_path / "image.tar", tars, history=HISTORY, config={"Cmd": ["x"]})
    (tmp_path / "Dockerfile").write_bytes(b"FROM a\nARG TOKEN\nRUN apt-get update\nCMD x\n")
    return tmp_path


def history(place: Path, *args: str, stdin: bytes = b"") -> tuple[int, str, str]:
    done = dfopt("history", *args, cwd=place, stdin=stdin, driven=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def test_the_table_and_the_dockerfile(place: Path) -> None:
    status, out, err = history(place, "image.tar")
    assert (status, err) == (0, "")
    assert "2.00 kB  0 bytes" in out
    assert "2026-11-01 10:00:00  base" in out
    assert "layer 0 holds Test OS 1" in out
    assert "  RUN apt-get update\n" in out
    assert "Kq8" not in out


def test_the_dockerfile_alone(place: Path) -> None:
    status, out, err = history(place, "--dockerfile", "image.tar")
    assert status == 0
    assert out.startswith("# Recovered by dfopt")
    assert "\nFROM scratch\n" in out
    assert err.endswith("places in it marked as unknown\n")
    assert "ARG TOKEN=Kq8-zzTop-Yv3\n" in history(place, "--dockerfile", "--show-secrets", "image.tar")[1]


def test_lines_of_a_known_dockerfile(place: Path) -> None:
    _, out, _ = history(place, "image.tar", "-f", "Dockerfile")
    assert "recovered" not in out
    assert "3  RUN |1 TOKEN=****" in out


def test_json_and_standard_input(place: Path) -> None:
    _, out, _ = history(place, "-", "--output-format", "json", stdin=(place / "image.tar").read_bytes())
    document = json.loads(out)
    assert [entry["layer"] for entry in document["history"]] == [0, 1, None]
    assert document["layers"][1]["bytes"] == 2000
    assert document["dockerfile"].startswith("# Recovered")
    assert "Kq8" not in out


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("none.tar",), "no such file"),
        (("image.tar", "-f", "none"), "none: No such file"),
        (("image.tar", "-f", "image.tar"), "image.tar:"),
        (("image.tar", "-f", "Dockerfile", "--dockerfile"), "--dockerfile and --file exclude each other"),
        ((), "IMAGE"),
    ],
)
def test_what_is_wrong_is_told(place: Path, args: tuple[str, ...], message: str) -> None:
    status, _, err = history(place, *args)
    assert (status, message in err) == (2, True)
