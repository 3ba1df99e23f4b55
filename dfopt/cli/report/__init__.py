"""The output formats for findings, one file each. `reporter(name)` imports only the one it returns."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.cli.report.base import Reporter


def reporter(name: str, *, color: bool = False, documentation: str = "") -> Reporter:
    """The reporter of a format (a name of `dfopt.workspace.config.FORMATS`). `documentation`: where its pages are."""
    if name == "text":
        from dfopt.cli.report.text import Text

        return Text(color)
    if name == "concise":
        from dfopt.cli.report.concise import Concise

        return Concise(color)
    if name == "json":
        from dfopt.cli.report.json_ import Json

        return Json()
    if name == "sarif":
        from dfopt.cli.report.sarif import Sarif

        return Sarif(documentation)
    if name == "github":
        from dfopt.cli.report.github import GitHub

        return GitHub()
    if name == "gitlab":
        from dfopt.cli.report.gitlab import GitLab

        return GitLab()
    if name == "junit":
        from dfopt.cli.report.junit import JUnit

        return JUnit()
    raise ValueError(f"unknown output format: {name}")
