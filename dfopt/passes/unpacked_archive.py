from __future__ import annotations

from dfopt.facts import Facts
from dfopt.findings import Finding
from dfopt.ir.scopes import join_path
from dfopt.knowledge import table
from dfopt.lazy import regex
from dfopt.passes.base import Pass
from dfopt.syntax.expand import Unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage, Step

_EXTRACTS = regex(r"-{0,2}(?:extract|get|[a-wyzA-Z]*x[a-zA-Z]*)\Z")


class UnpackedArchive(Pass):
    """Finds a tar archive that a COPY brings from the build context and a later RUN unpacks.

    ADD unpacks it on its way: no layer holds the archive then. A bind mount (`RUN --mount=type=bind`) does so as well,
    where the RUN does more than to unpack it.

    Why: the archive stays in the COPY's layer, even where the RUN deletes it.

    Example:

    ```dockerfile
    FROM debian:13
    COPY tool.tar.gz /tmp/
    RUN tar -xzf /tmp/tool.tar.gz -C /opt && rm /tmp/tool.tar.gz
    ```

    Reported, not changed: ADD unpacks all of an archive, and keeps the owners that it names.

    Refuses: nothing. Archives from stages and from elsewhere are left alone.

    Declares: nothing; it is a suggestion.
    """

    name = "unpacked-archive"
    group = "size"
    tiers = ()
    phase = "repair"
    codes = ("DL3010",)
    triggers = ("tar",)
    order = 93

    def find(self, program: Program, facts: Facts) -> Iterator[Finding]:
        for stage in program.stages:
            for step in stage.steps:
                node = step.node
                if node.keyword != "COPY" or node.flag("from") is not None or node.heredocs:
                    continue
                for path in _archives(program, step):
                    later = _unpacking(program, stage, step, path)
                    if later is not None:
                        message = f"line {later.node.line} unpacks {path}, which stays in this layer: ADD unpacks it"
                        yield Finding(self.name, message, node.start, node.end)


def _archives(program: Program, step: Step) -> Iterator[str]:
    """The paths to which a COPY brings archives, by their names."""
    scope, node = program.scope(step), step.node
    words = [scope.expand(argument.value, program.dockerfile.escape) for argument in node.arguments]
    target = join_path(scope.workdir, words[-1])
    if isinstance(target, Unknown) or isinstance(words[-1], Unknown):
        return
    suffixes = table("archives")["tar"]
    for word in words[:-1]:
        name = "" if isinstance(word, Unknown) else word.rpartition("/")[2]
        suffix = name.rpartition(".")[2].lower()
        if suffix not in suffixes or not (".tar." in name or suffix in ("tar", "tgz", "tbz", "tbz2", "txz")):
            continue
        into = words[-1].endswith("/") or words[-1] == "." or target.rpartition("/")[2] != name
        yield join_path(target, name) if into and not target.endswith(f".{suffix}") else target  # type: ignore[misc]


def _unpacking(program: Program, stage: Stage, step: Step, path: str) -> Step | None:
    """The first RUN after a step that unpacks a path by tar."""
    for later in stage.steps:
        if later.index <= step.index or later.node.keyword != "RUN" or "tar" not in later.node.joined.text:
            continue
        directory: str | Unknown = program.scope(later).workdir
        for invocation in program.commands(later).invocations:
            values = invocation.values
            if invocation.program == "cd" and values:
                directory = join_path(directory, values[0] or "") if values[0] else join_path("/", "")
            if invocation.program != "tar" or not values or not any(_EXTRACTS.match(value or "") for value in values):
                continue
            if any(value and join_path(directory, value) == path for value in values):
                return later
    return None
