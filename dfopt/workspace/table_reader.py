"""What a configuration file may say: keys, types and choices, checked with the place of what is wrong."""

from __future__ import annotations

from dfopt.workspace.settings import FAIL_ON_CHOICES, FORMATS, KEYS, SHARED_KEYS, ConfigError, Setting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from dfopt.passes.base import Option


class TableReader:
    """Reads one file's table. `content` is the file's, to find the place of a key in; `prefix` leads to the table."""

    def __init__(self, file: str, content: bytes, prefix: tuple[str, ...]) -> None:
        self.file = file
        self.content = content
        self.prefix = prefix

    def read(self, table: Any) -> dict[str, Setting]:
        """The settings by dotted key. Raises ConfigError at the first that is wrong."""
        if not isinstance(table, dict):
            raise self.error(f"must be a table, not {_kind(table)}", ())
        result: dict[str, Setting] = {}
        for key, value in table.items():
            where: tuple[str, ...] = (key,)
            if key == "passes":
                self._passes(value, result)
                continue
            if key == "recipes":
                self._recipes(value, result)
                continue
            if key not in KEYS:
                raise self._unknown("key", key, KEYS, where)
            if key in ("select", "ignore"):
                value = self._selectors(self._strings(value, where), where)
            elif key == "exclude":
                value = self._strings(value, where)
            elif key in SHARED_KEYS:
                from dfopt.passes.base import SHARED

                value = self._option(value, next(option for option in SHARED if option.name == key), where)
            elif key in ("unsafe", "modernize"):
                self._expect(value, bool, "true or false", where)
            elif key == "level":
                if type(value) is not int or value not in (1, 2, 3):
                    raise self.error("must be 1, 2 or 3", where)
            else:
                self._expect(value, str, "a string", where)
                if key == "output-format" and value not in FORMATS:
                    raise self._unknown("output format", value, FORMATS, where)
                if key == "fail-on" and value not in FAIL_ON_CHOICES:
                    raise self._unknown("value", value, FAIL_ON_CHOICES, where)
                if key == "documentation" and not value.startswith(("https://", "http://")):
                    raise self.error("must be an address that begins with https:// or http://", where)
                if key == "fail-on-saving":
                    self._size(value, where)
            result[key] = Setting(value, self.file, where)
        return result

    def error(self, message: str, key: tuple[str, ...]) -> ConfigError:
        """An error about a key of the table, with its place in the file."""
        from dfopt.toml import place_of

        line, column = place_of(self.content.decode("utf-8"), (*self.prefix, *key))
        name = f"{'.'.join(key)}: " if key else ""
        return ConfigError(f"{name}{message}", self.file, line, column)

    def _passes(self, table: Any, result: dict[str, Setting]) -> None:
        from dfopt.passes.index import entries

        passes = {entry.name: entry for entry in entries()}
        self._expect(table, dict, "a table", ("passes",))
        for name, options in table.items():
            where = ("passes", name)
            if name not in passes:
                raise self._unknown("pass", name, tuple(passes), where)
            self._expect(options, dict, "a table", where)
            known = {option.name: option for option in passes[name].load().options}
            for key, value in options.items():
                if key not in known:
                    raise self._unknown("option", key, tuple(known), (*where, key))
                checked = self._option(value, known[key], (*where, key))
                result[".".join((*where, key))] = Setting(checked, self.file, (*where, key))

    def _recipes(self, table: Any, result: dict[str, Setting]) -> None:
        """What the recipes themselves know (names, options) is checked when they are read."""
        self._expect(table, dict, "a table", ("recipes",))
        for key, value in table.items():
            where: tuple[str, ...] = ("recipes", key)
            if key not in ("path", "use", "options"):
                raise self._unknown("key", key, ("path", "use", "options"), where)
            if key != "options":
                words = (value,) if key == "path" and isinstance(value, str) else self._strings(value, where)
                result[".".join(where)] = Setting(words, self.file, where)
                continue
            self._expect(value, dict, "a table", where)
            for name, options in value.items():
                self._expect(options, dict, "a table", (*where, name))
                for option, option_value in options.items():
                    place = (*where, name, option)
                    checked = self._strings(option_value, place) if isinstance(option_value, list) else option_value
                    result[".".join(place)] = Setting(checked, self.file, place)

    def _option(self, value: Any, option: Option, where: tuple[str, ...]) -> Any:
        if option.kind == "strings":
            return self._strings(value, where)
        if option.kind == "bool":
            self._expect(value, bool, "true or false", where)
        elif option.kind == "int":
            self._expect(value, int, "a whole number", where)
            if isinstance(value, bool):
                raise self.error(f"must be a whole number, not {_kind(value)}", where)
        else:
            self._expect(value, str, "a string", where)
            if option.kind == "choice" and value not in option.choices:
                raise self._unknown("value", value, option.choices, where)
        return value

    def _strings(self, value: Any, where: tuple[str, ...]) -> tuple[str, ...]:
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.error(f"must be a list of strings, not {_kind(value)}", where)
        return tuple(value)

    def _selectors(self, words: tuple[str, ...], where: tuple[str, ...]) -> tuple[str, ...]:
        from dfopt.workspace.selection import UnknownPass, canonical

        try:
            return canonical(words)
        except UnknownPass as failure:
            raise self.error(str(failure), where) from None

    def _size(self, value: str, where: tuple[str, ...]) -> None:
        from dfopt.units import parse_size

        try:
            parse_size(value)
        except ValueError as failure:
            raise self.error(str(failure), where) from None

    def _expect(self, value: Any, kind: type, words: str, where: tuple[str, ...]) -> None:
        if not isinstance(value, kind):
            raise self.error(f"must be {words}, not {_kind(value)}", where)

    def _unknown(self, what: str, word: str, words: tuple[str, ...], where: tuple[str, ...]) -> ConfigError:
        from dfopt.messages import suggestion

        hint = suggestion(word, words)
        if not hint and words:
            hint = f" (known: {', '.join(words)})"
        return self.error(f'unknown {what} "{word}"{hint}', where)


def _kind(value: Any) -> str:
    """A value's type in TOML's words."""
    names: list[tuple[type, str]] = [
        (bool, "a boolean"), (str, "a string"), (int, "an integer"), (float, "a float"), (list, "a list"),
        (dict, "a table"),
    ]  # fmt: skip
    described: Callable[[type], bool] = lambda kind: isinstance(value, kind)  # noqa: E731
    text = next((name for kind, name in names if described(kind)), "a date or time")
    if isinstance(value, list) and any(not isinstance(item, str) for item in value):
        return "a list of other things"
    return text
