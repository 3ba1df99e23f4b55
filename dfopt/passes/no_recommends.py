from __future__ import annotations

import re

from dfopt.analysis.package_managers import tools
from dfopt.analysis.run_steps import shipped_runs, untouchable
from dfopt.edit import Edit
from dfopt.facts import Facts
from dfopt.findings import Declares, Finding, Fix
from dfopt.ir.commands import SUBSTITUTION
from dfopt.lazy import regex
from dfopt.passes.base import STAGES, Pass
from dfopt.rewrites.commands import EditWords

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.analysis.package_managers import Tool
    from dfopt.ir.program import Program
    from dfopt.ir.shell_body import Body
    from dfopt.ir.stages import Step

_OPTIONS = ("--no-install-recommends", "--install-recommends", "--without-recommends", "--with-recommends", "-R", "-r")

_SAID = regex("install-recommends[\"' =:]+(?:0|1|true|false|no|yes)", re.I)


class NoRecommends(Pass):
    """Keeps apt from installing what packages only recommend: `--no-install-recommends`.

    Why: recommended packages are often a large part of what is installed. Measured: 12.6 MB less for git. They are also
    at times what makes a program work: `curl` recommends `ca-certificates`, without which it cannot speak https.
    Therefore this is never a safe fix: let `fix --verify` build it and run your smoke test, or name the packages that
    you need.

    Example:

    ```dockerfile
    FROM debian:13-slim
    RUN apt-get update && apt-get install -y git && rm -rf /var/lib/apt/lists/*
    ```

    ```dockerfile
    FROM debian:13-slim
    RUN apt-get update && apt-get install -y --no-install-recommends git && rm -rf /var/lib/apt/lists/*
    ```

    Refuses: ONBUILD; an apt in the string of `sh -c`. Does nothing where the file says anything about recommended
    packages by itself (`APT::Install-Recommends`).

    Declares: each `install` gains one word. Always `unsafe`.
    """

    name = "no-recommends"
    group = "size"
    phase = "caches"
    codes = ("DL3015",)
    triggers = ("apt",)
    order = 46
    options = (STAGES,)
    declares = Declares(
        paths=("/etc/**", "/var/lib/dpkg/**", "/var/lib/apt/**", "/var/lib/systemd/**", "/var/cache/**", "/var/log/**"),
        files="fewer",
    )

    def find(self, program: Program, facts: Facts) -> Iterator[Finding]:
        if "ecommends" in program.text.lower() and _SAID.search(program.text):
            return
        for _, _, step in shipped_runs(program, self.settings["stages"], "apt"):
            body = program.body(step)
            found = [tool for tool in tools(program, step) if _pulls(tool)]
            if found:
                yield self.found(step, body, found)

    def found(self, step: Step, body: Body, found: list[Tool]) -> Finding:
        node = step.node
        message = "install no recommended packages"
        reachable = [tool for tool in found if not tool.one.nested and tool.one.where != SUBSTITUTION]
        reason = untouchable(step, body, bool(reachable), "apt")
        if reason:
            return Finding(self.name, message, node.start, node.end, None, reason)
        pairs = [_edit(step, body, tool) for tool in reachable]
        fix = Fix(tuple([edit for edit, _ in pairs]), tuple([rewrite for _, rewrite in pairs]), "unsafe")
        return Finding(self.name, f"{message} (some may be needed)", node.start, node.end, fix)


def _pulls(tool: Tool) -> bool:
    """Whether a command installs what is recommended."""
    if tool.family != "apt" or tool.name != "install":
        return False
    return not any(value in _OPTIONS for value in tool.one.values if value) and len(tool.one.operands()) > 1


def _edit(step: Step, body: Body, tool: Tool) -> tuple[Edit, EditWords]:
    """Behind the options that follow the subcommand, where a person would put it."""
    words = tool.one.words
    at = tool.at
    taking = tool.facts.get("value-options", ())
    while at + 1 < len(words) and (words[at + 1].value or "").startswith("-") and words[at + 1].value not in taking:
        if words[at + 1].value == "--":
            break
        at += 1
    index = next(i for i, other in enumerate(tool.one.node.words) if other.start == words[at].start)
    option = "--without-recommends" if tool.label == "aptitude" else "--no-install-recommends"
    end = body.span(words[at].start, words[at].end)[1]
    return Edit(end, end, f" {option}"), EditWords(step.index, tool.one.node.start, index + 1, 0, (option,))
