"""Checks a TOML table against a description of its keys; every error has its position in the file.

The description of a table is a mapping of key -> `Field`. This module knows nothing of recipes.
"""

from __future__ import annotations

from dfopt.messages import suggestion
from dfopt.record import Record
from dfopt.stage_templates.errors import RecipeError
from dfopt.toml import Key, place_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


class Field(Record):
    """The description of a key.

    kind      "string", "strings" (a list), "bool", "int", "choice", "table" (its keys are `fields`), "tables" (a list
              of such), "map" (a table with keys of the user's, each value a table of `fields`), "strings-map" (a table
              with keys of the user's, each value a list of strings), "free" (a table that other code checks), "any"
    help      one line, for documentation
    required  whether the key must be present
    choices   the values of "choice"
    fields    the keys of "table", "tables" and "map"
    """

    kind: str
    help: str = ""
    required: bool = False
    choices: tuple[str, ...] = ()
    fields: Mapping[str, Field] = {}


class Checker:
    """Checks the table of one file. `text`: the file's content, to find the position of a key."""

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self.text = text

    def error(self, message: str, key: Key = ()) -> RecipeError:
        """An error about a key, with its position."""
        line, column = place_of(self.text, key)
        names = ".".join(part for part in key if isinstance(part, str))
        return RecipeError(f"{names}: {message}" if names else message, self.file, line, column)

    def unknown(self, what: str, word: str, names: tuple[str, ...], key: Key) -> RecipeError:
        """An error about an unknown word; it suggests a similar one or lists the known ones."""
        hint = suggestion(word, names) or (f" (known: {', '.join(names)})" if names else "")
        return self.error(f'unknown {what} "{word}"{hint}', key)

    def table(self, table: Any, fields: Mapping[str, Field], above: Key = ()) -> dict[str, Any]:
        """The table with lists as tuples; every key is one of `fields`, and all required keys are present."""
        if not isinstance(table, dict):
            raise self.error(f"must be a table, not {kind_of(table)}", above)
        for key in table:
            if key not in fields:
                raise self.unknown("key", key, tuple(fields), (*above, key))
        missing = next((key for key, field in fields.items() if field.required and key not in table), None)
        if missing is not None:
            raise self.error(f'the key "{missing}" is missing', above)
        return {key: self.value(value, fields[key], (*above, key)) for key, value in table.items()}

    def value(self, value: Any, field: Field, key: Key) -> Any:
        """One value, checked by its field."""
        kind = field.kind
        if kind == "strings":
            return self.strings(value, key)
        if kind == "table":
            return self.table(value, field.fields, key)
        if kind == "tables":
            if not isinstance(value, list):
                raise self.error(f"must be a list of tables, not {kind_of(value)}", key)
            return tuple(self.table(item, field.fields, (*key, number)) for number, item in enumerate(value))
        if kind in ("map", "strings-map"):
            if not isinstance(value, dict):
                raise self.error(f"must be a table, not {kind_of(value)}", key)
            inner = Field("table", fields=field.fields) if kind == "map" else Field("strings")
            return {name: self.value(item, inner, (*key, name)) for name, item in value.items()}
        if kind == "any":
            return value
        expected, words = _TYPES[kind]
        if not isinstance(value, expected) or (expected is int and isinstance(value, bool)):
            raise self.error(f"must be {words}, not {kind_of(value)}", key)
        if kind == "choice" and value not in field.choices:
            raise self.unknown("value", str(value), field.choices, key)
        return value

    def strings(self, value: Any, key: Key) -> tuple[str, ...]:
        if not isinstance(value, list):
            raise self.error(f"must be a list of strings, not {kind_of(value)}", key)
        for number, item in enumerate(value):
            if not isinstance(item, str):
                raise self.error(f"must be a list of strings, not of {kind_of(item)}", (*key, number))
        return tuple(value)


_TYPES: dict[str, tuple[type, str]] = {
    "string": (str, "a string"), "choice": (str, "a string"), "bool": (bool, "true or false"),
    "int": (int, "a whole number"), "free": (dict, "a table"),
}  # fmt: skip


def kind_of(value: Any) -> str:
    """The TOML name of a value's type."""
    for kind, words in (
        (bool, "a boolean"), (str, "a string"), (int, "an integer"), (float, "a float"), (list, "a list"),
        (dict, "a table"),
    ):  # fmt: skip
        if isinstance(value, kind):
            return words
    return "a date or time"
