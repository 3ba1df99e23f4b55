"""The JSON Schema says of a configuration what the reader says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from cli.running import dfopt
from dfopt.cli.config_schema import schema
from dfopt.knowledge import load_toml
from dfopt.passes.base import registered
from dfopt.workspace.config import load
from dfopt.workspace.settings import ConfigError


@pytest.mark.parametrize(
    "text",
    [
        "",
        'select = ["size", "DL3009", "dl3042", "Merge-Run", "all"]',
        'select = ["sizes"]',
        'select = "size"',
        "unsafe = true",
        'unsafe = "yes"',
        'output-format = "sarif"',
        'output-format = "xml"',
        'exclude = ["a", "b/*"]',
        "exclude = [1]",
        'package-cache = "mount"',
        'package-cache = "both"',
        'nothing = "x"',
        '[passes.merge-run]\nwhen = "all"',
        '[passes.merge-run]\nwhen = "never"',
        "[passes.merge-run]\nwhy = 1",
        "[passes.nobody]\nx = 1",
        "[passes]\nmerge-run = 1",
        '[recipes]\npath = "r"\nuse = ["ci"]',
        '[recipes]\npath = ["a", "b"]',
        "[recipes]\nwho = 1",
        '[recipes.options.ci]\nx = "y"',
    ],
)
def test_schema_and_reader_agree(tmp_path: Path, text: str) -> None:
    (tmp_path / "dfopt.toml").write_text(text + "\n")
    try:
        load(str(tmp_path / "dfopt.toml"))
        read = True
    except ConfigError:
        read = False
    value: Any = load_toml(text.encode())
    assert jsonschema.Draft202012Validator(schema()).is_valid(value) == read


def test_command_prints_a_schema(tmp_path: Path) -> None:
    shown = json.loads(dfopt("config", "schema", cwd=tmp_path, driven=False).stdout)
    jsonschema.Draft202012Validator.check_schema(shown)
    assert shown == json.loads(json.dumps(schema()))
    assert set(shown["properties"]["passes"]["properties"]) == set(registered())
