"""What poetry and uv read of the project that they install for."""

from __future__ import annotations

import re

from dfopt.analysis.context_documents import member, toml_table
from dfopt.knowledge import table
from dfopt.passes.dependency_layers import pip
from dfopt.refusal import Refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from dfopt.passes.dependency_layers.command import Command


def _project(command: Command) -> dict[str, Any]:
    try:
        return toml_table(command.text("pyproject.toml"))
    except ValueError:
        raise Refusal("pyproject.toml is not TOML") from None


def _no_paths(value: Any, file: str) -> None:
    """Raises Refusal for a dependency by path, anywhere in a table."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in ("path", "workspace", "editable", "develop", "from") and inner not in (False, None):
                raise Refusal(f"{file} names a dependency by `{key}`")
            _no_paths(inner, file)
    elif isinstance(value, list):
        for inner in value:
            _no_paths(inner, file)
    elif isinstance(value, str) and re.search(r"@\s*file:|^file:|^\.{1,2}/", value):
        raise Refusal(f"{file} names the local path {value}")


def poetry_config(command: Command) -> None:
    if (
        len(command.values) < 3
        or re.match(r"virtualenvs\.(?:create|in-project|options\.)", command.values[1]) is None
        or "--local" in command.values
    ):
        raise Refusal("what `poetry config` sets is not known")


def poetry(command: Command) -> None:
    facts = table("dependency_files")["poetry"]
    command.operands(facts, command.values[1:])
    command.environment(facts)
    pip.check_environment(command)
    if "--no-root" not in command.values:
        raise Refusal("poetry installs the project itself", "install with --no-root")
    command.manifests(facts)
    if not command.holds("poetry.lock"):
        raise Refusal("there is no poetry.lock", "commit poetry.lock")
    project = _project(command)
    tool = member(member(project, "tool"), "poetry")
    for key in ("dependencies", "dev-dependencies", "group"):
        _no_paths(tool.get(key), "pyproject.toml")
    for key in ("dependencies", "optional-dependencies"):
        _no_paths(member(project, "project").get(key), "pyproject.toml")
    if tool.get("requires-plugins"):
        raise Refusal("pyproject.toml asks for plugins of poetry")
    if re.search(r'^type = "(?:directory|file)"', command.text("poetry.lock"), re.M):
        raise Refusal("poetry.lock names local packages")


def uv_sync(command: Command) -> None:
    facts = table("dependency_files")["uv"]
    command.operands(facts, command.values[1:])
    command.environment(facts)
    pip.check_environment(command)
    command.manifests(facts)
    if not command.holds("uv.lock"):
        raise Refusal("there is no uv.lock", "commit uv.lock")
    project = _project(command)
    tool = member(member(project, "tool"), "uv")
    packaged = ("build-system" in project and tool.get("package", True)) or tool.get("package") is True
    if packaged and "--no-install-project" not in command.values:
        raise Refusal("uv installs the project itself", "install with --no-install-project")
    for key in ("sources", "workspace"):
        _no_paths(tool.get(key), "pyproject.toml")
    if tool.get("workspace"):
        raise Refusal("the project is a workspace of uv")
    if packaged and member(project, "project").get("dynamic"):
        raise Refusal("the metadata of the project are made from its sources")
    if re.search(r"source = \{ (?:directory|editable|virtual|path) = \"(?!\.\")", command.text("uv.lock")):
        raise Refusal("uv.lock names local packages")
    if not (command.scope.env.keys() & {"UV_FROZEN", "UV_LOCKED"}):
        command.locked(facts)


def uv_pip(command: Command) -> None:
    if command.values[1:2] != ["install"]:
        raise Refusal("what `uv pip` reads here is not known")
    uv = table("dependency_files")["uv"]
    command.environment(uv)
    command.values = command.values[1:]
    pip.install(command)
    command.values = ["pip", *command.values]
    for name in ("uv.toml", "pyproject.toml"):  # settings of uv
        for path in command.above(name):
            if name == "uv.toml" or "tool.uv" in command.sources.text(path):
                raise Refusal(f"{path}, above the directory of the project, may count too")
        if command.holds(name):
            if name == "pyproject.toml" and "tool.uv" not in command.text(name):
                continue
            try:
                _no_paths(member(member(toml_table(command.text(name)), "tool"), "uv"), name)
            except ValueError:
                raise Refusal(f"{name} is not TOML") from None
            command.reads(name)
