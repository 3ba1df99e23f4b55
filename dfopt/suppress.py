"""Suppression comments: what a person has said that dfopt must leave alone.

    # dfopt: ignore=merge-run,DL3009 reason=...      on the comment lines above an instruction
    # dfopt: file-ignore=size reason=...             anywhere: the whole file
    # hadolint ignore=DL3009                         hadolint's, above an instruction
    # hadolint global ignore=DL3009                  hadolint's, the whole file
    # check=skip=JSONArgsRecommended                 BuildKit's ("all" or rule names): as a directive, the whole file;
                                                     above an instruction (Dockerfile syntax 1.21), that instruction
    # checkov:skip=CKV_DOCKER_3:reason               Checkov's, anywhere: the whole file
    # trivy:ignore:DS-0002                           Trivy's, above an instruction; above a FROM, its whole stage. A
                                                     date behind it (`:exp:2026-01-31`) is not looked at

Names are those of passes and groups, codes of other tools, or "all".
"""

from __future__ import annotations

import re

from dfopt.lazy import regex
from dfopt.passes.index import code_key
from dfopt.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.passes.base import Pass
    from dfopt.syntax.tree import Comment, Dockerfile

_WORDS = ("dfopt", "hadolint", "check", "trivy")  # one of them is in every suppression
_REASON = regex(r"(?<=\s)reason\s*=", re.I)
_SKIP = regex(r"(?:\A|;)\s*skip\s*=\s*([^;]*)", re.I)
_TRIVY = regex(r"#\s*trivy:ignore:([\w-]+)", re.I)
_FILE, _STAGE, _INSTRUCTION = "file", "stage", "instruction"


class SuppressionRule(Record):
    """One suppression. `lines`: first and last line (from 1) that it covers; None: the whole file."""

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


class _Form(Record):
    """How a tool writes its suppressions: the comment, whose first group holds the names; what the names must look
    like; what they hold for."""

    comment: re.Pattern[str]
    names: re.Pattern[str]
    scope: str
    own: bool = False


_ANY = regex(r"[\w,\s.-]*\Z")
_LETTERS = regex(r"(?=.*\S)[A-Za-z0-9,\s]+\Z")
_FORMS = (
    _Form(regex(r"#\s*dfopt:\s*file-ignore\s*=(.*)", re.I | re.S), _ANY, _FILE, own=True),
    _Form(regex(r"#\s*dfopt:\s*ignore\s*=(.*)", re.I | re.S), _ANY, _INSTRUCTION, own=True),
    _Form(regex(r"#\s*hadolint\s+global\s+ignore\s*=(.*)", re.I | re.S), _LETTERS, _FILE),
    _Form(regex(r"#\s*hadolint\s+ignore\s*=(.*)", re.I | re.S), _LETTERS, _INSTRUCTION),
    _Form(regex(r"#\s*check\s*=(?:[^;]*;)*?\s*skip\s*=\s*([^;]*)", re.I), _LETTERS, _INSTRUCTION),
    _Form(regex(r"#\s*checkov:skip\s*=\s*([\w,-]+)", re.I), _ANY, _FILE),
    _Form(regex(r"#\s*(trivy:ignore:.*)", re.I | re.S), regex(r"."), _STAGE),
)


def rules(dockerfile: Dockerfile) -> list[SuppressionRule]:
    """The suppressions of a file, in order."""
    if not dockerfile.comments and not dockerfile.directives:
        return []
    lower = dockerfile.text.lower()
    if not any(word in lower for word in _WORDS):
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
    stages: dict[int, tuple[int, int]] = {}
    for node in dockerfile.instructions:
        for comment in node.above:
            covered[comment.start] = (node.line, node.last)
    last = 0
    for node in reversed(dockerfile.instructions):
        last = last or node.last
        if node.keyword == "FROM":
            for comment in node.above:
                stages[comment.start] = (node.line, last)
            last = 0
    for comment in dockerfile.comments:
        lines = covered.get(comment.start)
        yield from _comment_rules(comment, text[comment.start : comment.end], lines, stages.get(comment.start, lines))


def _comment_rules(
    comment: Comment, text: str, lines: tuple[int, int] | None, stage: tuple[int, int] | None
) -> Iterator[SuppressionRule]:
    for form in _FORMS:
        match = form.comment.match(text)
        if match is None:
            continue
        words = _REASON.split(match[1], maxsplit=1)[0] if form.own else match[1]
        if form.names.match(words) is None:
            continue
        names = _names(words)
        if form.scope == _STAGE:
            names = _names(",".join(_TRIVY.findall(text)))
        # a comment that stands above nothing covers nothing: it will be reported as unused
        covered = (stage if form.scope == _STAGE else lines) or (0, 0)
        yield SuppressionRule(names, None if form.scope == _FILE else covered, comment.start, comment.end, form.own)


def _names(text: str) -> frozenset[str]:
    return frozenset(code_key(name) for name in re.split(r"[,\s]+", text.lower()) if name)
