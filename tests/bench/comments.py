"""Whether a fix kept every comment of a file.

A comment of the file before is a comment line that dfopt's own parser finds, so that a line of a here-document or of a
shell script is none; parser directives are none either. It is still there if the file afterwards has a line with the
same words behind its `#`, as often as before: it may have moved, may be indented or spaced otherwise, and may now stand
in a here-document. A comment that a command swallowed (`RUN a # about b`) or that was joined to another line is lost.
"""

from __future__ import annotations

from collections import Counter

from dfopt.source import decode
from dfopt.syntax.dockerfile import parse
from dfopt.syntax.tree import DockerfileError


def _words(line: str) -> str:
    return " ".join(line.lstrip("\ufeff \t#").split())


def _hashed(text: str) -> Counter[str]:
    lines = (line.lstrip("\ufeff \t") for line in text.split("\n"))
    return Counter(_words(line) for line in lines if line.startswith("#"))


def lost(before: bytes, after: bytes) -> bool:
    """Whether a comment of `before` is gone from `after`. Where dfopt cannot read `before`: any line from `#`."""
    text = decode(before)
    try:
        dockerfile = parse(text)
        directives = {d.line for d in dockerfile.directives}
        had = Counter(_words(text[c.start : c.end]) for c in dockerfile.comments if c.line not in directives)
    except DockerfileError:
        had = _hashed(text)
    del had[""]  # a bare `#` is a ruler, not a comment
    return bool(had - _hashed(decode(after)))
