"""What a built image says of its files, on programs and libraries of this very machine; and that multi-stage asks."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from given import Given

from dfopt.facts import Artifact, BuiltImage, Facts, SharedLibrary
from dfopt.image import open_archive
from dfopt.image.artifacts import ImageFiles, read_elf
from dfopt.passes.multi_stage.multi_stage import MultiStage
from dfopt.proof.observed.installed_packages import installed_packages
from image.builders import docker_archive, file, folder, hardlink, layer, link, require, whiteout

WHY = "part of every Debian"


def dynamic() -> bytes:
    return Path(require("env", WHY)).read_bytes()


def static() -> bytes:
    """glibc's ldconfig must run without libraries, so it is linked with none."""
    return Path(require("ldconfig", WHY)).read_bytes()


def images(path: Path, *layers: bytes) -> ImageFiles:
    with open_archive(docker_archive(path / "image.tar", list(layers))) as archive:
        return ImageFiles(archive.image())


def test_elf() -> None:
    found = read_elf(dynamic())
    assert found is not None
    assert "libc.so.6" in found.needs
    assert "ld-linux" in found.interpreter
    assert not found.static
    other = read_elf(static())
    assert other is not None
    assert other.static


@pytest.mark.parametrize(
    "data", [b"", b"\x7fELF", b"\x7fELF" + bytes(60), b"#!/bin/sh\n", b"\x7fELF\x02\x01\x01" + b"\xff" * 500]
)
def test_no_elf(data: bytes) -> None:
    assert read_elf(data) is None


def test_artifacts(tmp_path: Path) -> None:
    found = images(
        tmp_path,
        layer(
            folder("usr"), folder("usr/lib"), link("lib", "usr/lib"), file("usr/lib/libc.so.6", dynamic(), 0o755),
            file("var/lib/dpkg/info/libc6:amd64.list", "/lib/libc.so.6\n"),
            file("usr/lib/os-release", 'NAME=x\nID=debian\nVERSION_CODENAME="trixie"\n'),
            link("etc/os-release", "../usr/lib/os-release"), file("gone", static(), 0o755),
        ),
        layer(
            file("app/server", static(), 0o755), file("app/client", dynamic(), 0o755), link("app/same", "client"),
            file("app/run", "#!/usr/bin/env python3\nprint()\n", 0o755), file("app/data", "text"), whiteout("gone"),
            link("bin/server", "../app/server"), hardlink("app/hard", "app/server"),
        ),
    )  # fmt: skip
    assert found.artifact("/app/server") == Artifact("elf", True, (), "", None, "/app/server", 0o755)
    assert found.artifact("/bin/server") == found.artifact("/app/server")
    assert found.artifact("/app/hard").static
    client = found.artifact("/app/same")
    assert (client.kind, client.static, client.package, client.path) == ("elf", False, None, "/app/client")
    assert "libc.so.6" in client.needs
    assert found.artifact("/app/run") == Artifact("script", False, (), "/usr/bin/env python3", None, "/app/run", 0o755)
    assert found.script("/app/run") == "#!/usr/bin/env python3\nprint()\n"
    assert found.script("/app/data") is found.script("/app/server") is found.script("/nowhere") is None
    assert found.artifact("/app/data") == Artifact("file", False, (), "", None, "/app/data", 0o644)
    assert found.artifact("/app").kind == "directory"
    assert found.artifact("/gone") == Artifact("")
    assert found.artifact("/lib/libc.so.6").package == "libc6"
    assert found.needs_below("/app")["libc.so.6"] == SharedLibrary("/usr/lib/libc.so.6", "libc6")
    assert found.needs_below("/gone") == {}
    assert found.release() == ("debian", "trixie")


def test_an_upper_layer_replaces_what_was_read(tmp_path: Path) -> None:
    """By a file without content, by a link, and by one of another kind: nothing of the lower layer is told any more."""
    lower = layer(*[file(f"app/{name}", static(), 0o755) for name in ("empty", "link", "script")])
    upper = layer(
        file("app/empty", "", 0o755), link("app/link", "nowhere"), file("app/script", "#!/bin/sh\n", 0o755)
    )  # fmt: skip
    found = images(tmp_path, lower, upper)
    assert [found.artifact(f"/app/{name}").kind for name in ("empty", "link", "script")] == ["file", "", "script"]
    assert found.needs_below("/app") == {}


def test_library_path_of_the_image(tmp_path: Path) -> None:
    program, library = file("app/client", dynamic(), 0o755), file("opt/own/libc.so.6", dynamic(), 0o755)
    archive = docker_archive(
        tmp_path / "image.tar", [layer(program, library)], config={"Env": ["LD_LIBRARY_PATH=relative:/opt/own"]}
    )
    with open_archive(archive) as opened:
        found = ImageFiles(opened.image())
    assert found.needs_below("/app")["libc.so.6"] == SharedLibrary("/opt/own/libc.so.6")


def test_packages_of_alpine(tmp_path: Path) -> None:
    database = "P:zlib\nV:1.3\nF:usr\nF:usr/lib\nR:libz.so.1\nR:libz.so.1.3\n\nP:musl\nF:lib\nR:ld-musl-x86_64.so.1\n"
    found = images(
        tmp_path,
        layer(
            file("lib/apk/db/installed", database), file("usr/lib/libz.so.1.3", dynamic(), 0o755),
            link("usr/lib/libz.so.1", "libz.so.1.3"), file("lib/ld-musl-x86_64.so.1", dynamic(), 0o755),
        ),
    )  # fmt: skip
    for path, package in (("/usr/lib/libz.so.1", "zlib"), ("/lib/ld-musl-x86_64.so.1", "musl")):
        assert found.artifact(path).package == package


def test_packages_of_names_that_would_be_commands(tmp_path: Path) -> None:
    """The names of packages go into commands; no distribution allows these."""
    evil = "x; touch owned #"
    status = "Status: install ok installed\nVersion: 1\n"
    found = images(
        tmp_path,
        layer(
            file(f"var/lib/dpkg/info/{evil}.list", "/bin/a\n"), file("var/lib/dpkg/info/b.list", "/bin/b\n"),
            file("var/lib/dpkg/status", f"Package: {evil}\n{status}\nPackage: b\n{status}Depends: {evil}\n"),
        ),
        layer(file("lib/apk/db/installed", f"P:{evil}\nF:bin\nR:c\n\nP:d\nF:bin\nR:d\n"), file("bin/a", "a")),
    )  # fmt: skip
    assert found.owners == {"/bin/b": "b", "": "b", "/bin/d": "d"}
    assert found.packages() == ["b", "d"]
    known = installed_packages(found)
    assert (known.named, dict(known.depends)) == (frozenset(("b",)), {"b": ()})


def test_programs_and_setuid_files(tmp_path: Path) -> None:
    found = images(
        tmp_path,
        layer(
            file("usr/bin/su", dynamic(), 0o4755), file("usr/bin/wall", static(), 0o2755), folder("usr/share", 0o2755),
            file("usr/bin/gone", "#!/bin/sh\n", 0o4755), file("app/run", "#!/bin/sh\n", 0o755), file("app/text", "x"),
            link("app/link", "run"), hardlink("app/same", "usr/bin/su"),
        ),
        layer(whiteout("usr/bin/gone"), file("usr/bin/wall", static(), 0o755)),
    )  # fmt: skip
    size = len(dynamic())
    assert found.set_id() == {"/app/same": size, "/usr/bin/su": size}
    assert found.set_id("/usr") == {"/usr/bin/su": size}
    assert found.set_id("/nowhere") == {}
    programs = found.programs_below("/app")
    assert {path: one.kind for path, one in programs.items()} == {"/app/run": "script", "/app/same": "elf"}
    assert list(found.programs_below("/usr/bin/wall")) == ["/usr/bin/wall"]


def test_a_missing_library(tmp_path: Path) -> None:
    found = images(tmp_path, layer(file("app/client", dynamic(), 0o755))).needs_below("/app/client")
    assert found["libc.so.6"] == SharedLibrary("")


# --- what the pass makes of it ---------------------------------------------------------------------------------------

GO = 'FROM golang:1.24\nWORKDIR /src\nCOPY . .\nRUN go build -o /server .\nCMD ["/server"]\n'
PYTHON = 'FROM python:3.13\nWORKDIR /app\nCOPY . .\nRUN pip install -r requirements.txt\nCMD ["python", "app.py"]\n'


class Told(BuiltImage):
    """One answer to every question about a path."""

    def __init__(self, found: Artifact, libraries: Mapping[str, SharedLibrary]) -> None:
        self.found = found
        self.libraries = libraries

    def artifact(self, path: str) -> Artifact:
        return self.found

    def needs_below(self, path: str) -> Mapping[str, SharedLibrary]:
        return self.libraries

    def release(self) -> tuple[str, str]:
        return "debian", "trixie"


class Built(Given):
    """A build context, and what a build of it gave."""

    __slots__ = ("image",)

    def __init__(
        self,
        files: dict[str, bytes],
        found: Artifact | None = None,
        libraries: Mapping[str, SharedLibrary] | None = None,
    ) -> None:
        super().__init__(files)
        known = found is not None or libraries is not None
        self.image = Told(found or Artifact(""), libraries or {}) if known else None

    def built(self, stage: int, base: str) -> BuiltImage | None:
        return self.image if stage == 0 and base in ("golang:1.24", "python:3.13") else None


SERVER = {"go.mod": b"module x/server\n", "main.go": b'package main\n\nimport _ "net"\n\nfunc main() {}\n'}
PAGES = {"requirements.txt": b"some-binding==1\n", "app.py": b"import some_binding\n"}


def outcome(text: str, facts: Facts) -> str:
    """The last stage of the split, or the reason why there is none."""
    from dfopt.edit import apply_edits
    from dfopt.ir.program import Program
    from dfopt.syntax.dockerfile import parse

    program = Program(parse(text))
    (finding,) = MultiStage().find(program, facts)
    if finding.fix is None:
        return finding.reason
    return apply_edits(text, finding.fix.edits).partition("\n\n")[2]


@pytest.mark.parametrize(
    ("found", "image"),
    [
        pytest.param(None, "FROM debian:trixie-slim\n", id="no build"),
        pytest.param(Artifact("elf", True), "FROM scratch\n", id="static"),
        pytest.param(Artifact("elf", False, ("libc.so.6",)), "FROM debian:trixie-slim\n", id="dynamic"),
        pytest.param(Artifact("script"), "FROM debian:trixie-slim\n", id="script"),
    ],
)
def test_static_by_proof(found: Artifact | None, image: str) -> None:
    assert outcome(GO, Built(SERVER, found)).startswith(image)


def test_refusal_becomes_proof() -> None:
    assert "some-binding needs of the base image is not known" in outcome(PYTHON, Built(PAGES))
    proved = outcome(PYTHON, Built(PAGES, None, {"libfoo.so.1": SharedLibrary("/usr/lib/libfoo.so.1", "libfoo1")}))
    assert "apt-get install -y --no-install-recommends libfoo1 &&" in proved


def test_library_of_no_package() -> None:
    reason = outcome(PYTHON, Built(PAGES, None, {"libfoo.so.1": SharedLibrary("")}))
    assert "needs libfoo.so.1, which no package of the built image has" in reason
