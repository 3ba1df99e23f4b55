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
    from dfopt.workspace.discovery import Found

    class Optimizes(Protocol):
        """What a task needs of a request: the optimizer with the settings for any file."""

        def optimize(self, found: Found) -> Result: ...

        def settings_key(self, found: Found) -> str: ...

        def facts_of(self, found: Found, source: Source) -> Facts: ...

        def settings_for(self, found: Found) -> Options | RecipePlan: ...


class Task:
    """Works on one file; never raises for what is wrong with it."""

    def __init__(self, request: Optimizes) -> None:
        self.request = request

    def __call__(self, found: Found) -> FileResult:
        try:
            result = self.request.optimize(found)
            key = self.request.settings_key(found)
        except ConfigError as failure:
            return self.failed(found, str(failure))
        except OSError as failure:
            return self.failed(found, failure.strerror or str(failure))
        return result_of(found, result, key)

    def failed(self, found: Found, message: str) -> FileResult:
        return FileResult(found.name, found.path, found.root, "failed", error=message)


def result_of(found: Found, result: Result, key: str) -> FileResult:
    """The row of a file from what the optimizer gave."""
    from hashlib import sha256

    digest = sha256(result.source.to_bytes()).hexdigest()
    if result.problem is not None:
        problem = result.problem
        error = f"{problem.line}:{problem.column}: {problem.message}"
        return FileResult(found.name, found.path, found.root, "failed", error=error, digest=digest, settings=key)
    index = LineIndex(result.source.text)

    def line(offset: int) -> int:
        return index.line(min(offset, len(index.text))) + 1

    fixes = tuple(Note(one.name, one.tier, line(one.start), " ".join(one.message.split())) for one in result.applied)
    refusals = tuple(
        Note(one.name, one.tier, line(one.start), " ".join(one.reason.split())) for one in result.reported if one.reason
    )
    state = "changed" if result.changed else "refused" if refusals else "unchanged"
    return FileResult(
        found.name,
        found.path,
        found.root,
        state,
        fixes,
        refusals,
        sum(one.fixable for one in result.reported),
        sum(not one.fixable and not one.reason for one in result.reported),
        digest=digest,
        settings=key,
        result=result if result.changed else None,
    )
