"""JSON and TOML files of the build context, whatever is in them: a value of another kind than a tool would take counts
as none."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


def json_object(text: str | bytes | None) -> dict[str, Any] | None:
    """The object that a JSON text holds. None for no text, for another value, and for what is not JSON, which includes
    brackets by the thousand and numbers of as many digits."""
    import json

    try:
        value = json.loads(text) if text is not None else None
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def toml_table(text: str) -> dict[str, Any]:
    """The table that a TOML text holds. Raises ValueError."""
    from dfopt.knowledge import load_toml

    return load_toml(text.encode("utf-8", "surrogateescape"))


def member(value: Mapping[str, Any] | None, key: str) -> dict[str, Any]:
    """The object under a key; empty where there is none, or another value."""
    found = value.get(key) if value is not None else None
    return found if isinstance(found, dict) else {}


def members(value: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    """The objects of the list under a key."""
    found = value.get(key)
    return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []


def texts(value: Mapping[str, Any], key: str) -> list[str]:
    """The strings of the list under a key."""
    found = value.get(key)
    return [entry for entry in found if isinstance(entry, str)] if isinstance(found, list) else []
