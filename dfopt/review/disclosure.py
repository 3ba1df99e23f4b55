"""Secrets in the metadata of an image (environment, labels, history), and the same texts with secrets masked."""

from __future__ import annotations

import re

from dfopt.analysis.secrets import secret_name, secret_value, shapes, urls
from dfopt.image.errors import printable
from dfopt.review.secret_scan import mask

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_ASSIGNMENT = re.compile(r"""(?<![\w$.-])([A-Za-z_][\w.-]*)=("(?:[^"\\]|\\.)*"|'[^']*'|[^\s"';&|]+)""")
_LONGEST = 1 << 16  # characters of one text that are searched


def disclosed(text: str) -> list[tuple[str, int, int]]:
    """(what it is, span of the secret) in a text, in order; spans do not overlap."""
    text = text[:_LONGEST]
    secrets: list[tuple[str, int, int]] = [(what, start, end) for what, start, end in shapes(text, 0, len(text))]
    for secret, host, start, _ in urls(text, 0, len(text)):
        at = text.index(secret, start)
        secrets.append((f"a password for {host}", at, at + len(secret)))
    for match in _ASSIGNMENT.finditer(text):
        bare = match[2].strip("\"'")
        if bare and not bare.startswith("$") and secret_name(match[1]) and secret_value(bare):
            at = match.start(2) + match[2].index(bare)
            secrets.append((f"the value of {match[1]}", at, at + len(bare)))
    result: list[tuple[str, int, int]] = []
    for item in sorted(secrets, key=lambda item: (item[1], -item[2])):
        if not result or item[1] >= result[-1][2]:
            result.append(item)
    return result


def masked(text: str, *, word: bool = False) -> str:
    """The text with every secret masked, cut off where it is too long to search. word: mask with asterisks only, so
    that a parser still reads the text the same way."""
    pieces, at = [], 0
    for _, start, end in disclosed(text):
        pieces += [text[at:start], "****" if word else mask(text[start:end])]
        at = end
    return "".join(pieces) + text[at:_LONGEST] + ("..." if len(text) > _LONGEST else "")


def environment(settings: dict[str, object]) -> Iterator[tuple[str, str, str]]:
    """(place, what, masked value) of the secrets in Env and Labels of an image's run settings."""
    variables = settings.get("Env")
    for variable in variables if isinstance(variables, list) else []:
        name, _, value = str(variable).partition("=")
        yield from _value(f"ENV {name}", name, value)
    labels = settings.get("Labels")
    for name, value in (labels if isinstance(labels, dict) else {}).items():
        yield from _value(f"LABEL {name}", str(name), str(value))


def _value(place: str, name: str, value: str) -> Iterator[tuple[str, str, str]]:
    if secret_name(name) and secret_value(value):
        yield place, f"the value of {name}", mask(value)
        return
    for what, start, end in disclosed(value):
        yield place, what, mask(value[start:end])


def setting(key: str, value: object) -> str:
    """A value of the image's config with secrets masked, by its key in a comparison (`Env.NAME`)."""
    if value is None:
        return "not set"
    text = printable(str(value))
    kind, dot, name = key.partition(".")
    if dot and kind in ("Env", "Labels") and secret_name(name) and secret_value(text):
        return mask(text)
    return masked(text)[:300]
