"""Compose files and CI workflows: YAML, read by ruamel.yaml, changed by spans. Nothing is re-printed."""

from __future__ import annotations

import fnmatch
import re
from bisect import bisect_left
from typing import TYPE_CHECKING, Any

from dfopt.embedded.model import DOCKERFILE, IMAGE, Embedded, HostError, Unmappable, image_name, left_alone, same_text
from dfopt.knowledge import table
from dfopt.yaml import YamlError, documents

if TYPE_CHECKING:
    from collections.abc import Iterator

_URL = re.compile(r"(?:[^=]*=)?docker(?:-image)?://")
_VARIABLE = re.compile(r"(?<!\$)(?:\$\$)*\$[A-Za-z_{]")  # of Compose; any other single $ stands for itself


class YamlReader:
    """YAML of one kind: "compose", "github", "gitlab" or "circleci"."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def parts(self, text: str) -> list[Embedded]:
        facts = table("hosts")
        embedded: list[Embedded] = []
        scalars = list(_scalars(text))
        keys: dict[tuple[str, ...], set[str]] = {}  # of Compose's services
        for path, node in scalars if self.kind == "compose" else ():
            if path[2:] == ("(key)",):
                keys.setdefault(path[:2], set()).add(node.value)
        for path, node in scalars:
            if matches(path, facts["images"].get(self.kind, ())):
                beside = keys.get(path[:-1], set())
                if "build" in beside:
                    continue  # it is the name that the built image gets
                for part in image_parts(text, node):
                    may_be_built = part.offsets and beside & {"<<", "extends"}
                    why = "what the service is merged with may build it"
                    embedded.append(left_alone(part.start, part.end, why) if may_be_built else part)
            elif matches(path, facts["docker_urls"].get(self.kind, ())) and (url := _URL.match(node.value)):
                embedded += image_parts(text, node, url.end())
            elif matches(path, facts["dockerfiles"].get(self.kind, ())):
                embedded.append(_dockerfile(text, node))
        return sorted(embedded, key=lambda part: part.start)

    def check(self, before: str, after: str, parts: list[Embedded], texts: list[str]) -> str:
        try:
            old, new = list(_scalars(before)), list(_scalars(after))
        except HostError as failure:
            return failure.message
        if [path for path, _ in old] != [path for path, _ in new]:
            return "its structure changed"
        by_start = {part.start: (part, text) for part, text in zip(parts, texts, strict=True)}
        starts = sorted(by_start)
        for (path, old_scalar), (_, new_scalar) in zip(old, new, strict=True):
            if (old_scalar.tag, old_scalar.style) != (new_scalar.tag, new_scalar.style):
                return f"the value of {'.'.join(path)} is written another way"
            expected: str | None = old_scalar.value
            first = bisect_left(starts, old_scalar.start_mark.index)
            for start in starts[first : bisect_left(starts, old_scalar.end_mark.index, first)]:
                part, text = by_start[start]
                if part.text == text:
                    continue
                if part.kind == IMAGE:
                    expected = old_scalar.value.replace(part.text, text)
                elif _VARIABLE.search(new_scalar.value) is None:
                    expected = new_scalar.value if new_scalar.value.replace("$$", "$") == text else None
            if new_scalar.value != expected:
                return f"the value of {'.'.join(path)} is not the declared one"
        return ""


def image_parts(text: str, node: Any, skip: int = 0) -> Iterator[Embedded]:
    """The image that a scalar names behind its first `skip` characters: one part, or none where it is no name. Only a
    plain or quoted scalar on one line that no other program fills in may be changed."""
    start, end = content_span(node)
    written = text[start:end] == node.value
    for part in image_name(node.value[skip:], start + skip):
        if part.offsets and not written:
            yield left_alone(start, end, "it is not written as plain or quoted text on one line")
        else:
            yield part


def entries_of(node: Any) -> dict[str, Any]:
    """The values of a mapping by their keys; none of any other node."""
    if node is None or node.id != "mapping":
        return {}
    return {key.value: value for key, value in node.value if key.id == "scalar"}


def content_span(node: Any) -> tuple[int, int]:
    """The span of a flow scalar's text, without its quotes."""
    start, end = node.start_mark.index, node.end_mark.index
    return (start + 1, end - 1) if node.style in ("'", '"') else (start, end)


def _dockerfile(text: str, node: Any) -> Embedded:
    """A Dockerfile in a block scalar. Compose replaces `$NAME` and `${NAME}` there before it is read, and `$$` is `$`:
    with a variable in it, only Compose knows what it says."""
    start, end = node.start_mark.index, node.end_mark.index
    if node.style != "|":
        return Embedded(DOCKERFILE, node.value, start, end, (), same_text, "it is not a literal block (|)")
    if _VARIABLE.search(node.value):
        return Embedded(DOCKERFILE, "", start, end, (), same_text, "Compose fills in variables")
    body = text.find("\n", start) + 1
    lines = text[body:end].split("\n")
    first = next((line for line in lines if line.strip()), "")
    indent = len(first) - len(first.lstrip(" "))
    newline = "\r\n" if first.endswith("\r") else "\n"
    decoded: list[str] = []
    offsets: list[int] = []
    bare: set[int] = set()  # where an empty line has no indentation of its own
    at = body
    for number, line in enumerate(lines):
        if number == len(lines) - 1 and not line.strip():
            break
        content = line[indent:].removesuffix("\r")
        base = at + min(indent, len(line.rstrip("\r")))
        if base < at + indent:
            bare.add(len(decoded))
        skipped = 0
        while skipped < len(content):
            decoded.append(content[skipped])
            offsets.append(base + skipped)
            skipped += 2 if content.startswith("$$", skipped) else 1
        if number < len(lines) - 1 or text[at + len(line) : at + len(line) + 1] == "\n":
            decoded.append("\n")
            offsets.append(base + len(content))
        at += len(line) + 1
    value, plain = "".join(decoded), node.value.replace("$$", "$")
    if value.rstrip("\n") != plain.rstrip("\n") or len(plain) > len(value):
        return Embedded(DOCKERFILE, plain, start, end, (), same_text, "its notation is not understood")
    offsets.append(at)
    value, offsets = plain, offsets[: len(plain) + 1]

    def write(new: str, first: int, last: int) -> str:
        if first == 0 and new[:1] in (" ", "\t", "\n"):
            raise Unmappable("the first line of a block tells its indentation")
        indented = new.replace("$", "$$").replace("\n", newline + " " * indent)
        if first >= len(value) and new and value[-1:] in ("", "\n"):
            raise Unmappable("text behind the block's end")
        if first in bare and new[:1] not in ("", "\n"):
            indented = " " * indent + indented
        if last >= len(value) and new.endswith("\n"):  # the next line is not the block's
            indented = indented[: len(indented) - indent]
        return re.sub(rf"(\r?\n) {{{indent}}}(?=\r?\n)", r"\1", indented)

    return Embedded(DOCKERFILE, value, start, end, tuple(offsets), write, "", indent)


def _scalars(text: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every scalar of every document with the path of keys to it. Raises HostError."""
    from ruamel.yaml.nodes import ScalarNode

    try:
        roots = documents(text)
    except YamlError as failure:
        raise HostError(failure.message, failure.offset) from None
    for number, root in enumerate(roots):
        for path, node in walk(root, ()):
            if isinstance(node, ScalarNode):
                yield (path if number == 0 else (f"document {number + 1}", *path)), node


def walk(node: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Keys and values in order. An alias (a node seen before on the way) is not followed: it is written elsewhere."""
    from ruamel.yaml.nodes import MappingNode, SequenceNode

    visited: set[int] = set()
    waiting: list[tuple[tuple[str, ...], Any]] = [(path, node)]
    while waiting:
        where, node = waiting.pop()
        if node is None or id(node) in visited:
            continue
        visited.add(id(node))
        yield where, node
        if isinstance(node, MappingNode):
            inner = [((*where, str(key.value)), value) for key, value in node.value]
            keys = [((*where, "(key)"), key) for key, _ in node.value]
            waiting += reversed([pair for both in zip(keys, inner, strict=True) for pair in both])
        elif isinstance(node, SequenceNode):
            waiting += reversed([((*where, str(number)), value) for number, value in enumerate(node.value)])


def matches(path: tuple[str, ...], patterns: Any) -> bool:
    """Whether a path of keys fits one of the patterns ("*" for any key or item)."""
    dotted = ".".join(part.replace(".", "_") for part in path)
    return any(
        pattern.count(".") == dotted.count(".") and fnmatch.fnmatchcase(dotted, pattern) and "(key)" not in path
        for pattern in patterns
    )
