from __future__ import annotations

import re

from dfopt.analysis.run_steps import invocations, span_in_file
from dfopt.facts import Facts
from dfopt.findings import Finding
from dfopt.lazy import regex
from dfopt.passes.base import Pass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.ir.commands import Invocation
    from dfopt.ir.program import Program

# a quick look at a text: a mode whose last digit, or whose letters, let others write
_WORDS = regex(
    r"\bchmod\s[^|;&]{0,999}?(?:[0-7][2367](?![\w.])|[+=][rxXst]*w)"
    r"|\b(?:install|mkdir)\s[^|;&]{0,999}?-(?:m|-mode)[\s=]{0,9}\S{0,99}[2367w]"
)
_SYMBOLIC = regex(r"(?:^|,)(?:[ug]*[oa][ugoa]*|)[+=][rxXst]*w")


class Chmod777(Pass):
    """Reports files and directories that every user may write: `chmod 777`, `chmod o+w`, `COPY --chmod=777`,
    `mkdir -m 777`. Directories with the sticky bit (1777) are left alone: there nobody can delete another's files.

    A suggestion: who has to write there is not written in the file. As a rule it is one user (`COPY --chown=`,
    `chown`), or nobody.

    Why: whoever takes over any process of the container can change the programs and settings that the others use.

    Example:

    ```dockerfile
    FROM debian:13
    COPY --chmod=777 app /app
    RUN chmod -R 777 /data
    ```

    Refuses: nothing; it changes nothing.

    Declares: nothing.
    """

    name = "chmod-777"
    group = "security"
    tiers = ()
    phase = "repair"
    triggers = ("chmod", "install", "mkdir")
    order = 92

    def find(self, program: Program, facts: Facts) -> Iterator[Finding]:
        found: list[Finding] = []
        for stage in program.stages:
            for step in stage.steps:
                flag = step.effective.flag("chmod") if step.effective.keyword in ("COPY", "ADD") else None
                if flag is not None and _open(flag.value or ""):
                    start, end = step.node.joined.span(flag.at, flag.stop)
                    found.append(self.report(f"{step.effective.keyword} --chmod={flag.value}", start, end))
        for step, body, one in invocations(program, _WORDS.search):
            mode = _mode(one)
            if mode and _open(mode):
                span = span_in_file(step, body, one.node.start, one.node.end, one.nested)
                option = "" if one.program == "chmod" else "-m "
                found.append(self.report(f"{one.program} {option}{mode}", *span))
        yield from sorted(found, key=lambda one: one.start)

    def report(self, what: str, start: int, end: int) -> Finding:
        message = f"{what}: every user of the container may write there; give it to the one who has to"
        return Finding(self.name, message, start, end)


def _mode(invocation: Invocation) -> str:
    """The mode that a command gives; "" where it gives none, or not a fixed one."""
    values = invocation.values
    if invocation.program == "chmod":
        return next((v or "" for v in values if v is None or re.match(r"[0-7ugoa+=]|-[rwxX]+\Z", v)), "")
    if invocation.program in ("install", "mkdir"):
        for value, following in zip(values, [*values[1:], None], strict=False):
            if value in ("-m", "--mode"):
                return following or ""
            if value is not None and re.match(r"--mode=|-m[0-7ugoa]", value):
                return value.removeprefix("--mode=").removeprefix("-m")
    return ""


def _open(mode: str) -> bool:
    """Whether a mode lets everybody write, and has no sticky bit."""
    if re.fullmatch(r"[0-7]{3,5}", mode):
        bits = int(mode, 8)
        return bits & 0o002 != 0 and bits & 0o1000 == 0
    return _SYMBOLIC.search(mode) is not None and "+t" not in mode and not mode.startswith("-")
