"""JSON files of the build context, whatever is in them."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def json_object(text: str | None) -> dict[str, Any] | None:
    """The object that a JSON text holds. None for no text, for another value, and for what is not JSON, which includes
    brackets by the thousand and numbers of as many digits."""
    import json

    try:
        value = json.loads(text) if text is not None else None
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def member(value: dict[str, Any] | None, key: str) -> dict[str, Any]:
    """The object under a key; empty where there is none, or another value."""
    found = value.get(key) if value is not None else None
    return found if isinstance(found, dict) else {}
