"""What a Dockerfile reads from its build context: the sources of COPY, ADD and bind mounts."""

from __future__ import annotations

import posixpath
import re

from dfopt.lazy import regex
from dfopt.record import Record
from dfopt.syntax.expand import Unknown
from dfopt.syntax.go_pattern import has_wildcard
from dfopt.syntax.mounts import mounts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.ir.program import Program
    from dfopt.ir.stages import Step

_REMOTE = regex(r"[a-zA-Z][a-zA-Z0-9+.-]*://|git@|github\.com/")


class ContextSource(Record):
    """One source.

    step     the instruction
    path     relative to the context, normalized, "" for all of it; a pattern of Go's filepath.Match where `wildcard`;
             None where it depends on something that is not known
    written  the word as written
    keyword  "COPY", "ADD", or "RUN" for a bind mount
    onbuild  it is read from the context of a later build, of another file
    """

    step: Step
    path: str | None
    written: str
    keyword: str
    wildcard: bool
    onbuild: bool

    @property
    def whole(self) -> bool:
        return self.path == ""


def context_sources(program: Program) -> Iterator[ContextSource]:
    """Every source in the order of the file, stages that nothing uses included."""
    for stage in program.stages:
        for step in stage.steps:
            yield from sources_of(program, step)


def sources_of(program: Program, step: Step) -> Iterator[ContextSource]:
    """The sources of one step, in their order."""
    keyword = step.effective.keyword
    if keyword in ("COPY", "ADD"):
        yield from _copied(program, step)
    elif keyword == "RUN":
        yield from _mounted(program, step)


def _copied(program: Program, step: Step) -> Iterator[ContextSource]:
    node = step.effective
    if node.flag("from") is not None:
        return
    inline = {doc.name for doc in step.heredocs}
    for argument in node.arguments[:-1]:
        word = argument.value
        match = re.match(r"\d*<<-?(.+)", word, re.DOTALL) if inline else None
        if match is not None and match[1].replace('"', "").replace("'", "").replace("\\", "") in inline:
            continue
        if _REMOTE.match(word) and node.keyword == "ADD":
            continue
        yield _source(program, step, word, node.keyword, patterns=True)


def _mounted(program: Program, step: Step) -> Iterator[ContextSource]:
    for mount in mounts(step.effective):
        if mount.kind == "bind" and not mount.image:
            yield _source(program, step, mount.source, "RUN", patterns=False)


def _source(program: Program, step: Step, word: str, keyword: str, *, patterns: bool) -> ContextSource:
    onbuild = step.node.nested is not None
    expanded = program.scope(step).expand(word, program.dockerfile.escape)
    if isinstance(expanded, Unknown):
        return ContextSource(step, None, word, keyword, False, onbuild)
    path = posixpath.normpath("/" + expanded).lstrip("/")  # nothing leads out of the context
    return ContextSource(step, path, word, keyword, patterns and has_wildcard(path), onbuild)
