"""Package caches and indexes: which mount keeps one out of a layer, who reads one later, which step empties one."""

from __future__ import annotations

import re
from bisect import bisect_right

from dfopt.analysis.package_managers import tools, works_offline
from dfopt.analysis.run_steps import run_text
from dfopt.ir.commands import MAYBE
from dfopt.ir.effects import covers, overlap
from dfopt.lazy import regex
from dfopt.syntax.expand import Unknown
from dfopt.syntax.mounts import mounts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from dfopt.analysis.package_managers import Tool
    from dfopt.ir.program import Program
    from dfopt.ir.shell_body import Body
    from dfopt.ir.stages import Stage, Step

STARTS = ("CMD", "ENTRYPOINT", "HEALTHCHECK")  # instructions that start programs in the image
_HOMES = regex(r"/root|/home/[^/]+")
_DELETES = regex(r"\b(?:rm|find|rmdir|truncate|unlink|mv)\b")


def is_mounted(program: Program, step: Step, paths: Iterable[str], word: str = "") -> bool:
    """Whether a mount covers one of the paths, so that what is written there never reaches the layer. A path in a home
    ("~/.npm") is covered in any home. A cache mount whose target holds `word` is taken for the one meant."""
    for mount in mounts(step.effective):
        expanded = program.scope(step).expand(mount.target, program.dockerfile.escape)
        target = (mount.target if isinstance(expanded, Unknown) else expanded).rstrip("/") or "/"
        if word and mount.kind == "cache" and word in target:
            return True
        if mount.target and any(_covers_path(target, path) for path in paths):
            return True
    return False


def _covers_path(target: str, path: str) -> bool:
    if not path.startswith("~/"):
        return covers(target, path)
    if _HOMES.fullmatch(target):
        return True
    parts = path[2:].split("/")
    return any(target.endswith("/" + "/".join(parts[:count])) for count in range(1, len(parts) + 1))


def index_reader(program: Program, stage: Stage, position: int, family: str) -> tuple[Step | None, Step | None]:
    """Of the steps after `position`, in this stage and in those built FROM it: (the first that reads the family's
    package index as this step leaves it, the first that runs an opaque command)."""
    opaque: Step | None = None
    waiting = [(stage, position + 1)]
    while waiting:
        here, first = waiting.pop()
        for step in here.steps[first:]:
            outcome, opaque = _index_outcome(program, step, family, opaque)
            if outcome == "reads":
                return step, opaque
            if outcome == "refreshes":
                break
        else:
            waiting += [(child, 0) for child in reversed(program.children(here))]
    return None, opaque


def _index_outcome(program: Program, step: Step, family: str, opaque: Step | None) -> tuple[str, Step | None]:
    """Whether a step "reads" the index or "refreshes" it before it could, and the first opaque step so far."""
    for effect in program.effects(step):
        if effect.kind == "refreshes" and effect.path == family and effect.where != MAYBE:
            return "refreshes", opaque
        if effect.kind == "reads-index" and effect.path == family:
            return "reads", opaque
        if effect.kind == "opaque":
            opaque = opaque or step
    if step.node.keyword == "RUN" and program.body(step).program is None:
        # what is not understood may install; an update that && ties to it comes first in any reading
        text, call = run_text(program, step), rf"\b{family}\b[^;&|\n]*\b"
        if re.search(rf"{call}(?:install|add)\b", text) and not re.search(rf"{call}update\b[^;&|]{{0,400}}&&", text):
            return "reads", opaque
    return "", opaque


def cache_reader(
    program: Program, stage: Stage, position: int, tool: Tool, used_by: Collection[str] = ()
) -> Step | None:
    """The first step that needs the cache which `tool` leaves: one that works offline, names the cache without
    deleting it, or copies it out of this stage; also an instruction of the keywords `used_by` that calls the family's
    program at all."""
    key = ("cache readers", tool.invocation.program, frozenset(used_by))
    return program.once(key, _Readers, tool, used_by).behind(program, stage, position)


class _Readers:
    """The steps of a program that need the cache of one package manager, found once. The program keeps it, so that it
    does not hold the program in turn."""

    __slots__ = ("_copies", "_in_stage", "tool", "traces", "used_by")

    def __init__(self, tool: Tool, used_by: Collection[str]) -> None:
        self.tool = tool
        self.used_by = used_by
        self.traces = re.compile(tool.facts["traces"]) if "traces" in tool.facts else None
        self._in_stage: dict[int, list[int]] = {}  # of each stage, the positions of its readers
        self._copies: dict[int, Step] | None = None  # of each stage, the first step that copies the cache out of it

    def behind(self, program: Program, stage: Stage, position: int) -> Step | None:
        copied: list[Step] = []
        for holder in program.family(stage):
            positions = self.in_stage(program, holder)
            index = bisect_right(positions, position) if holder is stage else 0
            if index < len(positions):
                return holder.steps[positions[index]]
            step = self.copies(program).get(holder.index)
            if step is not None:
                copied.append(step)
        return min(copied, key=lambda step: step.index, default=None)

    def in_stage(self, program: Program, stage: Stage) -> list[int]:
        positions = self._in_stage.get(stage.index)
        if positions is None:
            positions = self._in_stage[stage.index] = [
                position
                for position, step in enumerate(stage.steps)
                if _reads(program, step, self.tool, self.traces, self.used_by)
            ]
        return positions

    def copies(self, program: Program) -> dict[int, Step]:
        if self._copies is None:
            self._copies = {}
            paths = (*self.tool.facts.get("cache", ()), *self.tool.facts.get("cache-links", ()))
            for stage in program.stages:
                for step in stage.steps:
                    for reference, source in _taken(step):
                        holder = program.stage_named(reference, stage.index)
                        if holder is not None and source != "/" and self.holds(source, paths):
                            self._copies.setdefault(holder, step)
        return self._copies

    def holds(self, source: str, paths: Iterable[str]) -> bool:
        traces = self.traces
        named = traces is not None and traces.search(source) is not None
        return named or any(_overlap(source, path) for path in paths)


def _reads(program: Program, step: Step, tool: Tool, traces: re.Pattern[str] | None, used_by: Collection[str]) -> bool:
    node = step.effective
    if node.keyword not in ("RUN", "COPY", "ADD", "CMD", "ENTRYPOINT", "HEALTHCHECK", "VOLUME"):
        return False
    offline = tool.facts.get("offline", ())
    if node.keyword == "RUN":
        for other in tools(program, step):
            if other.family != tool.family:
                continue
            if "RUN" in used_by and "cache" not in other.does.get("cleans", ()):
                return True
            fetches = other.does.get("installs") or other.does.get("caches")
            if other.does.get("reads-cache") or other.given("offline"):
                return True
            if fetches and works_offline(program, step, other):
                return True
    text = run_text(program, step)
    if node.keyword in STARTS:
        if any(option in text for option in offline if option.startswith("--")):
            return True
        call = rf"(?<![\w./-]){re.escape(tool.invocation.program or '')}(?![\w-])"
        if node.keyword in used_by and re.search(call, text[node.at :]):
            return True
    if traces is None or not traces.search(text):
        return False
    if node.keyword != "RUN":
        return True
    from dfopt.rewrites.cache_mounts import without_rm

    return bool(traces.search(without_rm(program, step, text)))


def _taken(step: Step) -> Iterator[tuple[str, str]]:
    """(stage reference, path in it) of COPY --from and RUN --mount=from=."""
    node = step.effective
    for flag in node.flags:
        if flag.name == "from" and flag.value:
            for argument in node.arguments[:-1]:
                yield flag.value, "/" + argument.value.strip("/")
    for mount in mounts(node):
        if mount.image:
            yield mount.image, "/" + mount.source.strip("/")


def _overlap(source: str, path: str) -> bool:
    if not path.startswith("~/"):
        return overlap(source, path)
    return _HOMES.fullmatch(source) is not None or path[1:] in source + "/" or _covers_path(source, path)


def empties_cache(body: Body, managers: Sequence[Tool], last: Tool) -> bool:
    """Whether the step already empties the cache after `last`, in any spelling."""
    for tool in managers:
        if tool.family == last.family and tool.start > last.start and tool.does.get("cleans"):
            return True
    tail = body.text[last.end :]
    traces = last.facts.get("traces")
    return "trap" in body.text or (
        traces is not None and re.search(traces, tail) is not None and _DELETES.search(tail) is not None
    )
