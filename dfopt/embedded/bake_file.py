"""Bake files: Dockerfiles in heredocs (`dockerfile-inline`), and images of `contexts`, changed by spans."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dfopt.build_definitions.hcl_spans import heredocs, quoted_items
from dfopt.build_definitions.json_nodes import read_json
from dfopt.build_definitions.model import DefinitionError
from dfopt.embedded.model import (
    DOCKERFILE,
    Embedded,
    HostError,
    Unmappable,
    difference,
    image_name,
    left_alone,
    same_text,
)
from dfopt.source import LineIndex

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dfopt.build_definitions.located import LocatedValue

_ESCAPED = re.compile(r"\$\$\{|%%\{")


_IMAGE_URL = "docker-image://"


class BakeReader:
    """Bake files: images of `contexts`, and Dockerfiles, for which JSON has no notation that could be edited."""

    def parts(self, text: str) -> list[Embedded]:
        starts = LineIndex(text).starts
        parts: list[Embedded] = []
        try:
            if text.lstrip()[:1] == "{":
                for value in _json_contexts(text):
                    parts += _image(text, starts[min(value.line, len(starts)) - 1] + value.column, value.scalar() or "")
            else:
                parts += [_part(text, *span) for span in heredocs(text, "dockerfile-inline")]
                for start, written in quoted_items(text, "contexts"):
                    parts += _image(text, start, written)
        except DefinitionError as failure:
            line = min(failure.line, len(starts)) - 1
            raise HostError(failure.message, min(starts[line] + failure.column - 1, len(text))) from None
        return sorted(parts, key=lambda part: part.start)

    def check(self, before: str, after: str, parts: list[Embedded], texts: list[str]) -> str:
        return difference(self, before, after, parts, texts)


def _json_contexts(text: str) -> Iterator[LocatedValue]:
    for _, targets in [item for item in read_json(text, "").items() if item[0] == "target"]:
        for _, target in targets.items():
            for layer in target.sequence() or [target]:
                contexts = layer.get("contexts")
                yield from (value for _, value in contexts.items()) if contexts is not None else ()


def _image(text: str, start: int, value: str) -> Iterator[Embedded]:
    """The image that a quoted value names whose text begins at `start`."""
    if value.startswith(_IMAGE_URL):
        for part in image_name(value[len(_IMAGE_URL) :], start + len(_IMAGE_URL)):
            written = text.startswith(value + '"', start)
            yield part if written else left_alone(start, start, "it is not written in one piece")


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
