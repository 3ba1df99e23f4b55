from __future__ import annotations

from dfopt.analysis.package_managers import tools
from dfopt.analysis.run_steps import shipped_runs
from dfopt.edit import Edit
from dfopt.facts import Facts
from dfopt.findings import Finding, Fix
from dfopt.ir.commands import SUBSTITUTION
from dfopt.passes.base import Pass
from dfopt.rewrites.commands import EditWords

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.analysis.package_managers import Tool
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Step
    from dfopt.rewrites.base import Rewrite

# apt's subcommands that apt-get has too, and as what
_SAME: dict[str, tuple[str, ...]] = {
    name: (name,)
    for name in ("update", "install", "reinstall", "remove", "purge", "autoremove", "autopurge", "clean", "autoclean",
                 "build-dep", "source", "download", "satisfy", "distclean")
}  # fmt: skip
_SAME |= {
    "upgrade": ("upgrade", "--with-new-pkgs"),
    "full-upgrade": ("dist-upgrade",),
    "dist-upgrade": ("dist-upgrade",),
}


class AptToAptGet(Pass):
    """Calls `apt-get` instead of `apt` where both do the same.

    Why: apt is made for persons: its output and options may change between releases, as it says itself in every build
    log ("apt does not have a stable CLI interface"). apt-get stays as it is. Nothing gets smaller, and the step runs
    anew once: this pass runs only where it is asked for.

    Example:

    ```dockerfile
    FROM debian:13-slim
    RUN apt update && apt install -y curl && rm -rf /var/lib/apt/lists/*
    ```

    ```dockerfile
    FROM debian:13-slim
    RUN apt-get update && apt-get install -y curl && rm -rf /var/lib/apt/lists/*
    ```

    Refuses: ONBUILD. Leaves alone what apt-get does not have (`list`, `search`, `show`, `edit-sources`) and an apt in
    the string of `sh -c`. `apt upgrade` becomes `apt-get upgrade --with-new-pkgs`, which is what it does.

    Declares: the program word of each command, and the subcommand where its name differs.
    """

    name = "apt-to-apt-get"
    group = "modernize"
    tiers = ("safe",)
    phase = "names"
    codes = ("DL3027", "CKV_DOCKER_9")
    triggers = ("apt",)
    default = False
    order = 42

    def find(self, program: Program, facts: Facts) -> Iterator[Finding]:
        for _, _, step in shipped_runs(program, "all", "apt "):
            found = [tool for tool in tools(program, step) if _same(tool)]
            if found:
                yield self.found(program, step, found)

    def found(self, program: Program, step: Step, found: list[Tool]) -> Finding:
        node, body = step.node, program.body(step)
        message = "apt-get has a stable command line, apt has not"
        if node.keyword == "ONBUILD" or body.form == "mixed":
            reason = "ONBUILD triggers are left as they are" if node.keyword == "ONBUILD" else "it carries heredocs"
            return Finding(self.name, message, node.start, node.end, None, reason)
        edits: list[Edit] = []
        rewrites: list[Rewrite] = []
        for tool in found:
            words = tool.invocation.node.words
            command = tool.invocation.words[tool.at]
            at = next(i for i, word in enumerate(words) if word.start == command.start)
            program_at = at - tool.at - 1
            new = _SAME[tool.name or ""]
            edits.append(Edit(*body.span(words[program_at].start, words[program_at].end), "apt-get"))
            rewrites.append(EditWords(step.index, tool.start, program_at, 1, ("apt-get",)))
            if new != (tool.name,):
                edits.append(Edit(*body.span(command.start, command.end), " ".join(new)))
                rewrites.append(EditWords(step.index, tool.start, at, 1, new))
        return Finding(self.name, message, node.start, node.end, Fix(tuple(edits), tuple(rewrites), "safe"))


def _same(tool: Tool) -> bool:
    one = tool.invocation
    return one.path == "apt" and tool.name in _SAME and not one.nested and one.where != SUBSTITUTION
