"""What is known about paths at a step: whether a directory is there, whether a path is new, what a COPY writes."""

from __future__ import annotations

from bisect import bisect_left
from operator import attrgetter

from dfopt.analysis.context_tree import directories
from dfopt.analysis.executed_paths import is_run
from dfopt.analysis.path_index import indices_before, is_before
from dfopt.facts import NO_FACTS
from dfopt.ir.base_images import split_image
from dfopt.ir.effects import above, covers
from dfopt.ir.scopes import join_path
from dfopt.knowledge import table
from dfopt.lazy import regex
from dfopt.record import Record
from dfopt.rewrites.cache_mounts import mount_targets, paths_overlap
from dfopt.rewrites.copy_mode import destination
from dfopt.syntax.expand import Unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from dfopt.facts import Facts
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage, Step

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


def is_there(program: Program, step: Step, path: str) -> bool:
    """Whether a directory is there for certain when `step` begins: the base has it, or WORKDIR or mkdir made it."""
    facts = table("base_paths")
    scope = program.scope(step)
    family = scope.base.family if scope.base is not None else ""
    if path == "/" or (family in facts["families"] and path in facts["present"]):
        return True
    return any(is_before(index.directories.get(path), limit) for _, index, limit in indices_before(program, step))


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
    for stage, index, limit in indices_before(program, step):
        copies = _copies_of(program, stage)
        if (
            is_before(index.changed.get(path), limit)
            or is_before(index.volumes.get(path), limit)  # the classic builder and buildah make its directory
            or any(at < limit and (made_by is None or at != made_by.index) for at in index.workdirs.get(path, ())[:2])
            or copies.write(path, limit)
            or is_before(index.mentions.first_of(path), limit)
        ):
            return TAKEN
        if (
            is_before(index.unknown, limit)
            or any(at < limit and (made_by is None or at != made_by.index) for at in index.unknown_workdirs[:2])
            or copies.may_write(path, limit)
        ):
            place = UNKNOWN
        for run in index.mounted:
            if run.index >= limit or any(
                there is not None and covers(there, path) for there in mount_targets(program, run)
            ):
                continue  # what is there is not in the layer
            if program.body(run).program is None:
                place = UNKNOWN
                continue
            if path in program.body(run).text or any(covers(path, effect.path) for effect in program.effects(run)):
                return TAKEN
            if any(effect.kind == "opaque" for effect in program.effects(run)):
                place = UNKNOWN
    return place


class _Copies:
    """Where the COPYs and ADDs of a stage write: path, or path and name -> the first step (its index). Those that copy
    nothing but files into a directory count for paths of these names alone."""

    def __init__(self, program: Program, stage: Stage) -> None:
        self.at: dict[tuple[str, str], int] = {}
        self.below: dict[tuple[str, str], int] = {}
        self.unknown: dict[str, int] = {}
        for step in stage.steps:
            if step.node.keyword not in ("COPY", "ADD"):
                continue
            what = copied(program, step, None)
            target = what.target if what is not None else destination(program, step)
            names = _names(step)
            for name in ("",) if names is None else names:
                if target is None:
                    self.unknown.setdefault(name, step.index)
                    continue
                self.at.setdefault((target, name), step.index)
                for path in above(target):
                    self.below.setdefault((path, name), step.index)

    def write(self, path: str, limit: int) -> bool:
        """Whether one in front of a step writes something at a path, below it, or in its place."""
        for name in ("", path.rpartition("/")[2]):
            if is_before(self.below.get((path, name)), limit):
                return True
            if any(is_before(self.at.get((directory, name)), limit) for directory in above(path)):
                return True
        return False

    def may_write(self, path: str, limit: int) -> bool:
        return any(is_before(self.unknown.get(name), limit) for name in ("", path.rpartition("/")[2]))


def _copies_of(program: Program, stage: Stage) -> _Copies:
    return program.once(("copies by place", stage.index), _Copies, program, stage)


def may_be_directory(program: Program, step: Step, path: str) -> bool:
    """Whether a directory may be at `path` when `step` begins, so that a COPY to this path goes into it.

    An earlier instruction made one there (WORKDIR, VOLUME, COPY, a command of a RUN that names it); or nothing in the
    file tells what the base image has there, and the path does not name a file by its extension."""
    if is_there(program, step, path) or any(
        is_before(index.made.get(path), limit) for _, index, limit in indices_before(program, step)
    ):
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


def _copied_there(program: Program, step: Step, path: str) -> bool:
    """Whether all that instructions before `step` say of `path` is that a file is copied to it."""
    return not any(
        is_before(first, limit)
        for _, index, limit in indices_before(program, step)
        for first in (
            index.changed.get(path),
            index.changed_by_others.get(path),
            *index.workdirs.get(path, ())[:1],
            index.mentions.first_of(path),
            index.other_mentions.first_of(path),
        )
    )


def _names(step: Step) -> tuple[str, ...] | None:
    """The names of the files that a COPY puts into a directory; None where it may put something else there."""
    if step.node.keyword != "COPY" or step.heredocs or step.node.arguments[-1].value[-1:] not in "/.":
        return None
    sources = [argument.value for argument in step.node.arguments[:-1]]
    if not all(FILE.search(source) and not _GLOBS & set(source) for source in sources):
        return None
    return tuple([source.rpartition("/")[2] for source in sources])


def copied(program: Program, step: Step, facts: Facts | None) -> Copied | None:
    """What a COPY or ADD writes; None where that is not known (variables, globs, several sources, heredocs)."""
    return program.once(("copied", step.index, facts), _copied, program, step, facts)


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
        elif source_path == "/" or source_path[1:] in directories(paths):
            single = False
    if source in (".", "./", "/") or source.endswith(("/", "/.")):
        single = False
    if into and single is True:
        target = join_path(target, name)
        assert isinstance(target, str)
    if into and single is None and name:
        return Copied(target, None, (source,))
    return Copied(target, single, (source,))


class Writers:
    """The COPYs and ADDs of a stage, in order, by where they write."""

    def __init__(self, program: Program, stage: Stage, facts: Facts) -> None:
        self._below: dict[str, list[Step]] = {}  # with a destination at a path, or below it
        self._into: dict[tuple[str, str], list[Step]] = {}  # into a directory; of files alone: by each one's name
        self._file: dict[str, list[Step]] = {}  # that may put one file at exactly a path: `as_file` knows
        for step in stage.steps:
            if step.node.keyword not in ("COPY", "ADD"):
                continue
            target = destination(program, step)
            if target is not None:
                for path in above(target):
                    self._below.setdefault(path, []).append(step)
                names = _names(step)
                for name in ("",) if names is None else dict.fromkeys(names):
                    self._into.setdefault((target, name), []).append(step)
            copy = copied(program, step, facts)
            if copy is not None:
                name = copy.sources[0].rstrip("/").rpartition("/")[2]
                for path in {copy.target, f"{copy.target.rstrip('/')}/{name}"}:
                    self._file.setdefault(path, []).append(step)

    def of_file(self, path: str, before: Step) -> list[Step]:
        """Those in front of a step that may put one file at exactly `path`."""
        return _in_front(self._file.get(path, ()), before)

    def below(self, path: str, before: Step) -> list[Step]:
        """Those in front of a step whose destination is `path`, or below it."""
        return _in_front(self._below.get(path, ()), before)

    def of(self, path: str, before: Step) -> list[Step]:
        """Those in front of a step that write to `path` or below it, or may write something of that name."""
        directory, _, name = path.rpartition("/")
        lists = [self._below.get(path, ()), self._into.get((directory or "/", ""), ())]
        found = [
            steps
            for each in (*lists, self._into.get((directory or "/", name), ()))
            if (steps := _in_front(each, before))
        ]
        if len(found) < 2:
            return found[0] if found else []
        return sorted({step.index: step for steps in found for step in steps}.values(), key=_index_of)


_index_of = attrgetter("index")


def _in_front(steps: Sequence[Step], before: Step) -> list[Step]:
    return list(steps[: bisect_left(steps, before.index, key=_index_of)])


def writers_in(program: Program, stage: Stage, facts: Facts) -> Writers:
    """The tables of a stage's COPYs (made once)."""
    return program.once(("writers", stage.index, facts), Writers, program, stage, facts)


def source_kind(step: Step, facts: Facts, source: str) -> bool | None:
    """Whether a source of a COPY is one file (True) or a directory (False), as the build context says, else its name;
    None where it is not known."""
    paths = facts.context_paths() if step.node.flag("from") is None else None
    clean = join_path("/", "/" + source)
    if paths is not None and isinstance(clean, str):
        if clean[1:] in paths:
            return True
        if clean == "/" or clean[1:] in directories(paths):
            return False
    if source in (".", "./", "/") or source.endswith(("/", "/.")):
        return False
    named = tuple(table("base_paths")["directory-endings"])
    return True if FILE.search(source) and not _GLOBS & set(source) and not source.endswith(named) else None


def as_file(program: Program, step: Step, facts: Facts, path: str) -> bool:
    """Whether a COPY puts one file at exactly `path`, where a command needs something to be there: into a directory
    that is given with a final slash, a directory's content would come without the directory's name. That a directory
    is called as the file is excluded where that name has an extension, or where the stage runs the path."""
    return program.once(("as file", step.index, facts, path), _as_file, program, step, facts, path)


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
