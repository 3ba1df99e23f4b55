"""`dfopt verify` and the options of `fix --verify`, without an engine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from realbuild.synthetic import archive, entry

from cli.running import dfopt


@pytest.fixture
def images(tmp_path: Path) -> Path:
    archive(tmp_path / "one.tar", [entry("a", b"1")], config={"config": {"User": "x"}})
    archive(tmp_path / "two.tar", [entry("a", b"2")], [entry("b", b"")], config={"config": {"User": "x"}})
    return tmp_path


def offline(tmp_path: Path) -> dict[str, str]:
    """No program is found: no engine can be asked."""
    return {"PATH": str(tmp_path / "nothing")}


def test_two_archives(images: Path) -> None:
    done = dfopt("verify", "one.tar", "two.tar", cwd=images, env=offline(images))
    assert done.returncode == 1, done.stderr
    assert b"differs: /a: content: 1 B" in done.stdout
    assert b"differs: /b: path: absent -> file 0644 0:0 0 B" in done.stdout
    assert b"the images differ: /a" in done.stdout


def test_many_differences_are_told_by_directory(images: Path) -> None:
    pages = [entry(f"usr/share/doc/{n % 60}/{n}", b"x") for n in range(3000)]
    archive(images / "many.tar", [entry("a", b"2"), *pages, entry("etc/one", b"")], config={"config": {"User": "y"}})
    done = dfopt("verify", "many.tar", "one.tar", cwd=images, env=offline(images))
    lines = [line for line in done.stdout.decode().split("\n") if line.startswith("differs: ")]
    assert lines[0].startswith("differs: config.User: ")
    assert "differs: /a: content: 1 B" in lines[1]
    assert "differs: /usr/share/doc/*: 3,060 gone" in lines  # with its directories
    assert "differs: /etc/one: path: file 0644 0:0 0 B -> absent" in lines
    assert len(lines) == 8


def test_same_archive(images: Path) -> None:
    done = dfopt("verify", "one.tar", "one.tar", cwd=images, env=offline(images))
    assert (done.returncode, done.stdout.split(b"\n")[-2]) == (0, b"holds")


def test_json(images: Path) -> None:
    done = dfopt(
        "verify", "one.tar", "two.tar", "--output-format", "json", "--allow", "/b", cwd=images, env=offline(images)
    )
    document = json.loads(done.stdout)
    assert done.returncode == 1
    assert [one["where"] for one in document["differences"]] == ["/a"]
    assert (document["holds"], document["allowed"], document["before"]["layers"]) == (False, 1, 1)
    assert document["after"]["build_seconds"] is None


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ("verify one.tar two.tar --allow nowhere", "--allow: not a pattern"),
        ("verify one.tar two.tar --smoke-script nothing", "--smoke-script: not an executable program"),
        ("verify one.tar two.tar --context nothing", "--context: no such directory"),
        ("verify one.tar two.tar --builder a --builder b", "only one --builder"),
        ("verify one.tar nothing.tar", "no such file"),
        ("verify one.tar two.tar --smoke true", "no engine that builds images answers"),
        ("verify Dockerfile two.tar", "no engine that builds images answers"),
        ("fix --verify Dockerfile", "no engine that builds images answers"),
        ("fix --verify --engine buildah Dockerfile", "buildah is not installed"),
        ("fix --verify --hosts all Dockerfile", "it cannot be combined with --hosts"),
        ("fix --smoke true Dockerfile", "--smoke needs --verify"),
        ("fix --timeout 5 Dockerfile", "--timeout needs --verify"),
        ("fix --engine docker Dockerfile", "--engine needs --verify"),
    ],
)
def test_cannot_be_told(images: Path, args: str, message: str) -> None:
    (images / "Dockerfile").write_text("FROM a\nRUN old\n")
    done = dfopt(*args.split(), cwd=images, env=offline(images))
    assert done.returncode == 2
    assert message in done.stderr.decode()
    assert (images / "Dockerfile").read_text() == "FROM a\nRUN old\n"


@pytest.mark.parametrize(
    ("args", "config", "message"),
    [
        ("fix -O3 Dockerfile", "", "-O3 needs an engine: no engine that builds images answers here. Install one"),
        ("fix Dockerfile", "level = 3\n", "-O3 needs an engine"),
        ("fix -O3 --engine buildah Dockerfile", "", "-O3 needs an engine: buildah is not installed"),
        ("fix -O3 --hosts all Dockerfile", "", "-O3 builds Dockerfiles: it cannot be combined with --hosts"),
        ("fix -O2 --budget 3 Dockerfile", "", "--budget needs -O3"),
        ("fix --verify --budget-minutes 3 Dockerfile", "", "--budget-minutes needs -O3"),
        ("fix -O3 --budget 0 Dockerfile", "", "budget"),
        ("fix -O1 --smoke true Dockerfile", "level = 3\n", "--smoke needs --verify"),
    ],
)
def test_search_cannot_begin(images: Path, args: str, config: str, message: str) -> None:
    (images / "Dockerfile").write_text("FROM a\nRUN old\n")
    (images / "dfopt.toml").write_text(config)
    done = dfopt(*args.split(), cwd=images, env=offline(images))
    assert done.returncode == 2
    assert message in done.stderr.decode()
    assert (images / "Dockerfile").read_text() == "FROM a\nRUN old\n"


def test_what_to_install_is_a_list_of_lines(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    done = dfopt("fix", "--verify", "Dockerfile", cwd=tmp_path, driven=False, env={"PATH": str(tmp_path)})
    assert done.returncode == 2
    lines = done.stderr.decode().split("\n")
    assert lines[0] == "dfopt: error: no engine that builds images answers here. Install one of them:"
    assert lines[2].startswith("    podman:  apt-get install podman")
