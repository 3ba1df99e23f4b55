"""The atomic writer."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from dfopt.results import Problem, Result
from dfopt.source import Source
from dfopt.workspace.writer import write_result
from dfopt.writing import Replacement, WriteRefused, replace_file

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


def test_refuses_a_file_that_changes_while_it_writes(file: Path) -> None:
    def replace_slowly() -> None:
        with Replacement(str(file), OLD) as new:
            new.write(NEW)
            file.write_bytes(b"FROM other\n")

    with pytest.raises(WriteRefused, match="the file changed since it was read"):
        replace_slowly()
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

    @pytest.mark.parametrize("function", ["fsync", "replace", "fchmod", "fdopen", "open"])
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

    def test_a_write_that_fails(self, file: Path) -> None:
        def fail() -> None:
            with Replacement(str(file), OLD) as new:
                new.write(NEW)
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            fail()
        assert untouched(file)

    def test_the_temporary_file_is_private_and_its_name_unpredictable(self, file: Path) -> None:
        file.chmod(0o666)
        names: set[str] = set()
        for _ in range(3):
            with Replacement(str(file)) as new:
                (name,) = {path.name for path in file.parent.iterdir()} - {file.name}
                assert stat.S_IMODE((file.parent / name).stat().st_mode) == 0o600
                assert not names & {name}
                names.add(name)
                new.write(NEW)
        assert untouched(file, NEW)

    def test_leftovers_of_a_killed_process_are_swept(self, file: Path) -> None:
        left = file.parent / f".Dockerfile.dfopt-{'0' * 32}.tmp"
        left.write_bytes(b"half")
        foreign = [file.parent / name for name in (".Dockerfile.dfopt-1.tmp", f"other.dfopt-{'0' * 32}.tmp")]
        for path in foreign:
            path.write_bytes(b"kept")
        with Replacement(str(file)) as first, Replacement(str(file)) as second:  # neither sweeps the other's
            first.write(b"1")
            second.write(b"2")
        assert not left.exists()
        assert {path.name for path in file.parent.iterdir()} == {file.name, *(path.name for path in foreign)}

    def test_an_owner_that_cannot_be_kept(self, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(*_: object) -> None:
            raise PermissionError(1, "Operation not permitted")

        real = os.fstat

        def other(handle: int) -> os.stat_result:
            status = list(real(handle))
            status[4] += 1  # as if this process ran as somebody else
            return os.stat_result(status)

        monkeypatch.setattr(os, "fchown", refuse)
        monkeypatch.setattr(os, "fstat", other)
        with pytest.raises(WriteRefused, match=r"the file's owner .* cannot be kept"):
            replace_file(str(file), NEW)
        monkeypatch.undo()
        assert untouched(file)

    def test_long_names(self, tmp_path: Path) -> None:
        path = tmp_path / ("x" * 240 + ".Dockerfile")
        path.write_bytes(OLD)
        write(path)
        assert untouched(path, NEW)
