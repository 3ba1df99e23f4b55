from __future__ import annotations

from dfopt.analysis.cache_readers import index_reader
from dfopt.analysis.package_managers import tools
from dfopt.analysis.startup import started
from dfopt.lazy import regex
from dfopt.passes.base import Pass
from dfopt.passes.package_caches.engine import CleanupRow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.analysis.package_managers import Tool
    from dfopt.analysis.run_steps import RunSite
    from dfopt.ir.program import Program
    from dfopt.ir.shell_body import Body
    from dfopt.ir.stages import Stage

_CALL = regex(r"\bpacman\s+(?:-\S{1,99}\s{1,20}){0,20}-S[yuwd]*\s")
_SYNC = regex(r"-S[yuwd]*\Z|--sync\Z")
_INSTALLS_STALE = regex(r"\bpacman\s+(?:--\S{1,99}\s{1,20}){0,20}-S[uwd]*\s")  # what the image starts, without -y
_CLEAN = regex(r"\bpacman\s+(?:-\S{1,99}\s{1,20}){0,20}-Sc(?P<all>c)?(?P<rest>[^;&|]*)")


class PacmanCleanup(CleanupRow, Pass):
    """Removes the packages and databases that pacman downloaded, in the layer that downloaded them.

    `pacman -S` leaves every package file under /var/cache/pacman/pkg and the databases of the repositories under
    /var/lib/pacman/sync. This pass appends `rm -rf` of both, in the RUN's own style; the databases stay where a later
    step installs without `-y`.

    Why: nothing at run time reads them. `pacman -Scc --noconfirm`, which looks as if it did the same, deletes nothing:
    it takes the default answer of its question, which is No.
    """

    family = "pacman"
    system = True
    example = (
        "FROM archlinux:base\nRUN pacman -Syu --noconfirm nginx",
        "rm -rf /var/cache/pacman/pkg/* /var/lib/pacman/sync/*",
    )

    def may_fill(self, text: str) -> bool:
        return _CALL.search(text) is not None and not self.remedy.search(text)

    def fills(self, site: RunSite, tool: Tool) -> bool:
        return any(_SYNC.match(value or "") for value in tool.invocation.values) and not tool.given("cache-options")

    def empties(self, body: Body, managers: tuple[Tool, ...], last: Tool) -> bool:
        clean = _CLEAN.search(body.text, last.end)
        if clean is not None and not (clean["all"] and "--noconfirm" in clean["rest"]):
            return True
        return super().empties(body, managers, last)

    def command(self, site: RunSite, tool: Tool) -> tuple[str, ...]:
        words = ("rm", "-rf", "/var/cache/pacman/pkg/*")
        start = started(site.program, site.stage, site.facts).text
        if _INSTALLS_STALE.search(start) or _needs_databases(site.program, site.stage, site.position):
            return words
        return (*words, "/var/lib/pacman/sync/*")


def _needs_databases(program: Program, stage: Stage, position: int) -> bool:
    """Whether a later step installs without refreshing the databases, or may."""
    for step in stage.steps[position + 1 :]:
        for tool in tools(program, step):
            if tool.family == "pacman":
                for value in tool.invocation.values:
                    if value and _SYNC.match(value):
                        return "y" not in value and "--refresh" not in tool.invocation.values
    if index_reader(program, stage, position, "pacman")[1] is not None:
        return True
    return any(_needs_databases(program, child, -1) for child in program.children(stage))
