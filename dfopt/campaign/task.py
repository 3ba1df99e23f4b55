"""The work on one file of a campaign: pure, picklable, and the same wherever it runs."""

from __future__ import annotations

from dfopt.campaign.model import FileResult, Note
from dfopt.source import LineIndex
from dfopt.workspace.settings import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from dfopt.facts import Facts
    from dfopt.pass_selection import Options
    from dfopt.recipes.plan import RecipePlan
    from dfopt.results import Result
    from dfopt.source import Source
    from dfopt.workspace.discovery import InputFile

    class Optimizes(Protocol):
        """What a task needs of a request: the optimizer with the settings for any file."""

        def optimize(self, file: InputFile) -> Result: ...

        def settings_key(self, file: InputFile) -> str: ...

        def facts_of(self, file: InputFile, source: Source) -> Facts: ...

        def settings_for(self, file: InputFile) -> Options | RecipePlan: ...


class Task:
    """Works on one file; never raises for what is wrong with it."""

    def __init__(self, request: Optimizes) -> None:
        self.request = request

    def __call__(self, file: InputFile) -> FileResult:
        try:
            result = self.request.optimize(file)
            key = self.request.settings_key(file)
        except ConfigError as failure:
            return self.failed(file, str(failure))
        except OSError as failure:
            return self.failed(file, failure.strerror or str(failure))
        return result_of(file, result, key)

    def failed(self, file: InputFile, message: str) -> FileResult:
        return FileResult(file.name, file.path, file.root, "failed", error=message)


def result_of(file: InputFile, result: Result, key: str) -> FileResult:
    """The row of a file from what the optimizer gave."""
    from dfopt.hashing import sha256

    digest = sha256(result.source.to_bytes()).hexdigest()
    if result.problem is not None:
        problem = result.problem
        error = f"{problem.line}:{problem.column}: {problem.message}"
        return FileResult(file.name, file.path, file.root, "failed", error=error, digest=digest, settings=key)
    index = LineIndex(result.source.text)

    def line(offset: int) -> int:
        return index.line(min(offset, len(index.text))) + 1

    fixes = tuple(
        Note(fix.name, fix.tier, line(fix.start), " ".join(fix.message.split()), fix.benefit) for fix in result.applied
    )
    refusals = tuple(
        Note(fix.name, fix.tier, line(fix.start), " ".join(fix.reason.split())) for fix in result.reported if fix.reason
    )
    state = "changed" if result.changed else "refused" if refusals else "unchanged"
    return FileResult(
        file.name,
        file.path,
        file.root,
        state,
        fixes,
        refusals,
        sum(fix.fixable for fix in result.reported),
        sum(not fix.fixable and not fix.reason for fix in result.reported),
        digest=digest,
        settings=key,
        result=result if result.changed else None,
    )
