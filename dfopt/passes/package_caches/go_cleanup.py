from __future__ import annotations

import re

from dfopt.analysis.package_managers import tools
from dfopt.findings import Declares
from dfopt.passes.base import STAGES, Pass
from dfopt.passes.package_caches.clean_after import CleanAfter, starts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.analysis.package_managers import Tool
    from dfopt.facts import Facts
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage, Step


class GoCleanup(CleanAfter, Pass):
    """Empties Go's build cache, and where it is provably of no use the module cache, in the layer that filled them.

    A stage that compiles Go programs and is shipped itself keeps every compiled package under ~/.cache/go-build and the
    source of every module under $GOPATH/pkg/mod. This pass appends `go clean -cache`; and `-modcache` where this RUN
    downloaded the modules, nothing behind it can use Go, and the image starts something else.

    Why: a compiled program needs neither. Measured: 83 MB less for a program that imports net/http and nothing else.

    Example:

    ```dockerfile
    FROM golang:1.25
    COPY . /src
    WORKDIR /src
    RUN go build -o /usr/local/bin/server .
    CMD ["/usr/local/bin/server"]
    ```

    ```dockerfile
    FROM golang:1.25
    COPY . /src
    WORKDIR /src
    RUN go build -o /usr/local/bin/server . && go clean -cache -modcache
    CMD ["/usr/local/bin/server"]
    ```

    Refuses: where a later step or the image's command calls Go; where Go runs on a condition only, in a shell of its
    own, or is taken away by the end of the RUN; a background job or a comment at the end; a heredoc script that is not
    under `set -e`; ONBUILD. Does nothing in stages that only build for others, where the RUN cleans up in any spelling,
    or where a cache mount holds the caches. In an image without CMD and ENTRYPOINT the fix is `unsafe`.

    Declares: the RUN gains one command at its end.
    """

    name = "go-cleanup"
    group = "size"
    phase = "caches"
    triggers = ("go",)
    order = 32
    options = (STAGES,)
    family = "go"
    words = ("go ",)
    pattern = r"\bgo\s+(?:build|install|get|test)\b"
    what = "Go's cache"
    homes = ("/go", "golang")
    any_use = True
    declares = Declares(caches=("go",))

    def command(self, program: Program, stage: Stage, position: int, tool: Tool) -> tuple[str, ...]:
        words = (tool.one.path or "", "clean", "-cache")
        return (*words, "-modcache") if _modules_are_free(program, stage, position) else words

    def tier(
        self, program: Program, facts: Facts, stage: Stage, position: int, step: Step, tool: Tool
    ) -> tuple[str, str]:
        return (
            ("safe", "") if starts(program, stage) else ("unsafe", "the image starts nothing: it may be there to build")
        )


def _modules_are_free(program: Program, stage: Stage, position: int) -> bool:
    """Whether the module cache holds nothing of an earlier layer, and nothing that comes later can ask for it."""
    if any(tool.family == "go" for step in _before(program, stage, position) for tool in tools(program, step)):
        return False
    if program.children(stage) or stage is not program.final:
        return False
    started = False
    for step in stage.steps[position + 1 :]:
        if step.node.keyword == "RUN" and any(effect.kind == "opaque" for effect in program.effects(step)):
            return False
        if step.node.keyword in ("CMD", "ENTRYPOINT"):
            # what the image starts: a program by its path, no shell and no script
            first = step.node.arguments[0].value if step.node.form == "json" and step.node.arguments else ""
            if not first.startswith(("/", "./")) or re.search(r"\.\w+\Z|/(?:ba|da|a)?sh\Z|entrypoint", first):
                return False
            started = True
    return started


def _before(program: Program, stage: Stage, position: int) -> Iterator[Step]:
    if stage.parent is not None:
        parent = program.stages[stage.parent]
        yield from _before(program, parent, len(parent.steps))
    yield from stage.steps[:position]
