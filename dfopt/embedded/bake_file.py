"""Bake files in HCL: Dockerfiles in heredocs (`dockerfile-inline`), changed by spans."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dfopt.build_definitions.hcl import heredocs
from dfopt.build_definitions.model import DefinitionError
from dfopt.embedded.model import DOCKERFILE, Embedded, HostError, Unmappable, same_text
from dfopt.source import LineIndex

if TYPE_CHECKING:
    from collections.abc import Callable

_ESCAPED = re.compile(r"\$\$\{|%%\{")


class BakeReader:
    """Bake files. JSON has no notation for a Dockerfile that could be edited."""

    def parts(self, text: str) -> list[Embedded]:
        if text.lstrip()[:1] == "{":
            return []
        return [_part(text, start, end, indented) for start, end, indented in _spans(text)]

    def check(self, before: str, after: str, parts: list[Embedded], texts: list[str]) -> str:
        try:
            old, new = _spans(before), _spans(after)
        except HostError as failure:
            return failure.message
        if len(old) != len(new):
            return "its structure changed"
        outside = [_outside(text, spans) for text, spans in ((before, old), (after, new))]
        if outside[0] != outside[1]:
            return "text outside of the Dockerfiles changed"
        for (start, end, indented), text in zip(new, texts, strict=True):
            part = _part(after, start, end, indented)
            if part.text != text:
                return "a heredoc does not stand for the declared text"
        return ""


def _spans(text: str) -> list[tuple[int, int, bool]]:
    try:
        return heredocs(text, "dockerfile-inline")
    except DefinitionError as failure:
        starts = LineIndex(text).starts
        line = min(failure.line, len(starts)) - 1
        raise HostError(failure.message, min(starts[line] + failure.column - 1, len(text))) from None


def _outside(text: str, spans: list[tuple[int, int, bool]]) -> list[str]:
    pieces: list[str] = []
    at = 0
    for start, end, _ in spans:
        pieces.append(text[at:start])
        at = end
    return [*pieces, text[at:]]


def _part(text: str, start: int, end: int, indented: bool) -> Embedded:
    """The Dockerfile in the heredoc whose lines are `start:end`; `indented`: its common indentation is not in it."""
    body = text[start:end]
    if re.search(r"(?<!\$)\$\{|(?<!%)%\{", body):
        return Embedded(DOCKERFILE, "", start, end, (), same_text, "bake fills in variables")
    lines = body.split("\n")[:-1]
    indent = min((len(line) - len(line.lstrip(" \t")) for line in lines if line.strip()), default=0) if indented else 0
    decoded: list[str] = []
    offsets: list[int] = []
    at = start
    for line in lines:
        skipped = min(indent, len(line))
        while skipped < len(line):
            decoded.append(line[skipped])
            offsets.append(at + skipped)
            skipped += 2 if _ESCAPED.match(line, skipped) else 1
        decoded.append("\n")
        offsets.append(at + len(line))
        at += len(line) + 1
    offsets.append(end)
    margin = next((line[:indent] for line in lines if line.strip()), "")
    return Embedded(DOCKERFILE, "".join(decoded), start, end, tuple(offsets), _writer(margin), "", indent)


def _writer(margin: str) -> Callable[[str, int, int], str]:
    def write(new: str, first: int, last: int) -> str:
        if margin and (first == 0 or "\n\n" in new):
            raise Unmappable("the indentation of the heredoc would change")
        escaped = re.sub(r"([$%])\{", r"\1\1{", new)
        return escaped.replace("\n", "\n" + margin) if not new.endswith("\n") else (
            escaped[:-1].replace("\n", "\n" + margin) + "\n"
        )  # fmt: skip

    return write
