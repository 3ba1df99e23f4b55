"""swap-base by its parts: targets, busybox' options, accounts, package names, static programs, files of the context."""

from __future__ import annotations

import shutil
import struct
from pathlib import Path

import pytest

from dfopt.ir.program import Program
from dfopt.knowledge import table
from dfopt.passes.swap_base.accounts import account_words
from dfopt.passes.swap_base.files import context_path, copied, is_static
from dfopt.passes.swap_base.microdnf import microdnf_words
from dfopt.passes.swap_base.options import compressors, option_fault, wrapper_fault
from dfopt.passes.swap_base.target import BARE, SLIM, ReplacementBase, provider, target_of
from dfopt.passes.swap_base.words import translated
from dfopt.syntax.dockerfile import parse
from dfopt.testing.case_files import CaseDirectory
from dfopt.testing.facts import CaseFacts

TARGETS = [
    ("debian:13", "slim", "debian:13-slim"),
    ("debian", "slim", "debian:stable-slim"),
    ("docker.io/library/debian:bookworm", "slim", "docker.io/library/debian:bookworm-slim"),
    ("debian:bookworm-20250630", "slim", None),
    ("debian:13-slim", "slim", None),
    ("debian:13-slim", "alpine", "alpine:3.22"),
    ("python", "slim", "python:slim"),
    ("python:3.12.4-bookworm", "slim", "python:3.12.4-slim-bookworm"),
    ("python:3.12-slim-bookworm", "alpine", "python:3.12-alpine"),
    ("python:3.12-alpine", "slim", None),
    ("python:3.12-windowsservercore", "slim", None),
    ("node:22-bookworm", "slim", "node:22-bookworm-slim"),
    ("node:lts", "alpine", "node:lts-alpine"),
    ("ruby:3.3", "slim", "ruby:3.3-slim"),
    ("golang:1.24", "slim", None),
    ("ubuntu:24.04", "slim", None),
    ("registry.example/python:3.12", "slim", None),
    ("alpine:3.20", "alpine", None),
    ("alpine:3.20", "scratch", "scratch"),
    ("fedora:42", "alpine", "alpine:3.22"),
    ("fedora", "slim", "registry.fedoraproject.org/fedora-minimal"),
    ("fedora:37", "slim", None),
    ("registry.access.redhat.com/ubi8/ubi:8.10", "slim", "registry.access.redhat.com/ubi8/ubi-minimal:8.10"),
    ("registry.access.redhat.com/ubi9:latest", "slim", "registry.access.redhat.com/ubi9-minimal:latest"),
    ("redhat/ubi10", "slim", "redhat/ubi10-minimal"),
    ("redhat/ubi9-minimal", "slim", None),
    ("almalinux:9.8", "slim", "almalinux:9.8-minimal"),
    ("almalinux:9-minimal", "slim", None),
    ("oraclelinux:8", "slim", "oraclelinux:8-slim"),
]

MICRODNF = [
    ("dnf install -y httpd", "install -y httpd"),
    ("yum -y -q update", "-y update"),
    ("dnf -y upgrade --refresh", "-y update --refresh"),
    ("dnf install -y --setopt=install_weak_deps=False a b", "install -y --setopt=install_weak_deps=0 a b"),
    ("dnf install -y --setopt=tsflags=nodocs a", "install -y --setopt=tsflags=nodocs a"),
    ("dnf install --setopt tsflags=nodocs -y a", "install --setopt=tsflags=nodocs -y a"),
    ("dnf --enablerepo crb install -y a", "--enablerepo crb install -y a"),
    ("dnf --enablerepo=crb install -y a", "--enablerepo=crb install -y a"),
    ("dnf erase -y a", "remove -y a"),
    ("yum clean all", "clean all"),
    ("dnf clean packages", "clean all"),
    ("dnf install -y coreutils", "install -y"),
    ("dnf module enable -y nodejs:20", "module enable -y nodejs:20"),
    ("dnf install -y --allowerasing a", "--allowerasing has no counterpart in microdnf"),
    ("dnf install -y --setopt=fastestmirror=1 a", "--setopt=fastestmirror=1 has no counterpart in microdnf"),
    ("dnf module install -y nodejs:20", "module install has no counterpart in microdnf"),
    ("dnf groupinstall -y tools", "groupinstall has no counterpart in microdnf"),
    ("dnf install -y @tools", "install @tools has no counterpart in microdnf"),
    ("dnf install -y https://example.com/a.rpm", "install https://example.com/a.rpm has no counterpart in microdnf"),
    ("dnf install -y curl", "install curl stands against a package of the new image"),
    ("dnf install -y $PACKAGES", "a word that is not fixed has no counterpart in microdnf"),
    ("dnf autoremove -y", "autoremove has no counterpart in microdnf"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "wanted"), MICRODNF, ids=[row[0] for row in MICRODNF])
def test_microdnf(text: str, wanted: str) -> None:
    program = _command(text)
    (one,) = program.commands(program.stages[0].steps[0]).invocations
    try:
        said = " ".join(word for word in microdnf_words(one)[0] if word)
    except ValueError as error:
        said = str(error)
    assert said == wanted


COMPRESSORS = [
    ("-xzf a", "gzip"),
    ("xJf a", "xz"),
    ("xf a.tar.bz2", "bzip2"),
    ("-C /opt -xf a.tar", ""),
    ("-xf a.tar.zst", "zstd"),
    ("--strip-components=1 --xz -xf a", "xz"),
    ("-cf z.tar jar/Jar", ""),
]


@pytest.mark.parametrize(("text", "wanted"), COMPRESSORS, ids=[row[0] for row in COMPRESSORS])
def test_programs_that_tar_starts(text: str, wanted: str) -> None:
    assert compressors(text.split()) == set(wanted.split())
    assert compressors(["-xf", None]) == {"gzip", "bzip2", "xz"}


@pytest.mark.parametrize(("image", "to", "wanted"), TARGETS, ids=[f"{row[0]} to {row[1]}" for row in TARGETS])
def test_target(image: str, to: str, wanted: str | None) -> None:
    found = target_of(image, to, ())
    assert (found.image if isinstance(found, ReplacementBase) else found) == wanted


def test_target_of_the_users_own() -> None:
    own = ("python:3.*=registry.example/python:3-slim", "debian:*=gcr.io/distroless/base-debian13", "node:*=odd/image")
    assert target_of("python:3.12", "slim", own) == (
        "which distribution registry.example/python:3-slim is made of is not known"
    )
    bare = target_of("debian:12", "slim", own)
    assert isinstance(bare, ReplacementBase)
    assert (bare.kind, bare.family, bare.programs) == (BARE, "distroless", frozenset())
    slim = target_of("python:3.13", "alpine", ("python:*=python:3.13-slim",))
    assert isinstance(slim, ReplacementBase)
    assert (slim.kind, slim.image) == (SLIM, "python:3.13-slim")


def _command(text: str) -> Program:
    return Program(parse(f"FROM debian:13\nRUN {text}\n"))


OPTIONS = [
    ("cp -a x y", ""),
    ("cp --preserve=all x y", "--preserve=all"),
    ("mkdir -pm 755 x", ""),
    ("mkdir -pv x", "-pv"),
    ("wget -q -O x http://localhost/x", ""),
    ("wget --progress=dot:giga http://localhost/x", "--progress=dot:giga"),
    ("tar xzf x -C / --strip-components=1", ""),
    ("tar -x --wildcards -f x", "--wildcards"),
    ("grep -oE 'a+' x", ""),
    ("grep -Po '\\d' x", "-Po"),
    ("sed -i -e s/a/b/ x", ""),
    ("sed -i '0,/a/s//b/' x", "0,/a/s//b/"),
    ("sed --in-place s/a/b/ x", "--in-place"),
    ("date -d @1700000000 +%s", ""),
    ("date -d 'next week'", "-d"),
    ("find / -xdev -type f -name '*.pyc' -delete", ""),
    ("find . -type f -exec chmod --recursive 644 {} +", ""),
    ("find / -perm /6000", "-perm /"),
    ("find . -printf x", "-printf"),
    ("echo plain words", ""),
    ("echo -e x", "-e"),
    ("echo 'a\\nb'", "a\\nb"),
    ("ls -la", ""),
    ("head -5 x", ""),
    ("cat -A x", ""),
    ("cat -s x", "-s"),
    ("patch -p1 -i x", ""),
    ("sync -f x", "-f"),
    ("dd if=x of=y", ""),
    ("getent --service=x hosts", "--service=x"),
    ("unknown word", ""),
]


WRAPPERS = [
    ("xargs -r -n 1 rm", ""),
    ("xargs -d , rm", "-d"),
    ("timeout -s KILL 5 true", ""),
    ("timeout --signal=KILL 5 true", "--signal=KILL"),
    ("nice -n 5 true", ""),
]


@pytest.mark.parametrize(("text", "fault"), WRAPPERS, ids=[row[0] for row in WRAPPERS])
def test_option_of_a_wrapper(text: str, fault: str) -> None:
    program = _command(text)
    (one,) = program.commands(program.stages[0].steps[0]).invocations
    assert wrapper_fault(one) == fault


@pytest.mark.parametrize(("text", "fault"), OPTIONS, ids=[row[0] for row in OPTIONS])
def test_busybox_option(text: str, fault: str) -> None:
    program = _command(text)
    (one,) = program.commands(program.stages[0].steps[0]).invocations
    assert option_fault(one.program or "", one.values) == fault


ACCOUNTS = [
    ("useradd app", "adduser -D -H app"),
    ("useradd -m app", "adduser -D app"),
    ("useradd -rm -u 100 -s /usr/sbin/nologin app", "adduser -D -u 100 -s /sbin/nologin app"),
    ("useradd -r -m -u 100 -s /usr/sbin/nologin app", "adduser -D -u 100 -s /sbin/nologin app"),
    ("useradd --uid=100 --gid web --home-dir /srv app", "adduser -D -H -u 100 -G web -h /srv app"),
    ("useradd -g 100 app", None),
    ("useradd -G sudo app", None),
    ("useradd -p secret app", None),
    ("useradd $USER", None),
    ("groupadd -r -g 90 web", "addgroup -S -g 90 web"),
    ("adduser --disabled-password --gecos '' app", "adduser -D app"),
    ("adduser --system --group app", "adduser -D app"),
    ("adduser --system app", None),
    ("adduser --disabled-password --gecos '' --no-create-home app", "adduser -D -H app"),
    ("adduser app web", "addgroup app web"),
    ("addgroup --system web", "addgroup -S web"),
]


@pytest.mark.parametrize(("text", "wanted"), ACCOUNTS, ids=[row[0] for row in ACCOUNTS])
def test_account(text: str, wanted: str | None) -> None:
    program = _command(text)
    (one,) = program.commands(program.stages[0].steps[0]).invocations
    words, _ = account_words(one, homes=False)
    assert (" ".join(words) if words is not None else None) == wanted


def test_names_of_packages() -> None:
    assert translated("build-essential", "debian", "alpine") == ["build-base"]
    assert translated("build-essential", "ubuntu", "rhel") == ["gcc", "gcc-c++", "make"]
    assert translated("openssl-devel", "rhel", "alpine") == ["openssl-dev"]
    assert translated("apt-utils", "debian", "alpine") == []
    assert translated("libodd7", "debian", "alpine") is None
    assert translated("nginx", "debian", "alpine") is None  # a service: its files lie elsewhere
    assert provider("cc") == "gcc"


def test_no_package_has_two_names() -> None:
    known = table("package_names")
    names = [*known["same"], *(row["debian"][0] for row in known["package"])]
    assert len(names) == len(set(names))


def _elf(*kinds: int) -> bytes:
    """The head of a 64-bit program with segments of these kinds."""
    head = (
        b"\x7fELF\x02\x01\x01"
        + bytes(9)
        + struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, 0, 64, 0, 0, 64, 56, len(kinds), 0, 0, 0)
    )
    return head + b"".join(struct.pack("<I", kind) + bytes(52) for kind in kinds)


def test_static_programs() -> None:
    assert is_static(_elf(6, 1, 1))
    assert not is_static(_elf(6, 3, 1))
    assert not is_static(b"#!/bin/sh\n")
    assert not is_static(b"\x7fELF")
    shell = Path(shutil.which("bash") or "/bin/sh").resolve().read_bytes()
    assert not is_static(shell)


def test_files_of_the_context(tmp_path: Path) -> None:
    for name in ("package.json", "package-lock.json", "src/main.js", "src/deep/a.js"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    text = "FROM node:22\nWORKDIR /app\nCOPY package*.json ./\nCOPY src /app/lib\nCOPY src/main.js /bin/tool\n"
    program, facts = Program(parse(text)), CaseFacts(CaseDirectory(tmp_path))
    steps = program.stages[0].steps
    where = {
        "/app/package.json": "package.json",
        "/app/package-lock.json": "package-lock.json",
        "/app/lib/deep/a.js": "src/deep/a.js",
        "/bin/tool": "src/main.js",
        "/app/src/main.js": None,
        "/app/lib": None,
    }
    assert {path: context_path(program, steps, path, facts) for path in where} == where
    assert copied(program, steps, facts) == ["package-lock.json", "package.json", "src/deep/a.js", "src/main.js"]
