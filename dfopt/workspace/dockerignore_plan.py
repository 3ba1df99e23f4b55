"""What a .dockerignore should leave out of a build context, and the proof that it takes nothing that a build needs.

Every file that a new pattern takes is one that the pattern declares, and none is named by COPY, ADD or a bind mount of
any Dockerfile of the context. Where a whole directory is copied, the image loses what is left out of it: that is `safe`
only for what an image does not keep on purpose (the table `dockerignore`), else `unsafe`.
"""

from __future__ import annotations

import fnmatch
import posixpath
import re

from dfopt.ir.context_sources import context_sources
from dfopt.knowledge import table
from dfopt.record import Record
from dfopt.syntax import dockerignore, go_pattern
from dfopt.workspace.paths import VERSION_CONTROL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

    from dfopt.ir.context_sources import ContextSource
    from dfopt.ir.program import Program

SAFE, UNSAFE, REFUSED = "safe", "unsafe", "refused"
_GIT_WRITES = frozenset(("clone", "config", "init", "lfs", "--version", "version"))


class Sharing(Record):
    """A Dockerfile that is, or may be, built from the context: the name to show, and its program."""

    name: str
    program: Program


class ContextItem(Record):
    """One thing of the context: its path, what it is, whether it may be left out (`verdict`), and why."""

    path: str
    directory: bool
    kind: str
    name: str
    verdict: str
    why: str


class DockerignorePlan(Record):
    """`patterns`: (kind, pattern) to add; `items`: what was judged, each path once, in order."""

    patterns: tuple[tuple[str, str], ...]
    items: tuple[ContextItem, ...]


class PlanError(Exception):
    """No pattern may be added; the message says why."""


def plan(
    present: Iterable[str],
    content: bytes,
    files: Sequence[Sharing],
    read: Callable[[str], bytes | None],
    tiers: Sequence[str] = (SAFE,),
) -> DockerignorePlan:
    """What to add. `present`: all files of the directory, nothing left out; `content`: the .dockerignore as it is;
    `read` gives a file's content. Raises PlanError."""
    try:
        return _plan(sorted(present), content, files, read, tiers)
    except dockerignore.IgnoreError as error:
        raise PlanError(f".dockerignore: {error}") from None


def _plan(
    everything: list[str],
    content: bytes,
    files: Sequence[Sharing],
    read: Callable[[str], bytes | None],
    tiers: Sequence[str],
) -> DockerignorePlan:
    matcher = dockerignore.read(content)
    paths = [path for path in everything if not matcher.leaves_out(path)]
    sources = [(dockerfile, source) for dockerfile in files for source in context_sources(dockerfile.program)]
    for dockerfile, source in sources:
        if source.path is None:
            line = source.step.node.line
            raise PlanError(f"{dockerfile.name}:{line}: what {source.written} names is not known: it may be anything")
    judge = _Judge(files, sources, paths, read, matcher)
    items = [judge.judge(*finding) for finding in _found(paths)]
    taken = [item for item in items if item.verdict in tiers]
    patterns = _patterns(taken, items, paths)
    _gate(everything, paths, extended(content, patterns), taken, sources)
    return DockerignorePlan(tuple(patterns), tuple(items))


def _found(paths: list[str]) -> list[tuple[str, bool, dict[str, Any], str]]:
    """(path, whether it is a directory, entry of the table, name there) of everything that an entry names, topmost."""
    everything = frozenset(paths)
    result: dict[str, tuple[str, bool, dict[str, Any], str]] = {}
    entries = table("dockerignore")["entry"]
    exact = {name: entry for entry in entries for name in entry["names"] if not go_pattern.has_wildcard(name)}
    wild = [(name, entry) for entry in entries for name in entry["names"] if go_pattern.has_wildcard(name)]
    several = [(name, entry) for entry in entries for name in entry["names"] if name in exact]
    candidates_by_name: dict[str, list[tuple[str, dict[str, Any]]]] = {}
    for path in paths:
        parts = path.split("/")
        for end in range(1, len(parts) + 1):
            name, directory = parts[end - 1], end < len(parts)
            if name not in candidates_by_name:
                candidates_by_name[name] = [pair for pair in several if pair[0] == name] if name in exact else []
                candidates_by_name[name] += [pair for pair in wild if fnmatch.fnmatchcase(name, pair[0])]
            candidates = candidates_by_name[name]
            if not candidates:
                continue
            at = "/".join(parts[:end])
            if at in result:
                break
            match = next((pair for pair in candidates if _fits(at, name, directory, pair[1], everything)), None)
            if match is not None:
                result[at] = (at, directory, match[1], match[0])
                break
    return list(result.values())


def _fits(path: str, name: str, directory: bool, entry: dict[str, Any], everything: frozenset[str]) -> bool:
    if any(fnmatch.fnmatchcase(name, pattern) for pattern in entry.get("not", ())):
        return False
    if "maker" in entry and not directory:
        return False
    if "holds" in entry and f"{path}/{entry['holds']}" not in everything:
        return False
    if "beside" in entry:
        parent = posixpath.dirname(path)
        prefix = parent + "/" if parent else ""
        return any(
            fnmatch.fnmatchcase(other[len(prefix) :], entry["beside"])
            for other in everything
            if other.startswith(prefix) and "/" not in other[len(prefix) :]
        )
    return True


class _Judge:
    def __init__(
        self,
        files: Sequence[Sharing],
        sources: list[tuple[Sharing, ContextSource]],
        paths: list[str],
        read: Callable[[str], bytes | None],
        matcher: dockerignore.Matcher,
    ) -> None:
        self.files = files
        self.sources = sources
        self.read = read
        self.texts: list[tuple[Sharing, int, str, int]] = []  # file, line, shell text, stage
        for dockerfile in files:
            for stage in dockerfile.program.stages:
                for step in stage.steps:
                    if step.effective.keyword in ("RUN", "CMD", "ENTRYPOINT", "HEALTHCHECK"):
                        body = dockerfile.program.body(step).text or step.node.joined.text
                        self.texts.append((dockerfile, step.node.line, body, stage.index))
        self.exceptions = [pattern for pattern in matcher.patterns if pattern.exception]

    def judge(self, path: str, directory: bool, entry: dict[str, Any], name: str) -> ContextItem:
        verdict, why = self.verdict(path, entry)
        return ContextItem(path, directory, entry["kind"], name, verdict, why)

    def verdict(self, path: str, entry: dict[str, Any]) -> tuple[str, str]:
        base = posixpath.basename(path)
        for exception in self.exceptions:
            if any(exception.matches("/".join(path.split("/")[: end + 1])) for end in range(path.count("/") + 1)):
                return REFUSED, f"the exception !{exception.cleaned} keeps it"
        for dockerfile, source in self.sources:
            if _names(source, path):
                return REFUSED, f"{dockerfile.name}:{source.step.node.line} names it"
        word = re.compile(rf"(?<![\w.-]){re.escape(base)}(?![\w-])")
        if entry["effect"] != "rebuilt":
            for dockerfile, line, text, _ in self.texts:
                if word.search(text):
                    return REFUSED, f"{dockerfile.name}:{line} speaks of it"
        copied = [(dockerfile, source) for dockerfile, source in self.sources if _covers(source, path)]
        if not copied:
            return SAFE, "nothing copies it"
        if base in VERSION_CONTROL:
            return self.history(base, copied)
        if entry["effect"] == "disposable":
            return SAFE, "no image keeps it on purpose"
        dockerfile, source = copied[0]
        place = f"{dockerfile.name}:{source.step.node.line}"
        if entry["effect"] == "content":
            return UNSAFE, f"{place} brings it into the image, where a program may read it"
        return self.rebuilt(entry, copied)

    def rebuilt(self, entry: dict[str, Any], copied: list[tuple[Sharing, ContextSource]]) -> tuple[str, str]:
        """Whether every stage that gets a directory from the context makes it anew."""
        anew = True
        for dockerfile, source in copied:
            step = source.step
            behind = [
                text for other, line, text, stage in self.texts
                if other is dockerfile and stage == step.stage and line > step.node.line
            ]  # fmt: skip
            if not any(re.search(entry["maker"], text) for text in behind):
                return (
                    REFUSED,
                    f"{dockerfile.name}:{step.node.line} brings it into the image, and no RUN behind makes it",
                )
            anew = anew and any(re.search(entry.get("remaker", r"(?!)"), text) for text in behind)
        if anew:
            return SAFE, "the build deletes it, and makes it anew"
        return UNSAFE, "the build makes it, but on top of what is copied"

    def history(self, base: str, copied: list[tuple[Sharing, ContextSource]]) -> tuple[str, str]:
        knowledge = table("dockerignore")["reads-history"]
        for name in knowledge["files"]:
            content = self.read(name)
            if content is not None and re.search(knowledge["words"], content.decode("utf-8", "replace")):
                return REFUSED, f"{name} may read the history"
        for dockerfile in dict.fromkeys([dockerfile for dockerfile, _ in copied]):
            for stage in dockerfile.program.stages:
                for step in stage.steps:
                    if step.effective.keyword != "RUN":
                        continue
                    for call in dockerfile.program.commands(step).invocations:
                        first = next((value for value in call.values if value and not value.startswith("-")), "")
                        if call.program == base.removeprefix(".") and first not in _GIT_WRITES:
                            return REFUSED, f"{dockerfile.name}:{step.node.line} runs {call.program} {first}"
                        if call.program == "go" and first in ("build", "install", "test"):
                            return UNSAFE, "go writes the revision into what it builds"
        return SAFE, "no image keeps it on purpose"


def _names(source: ContextSource, path: str) -> bool:
    """Whether a source names a path, or something in it, itself."""
    source_path = source.path
    assert source_path is not None
    if not source_path:
        return False
    if not source.wildcard:
        return source_path == path or source_path.startswith(path + "/")
    parts, path_parts = source_path.split("/"), path.split("/")
    size = min(len(parts), len(path_parts))
    if len(path_parts) > len(parts):
        return False  # below what a pattern takes whole
    return go_pattern.match("/".join(parts[:size]), "/".join(path_parts[:size]))


def _covers(source: ContextSource, path: str) -> bool:
    """Whether a source takes a directory that the path lies in."""
    source_path = source.path
    assert source_path is not None
    if not source.wildcard:
        return not source_path or path.startswith(source_path + "/")
    size = source_path.count("/") + 1
    parts = path.split("/")
    return len(parts) > size and go_pattern.match(source_path, "/".join(parts[:size]))


def _patterns(taken: list[ContextItem], items: list[ContextItem], paths: list[str]) -> list[tuple[str, str]]:
    """Patterns for what is taken: the table's name where all of that name goes, else each path."""
    result: list[tuple[str, str]] = []
    general: dict[str, str] = {}
    gone = frozenset([item.path for item in taken])
    for item in taken:
        if item.name not in general:
            nested = any("/" in other.path for other in items if other.name == item.name)
            pattern = f"**/{item.name}" if nested else item.name
            general[item.name] = pattern if _takes_only(pattern, gone, paths) else ""
        pattern = general[item.name] or _literal(item.path)
        if (item.kind, pattern) not in result:
            result.append((item.kind, pattern))
    order = list(dict.fromkeys([entry["kind"] for entry in table("dockerignore")["entry"]]))
    return sorted(result, key=lambda pair: (order.index(pair[0]), pair[1]))


def _takes_only(pattern: str, gone: frozenset[str], paths: list[str]) -> bool:
    """Whether a pattern takes nothing but what is to go."""
    compiled = dockerignore.compile_pattern(pattern)
    assert compiled is not None
    for path in paths:
        parts = path.split("/")
        above = ["/".join(parts[:end]) for end in range(1, len(parts) + 1)]
        if any(compiled.matches(ancestor) for ancestor in above) and gone.isdisjoint(above):
            return False
    return True


def _literal(path: str) -> str:
    escaped = re.sub(r"([*?\[\]\\])", r"\\\1", path)
    return "\\" + escaped if escaped[0] in "#!" else escaped


def _gate(
    everything: list[str],
    before: list[str],
    content: bytes,
    taken: list[ContextItem],
    sources: list[tuple[Sharing, ContextSource]],
) -> None:
    """The proof, from the text that will be written: what goes is what was taken, and nothing comes back. Raises
    PlanError, IgnoreError."""
    after = dockerignore.read(content)
    remaining = frozenset([path for path in everything if not after.leaves_out(path)])
    come_back = sorted(remaining - frozenset(before))
    if come_back:
        raise PlanError(f"{come_back[0]} would come back")
    declared = tuple([item.path for item in taken])
    for path in sorted(frozenset(before) - remaining):
        if not any(path == pattern or path.startswith(pattern + "/") for pattern in declared):
            raise PlanError(f"{path} would be lost, and was not declared")
        if any(_names(source, path) for _, source in sources):
            raise PlanError(f"{path} would be lost, and is named by COPY")
    stays = next(
        (
            pattern
            for pattern in declared
            if any(path == pattern or path.startswith(pattern + "/") for path in remaining)
        ),
        None,
    )
    if stays is not None:
        raise PlanError(f"{stays} would not be left out")


def extended(content: bytes, patterns: Sequence[tuple[str, str]]) -> bytes:
    """The text of a .dockerignore with patterns at its end, each kind under a comment, in its own newline style."""
    if not patterns:
        return content
    newline = b"\r\n" if b"\r\n" in content else b"\n"
    lines: list[str] = []
    kind = ""
    for pattern_kind, pattern in patterns:
        if pattern_kind != kind:
            lines += ["", f"# {pattern_kind}"] if lines or content.strip() else [f"# {pattern_kind}"]
            kind = pattern_kind
        lines.append(pattern)
    head = content if not content or content.endswith(b"\n") else content + newline
    if head.endswith(newline * 2) and lines[0] == "":
        lines = lines[1:]
    return head + b"".join([line.encode("utf-8", "surrogateescape") + newline for line in lines])
