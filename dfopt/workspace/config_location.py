"""Where in a configuration file a setting stands."""

from __future__ import annotations

from dfopt.files import read_regular
from dfopt.toml import place_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.workspace.settings import Setting


def place_of_setting(setting: Setting) -> str:
    """`FILE:LINE:COLUMN` of a setting; the file alone where it has gone or changed beyond reading."""
    prefix = ("tool", "dfopt") if setting.file.rpartition("/")[2] == "pyproject.toml" else ()
    try:
        line, column = place_of(read_regular(setting.file).decode("utf-8"), (*prefix, *setting.key))
    except (OSError, ValueError):
        return setting.file
    return f"{setting.file}:{line}:{column}"
