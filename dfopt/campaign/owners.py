"""CODEOWNERS: the owners of files.

Rules: GitHub ("About code owners": patterns of .gitignore without `!` and `[ ]`, the last match wins, a pattern without
owners takes them away) and GitLab ("Code Owners syntax": sections with default owners; every section applies).
"""

from __future__ import annotations

import os
import re

from dfopt.files import is_inside, read_regular
from dfopt.record import Record
from dfopt.source import decode
from dfopt.syntax import automaton
from dfopt.syntax.automaton import LinearPattern

PLACES = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS")
_SLASH = automaton.char("/")
_ANYTHING = automaton.any_number(automaton.ANY)
_DIRECTORIES = automaton.optional(automaton.sequence([_ANYTHING, _SLASH]))
_WILDCARDS = {"*": automaton.any_number(automaton.NOT_SLASH), "?": automaton.NOT_SLASH}
_SECTION = re.compile(r"\^?\[(?P<name>[^\]]+)\](?:\[\d+\])?\s*(?P<owners>.*)")


class OwnersRule(Record):
    """A pattern over paths relative to the repository's root, and its owners."""

    pattern: LinearPattern
    owners: tuple[str, ...]


class Owners:
    """The owners of a repository's files. `sections`: each an ordered list of rules."""

    def __init__(self, sections: list[list[OwnersRule]]) -> None:
        self.sections = sections

    def of(self, path: str) -> tuple[str, ...]:
        """The owners of a file ("/" between the parts of `path`), sorted and unique; () if it has no owner."""
        owners: set[str] = set()
        for section in self.sections:
            for rule in reversed(section):
                if rule.pattern.fullmatch(path):
                    owners.update(rule.owners)
                    break
        return tuple(sorted(owners))


def read_owners(top: str) -> Owners | None:
    """The CODEOWNERS file of a repository, from the first of its standard locations that exists. Raises OSError."""
    for place in PLACES:
        path = os.path.join(top, place)
        if os.path.isfile(path) and is_inside(path, top):
            return parse_owners(decode(read_regular(path)))
    return None


def parse_owners(text: str) -> Owners:
    """The rules of a CODEOWNERS text. Invalid lines are ignored, as both services do."""
    sections: list[list[OwnersRule]] = [[]]
    defaults: tuple[str, ...] = ()
    for line in text.splitlines():
        line = re.sub(r"(^|\s)#.*", "", line).strip()
        if not line:
            continue
        section = _SECTION.fullmatch(line)
        if section:
            sections.append([])
            defaults = tuple(section["owners"].split())
            continue
        words = re.findall(r"(?:\\.|\S)+", line)
        pattern = words[0].replace("\\ ", " ").replace("\\#", "#")
        owners = tuple(words[1:]) or defaults
        compiled = _compiled(pattern)
        if compiled is not None:
            sections[-1].append(OwnersRule(compiled, owners))
    return Owners(sections)


def _compiled(pattern: str) -> LinearPattern | None:
    """The matcher of a pattern; None for what GitHub does not take (`!`, `[ ]`)."""
    if pattern.startswith("!") or "[" in pattern:
        return None
    directory = pattern.endswith("/")
    body = pattern.strip("/")
    if not body:
        return LinearPattern(_ANYTHING)
    anchored = "/" in body or pattern.startswith("/")
    nodes = [] if anchored else [_DIRECTORIES]
    parts = body.split("/")
    for number, part in enumerate(parts):
        last = number == len(parts) - 1
        if part == "**":
            nodes.append(_ANYTHING if last else _DIRECTORIES)
        else:
            nodes += [_WILDCARDS.get(char) or automaton.literal(char) for char in re.sub(r"\*+", "*", part)]
            nodes += [] if last else [_SLASH]
    # a directory covers all below it, but `docs/*` only what lies directly in docs
    below = automaton.sequence([_SLASH, automaton.repeat(automaton.ANY, int(directory), None)])
    if directory or len(parts) == 1 or parts[-1] != "*":
        nodes.append(below if directory else automaton.optional(below))
    return LinearPattern(automaton.sequence(nodes))
