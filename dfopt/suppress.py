"""Suppression comments: what a person has said that dfopt must leave alone.

    # dfopt: ignore=merge-run,DL3009 reason=...      on the comment lines above an instruction
    # dfopt: file-ignore=size reason=...             anywhere: the whole file
    # hadolint ignore=DL3009                         hadolint's, above an instruction
    # hadolint global ignore=DL3009                  hadolint's, the whole file
    # check=skip=JSONArgsRecommended                 BuildKit's directive ("all" or rule names), the whole file

Names are those of passes and groups, codes of other tools, or "all".
"""

from __future__ import annotations

import re

from dfopt.lazy import regex
from dfopt.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.passes.base import Pass
    from dfopt.syntax.tree import Comment, Dockerfile

_OWN = regex(r"#\s*dfopt:\s*(file-)?ignore\s*=(.*)\Z", re.I)
_OWN_NAMES = regex(r"[\w,\s.-]*\Z")
_REASON = regex(r"(?<=\s)reason\s*=", re.I)
_HADOLINT = regex(r"#\s*hadolint\s+(global\s+)?ignore\s*=(.*)\Z", re.I)
_HADOLINT_NAMES = regex(r"(?=.*\S)[A-Za-z0-9,\s]+\Z")
_SKIP = regex(r"(?:\A|;)\s*skip\s*=\s*([^;]*)", re.I)


class SuppressionRule(Record):
    """One suppression. `lines`: first and last line (from 1) of the instruction it covers; None: the whole file."""

    names: frozenset[str]
    lines: tuple[int, int] | None
    start: int
    end: int
    own: bool

    def covers(self, target: type[Pass] | Pass, first: int, last: int) -> bool:
        """Whether it holds back a finding of the pass on the lines `first` to `last`."""
        if self.lines is not None and (last < self.lines[0] or self.lines[1] < first):
            return False
        if "all" in self.names:
            return True
        names = {target.name.lower(), target.group.lower(), *[code.lower() for code in target.codes]}
        return not self.names.isdisjoint(names)


def rules(dockerfile: Dockerfile) -> list[SuppressionRule]:
    """The suppressions of a file, in order."""
    if not dockerfile.comments and not dockerfile.directives:
        return []
    lower = dockerfile.text.lower()
    if "dfopt" not in lower and "hadolint" not in lower and "check" not in lower:
        return []
    return list(_rules(dockerfile))


def _rules(dockerfile: Dockerfile) -> Iterator[SuppressionRule]:
    text = dockerfile.text
    directive = dockerfile.directive("check")
    if directive is not None:
        match = _SKIP.search(directive.value)
        if match:
            yield SuppressionRule(_names(match[1]), None, directive.start, directive.end, False)
    covered: dict[int, tuple[int, int]] = {}
    for node in dockerfile.instructions:
        for comment in node.above:
            covered[comment.start] = (node.line, node.last)
    for comment in dockerfile.comments:
        yield from _comment_rules(comment, text[comment.start : comment.end], covered.get(comment.start))


def _comment_rules(comment: Comment, text: str, lines: tuple[int, int] | None) -> Iterator[SuppressionRule]:
    for pattern, valid, own in ((_OWN, _OWN_NAMES, True), (_HADOLINT, _HADOLINT_NAMES, False)):
        match = pattern.match(text)
        if match is None:
            continue
        words = _REASON.split(match[2], maxsplit=1)[0] if own else match[2]
        if valid.match(words) is None:
            continue
        # a comment that stands above nothing covers nothing: it will be reported as unused
        yield SuppressionRule(_names(words), None if match[1] else lines or (0, 0), comment.start, comment.end, own)


def _names(text: str) -> frozenset[str]:
    return frozenset(name for name in re.split(r"[,\s]+", text.lower()) if name)
