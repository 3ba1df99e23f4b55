"""Finds the golden cases below a directory."""

from __future__ import annotations

import os
from pathlib import Path

from dfopt.testing import markdown
from dfopt.testing.case_files import CaseDirectory, CaseError, CaseFiles


def find(root: Path) -> list[CaseFiles]:
    """The cases below `root`, by name. Directories in a case's directory are its build context. Raises CaseError where
    a Markdown file is not well formed, or two cases have one name."""
    cases: dict[str, CaseFiles] = {}
    for where, directories, files in os.walk(root):
        place = Path(where)
        group = place.relative_to(root).parent.as_posix()
        if "Dockerfile" in files and group != ".":
            directories.clear()
            cases_here: list[CaseFiles] = [CaseDirectory(place, group)]
        else:
            pages = [file for file in files if file.endswith(".md") and file != "README.md"]
            cases_here = [case for file in pages for case in markdown.read(place / file, root)]
        for case in cases_here:
            if case.name in cases:
                raise CaseError(f"{case.where('Dockerfile')}: {cases[case.name].where('Dockerfile')} has the same name")
            cases[case.name] = case
    return sorted(cases.values(), key=lambda case: case.name)
