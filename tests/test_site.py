"""The documentation as a site: it is built, with every page and every link in it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from cli.running import ROOT, environment
from tools import pictures


def test_site(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path / "site")]
    done = subprocess.run(
        command, cwd=ROOT, env=environment(NO_MKDOCS_2_WARNING="1"), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    built = {path.parent.name for path in (tmp_path / "site").rglob("index.html")}
    pages = {path.stem for path in (ROOT / "docs").rglob("*.md") if path.stem != "README"}
    assert pages <= built


def test_pictures_are_fresh() -> None:
    for name in pictures.COMMANDS:
        svg = (pictures.PICTURES / f"{name}.svg").read_text(encoding="utf-8")
        assert "url(" not in re.sub(r"url\(#[^)]*\)", "", svg)  # no request to another host
        assert " ".join(pictures.printed(name).split()) in " ".join(pictures.words(svg)), (
            "python -m tests.tools.pictures"
        )
