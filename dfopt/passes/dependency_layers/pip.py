"""What pip reads of the project that it installs for."""

from __future__ import annotations

import posixpath
import re
import sys

from dfopt.knowledge import table
from dfopt.lazy import regex
from dfopt.refusal import Refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.passes.dependency_layers.command import Command

_ARCHIVE = regex(r"\.(?:whl|zip|tar|tgz|tar\.(?:gz|bz2|xz)|tbz)(?:\[[^\[]*\])?\Z")
_NAME = regex(r"[A-Za-z0-9][A-Za-z0-9._-]*\s*(?:\[[^\]]*\])?\s*(?:$|[=<>~!;@ ])")
_SHADOWING = frozenset((*sys.stdlib_module_names, "sitecustomize", "usercustomize", "pip", "setuptools", "wheel",
                        "pkg_resources", "_distutils_hack"))  # fmt: skip


def check_modules(command: Command) -> None:
    """Raises Refusal where `python -m` may load modules of the project: it looks for them where it runs first."""
    directory = command.directory
    for path in command.sources.paths:
        if path.startswith(directory):
            name = path[len(directory) :].partition("/")[0].removesuffix(".py")
            if name in _SHADOWING and (path.endswith(".py") or "/" in path[len(directory) :]):
                raise Refusal(f"`python -m` would load {name} of the sources", "call pip by its own name")


def check_environment(command: Command) -> None:
    if "PYTHONPATH" in command.scope.env or "PYTHONSTARTUP" in command.scope.env:
        raise Refusal("PYTHONPATH may lead Python to the sources")


def install(command: Command) -> None:
    facts = table("dependency_files")["pip"]
    command.environment(facts)
    check_environment(command)
    files, operands = _requirement_files(command, command.values[1:])
    for word in command.operands(facts, operands):
        _requirement(word)
    for name in files:
        _requirements(command, name, [])
    if not files and not operands:
        raise Refusal("pip installs nothing that is named")


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
                raise Refusal(f"`{word}` names no file")
            files.append(words[at])
            at += 1
        elif match is not None or short is not None:
            files.append(match[2] if match is not None else short[1])  # type: ignore[index]
        else:
            others.append(word)
    return files, others


def _requirement(word: str) -> None:
    """Raises Refusal unless a requirement is one by name, or by URL."""
    if re.match(r"(?:https?|git\+https?|git\+ssh)://", word) or re.match(
        r"[\w.\[\],-]+\s*@\s*(?:git\+)?https?://", word
    ):
        return
    if "/" in word or "\\" in word or word.startswith(".") or _ARCHIVE.search(word) or "file:" in word:
        raise Refusal(f"{word} is a local path")
    if not _NAME.match(word):
        raise Refusal(f"{word} is no plain requirement")


def _requirements(command: Command, name: str, above: list[str]) -> None:
    """A requirements or constraints file with what it includes. Raises Refusal."""
    if "://" in name:
        return
    if name in above:
        return
    command.reads(name)
    if len(above) > 20:
        raise Refusal("requirements files include each other")
    text = re.sub(r"\\\r?\n", "", command.text(name))
    for line in text.splitlines():
        line = re.sub(r"(?:^|\s)#.*", "", line).strip()
        if not line:
            continue
        if "${" in line:
            raise Refusal(f"{name} expands variables of the environment")
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
                raise Refusal(f"`{line}` in {name} may lead to other files")
        else:
            _requirement(re.split(r"\s--(?:hash|config-settings|global-option)", line)[0].split(" ;")[0].rstrip())
