from __future__ import annotations

from dfopt.analysis.cache_readers import index_reader
from dfopt.analysis.package_managers import tools
from dfopt.findings import Declares
from dfopt.lazy import regex
from dfopt.passes.base import STAGES, Pass
from dfopt.passes.package_caches.clean_after import CleanAfter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.analysis.package_managers import Tool
    from dfopt.facts import Facts
    from dfopt.ir.program import Program
    from dfopt.ir.shell_body import Body
    from dfopt.ir.stages import Stage, Step

_SYNC = regex(r"-S[yuwd]*\Z|--sync\Z")
_CLEAN = regex(r"\bpacman\s+(?:-\S+\s+)*-Sc(?P<all>c)?(?P<rest>[^;&|]*)")


class PacmanCleanup(CleanAfter, Pass):
    """Removes the packages and databases that pacman downloaded, in the layer that downloaded them.

    `pacman -S` leaves every package file under /var/cache/pacman/pkg and the databases of the repositories under
    /var/lib/pacman/sync. This pass appends `rm -rf` of both, in the RUN's own style; the databases stay where a later
    step installs without `-y`.

    Why: nothing at run time reads them. `pacman -Scc --noconfirm`, which looks as if it did the same, deletes nothing:
    it takes the default answer of its question, which is No.

    Example:

    ```dockerfile
    FROM archlinux:base
    RUN pacman -Syu --noconfirm nginx
    ```

    ```dockerfile
    FROM archlinux:base
    RUN pacman -Syu --noconfirm nginx && rm -rf /var/cache/pacman/pkg/* /var/lib/pacman/sync/*
    ```

    Refuses: where a later step uses the package files; a background job or a comment at the end; a heredoc script that
    is not under `set -e`; ONBUILD. Does nothing where the RUN cleans up in any spelling that works, where a cache mount
    holds the packages, or with `--root`.

    Declares: the RUN gains one command at its end.
    """

    name = "pacman-cleanup"
    group = "size"
    phase = "caches"
    triggers = ("pacman",)
    order = 30
    options = (STAGES,)
    family = "pacman"
    words = ("pacman",)
    pattern = r"\bpacman\s+(?:-\S+\s+)*-S[yuwd]*\s"
    what = "pacman's cache"
    system = True
    declares = Declares(caches=("pacman",))

    def keeps(self, program: Program, step: Step, facts: Facts, tool: Tool) -> bool:
        return any(_SYNC.match(value or "") for value in tool.one.values) and not tool.given("cache-options")

    def done(self, body: Body, found: tuple[Tool, ...], last: Tool) -> bool:
        clean = _CLEAN.search(body.text, last.end)
        if clean is not None and not (clean["all"] and "--noconfirm" in clean["rest"]):
            return True
        return super().done(body, found, last)

    def command(self, program: Program, stage: Stage, position: int, tool: Tool) -> tuple[str, ...]:
        words = ("rm", "-rf", "/var/cache/pacman/pkg/*")
        return words if _needs_databases(program, stage, position) else (*words, "/var/lib/pacman/sync/*")


def _needs_databases(program: Program, stage: Stage, position: int) -> bool:
    """Whether a later step installs without refreshing the databases, or may."""
    for step in stage.steps[position + 1 :]:
        for tool in tools(program, step):
            if tool.family == "pacman":
                for value in tool.one.values:
                    if value and _SYNC.match(value):
                        return "y" not in value and "--refresh" not in tool.one.values
    if index_reader(program, stage, position, "pacman")[1] is not None:
        return True
    return any(_needs_databases(program, child, -1) for child in program.children(stage))
