"""The release tool, on a small repository; the tree itself has notes for its next release."""

from __future__ import annotations

import datetime
import os
import subprocess
from pathlib import Path

import pytest

from tests.tools import release

ROOT = Path(__file__).parents[1]
CHANGELOG = "# Changelog\n\n## [Unreleased]\n\n### Added\n\n- A thing.\n\n## [0.1.0] - 2026-01-02\n\n- The first.\n"
DAY = datetime.date(2026, 12, 1)


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for role in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{role}_NAME", "somebody")
        monkeypatch.setenv(f"GIT_{role}_EMAIL", "somebody@example.org")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\nversion = "0.1.0"\n')
    (tmp_path / "CHANGELOG.md").write_text(CHANGELOG)
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "begin"]):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    return tmp_path


def test_release(tree: Path) -> None:
    assert release.problem("v0.2.0", tree) == "pyproject.toml has version 0.1.0, not 0.2.0"
    release.release("0.2.0", tree, DAY)
    assert 'version = "0.2.0"' in (tree / "pyproject.toml").read_text()
    assert (tree / "CHANGELOG.md").read_text() == CHANGELOG.replace(
        "## [Unreleased]\n", "## [Unreleased]\n\n## [0.2.0] - 2026-12-01\n"
    )
    assert release.problem("v0.2.0", tree) == ""
    assert release.notes("v0.2.0", tree) == "### Added\n\n- A thing."
    tag = subprocess.run(["git", "describe"], cwd=tree, capture_output=True, text=True, check=True).stdout
    assert tag == "v0.2.0\n"


@pytest.mark.parametrize("version", ["0.2", "v0.2.0", "next"])
def test_a_malformed_version_is_refused(tree: Path, version: str) -> None:
    with pytest.raises(SystemExit, match="not a version"):
        release.release(version, tree, DAY)


def test_no_release_without_notes_or_with_changes(tree: Path) -> None:
    (tree / "pyproject.toml").write_text('version = "0.1.5"\n')
    with pytest.raises(SystemExit, match="uncommitted"):
        release.release("0.2.0", tree, DAY)
    subprocess.run(["git", "checkout", "-q", "."], cwd=tree, check=True)
    release.release("0.2.0", tree, DAY)
    with pytest.raises(SystemExit, match="no notes"):
        release.release("0.3.0", tree, DAY)
    assert 'version = "0.2.0"' in (tree / "pyproject.toml").read_text()


def test_a_tag_without_a_date_in_the_changelog_is_a_problem(tree: Path) -> None:
    (tree / "CHANGELOG.md").write_text(CHANGELOG.replace(" - 2026-01-02", ""))
    assert release.problem("v0.1.0", tree) == "CHANGELOG.md has no dated notes of 0.1.0"


def test_this_changelog_can_be_read() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert next(section["name"] for section in release._SECTION.finditer(text)) == "Unreleased"
