"""docs/review.md is true: its command prints what it shows, its options and rules are the ones that there are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from cli.running import dfopt
from image.builders import docker_archive, file, layer

from dfopt.cli.options import command_named
from dfopt.image.open_image import _ENGINES, _FILES
from dfopt.knowledge import table

PAGE = (Path(__file__).parents[2] / "docs/review.md").read_text(encoding="utf-8")


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """The image of the page: an index that stays, and files that are stored twice for a chmod."""
    tars = [
        layer(file("usr/bin/su", "s" * 60_000, mode=0o4755)),
        layer(file("var/lib/apt/lists/debian_Packages.lz4", "p" * 20_000_000)),
        layer(file("srv/shop/data", "d" * 5_000_000)), layer(file("srv/shop/data", "d" * 5_000_000, mode=0o600)),
    ]  # fmt: skip
    steps = ["RUN /bin/sh -c apt-get update", "COPY shop /srv/shop", "RUN /bin/sh -c chmod 600 /srv/shop/data"]
    history = [{"created_by": "base"}, *[{"created_by": f"{step} # buildkit"} for step in steps]]
    docker_archive(tmp_path / "shop.tar", tars, name="shop:1", history=history)
    (tmp_path / "Dockerfile").write_text(
        "FROM debian:13-slim\nRUN apt-get update\nCOPY shop /srv/shop\nRUN chmod 600 /srv/shop/data\n"
    )
    return tmp_path


def test_the_example(shop: Path) -> None:
    shown = re.findall(r"```console\n\$ dfopt (.*?)\n(.*?)```", PAGE, re.DOTALL)
    assert len(shown) == 1
    for command, output in shown:
        done = dfopt(*command.split(), cwd=shop, driven=False)
        assert done.returncode == 0
        assert done.stdout.decode().startswith(output)


def test_options_and_rules() -> None:
    flags = set()
    for name in ("review", "history"):
        spec = command_named(name)
        assert spec is not None
        flags |= {flag for option in spec.options for flag in option.flags}
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", PAGE)) <= flags
    assert set(re.search(r"Rules: (.*?)\.", PAGE, re.DOTALL)[1].replace("`", "").replace("\n", " ").split(", ")) == set(  # type: ignore[index]
        table("review_rules")
    )
    schemes = set(re.findall(r"`([a-z-]+):(?:shop|DIR|FILE|//)", PAGE))
    assert schemes <= {*_ENGINES, *_FILES, "docker"}
