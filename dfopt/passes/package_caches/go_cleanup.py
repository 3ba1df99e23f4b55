from __future__ import annotations

import re

from dfopt.analysis.package_managers import tools
from dfopt.ir.liveness import layer_steps
from dfopt.passes.base import Pass
from dfopt.passes.package_caches.engine import CleanupRow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.analysis.package_managers import Tool
    from dfopt.analysis.run_steps import RunSite
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage


class GoCleanup(CleanupRow, Pass):
    """Empties Go's build cache, and where it is provably of no use the module cache, in the layer that filled them.

    A stage that compiles Go programs and is shipped itself keeps every compiled package under ~/.cache/go-build and the
    source of every module under $GOPATH/pkg/mod. This pass appends `go clean -cache`; and `-modcache` where this RUN
    downloaded the modules, nothing after it can use Go, and the image starts something else.

    Why: a compiled program needs neither. Measured: 83 MB less for a program that imports net/http and nothing else.
    """

    family = "go"
    words = ("go ",)
    cache_name = "Go's cache"
    own_paths = ("/go", "golang")
    any_use = True
    refuses = (
        "Refuses as well Go before 1.10, which has no build cache. A RUN that only checks (`go vet`, `go test`) is "
        "cleaned although a later RUN builds: that one compiles again what both need."
    )
    example = (
        "FROM golang:1.25\nCOPY . /src\nWORKDIR /src\nRUN go build -o /usr/local/bin/server .\n"
        'CMD ["/usr/local/bin/server"]',
        "go clean -cache -modcache",
    )

    def command(self, site: RunSite, tool: Tool) -> tuple[str, ...]:
        words = (tool.invocation.path or "", "clean", "-cache")
        return (*words, "-modcache") if _modules_are_free(site.program, site.stage, site.position) else words


def _modules_are_free(program: Program, stage: Stage, position: int) -> bool:
    """Whether the module cache holds nothing of an earlier layer, and nothing that comes later can ask for it. (Go
    before 1.11 has no modules.)"""
    if re.search(r"\bgo(?:lang:)?1\.10\b", program.text):
        return False
    here = stage.steps[position].index
    earlier = [step for step in layer_steps(program, stage) if step.index < here]
    if any(tool.family == "go" for step in earlier for tool in tools(program, step)):
        return False
    if program.children(stage) or stage is not program.final:
        return False
    starts_a_program = False
    for step in stage.steps[position + 1 :]:
        if any(tool.family == "go" for tool in tools(program, step)):
            return False
        if step.node.keyword == "RUN" and any(effect.kind == "opaque" for effect in program.effects(step)):
            return False
        if step.node.keyword in ("CMD", "ENTRYPOINT"):
            # what the image starts: a program by its path, no shell and no script
            first = step.node.arguments[0].value if step.node.form == "json" and step.node.arguments else ""
            if not first.startswith(("/", "./")) or re.search(r"\.\w+\Z|/(?:ba|da|a)?sh\Z|entrypoint", first):
                return False
            starts_a_program = True
    return starts_a_program
