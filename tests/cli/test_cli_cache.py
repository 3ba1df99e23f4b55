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
    with sqlite3.connect(tmp_path / "cache" / "results-3.sqlite") as connection:
        return connection.execute("SELECT key, outcome FROM results").fetchall()


def mark(tmp_path: Path) -> None:
    """Every stored outcome says so: what is shown then came from the cache."""
    with sqlite3.connect(tmp_path / "cache" / "results-3.sqlite") as connection:
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


PARENT = "FROM debian:13-slim\nRUN apt-get update && apt-get install -y --no-install-recommends curl\n"
CHILD = "FROM org/platform\nRUN apt-get install -y --no-install-recommends git\n"
LOCK = """version = 1

[[image]]
reference = "docker.io/library/node:22"
digest = "sha256:%s"
media-type = "application/vnd.oci.image.index.v1+json"
platforms = ["linux/amd64"]
resolved = "2026-11-26"
"""
IGNORED = "FROM scratch\nCOPY package.json x.js /\n"


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def swap_for_directory(path: Path) -> None:
    path.unlink()
    path.mkdir()


NODE_FILES = {"app/Dockerfile": NODE, "app/package.json": "{}", "app/package-lock.json": "{}", "app/x.js": ""}
FAMILY = {"platform/Dockerfile": PARENT, "user/Dockerfile": CHILD, "lib/Dockerfile": "FROM org/other\n"}


@pytest.mark.parametrize(
    ("files", "changed", "change"),
    [
        pytest.param(
            NODE_FILES, "app", lambda at: write(at / "app/package.json", '{"scripts": {"install": "x"}}'), id="content",
        ),
        pytest.param(NODE_FILES, "app", lambda at: (at / "app/package.json").unlink(), id="file-gone"),
        pytest.param(NODE_FILES, "app", lambda at: write(at / "app/npm-shrinkwrap.json", ""), id="file-came"),
        pytest.param(NODE_FILES, "app", lambda at: swap_for_directory(at / "app/package.json"), id="kind"),
        pytest.param(NODE_FILES, "app", lambda at: write(at / "app/.dockerignore", "*.json\n"), id="dockerignore"),
        pytest.param(
            NODE_FILES, "app", lambda at: write(at / "app/Dockerfile.dockerignore", "package*.json\n"), id="own-ignore",
        ),
        pytest.param(
            {**NODE_FILES, "app/Dockerfile": IGNORED}, "app", lambda at: write(at / "app/.dockerignore", "x.js\n"),
            id="left-out",
        ),
        pytest.param(FAMILY, "user", lambda at: write(at / "platform/Dockerfile", PARENT + "USER 1000\n"), id="parent"),
        pytest.param(FAMILY, "user", lambda at: (at / "platform/Dockerfile").unlink(), id="parent-gone"),
        pytest.param(FAMILY, "platform", lambda at: write(at / "user/Dockerfile", "FROM org/other\n"), id="child"),
        pytest.param(FAMILY, "platform", lambda at: write(at / "lib/Dockerfile", CHILD), id="child-came"),
        pytest.param(
            {**FAMILY, "platform/compose.yaml": "services: {}\n"}, "platform",
            lambda at: write(at / "platform/compose.yaml", "services: {a: {build: ., image: org/other}}\n"),
            id="definition",
        ),
        pytest.param(NODE_FILES, "app", lambda at: write(at / "dfopt.lock", LOCK % ("1" * 64)), id="lock-came"),
        pytest.param(
            {**NODE_FILES, "dfopt.lock": LOCK % ("1" * 64)}, "app",
            lambda at: write(at / "dfopt.lock", LOCK % ("2" * 64)), id="lock",
        ),
        pytest.param(
            {**NODE_FILES, "dfopt.toml": "unsafe = true\n"}, "app",
            lambda at: write(at / "dfopt.toml", 'unsafe = true\ncontext = "user"\n'), id="context",
        ),
    ],
)  # fmt: skip
def test_an_outcome_is_made_anew_where_an_answer_changed(
    tmp_path: Path, files: dict[str, str], changed: str, change: Callable[[Path], object]
) -> None:
    """Each kind of fact: kept while nothing changes, made anew after; and always what a run without a cache gives."""
    top = tmp_path / "tree"
    (top / ".git").mkdir(parents=True)
    (top / "user").mkdir()
    for number in range(FIRST):
        write(top / "0" / str(number) / "Dockerfile", "FROM scratch\n")
    for name, text in files.items():
        write(top / name, text)

    def run(*words: str) -> bytes:
        select = "dependency-layers,pin-digest,apt-cleanup,add-user,copy-ignored-file,yarn-cleanup"
        command = ("check", ".", "-j1", "--select", select, "--show-refusals", "--output-format", "json", *words)
        done = dfopt(*command, cwd=top, driven=False, env={"DFOPT_CACHE_DIR": str(tmp_path / "cache")})
        assert done.returncode in (0, 1), done.stderr
        return done.stdout + done.stderr

    before = run("--no-cache")
    assert run() == run() == before
    marked = mark_each(tmp_path)
    assert run().count(b"CACHED") == marked == sum(name.endswith("Dockerfile") for name in files)
    change(top)
    after = run("--no-cache")
    assert after != before
    assert f"CACHED {changed}/Dockerfile" not in run().decode()
    (tmp_path / "cache" / "results-3.sqlite").unlink()
    assert run() == run() == after


def mark_each(tmp_path: Path) -> int:
    """As `mark`, with the name of the file, which is part of what was printed, or asked; how many there are."""
    with sqlite3.connect(tmp_path / "cache" / "results-3.sqlite") as connection:
        for number, (key, outcome) in enumerate(rows(tmp_path)):
            value = json.loads(outcome)
            names = [name for name in ("app", "platform", "user", "lib") if f"{name}/Dockerfile" in outcome]
            value[0] = f"CACHED {names[0] if names else number}/Dockerfile\n"
            connection.execute("UPDATE results SET outcome = ? WHERE key = ?", (json.dumps(value), key))
    return len(rows(tmp_path))


def test_a_mode_is_asked_by_nobody(tree: Path, tmp_path: Path, run: Callable[..., tuple[int, bytes]]) -> None:
    """What a build would make of it is decided by what the file says: no fact tells it."""
    for number in range(FIRST, FILES):
        (tree / f"{number:02}" / "Dockerfile").write_text(NODE)
        (tree / f"{number:02}" / "package.json").write_text("{}")
    first = run("--unsafe")
    for path in tree.rglob("package.json"):
        path.chmod(0o755)
    assert run("--unsafe") == first == run("--no-cache", "--unsafe")


def test_a_question_that_nobody_asks_is_not_asked() -> None:
    from dfopt.facts import NO_FACTS
    from dfopt.workspace.fact_trace import answers_hold

    assert answers_hold(NO_FACTS, [("digest", "a", "None")])
    assert not answers_hold(NO_FACTS, [("__class__", "None")])


def test_written_files_are_not_kept(run: Callable[..., tuple[int, bytes]], tree: Path, tmp_path: Path) -> None:
    assert run("--write")[0] == 0
    assert run("--check") == (0, b"")
    changed = [path for path in tree.rglob("Dockerfile") if "rm -rf /var/lib/apt/lists" in path.read_text()]
    assert len(changed) == FILES


@pytest.mark.parametrize("content", [b"no database", b""], ids=["foreign", "empty"])
def test_a_broken_cache_is_no_cache(run: Callable[..., tuple[int, bytes]], tmp_path: Path, content: bytes) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "results-3.sqlite").write_bytes(content)
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
