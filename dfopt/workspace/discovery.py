"""From paths to Dockerfiles: a walk in a fixed order that streams what it finds.

A file given by name is always taken; a build definition (Compose, bake ...) stands for the Dockerfiles that it names.
A directory is searched for Dockerfile, Dockerfile.*, *.Dockerfile and the same of Containerfile, in any case; not for
templates of one, nor for what editors leave behind. .gitignore files count (nested, with negation, those above the
directory up to the root of its repository too); so do exclude patterns, of the caller and of the configuration in force
in each directory. Symbolic links to directories are not followed; one to a file counts where it stays inside the
directory that was given.
"""

from __future__ import annotations

import os
from stat import S_ISDIR, S_ISREG

from dfopt.files import is_inside, tree_of
from dfopt.workspace import config
from dfopt.workspace.ignore import Rules, rules_above, rules_of
from dfopt.workspace.paths import VERSION_CONTROL, display_name
from dfopt.workspace.paths import InputFile as InputFile
from dfopt.workspace.paths import is_dockerfile as is_dockerfile
from dfopt.workspace.settings import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dfopt.workspace.config import ConfigLookup

# build definitions, and other files with images: what their names end in, and names
_DEFINITIONS = (".yml", ".yaml", ".hcl", ".json", ".sh", ".mk")
_NAMES = ("makefile", "gnumakefile", "kustomization")
# parts of the names of those that are read when a directory is searched
_SEARCHED = ("compose", "bake", "skaffold", "devcontainer", "gitlab-ci", "makefile")


def may_define(name: str) -> bool:
    """Whether a file of this name (no directory) can be a build definition (`build_definitions.formats` decides)."""
    low = name.lower()
    return (low.endswith(_DEFINITIONS) or low in _NAMES) and not is_dockerfile(name)


def is_searched(name: str, directory: str) -> bool:
    """Whether a file of this name may be a build definition that counts when a directory is searched: shell scripts are
    too many."""
    low = name.lower()
    return may_define(name) and (
        any(part in low for part in _SEARCHED) or directory.endswith(os.path.join(".github", "workflows"))
    )


def discover(
    paths: Iterable[str],
    lookup: ConfigLookup,
    *,
    exclude: tuple[str, ...] = (),
    ignore_files: bool = True,
    hosts: tuple[str, ...] = (),
    named_hosts: tuple[str, ...] = (),
) -> Iterator[InputFile]:
    """The files that `paths` (files and directories) stand for, each once, in the order of `paths` and of names.

    `exclude` are .gitignore patterns relative to the working directory; `ignore_files=False` reads no .gitignore.
    `hosts`: kinds of other files to take, too (`dfopt.workspace.embedded_kinds`); `named_hosts`: of those that `paths`
    name, and not of those in a directory.
    """
    requested = list(paths)
    walk = _Walk(lookup, exclude, ignore_files, hosts, named_hosts)
    yielded: set[str] | None = set() if len(requested) > 1 else None
    for path in requested:
        for file in walk.start(path):
            if yielded is not None and not file.error:
                real = os.path.realpath(file.path)
                if real in yielded:
                    continue
                yielded.add(real)
            yield file


class _Walk:
    def __init__(
        self,
        lookup: ConfigLookup,
        exclude: tuple[str, ...],
        ignore_files: bool,
        hosts: tuple[str, ...],
        named_hosts: tuple[str, ...],
    ) -> None:
        self.lookup = lookup
        self.hosts = hosts
        self.named_hosts = named_hosts
        self.exclude = Rules(os.getcwd(), exclude) if exclude else None
        self.ignore_files = ignore_files
        self.links: set[str] = set()
        self.named: set[str] = set()  # by build definitions

    def start(self, path: str) -> Iterator[InputFile]:
        try:
            mode = os.stat(path).st_mode
        except (OSError, ValueError) as failure:
            yield _failed(path, failure)
            return
        if not S_ISDIR(mode):
            if may_define(os.path.basename(path)):
                from dfopt.workspace.definitions import files_of_definition

                files = files_of_definition(path, (*self.hosts, *self.named_hosts))
                if files is not None:
                    yield from files
                    return
            embedded = ""
            if self.named_hosts and may_define(os.path.basename(path)):
                from dfopt.workspace.embedded_kinds import kind_of

                embedded = kind_of(os.path.abspath(path).replace(os.sep, "/"), self.named_hosts) or ""
            yield InputFile(path, display_name(path), tree_of(path), embedded=embedded)
            return
        top = os.path.abspath(path)
        ignored: list[Rules] = []
        if self.ignore_files:
            ignored = rules_above(top)
            if _decide(ignored, top, True):  # asked for by name: what is ignored as a whole is searched all the same
                ignored = []
        # a directory that is a link out of the tree is searched, and not written to
        root = os.path.realpath(top) if is_inside(top, tree_of(path)) else tree_of(path)
        yield from self._directory(path, top, root, ignored, self._excludes(top))

    def _excludes(self, directory: str) -> list[Rules]:
        """The exclude rules in force. A configuration that cannot be used has none: every file below will say so."""
        fixed = [self.exclude] if self.exclude else []
        try:
            excludes = self.lookup.directory(directory).exclude
        except ConfigError:
            return fixed
        return [*(Rules(base, patterns) for base, patterns in excludes), *fixed]

    def _directory(
        self, path: str, absolute: str, top: str, ignored: list[Rules], excluded: list[Rules]
    ) -> Iterator[InputFile]:
        """Depth first, names in order; a list of open directories instead of recursion."""
        stack: list[Iterator[tuple[str, str, list[Rules], list[Rules], os.DirEntry[str]]]] = []

        def opened(path: str, absolute: str, ignored: list[Rules], excluded: list[Rules]) -> InputFile | None:
            try:
                with os.scandir(path) as listing:
                    entries = list(listing)
            except OSError as failure:
                return _failed(path, failure)
            names = {entry.name for entry in entries}
            entries = sorted(
                [entry for entry in entries if self._relevant(entry, absolute)], key=lambda entry: entry.name
            )
            if self.ignore_files and ".gitignore" in names:
                here = rules_of(absolute)
                ignored = [*ignored, here] if here else ignored
            if stack and not names.isdisjoint(config.NAMES):
                excluded = self._excludes(absolute)
            stack.append(iter([(path, absolute, ignored, excluded, entry) for entry in entries]))
            return None

        problem = opened(path, absolute, ignored, excluded)
        if problem:
            yield problem
        while stack:
            step = next(stack[-1], None)
            if step is None:
                stack.pop()
                continue
            path, absolute, ignored, excluded, entry = step
            inner, inner_absolute = os.path.join(path, entry.name), os.path.join(absolute, entry.name)
            is_directory = entry.is_dir(follow_symlinks=False)
            if _decide(ignored, inner_absolute, is_directory) or _decide(excluded, inner_absolute, is_directory):
                continue
            if is_directory:
                problem = opened(inner, inner_absolute, ignored, excluded)
                if problem:
                    yield problem
            elif self._is_file(entry, inner_absolute, top):
                if is_searched(entry.name, absolute):
                    yield from self._named(inner, inner_absolute, top, ignored, excluded)
                elif is_dockerfile(entry.name) or self._is_host(inner_absolute, by_text=True):
                    yield InputFile(inner, display_name(inner), top)

    def _named(
        self, path: str, absolute: str, top: str, ignored: list[Rules], excluded: list[Rules]
    ) -> Iterator[InputFile]:
        """The Dockerfiles of a build definition whose names do not tell; the definition, where it is a host."""
        from dfopt.workspace.definitions import named_files

        if self._is_host(absolute, by_text=True):
            yield InputFile(path, display_name(path), top)
        for file in named_files(path, top):
            left_out = any(_left_out(rules, file.path, top) for rules in (ignored, excluded))
            if not left_out and file.path not in self.named:
                self.named.add(file.path)
                yield file

    def _relevant(self, entry: os.DirEntry[str], directory: str) -> bool:
        if is_dockerfile(entry.name):
            return True
        if entry.is_dir(follow_symlinks=False):
            return entry.name not in VERSION_CONTROL
        if is_searched(entry.name, directory):
            return True
        return bool(self.hosts) and self._is_host(os.path.join(directory, entry.name))

    def _is_host(self, absolute: str, by_text: bool = False) -> bool:
        if not self.hosts:
            return False
        from dfopt.workspace.embedded_kinds import is_manifest, kind_of

        kind = kind_of(absolute.replace(os.sep, "/"), self.hosts)
        return is_manifest(absolute) if by_text and kind == "kubernetes" else kind is not None

    def _is_file(self, entry: os.DirEntry[str], absolute: str, top: str) -> bool:
        if not entry.is_symlink():
            return entry.is_file(follow_symlinks=False)
        target = os.path.realpath(absolute)
        if not target.startswith(os.path.join(top, "")) or target in self.links:
            return False
        if is_dockerfile(os.path.basename(target)):
            return False  # it is found under its own name
        try:
            if not S_ISREG(os.stat(target).st_mode):
                return False
        except OSError:
            return False
        self.links.add(target)
        return True


def _decide(rules: list[Rules], absolute: str, is_directory: bool) -> bool:
    """Whether the path is left out: the innermost rules that say anything decide."""
    for rules_of_directory in reversed(rules):
        decision = rules_of_directory.decide(absolute, is_directory)
        if decision is not None:
            return decision
    return False


def _left_out(rules: list[Rules], path: str, top: str) -> bool:
    """Whether a file below `top`, or a directory that it lies in, is left out."""
    at = top
    for part in os.path.relpath(path, top).split(os.sep):
        at = os.path.join(at, part)
        if _decide(rules, at, at != path):
            return True
    return False


def _failed(path: str, failure: Exception) -> InputFile:
    text = failure.strerror if isinstance(failure, OSError) else str(failure)
    return InputFile(path, display_name(path), "", text or str(failure))
