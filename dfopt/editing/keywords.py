"""Keywords, pragma comments and new instructions as a file writes them."""

from __future__ import annotations

import re

from dfopt.edit import Edit
from dfopt.editing.layout import line_start, newline_at
from dfopt.lazy import regex

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.syntax.tree import Comment, Instruction

_PRAGMA = regex(r"#\s*(dfopt:|hadolint|check\s*=|checkov|trivy|syntax\s*=|escape\s*=)", re.I)


def keyword_span(node: Instruction) -> tuple[int, int] | None:
    """The span of an instruction's keyword; None where a continuation breaks it."""
    at = node.keyword_at
    start, end = node.joined.span(at, at + len(node.keyword))
    return (start, end) if end - start == len(node.keyword) else None


def like(word: str, model: str) -> str:
    """`word` in lower case where `model` is in lower case, else in upper case."""
    return word.lower() if model.islower() else word.upper()


def keyword_edit(text: str, node: Instruction, keyword: str) -> Edit | None:
    """The edit that turns an instruction's keyword into another, in the case it is written in; None where a
    continuation breaks the word."""
    span = keyword_span(node)
    return None if span is None else Edit(*span, like(keyword, text[span[0] : span[1]]))


def is_pragma(text: str, comment: Comment) -> bool:
    """Whether a comment speaks to a tool about the instruction below it."""
    return _PRAGMA.match(text, comment.start) is not None


def instruction_above(text: str, node: Instruction, keyword: str, arguments: str) -> Edit:
    """The edit that puts a new instruction above another one and the comments that belong to it."""
    start = line_start(text, node.above[0].start if node.above else node.start)
    indent = text[line_start(text, node.start) : node.start]
    word = like(keyword, text[node.start : node.start + 2])
    return Edit(start, start, f"{indent}{word} {arguments}{newline_at(text, node.start)}")
