"""Whether a name, a value, a URL or a file is a secret, by the table `secrets`."""

from __future__ import annotations

import posixpath
import re

from dfopt.knowledge import table
from dfopt.lazy import regex

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.facts import Facts

_PART = regex(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_REFERENCE = regex(r"\$(?:\w+|\{[^}]*\})\Z")
_PLACEHOLDER = regex(
    r"<.*>|\{\{.*\}\}|x{3,}|\*{3,}|\.{3}|change.?me.*|your.*|dummy.*|placeholder.*|example.*|test", re.I
)
_URL = regex(
    r"[a-zA-Z][a-zA-Z0-9+.-]{0,30}://(?P<user>[^\s/:@\"'<>]*):(?P<secret>[^\s/@\"'<>]+)@(?P<host>[^\s/:\"'<>]+)"
)
_TOKEN_URL = regex(r"https?://(?P<secret>[A-Za-z0-9_]{20,}|\$\{?\w+\}?)@(?P<host>[^\s/:\"'<>]+)")
_LOCAL = regex(r"(?:localhost|127\.\d+\.\d+\.\d+|(?:[\w-]+\.)*example\.(?:com|org|net))\Z")


def secret_name(name: str) -> bool:
    """Whether a variable of this name holds a secret, as far as a name can tell."""
    names = table("secrets")["names"]
    parts = [part.lower() for part in _PART.findall(name)]
    while parts and parts[-1].isdigit():
        parts.pop()
    if not parts or any(part in names["not"] for part in parts):
        return False
    return parts[-1] in names["last"] or " ".join(parts[-2:]) in names["pairs"]


def secret_value(value: str) -> bool:
    """Whether the value of a variable with such a name can be a secret: no switch, no path, no mere reference."""
    bare = value.strip("\"'")
    if bare.lower() in table("secrets")["values"]["none"] or _REFERENCE.match(bare):
        return False
    return not bare.startswith(("/", "./", "~/", "file:")) and not _PLACEHOLDER.fullmatch(bare)


def may_hold_shapes(text: str) -> bool:
    """A quick look at a whole file: whether `shapes` could find anything in it."""
    marks = [mark for mark in table("secrets")["marks"]["any"] if mark in text]
    return bool(marks)


_shapes: re.Pattern[str] | None = None


def shapes(text: str, start: int, end: int) -> Iterator[tuple[str, int, int]]:
    """(what it is, span) of the tokens and keys in a text that their shape gives away."""
    global _shapes
    patterns: dict[str, str] = table("secrets")["shapes"]
    if _shapes is None:
        _shapes = re.compile("|".join([f"({pattern})" for pattern in patterns.values()]))
    for match in _shapes.finditer(text, start, end):
        number = match.lastindex or 1
        yield list(patterns)[number - 1], match.start(), match.end()


def urls(text: str, start: int, end: int) -> Iterator[tuple[str, str, int, int]]:
    """(the secret part, the host, span) of URLs that carry a password or a token."""
    if text.find("@", start, end) < 0:
        return
    for pattern in (_URL, _TOKEN_URL):
        for match in pattern.finditer(text, start, end):
            if not _LOCAL.match(match["host"]) and secret_value(match["secret"].replace("$", "")):
                yield match["secret"], match["host"], match.start(), match.end()


def secret_file(source: str, facts: Facts) -> bool:
    """Whether a source of COPY or ADD holds keys or credentials."""
    files = table("secrets")["files"]
    path = posixpath.normpath(source)
    tails = {path.split("/")[-1], "/".join(path.split("/")[-2:])}
    if not tails.isdisjoint(files["keys"]):
        return True
    if path.endswith(tuple(files["suffixes"])):
        return "://" not in source and re.search(files["not"], posixpath.basename(path)) is None
    if tails.isdisjoint(files["perhaps"]):
        return False
    content = facts.context_file(path.lstrip("/"))
    if content is None:
        return True
    return re.search(files["content"], content.decode("utf-8", "replace"), re.M) is not None
