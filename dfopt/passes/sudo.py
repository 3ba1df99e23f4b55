from __future__ import annotations

from dfopt.analysis.run_steps import invocations, span_in_file
from dfopt.edit import Edit
from dfopt.facts import Facts
from dfopt.findings import Finding, Fix
from dfopt.ir.commands import SUBSTITUTION
from dfopt.lazy import regex
from dfopt.passes.base import Pass
from dfopt.rewrites.commands import EditWords

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.ir.commands import Invocation
    from dfopt.ir.program import Program
    from dfopt.ir.shell_body import Body
    from dfopt.ir.stages import Step

_WORD = regex(r"\bsudo\b")
_PLAIN = frozenset(
    ("-E", "-H", "-n", "-S", "-EH", "-HE", "-nE", "-nH", "--preserve-env", "--set-home", "--non-interactive")
)


class Sudo(Pass):
    """Removes `sudo` from commands that run as root anyway; elsewhere suggests `USER`.

    Why: in a build, steps run as root unless USER says otherwise; sudo adds a setuid program, a configuration that may
    let the user of the image become root, and a changed environment and signal handling.

    Example:

    ```dockerfile
    FROM debian:13
    RUN sudo apt-get update && sudo -E apt-get install -y curl
    ```

    ```dockerfile
    FROM debian:13
    RUN apt-get update && apt-get install -y curl
    ```

    Refuses: nothing: where the step does not surely run as root, or sudo has options that change the user, the
    directory or the shell, it is a suggestion.

    Declares: the command loses its first word, `sudo`, and its options. `unsafe`: sudo also clears the environment and
    sets PATH.
    """

    name = "sudo"
    group = "security"
    tiers = ("unsafe",)
    phase = "repair"
    codes = ("DL3004", "CKV2_DOCKER_1", "DS-0010", "DKL-DI-0001")
    triggers = ("sudo",)
    order = 40

    def find(self, program: Program, facts: Facts) -> Iterator[Finding]:
        told: set[int] = set()  # steps that have their suggestion
        for step, body, one in invocations(program, _WORD.search):
            words = one.node.words
            if not words or (words[0].value or "").rpartition("/")[2] != "sudo":
                continue
            start, end = span_in_file(step, body, one.node.start, one.node.end, one.nested)
            fix = self.without(program, step, body, one)
            if fix is not None:
                yield Finding(self.name, "this step runs as root already: no sudo", start, end, fix)
            elif step.index not in told:
                told.add(step.index)
                message = "no sudo in builds: set USER root for the steps that need it, and USER back behind them"
                yield Finding(self.name, message, start, end)

    def without(self, program: Program, step: Step, body: Body, invocation: Invocation) -> Fix | None:
        if program.scope(step).root is not True or step.node.keyword == "ONBUILD":
            return None
        if invocation.nested or invocation.where == SUBSTITUTION or body.form not in ("line", "script"):
            return None
        words = invocation.node.words
        count = 1
        while count < len(words) and words[count].value in _PLAIN:
            count += 1
        if count < len(words) and words[count].value == "--":
            count += 1
        # what follows must be a program, neither an assignment for it nor another option
        value = words[count].value if count < len(words) else None
        if not value or value.startswith("-") or "=" in value:
            return None
        start, end = (
            body.span(words[0].start, words[0].start + 1)[0],
            body.span(words[count].start, words[count].end)[0],
        )
        if "\n" in program.text[start:end]:
            return None
        edit = Edit(start, end, "")
        return Fix((edit,), (EditWords(step.index, invocation.node.start, 0, count, ()),), "unsafe")
