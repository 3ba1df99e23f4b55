"""Which reader knows a command: installs of languages, and what touches no sources at all."""

from __future__ import annotations

import re

from dfopt.knowledge import table
from dfopt.refusal import Refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from dfopt.passes.dependency_layers.command import Command

_GLOBAL = ("-g", "--global", "--location=global")


def reader_of(command: Command) -> Callable[[Command], None] | None:
    """The function that tells what a command reads, or None for one that nobody knows. It may rewrite the command's
    words (`python -m pip`)."""
    name, values = command.program, command.values
    if re.fullmatch(r"python[\d.]*", name) and values[:1] == ["-m"] and len(values) > 1:
        if values[1] != "pip":
            return None
        from dfopt.passes.dependency_layers.pip import check_modules

        check_modules(command)
        command.program, command.values = "pip", values[2:]
        return reader_of(command)
    first = values[0] if values else ""
    if name in ("npm", "pnpm", "yarn"):
        from dfopt.passes.dependency_layers import node

        return node.reader(name, first, any(word in _GLOBAL for word in values))
    if re.fullmatch(r"pip[\d.]*", name) or name in ("poetry", "uv"):
        return _of_python("pip" if name.startswith("pip") else name, first)
    if name in ("go", "bundle", "bundler", "composer", "mvn", "dotnet"):
        return _of_others(name, [word for word in values if not word.startswith("-")])
    return system_reader(command)


def system_reader(command: Command) -> Callable[[Command], None] | None:
    """The function for package managers of the system, and for commands on paths outside of the sources; None for any
    other."""
    return _system if _is_system(command) else None


def _of_python(name: str, verb: str) -> Callable[[Command], None] | None:
    from dfopt.passes.dependency_layers import pip, pyproject

    if name == "pip":
        return {"install": pip.install, "cache": _nothing, "--version": _nothing}.get(verb)
    if name == "poetry":
        return {"install": pyproject.poetry, "config": pyproject.poetry_config, "cache": _nothing}.get(verb)
    return {"sync": pyproject.uv_sync, "pip": pyproject.uv_pip, "cache": _nothing}.get(verb)


def _of_others(name: str, operands: list[str]) -> Callable[[Command], None] | None:
    from dfopt.passes.dependency_layers import composer, dotnet, go, maven, ruby

    verb = operands[0] if operands else ""
    if name == "go":
        return go.download if operands == ["mod", "download"] else None
    if name in ("bundle", "bundler"):
        return {"config": ruby.config, "install": ruby.install, "": ruby.install}.get(verb)
    if name == "composer":
        return composer.install if verb == "install" else None
    if name == "mvn":
        return maven.fetch if operands and all(word.startswith("dependency:") for word in operands) else None
    return dotnet.restore if verb == "restore" else None


def _nothing(command: Command) -> None:
    """Refusal nothing of the project."""


def short(command: Command) -> str:
    """How a message names the command: "npm ci", "pip install"; "" for one that installs nothing."""
    if command.program in (*table("dependency_files")["system"]["words"], "mkdir", "rm", "set", "corepack"):
        return ""
    verb = [word for word in command.values if not word.startswith("-")][:1]
    if command.program in ("uv", "go", "npm", "pip") and verb and verb[0] in ("pip", "mod"):
        verb = [word for word in command.values if not word.startswith("-")][:2]
    if verb and verb[0] in ("update", "clean", "cache", "config", "autoremove", "purge", "makecache"):
        return ""
    return " ".join([command.program, *verb])


def _is_system(command: Command) -> bool:
    facts = table("dependency_files")["system"]
    name, values = command.program, command.values
    if name == "set":
        return all(re.fullmatch(r"[-+][eux]+|-o|-[eux]*o|pipefail|errexit|nounset|xtrace", word) for word in values)
    if name == "corepack":
        return values[:1] in (["enable"], ["disable"])
    if name in ("mkdir", "rm"):
        return all(word.startswith(("-", "/")) for word in values) and not any(".." in word for word in values)
    return name in facts["words"] or name in facts["managers"]


def _system(command: Command) -> None:
    """Package managers of the system, and commands on paths outside of the sources."""
    from dfopt.ir.effects import covers, overlap

    facts = table("dependency_files")["system"]
    destination = command.sources.destination
    packaged = destination in facts["packaged"] or any(covers(path, destination) for path in facts["packaged"][1:])
    if command.program in facts["managers"] and packaged:
        raise Refusal(f"packages of the system may put files into {destination}")
    for word in command.values:
        if command.program in ("mkdir", "rm"):
            if word.startswith("/") and overlap(command.sources.destination, word):
                raise Refusal(f"`{command.program} {word}` concerns what is copied")
        elif command.program in facts["managers"] and (
            (word.partition("=")[0] in facts["options-with-files"] and not word.startswith("-o"))
            or re.search(r"\.(?:deb|rpm|apk)\Z", word)
            or word.startswith(("./", "../"))
        ):
            raise Refusal(f"`{command.program} {word}` may name a file")
