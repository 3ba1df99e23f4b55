"""Where in a configuration file a setting stands."""

from __future__ import annotations

from dfopt.toml import place_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.workspace.settings import Setting


def place_of_setting(setting: Setting) -> str:
    """`FILE:LINE:COLUMN` of a setting; the file alone where it has gone or changed beyond reading."""
    prefix = ("tool", "dfopt") if setting.file.rpartition("/")[2] == "pyproject.toml" else ()
    try:
        with open(setting.file, encoding="utf-8", newline="") as file:
            line, column = place_of(file.read(), (*prefix, *setting.key))
    except (OSError, ValueError):
        return setting.file
    return f"{setting.file}:{line}:{column}"
