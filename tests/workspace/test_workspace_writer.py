"""The atomic writer."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from dfopt.results import Problem, Result
from dfopt.source import Source
from dfopt.workspace import writer
from dfopt.workspace.writer import WriteRefused, write_result

OLD, NEW = b"FROM a\r\n\xff", b"FROM b\r\n\xff\xfe"


def result(old: bytes = OLD, new: bytes = NEW) -> Result:
    return Result(Source.from_bytes(old), Source.from_bytes(new).text)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "tree" / "Dockerfile"
    path.parent.mkdir()
    path.write_bytes(OLD)
    return path


def write(path: Path, root: Path | None = None, what: Result | None = None) -> None:
    write_result(what or result(), str(path), str(root or path.parent))


def untouched(file: Path, content: bytes = OLD) -> bool:
    return file.read_bytes() == content and [path.name for path in file.parent.iterdir()] == [file.name]


def test_writes(file: Path) -> None:
    write(file)
    assert untouched(file, NEW)


@pytest.mark.parametrize("mode", [0o644, 0o600, 0o755, 0o664, 0o4755])
def test_keeps_the_mode(file: Path, mode: int) -> None:
    file.chmod(mode)
    write(file)
    assert stat.S_IMODE(file.stat().st_mode) == mode


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root gives files away")
def test_keeps_the_owner(file: Path) -> None:
    os.chown(file, 1234, 4321)
    write(file)
    assert (file.stat().st_uid, file.stat().st_gid) == (1234, 4321)


@pytest.mark.skipif(not hasattr(os, "setxattr"), reason="needs extended attributes")
def test_keeps_extended_attributes(file: Path) -> None:
    try:
        os.setxattr(file, "user.note", b"kept")
    except OSError:
        pytest.skip("the file system has no extended attributes")
    write(file)
    assert os.getxattr(file, "user.note") == b"kept"


@pytest.mark.parametrize("now", [b"", OLD + b"x", OLD.replace(b"\r\n", b"\n")], ids=["empty", "longer", "newlines"])
def test_refuses_a_file_that_changed(file: Path, now: bytes) -> None:
    file.write_bytes(now)
    with pytest.raises(WriteRefused, match="the file changed since it was read"):
        write(file)
    assert untouched(file, now)


def test_refuses_a_file_that_changes_while_it_writes(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = writer._write_all

    def slow(handle: int, content: bytes) -> None:
        real(handle, content)
        file.write_bytes(b"FROM other\n")

    monkeypatch.setattr(writer, "_write_all", slow)
    with pytest.raises(WriteRefused, match="the file changed since it was read"):
        write(file)
    assert untouched(file, b"FROM other\n")


def test_refuses_a_file_that_went_away(file: Path) -> None:
    file.unlink()
    with pytest.raises(FileNotFoundError):
        write(file)
    assert list(file.parent.iterdir()) == []


@pytest.mark.parametrize(
    "what",
    [
        pytest.param(result(OLD, OLD), id="unchanged"),
        pytest.param(Result(Source.from_bytes(OLD), "FROM b", problem=Problem("no", 1, 1)), id="unparsable"),
    ],
)
def test_refuses_what_is_no_change(file: Path, what: Result) -> None:
    with pytest.raises(WriteRefused):
        write(file, what=what)
    assert untouched(file)


def test_refuses_a_directory(file: Path) -> None:
    with pytest.raises(WriteRefused, match="not a regular file"):
        write(file.parent, root=file.parent.parent)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_refuses_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(WriteRefused, match="not a regular file"):
        write(tmp_path / "pipe")


def test_refuses_a_read_only_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK)  # root may write everything
    with pytest.raises(WriteRefused, match="read-only"):
        write(file)
    assert untouched(file)


class TestLinks:
    def test_the_target_is_replaced_and_the_link_stays(self, file: Path) -> None:
        link = file.parent / "link"
        link.symlink_to("Dockerfile")
        write(link)
        assert link.is_symlink()
        assert file.read_bytes() == NEW

    @pytest.mark.parametrize("way", ["file", "directory", "sibling-prefix"])
    def test_out_of_the_tree(self, tmp_path: Path, way: str) -> None:
        root = tmp_path / "tree"
        outside = tmp_path / ("tree-too" if way == "sibling-prefix" else "outside")
        root.mkdir()
        outside.mkdir()
        target = outside / "Dockerfile"
        target.write_bytes(OLD)
        if way == "directory":
            (root / "sub").symlink_to(outside)
            path = root / "sub" / "Dockerfile"
        else:
            path = root / "Dockerfile"
            path.symlink_to(target)
        with pytest.raises(WriteRefused, match="a symbolic link leads out of the tree"):
            write(path, root=root)
        assert untouched(target)

    def test_a_root_that_is_a_link_itself(self, file: Path, tmp_path: Path) -> None:
        (tmp_path / "other").symlink_to("tree")
        write(tmp_path / "other" / "Dockerfile", root=tmp_path / "other")
        assert file.read_bytes() == NEW

    def test_circle(self, tmp_path: Path) -> None:
        (tmp_path / "a").symlink_to("a")
        with pytest.raises((WriteRefused, OSError)):
            write(tmp_path / "a")

    def test_hard_links_keep_the_old_content(self, file: Path, tmp_path: Path) -> None:
        os.link(file, tmp_path / "other")
        write(file)
        assert (tmp_path / "other").read_bytes() == OLD


class TestFailures:
    """Whatever fails, the old file is whole and nothing is left beside it."""

    @pytest.mark.parametrize("function", ["fsync", "replace", "fchmod", "write", "open"])
    @pytest.mark.parametrize("error", [OSError(28, "No space left"), KeyboardInterrupt()], ids=["full", "int"])
    def test_nothing_is_left(
        self, file: Path, monkeypatch: pytest.MonkeyPatch, function: str, error: BaseException
    ) -> None:
        def fail(*_: object, **__: object) -> None:
            raise error

        monkeypatch.setattr(os, function, fail)
        with pytest.raises(type(error)):
            write(file)
        monkeypatch.undo()
        assert untouched(file)

    def test_short_writes_are_carried_on(self, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        real = os.write
        monkeypatch.setattr(os, "write", lambda handle, data: real(handle, bytes(data)[:3]))
        write(file)
        assert untouched(file, NEW)

    def test_a_name_that_is_taken_is_not_overwritten(self, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        taken = file.parent / f".Dockerfile.dfopt-{os.getpid()}-{writer._attempts + 1}.tmp"
        taken.write_bytes(b"mine")
        write(file)
        assert taken.read_bytes() == b"mine"
        assert file.read_bytes() == NEW

    def test_the_temporary_file_is_private(self, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        seen: list[int] = []
        real = writer._write_all

        def look(handle: int, content: bytes) -> None:
            seen.append(stat.S_IMODE(os.fstat(handle).st_mode))
            real(handle, content)

        file.chmod(0o666)
        monkeypatch.setattr(writer, "_write_all", look)
        write(file)
        assert seen == [0o600]

    def test_long_names(self, tmp_path: Path) -> None:
        path = tmp_path / ("x" * 240 + ".Dockerfile")
        path.write_bytes(OLD)
        write(path)
        assert untouched(path, NEW)
