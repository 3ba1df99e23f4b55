"""What is known about paths at a step: whether a directory is there, whether a path is new, what a COPY writes."""

from __future__ import annotations

from dfopt.analysis.executed_paths import is_run
from dfopt.facts import NO_FACTS
from dfopt.ir.base_images import split_image
from dfopt.ir.commands import TOP
from dfopt.ir.effects import covers
from dfopt.ir.liveness import layer_steps
from dfopt.ir.scopes import join_path
from dfopt.knowledge import table
from dfopt.lazy import regex
from dfopt.record import Record
from dfopt.rewrites.cache_mounts import mount_targets, paths_overlap
from dfopt.rewrites.copy_mode import destination
from dfopt.syntax.expand import Unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.facts import Facts
    from dfopt.ir.commands import Invocation
    from dfopt.ir.effects import Effect
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Step

FILE = regex(r"[^./]\.[A-Za-z]\w{0,4}\Z")
_GLOBS = frozenset("*?[$\\\"'")


class Copied(Record):
    """What a COPY (or the ADD of one URL) puts into the image.

    target   the path of what it copies: of one file the file itself
    single   it is one file: True, False for a directory's content, None not known
    sources  the sources as written
    """

    target: str
    single: bool | None
    sources: tuple[str, ...]


def before(program: Program, step: Step) -> list[Step]:
    """The steps whose layers `step` stands on."""
    return [earlier for earlier in layer_steps(program, program.stages[step.stage]) if earlier.index < step.index]


def is_there(program: Program, step: Step, path: str) -> bool:
    """Whether a directory is there for certain when `step` begins: the base has it, or WORKDIR or mkdir made it."""
    facts = table("base_paths")
    scope = program.scope(step)
    family = scope.base.family if scope.base is not None else ""
    if path == "/" or (family in facts["families"] and path in facts["present"]):
        return True
    for earlier in before(program, step):
        if earlier.node.keyword == "WORKDIR":
            earlier_scope = program.scope(earlier)
            to = join_path(
                earlier_scope.workdir, earlier_scope.expand(earlier.node.arguments[0].value, program.dockerfile.escape)
            )
            if isinstance(to, str) and covers(path, to):
                return True
        if earlier.node.keyword == "RUN" and any(
            effect.kind == "creates" and effect.program == "mkdir" and effect.where == TOP and effect.path == path
            for effect in program.effects(earlier)
        ):
            return True
    return False


def is_new(program: Program, step: Step, path: str, made_by: Step | None = None) -> bool:
    """Whether nothing is at `path` for certain when `step` begins; `made_by` is a WORKDIR that made it empty."""
    return place_of(program, step, path, made_by) == NEW


NEW, TAKEN, UNKNOWN = "new", "taken", "unknown"


def place_of(program: Program, step: Step, path: str, made_by: Step | None = None) -> str:
    """What is at `path` when `step` begins: NEW (nothing, for certain), TAKEN (something, as the file or the table of
    bases says), UNKNOWN (nothing says so, but the base, or a program that nobody knows, may have put something there).
    `made_by` is a WORKDIR that made it empty."""
    facts = table("base_paths")
    scope = program.scope(step)
    repository, _ = split_image(scope.image or "")
    top = path.split("/")[1]
    temporary = covers("/tmp", path) and path != "/tmp"
    place = NEW
    if (not temporary and (repository not in facts["plain"] or top in facts["standard"])) or scope.base is None:
        place = UNKNOWN
    if path in facts["present"] or any(paths_overlap(path, own) for own in facts["own"].get(repository, ())):
        return TAKEN
    for earlier in before(program, step):
        node = earlier.node
        if node.keyword == "ONBUILD" or earlier is made_by:
            continue
        if node.keyword in ("COPY", "ADD"):
            if another_file(program, earlier, path):
                continue
            what = copied(program, earlier, None)
            target = what.target if what is not None else destination(program, earlier)
            if target is None:
                place = UNKNOWN
            elif paths_overlap(target, path):
                return TAKEN
        elif node.keyword == "RUN":
            if any(there is not None and covers(there, path) for there in mount_targets(program, earlier)):
                continue  # what is there is not in the layer
            if program.body(earlier).program is None:
                place = UNKNOWN
                continue
            if path in program.body(earlier).text or any(
                covers(path, effect.path) for effect in program.effects(earlier)
            ):
                return TAKEN
            if any(effect.kind == "opaque" for effect in program.effects(earlier)):
                place = UNKNOWN
        elif node.keyword == "WORKDIR":
            to = destination(program, earlier)
            if to is None:
                place = UNKNOWN
            elif covers(path, to):
                return TAKEN
        elif node.keyword == "VOLUME" and any(covers(path, volume) for volume in _volumes(program, earlier)):
            return TAKEN  # the classic builder and buildah make its directory
    return place


def _volumes(program: Program, step: Step) -> list[str]:
    """The directories that a VOLUME names, as far as they are known."""
    scope = program.scope(step)
    paths = [
        join_path(scope.workdir, scope.expand(argument.value, program.dockerfile.escape))
        for argument in step.node.arguments
    ]
    return [path for path in paths if isinstance(path, str)]


def may_be_directory(program: Program, step: Step, path: str) -> bool:
    """Whether a directory may be at `path` when `step` begins, so that a COPY to this path goes into it.

    An earlier instruction made one there (WORKDIR, VOLUME, COPY, a command of a RUN that names it); or nothing in the
    file tells what the base image has there, and the path does not name a file by its extension."""
    if is_there(program, step, path) or _made_below(program, step, path):
        return True
    facts = table("base_paths")
    above, _, name = path.rpartition("/")
    if FILE.search(name) and not name.endswith(tuple(facts["directory-endings"])):
        return False
    place = place_of(program, step, path)
    if place == TAKEN:
        return not _copied_there(program, step, path)
    repository, _ = split_image(program.scope(step).image or "")
    return place == UNKNOWN and (repository not in facts["plain"] or above not in facts["flat"])


def _made_below(program: Program, step: Step, path: str) -> bool:
    """Whether an instruction before `step` puts something into `path`, or declares it to be a directory."""
    below = path.rstrip("/") + "/"
    for other in before(program, step):
        node = other.node
        if node.keyword in ("COPY", "ADD", "WORKDIR"):
            target = destination(program, other)
            if target is not None and (target.startswith(below) or (target == path and _into_directory(other))):
                return True
        elif node.keyword == "VOLUME":
            if any(covers(path, volume) for volume in _volumes(program, other)):
                return True
        elif node.keyword == "RUN":
            if any(
                effect.kind == "creates" and (effect.path.startswith(below) or _makes_directory(effect, path))
                for effect in program.effects(other)
            ):
                return True
            if any(
                invocation.program in ("useradd", "adduser", "usermod") and path in _homes(invocation)
                for invocation in program.run_commands(other).invocations
            ):
                return True
    return False


def _into_directory(step: Step) -> bool:
    """Whether a COPY's destination is a directory by its form: a final slash, several sources, or a directory."""
    words = [argument.value for argument in step.node.arguments]
    return words[-1].endswith(("/", "/.")) or len(words) > 2 or words[0] in (".", "./") or words[0].endswith("/")


def _makes_directory(effect: Effect, path: str) -> bool:
    return effect.path == path and effect.program in ("mkdir", "git", "tar", "unzip")


def _homes(invocation: Invocation) -> Iterator[str]:
    """The directories that a command which makes an account may make: its home."""
    for value in invocation.values:
        if value is not None and not value.startswith("-"):
            yield value.rstrip("/") if value.startswith("/") else f"/home/{value}"
        elif value is not None and "=" in value:
            yield value.partition("=")[2].rstrip("/")


def _copied_there(program: Program, step: Step, path: str) -> bool:
    """Whether all that instructions before `step` say of `path` is that a file is copied to it."""
    return not any(
        path in program.body(other).text or any(covers(path, effect.path) for effect in program.effects(other))
        for other in before(program, step)
        if other.node.keyword == "RUN"
    ) and not any(
        other.node.keyword == "WORKDIR" and (target := destination(program, other)) is not None and covers(path, target)
        for other in before(program, step)
    )


def another_file(program: Program, step: Step, path: str) -> bool:
    """Whether a COPY into a directory copies nothing but files, by their extensions, of other names than that of
    `path`."""
    if step.node.keyword != "COPY" or step.heredocs or step.node.arguments[-1].value[-1:] not in "/.":
        return False
    sources = [argument.value for argument in step.node.arguments[:-1]]
    name = path.rpartition("/")[2]
    return all(
        FILE.search(source) and not _GLOBS & set(source) and source.rpartition("/")[2] != name for source in sources
    )


def copied(program: Program, step: Step, facts: Facts | None) -> Copied | None:
    """What a COPY or ADD writes; None where that is not known (variables, globs, several sources, heredocs)."""
    key = "copied", step.index, facts
    if key not in program.derived:
        program.derived[key] = _copied(program, step, facts)
    known: Copied | None = program.derived[key]
    return known


def _copied(program: Program, step: Step, facts: Facts | None) -> Copied | None:
    node = step.node
    if node.keyword not in ("COPY", "ADD") or step.heredocs or len(node.arguments) != 2:
        return None
    scope = program.scope(step)
    source, to = node.arguments[0].value, scope.expand(node.arguments[1].value, program.dockerfile.escape)
    target = join_path(scope.workdir, to)
    if isinstance(target, Unknown) or isinstance(to, Unknown) or _GLOBS & set(source):
        return None
    into = to.endswith(("/", "/.", "/..")) or to in (".", "..")
    url = "://" in source
    if node.keyword == "ADD" and (not url or into or source.startswith("git@") or ".git" in source):
        return None
    name = source.rstrip("/").rpartition("/")[2]
    single: bool | None = True if url else None
    paths = facts.context_paths() if facts is not None and node.flag("from") is None and not url else None
    if paths is not None:
        source_path = join_path("/", "/" + source)
        assert isinstance(source_path, str)
        if source_path[1:] in paths:
            single = True
        elif source_path == "/" or any(path.startswith(source_path[1:] + "/") for path in paths):
            single = False
    if source in (".", "./", "/") or source.endswith(("/", "/.")):
        single = False
    if into and single is True:
        target = join_path(target, name)
        assert isinstance(target, str)
    if into and single is None and name:
        return Copied(target, None, (source,))
    return Copied(target, single, (source,))


def source_kind(step: Step, facts: Facts, source: str) -> bool | None:
    """Whether a source of a COPY is one file (True) or a directory (False), as the build context says, else its name;
    None where it is not known."""
    paths = facts.context_paths() if step.node.flag("from") is None else None
    clean = join_path("/", "/" + source)
    if paths is not None and isinstance(clean, str):
        if clean[1:] in paths:
            return True
        if clean == "/" or any(path.startswith(clean[1:] + "/") for path in paths):
            return False
    if source in (".", "./", "/") or source.endswith(("/", "/.")):
        return False
    named = tuple(table("base_paths")["directory-endings"])
    return True if FILE.search(source) and not _GLOBS & set(source) and not source.endswith(named) else None


def as_file(program: Program, step: Step, facts: Facts, path: str) -> bool:
    """Whether a COPY puts one file at exactly `path`, where a command needs something to be there: into a directory
    that is given with a final slash, a directory's content would come without the directory's name. That a directory
    is called as the file is excluded where that name has an extension, or where the stage runs the path."""
    key = "as file", step.index, facts, path
    if key not in program.derived:
        program.derived[key] = _as_file(program, step, facts, path)
    known: bool = program.derived[key]
    return known


def _as_file(program: Program, step: Step, facts: Facts, path: str) -> bool:
    copied_file = copied(program, step, facts)
    if copied_file is None or copied_file.single is False:
        return False
    to, source = step.node.arguments[1].value, copied_file.sources[0].rstrip("/")
    into = to.endswith("/") or to in (".", "./")
    if (
        not into
        and copied_file.target == path
        and not is_run(program, step, path)
        and may_be_directory(program, step, path)
    ):
        return False
    if copied_file.single:
        return copied_file.target == path
    target = f"{copied_file.target.rstrip('/')}/{source.rpartition('/')[2]}" if into else copied_file.target
    if target != path:
        return False
    if (into and FILE.search(source)) or source_kind(step, NO_FACTS, source):
        return True
    return is_run(program, step, path)
