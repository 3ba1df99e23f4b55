from __future__ import annotations

import re

from dfopt.analysis.package_managers import option_edit, tools
from dfopt.analysis.run_steps import run_text
from dfopt.edit import Edit
from dfopt.facts import Facts
from dfopt.findings import Finding, Fix
from dfopt.ir.commands import SUBSTITUTION
from dfopt.ir.exit_status import fails_step, reads_stdin
from dfopt.lazy import regex
from dfopt.passes.base import Pass
from dfopt.rewrites.commands import EditWords

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.analysis.package_managers import Tool
    from dfopt.ir.program import Program
    from dfopt.ir.shell_body import Body
    from dfopt.ir.stages import Step

_PACMAN = regex(r"-(?:S[yuwd]*|[RU][a-z]*)\Z")
_WORDS = regex(r"apt|dnf|yum|zypper|pacman|conda|mamba|pip")


class AssumeYes(Pass):
    """Answers the questions of package managers: `apt-get install -y` and its like.

    A build has nobody to answer. Without the option a package manager that has a question takes the end of its input
    for No, and the build fails, often only after a release of the base image asks for one package more.

    Why: a build that works today goes on to work, and installs the same.

    Example:

    ```dockerfile
    FROM debian:13-slim
    RUN apt-get update && apt-get install curl && rm -rf /var/lib/apt/lists/*
    ```

    ```dockerfile
    FROM debian:13-slim
    RUN apt-get update && apt-get install -y curl && rm -rf /var/lib/apt/lists/*
    ```

    Refuses: ONBUILD. Does nothing where something answers (`yes |`, a redirection, `-qq`, apt.conf, `assumeyes`), and
    for managers that never ask. `safe` where a No fails the build, so that a build which succeeds was never asked;
    `unsafe` where the failure is ignored (`|| true`, `a; b`), since what was not installed then will be.

    Declares: each command gains one word behind its subcommand.
    """

    name = "assume-yes"
    group = "correct"
    phase = "repair"
    codes = ("DL3014", "DL3030", "DL3034", "DL3038", "DS-0021")
    triggers = ("apt", "dnf", "yum", "zypper", "pacman", "conda", "mamba", "pip")
    order = 45

    def find(self, program: Program, facts: Facts) -> Iterator[Finding]:
        for stage in program.stages:
            for step in stage.steps:
                if step.effective.keyword == "RUN" and _WORDS.search(run_text(program, step)):
                    body = program.body(step)
                    asking = [tool for tool in tools(program, step) if _asks(program, body, tool)]
                    if asking:
                        yield self.found(step, body, asking)

    def found(self, step: Step, body: Body, asking: list[Tool]) -> Finding:
        node = step.node
        names = ", ".join(dict.fromkeys(tool.label for tool in asking))
        if node.keyword == "ONBUILD" or body.form == "mixed":
            reason = "ONBUILD triggers are left as they are" if node.keyword == "ONBUILD" else "it carries heredocs"
            return Finding(self.name, f"nobody answers the questions of {names}", node.start, node.end, None, reason)
        pairs = [_edit(step, body, tool) for tool in asking]
        tier = "safe" if all(fails_step(body, tool.invocation.node) for tool in asking) else "unsafe"
        message = f"nobody answers the questions of {names}: {pairs[0][1].insert[0]}"
        if tier == "unsafe":
            message += " (its failure is ignored so far: what was not done before will be)"
        fix = Fix(tuple([edit for edit, _ in pairs]), tuple([rewrite for _, rewrite in pairs]), tier)
        return Finding(self.name, message, node.start, node.end, fix)


def _asks(program: Program, body: Body, tool: Tool) -> bool:
    """Whether a command may ask, and nothing in sight answers."""
    facts, one = tool.facts, tool.invocation
    if one.nested or one.where == SUBSTITUTION or facts.get("yes-always") or "yes-options" not in facts:
        return False
    if tool.family == "pacman":
        if not any(_PACMAN.match(value or "") for value in one.values):
            return False
    elif not tool.does.get("prompts"):
        return False
    if tool.given("yes-options") or any(value is None for value in one.values[: tool.at]):
        return False
    if (
        tool.family == "apt"
        and sum(len(v or "") - len((v or "").replace("q", "")) for v in one.values if _quiet(v)) > 1
    ):
        return False
    if "-q=2" in one.values or reads_stdin(body, one.node):
        return False
    traces = facts.get("yes-traces")
    return not (traces and re.search(traces, program.text))


def _quiet(value: str | None) -> bool:
    return value is not None and re.fullmatch(r"-[a-pr-z]*q[a-z]*", value) is not None


def _edit(step: Step, body: Body, tool: Tool) -> tuple[Edit, EditWords]:
    option = tool.facts["yes-options"][0]
    if tool.family != "pacman":
        return option_edit(step, body, tool, option)
    words = tool.invocation.node.words
    index = next(i for i, word in enumerate(words) if _PACMAN.match(word.value or ""))
    end = body.span(words[index].start, words[index].end)[1]
    return Edit(end, end, f" {option}"), EditWords(step.index, tool.start, index + 1, 0, (option,))
