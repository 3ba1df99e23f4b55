"""`dfopt fix --undo`."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.running import dfopt

OLD = b"FROM a\nRUN old\n"
NEW = b"FROM a\nRUN new\n"


@pytest.fixture
def cache(tmp_path: Path) -> dict[str, str]:
    return {"DFOPT_CACHE_DIR": str(tmp_path / "cache")}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    top = tmp_path / "tree"
    for name in ("a", "b"):
        (top / name).mkdir(parents=True)
        (top / name / "Dockerfile").write_bytes(OLD)
    return top


def contents(tree: Path) -> list[bytes]:
    return [(tree / name / "Dockerfile").read_bytes() for name in ("a", "b")]


def test_puts_the_files_back_as_they_were(tree: Path, cache: dict[str, str]) -> None:
    odd = b"\xef\xbb\xbfFROM a\r\nRUN old \xff\r\n"
    (tree / "a" / "Dockerfile").write_bytes(odd)
    (tree / "a" / "Dockerfile").chmod(0o640)
    dfopt("fix", "--write", cwd=tree, env=cache)
    assert contents(tree) == [odd.replace(b"old", b"new"), NEW]
    done = dfopt("fix", "--undo", cwd=tree, env=cache)
    assert (done.returncode, done.stdout) == (0, b"")
    assert done.stderr == b"restored a/Dockerfile\nrestored b/Dockerfile\ndfopt: 2 files restored\n"
    assert contents(tree) == [odd, OLD]
    assert (tree / "a" / "Dockerfile").stat().st_mode & 0o777 == 0o640


def test_once(tree: Path, cache: dict[str, str]) -> None:
    dfopt("fix", "--write", cwd=tree, env=cache)
    dfopt("fix", "--undo", cwd=tree, env=cache)
    done = dfopt("fix", "--undo", cwd=tree, env=cache)
    assert done.returncode == 2
    assert b"--undo: no --write is on record" in done.stderr


def test_a_file_that_changed_since_is_left_alone(tree: Path, cache: dict[str, str]) -> None:
    dfopt("fix", "--write", cwd=tree, env=cache)
    (tree / "a" / "Dockerfile").write_bytes(NEW + b"# more\n")
    done = dfopt("fix", "--undo", cwd=tree, env=cache)
    assert done.returncode == 2
    assert b"a/Dockerfile: not undone: the file changed since\n" in done.stderr
    assert contents(tree) == [NEW + b"# more\n", OLD]
    (tree / "a" / "Dockerfile").write_bytes(NEW)  # it stays on record
    assert dfopt("fix", "--undo", cwd=tree, env=cache).returncode == 0
    assert contents(tree) == [OLD, OLD]


def test_a_file_that_is_gone_stays_gone(tree: Path, cache: dict[str, str]) -> None:
    dfopt("fix", "--write", cwd=tree, env=cache)
    (tree / "a" / "Dockerfile").unlink()
    done = dfopt("fix", "--undo", cwd=tree, env=cache)
    assert b"a/Dockerfile: not undone: the file is gone\n" in done.stderr
    assert not (tree / "a" / "Dockerfile").exists()


def test_a_link_in_its_place_is_not_followed(tree: Path, cache: dict[str, str], tmp_path: Path) -> None:
    dfopt("fix", "--write", cwd=tree, env=cache)
    other = tmp_path / "other"
    other.write_bytes(NEW)
    (tree / "a" / "Dockerfile").unlink()
    (tree / "a" / "Dockerfile").symlink_to(other)
    assert dfopt("fix", "--undo", cwd=tree, env=cache).returncode == 2
    assert other.read_bytes() == NEW


def test_only_below_the_paths(tree: Path, cache: dict[str, str]) -> None:
    dfopt("fix", "--write", cwd=tree, env=cache)
    assert dfopt("fix", "--undo", "b", cwd=tree, env=cache).returncode == 0
    assert contents(tree) == [NEW, OLD]
    elsewhere = dfopt("fix", "--undo", "b", cwd=tree, env=cache)
    assert elsewhere.returncode == 2
    assert f"the last --write was in {tree / 'a'}".encode() in elsewhere.stderr
    assert dfopt("fix", "--undo", cwd=tree, env=cache).returncode == 0
    assert contents(tree) == [OLD, OLD]


def test_a_run_that_writes_nothing_leaves_the_record(tree: Path, cache: dict[str, str]) -> None:
    dfopt("fix", "--write", cwd=tree, env=cache)
    dfopt("fix", "--write", cwd=tree, env=cache)
    dfopt("fix", cwd=tree, env=cache)
    assert dfopt("fix", "--undo", cwd=tree, env=cache).returncode == 0
    assert contents(tree) == [OLD, OLD]


def test_of_a_pool_of_processes(tmp_path: Path, cache: dict[str, str]) -> None:
    top = tmp_path / "many"
    top.mkdir()
    for number in range(310):
        (top / f"{number}.Dockerfile").write_bytes(OLD)
    dfopt("fix", "--write", "-j", "2", "-q", cwd=top, env=cache)
    assert (top / "309.Dockerfile").read_bytes() == NEW
    assert dfopt("fix", "--undo", "-q", cwd=top, env=cache).stderr == b""
    assert {file.read_bytes() for file in top.iterdir()} == {OLD}


def test_a_record_that_cannot_be_kept_stops_nothing(tree: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    done = dfopt("fix", "--write", "--no-cache", cwd=tree, env={"DFOPT_CACHE_DIR": str(tmp_path / "file" / "below")})
    assert contents(tree) == [NEW, NEW]
    assert b"--undo will not know of this run" in done.stderr


@pytest.mark.parametrize("content", [b"{}\n", b"[]\n", b"nonsense\n", b'{"path": 1}\n', b"\xff\n"])
def test_a_broken_record_is_an_error(tree: Path, tmp_path: Path, cache: dict[str, str], content: bytes) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "undo-1.jsonl").write_bytes(content)
    done = dfopt("fix", "--undo", cwd=tree, env=cache)
    assert done.returncode == 2
    assert b"not a journal of dfopt" in done.stderr


def test_undo_and_write_exclude_each_other(tree: Path, cache: dict[str, str]) -> None:
    assert dfopt("fix", "--undo", "--write", cwd=tree, env=cache).returncode == 2
