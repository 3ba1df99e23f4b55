"""docs/verify.md and docs/profile.md are true: their commands, which build, run on a real engine and print what the
pages show."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from documents import PAGES, perform

from .engine import Engine


@pytest.mark.parametrize("name", ["verify.md", "profile.md"])
def test_commands_that_build(engine: Engine, more_bases: Callable[..., None], tmp_path: Path, name: str) -> None:
    more_bases("gcc", "distroless-base")
    (page,) = [page for page in PAGES if page.name == name]
    (tmp_path / "config").mkdir()
    more = {"DOCKER_HOST": engine.host, "DOCKER_CONFIG": str(tmp_path / "config")}
    problems = perform(page, tmp_path / "scratch", more)
    assert not problems, "\n\n".join(problems)
