"""What the passes that keep caches out of layers share: who reads a cache later, what covers it, what cleans it."""

from __future__ import annotations

import re

from dfopt.analysis.package_managers import tools
from dfopt.analysis.run_steps import no_network, run_text
from dfopt.editing.layout import append_edit
from dfopt.ir.commands import MAYBE
from dfopt.ir.effects import covers
from dfopt.lazy import regex
from dfopt.passes.base import Option
from dfopt.rewrites.append_checks import append_operator
from dfopt.rewrites.core import AppendCommand, RewriteError, check_append
from dfopt.syntax.expand import Unknown
from dfopt.syntax.validate import mount_fields

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from dfopt.analysis.package_managers import Tool
    from dfopt.edit import Edit
    from dfopt.ir.commands import Invocation
    from dfopt.ir.program import Program
    from dfopt.ir.shell_body import Body
    from dfopt.ir.stages import Stage, Step

STAGES = Option("stages", "choice", "shipped", "only in stages that reach an image, or in all", ("shipped", "all"))
_HOMES = regex(r"/root|/home/[^/]+")
_DELETES = regex(r"\b(?:rm|find|rmdir|truncate|unlink|mv)\b")


def runs(program: Program, which: str, *words: str) -> Iterator[tuple[Stage, int, Step]]:
    """(stage, position in it, step) of each RUN, ONBUILD's too, whose text holds one of `words`; `which` is the value
    of the option STAGES."""
    shipped = program.shipped() if which == "shipped" else None
    for stage, position, step, text in program.runs():
        if shipped is None or stage.index in shipped:
            for word in words:
                if word in text:
                    yield stage, position, step
                    break


# --- mounts ----------------------------------------------------------------------------------------------------------


def mounted(program: Program, step: Step, paths: Iterable[str], word: str = "") -> bool:
    """Whether a mount covers one of the paths, so that what is written there never reaches the layer. A path in a home
    ("~/.npm") is covered in any home. A cache mount whose target holds `word` is taken for the one meant."""
    for flag in step.effective.flags:
        if flag.name == "mount" and flag.value:
            fields = [field.partition("=") for field in mount_fields(flag.value)]
            kind = next((value for key, _, value in fields if key.lower() == "type"), "bind")
            for key, _, value in fields:
                if key.lower() not in ("target", "dst", "destination"):
                    continue
                known = program.scope(step).expand(value, program.dockerfile.escape)
                target = (value if isinstance(known, Unknown) else known).rstrip("/") or "/"
                if word and kind == "cache" and word in target:
                    return True
                if any(_covers_path(target, path) for path in paths):
                    return True
    return False


def _covers_path(target: str, path: str) -> bool:
    if not path.startswith("~/"):
        return covers(target, path)
    if _HOMES.fullmatch(target):
        return True
    parts = path[2:].split("/")
    return any(target.endswith("/" + "/".join(parts[:count])) for count in range(1, len(parts) + 1))


# --- later readers ---------------------------------------------------------------------------------------------------


def index_reader(program: Program, stage: Stage, position: int, family: str) -> tuple[Step | None, Step | None]:
    """Of the steps behind `position`, in this stage and in those built FROM it: (the first that reads the family's
    package index as this step leaves it, the first that cannot be seen into)."""
    opaque: Step | None = None
    for step in stage.steps[position + 1 :]:
        for effect in program.effects(step):
            if effect.kind == "refreshes" and effect.path == family and effect.where != MAYBE:
                return None, opaque
            if effect.kind == "reads-index" and effect.path == family:
                return step, opaque
            if effect.kind == "opaque":
                opaque = opaque or step
    for child in program.children(stage):
        later, unclear = index_reader(program, child, -1, family)
        if later is not None:
            return later, opaque
        opaque = opaque or unclear
    return None, opaque


def cache_reader(program: Program, stage: Stage, position: int, tool: Tool, *, any_use: bool = False) -> Step | None:
    """The first step that needs the cache which `tool` leaves: one that works offline, names the cache without
    deleting it, or copies it out of this stage. With `any_use`, also one that calls the family's program at all."""
    traces = re.compile(tool.facts["traces"]) if "traces" in tool.facts else None
    holders = {stage.index}
    for _, step in _behind(program, stage, position, holders):
        if _reads(program, step, tool, traces, any_use):
            return step
    paths = (*tool.facts.get("cache", ()), *tool.facts.get("cache-links", ()))
    for other in program.stages:
        for step in other.steps:
            for reference, source in _taken(step):
                if (
                    program.stage_named(reference, other.index) in holders
                    and source != "/"
                    and (
                        any(_overlap(source, path) for path in paths) or (traces is not None and traces.search(source))
                    )
                ):
                    return step
    return None


def _behind(program: Program, stage: Stage, position: int, holders: set[int]) -> Iterator[tuple[Stage, Step]]:
    for step in stage.steps[position + 1 :]:
        yield stage, step
    for child in program.children(stage):
        holders.add(child.index)
        yield from _behind(program, child, -1, holders)


def _reads(program: Program, step: Step, tool: Tool, traces: re.Pattern[str] | None, any_use: bool) -> bool:
    node = step.effective
    if node.keyword not in ("RUN", "COPY", "ADD", "CMD", "ENTRYPOINT", "HEALTHCHECK", "VOLUME"):
        return False
    offline = tool.facts.get("offline", ())
    if node.keyword == "RUN":
        same = [other for other in tools(program, step) if other.family == tool.family]
        closed = no_network(node)
        for other in same:
            if any_use and "cache" not in other.does.get("cleans", ()):
                return True
            if (
                other.one.has_option(*offline)
                or other.does.get("reads-cache")
                or (closed and other.does.get("installs"))
            ):
                return True
    text = run_text(program, step)
    if node.keyword in ("CMD", "ENTRYPOINT", "HEALTHCHECK"):
        if any(option in text for option in offline if option.startswith("--")):
            return True
        if any_use and re.search(rf"(?<![\w./-]){re.escape(tool.one.program or '')}(?![\w-])", text[node.at :]):
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
        elif flag.name == "mount" and flag.value:
            found = {key.lower(): value for key, _, value in (f.partition("=") for f in mount_fields(flag.value))}
            if "from" in found:
                yield found["from"], "/" + found.get("source", found.get("src", "/")).strip("/")


def _overlap(source: str, path: str) -> bool:
    if not path.startswith("~/"):
        return covers(source, path) or covers(path, source)
    return _HOMES.fullmatch(source) is not None or path[1:] in source + "/" or _covers_path(source, path)


# --- cleaning --------------------------------------------------------------------------------------------------------


def cleaned(body: Body, found: Sequence[Tool], last: Tool) -> bool:
    """Whether the step already empties the cache behind `last`, in any spelling."""
    for tool in found:
        if tool.family == last.family and tool.one.node.start > last.one.node.start and tool.does.get("cleans"):
            return True
    tail = body.text[last.end :]
    traces = last.facts.get("traces")
    return "trap" in body.text or (
        traces is not None and re.search(traces, tail) is not None and _DELETES.search(tail) is not None
    )


# wrappers that change neither the user nor the environment, so that what follows need not be wrapped
_PLAIN = frozenset(
    ("command", "builtin", "time", "timeout", "nice", "ionice", "nohup", "stdbuf", "eatmydata", "chronic", "retry",
     "setarch", "linux32", "xargs", "env")
)  # fmt: skip
_CACHE_PLACE = regex(r"HOME\Z|XDG_CACHE_HOME\Z|.*cache", re.I)


def appended(program: Program, step: Step, one: Invocation, words: tuple[str, ...]) -> tuple[Edit, AppendCommand]:
    """The edit, and its declaration, that runs `words` at the end of a RUN, as the user that `one` runs as. Raises
    RewriteError with what stands against it."""
    body = program.body(step)
    if step.node.keyword == "ONBUILD":
        raise RewriteError("what follows in the image built on this one is not known")
    if body.form == "mixed":
        raise RewriteError("the command line carries heredocs")
    if one.nested:
        raise RewriteError(f"{one.program} runs in a string that is given to another shell")
    assigned = [assignment.name for assignment in one.node.assignments]
    if "env" in one.wrappers or "sudo" in one.wrappers:
        assigned += [word.value.partition("=")[0] for word in one.node.words if word.value and "=" in word.value]
    if any(_CACHE_PLACE.match(name) for name in assigned if not name.startswith("-")):
        raise RewriteError(f"{one.program} is given another place for its cache")
    changing = [name for name in one.wrappers if name not in _PLAIN]
    prefix: tuple[str, ...] = ()
    if changing:
        options = _sudo_options(one) if changing == ["sudo"] else None
        if options is None or any(option not in ("-E", "-H", "-n") for option in options):
            under = " ".join(one.wrappers)
            raise RewriteError(f"{one.program} runs under {under}: how to clean up as it does is unclear")
        prefix = ("sudo", *options)
    operator = append_operator(body)
    check_append(body, operator)
    words = (*prefix, *words)
    return append_edit(program, step, body, " ".join(words), operator), AppendCommand(step.index, words, operator)


def _sudo_options(one: Invocation) -> tuple[str, ...] | None:
    """The options of sudo; None where one is not a fixed string."""
    values = [word.value for word in one.node.words]
    at = next((i for i, value in enumerate(values) if value and value.rpartition("/")[2] == "sudo"), None)
    if at is None:
        return None
    found: list[str] = []
    for value in values[at + 1 :]:
        if value is None:
            return None
        if not value.startswith("-"):
            break
        found.append(value)
    return tuple(found)
