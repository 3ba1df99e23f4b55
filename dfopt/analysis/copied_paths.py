"""What is known about paths at a step: whether a directory is there, whether a path is new, what a COPY writes."""

from __future__ import annotations

from dfopt.analysis.executed_paths import is_run
from dfopt.facts import NO_FACTS
from dfopt.ir.base_images import split_image
from dfopt.ir.commands import TOP
from dfopt.ir.effects import covers
from dfopt.ir.liveness import chain
from dfopt.ir.scopes import join_path
from dfopt.knowledge import table
from dfopt.lazy import regex
from dfopt.record import Record
from dfopt.rewrites.cache_mounts import mount_targets, overlap
from dfopt.rewrites.copy_mode import written
from dfopt.syntax.expand import Unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.facts import Facts
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
    return [one for one in chain(program, program.stages[step.stage]) if one.index < step.index]


def is_there(program: Program, step: Step, path: str) -> bool:
    """Whether a directory is there for certain when `step` begins: the base has it, or WORKDIR or mkdir made it."""
    facts = table("base_paths")
    scope = program.scope(step)
    family = scope.base.family if scope.base is not None else ""
    if path == "/" or (family in facts["families"] and path in facts["present"]):
        return True
    for one in before(program, step):
        if one.node.keyword == "WORKDIR":
            made = program.scope(one)
            to = join_path(made.workdir, made.expand(one.node.arguments[0].value, program.dockerfile.escape))
            if isinstance(to, str) and covers(path, to):
                return True
        if one.node.keyword == "RUN" and any(
            effect.kind == "creates" and effect.program == "mkdir" and effect.where == TOP and effect.path == path
            for effect in program.effects(one)
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
    found = NEW
    if (not temporary and (repository not in facts["plain"] or top in facts["standard"])) or scope.base is None:
        found = UNKNOWN
    if path in facts["present"] or any(overlap(path, own) for own in facts["own"].get(repository, ())):
        return TAKEN
    for one in before(program, step):
        node = one.node
        if node.keyword == "ONBUILD" or one is made_by:
            continue
        if node.keyword in ("COPY", "ADD"):
            if another_file(program, one, path):
                continue
            what = copied(program, one, None)
            target = what.target if what is not None else written(program, one)
            if target is None:
                found = UNKNOWN
            elif overlap(target, path):
                return TAKEN
        elif node.keyword == "RUN":
            if any(there is not None and covers(there, path) for there in mount_targets(program, one)):
                continue  # what is there is not in the layer
            if program.body(one).program is None:
                found = UNKNOWN
                continue
            if path in program.body(one).text or any(covers(path, effect.path) for effect in program.effects(one)):
                return TAKEN
            if any(effect.kind == "opaque" for effect in program.effects(one)):
                found = UNKNOWN
        elif node.keyword == "WORKDIR":
            to = written(program, one)
            if to is None:
                found = UNKNOWN
            elif covers(path, to):
                return TAKEN
    return found


def another_file(program: Program, step: Step, path: str) -> bool:
    """Whether a COPY into a directory copies nothing but files, by their extensions, of other names than that of
    `path`."""
    if step.node.keyword != "COPY" or step.heredocs or step.node.arguments[-1].value[-1:] not in "/.":
        return False
    sources = [argument.value for argument in step.node.arguments[:-1]]
    name = path.rpartition("/")[2]
    return all(FILE.search(one) and not _GLOBS & set(one) and one.rpartition("/")[2] != name for one in sources)


def copied(program: Program, step: Step, facts: Facts | None) -> Copied | None:
    """What a COPY or ADD writes; None where that is not known (variables, globs, several sources, heredocs)."""
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
        wanted = join_path("/", "/" + source)
        assert isinstance(wanted, str)
        if wanted[1:] in paths:
            single = True
        elif wanted == "/" or any(path.startswith(wanted[1:] + "/") for path in paths):
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
    found = copied(program, step, facts)
    if found is None or found.single is False:
        return False
    if found.single:
        return found.target == path
    to, source = step.node.arguments[1].value, found.sources[0].rstrip("/")
    into = to.endswith("/") or to in (".", "./")
    target = f"{found.target.rstrip('/')}/{source.rpartition('/')[2]}" if into else found.target
    if target != path:
        return False
    if (into and FILE.search(source)) or source_kind(step, NO_FACTS, source):
        return True
    return is_run(program, step, path)
