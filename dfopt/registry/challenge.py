"""WWW-Authenticate: one or more challenges in one or more header fields (RFC 9110, 11.6.1)."""

from __future__ import annotations

import re

from dfopt.record import Record

_TOKEN = r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+"
_NEXT = re.compile(rf"[\s,]*({_TOKEN})")
_VALUE = re.compile(rf'\s*=\s*(?:"((?:[^"\\]|\\.)*)"|({_TOKEN}))', re.DOTALL)
_EQUALS = re.compile(r"\s*=")
_TOKEN68 = re.compile(r"[ \t]+[A-Za-z0-9\-._~+/]+=*(?=\s*(?:,|$))")
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


class Challenge(Record):
    """One challenge: `scheme` in lower case; `params` by lower-case name, unquoted."""

    scheme: str
    params: dict[str, str]


def parse_challenges(fields: list[str]) -> list[Challenge]:
    """The challenges of all WWW-Authenticate fields, in order; what cannot be read ends the reading of that field."""
    challenges: list[Challenge] = []
    for field in fields:
        current: Challenge | None = None
        at = 0
        while word := _NEXT.match(field, at):
            value = _VALUE.match(field, word.end())
            if value and current is not None:
                quoted, plain = value.groups()
                name = word[1].lower()
                current.params.setdefault(name, _ESCAPED.sub(r"\1", quoted) if quoted is not None else plain)
                at = value.end()
            elif _EQUALS.match(field, word.end()):
                break  # a parameter whose value cannot be read, or one without a scheme
            else:
                current = Challenge(word[1].lower(), {})
                challenges.append(current)
                at = word.end()
                if opaque := _TOKEN68.match(field, at):  # `Negotiate abc==`: one word instead of parameters
                    at = opaque.end()
    return challenges
