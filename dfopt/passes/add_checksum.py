from __future__ import annotations

import re

from dfopt.analysis.downloads import downloads
from dfopt.edit import Edit
from dfopt.facts import Facts
from dfopt.findings import Finding, Fix
from dfopt.ir.model import value_of
from dfopt.passes.base import Pass
from dfopt.rewrites.instructions import SetFlags, SetValue
from dfopt.syntax.directives import syntax_level

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.ir.program import Program
    from dfopt.ir.stages import Step

_SINCE = (1, 6)


class AddChecksum(Pass):
    """Writes the checksum of a download into its ADD, where the lock file knows it.

    Without a known checksum it is a suggestion. Only downloads over http and https are looked at; a git repository is
    pinned by its commit.

    Why: a URL may serve another file tomorrow. With `--checksum` BuildKit refuses it, and needs no second download to
    see that its cache is right.

    Example:

    ```dockerfile
    # syntax=docker/dockerfile:1
    FROM debian:13
    ADD https://example.com/t.tgz /t/
    ```

    ```dockerfile
    # syntax=docker/dockerfile:1
    FROM debian:13
    ADD --checksum=sha256:1111111111111111111111111111111111111111111111111111111111111111 https://example.com/t.tgz /t/
    ```

    Refuses: a Dockerfile syntax before 1.6, which has no such flag; several sources in one ADD, for which BuildKit
    takes none; a URL with variables, which a build argument could turn into another file's. Without a `# syntax=` line
    the fix is `unsafe`: an engine of before 2024 stops at the flag.

    Declares: the flag.
    """

    name = "add-checksum"
    group = "reproducible"
    phase = "names"
    triggers = ("add",)
    order = 82

    def find(self, program: Program, facts: Facts) -> Iterator[Finding]:
        for step, url in downloads(program):
            if step.effective.flag("checksum") is None:
                yield self.check(program, step, facts, url)

    def check(self, program: Program, step: Step, facts: Facts, url: str) -> Finding:
        node, effective = step.node, step.effective
        checksum = None if "$" in url else facts.checksum(url)
        shown = url.partition("?")[0]
        if checksum is None:
            message = f"nothing checks what {shown} serves: add --checksum=sha256:..."
            return Finding(self.name, message, node.start, node.end)
        message = f"check that {shown} serves the file that is known"
        level = syntax_level(program.dockerfile.directive("syntax"))
        reason = ""
        if not re.fullmatch(r"sha(256:[0-9a-f]{64}|384:[0-9a-f]{96}|512:[0-9a-f]{128})", checksum):
            reason = f"{checksum!r} is no checksum"
        elif len(effective.arguments) > 2:
            reason = "BuildKit takes a checksum only where ADD has one source"
        elif level is not None and level < _SINCE:
            reason = f"the Dockerfile syntax {level[0]}.{level[1]} has no --checksum (1.6 has)"
        elif level is None and program.dockerfile.directive("syntax") is not None:
            reason = "whether the frontend of the syntax directive knows --checksum is not known"
        if reason:
            return Finding(self.name, message, node.start, node.end, None, reason)
        at = effective.flags[-1].stop if effective.flags else 0
        where = node.joined.source(at - 1) + 1 if at else node.joined.source(effective.at)
        edit = Edit(where, where, f" --checksum={checksum}" if at else f"--checksum={checksum} ")
        flags = (*[(flag.name, flag.value) for flag in effective.flags], ("checksum", checksum))
        if node.nested is None:
            rewrite: SetFlags | SetValue = SetFlags(step.index, flags)
        else:
            nested = value_of(node, program.text)
            rewrite = SetValue(step.index, "ONBUILD", (nested[0], nested[1], flags, *nested[3:]))
        tier = "unsafe" if level is None else "safe"
        return Finding(self.name, message, node.start, node.end, Fix((edit,), (rewrite,), tier))
