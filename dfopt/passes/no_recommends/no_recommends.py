from __future__ import annotations

import re

from dfopt.analysis.package_managers import tools
from dfopt.analysis.run_steps import edit_obstacle, shipped_runs
from dfopt.edit import Edit
from dfopt.facts import Facts
from dfopt.findings import Declares, Finding, Fix, refused
from dfopt.ir.commands import SUBSTITUTION
from dfopt.lazy import regex
from dfopt.passes.base import STAGES, Pass
from dfopt.passes.no_recommends.needed import NeededPackages, behind, exceptions_text
from dfopt.passes.no_recommends.packages import known, left_out
from dfopt.refusal import Refusal
from dfopt.rewrites.commands import EditWords

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.analysis.package_managers import Tool
    from dfopt.ir.program import Program
    from dfopt.ir.shell_body import Body
    from dfopt.ir.stages import Step

_OPTIONS = ("--no-install-recommends", "--install-recommends", "--without-recommends", "--with-recommends", "-R", "-r")

_MESSAGE = "install no recommended packages"
_SAID = regex("install-recommends[\"' =:]+(?:0|1|true|false|no|yes)", re.I)


class NoRecommends(Pass):
    """Keeps apt from installing what packages only recommend: `--no-install-recommends`.

    Why: recommended packages are often a large part of what is installed. Measured: 12.6 MB less for git. They are also
    at times what makes a program work. What the file is seen to need is named: `ca-certificates`, without which `curl`,
    `wget` and `git` cannot speak https, and programs that it calls and a recommendation alone brings (`make` with
    `cmake`, the headers of C with `gcc`, `ssh-keyscan` with `git`). This is never a safe fix: let `fix --verify` build
    it and run your smoke test, or name the packages that you need.

    Example:

    ```dockerfile
    FROM debian:13-slim
    RUN apt-get update && apt-get install -y git && rm -rf /var/lib/apt/lists/*
    ```

    ```dockerfile
    FROM debian:13-slim
    RUN apt-get update && apt-get install -y --no-install-recommends git ca-certificates && rm -rf /var/lib/apt/lists/*
    ```

    Refuses: ONBUILD; an apt in the string of `sh -c`; packages in a variable, if nothing brings ca-certificates; a
    package that is removed again, where what it recommends would have to be named. Does nothing where the file says
    anything about recommended packages by itself (`APT::Install-Recommends`).

    Declares: each `install` gains one word, or that and the packages that are named; files that packages enter
    themselves in may change. Always `unsafe`.
    """

    name = "no-recommends"
    group = "size"
    tiers = ("unsafe",)
    phase = "caches"
    codes = ("DL3015", "DS-0029")
    triggers = ("apt",)
    order = 46
    options = (STAGES,)
    declares = Declares(
        paths=(
            *("/etc/**", "/var/lib/dpkg/**", "/var/lib/apt/**", "/var/lib/systemd/**", "/var/cache/**", "/var/log/**"),
            # what packages enter themselves in. Source: /var/lib/dpkg/triggers/File of Debian 13; pam-auth-update(8)
            *("/var/lib/pam/**", "/var/lib/ucf/**", "/var/lib/xml-core/**", "/var/lib/shells.state"),
            *("/usr/share/info/dir*", "/usr/share/mime/**", "/usr/share/icons/*/icon-theme.cache"),
            *("/usr/share/glib-2.0/schemas/gschemas.compiled", "/usr/lib/**/giomodule.cache"),
            *("/usr/lib/**/loaders.cache", "/usr/lib/**/immodules.cache"),
        ),
        files="fewer",
    )

    def find(self, program: Program, facts: Facts) -> Iterator[Finding]:
        if "ecommends" in program.text.lower() and _SAID.search(program.text):
            return
        counted: dict[int, list[str]] = {}  # root stage -> packages of earlier findings, whose own ones are there
        needs = NeededPackages(program, facts)
        runs = [(stage, step) for stage, _, step in shipped_runs(program, self.settings["stages"], "apt")]
        pulling = {step.index: [tool for tool in tools(program, step) if _pulls(tool)] for _, step in runs}
        some = any(known(installs) for installs in pulling.values())
        for stage, step in runs:
            body, installs = program.body(step), pulling[step.index]
            if installs:
                before = counted.setdefault(program.root(stage).index, [])
                try:
                    finding = self.check(program, step, body, installs, needs, before, some)
                except Refusal as refusal:
                    finding = refused(self.name, _MESSAGE, step.node.start, step.node.end, refusal)
                yield finding

    def check(
        self, program: Program, step: Step, body: Body, installs: list[Tool], needs: NeededPackages, before: list[str],
        some: bool,
    ) -> Finding:  # fmt: skip
        node = step.node
        reachable = [tool for tool in installs if not tool.invocation.nested and tool.invocation.where != SUBSTITUTION]
        reason = edit_obstacle(step, body, bool(reachable), "apt")
        if reason:
            raise Refusal(reason)
        edits: list[Edit] = []
        rewrites: list[EditWords] = []
        exceptions: dict[str, str] = {}  # package -> why
        lacking = needs.lacking(step)
        for tool in reachable:
            needed = needs.of(step, tool, [row for row in lacking if row["package"] not in exceptions])
            exceptions.update((package.name, package.why) for package in needed)
            pairs = [*behind(program, step, body, tool, needed), _option(step, body, tool)]
            edits += [edit for edit, _ in pairs]
            rewrites += [rewrite for _, rewrite in pairs]
        needs.taken.update((package, step.stage) for package in exceptions)
        message = f"{_MESSAGE} but {exceptions_text(exceptions)}" if exceptions else _MESSAGE
        fix = Fix(tuple(edits), tuple(rewrites), "unsafe")
        benefit = left_out(program, step, reachable, exceptions, before, some=some)
        return Finding(self.name, f"{message} (some may be needed)", node.start, node.end, fix, benefit=benefit)


def _pulls(tool: Tool) -> bool:
    """Whether a command installs what is recommended."""
    if tool.family != "apt" or tool.name != "install":
        return False
    return (
        not any(value in _OPTIONS for value in tool.invocation.values if value) and len(tool.invocation.operands()) > 1
    )


def _option(step: Step, body: Body, tool: Tool) -> tuple[Edit, EditWords]:
    """Behind the options that follow the subcommand, where a person would put it."""
    words = tool.invocation.words
    at = tool.at
    taking = tool.facts.get("value-options", ())
    while at + 1 < len(words) and (words[at + 1].value or "").startswith("-") and words[at + 1].value not in taking:
        if words[at + 1].value == "--":
            break
        at += 1
    index = next(i for i, other in enumerate(tool.invocation.node.words) if other.start == words[at].start)
    option = "--without-recommends" if tool.label == "aptitude" else "--no-install-recommends"
    end = body.span(words[at].start, words[at].end)[1]
    return Edit(end, end, f" {option}"), EditWords(step.index, tool.start, index + 1, 0, (option,))
