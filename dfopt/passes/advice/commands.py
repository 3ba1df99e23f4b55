"""Advice on commands of a RUN: a row each (see `engine`)."""

from __future__ import annotations

from dfopt.analysis.run_steps import invocations, span_in_file
from dfopt.passes.advice.engine import Advice
from dfopt.passes.base import Pass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.ir.commands import Invocation
    from dfopt.ir.program import Program
    from dfopt.passes.advice.engine import Place

_POINTLESS = ("ssh", "vim", "shutdown", "service", "ps", "free", "top", "kill", "mount", "ifconfig")
_UPGRADES = {"zypper": ("dist-upgrade", "dup"), "apt-get": ("dist-upgrade",), "apt": ("full-upgrade", "dist-upgrade")}


class PointlessCommand(Advice, Pass):
    """Finds commands that do nothing for an image: `ssh`, `vim`, `shutdown`, `service`, `ps`, `free`, `top`, `kill`,
    `mount`, `ifconfig`.

    Why: what they look at or start ends with the RUN; only files stay.
    """

    name = "pointless-command"
    codes = ("DL3001",)
    triggers = _POINTLESS
    example = "FROM debian:13\nRUN service nginx start"

    def places(self, program: Program) -> Iterator[Place]:
        for invocation, start, end in _calls(program, _POINTLESS):
            yield f"{invocation.program} does nothing for an image: only files stay of a RUN", start, end


class DistUpgrade(Advice, Pass):
    """Finds upgrades of a whole distribution in a RUN: `zypper dist-upgrade`, `apt-get dist-upgrade`.

    Why: the release of the base image is then another one than its tag says; a newer tag says it, and is smaller.
    """

    name = "dist-upgrade"
    codes = ("DL3035", "DS-0024")
    triggers = ("dist-upgrade", "dup", "full-upgrade")
    example = "FROM opensuse/leap:15.6\nRUN zypper --non-interactive dist-upgrade"

    def places(self, program: Program) -> Iterator[Place]:
        for invocation, start, end in _calls(program, tuple(_UPGRADES)):
            asked = [value for value in invocation.values if value in _UPGRADES[invocation.program or ""]]
            if asked:
                yield f"{invocation.program} {asked[0]}: take a newer base image", start, end


class TwoDownloaders(Advice, Pass):
    """Finds files that use both wget and curl in one stage.

    Why: one of them is enough, and the other need not be installed.
    """

    name = "two-downloaders"
    codes = ("DL4001", "DS-0014")
    triggers = ("wget",)
    example = "FROM debian:13\nRUN curl -O https://example.org/a\nRUN wget https://example.org/b"

    def places(self, program: Program) -> Iterator[Place]:
        calls = list(_calls(program, ("wget", "curl")))
        for stage in program.stages:
            last = stage.steps[-1].node.end if stage.steps else stage.node.end
            inside = [call for call in calls if stage.node.start <= call[1] < last]
            second = [call for call in inside if call[0].program != inside[0][0].program]
            if second:
                other = inside[0][0].program
                yield f"the stage uses {other} and {second[0][0].program}: one of them is enough", *second[0][1:]


class ShellLink(Advice, Pass):
    """Finds a link that makes another shell of /bin/sh.

    Why: SHELL chooses the shell of later RUNs, and leaves the programs alone that count on the system's own.
    """

    name = "shell-link"
    codes = ("DL4005",)
    triggers = ("/bin/sh",)
    example = "FROM debian:13\nRUN ln -sf /bin/bash /bin/sh"

    def places(self, program: Program) -> Iterator[Place]:
        for invocation, start, end in _calls(program, ("ln",)):
            if invocation.values[-1:] == ["/bin/sh"]:
                yield "SHELL chooses the shell of later RUNs; /bin/sh is the system's own", start, end


def _calls(program: Program, programs: tuple[str, ...]) -> Iterator[tuple[Invocation, int, int]]:
    """The commands that call one of the programs, with their spans in the file."""
    for step, body, invocation in invocations(program, lambda text: any(name in text for name in programs)):
        if invocation.program in programs:
            span = span_in_file(step, body, invocation.node.start, invocation.node.end, invocation.nested)
            yield invocation, *span
