"""What the records of package managers propose, and what an install must have made to stand for files."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import Any

import pytest
from image.builders import TarEntry, docker_archive, file, folder, layer

from dfopt.engine import BuildError
from dfopt.image import open_archive
from dfopt.proof import ProofSettings
from dfopt.proof.image_view import ImageReader
from dfopt.proof.lab import Lab, ProofImage
from dfopt.rebuild.package_records import APK, HISTORY, STATES, STATUS, WORLD, proposals
from dfopt.rebuild.rebuilding import Rebuilt, rebuild
from dfopt.writing import NewDirectory
from rebuild.simulated import instructions


def package(name: str, version: str = "1", **more: str) -> str:
    fields = {"Package": name, "Status": "install ok installed", "Version": version, **more}
    return "".join(f"{key.replace('_', '-')}: {value}\n" for key, value in fields.items()) + "\n"


def automatic(*names: str) -> str:
    return "".join(f"Package: {name}\nArchitecture: amd64\nAuto-Installed: 1\n\n" for name in names)


BASE = package("base")


def proposed(after: dict[str, str], before: dict[str, str], pip: list[str], managed: bool = False) -> list[str]:
    texts = {1: before, 2: after}
    return [install.command for install in proposals(lambda path, n: texts[n].get(path, ""), 1, 2, pip, managed)]


APT = "apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y"


@pytest.mark.parametrize(
    ("after", "command"),
    [
        pytest.param({STATUS: BASE}, [], id="nothing new"),
        pytest.param(
            {STATUS: BASE + package("bb") + package("aa")}, [f"{APT} --no-install-recommends aa bb"], id="two"
        ),
        pytest.param(
            {STATUS: BASE + package("aa", Depends="lib (>= 1), x | y") + package("lib"), STATES: automatic("lib")},
            [f"{APT} --no-install-recommends aa"], id="with a dependency",
        ),
        pytest.param(
            {STATUS: BASE + package("aa", Recommends="doc") + package("doc"), STATES: automatic("doc")},
            [f"{APT} aa"], id="with what is recommended",
        ),
        pytest.param({STATUS: package("aa")}, [], id="another was removed"),
        pytest.param({STATUS: package("base", "2") + package("aa")}, [], id="another was upgraded"),
        pytest.param({STATUS: BASE + package("a; touch evil")}, [], id="a name that is none"),
        pytest.param({STATUS: BASE + package("--allow-downgrades")}, [], id="an option"),
        pytest.param({STATUS: BASE + package("lib"), STATES: automatic("lib")}, [], id="nobody asked for it"),
        pytest.param({STATUS: BASE + "".join(package(f"p{n}") for n in range(600))}, [], id="too many"),
    ],
)  # fmt: skip
def test_apt(after: dict[str, str], command: list[str]) -> None:
    assert proposed(after, {STATUS: BASE}, []) == command


def test_apt_by_its_log() -> None:
    log = "Start-Date: x\nInstall: lib:amd64 (1, automatic), aa:amd64 (1), lib2:amd64 (2:1~x, automatic)\n"
    after = {STATUS: BASE + package("aa") + package("lib") + package("lib2"), HISTORY: log}
    assert proposed(after, {STATUS: BASE}, []) == [f"{APT} --no-install-recommends aa"]


def test_apt_without_a_database_below() -> None:
    assert proposed({STATUS: package("aa")}, {}, []) == []


def test_apk() -> None:
    after = {WORLD: "alpine-baselayout\ncurl\nbash\n", APK[0]: "P:bash\nV:5\n\nP:curl\nV:8\n"}
    assert proposed(after, {WORLD: "alpine-baselayout\n"}, []) == ["apk add --no-cache bash curl"]
    assert proposed({WORLD: "x\n$(evil)\n"}, {WORLD: "x\n"}, []) == []
    assert proposed({WORLD: "curl\n"}, {WORLD: "removed\n"}, []) == []


def test_pip() -> None:
    place = "/usr/lib/python3/site-packages"
    found = [f"{place}/flask-3.0.1.dist-info", f"{place}/a b-1.dist-info", f"{place}/x-1;evil.dist-info"]
    assert proposed({}, {}, found) == ["pip install --no-cache-dir flask==3.0.1"]
    assert proposed({}, {}, found, True) == ["pip install --no-cache-dir --break-system-packages flask==3.0.1"]


# -- proved by a build, which a stand-in for the lab answers with an image that is at hand


class StandIn(Lab):
    """A lab whose engine gives the same image whatever it builds, or fails."""

    def __init__(self, archive: Path | None) -> None:
        super().__init__(None, ProofSettings(), None, ImageReader())
        self.archive = archive
        self.texts: list[str] = []

    @property
    def engine(self) -> Any:
        return self

    def remove(self, image: object) -> None:
        assert image is None

    def build(self, dockerfile: bytes, path: str, *, cache: bool = False) -> ProofImage:
        self.texts.append(dockerfile.decode())
        assert os.path.isfile(path) is False
        if self.archive is None:
            raise BuildError("the build failed", "E: Unable to locate package tool")
        return ProofImage(None, self.reader.archive(os.fspath(self.archive)), 0.0)  # type: ignore[arg-type]


BELOW = [folder("bin"), file("bin/rm", "#!", 0o755), folder("var"), file(STATUS[1:], BASE), file("etc/motd", "x")]
RECORDS = [file(STATUS[1:], BASE + package("tool")), file("var/lib/dpkg/info/tool.list", "/usr/bin/tool\n")]
TOOL = file("usr/bin/tool", "program", 0o755)
APP = file("srv/app", "mine")


def tried(
    tmp_path: Path, own: list[TarEntry], installed: list[TarEntry] | None, **more: Any
) -> tuple[Rebuilt, StandIn]:
    """The rebuild of BELOW and a layer `own`, where the install brings `installed` (None: it fails)."""
    layers = [layer(*BELOW), layer(*RECORDS, *own)]
    docker_archive(tmp_path / "base.tar", layers[:1], name="base:1")
    image = docker_archive(tmp_path / "image.tar", layers)
    result = None
    if installed is not None:
        result = docker_archive(tmp_path / "installed.tar", [layers[0], layer(*RECORDS, *installed)])
    lab = StandIn(result)
    with open_archive(image) as archive, NewDirectory(os.fspath(tmp_path / "out")) as place:
        rebuilt = rebuild(archive.image(), os.fspath(tmp_path / "base.tar"), lab=lab, **more)
        rebuilt.write(place)
    return rebuilt, lab


def rest(tmp_path: Path) -> list[tuple[str, str]]:
    return instructions((tmp_path / "out/Dockerfile").read_text())[1:]


RUN = ("RUN", f"{APT} --no-install-recommends tool")


def test_what_the_install_makes_is_in_no_tar(tmp_path: Path) -> None:
    rebuilt, lab = tried(tmp_path, [TOOL, APP], [TOOL])
    assert rest(tmp_path) == [RUN, ("COPY", "layer-1/srv /srv/")]
    assert "installed when this was written: tool 1\n" in rebuilt.text
    assert instructions(lab.texts[0])[1:] == [RUN]


def test_what_it_makes_otherwise_is_laid_over_it(tmp_path: Path) -> None:
    tried(tmp_path, [TOOL, file("etc/tool.cache", "1", 0o600)], [TOOL, file("etc/tool.cache", "2", 0o600)])
    assert rest(tmp_path) == [RUN, ("ADD", "layer-1.tar.gz /")]


def test_what_it_brings_too_many_is_removed(tmp_path: Path) -> None:
    lists = [file("var/lib/apt/lists/index", "x"), file("var/lib/apt/lists/lock", ""), file("srv/trace", "x")]
    tried(tmp_path, [TOOL], [TOOL, *lists])
    removal = "rm -rf /var/lib/apt/lists/* /srv /var/lib/apt"
    assert rest(tmp_path) == [("RUN", f"{RUN[1]}     && {removal}")]


@pytest.mark.parametrize(
    ("own", "installed", "note"),
    [
        pytest.param([TOOL], None, "Unable to locate package tool", id="it fails"),
        pytest.param(
            [TOOL], [file("usr/bin/tool", "newer", 0o755)], "/usr/bin/tool would differ", id="another version"
        ),
        pytest.param([TOOL], [], "/usr/bin/tool would differ", id="a file is missing"),
        pytest.param(
            [TOOL], [TOOL, file("etc/motd", "y")], "/etc/motd would differ", id="it changes a file of the base"
        ),
        pytest.param(
            [TOOL],
            [TOOL, *[file(f"opt{number}", "x") for number in range(40)]],
            "lacks too much",
            id="it brings too much",
        ),
        pytest.param([TOOL], [TOOL, file("opt/a b; evil", "x")], "", id="a name that needs quotes"),
    ],
)
def test_else_all_stay_files(own: list[TarEntry], installed: list[TarEntry] | None, note: str, tmp_path: Path) -> None:
    rebuilt, _ = tried(tmp_path, own, installed)
    if note:
        assert note in " ".join(rebuilt.notes)
        assert rest(tmp_path) == [("ADD", "layer-1.tar.gz /")]
    else:
        assert shlex.split(rest(tmp_path)[0][1])[-1] == "/opt"


def test_what_need_not_be_kept(tmp_path: Path) -> None:
    lists = [file("var/lib/apt/lists/index", "then")]
    now = [file("var/lib/apt/lists/index", "now")]
    rebuilt, _ = tried(
        tmp_path,
        [TOOL, *lists],
        [TOOL, *now],
        squash=True,
        disposable=lambda path: path.startswith("/var/lib/apt/lists/"),
    )
    removal = "rm -rf /var/cache/apt/* /var/lib/apt/lists/*"
    assert rest(tmp_path) == [("RUN", f"{RUN[1]}     && {removal}")]
    assert "were left out" in rebuilt.text
