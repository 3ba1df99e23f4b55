"""`dfopt review` as a process: images, gates, exit codes, the page."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

import pytest
from image.builders import docker_archive, file, layer, whiteout

from cli.running import dfopt

LAYERS = [
    [file("usr/bin/su", "s" * 10, mode=0o4755)],
    [file("var/lib/apt/lists/x_Packages", "p" * 400_000), file("bin/own", "o", mode=0o4755)],
    [file("big", "b" * 200_000)], [whiteout("big")],
]  # fmt: skip
DOCKERFILE = b"FROM debian:13\nRUN apt-get update && apt-get install -y own\nRUN touch /big\nRUN rm /big\n"
HISTORY = [
    {"created_by": "base"}, {"created_by": "RUN /bin/sh -c apt-get update && apt-get install -y own # buildkit"},
    {"created_by": "RUN /bin/sh -c touch /big # buildkit"}, {"created_by": "RUN /bin/sh -c rm /big # buildkit"},
]  # fmt: skip


@pytest.fixture
def place(tmp_path: Path) -> Path:
    tars = [layer(*entries, form=tarfile.PAX_FORMAT) for entries in LAYERS]
    docker_archive(tmp_path / "image.tar", tars, history=HISTORY)
    docker_archive(tmp_path / "small.tar", tars[:1], history=HISTORY[:1])
    (tmp_path / "Dockerfile").write_bytes(DOCKERFILE)
    return tmp_path


def review(place: Path, *args: str, stdin: bytes = b"") -> tuple[int, str, str]:
    done = dfopt("review", *args, cwd=place, stdin=stdin, driven=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def test_an_image_and_its_dockerfile(place: Path) -> None:
    status, out, err = review(place, "image.tar", "-f", "Dockerfile")
    assert (status, err) == (0, "")
    assert "600 kB in 4 layers" in out
    assert "apt-cleanup would save 400 kB" in out


def test_a_build_context(place: Path) -> None:
    """By --context as in `fix`, or by the last argument as in docker build: what passes ask of it is known."""
    (place / "Dockerfile").write_bytes(DOCKERFILE + b"COPY serve /srv/serve\nCMD /srv/serve\n")
    (place / "dfopt.toml").write_text("unsafe = true\n")
    (place / "context").mkdir()
    (place / "context" / "serve").write_bytes(b"#!/bin/sh\n")
    words = ("image.tar", "-f", "Dockerfile", "--output-format", "json")
    seen = [review(place, *words, *more) for more in ((), ("--context", "context"), ("context",))]
    assert [status for status, _, _ in seen] == [0, 0, 0]
    assert seen[1] == seen[2]
    assert ['+CMD [\\"/srv/serve\\"]' in out for _, out, _ in seen] == [False, True, True]
    for args, why in (
        (("image.tar", "--context", "context"), "--context needs --file"),
        ((*words, "--context", "nowhere"), 'no such directory: "nowhere"'),
        ((*words, "context", "--context", "context"), "--context already sets the build context; remove context"),
        (("image.tar", "context"), "not an image archive"),
    ):
        status, _, err = review(place, *args)
        assert (status, why in err) == (2, True), err


def test_standard_input(place: Path) -> None:
    status, out, _ = review(place, "-", stdin=(place / "image.tar").read_bytes())
    assert (status, "standard input  linux/amd64" in out) == (0, True)


@pytest.mark.parametrize(
    ("args", "status"),
    [
        pytest.param((), 0, id="no-gate"),
        pytest.param(("--fail-on", "error"), 0, id="level-not-reached"),
        pytest.param(("--fail-on", "warning"), 1, id="level"),
        pytest.param(("--fail-on", "note"), 1, id="level-below"),
        pytest.param(("--fail-on", "none"), 0, id="none"),
        pytest.param(("--fail-on", "secret,capability"), 0, id="rules-not-met"),
        pytest.param(("--fail-on", "secret,setuid"), 1, id="rule"),
        pytest.param(("--max-size", "1MB"), 0, id="size-kept"),
        pytest.param(("--max-size", "500kB"), 1, id="size"),
        pytest.param(("--max-wasted", "200kB"), 0, id="waste-kept"),
        pytest.param(("--max-wasted", "199kB"), 1, id="waste"),
        pytest.param(("--min-efficiency", "60%"), 0, id="efficiency-kept"),
        pytest.param(("--min-efficiency", "0.9"), 1, id="efficiency"),
    ],
)
def test_gates(place: Path, args: tuple[str, ...], status: int) -> None:
    assert review(place, "image.tar", *args)[0] == status


def test_the_rules_of_dive(place: Path) -> None:
    (place / ".dive-ci").write_text("rules:\n  highestWastedBytes: 1B\n")
    status, out, _ = review(place, "image.tar")
    assert (status, ".dive-ci highestWastedBytes 1B: FAIL" in out) == (1, True)
    assert review(place, "image.tar", "--dive-ci", "none")[0] == 0
    (place / "other").write_text("rules: {lowestEfficiency: off, highestUserWastedPercent: off}\n")
    assert review(place, "image.tar", "--dive-ci", "other")[0] == 0


def test_two_images_are_gated_by_the_second(place: Path) -> None:
    status, out, _ = review(place, "image.tar", "small.tar", "-f", "Dockerfile", "--max-size", "1kB")
    assert status == 0
    assert "layer bytes: 600 kB -> 10 bytes" in out
    assert review(place, "small.tar", "image.tar", "--max-size", "1kB")[0] == 1


@pytest.mark.parametrize("format", ["json", "sarif"])
def test_formats(place: Path, format: str) -> None:
    _, out, _ = review(place, "image.tar", "--output-format", format)
    assert json.loads(out)["version"] in (1, "2.1.0")


def test_the_page(place: Path) -> None:
    status, out, _ = review(place, "image.tar", "small.tar", "-f", "Dockerfile", "--html", "report.html")
    page = (place / "report.html").read_text()
    assert (status, "600 kB in 4 layers" in out) == (0, True)
    assert page.startswith("<!DOCTYPE html>")
    assert page.endswith("</html>\n")
    assert not [each for each in place.iterdir() if each.name.endswith(".tmp")]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        pytest.param(("none.tar",), "none.tar: no such file or directory", id="no-image"),
        pytest.param(("Dockerfile",), "Dockerfile: not a tar archive", id="no-archive"),
        pytest.param(("image.tar", "-f", "none"), "none: ", id="no-dockerfile"),
        pytest.param(("image.tar", "-f", "."), ".: is a directory; name the Dockerfile", id="directory"),
        pytest.param(("image.tar", "-f", "broken"), "broken:1:1: ", id="broken-dockerfile"),
        pytest.param(("image.tar", "--fail-on", "high"), "--fail-on: 'high' is neither a level", id="fail-on"),
        pytest.param(("image.tar", "--max-size", "big"), "--max-size: 'big' is not a size", id="max-size"),
        pytest.param(("image.tar", "--min-efficiency", "95"), "--min-efficiency: '95' is not a share", id="share"),
        pytest.param(("image.tar", "--dive-ci", "none.yml"), "none.yml: No such file", id="dive-ci"),
        pytest.param(("image.tar", "--dive-ci", "broken-ci"), ".dive-ci: line 1", id="broken-dive-ci"),
        pytest.param(("image.tar", "--html", "no/such/report.html"), "no/such/report.html: No such", id="html"),
        pytest.param(("image.tar", "--platform", "linux/arm64"), "no image for linux/arm64", id="platform"),
        pytest.param(("image.tar", "image.tar", "image.tar"), "one image, or two to compare", id="three"),
        pytest.param(("image.tar", "-f", "Dockerfile", "-f", "x"), "at most one Dockerfile for each", id="two-files"),
        pytest.param((), "Missing argument 'IMAGE'", id="nothing"),
    ],
)
def test_what_is_wrong_is_told(place: Path, args: tuple[str, ...], message: str) -> None:
    (place / "broken").write_bytes(b"NONSENSE\n")
    (place / "broken-ci").write_text("rules: [a]\n")
    status, _, err = review(place, *args)
    assert status == 2
    assert message in err


def test_a_corrupt_image(place: Path) -> None:
    data = bytearray((place / "image.tar").read_bytes())
    data[data.index(b"p" * 1000) + 5] ^= 1
    (place / "image.tar").write_bytes(bytes(data))
    status, out, err = review(place, "image.tar")
    assert (status, out) == (2, "")
    assert "does not match" in err
