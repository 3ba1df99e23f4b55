"""From a build definition to the Dockerfiles that it names, each with its build context."""

from __future__ import annotations

import os
import re

from dfopt.build_definitions.formats import format_of, read_definition
from dfopt.build_definitions.model import LARGEST, BuildTarget, DefinitionError, NotLiteral, is_remote
from dfopt.files import is_inside, read_regular
from dfopt.lazy import regex
from dfopt.record import replace
from dfopt.source import decode
from dfopt.workspace.paths import InputFile, bound_of, display_name, is_dockerfile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


# what may name a Dockerfile, in any format
_NAMED = regex(
    r"""(?:\bdockerfile["']?[ \t]*[:=][ \t]*|[ \t]file:[ \t]*|[ \t]-f[ \t=]*|--(?:docker)?file[ \t=]+)"""
    r"""["']?([^\s"',}#]+)""",
    re.I,
)
# of what `-f` and `file:` name as often
_OTHER_FILES = (".yml", ".yaml", ".json", ".toml", ".txt", ".log", ".sh", ".o", ".tar", ".gz")


class DefinitionFiles:
    """The files below `root`, links resolved: nothing outside is read."""

    def __init__(self, root: str) -> None:
        self.root = root

    def read(self, path: str) -> str:
        """As `DefinitionTree.read`. Raises OSError."""
        if not is_inside(path, self.root):
            raise OSError(0, "it lies outside of the repository", path)
        return decode(read_regular(path, LARGEST))

    def is_file(self, path: str) -> bool:
        return is_inside(path, self.root) and os.path.isfile(path)


def files_of_definition(path: str, hosts: tuple[str, ...] = ()) -> Iterator[InputFile] | None:
    """The Dockerfiles that the definition at `path` names, each once, and the definition itself where it holds
    Dockerfiles, where what it names is not known, or where it is one of `hosts`. None for a file that is no
    definition."""
    format = format_of(os.path.abspath(path))
    return None if format is None else _files(path, format, format in hosts)


def targets_of(path: str, root: str) -> list[BuildTarget]:
    """The builds that the definition at an absolute path states, which is read below `root` alone; none where it cannot
    be read, or is none."""
    format = format_of(path)
    tree = DefinitionFiles(root)
    try:
        return [] if format is None else read_definition(format, tree.read(path), path, tree, root)
    except (OSError, DefinitionError):
        return []


def named_files(path: str, top: str) -> Iterator[InputFile]:
    """The Dockerfiles below `top` that the definition at `path` names and that their names do not tell, with the
    context that it states."""
    absolute = os.path.abspath(path)
    root = bound_of(absolute)
    try:
        text = DefinitionFiles(root).read(absolute)
    except OSError:
        return
    if not any(_is_unusual(match[1]) for match in _NAMED.finditer(text)):
        return
    for file, users in _by_dockerfile(targets_of(absolute, root)).items():
        if not is_dockerfile(os.path.basename(file)) and os.path.isfile(file) and is_inside(file, top):
            yield InputFile(file, display_name(file), top, context=stated_context(users, root))


def _is_unusual(word: str) -> bool:
    """Whether a word behind an option or a key that names a Dockerfile can name one that its name does not tell."""
    name = os.path.basename(word.rstrip("/"))
    if not name or name.lower().endswith(_OTHER_FILES) or ("$" in name and "-" not in name):
        return False
    return not is_dockerfile(name)


def _files(path: str, format: str, is_host: bool) -> Iterator[InputFile]:
    root = bound_of(path)
    definition = InputFile(path, display_name(path), root)
    tree = DefinitionFiles(root)
    try:
        # a definition that the command line names is read wherever it lies
        targets = read_definition(format, decode(read_regular(path, LARGEST)), os.path.abspath(path), tree, root)
    except OSError as failure:
        yield replace(definition, error=failure.strerror or str(failure))
        return
    except DefinitionError as failure:
        name = display_name(failure.file)
        yield InputFile(failure.file, name, root, failure.message, place=(failure.line, failure.column))
        return
    own = _itself(definition, format, targets)
    if own is not None or is_host:
        yield own or replace(definition, embedded=format)
    for file, users in _by_dockerfile(targets).items():
        name = display_name(file)
        first = users[0]
        if not is_inside(file, root):
            message = f"{first.name}: {name} lies outside of the repository"
        elif not os.path.isfile(file):
            message = f"{first.name}: no such file: {name}"
        else:
            yield InputFile(file, name, root, context=stated_context(users, root))
            continue
        yield InputFile(first.file, display_name(first.file), root, message, place=(first.line, first.column))


def _itself(definition: InputFile, format: str, targets: list[BuildTarget]) -> InputFile | None:
    unknown = tuple(
        (target.line, target.column, f"the Dockerfile of {target.name} is not known", target.dockerfile.reason)
        for target in targets
        if isinstance(target.dockerfile, NotLiteral)
    )
    holds = any(target.inline is not None for target in targets)
    if not holds and not unknown:
        return None
    own: InputFile = replace(definition, embedded=format, unknown=unknown)
    return own


def _by_dockerfile(targets: list[BuildTarget]) -> dict[str, list[BuildTarget]]:
    """The targets that build each Dockerfile of the file system, by its path as it is shown."""
    users: dict[str, list[BuildTarget]] = {}
    for target in targets:
        if isinstance(target.dockerfile, str) and os.path.isabs(target.dockerfile):
            users.setdefault(target.dockerfile, []).append(target)
    return users


def stated_context(users: list[BuildTarget], root: str) -> str | None:
    """The one directory that all builds of a Dockerfile have as their context; None where they have several, or where
    it is not known, not there or outside of the tree."""
    contexts = {target.context for target in users}
    context = contexts.pop() if len(contexts) == 1 else None
    if not isinstance(context, str) or is_remote(context) or not os.path.isdir(context):
        return None
    return context if is_inside(context, root) else None
