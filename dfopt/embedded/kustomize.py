"""Kustomizations: the images that they choose (`images`), pinned by the entry's `digest`.

An entry replaces name, tag and digest of the images called `name` in its resources; with `newTag` and `digest` they
become `name:tag@digest` (kustomize, api/filters/imagetag/updater.go). A digest that is not there yet is written as a
key of its own, behind the one of the tag.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from dfopt.build_definitions.yaml_nodes import plain_text
from dfopt.embedded.model import IMAGE, Embedded, HostError, difference, digest_alone, left_alone
from dfopt.embedded.yaml_file import content_span, entries_of
from dfopt.yaml import YamlError, documents

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_KEYS = ("name", "newName", "newTag", "digest")
# What Flux' image automation looks for behind a value that it sets ("Configure image update for custom resources").
_AUTOMATED = '"$imagepolicy"'


class KustomizationReader:
    """kustomization.yaml, of a Kustomization or a Component."""

    def parts(self, text: str) -> list[Embedded]:
        try:
            roots = documents(text)
        except YamlError as failure:
            raise HostError(failure.message, failure.offset) from None
        found: list[Embedded] = []
        for root in roots:
            images = entries_of(root).get("images")
            for entry in images.value if images is not None and images.id == "sequence" else ():
                if entry.id == "mapping":
                    found += _image(text, entry)
        return sorted(found, key=lambda part: part.start)

    def check(self, before: str, after: str, parts: list[Embedded], texts: list[str]) -> str:
        return difference(self, before, after, parts, texts)


def _image(text: str, node: Any) -> Iterator[Embedded]:
    """The image of an entry, where the entry alone says which one it is."""
    entries = entries_of(node)
    tag, digest = entries.get("newTag"), entries.get("digest")
    name = _word(entries.get("newName")) or _word(entries.get("name"))
    others = [key for key in entries if key not in _KEYS]
    why, unblock = "", ""
    if len(entries) != len(node.value) or others:
        why = f"what {others[0]} adds to it is not known" if others else "a key stands in it twice"
    elif not name:
        why = "it has no name"
    elif any(entries[key].id != "scalar" for key in _KEYS if key in entries):
        why = "a value is no text"
    elif tag is None or not _word(tag):
        if digest is None:
            why = "its resources say which tag it has"
            unblock = "give it a newTag, or pin the images of the resources"
    elif not tag.style and plain_text(tag.value) != tag.value:
        why, unblock = "its newTag is no text, which kustomize refuses", f'write it as `newTag: "{tag.value}"`'
    elif text[slice(*content_span(tag))] != tag.value:
        why = "its newTag is not written as plain or quoted text on one line"
    elif any(re.search(r"[{}$\s]", word) for word in (name, tag.value)):
        why = "it is a template that another program fills in"
    elif _AUTOMATED in _rest_of_line(text, tag.end_mark.index):
        why = "Flux changes its newTag, and would leave the digest of the old one"
    if why:
        yield left_alone(node.start_mark.index, node.start_mark.index, why, unblock)
        return
    name = f"{name}:{tag.value}" if tag is not None and _word(tag) else name
    if digest is None:
        at, before = _place(text, node, tag)
        yield Embedded(IMAGE, name, at, at, (at,) * (len(name) + 1), _key_writer(before))
        return
    start, end = content_span(digest)
    if text[start:end] != digest.value or not (_word(digest) or digest.style):
        yield left_alone(node.start_mark.index, node.start_mark.index, "its digest is not written as text on one line")
        return
    # the `@` is not written; what stands before it is not there to be changed
    offsets = (*[start] * (len(name) + 1), *range(start, end + 1)) if end > start else (start,) * (len(name) + 1)
    name = f"{name}@{digest.value}" if end > start else name
    if tag is not None:  # a key that was added is part of it: it is what was not there before
        at, before = _place(text, node, tag)
        if at + len(before) == start and text.startswith(before, at):
            start, end = at, end + len(_quote(before))
    yield Embedded(IMAGE, name, start, end, offsets, digest_alone)


def _place(text: str, node: Any, tag: Any) -> tuple[int, str]:
    """Where the key of a digest goes, and what stands before its value there: behind the line of the tag's key, or
    behind its value in braces."""
    key = next(key for key, value in node.value if value is tag)
    quote = key.style if key.style in ("'", '"') else ""
    end = tag.end_mark.index
    if node.flow_style:
        return end, f", {quote}digest{quote}: {quote}"
    newline = "\r\n" if "\r\n" in text else "\n"
    indent = " " * key.start_mark.column
    return end + len(_rest_of_line(text, end)), f"{newline}{indent}{quote}digest{quote}: {quote}"


def _key_writer(before: str) -> Callable[[str, int, int], str]:
    return lambda new, start, end: f"{before}{digest_alone(new, start, end)}{_quote(before)}"


def _quote(before: str) -> str:
    return before[-1] if before[-1] in ("'", '"') else ""


def _rest_of_line(text: str, start: int) -> str:
    match = re.compile(r"[^\r\n]*").match(text, start)
    assert match is not None
    return match[0]


def _word(node: Any) -> str:
    return node.value if node is not None and node.id == "scalar" and (node.style or plain_text(node.value)) else ""
