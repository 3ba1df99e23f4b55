"""Shell patterns of `${x#p}`, `${x%p}` and `${x/p/r}`, as BuildKit matches them.

Rules: BuildKit frontend/dockerfile/shell/lex.go, which makes Go regular expressions of them. `*` and `?` match no
newline, and there are no bracket expressions.

A pattern is a list of literal characters, ANY (`?`) and STAR (`*`). It is matched by moving a set of offsets (the bits
of an integer) over it, token by token: no input makes that slow.
"""

from __future__ import annotations

import re

from dfopt.lazy import regex

BOM = "\ufeff"
_UNDECODABLE = regex("[\udc80-\udcff]")

ANY = 0
STAR = 1


class PatternError(Exception):
    """A pattern that BuildKit does not accept."""


def clean(text: str) -> str:
    """`text` with undecodable bytes as U+FFFD: how Go sees it, character by character. No offset changes."""
    return text if text.isascii() else _UNDECODABLE.sub("\ufffd", text)


def compile_pattern(pattern: str) -> list[str | int]:
    """The tokens of a pattern. A backslash escapes `* ? \\ } /`; before anything else it is a PatternError."""
    tokens: list[str | int] = []
    chars = iter(pattern.removeprefix(BOM))
    for char in chars:
        if char == "*":
            tokens.append(STAR)
        elif char == "?":
            tokens.append(ANY)
        elif char == "\\":
            char = next(chars, "\ufffd")
            if char not in "*?\\}/":
                raise PatternError(f"invalid escape '\\{char}'")
            tokens.append(char)
        else:
            tokens.append(char)
    return tokens


def reversed_pattern(pattern: str) -> str:
    """`pattern` back to front, with each backslash still before the character that it escapes."""
    return "".join(reversed(re.findall(r"\\.|.", pattern, re.S)))


def _steps(tokens: list[str | int], value: str) -> list[tuple[bool, int]]:
    """For each token: whether it repeats, and the offsets of `value` (as bits) whose character it takes."""
    masks: dict[str | int, int] = {}
    for token in set(tokens):
        if isinstance(token, str):
            bits = ["1" if char == token else "0" for char in reversed(value)]
        else:
            bits = ["0" if char == "\n" else "1" for char in reversed(value)]
        masks[token] = int("".join(bits) or "0", 2)
    return [(token == STAR, masks[token]) for token in tokens]


def _ends(steps: list[tuple[bool, int]], state: int) -> int:
    """The offsets at which a match ends that begins at one of `state` (both as bits)."""
    for repeats, mask in steps:
        if repeats:  # a carry runs through each stretch of ones that a bit of `state` stands on
            state |= ((state & mask) + mask) ^ mask
        else:
            state = (state & mask) << 1
    return state


def trimmed(tokens: list[str | int], value: str, greedy: bool) -> str:
    """`value` without the shortest (greedy: longest) prefix that matches."""
    ends = _ends(_steps(tokens, clean(value)), 1)
    if not ends:
        return value
    return value[(ends if greedy else ends & -ends).bit_length() - 1 :]


def substituted(tokens: list[str | int], value: str, replacement: str, every: bool) -> str:
    """`value` with the leftmost longest match (`every`: all of them, from the left) replaced."""
    seen, size = clean(value), len(value)
    # where matches begin: where they end, seen from the other side
    begins = _ends(_steps(tokens[::-1], seen[::-1]), (2 << size) - 1)
    steps = _steps(tokens, seen)
    result: list[str] = []
    last = at = 0
    while at <= size:
        candidates = begins & ((2 << (size - at)) - 1)
        if not candidates:
            break
        start = size - (candidates.bit_length() - 1)
        end = _ends(steps, 1 << start).bit_length() - 1
        result.append(value[last:start])
        if not every:
            return "".join([*result, replacement, value[end:]])
        if end > last or start == 0:  # no empty match right after another match
            result.append(_template(replacement, value[start:end]))
        last = end
        at = max(at + 1, end)
    result.append(value[last:])
    return "".join(result)


_TEMPLATE = regex(r"\$(?:(\$)|\{(\w+)\}|(\w+))")


def _template(replacement: str, match: str) -> str:
    """BuildKit hands the replacement of `//` to Go's Regexp.ReplaceAllString: `$$` is a dollar, `$0` the match, any
    other `$name` nothing."""
    if "$" not in replacement:
        return replacement
    return _TEMPLATE.sub(lambda m: "$" if m[1] else match if (m[2] or m[3]) == "0" else "", replacement)
