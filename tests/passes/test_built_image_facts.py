"""What passes make of what a build tells, without an engine: images that are made up, layer by layer."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from image.builders import TarEntry, docker_archive, file, layer, require

from dfopt.facts import BuiltImage, Facts
from dfopt.image import open_archive
from dfopt.image.artifacts import ImageFiles
from dfopt.optimizer import optimize
from dfopt.pass_selection import Options
from dfopt.source import Source

WHY = "part of every Debian"
DEBIAN = file("etc/os-release", "ID=debian\nVERSION_CODENAME=trixie\n")


def dynamic() -> bytes:
    return Path(require("env", WHY)).read_bytes()


def static() -> bytes:
    return Path(require("ldconfig", WHY)).read_bytes()


class Told(Facts):
    """One image for all stages, one config for all bases."""

    __slots__ = ("config", "image")

    def __init__(self, image: BuiltImage, config: Mapping[str, Any] | None) -> None:
        self.image = image
        self.config = config

    def context_paths(self) -> frozenset[str]:
        return frozenset()

    def built(self, stage: int, base: str) -> BuiltImage | None:
        return self.image

    def built_config(self, image: str) -> Mapping[str, Any] | None:
        return self.config


def said(
    place: Path, text: str, select: str, *files: TarEntry, config: Mapping[str, Any] | None = None, **settings: object
) -> str:
    """The file with the fixes of a pass, or the reason why there are none."""
    with open_archive(docker_archive(place / "image.tar", [layer(*files)])) as archive:
        facts = Told(ImageFiles(archive.image()), config)
    options = Options((select,), (), ("safe", "unsafe"), {select: settings} if settings else {})
    result = optimize(Source.from_bytes(text.encode()), options, facts)
    return result.output if result.changed else " ".join(one.reason for one in result.reported)


SERVER = 'FROM ours\nCMD ["serve"]\n'
ACCOUNTS = (file("etc/passwd", "root:x:0:0::/:/bin/sh\n"), file("etc/group", "root:x:0:\n"))


def start(text: str) -> tuple[TarEntry, ...]:
    return (*ACCOUNTS, file("bin/sh", static(), 0o755), file("start", text, 0o755))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param('#!/bin/sh\nexec "$@"\n', "USER 10001", id="runs-the-words"),
        pytest.param('#!/bin/bash\nset -e\nexec tini -- "$@"\n', "USER 10001", id="behind-an-init"),
        pytest.param('#!/bin/sh\nexec gosu app "$@"\n', "starts gosu, which chooses the user itself", id="chooses"),
        pytest.param('#!/bin/sh\nmkdir -p /etc/ours\nexec "$@"\n', "start script writes to /etc/ours", id="writes"),
        pytest.param("#!/bin/sh\nexec serve\n", "what the base image's ENTRYPOINT does is not known", id="other-words"),
        pytest.param("#!/usr/bin/perl\n", "what the base image's ENTRYPOINT does is not known", id="other-language"),
    ],
)
def test_start_script_of_a_base_image(tmp_path: Path, text: str, expected: str) -> None:
    config = {"User": "", "Entrypoint": ["/start"]}
    assert expected in said(tmp_path, SERVER, "add-user", *start(text), config=config)


def test_start_program_of_a_base_image_stays_unknown(tmp_path: Path) -> None:
    files = (*ACCOUNTS, file("bin/sh", static(), 0o755), file("start", static(), 0o755))
    reason = said(tmp_path, SERVER, "add-user", *files, config={"Entrypoint": ["/start"]})
    assert reason == "what the base image's ENTRYPOINT does is not known"


def test_user_of_a_base_image(tmp_path: Path) -> None:
    assert said(tmp_path, SERVER, "add-user", config={"User": "www"}) == ""
    assert "how a user is created in ours is not known" in said(tmp_path, SERVER, "add-user", config={})
    made = said(tmp_path, SERVER, "add-user", *start(""), file("usr/sbin/useradd", static(), 0o755), config={})
    assert "RUN useradd --uid 10001" in made


@pytest.mark.parametrize(
    ("content", "expected"),
    [("#!/bin/sh\n", 'CMD ["/srv/x.sh"]'), ("exec serve\n", "x.sh has no #! line"), (None, "is not known")],
    ids=["script", "text", "absent"],
)
def test_first_line_of_a_script(tmp_path: Path, content: str | None, expected: str) -> None:
    files = (file("srv/x.sh", content, 0o755),) if content is not None else ()
    assert expected in said(tmp_path, "FROM debian:13\nRUN make\nCMD /srv/x.sh\n", "exec-form", *files)


COPIED = 'FROM ours AS build\nRUN make\nFROM python:3.13\nCOPY --from=build /out /srv\nCMD ["python"]\n'
LIBRARY = (DEBIAN, file("usr/lib/libc.so.6", "", 0o644), file("var/lib/dpkg/info/libown1.list", "/usr/lib/libc.so.6\n"))


@pytest.mark.parametrize(
    ("files", "to", "expected"),
    [
        pytest.param((file("srv/app", static(), 0o755),), "slim", "FROM python:3.13-slim", id="static"),
        pytest.param((file("srv/data", "text"),), "slim", "FROM python:3.13-slim", id="data"),
        pytest.param((*LIBRARY, file("srv/app", dynamic(), 0o755)), "slim", "libown1 && rm -rf", id="library"),
        pytest.param((DEBIAN, file("srv/app", dynamic(), 0o755)), "slim", "which no package of the", id="no-package"),
        pytest.param((file("srv/app", dynamic(), 0o755),), "slim", "libraries of an unknown system", id="unknown"),
        pytest.param((*LIBRARY, file("srv/app", dynamic(), 0o755)), "alpine", "libraries of another system", id="musl"),
        pytest.param(
            (file("srv/app", "#!/usr/bin/env perl\n", 0o755),), "alpine", "is run by perl, which is not", id="script"
        ),
    ],
)
def test_programs_of_another_stage(tmp_path: Path, files: tuple[TarEntry, ...], to: str, expected: str) -> None:
    assert expected in said(tmp_path, COPIED, "swap-base", *files, to=to)


def test_setuid_files_that_are_there(tmp_path: Path) -> None:
    text, config = "FROM ours\nRUN make\n", {"User": "root"}
    find = file("usr/bin/find", static(), 0o755)
    assert "-perm /6000" in said(tmp_path, text, "strip-suid", find, file("bin/su", "", 0o4755), config=config)
    assert said(tmp_path, text, "strip-suid", find, file("bin/ping", "", 0o4755), config=config) == ""
    reason = said(tmp_path, text, "strip-suid", file("bin/su", "", 0o4755), config=config)
    assert reason == "whether ours has find is not known"
