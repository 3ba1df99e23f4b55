from __future__ import annotations

from dfopt.analysis.archives import OPEN, SPECIAL, source_kind
from dfopt.editing.keywords import keyword_edit
from dfopt.facts import Facts
from dfopt.findings import Finding, Fix
from dfopt.ir.model import value_of
from dfopt.lazy import regex
from dfopt.passes.base import Pass
from dfopt.rewrites.instructions import SetValue
from dfopt.syntax.expand import ExpansionError, expand_word

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.ir.program import Program
    from dfopt.ir.scopes import Scope
    from dfopt.ir.stages import Step

_ONLY_ADD = frozenset(("checksum", "keep-git-dir", "unpack"))
_HEREDOC = regex(r"\d*<<")


class AddToCopy(Pass):
    """Writes ADD as COPY, where it copies plain files or directories of the build context.

    Why: ADD also fetches URLs and unpacks tar archives, by their content and not by their name. COPY says what is
    meant, and stays a copy when one day an archive takes the file's place.

    Example:

    ```dockerfile
    FROM python:3.13-slim
    ADD requirements.txt /app/
    ADD . /app/
    ```

    ```dockerfile
    FROM python:3.13-slim
    COPY requirements.txt /app/
    COPY . /app/
    ```

    Refuses: sources with variables, and names that tell neither a file that is no archive nor a directory (`ADD app
    /app`), unless the build context is at hand to look at. Does nothing where a source is a URL, a git repository or an
    archive, or where a flag is ADD's own; nothing behind ONBUILD.

    Declares: the keyword becomes COPY.
    """

    name = "add-to-copy"
    group = "modernize"
    tiers = ("safe",)
    phase = "names"
    default = False
    codes = ("DL3020", "CKV_DOCKER_4", "CIS-DI-0009", "DS-0005")
    triggers = ("add",)
    order = 63

    def find(self, program: Program, facts: Facts) -> Iterator[Finding]:
        for stage in program.stages:
            for step in stage.steps:
                if step.node.keyword == "ADD" and not any(flag.name in _ONLY_ADD for flag in step.node.flags):
                    finding = self.check(program, step, facts)
                    if finding is not None:
                        yield finding

    def check(self, program: Program, step: Step, facts: Facts) -> Finding | None:
        node = step.node
        scope = program.scope(step)
        message = "COPY says what is meant: nothing is fetched or unpacked here"
        reason = ""
        for argument in node.arguments[:-1]:
            if node.heredocs and _HEREDOC.match(argument.value):
                continue
            source = _expanded(scope, argument.value, program.dockerfile.escape)
            kind = source_kind(source, facts)
            if kind == SPECIAL:
                return None
            if "$" in argument.value:
                reason = reason or f"{argument.value} may be a URL or an archive"
            elif kind == OPEN:
                reason = reason or f"whether {source} is an archive is not known"
        edit = keyword_edit(program.text, node, "COPY")
        if reason or edit is None:
            reason = reason or "a continuation breaks the keyword"
            return Finding(self.name, "ADD where COPY may do", node.start, node.end, None, reason)
        rewrite = SetValue(step.index, "COPY", value_of(node, program.text))
        return Finding(self.name, message, node.start, node.end, Fix((edit,), (rewrite,), "safe"))


def _expanded(scope: Scope, word: str, escape: str) -> str:
    """A source as the defaults of the file make it."""
    known = {name: value for name, value in scope.args.items() if value is not None}
    known.update({name: value for name, value in scope.env.items() if isinstance(value, str)})
    try:
        return expand_word(word, known, escape=escape, skip_unset=True)
    except ExpansionError:
        return word
