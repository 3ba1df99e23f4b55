"""Images made to harm who rebuilds them: nothing is written outside of the directory, nothing escapes into the text."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from image.builders import TarEntry, docker_archive, file, folder, hardlink, layer, link, whiteout

from dfopt.image import ImageError, ReadLimits
from dfopt.rebuild.model import RebuildError
from dfopt.syntax.dockerfile import parse
from dfopt.writing import NewDirectory, WriteRefused
from rebuild.simulated import Simulation, rebuilt, round_trip

RM = [folder("bin"), file("bin/rm", "#!", mode=0o755)]
EVIL = "RUN touch /evil"
NAMES = [
    f"a\n{EVIL}\n", f"a\\\n{EVIL}", "a\r\nb", "\x1b[2Jscreen", "\u2028line", "\u202ereversed", "a # b",
    "<<EOF", " <<EOF ", 'a" <<EOF "b', "-rf", "--chown=0:0",
    "$(touch evil)", "`touch evil`", "a;b", "*", "?", "[a]", "a\tb",
    "\udcff", "%s", "con", "nul.txt", "dot.", ".dockerignore", "Dockerfile", "layer-1.tar.gz", "~", "a" * 255,
]  # fmt: skip


def test_names_stay_names(tmp_path: Path) -> None:
    layers = [layer(*RM, folder("srv")), layer(*[file(f"srv/{name}", name.encode("utf-8", "surrogateescape"))
                                                 for name in NAMES])]  # fmt: skip
    assert round_trip(tmp_path, layers).files == ()
    text = (tmp_path / "rebuilt/Dockerfile").read_text()
    assert [node.keyword for node in parse(text).instructions] == ["FROM", "ADD", "ADD", "COPY"]
    assert not [line for line in text.split("\n") if line.startswith("RUN")]


@pytest.mark.parametrize("name", [name for name in NAMES if name != "\udcff"])
def test_names_that_are_deleted_stay_names(name: str, tmp_path: Path) -> None:
    layers = [layer(*RM, folder("srv"), file(f"srv/{name}"), file("srv/kept")), layer(whiteout(f"srv/{name}"))]
    comparison = round_trip(tmp_path, layers)
    assert comparison.files == ()
    assert comparison.after.layers == 3  # what RM and srv are, the copied files, and the rm
    keywords = [node.keyword for node in parse((tmp_path / "rebuilt/Dockerfile").read_text()).instructions]
    assert keywords.count("RUN") == 1


TEXTS = [f"x\n{EVIL}", f"x\\\n{EVIL}", f"x\r\n{EVIL}", "syntax=evil", "# escape=`", "\u2028" + EVIL, "<<EOF"]


@pytest.mark.parametrize("text", TEXTS)
def test_texts_of_the_image_stay_in_comments(text: str, tmp_path: Path) -> None:
    more: dict[str, Any] = {
        "history": [{"created_by": text, "comment": text}], "architecture": text, "variant": text, "author": text,
        "config": {
            "Env": [f"A={text}", f"{text}=1"], "Labels": {text: text}, "User": text, "WorkingDir": f"/{text}",
            "Cmd": [text], "Entrypoint": [text], "StopSignal": text, "OnBuild": [text], "Volumes": {f"/{text}": {}},
            "ExposedPorts": {text: {}}, "Shell": [text], "Healthcheck": {"Test": ["CMD-SHELL", text]}, text: text,
        },
    }  # fmt: skip
    image = docker_archive(tmp_path / "image.tar", [layer(file("srv", "x", 0o600))], name=text, **more)
    rebuilt(image, tmp_path / "out")
    content = (tmp_path / "out/Dockerfile").read_bytes()
    tree = parse(content.decode())
    assert "RUN" not in [node.keyword for node in tree.instructions]
    assert tree.escape == "\\"
    assert b"\r" not in content
    for line in content.decode().split("\n"):
        assert line == "" or line.startswith("#") or line.split(" ")[0].isupper()


ESCAPES: list[tuple[str, list[list[TarEntry]]]] = [
    ("a link, then a file below it", [[link("out", "/tmp")], [file("out/evil", "x")]]),
    ("a relative link, then a file below it", [[folder("a"), link("a/out", "../tmp")], [file("a/out/evil", "x")]]),
    ("a link to the directory itself", [[link("srv", ".")], [file("srv/srv/srv/evil", "x")]]),
    ("a link that becomes a directory", [[link("srv", "/tmp")], [folder("srv"), file("srv/evil", "x")]]),
    ("a hard link to a link", [[link("a", "/etc/passwd"), hardlink("b", "a")], [file("b", "x")]]),
]


@pytest.mark.parametrize("layers", [case[1] for case in ESCAPES], ids=[case[0] for case in ESCAPES])
def test_links_lead_nowhere(layers: list[list[TarEntry]], tmp_path: Path) -> None:
    (tmp_path / "beside").mkdir()
    image = docker_archive(tmp_path / "image.tar", [layer(*RM), *[layer(*entries) for entries in layers]])
    result = rebuilt(image, tmp_path / "beside/out")
    assert os.listdir(tmp_path / "beside") == ["out"]
    for above, names, files in os.walk(tmp_path / "beside"):
        assert not [name for name in names + files if os.path.islink(os.path.join(above, name))]
    built = Simulation(tmp_path / "beside/out", []).image(tmp_path / "built.tar")
    assert len(built.layers) >= 1
    assert result.plan.steps


@pytest.mark.parametrize(
    "entries",
    [
        pytest.param([file("../evil", "x")], id="climbs"),
        pytest.param([file("a/../../evil", "x")], id="climbs inside"),
        pytest.param([hardlink("a", "../../etc/passwd")], id="a hard link climbs"),
        pytest.param([hardlink("a", "nothing")], id="a hard link to nothing"),
        pytest.param([link("a", "b"), file("a/x", "1")], id="below a link of the same layer"),
    ],
)
def test_lies_are_errors_and_leave_nothing(entries: list[TarEntry], tmp_path: Path) -> None:
    image = docker_archive(tmp_path / "image.tar", [layer(*entries)])
    with pytest.raises(ImageError):
        rebuilt(image, tmp_path / "out")
    assert os.listdir(tmp_path) == ["image.tar"]


def test_a_bomb_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    image = docker_archive(tmp_path / "image.tar", [layer(file("a", bytes(1 << 20)))])
    with pytest.raises(ImageError, match="limit"):
        rebuilt(image, tmp_path / "out", limits=ReadLimits(total_bytes=1 << 19))
    assert os.listdir(tmp_path) == ["image.tar"]


def test_a_directory_that_is_not_empty_is_left_alone(tmp_path: Path) -> None:
    image = docker_archive(tmp_path / "image.tar", [layer(file("a", "x"))])
    (tmp_path / "out").mkdir()
    (tmp_path / "out/mine").write_text("kept")
    with pytest.raises(WriteRefused, match="not empty"):
        rebuilt(image, tmp_path / "out")
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(WriteRefused, match="not a directory"):
        rebuilt(image, tmp_path / "link")
    assert sorted(os.listdir(tmp_path)) == ["image.tar", "link", "out"]
    assert (tmp_path / "out/mine").read_text() == "kept"


def test_an_empty_directory_is_filled(tmp_path: Path) -> None:
    image = docker_archive(tmp_path / "image.tar", [layer(file("a", "x"))])
    (tmp_path / "out").mkdir()
    rebuilt(image, tmp_path / "out")
    assert sorted(os.listdir(tmp_path / "out")) == ["Dockerfile", "layer-1"]


def test_what_was_begun_is_taken_back(tmp_path: Path) -> None:
    def begun() -> None:
        with NewDirectory(os.fspath(tmp_path / "out")) as place:
            (Path(place) / "half").write_text("x")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        begun()
    assert os.listdir(tmp_path) == []


def test_secrets_are_named_not_shown(tmp_path: Path) -> None:
    token = "ghp_" + "a1B2" * 9
    layers = [layer(folder("srv"), file("srv/.npmrc", f"//registry.npmjs.org/:_authToken={token}\n", 0o600))]
    image = docker_archive(
        tmp_path / "image.tar", layers, history=[{"created_by": f"RUN curl -H 'Authorization: {token}' x"}],
        config={"Env": ["DB_PASSWORD=Kq8zzTopYv3Wx"]},
    )  # fmt: skip
    result = rebuilt(image, tmp_path / "out")
    text = (tmp_path / "out/Dockerfile").read_text()
    assert result.secrets == 2
    assert "secret: /srv/.npmrc" in text
    assert "secret: ENV DB_PASSWORD" in text
    assert token not in text
    assert text.count("Kq8zzTopYv3Wx") == 1  # the instruction that sets it


def test_secrets_that_are_not_written_are_not_counted(tmp_path: Path) -> None:
    token = "ghp_" + "a1B2" * 9
    secret = file("srv/.npmrc", f"//registry.npmjs.org/:_authToken={token}\n", 0o600)
    layers = [layer(*RM, secret), layer(whiteout("srv/.npmrc")), layer(secret)]
    image = docker_archive(tmp_path / "image.tar", layers)
    base = docker_archive(tmp_path / "base.tar", layers[:2], name="base:1")
    assert rebuilt(image, tmp_path / "all").secrets == 2
    assert rebuilt(image, tmp_path / "based", base=str(base)).secrets == 1
    deleted = docker_archive(tmp_path / "deleted.tar", layers[:2])
    assert rebuilt(deleted, tmp_path / "squashed", squash=True).secrets == 0


def test_images_of_windows_are_refused(tmp_path: Path) -> None:
    image = docker_archive(tmp_path / "image.tar", [layer(file("a", "x"))], os="windows")
    with pytest.raises(RebuildError, match="Windows"):
        rebuilt(image, tmp_path / "out")


def test_another_base_is_refused(tmp_path: Path) -> None:
    image = docker_archive(tmp_path / "image.tar", [layer(file("a", "x"))], config={"Env": ["A=1"]})
    other = docker_archive(tmp_path / "other.tar", [layer(file("b", "x"))], name="other:1")
    with pytest.raises(RebuildError, match="does not stand on"):
        rebuilt(image, tmp_path / "out", base=str(other))
    unset = docker_archive(tmp_path / "unset.tar", [layer(file("a", "x"))], name="unset:1", config={"Env": ["B=2"]})
    with pytest.raises(RebuildError, match="the variable B"):
        rebuilt(image, tmp_path / "out", base=str(unset))
    hostile = docker_archive(tmp_path / "hostile.tar", [layer(file("a", "x"))], name=f"x\n{EVIL}")
    with pytest.raises(RebuildError, match="not a name that FROM could use"):
        rebuilt(image, tmp_path / "out", base=str(hostile))


def test_deletions_of_another_platform_need_no_program_of_it(tmp_path: Path) -> None:
    layers = [layer(*RM, file("a", "x"), file("b", "y")), layer(whiteout("a"))]
    image = docker_archive(tmp_path / "image.tar", layers, architecture="s390x")
    result = rebuilt(image, tmp_path / "out")
    assert "files are deleted in an image of linux/s390x" in result.notes[0]
    assert "\nFROM --platform=linux/s390x scratch\n" in result.text
    assert "RUN" not in result.text
