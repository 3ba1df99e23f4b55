"""Splits by evidence over an engine: built, smoke-tested, and mended by what a failure names."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dfopt.cli.entry import main

from .engine import Engine
from .leftovers import leftovers, set_apart

# No recipe knows `./make-all`; /src is a place to build in, and of its files run.sh names none as a whole.
TEXT = """FROM debian:13
COPY . /src
RUN cd /src && ./make-all
CMD ["/usr/local/bin/hello"]
"""
FILES = {
    "Makefile": "all:\n",
    "data.txt": "hello from a file\n",
    "make-all": (
        "#!/bin/sh\nset -e\ndd if=/dev/zero of=objects bs=1M count=40 2>/dev/null\nmkdir -m 750 /data\n"
        "printf '#!/bin/sh\\nplace=src\\nexec cat /$place/data.txt\\n' >/usr/local/bin/hello\n"
        "chmod 755 /usr/local/bin/hello\n"
    ),
}
# The container that the script starts itself is not watched: only its failure says what is missing
SCRIPT = '#!/bin/sh\ndocker run --rm --network none "$DFOPT_IMAGE" | grep hello\n'


@pytest.fixture
def file(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    set_apart(engine, tmp_path, monkeypatch)
    (tmp_path / "context").mkdir()
    for name, text in FILES.items():
        (tmp_path / "context" / name).write_text(text)
        (tmp_path / "context" / name).chmod(0o755)
    dockerfile = tmp_path / "context" / "Dockerfile"
    dockerfile.write_text(TEXT)
    return dockerfile


def prove(file: Path, capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, object]:
    """The proof of a split of the file, which is written."""
    select = ("--verify", "--select", "multi-stage", "--unsafe", "--network", "host", "--no-cache")
    status = main(["fix", "--write", "--isolated", "--output-format", "json", *select, *words, str(file)])
    said = capsys.readouterr()
    assert status == 0, said.err
    proof: dict[str, object] = json.loads(said.out)["files"][0]["proof"]
    return proof


def test_what_a_failure_names_is_copied(file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = tmp_path / "smoke"
    script.write_text(SCRIPT)
    script.chmod(0o755)
    proof = prove(file, capsys, "--smoke-script", str(script))
    builder, stage = file.read_text().split("\n\n")
    assert builder == TEXT.replace("debian:13", "debian:13 AS builder").rpartition("CMD")[0].strip()
    lines = stage.strip().split("\n")
    assert lines[0] == "FROM debian:13-slim"
    assert {"COPY --from=builder /src/data.txt /src/data.txt", "RUN mkdir -p /data && chmod 750 /data"} <= set(lines)
    assert not any("objects" in line for line in lines)
    before, after = proof["before"], proof["after"]
    assert isinstance(before, dict)
    assert isinstance(after, dict)
    assert after["layer_bytes"] < before["layer_bytes"] - 40_000_000
    assert leftovers(tmp_path / "t") == []


def test_what_the_smoke_test_opens_is_copied_at_once(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    proof = prove(file, capsys, "--smoke", "/usr/local/bin/hello | grep hello")
    assert "/src/data.txt" in file.read_text()
    assert proof["builds"] == 5  # as it is, its base, the base for the run, the split, and that without a cache
    assert leftovers(tmp_path / "t") == []


def test_without_a_smoke_test_nothing_is_split(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    select = ("--verify", "--select", "multi-stage", "--unsafe", "--network", "host", "--no-cache")
    assert main(["fix", "--write", "--isolated", *select, str(file)]) == 0
    assert file.read_text() == TEXT
    assert "0 of 1 file changed" in capsys.readouterr().err


def test_a_profile_splits_without_an_engine(
    file: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(file.parent)
    smoke = ("--network", "host", "--smoke", "/usr/local/bin/hello | grep hello")
    assert main(["profile", *smoke, str(file)]) == 0, capsys.readouterr().err
    with monkeypatch.context() as nowhere:
        nowhere.setenv("PATH", "")
        nowhere.delenv("DOCKER_HOST")
        assert main(["fix", "--write", "--isolated", "--unsafe", "--select", "multi-stage", str(file)]) == 0
    assert "and what its smoke test needs" in capsys.readouterr().err
    lines = file.read_text().split("\n")
    assert {"FROM debian:13-slim", "COPY --from=builder /src/data.txt /src/data.txt"} <= set(lines)
    assert main(["profile", *smoke, str(file)]) == 0, capsys.readouterr().err  # it builds, and passes its smoke test
