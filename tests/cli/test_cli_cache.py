"""The cache of results: the same output, sooner; never another output."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.running import dfopt

BEFORE = "FROM debian:13-slim\nRUN apt-get update && apt-get install -y --no-install-recommends {}\n"
NODE = 'FROM node:22\nWORKDIR /app\nCOPY . .\nRUN npm ci\nCMD ["node", "x.js"]\n'
FILES = 40
FIRST = 16  # files that are worked on before the cache is looked at


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    top = tmp_path / "tree"
    for number in range(FILES):
        place = top / f"{number:02}"
        place.mkdir(parents=True)
        (place / "Dockerfile").write_text(BEFORE.format(f"package{number}"))
    return top


@pytest.fixture
def run(tree: Path, tmp_path: Path) -> Callable[..., tuple[int, bytes]]:
    def call(*words: str, command: str = "fix") -> tuple[int, bytes]:
        env = {"DFOPT_CACHE_DIR": str(tmp_path / "cache")}
        words = (*words, "--isolated") if "--config" not in words else words
        done = dfopt(command, str(tree), "-j1", *words, cwd=tmp_path, driven=False, env=env)
        return done.returncode, done.stdout

    return call


def rows(tmp_path: Path) -> list[tuple[bytes, str]]:
    with sqlite3.connect(tmp_path / "cache" / "results-2.sqlite") as connection:
        return connection.execute("SELECT key, outcome FROM results").fetchall()


def mark(tmp_path: Path) -> None:
    """Every stored outcome says so: what is shown then came from the cache."""
    with sqlite3.connect(tmp_path / "cache" / "results-2.sqlite") as connection:
        for key, outcome in rows(tmp_path):
            value = json.loads(outcome)
            value[0] = "CACHED\n"
            connection.execute("UPDATE results SET outcome = ? WHERE key = ?", (json.dumps(value), key))


def test_a_second_run_prints_the_same_from_the_cache(run: Callable[..., tuple[int, bytes]], tmp_path: Path) -> None:
    first = run()
    assert len(rows(tmp_path)) == FILES - FIRST
    assert run() == first == run("--no-cache")
    mark(tmp_path)
    assert run()[1].count(b"CACHED") == FILES - FIRST
    assert run("--no-cache") == first


@pytest.mark.parametrize(
    "words",
    [("--select", "size"), ("--ignore", "merge-run"), ("--unsafe",), ("--check",), ("--output-format", "json")],
    ids=lambda words: words[0],
)
def test_other_settings_are_other_keys(
    run: Callable[..., tuple[int, bytes]], tmp_path: Path, words: tuple[str, ...]
) -> None:
    run()
    mark(tmp_path)
    assert run(*words)[1].count(b"CACHED") == 0


def test_configuration_is_part_of_the_key(run: Callable[..., tuple[int, bytes]], tmp_path: Path) -> None:
    config = tmp_path / "dfopt.toml"
    config.write_text('select = ["apt-cleanup"]\n')
    run("--config", str(config))
    mark(tmp_path)
    assert run("--config", str(config))[1].count(b"CACHED") == FILES - FIRST
    config.write_text('select = ["no-recommends"]\n')
    assert run("--config", str(config))[1].count(b"CACHED") == 0


def test_another_command_is_another_key(run: Callable[..., tuple[int, bytes]], tmp_path: Path) -> None:
    run()
    mark(tmp_path)
    assert b"CACHED" not in run(command="check")[1]


def test_content_is_part_of_the_key(run: Callable[..., tuple[int, bytes]], tree: Path, tmp_path: Path) -> None:
    run()
    mark(tmp_path)
    for number in range(FIRST, FILES):
        (tree / f"{number:02}" / "Dockerfile").write_text(BEFORE.format(f"other{number}"))
    assert b"CACHED" not in run()[1]


def test_what_depends_on_the_build_context_is_not_kept(
    run: Callable[..., tuple[int, bytes]], tree: Path, tmp_path: Path
) -> None:
    for number in range(FIRST, FILES):
        (tree / f"{number:02}" / "Dockerfile").write_text(NODE)
        (tree / f"{number:02}" / "package.json").write_text("{}")
    run("--select", "dependency-layers", "--unsafe")
    assert not (tmp_path / "cache" / "results-2.sqlite").exists() or rows(tmp_path) == []


def test_written_files_are_not_kept(run: Callable[..., tuple[int, bytes]], tree: Path, tmp_path: Path) -> None:
    assert run("--write")[0] == 0
    assert run("--check") == (0, b"")
    changed = [path for path in tree.rglob("Dockerfile") if "rm -rf /var/lib/apt/lists" in path.read_text()]
    assert len(changed) == FILES


@pytest.mark.parametrize("content", [b"no database", b""], ids=["foreign", "empty"])
def test_a_broken_cache_is_no_cache(run: Callable[..., tuple[int, bytes]], tmp_path: Path, content: bytes) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "results-2.sqlite").write_bytes(content)
    assert run() == run("--no-cache")


def test_a_cache_that_cannot_be_made_is_no_cache(run: Callable[..., tuple[int, bytes]], tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file is in the way\n")
    assert run() == run("--no-cache")


def test_clean(run: Callable[..., tuple[int, bytes]], tmp_path: Path) -> None:
    run()
    (tmp_path / "cache" / "mine.txt").write_text("stays\n")
    done = dfopt("cache", "clean", cwd=tmp_path, driven=False, env={"DFOPT_CACHE_DIR": str(tmp_path / "cache")})
    assert done.returncode == 0
    assert [path.name for path in (tmp_path / "cache").iterdir()] == ["mine.txt"]
