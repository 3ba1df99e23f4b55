"""`dfopt review` and `dfopt history` on images that real engines built: savings that come true, lines, and a Dockerfile
that builds the same."""

from __future__ import annotations

import os
import shutil
import subprocess
import uuid
from pathlib import Path

import pytest
from oracle_client import Oracle

from dfopt.image import OpenImage, map_history, open_image
from dfopt.optimizer import optimize
from dfopt.pass_selection import Options
from dfopt.results import Result
from dfopt.review.build import ReviewSettings, make_review
from dfopt.review.model import Review
from dfopt.review.recover import recover
from dfopt.review.secret_scan import Watch
from dfopt.source import Source

from .engine import Engine
from .plugin import require

WASTEFUL = """\
FROM debian:13-slim
RUN apt-get update
RUN apt-get install -y --no-install-recommends file
RUN head -c 3000000 /dev/urandom > /tmp/work && cp /tmp/work /srv/result
RUN rm /tmp/work
CMD ["file", "/srv/result"]
"""


@pytest.fixture
def opened(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Images are read from the engine of the tests."""
    monkeypatch.setenv("DOCKER_HOST", engine.host)
    monkeypatch.delenv("DOCKER_CONTEXT", raising=False)


def reviewed(image: OpenImage, result: Result | None = None) -> Review:
    watch = Watch()
    contents = image.read(visit=watch.visit)
    titles = [fix.name for fix in result.applied] if result is not None else []
    return make_review(contents, watch, ReviewSettings(), result, titles)


@pytest.mark.usefixtures("opened")
def test_what_is_predicted_comes_true(engine: Engine, tmp_path: Path) -> None:
    """The fixes' predicted savings against two real builds, one of the file and one of the fixed file."""
    result = optimize(Source("Dockerfile", WASTEFUL), Options())
    before, after = engine.build(tmp_path, WASTEFUL.encode()), engine.build(tmp_path, result.output.encode())
    with open_image(f"docker-daemon:{before}") as image:
        found = reviewed(image, result)
    with open_image(f"docker-daemon:{after}") as image:
        then = reviewed(image)
    assert found.source is not None
    predicted = sum(saving.size for saving in found.source.savings)
    saved = found.ledger.total_bytes - then.ledger.total_bytes
    assert predicted > 20_000_000  # an index, and what line 5 deletes
    assert abs(predicted - saved) < 0.02 * saved
    by_line = {line.line: line for line in found.source.lines}
    assert by_line[4].died == by_line[5].killed == 3_000_000
    assert [saving.name for saving in by_line[2].savings if saving.size] == ["apt-cleanup"]
    assert all(layer.line == number + 1 for number, layer in enumerate(found.layers) if number)
    names = {package.name: package for package in found.packages}
    assert names["file"].layer == 2
    assert names["file"].size > 10_000


STEPS = """\
ARG VERSION=3
ENV A=1 B="two words" C='$x'
LABEL org.example.note="a b"
WORKDIR /srv/app
RUN echo "$A $VERSION" > made && \\
    # a comment inside
    mkdir -p one/two/three && touch one/two/three/a-rather-long-name one/two/three/another-rather-long-name
RUN <<EOF
set -e
echo several
echo lines > /lines
EOF
SHELL ["/bin/sh", "-ec"]
RUN ["/bin/echo", "json"]
RUN cd / && echo "it's [odd] \\$HOME" > /odd
USER 1000:1000
EXPOSE 80 53/udp
VOLUME ["/data"]
STOPSIGNAL SIGINT
ENTRYPOINT ["/bin/sh", "-c"]
CMD ["echo done"]
"""


@pytest.mark.usefixtures("opened")
def test_a_recovered_dockerfile_builds_the_same(engine: Engine, oracle: Oracle, tmp_path: Path) -> None:
    """BuildKit's own digest of what is to be done: the recovered file's, on the same base, is the original's, but for
    the RUN in JSON form, which no history tells from one in shell form (and which is marked)."""
    original = f"FROM busybox:1.37\n{STEPS}"
    with open_image(f"docker-daemon:{engine.build(tmp_path, original.encode())}") as image:
        contents = image.read(hashes=False)
    found = recover(contents, map_history(contents.image), {})
    assert found.text.count("whether this RUN was in JSON form") == 1
    head, _, steps = found.text.partition("ADD layer-0.tar /\n")
    assert "FROM scratch" in head
    again = f"FROM busybox:1.37\n{steps}".replace("RUN /bin/echo json", 'RUN ["/bin/echo", "json"]')
    one, two = oracle.llb(original.encode()), oracle.llb(again.encode())
    assert one["head"] == two["head"], again
    for key in (
        "Env",
        "Cmd",
        "Entrypoint",
        "User",
        "WorkingDir",
        "ExposedPorts",
        "Volumes",
        "StopSignal",
        "Labels",
        "Shell",
    ):
        assert one["image"]["config"].get(key) == two["image"]["config"].get(key), key


@pytest.mark.usefixtures("opened")
def test_an_image_made_by_hand(engine: Engine, oracle: Oracle, tmp_path: Path) -> None:
    name = f"dfopt-realbuild-{uuid.uuid4().hex}"
    tag = f"dfopt-realbuild:{name}"
    docker = ["docker", "--host", engine.host]
    script = "echo made > /by-hand; rm /etc/group"
    try:
        subprocess.run(
            [*docker, "run", "--network=none", "--name", name, "busybox:1.37", "sh", "-c", script], check=True
        )
        commit = ["commit", "--change", "ENV HAND=made", "--change", "USER 7", name, tag]
        subprocess.run([*docker, *commit], check=True, stdout=subprocess.DEVNULL)
        with open_image(tag) as image:
            contents = image.read(hashes=False)
    finally:
        subprocess.run([*docker, "rm", "--force", name], check=False, stdout=subprocess.DEVNULL)
        subprocess.run([*docker, "image", "rm", "--force", tag], check=False, stdout=subprocess.DEVNULL)
    found = recover(contents, map_history(contents.image), {})
    assert "unknown: layer 1: made by hand or by another tool" in found.text
    for line in ("RUN rm -rf /etc/group", "ADD layer-1.tar /", "ENV HAND=made", "USER 7"):
        assert f"\n{line}\n" in found.text
    assert "/by-hand" in found.text
    assert not oracle.parse(found.text.encode()).get("inst_err")


BUILDAH = """\
FROM scratch
COPY busybox /bin/
RUN ["/bin/busybox", "sh", "-c", "/bin/busybox head -c 200000 /dev/zero > /made"]
ENV A="two words"
RUN ["/bin/busybox", "rm", "/made"]
CMD ["/bin/busybox"]
"""


def test_buildah(oracle: Oracle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its history has another form, and its images another way out."""
    require("buildah", "busybox")
    if os.geteuid() != 0:
        pytest.skip("buildah builds here as root only")
    context = tmp_path / "context"
    context.mkdir()
    busybox = shutil.which("busybox")
    assert busybox is not None
    shutil.copy(busybox, context / "busybox")
    (context / "Dockerfile").write_text(BUILDAH)
    storage = ["--root", str(tmp_path / "root"), "--runroot", str(tmp_path / "run"), "--storage-driver", "vfs"]
    build = ["bud", "--format=docker", "--layers", "--isolation=chroot", "--network=host", "--pull=never", "--quiet"]
    hard = [f"--ulimit=nofile={_limit('n')}", f"--ulimit=nproc={_limit('u')}"]
    subprocess.run(["buildah", *storage, *build, *hard, "--tag=localhost/dfopt-review:1", str(context)], check=True)
    wrapper = tmp_path / "bin" / "buildah"
    wrapper.parent.mkdir()
    wrapper.write_text(f'#!/bin/sh\nexec {shutil.which("buildah")} {" ".join(storage)} "$@"\n')
    wrapper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{wrapper.parent}:{os.environ['PATH']}")
    result = optimize(Source("Dockerfile", BUILDAH), Options())
    with open_image("buildah:localhost/dfopt-review:1") as image:
        found = reviewed(image, result)
    assert found.source is not None
    lines = {line.line: line for line in found.source.lines}
    assert (lines[3].added, lines[3].died, lines[5].killed) == (200_000, 200_000, 200_000)
    with open_image("buildah:localhost/dfopt-review:1") as image:
        contents = image.read(hashes=False)
    text = recover(contents, map_history(contents.image), {}).text
    assert '\nENV A="two words"\n' in text
    assert not {"err", "inst_err"} & set(oracle.parse(text.encode()))


def _limit(letter: str) -> str:
    done = subprocess.run(["bash", "-c", f"ulimit -H{letter}"], capture_output=True, text=True, check=True)
    value = done.stdout.strip()
    value = "1048576" if value == "unlimited" else value
    return f"{value}:{value}"
