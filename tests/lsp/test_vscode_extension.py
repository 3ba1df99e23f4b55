"""The VS Code extension: packaged as it would be published, and loaded from the package."""

from __future__ import annotations

import json
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from dfopt.lsp.client_settings import settings_from
from lsp.test_lsp_clients import need

ROOT = Path(__file__).resolve().parents[2]
EXTENSION = ROOT / "editors" / "vscode"
# a `vscode` module whose every member is a class: enough to load the bundle, which derives classes from some
LOAD = """
const Module = require('node:module');
const load = Module._load;
const anything = () => new Proxy(class {}, { get: (t, key) => key in t ? t[key] : anything() });
Module._load = (name, ...rest) => name === 'vscode' ? anything() : load(name, ...rest);
const extension = require(process.argv[1]);
console.log(typeof extension.activate, typeof extension.deactivate);
"""


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The extension's package, made in a copy."""
    need("node", "npm")
    place = tmp_path_factory.mktemp("vscode") / "extension"
    shutil.copytree(EXTENSION, place, ignore=shutil.ignore_patterns("node_modules", "dist", "*.vsix"))
    shutil.copy(ROOT / "LICENSE", place)
    for command in (["npm", "install", "--silent", "--no-audit", "--no-fund"], ["npm", "run", "--silent", "package"]):
        done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False, timeout=600)
        assert done.returncode == 0, done.stdout + done.stderr
    return place / "dfopt.vsix"


def test_package_holds_what_runs(package: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(package) as archive:
        names = {name for name in archive.namelist() if name.startswith("extension/")}
        archive.extractall(tmp_path)
    assert names == {
        "extension/package.json", "extension/readme.md", "extension/LICENSE.txt", "extension/dist/extension.js"
    }  # fmt: skip
    script = tmp_path / "extension" / "dist" / "extension.js"
    done = subprocess.run(["node", "-e", LOAD, str(script)], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["function", "function"], done.stderr


def test_settings_are_the_servers() -> None:
    """Each setting that the extension sends is one that the server knows."""
    properties = json.loads((EXTENSION / "package.json").read_text())["contributes"]["configuration"]["properties"]
    sent = {name.removeprefix("dfopt.") for name in properties} - {"command", "trace.server"}
    defaults = {name: properties[f"dfopt.{name}"]["default"] for name in sent}
    assert settings_from(defaults)[1] == []
    source = (EXTENSION / "extension.js").read_text()
    assert f"const {{ {', '.join(sorted(sent, key=source.index))} }}" in source
