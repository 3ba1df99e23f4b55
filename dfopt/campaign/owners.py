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

PLACES = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS")
_SECTION = re.compile(r"\^?\[(?P<name>[^\]]+)\](?:\[\d+\])?\s*(?P<owners>.*)")


class OwnersRule(Record):
    """A pattern, as an expression over paths relative to the repository's root, and its owners."""

    pattern: re.Pattern[str]
    owners: tuple[str, ...]


class Owners:
    """The owners of a repository's files. `sections`: each an ordered list of rules."""

    def __init__(self, sections: list[list[OwnersRule]]) -> None:
        self.sections = sections

    def of(self, path: str) -> tuple[str, ...]:
        """The owners of a file ("/" between the parts of `path`), sorted and unique; () if nobody owns it."""
        owners: set[str] = set()
        for section in self.sections:
            for rule in reversed(section):
                if rule.pattern.match(path):
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


def _compiled(pattern: str) -> re.Pattern[str] | None:
    """The expression of a pattern; None for syntax that GitHub does not support (`!`, `[ ]`)."""
    if pattern.startswith("!") or "[" in pattern:
        return None
    directory = pattern.endswith("/")
    body = pattern.strip("/")
    if not body:
        return re.compile("")
    anchored = "/" in body or pattern.startswith("/")
    text = "" if anchored else "(?:.*/)?"
    parts = body.split("/")
    for number, part in enumerate(parts):
        last = number == len(parts) - 1
        if part == "**":
            text += ".*" if last else "(?:.*/)?"
        else:
            text += re.escape(part).replace(r"\*", "[^/]*").replace(r"\?", "[^/]") + ("" if last else "/")
    # a directory covers everything below it, but `docs/*` only the files directly in docs
    text += "/.+" if directory else "" if len(parts) > 1 and parts[-1] == "*" else "(?:/.*)?"
    return re.compile(text + r"\Z", re.S)
