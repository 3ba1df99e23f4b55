"""Which of the files that the builder's steps leave are copied, and with how few COPY instructions."""

from __future__ import annotations

import fnmatch
import re

from dfopt.analysis.system_paths import SHARED, SYSTEM
from dfopt.ir.effects import covers
from dfopt.knowledge import table
from dfopt.passes.multi_stage.written_paths import WrittenPath, is_scratch
from dfopt.record import Record
from dfopt.refusal import Refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

_ARCHIVE = re.compile(r"\.(?:tar|tgz|zip|gz|xz|bz2|zst|deb|rpm|whl|sha256|asc|sig)\Z")
# Where the files of one directory would take more lines, or more words, it is copied as a whole if it may be
_MOST_LINES = 4
_MOST_FILES = 6


class StageCopy(Record):
    """One COPY --from=builder: `sources` (absolute), `target` (a directory if it ends in "/"), `owner`, and what stands
    in a comment above it."""

    sources: tuple[str, ...]
    target: str
    owner: str | None
    comment: str = ""


def check_paths(paths: Iterable[str]) -> None:
    """Raises Refusal for a path that a COPY would not take as it stands."""
    for path in paths:
        if not re.fullmatch(r"/[\w./@+~-]*", path):
            raise Refusal(f"the path {path} has unusual characters")


def is_source(path: str, patterns: Iterable[str]) -> bool:
    """Whether a path of the context is one of a build's own: by name, or for a pattern with "/" by its end."""
    name = path.rpartition("/")[2]
    facts = table("split_programs")
    for pattern in (*patterns, *facts["never-read"], *(() if "/" in path else facts["never-read-at-top"])):
        if pattern.endswith("/**"):
            if ("/" + path).find("/" + pattern[:-2]) >= 0:
                return True
        elif fnmatch.fnmatchcase(name, pattern):
            return True
    return False


def programs_kept(
    made: Sequence[WrittenPath], built: Sequence[WrittenPath], work: Sequence[str], patterns: Sequence[str],
    paths: Sequence[str], workdir: str, names: Sequence[str], search: Sequence[str], named: Sequence[str],
) -> tuple[list[WrittenPath], list[WrittenPath]]:  # fmt: skip
    """(kept, left) of a compiled program: what tools built, and data. `paths`: what the image's commands name;
    `names`: programs that are called by name; `named`: paths that settings name besides."""
    kept: list[WrittenPath] = []
    left: list[WrittenPath] = []
    needed = [entry for entry in built if entry.path in paths]
    needed += [
        entry for entry in built
        if entry.path.rpartition("/")[2] in names and entry.path.rpartition("/")[0] in search and entry not in needed
    ]  # fmt: skip
    bases = {entry.path.rpartition("/")[2] for entry in needed}
    for entry in built:
        base = entry.path.rpartition("/")[2]
        jars = [path for path in paths if entry.role == "jars" and covers(entry.path, path) and path.endswith(".jar")]
        if entry.role == "jars" and not jars and any(path.endswith(".jar") and _of_jars(built, path) for path in paths):
            left.append(entry)  # of another project
        elif jars:
            kept += [WrittenPath(path, entry.step, "tool", role="program") for path in jars]
        elif entry.role == "program" and entry not in needed and _aside(entry.path, work, workdir, names):
            left.append(entry)
        elif entry in needed or entry.role != "program" or base not in bases:
            kept.append(entry)
        else:
            left.append(entry)
    for entry in made:
        started = any(covers(entry.path, path) for path in paths)
        if entry.kind == "context":
            source = is_source(entry.source, patterns) and entry.path not in paths
            (left if source else kept).append(entry)
        elif entry.kind == "directory":
            continue
        elif is_scratch(entry.path) and not started:
            left.append(entry)
        elif entry.role in ("repository", "inside", "download"):
            inside = any(covers(entry.path, place) for place in work) or any(
                covers(place, entry.path) for place in work
            )
            if started or (inside and covers(entry.path, workdir) and entry.path not in SYSTEM):
                kept.append(entry)
            elif inside or _ARCHIVE.search(entry.path):
                left.append(entry)
            else:
                kept.append(entry)
        else:
            kept.append(entry)
    kept += _empty(made, kept, left, work, (*paths, *named), workdir)
    return kept, left


def _of_jars(built: Iterable[WrittenPath], path: str) -> bool:
    """Whether a path lies where a tool puts jars."""
    return any(entry.role == "jars" and covers(entry.path, path) for entry in built)


def _aside(path: str, work: Iterable[str], workdir: str, names: Iterable[str]) -> bool:
    """Whether a program that nothing calls lies where it was built, away from where the image starts."""
    if path.rpartition("/")[2] in names or covers(workdir, path):
        return False
    return any(covers(place, path) for place in work if place != "/")


def everything_kept(
    made: Sequence[WrittenPath], built: Sequence[WrittenPath], paths: Sequence[str], workdir: str, named: Sequence[str],
    read: Collection[str],
) -> tuple[list[WrittenPath], list[WrittenPath]]:  # fmt: skip
    """(kept, left) of an application that is run from its sources; the others as in `programs_kept`. `read`: files that
    the build alone reads where they lie beside the application."""

    def stays(entry: WrittenPath) -> bool:
        beside = entry.path in read and (entry.path.rpartition("/")[0] or "/") in SHARED
        return is_scratch(entry.path) or (beside and not covers(workdir, entry.path))

    kept = [entry for entry in (*made, *built) if entry.kind != "directory" and not stays(entry)]
    left = [entry for entry in (*made, *built) if entry.kind != "directory" and stays(entry)]
    for entry in list(left):
        if any(covers(entry.path, path) for path in paths):
            left.remove(entry)
            kept.append(entry)
    kept += _empty(made, kept, left, (), (*paths, *named), workdir)
    return kept, left


def _empty(
    made: Sequence[WrittenPath], kept: Sequence[WrittenPath], left: Sequence[WrittenPath], work: Sequence[str],
    named: Sequence[str], workdir: str,
) -> list[WrittenPath]:  # fmt: skip
    """Directories that were made for the run: nothing else tells of them. Those that a program may make again, and
    those that a WORKDIR made, count where something names them."""
    entries: list[WrittenPath] = []
    for entry in made:
        if entry.kind != "directory" or entry.path in SYSTEM or entry.path == workdir:
            continue
        again = entry.role == "workdir" or (is_scratch(entry.path) and not covers("/run", entry.path))
        if again and not any(covers(entry.path, path) for path in named):
            continue
        if any(covers(entry.path, other.path) for other in (*kept, *left)) or any(covers(entry.path, w) for w in work):
            continue
        if not any(covers(other.path, entry.path) and other is not entry for other in entries):
            entries.append(entry)
    return entries


def copies(
    kept: Sequence[WrittenPath], left: Sequence[WrittenPath], work: Sequence[str], roots: Iterable[str],
    moved: dict[str, str], owner_of: Callable[[str], str | None], clean: Iterable[str],
) -> list[StageCopy]:  # fmt: skip
    """The COPY instructions for `kept`. `work`: directories in which tools worked: they are not copied as a whole.
    `roots`: directories that the steps made: what is below them is theirs alone. `moved`: path -> another place.
    `owner_of`: whose a directory is, with all that is in it, or None. `clean`: directories in which a tool worked and
    left nothing but what it was asked for: one is copied as a whole where its files would take many lines."""
    own = [root for root in roots if root not in SHARED]
    whole: dict[str, WrittenPath] = {}
    singles: dict[str, WrittenPath] = {}
    for entry in kept:
        if entry.path in moved:
            singles[entry.path] = entry
            continue
        path = entry.path
        if entry.kind in ("context", "file"):
            while True:
                parent = path.rpartition("/")[0] or "/"
                if parent in SHARED or not any(covers(root, parent) for root in own):
                    break
                if any(covers(parent, other.path) for other in left) or any(covers(parent, place) for place in work):
                    break
                path = parent
        if path == entry.path and entry.kind in ("context", "tool") and entry.role not in _TREES:
            singles[path] = entry
        else:
            whole.setdefault(path, entry)
    result: list[StageCopy] = []
    for path, _ in sorted(whole.items(), key=lambda pair: _place(kept, pair[1])):
        if not any(covers(other, path) and other != path for other in whole):
            result.append(StageCopy((path,), path, owner_of(path)))
    groups: dict[str, list[str]] = {}
    for path in singles:
        if any(covers(other, path) for other in whole):
            continue
        if path in moved:
            result.append(StageCopy((path,), moved[path], None))
        else:
            groups.setdefault(path.rpartition("/")[0], []).append(path)
    for directory, paths in groups.items():
        if len(paths) == 1:
            result.append(StageCopy((paths[0],), paths[0], None))
        else:
            result.append(StageCopy(tuple(paths), directory + "/", None))
    for root in clean:
        inside = [copy for copy in result if covers(root, copy.target) and covers(root, copy.sources[0])]
        files = sum([len(copy.sources) for copy in inside])
        if root not in SHARED and (len(inside) > _MOST_LINES or files > _MOST_FILES):
            result[result.index(inside[0])] = StageCopy((root,), root, owner_of(root))
            result = [copy for copy in result if copy not in inside]
    return result


_TREES = ("classes", "packages", "jars", "library", "tree")


def _place(kept: Sequence[WrittenPath], entry: WrittenPath) -> int:
    return next((index for index, other in enumerate(kept) if other is entry), 0)
