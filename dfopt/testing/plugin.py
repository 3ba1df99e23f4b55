"""A pytest plugin: the golden cases of a project as tests.

    [tool.pytest.ini_options]
    dfopt_golden = ["golden"]

Each `PASS/CASE/Dockerfile` or `RECIPE/CASE/Dockerfile` below these directories is one test: its laws and its expected
files. `pytest --dfopt-update` writes the expected files anew. Without the setting, the plugin does nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

_SETTING = "dfopt_golden"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini(_SETTING, "directories of dfopt's golden cases, relative to the rootdir", type="linelist", default=[])
    group = parser.getgroup("dfopt")
    group.addoption("--dfopt-update", action="store_true", help="write the expected files of golden cases anew")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    if file_path.name != "Dockerfile":
        return None
    for name in parent.config.getini(_SETTING):
        root = (parent.config.rootpath / name).resolve()
        if root in file_path.resolve().parents and len(file_path.resolve().relative_to(root).parts) > 2:
            made: pytest.Collector = CaseFile.from_parent(parent, path=file_path, root=root)
            return made
    return None


class CaseFile(pytest.File):
    """The Dockerfile of one case."""

    def __init__(self, *, root: Path, **rest: object) -> None:
        super().__init__(**rest)  # type: ignore[arg-type]
        self.root = root

    def collect(self) -> Iterator[CaseItem]:
        item: CaseItem = CaseItem.from_parent(self, name=self.path.resolve().parent.relative_to(self.root).as_posix())
        yield item


class CaseItem(pytest.Item):
    """One golden case."""

    parent: CaseFile

    def runtest(self) -> None:
        from dfopt.testing.cases import Problem, check, library_for

        root = self.parent.root
        try:
            checked = check(self.path.resolve().parent, root, library_for(root))
        except Problem as failure:
            raise CaseFailed(str(failure)) from None
        if checked.laws:
            raise CaseFailed("\n".join(checked.laws))
        if self.config.getoption("--dfopt-update"):
            checked.update()
        elif checked.differences:
            raise CaseFailed("\n".join(checked.differences))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: object = None) -> str:
        if isinstance(excinfo.value, CaseFailed):
            return str(excinfo.value)
        return str(super().repr_failure(excinfo))

    def reportinfo(self) -> tuple[Path, int, str]:
        return self.path, 0, f"golden case {self.name}"


class CaseFailed(Exception):
    """A law is broken, or an expected file differs."""
