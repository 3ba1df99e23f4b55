"""The error of recipes."""

from __future__ import annotations


class RecipeError(Exception):
    """An invalid recipe. The text is `FILE:LINE:COLUMN: message`, without the parts that are unknown."""

    def __init__(self, message: str, file: str = "", line: int = 0, column: int = 0) -> None:
        place = f"{file}:{line}:{column}" if line else file
        super().__init__(f"{place}: {message}" if place else message)
        self.message = message
        self.file = file
        self.line = line
        self.column = column
