"""Every table of knowledge says where its facts come from, and none holds a key that TOML reads as two."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dfopt.knowledge import load_toml

TABLES = sorted((Path(__file__).parents[1] / "dfopt" / "knowledge").glob("*.toml"), key=lambda path: path.name)
_SOURCE = re.compile(r"\bsources?: *\S", re.IGNORECASE)


def unsourced(text: str) -> Iterator[str]:
    """The top-level keys of a table whose source nothing names: not the comment that opens the file, nor the comment
    that stands above the key, nor a `source` in each of its entries."""
    if _SOURCE.search(re.match(r"(?:#.*\n)*", text)[0]):  # type: ignore[index]  # it always matches
        return
    for key, value in load_toml(text.encode()).items():
        above = re.search(rf"(?m)((?:^#.*\n)+)(?:\[\[?\"?{re.escape(key)}\b|\"?{re.escape(key)}\"? *=)", text)
        entries = value if isinstance(value, list) else [value]
        sourced = all(isinstance(one, dict) and _sourced(one) for one in entries)
        if not sourced and not (above and _SOURCE.search(above[1])):
            yield key


def _sourced(entry: dict[str, Any]) -> bool:
    parts = [one for one in entry.values() if isinstance(one, dict)]
    return "source" in entry or (bool(parts) and len(parts) == len(entry) and all(_sourced(one) for one in parts))


def split_keys(text: str) -> Iterator[str]:
    """Keys without quotes that have a dot: `libusb-1.0 = ...` is not the name it looks like."""
    yield from re.findall(r"(?m)^([\w+-]+\.[\w.+-]+) *=", text)


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.stem)
def test_table(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert list(unsourced(text)) == []
    assert list(split_keys(text)) == []


def test_what_the_test_above_finds() -> None:
    assert list(unsourced("# Sources: a manual\n[a]\nb = 1\n")) == []
    assert list(unsourced('# What is.\n\n[a]\nsource = "x"\n[c.d]\nsource = "y"\n[b]\nc = 1\n')) == ["b"]
    assert list(unsourced("# What is.\n\n# Source: x\n[a]\nb = 1\n\n# of it\n[c]\nd = 1\n")) == ["c"]
    assert list(unsourced('# What is.\n[[a]]\nsource = "x"\n[[a]]\nb = 1\n')) == ["a"]
    assert list(split_keys('a-1.0 = 1\n"b-1.0" = 2\nc = 1.0\n')) == ["a-1.0"]
