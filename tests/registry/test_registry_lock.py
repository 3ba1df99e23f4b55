"""The lock file: its bytes, its errors, and writing it."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from dfopt.registry.lock import Lock, LockedImage, LockError, read_lock
from dfopt.registry.manifests import DOCKER_LIST, OCI_INDEX

A, B = "sha256:" + "a" * 64, "sha512:" + "b" * 128
DEBIAN = LockedImage("docker.io/library/debian:12", A, OCI_INDEX, ("linux/arm64", "linux/amd64"), "2026-11-03")
NODE = LockedImage("localhost:5000/team/node:22", B, DOCKER_LIST)

TEXT = f"""\
# Written by `dfopt pin`; change it by `dfopt pin --update`.
version = 1

[[image]]
reference = "docker.io/library/debian:12"
digest = "{A}"
media-type = "application/vnd.oci.image.index.v1+json"
platforms = ["linux/amd64", "linux/arm64"]
resolved = "2026-11-03"

[[image]]
reference = "localhost:5000/team/node:22"
digest = "{B}"
media-type = "application/vnd.docker.distribution.manifest.list.v2+json"

[[download]]
url = "https://example.com/a?x=\\"1\\""
checksum = "{A}"
"""


def filled(path: Path) -> Lock:
    lock = Lock(str(path))
    lock.set_image(NODE)
    lock.set_image(DEBIAN)
    lock.set_download('https://example.com/a?x="1"', A)
    return lock


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "dfopt.lock"


def test_no_file_is_an_empty_lock(path: Path) -> None:
    lock = read_lock(str(path))
    assert lock.images == []
    assert lock.downloads == []
    assert not path.exists()


def test_the_text(path: Path) -> None:
    assert filled(path).text() == TEXT


def test_round_trip(path: Path) -> None:
    assert filled(path).write() is True
    lock = read_lock(str(path))
    assert path.read_text() == TEXT == lock.text()
    assert lock.image("docker.io/library/debian:12") == LockedImage(
        DEBIAN.reference, A, OCI_INDEX, ("linux/amd64", "linux/arm64"), "2026-11-03"
    )
    assert lock.image("docker.io/library/debian:13") is None
    assert lock.checksum('https://example.com/a?x="1"') == A
    assert lock.write() is False


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda t: t.replace("\n", "\r\n"), id="crlf"),
        pytest.param(lambda t: t.replace('"2026-11-03"', "2026-11-03"), id="toml-date"),
        pytest.param(lambda t: "\n\n# a note\n" + t, id="comment"),
        pytest.param(lambda t: t.replace("[[image]]", "[[ image ]]  # x"), id="spelling"),
    ],
)
def test_other_spellings_read_the_same(path: Path, change: object) -> None:
    assert callable(change)
    path.write_bytes(change(TEXT).encode())
    assert read_lock(str(path)).text() == TEXT


def test_crlf_is_left_alone_when_nothing_changed(path: Path) -> None:
    path.write_bytes(TEXT.replace("\n", "\r\n").encode())
    lock = read_lock(str(path))
    assert lock.write() is False
    assert b"\r\n" in path.read_bytes()


def test_the_same_digest_keeps_its_date(path: Path) -> None:
    lock = filled(path)
    lock.set_image(LockedImage(DEBIAN.reference, A, OCI_INDEX, None, "2027-01-01"))
    assert lock.text() == TEXT
    lock.set_image(LockedImage(DEBIAN.reference, B, OCI_INDEX, None, "2027-01-01"))
    assert lock.image(DEBIAN.reference) == LockedImage(DEBIAN.reference, B, OCI_INDEX, None, "2027-01-01")


def test_keep_only(path: Path) -> None:
    lock = filled(path)
    assert lock.keep_only([DEBIAN.reference, "docker.io/library/none:1"]) == [NODE.reference]
    assert [image.reference for image in lock.images] == [DEBIAN.reference]


@pytest.mark.parametrize(
    ("change", "line", "what"),
    [
        pytest.param(lambda t: t.replace("version = 1", "version ="), 2, "is not TOML", id="broken"),
        pytest.param(lambda t: t + '\n[[image]]\nreference = "', 21, "is not TOML", id="broken-end"),
        pytest.param(lambda t: t.replace("version = 1", ""), 0, "no `version`", id="no-version"),
        pytest.param(lambda t: t.replace("version = 1", "version = 2"), 2, "version 2", id="newer"),
        pytest.param(lambda t: t.replace("version = 1", "version = true"), 2, "version True", id="odd-version"),
        pytest.param(lambda t: t.replace("version = 1", "version = 1\nextra = 1"), 3, "'extra'", id="unknown-key"),
        pytest.param(lambda t: t.replace("resolved", "resolve"), 4, "'resolve'", id="unknown-key-in-a-table"),
        pytest.param(lambda t: t.replace("[[download]]", "[[image]]"), 16, "unknown key 'url'", id="wrong-table"),
        pytest.param(lambda t: t.replace(B, "sha512:bb"), 11, "`digest`", id="short-digest"),
        pytest.param(lambda t: t.replace(A, A.upper()), 4, "`digest`", id="upper-case-digest"),
        pytest.param(lambda t: t.replace(f'"{B}"', "1"), 11, "`digest` must be a string", id="number"),
        pytest.param(lambda t: t.replace(f'digest = "{B}"\n', ""), 11, "`digest` is missing", id="missing"),
        pytest.param(
            lambda t: t.replace("docker.io/library/debian", "debian"), 4, "no image reference", id="short-name"
        ),
        pytest.param(lambda t: t.replace("vnd.oci.image.index.v1", "x"), 4, "`media-type`", id="media-type"),
        pytest.param(lambda t: t.replace("2026-11-03", "yesterday"), 4, "a date", id="date"),
        pytest.param(lambda t: t.replace('["linux/amd64", "linux/arm64"]', "3"), 4, "`platforms`", id="platforms"),
        pytest.param(
            lambda t: t.replace("localhost:5000/team/node:22", "docker.io/library/debian:12"), 11, "twice", id="twice"
        ),
        pytest.param(lambda t: t.replace("https://", "https://user:pw@"), 16, "without user", id="password-in-url"),
        pytest.param(lambda t: t.replace("[[download]]", "[download]"), 16, "[[download]]", id="no-list"),
        pytest.param(
            lambda t: t.replace("[[image]]", "<<<<<<< ours\n[[image]]", 1), 4, "merge conflict", id="merge-conflict"
        ),
        pytest.param(lambda t: t.replace("[[image]]", "# \udcff\n[[image]]", 1), 4, "is not UTF-8", id="not-utf-8"),
        pytest.param(lambda t: t + "x = " + "[" * 100_000, None, "nested too deeply", id="deep"),
    ],
)
def test_errors_name_the_line(path: Path, change: object, line: int | None, what: str) -> None:
    assert callable(change)
    path.write_bytes(change(TEXT).encode("utf-8", "surrogateescape"))
    with pytest.raises(LockError) as caught:
        read_lock(str(path))
    if line is not None:
        assert caught.value.line == line
        assert str(caught.value).startswith(f"{path}:{line}: " if line else f"{path}: ")
    assert what in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "pw" not in str(caught.value).replace(str(path), "")


def test_inline_tables_are_read_though_their_lines_are_not_known(path: Path) -> None:
    path.write_text(f'version = 1\nimage = [{{reference = "x/y:1", digest = "{A}", media-type = "{OCI_INDEX}"}}]\n')
    assert [image.reference for image in read_lock(str(path)).images] == ["x/y:1"]
    path.write_text("version = 1\nimage = [3]\n")
    with pytest.raises(LockError, match=r"\[\[image\]\]"):
        read_lock(str(path))


@pytest.mark.parametrize(
    "image",
    [
        LockedImage("debian:12", A, OCI_INDEX),
        LockedImage("docker.io/library/debian:12", "latest", OCI_INDEX),
        LockedImage("docker.io/library/debian:12", A, "text/html"),
        LockedImage("docker.io/library/debian:12", A, OCI_INDEX, None, "now"),
    ],
    ids=["reference", "digest", "media-type", "date"],
)
def test_what_cannot_be_read_is_not_taken(path: Path, image: LockedImage) -> None:
    with pytest.raises(ValueError, match=r"image|digest|media-type|resolved|url|checksum"):
        Lock(str(path)).set_image(image)


@pytest.mark.parametrize(
    ("url", "checksum"),
    [("https://u:p@host/x", A), ("ftp://host/x", A), ("https://host/\udcff", A), ("https://host/x", "md5:1")],
)
def test_downloads_that_are_not_taken(path: Path, url: str, checksum: str) -> None:
    with pytest.raises(ValueError, match=r"image|digest|media-type|resolved|url|checksum"):
        Lock(str(path)).set_download(url, checksum)


# -- writing -----------------------------------------------------------------------------------------------------------


def test_mode_is_kept_and_nothing_is_left_behind(path: Path) -> None:
    path.write_text("version = 1\n")
    path.chmod(0o640)
    lock = read_lock(str(path))
    lock.set_image(DEBIAN)
    assert lock.write() is True
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert os.listdir(path.parent) == ["dfopt.lock"]


def test_a_new_file_has_the_mode_of_the_umask(path: Path) -> None:
    old = os.umask(0o027)
    try:
        filled(path).write()
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def changed(path: Path) -> None:
    path.write_text("version = 1\n# someone else\n")


def linked(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.parent / "elsewhere")


def replaced_by_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def removed(path: Path) -> None:
    path.unlink()


def turned_into_a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize("meanwhile", [changed, linked, replaced_by_a_folder, removed, turned_into_a_pipe])
def test_writes_that_are_refused(path: Path, meanwhile: object) -> None:
    path.write_text("version = 1\n")
    lock = read_lock(str(path))
    lock.set_image(DEBIAN)
    assert callable(meanwhile)
    meanwhile(path)
    before = sorted(os.listdir(path.parent))
    with pytest.raises(LockError):
        lock.write()
    assert sorted(os.listdir(path.parent)) == before
    assert not (path.parent / "elsewhere").exists()


def test_a_link_is_read_but_never_written_through(path: Path) -> None:
    target = path.parent / "elsewhere"
    target.write_text("version = 1\n")
    path.symlink_to(target)
    lock = read_lock(str(path))
    lock.set_image(DEBIAN)
    with pytest.raises(LockError, match="symbolic link"):
        lock.write()
    assert path.is_symlink()
    assert target.read_text() == "version = 1\n"


def test_no_such_folder(tmp_path: Path) -> None:
    lock = Lock(str(tmp_path / "none" / "dfopt.lock"), [DEBIAN])
    with pytest.raises(LockError, match="cannot be written: No such file"):
        lock.write()


def test_a_pipe_is_not_read(path: Path) -> None:
    os.mkfifo(path)
    with pytest.raises(LockError, match="not a regular file"):
        read_lock(str(path))
