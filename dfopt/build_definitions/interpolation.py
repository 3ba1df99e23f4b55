"""Variables in Compose files, `${NAME:-default}`, and the `.env` file that gives their values.

Rules: the Compose specification, "Interpolation", and compose-go (template/template.go, dotenv/parser.go). The
environment of the user who runs Compose comes first there; it is not ours to know, and takes no part here.
"""

from __future__ import annotations

import re

from dfopt.build_definitions.model import DEEPEST, NotLiteral
from dfopt.lazy import regex

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from dfopt.build_definitions.model import Value

_NAME = regex(r"[_a-zA-Z][_a-zA-Z0-9]*")
_OPERATOR = regex(r":?[-?+]")
_LINE = regex(r"[ \t]*(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_.-]*)[ \t]*[=:][ \t]*(.*)")
_COMMENT = regex(r"(?<![ \t])[ \t]+#.*")
_LONGEST = 1 << 16  # characters of a quoted value that goes on behind the end of a line
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\", "$": "$"}


class InterpolationError(ValueError):
    """Text whose variables cannot be read."""


def interpolate(text: str, variables: Mapping[str, Value]) -> Value:
    """The text with its variables filled in; NotLiteral where one has no value that is known. Raises
    InterpolationError."""
    if "$" not in text:
        return text
    return _filled(text, 0, variables, 0)[0]


def _filled(text: str, at: int, variables: Mapping[str, Value], depth: int) -> tuple[Value, int]:
    """The text from `at`, in `depth` braces, with its variables filled in; where it ends."""
    if depth > DEEPEST:
        raise InterpolationError(f"{_excerpt(text, at)}: nested too deeply")
    pieces: list[str] = []
    unknown: NotLiteral | None = None
    while at < len(text):
        char = text[at]
        if char == "}" and depth:
            break
        if char != "$":
            pieces.append(char)
            at += 1
            continue
        if text.startswith("$$", at):
            pieces.append("$")
            at += 2
            continue
        if text.startswith("${", at):
            value, at = _braced(text, at + 2, variables, depth)
        else:
            match = _NAME.match(text, at + 1)
            if match is None:  # it stands for itself
                pieces.append(char)
                at += 1
                continue
            value, at = value_of(match[0], variables), match.end()
        if isinstance(value, NotLiteral):
            unknown = unknown or value
        else:
            pieces.append(value)
    return unknown or "".join(pieces), at


def _braced(text: str, at: int, variables: Mapping[str, Value], depth: int) -> tuple[Value, int]:
    """A variable in braces, from behind `${`; where it ends."""
    match = _NAME.match(text, at)
    if match is None:
        raise InterpolationError(f"{_excerpt(text, at - 2)}: ${{ needs a name, or is written $${{")
    name, at = match[0], match.end()
    operator = _OPERATOR.match(text, at)
    word: Value = ""
    if operator is not None:
        word, at = _filled(text, operator.end(), variables, depth + 1)
    if text[at : at + 1] != "}":
        raise InterpolationError(f"{_excerpt(text, match.start() - 2)}: ${{{name} has no end")
    at += 1
    known = variables.get(name)
    if isinstance(known, NotLiteral):
        return known, at
    kind = operator[0] if operator is not None else ""
    is_set = bool(known) if kind[:1] == ":" else known is not None
    if kind.endswith("-"):
        return (known or "") if is_set else word, at
    if kind.endswith("+"):
        return word if is_set else "", at
    return value_of(name, variables), at


def _excerpt(text: str, at: int) -> str:
    """The word in which a variable begins."""
    line = text[text.rfind("\n", 0, at) + 1 : at + 40].split("\n")[0]
    return f'"{line[-60:]}"'


def value_of(name: str, variables: Mapping[str, Value]) -> Value:
    value = variables.get(name)
    return NotLiteral(f"${name} has no default and is not set in .env") if value is None else value


def read_env(text: str) -> dict[str, Value]:
    """The variables of a .env file. What cannot be read of it is left out, or is unknown."""
    variables: dict[str, Value] = {}
    lines = iter(text.replace("\r\n", "\n").split("\n"))
    for line in lines:
        match = _LINE.match(line)
        if match is None or line.lstrip().startswith("#"):
            continue
        name, raw = match[1], match[2]
        if raw[:1] in ("'", '"'):
            quote = raw[0]
            inside = re.compile(rf"(?:[^{quote}\\]|\\.)*")
            end = _end(inside, raw, 1)
            while raw[end : end + 1] != quote and len(raw) <= _LONGEST and (following := next(lines, None)) is not None:
                raw += "\n" + following
                end = _end(inside, raw, end)  # nothing in front of it is looked at again
            body = raw[1:end]
            if raw[end : end + 1] != quote:
                variables[name] = NotLiteral(f"{name} in .env has no closing quote")
            elif quote == "'":
                variables[name] = body
            else:
                unescaped = re.sub(r"\\(.)", lambda m: "$$" if m[1] == "$" else _ESCAPES.get(m[1], m[0]), body)
                variables[name] = _of_env(unescaped, variables)
        else:
            variables[name] = _of_env(_COMMENT.sub("", raw).strip(), variables)
    return variables


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    """Where a match that begins at `at` ends; `at` itself without one."""
    match = pattern.match(text, at)
    return match.end() if match is not None else at


def _of_env(text: str, variables: Mapping[str, Value]) -> Value:
    try:
        return interpolate(text, variables)
    except InterpolationError:
        return text
