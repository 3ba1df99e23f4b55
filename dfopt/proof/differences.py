"""Undeclared differences between two images: the comparison without build noise and without what fixes declare."""

from __future__ import annotations

from fnmatch import fnmatchcase

from dfopt.findings import Declares
from dfopt.image import compare
from dfopt.image.compare import ADDED, CHANGED, REMOVED, Comparison, FileChange
from dfopt.image.errors import printable
from dfopt.image.layers import DIRECTORY
from dfopt.knowledge import table
from dfopt.passes.base import registered
from dfopt.proof.nondeterminism import is_noise
from dfopt.proof.patterns import compile_pattern, parents
from dfopt.record import Record, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from dfopt.image import LayerEntry
    from dfopt.image.compare import ConfigChange
    from dfopt.proof.image_view import ImageView
    from dfopt.results import Applied
    from dfopt.syntax.automaton import LinearPattern

_SETID = 0o6000


class Difference(Record):
    """One difference between two images. `where`: a path or `config.KEY`; `what`: the property that differs there."""

    where: str
    what: str
    before: str
    after: str

    def __str__(self) -> str:
        return printable(f"{self.where}: {self.what}: {self.before} -> {self.after}")


def declarations_of(applied: Iterable[Applied]) -> list[Declares]:
    """What these fixes declare: each fix itself, or its pass."""
    passes = registered()
    return [fix.declares if fix.declares is not None else passes[fix.name].declares for fix in applied]


def allowance(texts: Iterable[str]) -> Declares:
    """Allowances from a user's list: path patterns, and `config:KEY` for settings. Raises ValueError."""
    paths: list[str] = []
    settings: list[str] = []
    for text in texts:
        if text.startswith("config:"):
            settings.append(text[len("config:") :])
        else:
            compile_pattern(text)
            paths.append(text)
    return Declares(paths=tuple(paths), settings=tuple(settings))


def compare_views(before: ImageView, after: ImageView) -> Comparison:
    """The comparison of two images without build noise."""
    comparison = compare(before.contents, before.ledger, after.contents, after.ledger)
    files: list[FileChange] = []
    for change in comparison.files:
        if is_noise(change.path):
            continue
        if "content" in change.fields and _same_but_for_noise(change, before, after):
            fields = tuple(field for field in change.fields if field != "content")
            if not fields:
                continue
            change = replace(change, fields=fields)
        files.append(change)
    config = tuple(change for change in comparison.config if not _nothing(change))
    return replace(comparison, files=tuple(files), config=config)  # type: ignore[no-any-return]


def _nothing(change: ConfigChange) -> bool:
    """Whether a difference in a setting is immaterial: a label of dfopt's builds; no working directory, which means
    "/"."""
    if change.key == "WorkingDir":
        return (change.before or "/") == (change.after or "/")
    return change.key.startswith("Labels.dev.dfopt.")


def _same_but_for_noise(change: FileChange, before: ImageView, after: ImageView) -> bool:
    digest_before, digest_after = before.masked.get(id(change.before)), after.masked.get(id(change.after))
    return digest_before is not None and digest_before == digest_after


class Allowed:
    """What declarations allow, compiled. `noise`: paths that differed between builds of the same file and so may differ
    in any way."""

    def __init__(self, declared: Iterable[Declares], noise: Iterable[str] = ()) -> None:
        paths: dict[str, None] = {}
        modes: dict[str, None] = {}
        setid: dict[str, None] = {}
        owners: dict[str, None] = {}
        settings: dict[str, None] = {}
        self.files = ""
        for declaration in declared:
            paths.update(dict.fromkeys((*declaration.paths, *cache_paths(declaration.caches))))
            modes.update(dict.fromkeys(declaration.modes))
            setid.update(dict.fromkeys(declaration.setid))
            owners.update(dict.fromkeys(declaration.owners))
            settings.update(dict.fromkeys(declaration.settings))
            if declaration.files == "any" or not self.files:
                self.files = declaration.files
        self.noise = frozenset(noise)
        self.paths = [compile_pattern(pattern) for pattern in paths]
        self.parents = [compile_pattern(above) for pattern in paths for above in parents(pattern)]
        self.modes = [compile_pattern(pattern) for pattern in modes]
        self.setid = [compile_pattern(pattern) for pattern in setid]
        self.owners = [compile_pattern(pattern) for pattern in owners]
        self.settings = tuple(settings)

    def undeclared(self, comparison: Comparison) -> list[Difference]:
        """The differences that are not allowed, in the order of the comparison."""
        differences: list[Difference] = []
        for change in comparison.files:
            differences += self._file(change)
        for setting in comparison.config:
            if not any(fnmatchcase(setting.key, pattern) for pattern in self.settings):
                differences.append(
                    Difference(f"config.{setting.key}", "value", _value(setting.before), _value(setting.after))
                )
        return differences

    def _file(self, change: FileChange) -> list[Difference]:
        path = change.path
        if self.files == "any" or path in self.noise or _matches(self.paths, path):
            return []
        if change.kind in (ADDED, REMOVED):
            entry = change.before or change.after
            assert entry is not None
            if change.kind == REMOVED and self.files == "fewer":
                return []
            # the contents of a directory are reported separately, so a directory above a disposable path is immaterial
            if entry.kind == DIRECTORY and _matches(self.parents, path):
                return []
            return [Difference(path, "path", _shown(change.before), _shown(change.after))]
        assert change.kind == CHANGED
        assert change.before is not None
        assert change.after is not None
        return [
            Difference(path, field, *_values(field, change.before, change.after))
            for field in change.fields
            if not self._field(field, path, change.before, change.after)
        ]

    def _field(self, field: str, path: str, before: LayerEntry, after: LayerEntry) -> bool:
        if field == "mode":
            if _matches(self.modes, path):
                return True
            return after.mode == before.mode & ~_SETID and _matches(self.setid, path)
        return field == "owner" and _matches(self.owners, path)


def _matches(patterns: list[LinearPattern], path: str) -> bool:
    return any(pattern.fullmatch(path) for pattern in patterns)


def cache_paths(families: Iterable[str] | None = None) -> Iterable[str]:
    """The patterns of the indexes and caches of package managers, of some families or of all."""
    families_allowed = frozenset(families) if families is not None else None
    for name, row in table("package_managers").items():
        if families_allowed is None or row.get("family", name) in families_allowed:
            for key in ("index", "cache", "cache-links"):
                for path in row.get(key, ()):
                    yield path
                    yield f"{path}/**"


def _shown(entry: LayerEntry | None) -> str:
    if entry is None:
        return "absent"
    return f"{entry.kind} {entry.mode:04o} {entry.uid}:{entry.gid} {entry.size} B"


def _values(field: str, before: LayerEntry, after: LayerEntry) -> tuple[str, str]:
    if field == "mode":
        return f"{before.mode:04o}", f"{after.mode:04o}"
    if field == "owner":
        return f"{before.uid}:{before.gid}", f"{after.uid}:{after.gid}"
    if field == "target":
        return before.link, after.link
    if field == "content":
        return _content(before), _content(after)
    if field == "type":
        return before.kind, after.kind
    if field == "attributes":
        return ", ".join(sorted(before.xattrs or ())) or "none", ", ".join(sorted(after.xattrs or ())) or "none"
    return str(before.device), str(after.device)


def _content(entry: LayerEntry) -> str:
    return f"{entry.size} B, sha256 {entry.sha256.hex()[:12]}"


def _value(value: object) -> str:
    return "unset" if value is None else str(value)
