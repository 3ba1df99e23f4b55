"""What pip, uv and poetry read of the project that they install. Facts: the table `dependency_files`."""

from __future__ import annotations

import posixpath
import re
import sys

from dfopt.knowledge import load_toml, table
from dfopt.lazy import regex
from dfopt.passes._dependencies import Reads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from dfopt.passes._dependencies import Command

_ARCHIVE = regex(r"\.(?:whl|zip|tar|tgz|tar\.(?:gz|bz2|xz)|tbz)(?:\[.*\])?\Z")
_NAME = regex(r"[A-Za-z0-9][A-Za-z0-9._-]*\s*(?:\[[^\]]*\])?\s*(?:$|[=<>~!;@ ])")
_SHADOWING = frozenset((*sys.stdlib_module_names, "sitecustomize", "usercustomize", "pip", "setuptools", "wheel",
                        "pkg_resources", "_distutils_hack"))  # fmt: skip


def reader(name: str, verb: str) -> Callable[[Command], None] | None:
    if name == "pip":
        return {"install": _pip, "cache": _nothing, "--version": _nothing}.get(verb)
    if name == "poetry":
        return {"install": _poetry, "config": _poetry_config, "cache": _nothing}.get(verb)
    return {"sync": _uv_sync, "pip": _uv_pip, "cache": _nothing}.get(verb)


def _nothing(command: Command) -> None:
    """Reads nothing of the project."""


def module_obstacle(command: Command) -> str:
    """Why `python -m` may load modules of the project, "" where it does not: it looks for them where it runs first."""
    directory = command.directory
    for path in command.sources.paths:
        if path.startswith(directory):
            name = path[len(directory) :].partition("/")[0].removesuffix(".py")
            if name in _SHADOWING and (path.endswith(".py") or "/" in path[len(directory) :]):
                return f"`python -m` would load {name} of the sources"
    return ""


def _python_path(command: Command) -> None:
    if "PYTHONPATH" in command.scope.env or "PYTHONSTARTUP" in command.scope.env:
        raise Reads("PYTHONPATH may lead Python to the sources")


def _pip(command: Command) -> None:
    facts = table("dependency_files")["pip"]
    command.environment(facts)
    _python_path(command)
    files, operands = _requirement_files(command, command.values[1:])
    for word in command.known(facts, operands):
        _requirement(word)
    for name in files:
        _requirements(command, name, [])
    if not files and not operands:
        raise Reads("pip installs nothing that is named")


def _requirement_files(command: Command, words: list[str]) -> tuple[list[str], list[str]]:
    """The files of -r and -c, and the other words."""
    files: list[str] = []
    others: list[str] = []
    at = 0
    while at < len(words):
        word = words[at]
        at += 1
        match = re.fullmatch(r"(-r|-c|--requirement|--constraint|--requirements|--constraints)(?:=(.*))?", word)
        short = re.fullmatch(r"-[rc](.+)", word)
        if match is not None and match[2] is None:
            if at == len(words):
                raise Reads(f"`{word}` names no file")
            files.append(words[at])
            at += 1
        elif match is not None or short is not None:
            files.append(match[2] if match is not None else short[1])  # type: ignore[index]
        else:
            others.append(word)
    return files, others


def _requirement(word: str) -> None:
    """Raises Reads unless a requirement is one by name, or by URL."""
    if re.match(r"(?:https?|git\+https?|git\+ssh)://", word) or re.match(
        r"[\w.\[\],-]+\s*@\s*(?:git\+)?https?://", word
    ):
        return
    if "/" in word or "\\" in word or word.startswith(".") or _ARCHIVE.search(word) or "file:" in word:
        raise Reads(f"{word} is a local path")
    if not _NAME.match(word):
        raise Reads(f"{word} is no plain requirement")


def _requirements(command: Command, name: str, above: list[str]) -> None:
    """A requirements or constraints file with what it includes. Raises Reads."""
    if "://" in name:
        return
    if name in above:
        return
    command.reads(name)
    if len(above) > 20:
        raise Reads("requirements files include each other")
    text = re.sub(r"\\\r?\n", "", command.text(name))
    for line in text.splitlines():
        line = re.sub(r"(?:^|\s+)#.*", "", line).strip()
        if not line:
            continue
        if "${" in line:
            raise Reads(f"{name} expands variables of the environment")
        match = re.match(r"(?:-r|-c|--requirement|--constraint)(?:\s+|=)?(.+)", line)
        if match is not None:
            target = match[1].strip()
            if "://" not in target:
                _requirements(
                    command, posixpath.normpath(posixpath.join(posixpath.dirname(name), target)), [*above, name]
                )
        elif line.startswith("-"):
            option = re.match(
                r"(?:-i|--index-url|--extra-index-url|--trusted-host|--only-binary|--no-binary|--prefer-binary|--pre"
                r"|--require-hashes|--no-index)\b",
                line,
            )
            if option is None:
                raise Reads(f"`{line}` in {name} may lead to other files")
        else:
            _requirement(re.split(r"\s+--(?:hash|config-settings|global-option)", line)[0].split(" ;")[0])


# --- projects ---------------------------------------------------------------------------------------------------------


def _project(command: Command) -> dict[str, Any]:
    try:
        return load_toml(command.text("pyproject.toml").encode())
    except ValueError:
        raise Reads("pyproject.toml is not TOML") from None


def _no_paths(value: Any, file: str) -> None:
    """Raises Reads for a dependency by path, anywhere in a table."""
    if isinstance(value, dict):
        for key, one in value.items():
            if key in ("path", "workspace", "editable", "develop", "from") and one not in (False, None):
                raise Reads(f"{file} names a dependency by `{key}`")
            _no_paths(one, file)
    elif isinstance(value, list):
        for one in value:
            _no_paths(one, file)
    elif isinstance(value, str) and re.search(r"@\s*file:|^file:|^\.{1,2}/", value):
        raise Reads(f"{file} names the local path {value}")


def _poetry_config(command: Command) -> None:
    if len(command.values) < 3 or not command.values[1].startswith("virtualenvs.") or "--local" in command.values:
        raise Reads("what `poetry config` sets is not known")


def _poetry(command: Command) -> None:
    facts = table("dependency_files")["poetry"]
    command.known(facts, command.values[1:])
    command.environment(facts)
    _python_path(command)
    if "--no-root" not in command.values:
        raise Reads("poetry installs the project itself (--no-root would not)")
    command.manifests(facts)
    if not command.holds("poetry.lock"):
        raise Reads("there is no poetry.lock")
    project = _project(command)
    tool = project.get("tool", {}).get("poetry", {})
    for key in ("dependencies", "dev-dependencies", "group"):
        _no_paths(tool.get(key), "pyproject.toml")
    _no_paths(project.get("project", {}).get("dependencies"), "pyproject.toml")
    _no_paths(project.get("project", {}).get("optional-dependencies"), "pyproject.toml")
    if tool.get("requires-plugins"):
        raise Reads("pyproject.toml asks for plugins of poetry")
    if re.search(r'^type = "(?:directory|file)"', command.text("poetry.lock"), re.M):
        raise Reads("poetry.lock names local packages")


def _uv_sync(command: Command) -> None:
    facts = table("dependency_files")["uv"]
    command.known(facts, command.values[1:])
    command.environment(facts)
    _python_path(command)
    command.manifests(facts)
    if not command.holds("uv.lock"):
        raise Reads("there is no uv.lock")
    project = _project(command)
    tool = project.get("tool", {}).get("uv", {})
    packaged = ("build-system" in project and tool.get("package", True)) or tool.get("package") is True
    if packaged and "--no-install-project" not in command.values:
        raise Reads("uv installs the project itself (--no-install-project would not)")
    for key in ("sources", "workspace"):
        _no_paths(tool.get(key), "pyproject.toml")
    if tool.get("workspace"):
        raise Reads("the project is a workspace of uv")
    if packaged and set(project.get("project", {}).get("dynamic", ())):
        raise Reads("the metadata of the project are made from its sources")
    if re.search(r"source = \{ (?:directory|editable|virtual|path) = \"(?!\.\")", command.text("uv.lock")):
        raise Reads("uv.lock names local packages")
    if not (command.scope.env.keys() & {"UV_FROZEN", "UV_LOCKED"}):
        command.locked(facts)


def _uv_pip(command: Command) -> None:
    if command.values[1:2] != ["install"]:
        raise Reads("what `uv pip` reads here is not known")
    uv = table("dependency_files")["uv"]
    command.environment(uv)
    command.values = command.values[1:]
    _pip(command)
    command.values = ["pip", *command.values]
    for name in ("uv.toml", "pyproject.toml"):  # settings of uv
        if command.holds(name):
            if name == "pyproject.toml" and "tool.uv" not in command.text(name):
                continue
            try:
                _no_paths(load_toml(command.text(name).encode()).get("tool", {}).get("uv", {}), name)
            except ValueError:
                raise Reads(f"{name} is not TOML") from None
            command.reads(name)
