"""A release: `python -m tests.tools.release VERSION` sets the version, dates the changelog, commits, and tags vVERSION.

`--check TAG` exits with status 1 unless the version and the changelog fit TAG; `--notes TAG` prints the notes of that
release. Both run in the release workflow; the module needs nothing but the standard library.
"""

from __future__ import annotations

import argparse
import datetime
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
_VERSION = re.compile(r'^version = "(.*)"$', re.M)
_SECTION = re.compile(
    r"^## \[(?P<name>[^\]]+)\](?: - (?P<date>\d{4}-\d\d-\d\d))?\n(?P<notes>.*?)(?=^## \[|\Z)", re.M | re.S
)


def problem(tag: str, root: Path) -> str:
    """Why `tag` cannot be released from the tree at `root`, or ""."""
    found = _VERSION.search((root / "pyproject.toml").read_text(encoding="utf-8"))
    if found is None or tag != f"v{found[1]}":
        return f"pyproject.toml has version {found[1] if found else 'none'}, not {tag.removeprefix('v')}"
    return "" if notes(tag, root) else f"CHANGELOG.md has no dated notes of {tag.removeprefix('v')}"


def notes(tag: str, root: Path) -> str:
    """The changelog's text for `tag` ("v1.2.3"), or "" if it has none or no date."""
    for section in _SECTION.finditer((root / "CHANGELOG.md").read_text(encoding="utf-8")):
        if f"v{section['name']}" == tag and section["date"]:
            return section["notes"].strip()
    return ""


def release(version: str, root: Path, today: datetime.date) -> None:
    """Sets the version, turns the notes under "Unreleased" into those of `version`, commits and tags.

    Raises SystemExit with the reason, and changes nothing, if the version is malformed, the work tree has changes, or
    there are no notes.
    """
    if not re.fullmatch(r"\d+\.\d+\.\d+((a|b|rc)\d+)?", version):
        sys.exit(f"not a version: {version}")
    if _git(root, "status", "--porcelain", "--untracked-files=no"):
        sys.exit("the work tree has uncommitted changes")
    changelog = root / "CHANGELOG.md"
    before = changelog.read_text(encoding="utf-8")
    unreleased = next((part for part in _SECTION.finditer(before) if part["name"] == "Unreleased"), None)
    if unreleased is None or not unreleased["notes"].strip():
        sys.exit("CHANGELOG.md has no notes under Unreleased")
    after = before.replace("## [Unreleased]\n", f"## [Unreleased]\n\n## [{version}] - {today.isoformat()}\n", 1)
    changelog.write_text(after, encoding="utf-8")
    project = root / "pyproject.toml"
    text = project.read_text(encoding="utf-8")
    project.write_text(_VERSION.sub(f'version = "{version}"', text, count=1), encoding="utf-8")
    _git(root, "commit", "--quiet", "--all", "--message", f"Release {version}")
    _git(root, "tag", "--annotate", f"v{version}", "--message", f"dfopt {version}")


def _git(root: Path, *words: str) -> str:
    return subprocess.run(["git", *words], cwd=root, check=True, capture_output=True, text=True).stdout.strip()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("version", metavar="VERSION", help="such as 0.2.0; a tag (v0.2.0) with --check or --notes")
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--check", action="store_true", help="only check that the tree fits the tag")
    mode.add_argument("--notes", action="store_true", help="only print the notes of the tag")
    given = parser.parse_args()
    if given.check:
        if reason := problem(given.version, ROOT):
            sys.exit(reason)
    elif given.notes:
        print(notes(given.version, ROOT))
    else:
        release(given.version, ROOT, datetime.date.today())
        print(f"tagged v{given.version}: git push --follow-tags publishes it")


if __name__ == "__main__":
    main()
