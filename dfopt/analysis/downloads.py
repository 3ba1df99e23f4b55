"""What ADD fetches over http and https, and which of it has a checksum."""

from __future__ import annotations

import re

from dfopt.lazy import regex

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.ir.program import Program
    from dfopt.ir.stages import Step


_URL = regex(r"https?://", re.I)


_GIT = regex(r"\.git(?:[#?]|\Z)|#")


def downloads(program: Program) -> Iterator[tuple[Step, str]]:
    """The ADDs of files from http and https servers, each with its (first) URL as written."""
    for stage in program.stages:
        for step in stage.steps:
            if step.effective.keyword == "ADD":
                for argument in step.effective.arguments[:-1]:
                    if _URL.match(argument.value) and not _GIT.search(argument.value):
                        yield step, argument.value
                        break
