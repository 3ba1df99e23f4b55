"""Kubernetes manifests, in YAML or JSON, and values of Helm charts: the image names in them, changed by spans."""

from __future__ import annotations

import fnmatch
import itertools
import re
from typing import TYPE_CHECKING, Any

from dfopt.build_definitions.json_nodes import read_json
from dfopt.build_definitions.model import LARGEST, DefinitionError
from dfopt.build_definitions.yaml_nodes import plain_text
from dfopt.embedded.model import (
    IMAGE,
    Embedded,
    HostError,
    difference,
    digest_alone,
    image_name,
    left_alone,
)
from dfopt.embedded.yaml_file import content_span, entries_of, image_parts, matches, walk
from dfopt.knowledge import table
from dfopt.source import LineIndex
from dfopt.yaml import YamlError, documents

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.build_definitions.located import LocatedValue

_DOCUMENT = re.compile(r"^---(?=[ \t\r\n]|\Z)", re.M)  # YAML 1.2.2, 9.1.2: wherever it stands
_NAME_KEYS = ("registry", "repository", "tag", "digest")
_NO_DIGEST_KEY = 'add `digest: ""` to it if the chart\'s templates read one'


class ManifestReader:
    """Texts of one kind: "kubernetes" or "helm"."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def parts(self, text: str) -> list[Embedded]:
        if self.kind == "kubernetes":
            text = _workloads(text)
            document = _json(text)
            if document is not None:
                return list(_in_json(text, document))
        try:
            roots = documents(text)
        except YamlError as failure:
            at = text.find("{{")
            if at < 0:
                raise HostError(failure.message, failure.offset) from None
            why = "it is a template: what it says is known once Helm has filled it in"
            return [left_alone(at, at + 2, why)]
        read = _in_manifest if self.kind == "kubernetes" else _in_values
        found = [part for root in roots if root is not None for part in read(text, root)]
        return sorted(found, key=lambda part: part.start)

    def check(self, before: str, after: str, parts: list[Embedded], texts: list[str]) -> str:
        return difference(self, before, after, parts, texts)


def _workloads(text: str) -> str:
    """The text with all documents blanked out that cannot hold a workload: definitions of resources are long. Raises
    HostError where more is left than one definition may have."""
    kinds = "|".join({name.rpartition("/")[2] for name in table("hosts")["manifests"]["pods"]} | {"List"})
    workload = re.compile(rf"\bkind[\"']?[ \t]*:[ \t]*[\"']?(?:{kinds})\b")
    starts = [0, *[match.start() for match in _DOCUMENT.finditer(text)], len(text)]
    pieces: list[str] = []
    length = 0
    for start, end in itertools.pairwise(starts):
        piece = text[start:end]
        if workload.search(piece):
            length += len(piece)
        else:
            piece = re.sub(r"[^\r\n]", " ", piece)
            piece = f"---{piece[3:]}" if _DOCUMENT.match(text, start) else piece
        pieces.append(piece)
    if length > LARGEST:
        raise HostError(f"its workloads have more than {LARGEST} characters")
    return "".join(pieces)


def _json(text: str) -> LocatedValue | None:
    """The value of a text that is one JSON value; None for any other, which YAML's rules then explain."""
    if text.lstrip("\ufeff \t\r\n")[:1] != "{":
        return None
    try:
        return read_json(text, "")
    except DefinitionError:
        return None


def _in_json(text: str, root: LocatedValue) -> Iterator[Embedded]:
    """As `_in_manifest`, in order."""
    starts = LineIndex(text).starts
    is_list = (_scalar_at(root, "kind"), _scalar_at(root, "apiVersion")) == ("List", "v1")
    listed = root.get("items") if is_list else None
    for item in listed.sequence() if listed is not None else [root]:
        patterns = _image_patterns(_scalar_at(item, "apiVersion"), _scalar_at(item, "kind"))
        waiting: list[tuple[tuple[str, ...], LocatedValue]] = [((), item)] if patterns else []
        while waiting:
            path, value = waiting.pop()
            inner = value.items() or [(str(number), entry) for number, entry in enumerate(value.sequence())]
            waiting += reversed([((*path, key), entry) for key, entry in inner])
            name = value.scalar()
            if name is not None and value.textual and matches(path, patterns):
                start = starts[value.line - 1] + value.column  # behind the quote
                written = text.startswith(f'{name}"', start)
                for part in image_name(name, start):
                    yield part if written else left_alone(start, start, "it is not written in one piece")


def _scalar_at(value: LocatedValue, key: str) -> str:
    inner = value.get(key)
    return (inner.scalar() if inner is not None else None) or ""


def _image_patterns(version: str, kind: str) -> list[str]:
    """Where an object of an API version and a kind names images; nowhere, unless it is a workload."""
    facts = table("hosts")["manifests"]
    group = version.rpartition("/")[0]
    pod = facts["pods"].get(f"{group}/{kind}" if group else kind) if version else None
    return [f"{pod}.{pattern}" for pattern in facts["images"]] if pod is not None else []


def _in_manifest(text: str, root: Any) -> Iterator[Embedded]:
    """The images of a workload, or of each in a List."""
    for item in _items(root):
        patterns = _image_patterns(_scalar(item, "apiVersion"), _scalar(item, "kind"))
        for path, node in walk(item, ()) if patterns else ():
            if node.id == "scalar" and matches(path, patterns):
                yield from image_parts(text, node)


def _items(root: Any) -> list[Any]:
    if _scalar(root, "kind") != "List" or _scalar(root, "apiVersion") != "v1":
        return [root]
    items = entries_of(root).get("items")
    return items.value if items is not None and items.id == "sequence" else []


def _in_values(text: str, root: Any) -> Iterator[Embedded]:
    facts = table("hosts")["values"]
    replaced = _scalar(entries_of(root).get("global"), "imageRegistry")
    for _, node in walk(root, ()):
        if node.id != "mapping":
            continue
        keys = [key.value for key, _ in node.value if key.id == "scalar"]
        completing = [key for key in keys if _fits(key, facts["completing"])]
        for key, value in node.value:
            if key.id != "scalar" or not _fits(key.value, facts["keys"]):
                continue
            if value.id == "scalar":
                others = (other for other in completing if other != key.value)
                yield from _text_image(text, value, next(others, ""))
            elif value.id == "mapping" and "repository" in entries_of(value):
                yield from _mapping_image(text, value, replaced, facts["neutral"])


def _text_image(text: str, node: Any, completing: str) -> Iterator[Embedded]:
    """An image as a text, beside a key that may complete it: only a name with a tag is sure to be whole."""
    for part in image_parts(text, node):
        if part.offsets and not re.search(r":[^/]+\Z", part.text):
            yield left_alone(part.start, part.end, "it has no tag: what the chart adds to it is not known")
        elif part.offsets and completing:
            yield left_alone(part.start, part.end, f"the chart may complete it by {completing}")
        else:
            yield part


def _mapping_image(text: str, node: Any, replaced: str, neutral: list[str]) -> Iterator[Embedded]:
    """An image as a mapping with a place for its digest; that place is what is changed."""
    entries = entries_of(node)
    others = [key for key in entries if key not in _NAME_KEYS and key not in neutral]
    words = {key: _word(entries.get(key)) for key in _NAME_KEYS}
    digest = entries.get("digest")
    why, unblock = "", ""
    if len(entries) != len(node.value) or others:
        why = f"what {others[0]} adds to it is not known" if others else "a key stands in it twice"
    elif replaced and "registry" in entries:
        why = "global.imageRegistry replaces its registry"
    elif any(re.search(r"[{}$\s]", word) for word in words.values()):
        why = "it is a template that another program fills in"
    elif not words["repository"] or not words["tag"]:
        why = "it has no tag: the chart's templates choose one"
    elif digest is None:
        why, unblock = "it has no key for a digest", _NO_DIGEST_KEY
    elif (
        digest.id != "scalar"
        or text[slice(*content_span(digest))] != digest.value
        or not (words["digest"] or digest.style)
    ):
        why, unblock = "its digest is not written as text on one line", 'write it as `digest: ""`'
    if why:
        yield left_alone(node.start_mark.index, node.start_mark.index, why, unblock)
        return
    assert digest is not None
    start, end = content_span(digest)
    name = f"{words['registry']}/" if words["registry"] else ""
    name += f"{words['repository']}:{words['tag']}"
    # the `@` is not written; what stands before it is not there to be changed
    offsets = (*[start] * (len(name) + 1), *range(start, end + 1)) if end > start else (start,) * (len(name) + 1)
    yield Embedded(IMAGE, f"{name}@{digest.value}" if end > start else name, start, end, offsets, digest_alone)


def _scalar(node: Any, name: str) -> str:
    value = entries_of(node).get(name)
    return value.value if value is not None and value.id == "scalar" else ""


def _word(node: Any) -> str:
    """The text that Helm makes of a scalar: a number is printed anew (`1.10` is 1.1); "" for null."""
    if node is None or node.id != "scalar":
        return ""
    return node.value if node.style else plain_text(node.value) or ""


def _fits(key: str, patterns: list[str]) -> bool:
    return any(fnmatch.fnmatchcase(key, pattern) for pattern in patterns)
