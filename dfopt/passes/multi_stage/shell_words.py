"""The values of shell words, as far as the file itself tells them."""

from __future__ import annotations

import re

from dfopt.syntax.shell.nodes import (
    AndOr,
    CommandSub,
    DoubleQuoted,
    Literal,
    Parameter,
    Pipeline,
    SimpleCommand,
    SingleQuoted,
)

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
        value: str | None = None
        if isinstance(part, Literal):
            value = None if part.globs or part.braces or part.tilde else part.value
        elif isinstance(part, SingleQuoted):
            value = part.value
        elif isinstance(part, DoubleQuoted):
            value = _parts(part.parts, variable)
        elif isinstance(part, Parameter) and not part.op and not part.prefix and part.index is None:
            value = variable(part.name)
        if value is None:
            return None
        out += value
    return out


def braces(word: str | None, node: Word) -> list[str | None]:
    """`/data/{a,b}` as two paths."""
    if word is not None:
        return [word]
    raw = "".join(getattr(part, "value", "") or "" for part in node.parts)
    match = re.fullmatch(r"([\w./-]*)\{([\w./,-]+)\}([\w./-]*)", raw)
    if match is None:
        return [None]
    return [match[1] + part + match[3] for part in match[2].split(",")]


# Stands for the flags that pkg-config(1) gives for a module
MODULE = "-pkg-config="


def compiler_words(word: Word) -> list[str] | None:
    """What stands for a word without a value on a compiler's command line: a pattern of sources as it is written, and
    for `$(pkg-config ...)` one word for each module. None for others."""
    if word.parts and all(isinstance(part, Literal) for part in word.parts):
        text = "".join([part.value for part in word.parts if isinstance(part, Literal)])
        return [text] if not text.startswith("-") and "~" not in text else None
    if len(word.parts) != 1 or not isinstance(word.parts[0], CommandSub) or word.parts[0].body is None:
        return None
    items = word.parts[0].body.items
    command: object = items[0].command if len(items) == 1 else None
    while isinstance(command, Pipeline | AndOr):
        inner = command.commands if isinstance(command, Pipeline) else command.items
        command = inner[0] if len(inner) == 1 else None
    if not isinstance(command, SimpleCommand) or not command.words or command.redirects:
        return None
    values = [word.value for word in command.words]
    if values[0] not in ("pkg-config", "pkgconf"):
        return None
    words = [value for value in values[1:] if value is not None]
    if len(words) != len(values) - 1:
        return None
    return [MODULE + word for word in words if re.fullmatch(r"\w[\w.+-]*", word)]
