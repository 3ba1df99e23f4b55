"""Other readers of shell text: bash and dash say whether it is valid, shfmt where its commands and words stand."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
import tempfile
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

from dfopt.syntax.shell import ShellProgram, ShellSyntaxError, parse_shell
from dfopt.syntax.shell.nodes import (
    Assignment,
    Case,
    CaseItem,
    CommandSub,
    For,
    Redirect,
    SimpleCommand,
    Word,
)
from dfopt.syntax.shell.walk import iter_nodes

Span = tuple[int, int]


def shfmt_program() -> str | None:
    """shfmt as the wheel shfmt-py installs it beside the interpreter, or one on the path."""
    beside = Path(sys.executable).parent / "shfmt"
    return str(beside) if beside.exists() else shutil.which("shfmt")


def accepted(shell: Sequence[str], bodies: Sequence[str], batch: int = 500) -> list[bool]:
    """What `<shell> -n` says of each body: True where it exits with 0. Nothing is run."""
    verdicts: list[bool] = []
    with tempfile.TemporaryDirectory() as folder:
        for begin in range(0, len(bodies), batch):
            names = []
            for at, body in enumerate(bodies[begin : begin + batch]):
                name = f"{folder}/{at}"
                Path(name).write_bytes(body.encode("utf-8", "surrogateescape"))
                names.append(name)
            script = 'shell=$1; shift; for file; do $shell -n "$file" 2>/dev/null && echo y || echo n; done'
            done = subprocess.run(
                ["sh", "-c", script, "sh", " ".join(shell), *names], capture_output=True, check=True, text=True
            )
            verdicts += [line == "y" for line in done.stdout.split()]
    assert len(verdicts) == len(bodies)
    return verdicts


def parsed(body: str) -> ShellProgram | ShellSyntaxError:
    try:
        return parse_shell(body)
    except ShellSyntaxError as error:
        return error


# --- broken bodies ---------------------------------------------------------------------------------------------------

# Put into bodies by the mutations: what the grammar is made of.
_PIECES = [
    *"'\"`$(){}[];&|<>\\#!=*?~+-/:@,a1 \n\t",
    *("&&", "||", ";;", "<<", "<<-", "<<<", ">&", "&>", "$(", "${", "$((", "((", "[[", "]]", " ; ", "\\\n"),
    *("if", "then", "fi", "do", "done", "case", "esac", "in", "for", "while", "else", "time", "function"),
]


def mutated(whole: Sequence[str], count: int, chance: random.Random) -> Iterator[str]:
    """`count` bodies out of `whole` with one to three characters lost, swapped or replaced, or pieces put in."""
    for _ in range(count):
        body = chance.choice(whole)
        for _ in range(chance.randint(1, 3)):
            at = chance.randrange(len(body) + 1)
            kind = chance.randrange(4)
            if kind == 0:
                body = body[:at] + body[at + 1 :]
            elif kind == 1:
                body = body[:at] + chance.choice(_PIECES) + body[at:]
            elif kind == 2:
                body = body[:at] + body[at + 1 : at + 2] + body[at : at + 1] + body[at + 2 :]
            else:
                body = body[:at] + chance.choice(_PIECES) + body[at + 1 :]
        yield body


# --- spans -----------------------------------------------------------------------------------------------------------


class Spans:
    """The spans of a text's simple commands and words, by kind, each sorted."""

    def __init__(self) -> None:
        self.commands: list[Span] = []
        self.words: list[Span] = []

    def sort(self) -> Spans:
        self.commands.sort()
        self.words.sort()
        return self


def own_spans(program: ShellProgram) -> tuple[Spans, list[Span]]:
    """The spans in our tree of what shfmt has too, and those of backquotes whose inside has no spans in our tree."""
    spans = Spans()
    opaque: list[Span] = []
    for node in iter_nodes(program.script):
        if isinstance(node, SimpleCommand):
            spans.commands.append((node.start, node.end))
            spans.words += [(word.start, word.end) for word in node.words]
        elif isinstance(node, Assignment):
            spans.words += _words(node.array or (node.value,))
        elif isinstance(node, Redirect):
            spans.words += _words((node.target,))
        elif isinstance(node, For):
            spans.words += _words(node.words or ())
        elif isinstance(node, Case):
            spans.words += _words((node.subject,))
        elif isinstance(node, CaseItem):
            spans.words += _words(node.patterns)
        elif isinstance(node, CommandSub) and node.body is None:
            opaque.append((node.start, node.end))
    return spans.sort(), opaque


def _words(words: Iterable[Word | None]) -> list[Span]:
    return [(word.start, word.end) for word in words if word is not None and word.end > word.start]


class ShfmtError(ValueError):
    """shfmt does not accept the text."""


def shfmt_spans(shfmt: str, text: str) -> Spans:
    """The same of shfmt's tree (bash dialect), as code points."""
    data = text.encode("utf-8", "surrogateescape")
    done = subprocess.run([shfmt, "--to-json", "-ln", "bash"], input=data, capture_output=True)
    if done.returncode:
        raise ShfmtError(done.stderr.decode("utf-8", "replace").strip())
    spans = Spans()
    points = None if len(data) == len(text) else list(accumulate((_width(char) for char in text), initial=0))
    _Reader(spans, points).any(json.loads(done.stdout))
    return spans.sort()


def _width(char: str) -> int:
    return len(char.encode("utf-8", "surrogateescape"))


class _Reader:
    """Walks shfmt's JSON. A statement there holds the redirects that belong to our simple command."""

    def __init__(self, spans: Spans, points: list[int] | None) -> None:
        self.spans = spans
        self.points = points

    def span(self, node: dict[str, Any], until: dict[str, Any] | None = None) -> Span:
        begin, end = node["Pos"]["Offset"], (until or node)["End"]["Offset"]
        if self.points is None:
            return begin, end
        return bisect_left(self.points, begin), bisect_left(self.points, end)

    def word(self, node: dict[str, Any] | None) -> None:
        if node and node["End"]["Offset"] > node["Pos"]["Offset"]:
            self.spans.words.append(self.span(node))

    def any(self, node: Any) -> None:
        if isinstance(node, list):
            for item in node:
                self.any(item)
        if not isinstance(node, dict):
            return
        kind = node.get("Type", "")
        if "Cmd" in node or "Redirs" in node:
            self.statement(node)
        if kind == "CallExpr":
            for word in node.get("Args", []):
                self.word(word)
            for assign in node.get("Assigns", []):
                self.assign(assign)
        elif kind == "DeclClause":
            self.word(node["Variant"])
            for assign in node.get("Args", []):
                self.word(assign)
        elif kind == "WordIter":
            for word in node.get("Items", []):
                self.word(word)
        elif kind == "CaseClause":
            self.word(node["Word"])
            for item in node.get("Items", []):
                for word in item["Patterns"]:
                    self.word(word)
        for key, value in node.items():
            if key not in ("Pos", "End"):
                self.any(value)

    def assign(self, node: dict[str, Any]) -> None:
        self.word(node.get("Value"))
        for element in node.get("Array", {}).get("Elems", []):
            self.word(element)

    def statement(self, node: dict[str, Any]) -> None:
        redirects = node.get("Redirs", [])
        for redirect in redirects:
            self.word(redirect["Word"])
        command = node.get("Cmd")
        if command is not None and command["Type"] not in ("CallExpr", "DeclClause"):
            return
        pieces = [self.span(redirect, redirect["Word"]) for redirect in redirects]
        if command is not None:
            pieces.append(self.span(command))
        if pieces:
            self.spans.commands.append((min(piece[0] for piece in pieces), max(piece[1] for piece in pieces)))


def inside(span: Span, regions: Iterable[Span]) -> bool:
    """Whether a span lies between the ends of one of the regions."""
    return any(region[0] < span[0] and span[1] < region[1] for region in regions)
