"""The settings that a client sends: `initializationOptions`, or the section `dfopt` of its configuration.

Keys have the names of `dfopt.toml` where they mean the same (`select`, `ignore`, `unsafe`); `config` (a configuration
file), `isolated`, `refusals` (show what was left alone) and `pause` (milliseconds without a keystroke before findings
are pushed) are additional. An unknown key or a value of another type is
reported to the user and otherwise ignored: an editor must not lose its server over a typo.
"""

from __future__ import annotations

from dfopt.messages import suggestion
from dfopt.record import Record
from dfopt.workspace.selection import UnknownPass, canonical

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class ClientSettings(Record):
    """The client's settings."""

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    unsafe: bool | None = None
    config: str | None = None
    isolated: bool = False
    refusals: bool = False
    pause: int = 50


LONGEST_PAUSE = 10_000
_KINDS: dict[str, type] = {
    "select": list, "ignore": list, "unsafe": bool, "config": str, "isolated": bool, "refusals": bool,
    "pause": int,
}  # fmt: skip


def settings_from(value: Any) -> tuple[ClientSettings, list[str]]:
    """The settings that a client sent, and the errors in them."""
    if isinstance(value, dict) and isinstance(value.get("dfopt"), dict):
        value = value["dfopt"]
    if value is None:
        return ClientSettings(), []
    if not isinstance(value, dict):
        return ClientSettings(), ["dfopt: the settings are no object"]
    values: dict[str, Any] = {}
    wrong: list[str] = []
    for key, item in value.items():
        kind = _KINDS.get(key)
        if kind is None:
            wrong.append(f'dfopt: unknown setting "{key}"{suggestion(str(key), _KINDS)}')
        elif item is None:
            continue
        elif kind is int:
            if isinstance(item, int) and not isinstance(item, bool) and 0 <= item <= LONGEST_PAUSE:
                values[key] = item
            else:
                wrong.append(f"dfopt: the setting {key} must be a number of milliseconds, at most {LONGEST_PAUSE:,}")
        elif not isinstance(item, kind) or (isinstance(item, list) and not all(isinstance(word, str) for word in item)):
            names = {list: "a list of strings", bool: "true or false", str: "a string"}
            wrong.append(f"dfopt: the setting {key} must be {names[kind]}")
        elif isinstance(item, list):
            try:
                values[key] = canonical(item)
            except UnknownPass as failure:
                wrong.append(f"dfopt: {key}: {failure}")
        else:
            values[key] = item or None if kind is str else item
    if values.get("config") and values.get("isolated"):
        wrong.append("dfopt: the settings config and isolated exclude each other")
        del values["isolated"]
    return ClientSettings(**values), wrong
