"""The values of shell words, as far as the file itself tells them."""

from __future__ import annotations

import re

from dfopt.syntax.shell.nodes import DoubleQuoted, Literal, Parameter, SingleQuoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from dfopt.syntax.shell.nodes import Word


def word_text(word: Word, variable: Callable[[str], str | None]) -> str | None:
    """A word's value, with the plain variables that `variable` knows; None where it has others, or globs."""
    if word.value is not None:
        return word.value
    out = _parts(word.parts, variable)
    return None if out is None or any(char in out for char in "*?[{") else out


def _parts(parts: Iterable[object], variable: Callable[[str], str | None]) -> str | None:
    out = ""
    for part in parts:
        made: str | None = None
        if isinstance(part, Literal):
            made = None if part.globs or part.braces or part.tilde else part.value
        elif isinstance(part, SingleQuoted):
            made = part.value
        elif isinstance(part, DoubleQuoted):
            made = _parts(part.parts, variable)
        elif isinstance(part, Parameter) and not part.op and not part.prefix and part.index is None:
            made = variable(part.name)
        if made is None:
            return None
        out += made
    return out


def braces(word: str | None, node: Word) -> list[str | None]:
    """`/data/{a,b}` as two paths."""
    if word is not None:
        return [word]
    raw = "".join(getattr(part, "value", "") or "" for part in node.parts)
    found = re.fullmatch(r"([\w./-]*)\{([\w./,-]+)\}([\w./-]*)", raw)
    if found is None:
        return [None]
    return [found[1] + part + found[3] for part in found[2].split(",")]
