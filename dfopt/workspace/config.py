"""Configuration: dfopt.toml, .dfopt.toml, or [tool.dfopt] in pyproject.toml; the nearest directory that has one wins.

Keys: `select`, `ignore`, `exclude` (lists of strings), `level` (1 to 3), `unsafe`, `modernize` (booleans), `output-
format` (of `dfopt check`), `fail-on` and `fail-on-saving` (its exit status), `documentation` (where docs/ is
published as a site), `context` (the build context, relative to the file), `extend` (another file, whose values hold
where this one says nothing), `package-cache` ("clean" or "mount"), `engine` ("any" or "buildkit"),
`passes.NAME.OPTION`, `recipes.path` (directories of recipes, relative to the file), `recipes.use` (recipes to run
where the command line names none and selects nothing), and `recipes.options.NAME.OPTION`. Anything else is an error
that names its place.
"""

from __future__ import annotations

import os
import re

from dfopt.files import is_inside, read_regular
from dfopt.lazy import regex
from dfopt.record import Record
from dfopt.workspace.paths import bound_of
from dfopt.workspace.settings import SHARED_KEYS, ConfigError, Setting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from dfopt.workspace.table_reader import TableReader

NAMES = ("dfopt.toml", ".dfopt.toml", "pyproject.toml")
# a pyproject.toml in which none of these stands has no [tool.dfopt], in any spelling; the parser takes longer to say so
_TABLE = regex(
    rb"""tool["']?[ \t]*\.[ \t]*["']?dfopt|^[ \t]*\[[ \t]*["']?tool["']?[ \t]*\]|^[ \t]*["']?tool["']?[ \t]*=|\\[uU]""",
    re.M,
)


class Config(Record):
    """The values in force for a directory, by dotted key (`select`, `passes.merge-run.when`), extended files merged in.
    `files`: the files read, the nearest first. `trusted`: the command line names the file, so that it may lead out of
    its repository."""

    files: tuple[str, ...] = ()
    settings: Mapping[str, Setting] = {}
    trusted: bool = False

    def get(self, key: str, default: Any = None) -> Any:
        setting = self.settings.get(key)
        return default if setting is None else setting.value

    @property
    def exclude(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Exclude patterns, with the directory that they are relative to."""
        setting = self.settings.get("exclude")
        return ((os.path.dirname(os.path.abspath(setting.file)), tuple(setting.value)),) if setting else ()

    @property
    def passes(self) -> dict[str, dict[str, Any]]:
        """Pass name -> its options; "*" -> the settings that all passes see."""
        result: dict[str, dict[str, Any]] = {}
        for setting in self.settings.values():
            if setting.key[0] in SHARED_KEYS:
                result.setdefault("*", {})[setting.key[0]] = setting.value
            elif setting.key[0] == "passes":
                result.setdefault(setting.key[1], {})[setting.key[2]] = setting.value
        if self.recipe_directories:
            from dfopt.stage_templates.stage_recipes import stage_texts

            texts = stage_texts(self.recipe_directories, self.recipe_root)
            if texts:
                result.setdefault("multi-stage", {}).setdefault("recipes", texts)
        return result

    @property
    def recipe_directories(self) -> tuple[str, ...]:
        """The directories in which the user's recipes lie."""
        setting = self.settings.get("recipes.path")
        if setting is None:
            return ()
        return tuple(_named(setting, path) for path in setting.value)

    @property
    def recipe_root(self) -> str | None:
        """The directory that the user's recipes must lie in, links resolved; None: anywhere."""
        setting = self.settings.get("recipes.path")
        return None if setting is None or self.trusted else bound_of(setting.file)

    @property
    def recipe_options(self) -> dict[str, dict[str, Any]]:
        """Recipe name -> values of its options."""
        result: dict[str, dict[str, Any]] = {}
        for setting in self.settings.values():
            if setting.key[:2] == ("recipes", "options"):
                result.setdefault(setting.key[2], {})[setting.key[3]] = setting.value
        return result


EMPTY = Config()


class ConfigLookup:
    """Finds the configuration of a directory, and remembers it.

    `file`: this file for every directory. `isolated`: none at all.
    """

    def __init__(self, file: str | None = None, isolated: bool = False) -> None:
        self.file = file
        self.isolated = isolated
        self._found: dict[str, Config | ConfigError] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        return ConfigLookup, (self.file, self.isolated)

    def directory(self, directory: str) -> Config:
        """The configuration for files in `directory`. Raises ConfigError."""
        if self.isolated:
            return EMPTY
        key = "" if self.file else os.path.abspath(directory)
        config = self._found.get(key)
        passed = []
        while config is None:  # up to a directory that has one: a loop, as paths may be of any depth
            passed.append(key)
            parent = os.path.dirname(key)
            try:
                config = self._search(key) or (EMPTY if parent == key else self._found.get(parent))
            except ConfigError as failure:
                config = failure
            key = parent
        for below in passed:
            self._found[below] = config
        if isinstance(config, ConfigError):
            raise config
        return config

    def _search(self, directory: str) -> Config | None:
        """The configuration that lies in the directory itself."""
        if self.file:
            config = load(self.file, trusted=True)
            if config is None:
                raise ConfigError("has no [tool.dfopt] table", self.file)
            return config
        for name in NAMES:
            path = os.path.join(directory, name)
            if os.path.isfile(path):
                config = load(path)
                if config is not None:
                    return config
        return None


def load(path: str, above: tuple[str, ...] = (), trusted: bool = False) -> Config | None:
    """One configuration file, with those that it extends; None for a pyproject.toml without [tool.dfopt].

    `above`: the files that extend this one. `trusted`: as in `Config`. Raises ConfigError.
    """
    display_path = _shown(path)
    try:
        content = read_regular(path)
    except OSError as failure:
        raise ConfigError(failure.strerror or str(failure), display_path) from None
    project = os.path.basename(path) == "pyproject.toml"
    if project and not (b"dfopt" in content and _TABLE.search(content)):
        return None
    prefix = ("tool", "dfopt") if project else ()
    table: Any = _parse(content, display_path) if b"=" in content or b"[" in content else {}
    for key in prefix:
        table = table.get(key) if isinstance(table, dict) else None
        if table is None:
            return None
    from dfopt.workspace.table_reader import TableReader

    reader = TableReader(display_path, content, prefix)
    settings = reader.read(table)
    _check_paths(settings, reader, None if trusted else bound_of(path))
    files: tuple[str, ...] = (display_path,)
    extend = settings.pop("extend", None)
    if extend is not None:
        base_path = os.path.realpath(_named(extend, extend.value))
        if base_path in (*above, os.path.realpath(path)):
            raise reader.error("files extend each other in a circle", extend.key)
        if not os.path.isfile(base_path):
            raise reader.error(f'no such file: "{extend.value}"', extend.key)
        base = load(base_path, (*above, os.path.realpath(path)), trusted)
        if base is not None:
            settings = {**base.settings, **settings}
            files += base.files
    return Config(files, settings, trusted)


def _named(setting: Setting, path: str) -> str:
    """A path that a setting names."""
    return os.path.join(os.path.dirname(os.path.abspath(setting.file)), os.path.expanduser(path))


def _check_paths(settings: Mapping[str, Setting], reader: TableReader, root: str | None) -> None:
    """Raises ConfigError for a path that leads out of the repository: a checkout must not decide what of its user's
    other files is read, or sent to a builder."""
    for key, flag in (("extend", "--config"), ("context", "--context"), ("recipes.path", "--config")):
        setting = settings.get(key)
        for path in () if setting is None else (setting.value,) if isinstance(setting.value, str) else setting.value:
            assert setting is not None
            if "\0" in path:
                raise reader.error("not a path: it holds a NUL", setting.key)
            if root is not None and not is_inside(_named(setting, path), root):
                what = f'"{path}" lies outside of the repository ({flag} may lead there)'
                raise reader.error(what, setting.key)


def _parse(content: bytes, display_path: str) -> dict[str, Any]:
    from dfopt.toml import TomlError, parse

    try:
        return parse(content)[1]
    except TomlError as failure:
        raise ConfigError(failure.message, display_path, failure.line, failure.column) from None


def _shown(path: str) -> str:
    from dfopt.workspace.paths import display_name

    return display_name(path)
