"""SARIF 2.1.0 (OASIS standard, March 2020): what the reports on files and on images have in common."""

from __future__ import annotations

from urllib.parse import quote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
VERSION = "2.1.0"
COLUMNS = "unicodeCodePoints"  # what columns count


def tool(name: str, version: str, rules: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """A run's `tool`."""
    return {"driver": {"name": name, "version": version, "rules": list(rules)}}


def result(rule: str, level: str, message: str, location: dict[str, Any]) -> dict[str, Any]:
    """A result at one place; the caller adds what else it knows."""
    return {"ruleId": rule, "level": level, "message": {"text": message}, "locations": [location]}


def location(name: str, region: dict[str, int] | None) -> dict[str, Any]:
    """A place in the file `name`; without `region` the whole file."""
    physical: dict[str, Any] = {"artifactLocation": artifact(name)}
    if region:
        physical["region"] = region
    return {"physicalLocation": physical}


def artifact(name: str) -> dict[str, str]:
    """A relative URI, or a file URI for an absolute path."""
    path = quote(name.encode("utf-8", "surrogateescape"))
    return {"uri": f"file://{path}" if name.startswith("/") else path}
