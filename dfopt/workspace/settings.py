"""The settings of a configuration: their names, where each comes from, and what is wrong with one."""

from __future__ import annotations

from dfopt.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


SHARED_KEYS = ("package-cache", "engine")  # choices: `passes.base.SHARED`


KEYS = (
    "level", "select", "ignore", "modernize", "unsafe", "exclude", "output-format", "fail-on", "fail-on-saving",
    "context", "documentation", "extend",
    *SHARED_KEYS, "passes", "recipes",
)  # fmt: skip


FAIL_ON_CHOICES = ("never", "safe", "unsafe", "suggestion")  # each with those before it
FORMATS = ("text", "concise", "json", "sarif", "github", "gitlab", "junit")


class ConfigError(Exception):
    """A configuration that cannot be used. The text is `FILE:LINE:COLUMN: message` (what is unknown left out)."""

    def __init__(self, message: str, file: str, line: int = 0, column: int = 0) -> None:
        place = f"{file}:{line}:{column}" if line else file
        super().__init__(f"{place}: {message}")
        self.message = message
        self.file = file
        self.line = line
        self.column = column


class Setting(Record):
    """One value, with the file that gave it and its key there."""

    value: Any
    file: str
    key: tuple[str, ...]
