"""Which file of the build context stands at a path of the image, and what kind of program a file is."""

from __future__ import annotations

import fnmatch
import posixpath

from dfopt.ir.scopes import join_path
from dfopt.syntax.expand import Unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dfopt.facts import Facts
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Step

_TEXTS = (
    ".py", ".js", ".mjs", ".cjs", ".ts", ".tsx", ".jsx", ".json", ".html", ".css", ".md", ".txt", ".yml", ".yaml",
    ".toml", ".xml", ".svg", ".png", ".jpg", ".jpeg", ".gif", ".ico", ".csv", ".sql", ".rb", ".php", ".java", ".go",
    ".rs", ".c", ".h", ".cpp", ".hpp", ".lock", ".cfg", ".ini", ".conf", ".properties", ".map", ".woff", ".woff2",
    ".ttf", ".webp",
)  # fmt: skip
MOST = 2000  # files that are looked at
ELF = b"\x7fELF"


def context_path(program: Program, steps: Iterable[Step], path: str, facts: Facts) -> str | None:
    """The file of the build context that `steps` (in their order) have copied to the absolute `path`; the last one."""
    paths = facts.context_paths()
    found = None
    for source, target, whole in _copies(program, steps, paths):
        if whole and paths is not None:
            name = posixpath.normpath(posixpath.join(source, posixpath.relpath(path, target)))
            if (path == target or path.startswith(target.rstrip("/") + "/")) and name in paths:
                found = name
        elif target == path:
            found = source
    return found


def copied(program: Program, steps: Iterable[Step], facts: Facts) -> list[str] | None:
    """The files of the build context that `steps` copy; None where that is not known."""
    paths = facts.context_paths()
    if paths is None:
        return None
    found: list[str] = []
    for source, _, whole in _copies(program, steps, paths):
        if not whole:
            found.append(source)
        else:
            start = "" if source in (".", "") else source.rstrip("/") + "/"
            found += [path for path in paths if path.startswith(start)]
    return sorted(set(found))


def _copies(program: Program, steps: Iterable[Step], paths: frozenset[str] | None) -> Iterator[tuple[str, str, bool]]:
    """(source, absolute target, whether the source is a directory) of COPY and ADD from the context."""
    for step in steps:
        node = step.node
        if node.keyword not in ("COPY", "ADD") or node.flag("from") is not None or step.heredocs:
            continue
        scope = program.scope(step)
        words = [scope.expand(argument.value, program.dockerfile.escape) for argument in node.arguments]
        target = join_path(scope.workdir, words[-1])
        if isinstance(target, Unknown):
            continue
        raw = words[-1] if isinstance(words[-1], str) else ""
        for word in words[:-1]:
            if isinstance(word, Unknown) or "://" in word:
                continue
            source = posixpath.normpath(word.lstrip("/") or ".")
            files = [source]
            if paths is not None and any(mark in source for mark in "*?["):
                files = [path for path in paths if path.count("/") == source.count("/")]
                files = [path for path in files if fnmatch.fnmatchcase(path, source)]
            for one in files:
                if paths is not None and one in paths:
                    into = len(words) > 2 or raw.endswith(("/", "/.")) or raw in (".", "./") or one != source
                    into = into or target == scope.workdir
                    yield one, posixpath.join(target, posixpath.basename(one)) if into else target, False
                elif paths is not None:
                    yield one, target, True


def programs_in(files: Iterable[str], facts: Facts) -> Iterator[tuple[str, bytes]]:
    """(name, content) of those files that may be programs: scripts with an interpreter line, and binaries."""
    for number, name in enumerate(files):
        if number >= MOST:
            return
        if name.lower().endswith(_TEXTS):
            continue
        content = facts.context_file(name)
        if content is not None and (content[:2] == b"#!" or content[:4] == ELF):
            yield name, content


def is_static(content: bytes) -> bool:
    """Whether an ELF file names no dynamic loader (a PT_INTERP program header; System V ABI, chapter 5)."""
    if content[:4] != ELF or len(content) < 64:
        return False
    order = "little" if content[5] == 1 else "big"

    def number(at: int, size: int) -> int:
        return int.from_bytes(content[at : at + size], order)  # type: ignore[arg-type]

    wide = content[4] == 2
    table, size, count = (32, 54, 56) if wide else (28, 42, 44)
    start, step = number(table, 8 if wide else 4), number(size, 2)
    headers = [start + step * index for index in range(number(count, 2))]
    return bool(headers) and all(number(at, 4) != 3 for at in headers)
