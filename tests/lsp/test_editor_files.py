"""The files of editors/zed and editors/jetbrains: what they start, for which files, with which settings.

Neither editor runs here: what they make of these files is not tested.
"""

from __future__ import annotations

import fnmatch
import json
import re
import shlex
from typing import Any

import pytest
from cli.running import ROOT

from dfopt.cli.options import command_named
from dfopt.lsp.client_settings import settings_from
from dfopt.toml import parse
from dfopt.version import version
from dfopt.workspace.paths import is_dockerfile

ZED, JETBRAINS = ROOT / "editors" / "zed", ROOT / "editors" / "jetbrains"
NAMES = (
    "Dockerfile", "Containerfile", "Dockerfile.prod", "web.Dockerfile", "web.dockerfile", "Containerfile.x",
    "a.containerfile",
)  # fmt: skip


def toml(name: str) -> dict[str, Any]:
    return parse((ZED / name).read_bytes())[1]


def json_of(name: str) -> Any:
    return json.loads((JETBRAINS / name).read_text())


def test_the_manifest_of_zed() -> None:
    """Required keys and tables: Zed, "Developing Extensions"; the language's name: that of its Dockerfile extension."""
    manifest, crate = toml("extension.toml"), toml("Cargo.toml")
    assert {"id", "name", "version", "schema_version", "authors", "description"} <= set(manifest)
    assert manifest["schema_version"] == 1
    assert manifest["version"] == crate["package"]["version"] == version()
    assert manifest["language_servers"]["dfopt"] == {
        "name": "dfopt", "languages": ["Dockerfile"], "language_ids": {"Dockerfile": "dockerfile"},
    }  # fmt: skip
    assert crate["lib"]["crate-type"] == ["cdylib"]
    assert set(crate["dependencies"]) == {"zed_extension_api"}


def test_zed_starts_a_command_that_exists() -> None:
    source = (ZED / toml("Cargo.toml")["lib"]["path"]).read_text()
    assert 'worktree.which("dfopt")' in source
    (words,) = re.findall(r"vec!\[((?:\"\w+\"\.to_string\(\)(?:, )?)+)\]", source)
    (word,) = re.findall(r'"(\w+)"', words)
    assert command_named(word) is not None
    assert '"dfopt": settings' in source  # the section that the server asks for


@pytest.mark.parametrize("system", ["default", "windows"])
def test_jetbrains_starts_a_command_that_exists(system: str) -> None:
    program, word = shlex.split(json_of("template.json")["programArgs"][system])
    assert program.removesuffix(".exe") == "dfopt"
    assert command_named(word) is not None
    installer = json_of("installer.json")
    assert shlex.split(installer["check"]["exec"]["command"][system]) == [program, "--version"]
    assert shlex.split(installer["run"]["exec"]["command"][system])[-3:] == ["install", "--user", "dfopt"]


def test_jetbrains_takes_the_files_that_a_search_takes() -> None:
    template = json_of("template.json")
    assert template["languageMappings"] == [{"language": "Dockerfile", "languageId": "dockerfile"}]
    (mapping,) = template["fileTypeMappings"]
    assert mapping["languageId"] == "dockerfile"
    patterns = mapping["fileType"]["patterns"]
    assert all(any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns) for name in NAMES)
    assert all(is_dockerfile(name) for name in NAMES)
    assert not any(fnmatch.fnmatchcase("compose.yaml", pattern) for pattern in patterns)


def test_the_settings_of_jetbrains_are_those_of_the_server() -> None:
    settings, wrong = settings_from(json_of("settings.json"))
    assert wrong == []
    assert settings == type(settings)()
