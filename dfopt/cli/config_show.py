"""`dfopt config show`: the values in force for a path, and where each comes from."""

from __future__ import annotations

import os

from dfopt.cli import out
from dfopt.cli.command_request import lookup_of
from dfopt.cli.errors import UsageError
from dfopt.cli.explain import shown
from dfopt.passes.base import SHARED, registered
from dfopt.workspace.config_location import place_of_setting
from dfopt.workspace.settings import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.cli.options import Values
    from dfopt.workspace.config import Config

_DEFAULTS: tuple[tuple[str, object], ...] = (
    ("level", 1),
    ("select", ()),
    ("ignore", ()),
    ("modernize", False),
    ("unsafe", False),
    ("exclude", ()),
    ("output-format", "text"),
    ("fail-on", "safe"),
    ("fail-on-saving", "0"),
)


def run(values: Values) -> int:
    """Runs the command. Raises UsageError."""
    path = values.path or "."
    if not os.path.lexists(path):
        raise UsageError(f"{out.printable(path)}: no such file or directory")
    lookup = lookup_of(values)
    try:
        config = lookup.directory(path if os.path.isdir(path) else os.path.dirname(path))
    except ConfigError as failure:
        raise UsageError(str(failure)) from None
    rows = list(_rows(config))
    if values.output_format == "json":
        out.data(_json(path, config, rows))
    else:
        out.text(_text(path, config, rows))
    return 0


def _rows(config: Config) -> Iterator[tuple[str, object, str]]:
    """Key, value and origin ("default" or `FILE:LINE:COLUMN`) of every setting."""
    defaults = list(_DEFAULTS)
    defaults += [(option.name, option.default) for option in SHARED]
    for name, cls in registered().items():
        defaults += [(f"passes.{name}.{option.name}", option.default) for option in cls.options]
    for key, default in defaults:
        setting = config.settings.get(key)
        if setting is None:
            yield key, default, "default"
        else:
            yield key, setting.value, place_of_setting(setting)


def _text(path: str, config: Config, rows: list[tuple[str, object, str]]) -> str:
    files = ", ".join(out.printable(file) for file in config.files) or "none"
    lines = [f"# configuration for {out.printable(path)}; files: {files}"]
    settings = [f"{key} = {shown(value)}" for key, value, _ in rows]
    width = min(60, max(len(setting) for setting in settings))
    lines += [
        f"{setting.ljust(width)}  # {out.printable(origin)}"
        for setting, (_, _, origin) in zip(settings, rows, strict=True)
    ]
    return "".join(line + "\n" for line in lines)


def _json(path: str, config: Config, rows: list[tuple[str, object, str]]) -> str:
    import json

    settings = {key: {"value": value, "origin": origin} for key, value, origin in rows}
    return json.dumps({"version": 1, "path": path, "files": config.files, "settings": settings}, indent=2) + "\n"
