"""A pytest plugin: the golden cases of a project as tests.

    [tool.pytest.ini_options]
    dfopt_golden = ["golden"]

Each case below these directories is one test, its laws and its expected files: `PASS/CASE/Dockerfile`, or a section of
`PASS.md`, the same for recipes. `pytest --dfopt-update` writes the expected files anew. Without the setting, the plugin
does nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.testing.case_files import CaseFiles

_SETTING = "dfopt_golden"
_CASES: pytest.StashKey[dict[Path, dict[Path, list[CaseFiles]]]] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini(_SETTING, "directories of dfopt's golden cases, relative to the rootdir", type="linelist", default=[])
    group = parser.getgroup("dfopt")
    group.addoption("--dfopt-update", action="store_true", help="write the expected files of golden cases anew")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    if file_path.name != "Dockerfile" and file_path.suffix != ".md":
        return None
    path = file_path.resolve()
    for name in parent.config.getini(_SETTING):
        root = (parent.config.rootpath / name).resolve()
        if root in path.parents:
            collector: pytest.Collector = GoldenFile.from_parent(parent, path=file_path, root=root)
            return collector
    return None


class GoldenFile(pytest.File):
    """The Dockerfile of one case, or the Markdown file of several."""

    def __init__(self, *, root: Path, **rest: object) -> None:
        super().__init__(**rest)  # type: ignore[arg-type]
        self.root = root

    def collect(self) -> Iterator[GoldenItem]:
        for files in self._cases().get(self.path.resolve(), ()):
            item: GoldenItem = GoldenItem.from_parent(self, name=files.name, files=files)
            yield item

    def _cases(self) -> dict[Path, list[CaseFiles]]:
        """The cases below the root, by the file that holds them; found once in a session."""
        from dfopt.testing.case_files import CaseError
        from dfopt.testing.discovery import find

        roots = self.config.stash.setdefault(_CASES, {})
        if self.root not in roots:
            try:
                found = find(self.root)
            except CaseError as failure:
                raise self.CollectError(str(failure)) from None
            by_file: dict[Path, list[CaseFiles]] = {}
            roots[self.root] = by_file
            for files in found:
                by_file.setdefault(files.file, []).append(files)
        return roots[self.root]


class GoldenItem(pytest.Item):
    """One golden case."""

    parent: GoldenFile

    def __init__(self, *, files: CaseFiles, **rest: object) -> None:
        super().__init__(**rest)  # type: ignore[arg-type]
        self.files = files

    def runtest(self) -> None:
        from dfopt.testing.cases import UnrunnableCase, check, library_for

        try:
            checked = check(self.files, library_for(self.parent.root))
            if checked.laws:
                raise CaseFailed("\n".join(checked.laws))
            if self.config.getoption("--dfopt-update"):
                checked.update()
            elif checked.differences:
                raise CaseFailed("\n".join(checked.differences))
        except UnrunnableCase as failure:
            raise CaseFailed(str(failure)) from None

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: object = None) -> str:
        if isinstance(excinfo.value, CaseFailed):
            return str(excinfo.value)
        return str(super().repr_failure(excinfo))

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, 0, f"golden case {self.name}"


class CaseFailed(Exception):
    """A law is broken, or an expected file differs."""
