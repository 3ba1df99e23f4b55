"""A repository that holds links where dfopt writes: what they lead to stays as it was."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from cli.running import dfopt

GOOD = b"FROM debian:13\nRUN apt-get update && apt-get install -y curl\n"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository beside a file `victim`, which is not its own."""
    (tmp_path / "victim").write_bytes(b"original\n")
    path = tmp_path / "repository"
    path.mkdir()
    (path / "Dockerfile").write_bytes(GOOD)
    return path


def by_link(repository: Path, name: str) -> None:
    (repository / name).symlink_to("../victim")


def by_directory(repository: Path, name: str) -> None:
    """The last directory of the path is a link out of the repository."""
    (repository / "out").symlink_to("..")


WRITERS = {
    "patch": ("fix", "-q", "--patch", "{}", "."),
    "baseline": ("check", "--baseline", "{}", "--update-baseline", "."),
    "policy": ("pin", "--offline", "--source-policy", "{}", "."),
    "report": ("migrate", "plan", "--report", "{}", "."),
    "journal": ("migrate", "apply", "--journal", "{}", "--patch", "patches", "."),
}


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize(("place", "name"), [(by_link, "file"), (by_directory, "out/victim")], ids=["file", "parent"])
def test_links(repository: Path, writer: str, place: Callable[[Path, str], None], name: str) -> None:
    place(repository, name)
    if writer == "baseline":  # one that can be read
        (repository.parent / "victim").write_bytes(b'{"version": 1, "files": {}}\n')
    if writer == "journal":
        (repository.parent / "victim").write_bytes(b"")
    before = (repository.parent / "victim").read_bytes()
    done = dfopt(*[word.format(name) for word in WRITERS[writer]], cwd=repository, driven=False)
    assert done.returncode == 2, done
    assert b"link" in done.stderr
    assert (repository.parent / "victim").read_bytes() == before
    assert sorted(path.name for path in repository.parent.iterdir()) == ["repository", "victim"]
    assert not [path for path in repository.iterdir() if path.name.endswith(".tmp")]


@pytest.mark.parametrize("writer", WRITERS)
def test_pipes(repository: Path, writer: str) -> None:
    os.mkfifo(repository / "file")
    done = dfopt(*[word.format("file") for word in WRITERS[writer]], cwd=repository, driven=False)
    assert done.returncode == 2, done
    assert b"not a regular file" in done.stderr


def test_a_page(repository: Path) -> None:
    """`review --html` writes as `--patch` does."""
    from dfopt.cli.review import _write_page  # the review itself needs an image

    by_link(repository, "page.html")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dfopt.review.reports.page.render", lambda reviewed: "page")
        patch.chdir(repository)
        with pytest.raises(OSError, match="it is a symbolic link"):
            _write_page("page.html", None)  # type: ignore[arg-type]
    assert (repository.parent / "victim").read_bytes() == b"original\n"


def test_planted_temporary_names(repository: Path) -> None:
    """Links under the names that a process of each number would have used."""
    for number in range(2000):
        (repository / f".dfopt.patch.dfopt-{number}.tmp").symlink_to("../victim")
    done = dfopt("fix", "-q", "--patch", "dfopt.patch", ".", cwd=repository, driven=False)
    assert done.returncode == 1
    assert (repository / "dfopt.patch").read_bytes().startswith(b"--- a/Dockerfile")
    assert not (repository / "dfopt.patch").is_symlink()
    assert (repository.parent / "victim").read_bytes() == b"original\n"


@pytest.mark.parametrize("own", ["/dev/stdout", "/dev/fd/1"])
def test_what_the_caller_opened_is_written_to(repository: Path, own: str) -> None:
    done = dfopt("fix", "-q", "--patch", own, ".", cwd=repository, driven=False)
    assert done.stdout.startswith(b"--- a/Dockerfile")
    done = dfopt("fix", "--check", "/dev/stdin", cwd=repository, stdin=GOOD, driven=False)
    assert done.returncode == 1


def test_lock(repository: Path) -> None:
    entry = f'[[image]]\nreference = "docker.io/library/debian:13"\ndigest = "sha256:{"0" * 64}"\n'
    kept = f'version = 1\n{entry}media-type = "application/vnd.oci.image.index.v1+json"\n'.encode()
    (repository / "real").write_bytes(kept)
    (repository / "dfopt.lock").symlink_to("real")
    (repository / "Dockerfile").write_bytes(b"FROM scratch\n")
    done = dfopt("pin", "--offline", "--write", "--prune", ".", cwd=repository, driven=False)
    assert done.returncode == 2
    assert b"it is a symbolic link" in done.stderr
    assert (repository / "real").read_bytes() == kept


def test_golden_files(repository: Path) -> None:
    case = repository / "golden" / "merge-run" / "case"
    case.mkdir(parents=True)
    (case / "Dockerfile").write_bytes(b"FROM debian:13\nRUN apt-get update\nRUN apt-get install -y curl\n")
    (case / "expected.Dockerfile").symlink_to("../../../../victim")
    done = dfopt("test", "--update", "golden", cwd=repository, driven=False)
    assert done.returncode == 2
    assert b"leads out of the tree" in done.stderr
    assert b"original" not in done.stdout + done.stderr
    (case / "expected.Dockerfile").unlink()
    (repository / "other").write_bytes(b"original\n")
    (case / "expected.Dockerfile").symlink_to("../../../other")
    done = dfopt("test", "--update", "golden", cwd=repository, driven=False)
    assert done.returncode == 2
    assert b"it is a symbolic link" in done.stderr
    assert (repository / "other").read_bytes() == b"original\n"


def test_ignore_file(repository: Path) -> None:
    (repository / "Dockerfile").write_bytes(b"FROM debian:13\nCOPY . /app\n")
    (repository / ".git").mkdir()
    (repository / "real").write_bytes(b"# mine\n")
    (repository / ".dockerignore").symlink_to("real")
    done = dfopt("dockerignore", "--write", ".", cwd=repository, driven=False)
    assert done.returncode == 2
    assert b"it is a symbolic link" in done.stderr
    assert (repository / "real").read_bytes() == b"# mine\n"


@pytest.mark.parametrize("how", ["relative", "slash", "absolute", "file-below"])
def test_a_directory_link_out_of_the_tree_is_not_written_through(repository: Path, how: str) -> None:
    outside = repository.parent / "outside"
    outside.mkdir()
    (outside / "Dockerfile").write_bytes(GOOD)
    (repository / "LINK").symlink_to("../outside")
    operand = {"relative": "LINK", "slash": "LINK/", "absolute": str(repository / "LINK"),
               "file-below": "LINK/Dockerfile"}[how]  # fmt: skip
    done = dfopt("fix", "--write", operand, cwd=repository, driven=False)
    assert done.returncode == 2
    assert b"leads out of the tree" in done.stderr
    assert (outside / "Dockerfile").read_bytes() == GOOD
    assert dfopt("fix", "--check", operand, cwd=repository, driven=False).returncode == 1  # it may be read


def test_a_working_directory_behind_a_link(repository: Path) -> None:
    (repository.parent / "way").symlink_to("repository")
    done = dfopt("fix", "--write", str(repository.parent / "way"), cwd=repository.parent, driven=False)
    assert done.returncode == 0, done
    assert (repository / "Dockerfile").read_bytes() != GOOD
