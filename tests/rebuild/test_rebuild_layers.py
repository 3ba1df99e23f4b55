"""Images of all kinds of layers, rebuilt and built again by the rules of BuildKit: the ledger finds no difference."""

from __future__ import annotations

import os
import stat
import tarfile
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from image.builders import (
    Layout,
    TarEntry,
    contents_of,
    digest,
    docker_archive,
    file,
    folder,
    gz,
    hardlink,
    layer,
    link,
    node,
    oci_layout,
    opaque,
    require,
    whiteout,
)  # fmt: skip
from image.samples import IMAGES
from image.test_image_ledger_property import stacks
from image.test_image_reference import pushed
from registry.servers import docker_registry

from dfopt.image import compare, make_ledger, open_archive, open_image
from dfopt.image.engines import LocalImage
from dfopt.rebuild.bases import NO_BASE, found_base
from dfopt.rebuild.rebuilding import rebuild
from dfopt.writing import NewDirectory
from rebuild.simulated import Simulation, instructions, rebuilt, round_trip

RM = [folder("bin"), file("bin/rm", "#!", mode=0o755)]
CAPABILITY = b"\x01\x00\x00\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"


def with_capability(path: str) -> TarEntry:
    value = CAPABILITY.decode("utf-8", "surrogateescape")
    return file(path, "program", 0o755, pax_headers={"SCHILY.xattr.security.capability": value})


MORE: dict[str, list[list[TarEntry]]] = {
    "setuid, sticky, odd modes": [
        [file("su", "x", 0o4755), file("wall", "x", 0o2755), folder("tmp", 0o1777), file("secret", "x", 0o600),
         folder("root", 0o700), file("root/.profile", "x"), file("none", "x", 0)],
    ],
    "owners by number": [
        [folder("srv"), folder("srv/app", owner=(1000, 2000)), file("srv/app/a", "1", owner=(1000, 2000)),
         file("srv/app/b", "2", owner=(7, 7)), folder("srv/app/c", owner=(0, 0)), file("srv/app/c/d", "3"),
         file("srv/e", "4", owner=(2_000_000, 65534))],
    ],
    "capabilities": [[with_capability("ping")], [with_capability("ping2"), whiteout("ping")]],
    "devices and fifos": [
        [folder("dev"), node("dev/null", tarfile.CHRTYPE), node("dev/sda", tarfile.BLKTYPE, 8, 0),
         node("run.fifo", tarfile.FIFOTYPE)],
    ],
    "hard links of a file that COPY could carry": [
        [folder("srv"), file("srv/a", "a"), hardlink("srv/b", "srv/a")], [hardlink("srv/c", "srv/b")],
    ],
    "a link whose first name is gone": [
        [file("a", "a"), hardlink("b", "a")], [whiteout("a")], [hardlink("c", "b"), file("b", "new")],
    ],
    "nothing but empty directories": [[folder("srv"), folder("srv/data"), folder("srv/data/x", 0o750)]],
    "a directory of links only": [[folder("srv"), link("srv/current", "/releases/1"), folder("releases/1")]],
    "parents that no entry makes": [[file("a/b/c/d", "x")], [file("a/b/e/f", "y", 0o600)]],
    "the mode of a directory that is there": [[folder("srv"), file("srv/a", "x")], [folder("srv", 0o711, (5, 5))]],
    "names that differ in case": [[file("srv/A", "1"), file("srv/a", "2"), file("SRV/x", "3")]],
    "names that shells and COPY take otherwise": [
        [file("srv/a b", "1"), file("srv/$HOME", "2"), file("srv/*", "3"), file("srv/[x]", "4"), file("srv/-rf", "5"),
         file("srv/a\\b", "6"), file("srv/'q\"", "7"), file("srv/#x", "8"), file("srv/<<EOF", "9"), file("srv/é", "0")],
    ],
    "sources and compiled twins": [
        [folder("srv"), file("srv/a.py", "x"), folder("srv/__pycache__"), file("srv/__pycache__/a.cpython-311.pyc")],
    ],
    "empty files": [[folder("srv"), file("srv/__init__.txt"), file("srv/.keep", "", 0o600)]],
    "a link becomes a directory of files": [
        [folder("data"), link("srv", "data")], [folder("srv"), file("srv/a", "x")],
    ],
    "a directory becomes a file that COPY could carry": [[folder("srv"), file("srv/x", "1")], [file("srv", "a file")]],
    "the same layer twice": [[file("a", "x")], [whiteout("a")], [file("a", "x")]],
    "a layer without entries": [[file("a", "x")], []],
}  # fmt: skip
ALL = {**IMAGES, **MORE}


@pytest.mark.parametrize("case", ALL)
@pytest.mark.parametrize("how", ["layers", "squashed", "without rm"])
def test_the_ledger_finds_no_difference(case: str, how: str, tmp_path: Path) -> None:
    layers = [layer(*entries) for entries in ALL[case]]
    if how != "without rm":
        layers.insert(0, layer(*RM))
    comparison = round_trip(tmp_path, layers, squash=how == "squashed")
    assert comparison.files == ()
    if how == "squashed":
        assert comparison.after.dead == 0


@pytest.mark.parametrize("case", ALL)
def test_on_a_known_base(case: str, tmp_path: Path) -> None:
    layers = [layer(*RM), *[layer(*entries) for entries in ALL[case]]]
    base = docker_archive(tmp_path / "base.tar", layers[:2], name="team/base:1")
    comparison = round_trip(tmp_path, layers, base=str(base))
    assert comparison.files == ()
    assert instructions((tmp_path / "rebuilt/Dockerfile").read_text())[0][1] in ("team/base:1", "scratch")


@given(stacks())
@settings(max_examples=100)
def test_random_stacks(made: tuple[list[list[TarEntry]], object]) -> None:
    layers = [layer(*RM), *[layer(*entries) for entries in made[0]]]
    for squash in (False, True):
        with tempfile.TemporaryDirectory() as name:
            assert round_trip(Path(name), layers, squash=squash).files == ()


def test_each_layer_keeps_its_bytes(tmp_path: Path) -> None:
    layers = [layer(*RM), layer(file("big", "x" * 5000)), layer(whiteout("big"))]
    comparison = round_trip(tmp_path, layers)
    assert comparison.after.dead == comparison.before.dead == 5000


def test_the_same_image_gives_the_same_bytes(tmp_path: Path) -> None:
    image = docker_archive(tmp_path / "image.tar", [layer(file("srv/a", "x", 0o600)), layer(file("srv/b", "y"))])
    for name in ("one", "two"):
        rebuilt(image, tmp_path / name)
    for path in ("Dockerfile", "layer-1.tar.gz", "layer-2/srv/b"):
        assert (tmp_path / "one" / path).read_bytes() == (tmp_path / "two" / path).read_bytes()


def test_what_a_person_can_review_is_copied(tmp_path: Path) -> None:
    entries = [folder("srv"), folder("srv/app", owner=(1000, 1000)), folder("srv/app/lib", owner=(1000, 1000)),
               file("srv/app/main.sh", "#!", 0o755, (1000, 1000), mtime=77),
               file("srv/app/lib/util.sh", "x", 0o644, (1000, 1000)), file("etc/app.conf", "y")]  # fmt: skip
    layers = [layer(*RM, folder("etc"), folder("srv")), layer(*entries)]
    assert round_trip(tmp_path, layers).files == ()
    pairs = instructions((tmp_path / "rebuilt/Dockerfile").read_text())
    assert ("COPY", "--chown=1000:1000 layer-2/srv/app /srv/app/") in pairs
    assert ("COPY", "layer-2/etc/app.conf /etc/") in pairs
    main = tmp_path / "rebuilt/layer-2/srv/app/main.sh"
    assert (stat.S_IMODE(main.stat().st_mode), main.stat().st_mtime) == (0o755, 77)


def test_an_oci_layout_with_compressed_layers(tmp_path: Path) -> None:
    layers = [layer(*RM), layer(file("srv/a", "x"), whiteout("bin/rm"))]
    path = oci_layout(tmp_path / "image", layers, pack=gz)
    rebuilt(path, tmp_path / "out")
    built = Simulation(tmp_path / "out", []).image(tmp_path / "built.tar")
    assert {entry.path for entry in built.layers[-1].entries} == {"/srv", "/srv/a"}


@pytest.mark.parametrize(
    ("entries", "why"),
    [
        pytest.param([whiteout("etc/hosts")], "mounted over", id="a file that RUN sees another one for"),
        pytest.param([whiteout("\udcff")], "not UTF-8", id="a name that is no text"),
        pytest.param([whiteout("bin/rm"), opaque("bin")], "", id="rm itself"),
    ],
)
def test_what_rm_cannot_do(entries: list[TarEntry], why: str, tmp_path: Path) -> None:
    layers = [layer(*RM, folder("etc"), file("etc/hosts", "x"), file("\udcff", "y")), layer(*entries)]
    comparison = round_trip(tmp_path, layers)
    assert comparison.files == ()
    notes = [line for line in (tmp_path / "rebuilt/Dockerfile").read_text().split("\n") if "# Note:" in line]
    notes = [note for note in notes if "PATH is set" not in note]
    assert (why in notes[0]) if why else not notes


def test_more_layers_than_an_engine_takes_become_one(tmp_path: Path) -> None:
    layers = [layer(file(f"f{number}", "x", 0o600)) for number in range(120)]
    assert round_trip(tmp_path, layers).files == ()
    assert [keyword for keyword, _ in instructions((tmp_path / "rebuilt/Dockerfile").read_text())] == ["FROM", "ADD"]


def local(name: str, layers: list[bytes], settings: dict[str, object], identity: str = "0") -> LocalImage:
    return LocalImage(identity, (name,), tuple(map(digest, layers)), settings)


def test_the_base_is_the_image_with_most_of_the_layers(tmp_path: Path) -> None:
    layers = [layer(file(name, "x")) for name in "abc"]
    settings = {"Env": ["A=1"], "Cmd": ["x"]}
    with open_archive(docker_archive(tmp_path / "image.tar", layers, config=settings, name="app:2")) as archive:
        image = archive.image()
    found = {
        "one": local("team/one:1", layers[:1], {}),
        "two": local("team/two:1", layers[:2], {"Env": ["A=0"]}),
        "other": local("team/other:1", [layers[1], layers[0]], {}),
        "unset": local("team/unset:1", layers, {"Env": ["B=1"]}),
        "itself": local("team/copy:1", layers, {**settings, "Hostname": "", "Volumes": None}),
        "by name": local("app:2", layers, {}),
        "by id": local("team/id:1", layers, {}, image.config_digest.rpartition(":")[2]),
        "odd name": local("x\nRUN evil", layers, {}),
    }
    assert found_base(image, found.values()).name == "team/two:1"
    assert found_base(image, [found["one"], found["other"]]).name == "team/one:1"
    assert (
        found_base(image, [found[key] for key in ("other", "unset", "itself", "by name", "by id", "odd name")])
        is NO_BASE
    )


def test_image_and_base_of_a_registry(tmp_path: Path) -> None:
    require("docker-registry", "images of a registry are read from a real one (Debian package docker-registry)")
    layers = [layer(*RM, file("old", "x")), layer(file("srv/a", "y" * 5000, 0o600), whiteout("old"))]
    base, image = Layout(), Layout()
    base.add(base.manifest(layers[:1], gz))
    image.add(image.manifest(layers, gz))
    with docker_registry(tmp_path / "registry", tmp_path / "data") as host:
        pushed(host, base, "base")
        pushed(host, image, "1")
        with (
            open_image(f"docker://{host}/team/app:1") as opened,
            NewDirectory(os.fspath(tmp_path / "out")) as place,
        ):
            rebuild(opened.stored(), f"docker://{host}/team/app:base").write(place)
    pairs = instructions((tmp_path / "out/Dockerfile").read_text())
    assert [keyword for keyword, _ in pairs] == ["FROM", "RUN", "ADD"]
    assert pairs[0][1] == f"{host}/team/app:base"
    built = Simulation(tmp_path / "out", layers[:1]).image(tmp_path / "built.tar")
    before = contents_of(docker_archive(tmp_path / "original.tar", layers))
    assert compare(before, make_ledger(before.layers), built, make_ledger(built.layers)).equal()


def test_what_nobody_would_review_is_in_the_tar(tmp_path: Path) -> None:
    cache = [file(f"root/.npm/{number}", str(number)) for number in range(1200)]
    own = [file("srv/app/a", "x"), file("etc/app.conf", "y"), file("opt/big", "z" * 9_000_000)]
    layers = [layer(*RM, folder("etc"), folder("opt"), folder("root", 0o700), folder("srv")), layer(*cache, *own)]
    assert round_trip(tmp_path, layers).files == ()
    pairs = instructions((tmp_path / "rebuilt/Dockerfile").read_text())
    assert [rest for keyword, rest in pairs if keyword == "COPY"] == [
        "layer-2/etc/app.conf /etc/", "layer-2/opt/big /opt/", "layer-2/srv/app /srv/app/"
    ]  # fmt: skip
    text = (tmp_path / "rebuilt/Dockerfile").read_text().replace("\n#", "")
    assert "1200 too many to review" in " ".join(text.split())
