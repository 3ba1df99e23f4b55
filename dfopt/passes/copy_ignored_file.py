from __future__ import annotations

from dfopt.facts import Facts
from dfopt.findings import Finding
from dfopt.ir.context_sources import context_sources
from dfopt.passes.base import Pass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.ir.program import Program


class CopyIgnoredFile(Pass):
    """Finds COPY, ADD and bind mounts of a file that .dockerignore keeps out of the build context.

    Looks at the files beside the Dockerfile, or in the context that `--context` names. A directory that is left out but
    for some of its files is there.

    Why: the build fails with "not found", though the file is there for everybody to see.

    Example:

    ```dockerfile
    FROM nginx:1.29
    COPY dist/index.html /usr/share/nginx/html/
    ```

    Reported where .dockerignore says `dist`; whether that line or the COPY is wrong, only the author knows.

    Refuses: nothing. Wildcards, variables and ONBUILD are left alone, and everything where the context is not known.

    Declares: nothing; it is a suggestion.
    """

    name = "copy-ignored-file"
    group = "correct"
    tiers = ()
    phase = "repair"
    codes = ("CopyIgnoredFile",)
    triggers = ("copy", "add", "mount")
    order = 30

    def find(self, program: Program, facts: Facts) -> Iterator[Finding]:
        if not facts.knows("context_leaves_out"):
            return
        for source in context_sources(program):
            if source.path and not source.wildcard and not source.onbuild and facts.context_leaves_out(source.path):
                node = source.step.node
                message = f".dockerignore keeps {source.path} out of the build context: {source.keyword} finds none"
                yield Finding(self.name, message, node.start, node.end)
