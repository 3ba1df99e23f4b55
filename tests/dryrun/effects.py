"""The descriptions of programs that stand-ins go by: dfopt's knowledge tables, and programs.toml over them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from dfopt.knowledge import load_toml

HERE = Path(__file__).parent
KNOWLEDGE = HERE.parents[1] / "dfopt" / "knowledge"

Row = dict[str, Any]
# key of the tables -> letter of stub.c
_LISTS = {
    "value-options": "v", "groups": "g", "index": "i", "cache": "c", "no-cache": "n", "env-no-cache": "N",
    "cache-options": "C", "env-cache": "E", "fresh": "f", "offline": "o", "env-offline": "O", "group-options": "G",
    "creates-options": "d", "kept-in": "K",
}  # fmt: skip
_PAIRS = {"brings": "B", "recommends": "R", "requires": "Q"}
_TEXTS = {"bin": "b", "record": "r", "ends": "t", "kept-unless": "x", "local": "L"}
_FLAGS = ("refreshes", "reads-index", "installs", "removes", "caches", "downloads")


def _read(path: Path) -> dict[str, Any]:
    return load_toml(path.read_bytes())


def _flags(row: Row) -> str:
    """A command of the tables as the stand-in reads it: "reads-index,installs"."""
    found = [key for key in _FLAGS if row.get(key)]
    cleans = row.get("cleans", ())
    found += ["cleans"] * bool(cleans) + ["cleans-index"] * ("index" in cleans)
    return ",".join(found)


def tables() -> dict[str, Row]:
    """The package managers as dfopt knows them: program -> its row, `like` followed, `commands` as texts of flags."""
    rows = _read(KNOWLEDGE / "package_managers.toml")
    found: dict[str, Row] = {}
    for name, row in rows.items():
        model = rows.get(row.get("like", ""), {})
        merged = {**model, **row}
        merged["commands"] = {**model.get("commands", {}), **row.get("commands", {})}
        merged["commands"] = {command: _flags(facts) for command, facts in merged["commands"].items()}
        found[name] = merged
    return found


def programs() -> dict[str, Row]:
    """All programs with a description: the tables', less and plus what programs.toml says."""
    found = tables()
    ours = _read(HERE / "programs.toml")
    for row in found.values():
        row.update(ours["families"].get(row.get("family", ""), {}))
    for name, row in ours["programs"].items():
        known = found.setdefault(name, {})
        commands = {**known.get("commands", {}), **row.get("commands", {})}
        found[name] = {**known, **row, "commands": commands}
    for name in ("yum", "microdnf", "tdnf"):
        found[name].setdefault("ends", "=<>")
    found["mamba"]["cache"] = found["micromamba"]["cache"] = found["conda"]["cache"]
    for name, row in _read(KNOWLEDGE / "programs.toml")["files"].items():
        options = row.get("creates-options")
        if options and name not in ("wget", "curl"):
            found.setdefault(name, {}).setdefault("creates-options", options)
    return found


def disagreements() -> list[tuple[str, str]]:
    """(program, key) where programs.toml contradicts a table: each is a fact that dfopt may have wrong."""
    table, ours = tables(), _read(HERE / "programs.toml")["programs"]
    found: list[tuple[str, str]] = []
    for name, row in ours.items():
        for key, value in row.items():
            if key == "commands":
                known = table.get(name, {}).get("commands", {})
                found += [(name, command) for command in value if command in known and known[command] != value[command]]
            elif key in table.get(name, {}) and table[name][key] != value:
                found.append((name, key))
    return found


def refusals(images: Iterable[str]) -> dict[str, list[str]]:
    """Program -> the arguments that it does not know in these images."""
    found: dict[str, list[str]] = {}
    for row in _read(HERE / "programs.toml")["refuses"]:
        if any(re.search(row["image"], image) for image in images):
            found.setdefault(row["program"], []).append(row["arguments"])
    return found


def description(row: Row) -> str:
    """A row in the form that stub.c reads."""
    lines = ["\t".join((letter, *row[key])) for key, letter in _LISTS.items() if row.get(key)]
    lines += [f"{letter}\t{row[key]}" for key, letter in _TEXTS.items() if row.get(key)]
    for key, letter in _PAIRS.items():
        for package, paths in row.get(key, {}).items():
            lines += [f"{letter}\t{package}\t{path}" for path in ([paths] if isinstance(paths, str) else paths)]
    lines += ["s"] * bool(row.get("self-refreshing")) + ["w"] * bool(row.get("reads-stdin"))
    lines += [f"k\t{command}\t{flags}" for command, flags in row.get("commands", {}).items()]
    lines += [f"p\t{arguments}\t{answer}" for arguments, answer in row.get("prints", {}).items()]
    return "".join(f"{line}\n" for line in lines)


def write(directory: Path) -> None:
    """Writes the descriptions, a file a program."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, row in programs().items():
        (directory / name).write_text(description(row))
