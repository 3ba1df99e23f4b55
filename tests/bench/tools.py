"""What is measured: how each program is found and started on many files."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from .peers import peers
from .sample import Screen, stopping_screen
from .tool import Tool, absent, find

PROJECT = Path(__file__).parents[2]


def native_tally(path: str) -> str:
    """The Go program that the PyPI package's Python script starts, so that no interpreter is counted against tally."""
    with open(path, "rb") as f:
        if f.read(2) != b"#!":
            return path
    inside = sorted(Path(path).parent.parent.glob("lib/python*/site-packages/tally_cli/bin/tally-linux-*/tally"))
    return str(inside[0]) if len(inside) == 1 else path


def _dfopt(command: Sequence[str] | None) -> list[Tool]:
    env: dict[str, str] = {}
    missing = ""
    if command is None:
        script = Path(sys.executable).parent / "dfopt"
        if script.is_file():
            command = [str(script)]
        elif importlib.util.find_spec("dfopt.__main__"):
            command, env = [sys.executable, "-m", "dfopt"], {"PYTHONPATH": str(PROJECT)}
        else:
            missing = f"neither {script} nor `python -m dfopt`"

    def row(name: str, *args: str, writes: bool = False) -> Tool:
        if command is None:
            return Tool(name, None, missing)
        # 1: findings, or it would change; 2: some input could not be read, the rest was done
        return Tool(name, (*command, *args), "", writes, ok=frozenset({0, 1}), partial=frozenset({2}),
                    fresh_home=True, env=env, version=(*command, "--version"))  # fmt: skip

    return [
        row("dfopt fix", "fix"),
        row("dfopt fix --write", "fix", "--write", writes=True),
        row("dfopt check", "check"),
    ]


def _hadolint(peers_bin: Path | None) -> Tool:
    path = find("hadolint", peers_bin)
    if path is None:
        return Tool("hadolint", None, absent("hadolint"))
    return Tool("hadolint", (path, "--no-fail", "--no-color"), version=(path, "--version"))


# No configuration of the machine, no look-ups in registries, no failure for findings that stay.
_TALLY = ("lint", "--no-config", "--slow-checks", "off", "--fail-level", "none", "--no-color")
_TALLY_STOPS = re.compile(r"failed to lint (\S+): (.*)")


def _tally(peers_bin: Path | None) -> list[Tool]:
    names = "tally --fix", "tally --fix, no ShellCheck"
    found = find("tally", peers_bin)
    if found is None:
        return [Tool(name, None, absent("tally")) for name in names]
    path = native_tally(found)
    fix = (path, *_TALLY, "--fix")
    return [
        Tool(name, command, writes=True, version=(path, "--version"))
        for name, command in zip(names, (fix, (*fix, "--ignore", "shellcheck/*")), strict=True)
    ]


def tally_screen(tool: Tool, env: dict[str, str]) -> Screen | None:
    """Refuses the files that make tally stop with nothing fixed; one cheap rule, so that it parses and little more."""
    if tool.command is None:
        return None
    command = (tool.command[0], *_TALLY, "--ignore", "*", "--select", "hadolint/DL3000")
    return stopping_screen("tally", command, _TALLY_STOPS, env)


def _buildkit(oracle: Path | None, missing: str) -> Tool:
    """The parser alone where the oracle has a mode for that; else with the cost of printing all of it, and named so."""
    name = "BuildKit's parser (Go)"
    if oracle is None:
        return Tool(name, None, missing)
    empty = subprocess.run([oracle, "parsequiet", "-"], stdin=subprocess.DEVNULL, capture_output=True, check=False)
    if empty.returncode:
        name += " and its JSON"
    mode = "parse" if empty.returncode else "parsequiet"
    return Tool(name, (str(oracle), mode, "-"), stdin=True, version=(str(oracle), "version"))


def all_tools(
    dfopt: Sequence[str] | None, peers_bin: Path | None, oracle: Path | None, oracle_missing: str, first: int = 300
) -> list[Tool]:
    """Every row of the table, installed or not. `dfopt`: its command line; None: the one of this interpreter.
    `first`: how many files those programs get that are started once for each."""
    others = [_hadolint(peers_bin), *_tally(peers_bin), *peers(peers_bin, first)]
    return [*_dfopt(dfopt), *others, _buildkit(oracle, oracle_missing)]


def readers_of_one_file(tools: Sequence[Tool]) -> dict[str, list[str]]:
    """Commands, to be followed by a file's name, that only read it: of those tools that have one; empty where it is not
    installed. hadolint comes first: it is what cold starts are compared with."""
    commands: dict[str, list[str]] = {}
    for name in ("hadolint", "tally --fix, no ShellCheck", "dockerfile-doctor --fix"):
        command = next((tool.command for tool in tools if tool.name == name), None)
        commands[name.replace(" --fix", "")] = [word for word in command or () if word != "--fix"]
    return commands
