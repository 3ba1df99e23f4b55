"""Splits by evidence over an engine: built, smoke-tested, and mended by what a failure names."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from dfopt.cli.entry import main

from .engine import Engine
from .leftovers import leftovers, set_apart
from .local_packages import apk_repository
from .local_registry import serving

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
    config = ("--config", str(file.parent / "dfopt.toml")) if (file.parent / "dfopt.toml").exists() else ("--isolated",)
    status = main(["fix", "--write", *config, "--output-format", "json", *select, *words, str(file)])
    said = capsys.readouterr()
    assert status == 0, said.err
    assert "proof" in json.loads(said.out)["files"][0], said.err
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


# Its apk takes packages without a signature, from a repository on loopback
APK = """FROM python:3.12-alpine
RUN mv /sbin/apk /sbin/apk.own && echo URL/apk > /etc/apk/repositories && \
    printf '#!/bin/sh\\nexec /sbin/apk.own --allow-untrusted "$@"\\n' > /sbin/apk && chmod 755 /sbin/apk
"""
WORDS = """FROM BASE
RUN apk add --no-cache words gcc
COPY main.py /app/main.py
WORKDIR /app
CMD ["python3", "main.py"]
"""
MAIN = """import encodings.idna, pathlib, ssl, sqlite3
print(*(pathlib.Path("/usr/share", name, "name").read_text() for name in ("words", "words-data")), flush=True)
ssl.create_default_context()
print(sqlite3.connect(":memory:").execute("select 'hello' || 1").fetchone()[0])
"""


@pytest.mark.parametrize(
    ("by", "lines"),
    [("evidence", {"FROM BASE", "RUN apk add --no-cache words"}), ("minimum", {"FROM scratch"})],
)
def test_packages_of_apk(
    file: Path, tmp_path: Path, engine: Engine, more_bases: Callable[..., None], capsys: pytest.CaptureFixture[str],
    by: str, lines: set[str],
) -> None:  # fmt: skip
    more_bases("python-alpine")
    build = random.Random(0).randbytes(20_000_000)
    with serving() as repository:
        packages = {"words": (b"x", "words-data"), "words-data": (b"x", ""), "gcc": (build, "")}
        repository.publish(apk_repository(packages))
        image = engine.build(tmp_path, APK.replace("URL", repository.url).encode())
        base = engine.name(image)
        try:
            file.write_text(WORDS.replace("BASE", base))
            (file.parent / "main.py").write_text(MAIN)
            script = tmp_path / "smoke"
            script.write_text(SCRIPT)
            script.chmod(0o755)
            (file.parent / "dfopt.toml").write_text(f'[passes.multi-stage]\nby = "{by}"\n')
            proof = prove(file, capsys, "--smoke-script", str(script))
        finally:
            engine.remove(image)
    written = file.read_text()
    assert {line.replace("BASE", base) for line in lines} <= set(written.split("\n")), proof
    assert "COPY --from=builder /app" in written
    assert "gcc" not in written.partition("\n\n")[2]
    assert ("/usr/share/words-data" in written) == (by == "minimum")
    assert leftovers(tmp_path / "t") == []
