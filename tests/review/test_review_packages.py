"""Packages and their bytes, from each manager's own database."""

from __future__ import annotations

import sqlite3
import struct
from pathlib import Path

import pytest
from image.builders import TarEntry, file, folder, hardlink, link, whiteout

from dfopt.image.rpm import header, installed
from review.making import image, review

DPKG = """Package: curl
Status: install ok installed
Architecture: amd64
Version: 8.14-1
Installed-Size: 999
Description: something
 with more: lines

Package: gone
Status: deinstall ok config-files
Version: 1

Package: libz:odd
Status: install ok installed
Architecture: amd64
Version: 2
Installed-Size: 3
"""


def packages(tmp_path: Path, *layers: list[TarEntry]) -> list[tuple[str, str, str, int, int]]:
    found = review(image(tmp_path / "i.tar", list(layers))).packages
    return [(each.manager, each.name, each.version, each.size, each.layer) for each in found]


def test_dpkg(tmp_path: Path) -> None:
    lists = "/.\n/usr\n/usr/bin\n/usr/bin/curl\n/usr/bin/twin\n/lib/libcurl.so\n/etc/none\n"
    found = packages(
        tmp_path,
        [folder("usr"), folder("usr/lib"), link("lib", "usr/lib"), file("var/lib/dpkg/status", "")],
        [
            file("var/lib/dpkg/status", DPKG), file("var/lib/dpkg/info/curl.list", lists),
            file("usr/bin/curl", "c" * 700), hardlink("usr/bin/twin", "usr/bin/curl"),
            file("usr/lib/libcurl.so", "l" * 50),
        ],
    )  # fmt: skip
    # each inode once, links in parents followed; without a list the size that dpkg states
    assert found == [("dpkg", "libz:odd", "2", 3072, 1), ("dpkg", "curl", "8.14-1", 750, 1)]


def test_dpkg_of_several_architectures(tmp_path: Path) -> None:
    status = "".join(
        f"Package: libc6\nStatus: install ok installed\nArchitecture: {arch}\nVersion: {arch}\n\n"
        for arch in ("amd64", "i386")
    )
    found = packages(
        tmp_path,
        [
            file("var/lib/dpkg/status", status), file("a", "1"), file("b", "22"),
            file("var/lib/dpkg/info/libc6:amd64.list", "/a\n"), file("var/lib/dpkg/info/libc6:i386.list", "/b\n"),
        ],
    )  # fmt: skip
    assert found == [("dpkg", "libc6", "i386", 2, 0), ("dpkg", "libc6", "amd64", 1, 0)]


def test_a_database_per_package(tmp_path: Path) -> None:
    """Distroless images have status.d and no lists."""
    status = "Package: tzdata\nVersion: 1\nInstalled-Size: 2\n"
    assert packages(tmp_path, [file("var/lib/dpkg/status.d/tzdata", status)]) == [("dpkg", "tzdata", "1", 2048, 0)]


def test_a_deleted_database_counts_nothing(tmp_path: Path) -> None:
    assert packages(tmp_path, [file("var/lib/dpkg/status", DPKG)], [whiteout("var/lib/dpkg/status")]) == []


def test_the_newest_database_counts(tmp_path: Path) -> None:
    newer = "Package: wget\nStatus: install ok installed\nVersion: 3\nInstalled-Size: 1\n"
    found = packages(tmp_path, [file("var/lib/dpkg/status", DPKG)], [file("var/lib/dpkg/status", newer)])
    assert found == [("dpkg", "wget", "3", 1024, 1)]


def test_apk(tmp_path: Path) -> None:
    database = "C:Q1x=\nP:musl\nV:1.2.5-r10\nI:999\nF:lib\nR:ld.so\nR:none\n\nP:virtual\nV:1\nI:7\n\n"
    found = packages(tmp_path, [file("lib/apk/db/installed", database), file("lib/ld.so", "x" * 30)])
    assert found == [("apk", "musl", "1.2.5-r10", 30, 0), ("apk", "virtual", "1", 7, 0)]


def test_pip(tmp_path: Path) -> None:
    base = "usr/lib/python3/site-packages"
    record = 'flask/app.py,sha256=x,10\n"odd,name.py",,\n../../../bin/flask,,\nnone.py,,\n'
    found = packages(
        tmp_path,
        [
            file(f"{base}/Flask_X-3.1.0.dist-info/RECORD", record), file(f"{base}/flask/app.py", "x" * 10),
            file(f"{base}/odd,name.py", "y" * 5), file("usr/bin/flask", "z" * 3),
        ],
    )  # fmt: skip
    assert found == [("pip", "Flask-X", "3.1.0", 18, 0)]


def test_npm(tmp_path: Path) -> None:
    found = packages(
        tmp_path,
        [
            file("app/package.json", '{"name": "own", "version": "1"}'),
            file("app/node_modules/a/package.json", '{"name": "a", "version": "1.0"}'),
            file("app/node_modules/a/x.js", "x" * 100),
            file("app/node_modules/a/node_modules/@s/b/package.json", '{"name": "@s/b", "version": "2.0"}'),
            file("app/node_modules/broken/package.json", "{nonsense"),
            file("app/node_modules/a/lib/package.json", '{"type": "module"}'),
        ],
    )
    assert found == [
        ("npm", "a", "1.0", 149, 0), ("npm", "@s/b", "2.0", 34, 0), ("npm", "broken", "", 9, 0),
    ]  # fmt: skip


# -- rpm ---------------------------------------------------------------------------------------------------------------


def rpm_header(fields: dict[int, tuple[int, list[object]]]) -> bytes:
    """A header blob, by rpm's description of the format. Kinds: 4 int32, 6 string, 8 string array."""
    entries, store = b"", b""
    for tag, (kind, values) in fields.items():
        if kind == 4:
            store += b"\0" * (-len(store) % 4)
        entries += struct.pack(">IIiI", tag, kind, len(store), len(values))
        for value in values:
            store += struct.pack(">I", value) if kind == 4 else str(value).encode() + b"\0"
    return struct.pack(">II", len(fields), len(store)) + entries + store


BASH = {
    1000: (6, ["bash"]), 1001: (6, ["5.2"]), 1002: (6, ["3.fc40"]), 1003: (4, [2]), 1009: (4, [888]),
    1116: (4, [0, 1]), 1117: (8, ["bash", "README"]), 1118: (8, ["/usr/bin/", "/usr/share/doc/bash/"]),
}  # fmt: skip


def database(path: Path, *blobs: bytes) -> bytes:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE Packages (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL)")
    connection.executemany("INSERT INTO Packages (blob) VALUES (?)", [(blob,) for blob in blobs])
    connection.commit()
    connection.close()
    return path.read_bytes()


def test_rpm(tmp_path: Path) -> None:
    other = {1000: (6, ["kernel"]), 1001: (6, ["6"]), 1002: (6, ["1"]), 1009: (4, [77])}
    content = database(tmp_path / "db", rpm_header(BASH), rpm_header(other), b"no header")
    for place in ("var/lib/rpm", "usr/lib/sysimage/rpm"):
        found = packages(tmp_path, [file(f"{place}/rpmdb.sqlite", content), file("usr/bin/bash", "b" * 600)])
        assert found == [("rpm", "bash", "2:5.2-3.fc40", 600, 0), ("rpm", "kernel", "6-1", 77, 0)]


@pytest.mark.parametrize("content", [b"", b"SQLite format 3\0 and then nonsense", b"\0" * 5000])
def test_what_is_no_rpm_database(content: bytes) -> None:
    assert list(installed(content)) == []


@pytest.mark.parametrize("keep", range(0, 200, 7))
def test_a_header_that_is_cut_off(keep: int) -> None:
    assert header(rpm_header(BASH)[:keep]) == {}
