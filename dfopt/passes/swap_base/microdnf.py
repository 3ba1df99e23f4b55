"""A command of dnf or yum, said in the words of microdnf, which knows fewer options and commands."""

from __future__ import annotations

from dfopt.ir.effects import manager, subcommand
from dfopt.knowledge import table
from dfopt.lazy import regex

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.ir.commands import Invocation

_NAME = regex(r"[A-Za-z0-9][A-Za-z0-9+._-]*\Z")
_YES = {"1": "1", "true": "1", "yes": "1", "on": "1", "0": "0", "false": "0", "no": "0", "off": "0"}
_PREFIX = "--setopt="


def microdnf_words(invocation: Invocation) -> tuple[list[str | None], str]:
    """For each word behind the program's name what stands in its place (None: it goes), and the subcommand ("clean"
    stands for all that only tidies up). Raises ValueError with what has no counterpart, and where."""
    known = table("swaps")["microdnf"]
    facts = manager(invocation.program) or {}
    name, at = subcommand(invocation, facts)
    if name is None or at < 0 or None in invocation.values:
        raise ValueError("a word that is not fixed has no counterpart in microdnf")
    values = [value or "" for value in invocation.values]
    words = name.split()
    command = known["commands"].get(name, name if name in known["commands"].values() else None)
    if name == "module":
        words = [value for value in values[at:] if not value.startswith("-")][:2]
        command = "module" if words[1:] and words[1] in known["module"] else None
    if command is None:
        raise ValueError(f"{' '.join(words)} has no counterpart in microdnf")
    texts: list[str | None] = []
    skip = False
    for index, value in enumerate(values):
        if skip:
            skip = False
            texts.append(value if values[index - 1] != "--setopt" else None)
        elif index == at:
            texts.append(command)
        elif value == "--setopt" and index + 1 < len(values):
            texts.append(_option(_PREFIX + values[index + 1], known))
            skip = True
        elif value.startswith("-"):
            texts.append(_option(value, known))
            skip = value in known["value-options"]
        elif command == "clean":
            texts.append("all" if index == at + 1 else None)
        elif command in ("install", "reinstall", "remove", "update") and value in known["present"]:
            texts.append(None)
        elif value in known["conflicts"]:
            raise ValueError(f"{command} {value} stands against a package of the new image")
        elif not _NAME.match(value.replace(":", "-")):
            raise ValueError(f"{command} {value} has no counterpart in microdnf")
        else:
            texts.append(value)
    return texts, command


def _option(value: str, known: dict[str, list[str]]) -> str | None:
    """Raises ValueError."""
    name = value.partition("=")[0]
    if value in known["drop"] or name in known["drop"]:
        return None
    if value.startswith(_PREFIX):
        key, _, setting = value[len(_PREFIX) :].partition("=")
        if key == "tsflags" and setting == "nodocs":
            return value
        if key in known["switches"] and setting.lower() in _YES:
            return f"{_PREFIX}{key}={_YES[setting.lower()]}"
        raise ValueError(f"{value} has no counterpart in microdnf")
    if value in known["options"] or (name in known["value-options"] and ("=" in value or name == value)):
        return value
    raise ValueError(f"{value} has no counterpart in microdnf")
