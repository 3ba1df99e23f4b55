"""Smaller fixers and formatters that are measured too: how each one's mode that writes is started.

None of them is needed by anything else; each has a row that says so where it is missing. Their options are those of
their own `--help`, with defaults everywhere but for what a run of many files needs (no backup files, no colours).
`tests/bench/peers.txt` lists the PyPI packages; dockerfmt is the npm package `@reteps/dockerfmt`.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from .tool import Tool, absent, find

EACH = Path(__file__).with_name("each.py")


def _each(name: str, program: str, peers_bin: Path | None, args: tuple[str, ...], version: str, first: int,
          *, mode: str = "edit", codes: str = "0", env: dict[str, str] | None = None) -> Tool:  # fmt: skip
    """A program that gets one file a start. `codes`: its exit codes of a run that did its work."""
    path = find(program, peers_bin)
    if path is None:
        return Tool(name, None, absent(program))
    path = native_dockerfmt(path)
    command = (sys.executable, "-I", "-S", str(EACH), mode, codes, str(1 + len(args)), path, *args)
    return Tool(name, command, writes=True, partial=frozenset({2}), env=env or {}, version=(path, version), first=first)


def native_dockerfmt(path: str) -> str:
    """The Go program that dockerfmt's npm package starts from node, so that no interpreter is counted against it."""
    real = Path(path).resolve()
    if real.name != "launcher.js":
        return path
    inside = sorted(real.parents[2].glob("dockerfmt-linux-*/bin/dockerfmt"))
    return str(inside[0]) if len(inside) == 1 else path


def _doctor(peers_bin: Path | None) -> list[Tool]:
    names = {"dockerfile-doctor --fix": ("--fix",), "dockerfile-doctor, unsafe too": ("--fix", "--unsafe-fixes")}
    path = find("dockerfile-doctor", peers_bin)
    if path is None:
        return [Tool(name, None, absent("dockerfile-doctor")) for name in names]
    return [
        # 1: findings of severity "error" stay
        Tool(name, (path, *args, "--no-color"), writes=True, ok=frozenset({0, 1}), version=(path, "--version"))
        for name, args in names.items()
    ]


def peers(peers_bin: Path | None, first: int) -> list[Tool]:
    """A row for each. `first`: how many files of the sample those get that are started once for each file."""
    hardener = _each(
        "dockerfile-hardener fix", "dockerfile-hardener", peers_bin, ("fix", "--no-backup"), "--version", first
    )
    docktor = _each("docktor optimize", "docktor", peers_bin, ("optimize", "--raw"), "--version", first, mode="print")
    # dokter starts ShellCheck from PATH, where its own package installs it; its exit code 1 tells of findings. It takes
    # the file's name as an option's value.
    path = os.environ.get("PATH", os.defpath)
    if peers_bin:
        path = f"{peers_bin.resolve()}{os.pathsep}{path}"
    dokter = _each("dokter -w", "dokter", peers_bin, ("-w", "-d"), "--version", first, codes="0,1", env={"PATH": path})
    dockerfmt = _each("dockerfmt -w", "dockerfmt", peers_bin, ("-n", "-w"), "version", first)
    return [*_doctor(peers_bin), hardener, docktor, dokter, dockerfmt]
