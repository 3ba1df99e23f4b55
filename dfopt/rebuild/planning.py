"""Decides how the layers of an image become instructions.

A step stands for one layer, or for all above the base ("squashed"). What it brings is read off the merged file system
before and after it, so whiteouts, opaque directories, repeated entries and entries below links mean here what they mean
in the ledger. Of the files, those that a person can review and that a plain copy of a directory carries faithfully
(also through git, which keeps no owner, no time and one bit of the mode) are carried by COPY; everything else is in one
tar, which ADD extracts with modes, owners, times, links, devices and capabilities.
"""

from __future__ import annotations

from dfopt.analysis.context_tree import directories_above
from dfopt.image.layers import BLOCK_DEVICE, CHARACTER, DIRECTORY, FILE, SYMLINK
from dfopt.image.merged_tree import Tree
from dfopt.image.model import host_platform
from dfopt.image.tar_writer import is_writable_attribute
from dfopt.rebuild.copying import plan_copies
from dfopt.rebuild.model import Packed, PlannedStep, RebuildError, RebuildPlan
from dfopt.record import Record, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from dfopt.image.layers import ImageContents, LayerEntry
    from dfopt.image.merged_tree import PathNode
    from dfopt.rebuild.model import BaseImage, CopyGroup, ProvedInstall

    Snapshot = dict[str, LayerEntry]

_PROGRAMS = ("/bin/rm", "/usr/bin/rm")
# what is mounted over while a RUN works: BuildKit executor/oci, buildah run_linux.go
_MOUNTED = frozenset(("/etc/resolv.conf", "/etc/hosts", "/etc/hostname", "/proc", "/sys", "/dev", "/run/.containerenv"))
_MOST_DELETED = 20_000  # paths that RUNs may name
_MOST_LAYERS = 100  # instructions with a layer; engines allow 127 with those of the base
_KEPT_ATTRIBUTES = ("security.capability",)


class UnplannableError(RebuildError):
    """Why the layers cannot be kept one by one, or why the base cannot be kept."""


class SurveyedLayers(Record):
    """What planning needs: the image, the paths that packages own, and the paths that are not to be in the result."""

    contents: ImageContents
    owned: Collection[str]
    disposable: Callable[[str], bool] | None = None


def plan(
    layers: SurveyedLayers,
    base: BaseImage,
    scratch: BaseImage,
    *,
    squash: bool = False,
    installs: Mapping[int, ProvedInstall] | None = None,
) -> RebuildPlan:
    """The plan with the base and its layers one by one if possible, else in one layer, else without the base.
    `scratch`: the base that is none; `installs`: by the number of the step, of the same plan without them."""
    installs = installs or {}
    notes: list[str] = []
    if not squash:
        try:
            return _plan(layers, base, False, installs)
        except UnplannableError as reason:
            notes.append(f"{reason}: all layers{' above the base' if base.layers else ''} are one, without dead files")
    try:
        planned = _plan(layers, base, True, installs)
    except UnplannableError as reason:
        notes = [f"{reason}: FROM scratch, in one layer, without dead files"]
        planned = _plan(layers, scratch, True, installs)
    return replace(planned, notes=(*notes, *planned.notes))  # type: ignore[no-any-return]


def _plan(layers: SurveyedLayers, base: BaseImage, squash: bool, installs: Mapping[int, ProvedInstall]) -> RebuildPlan:
    tree = Tree()
    all_layers = layers.contents.layers
    positions: dict[int, dict[int, int]] = {}
    before: Snapshot = {}
    steps: list[PlannedStep] = []
    notes: dict[str, None] = {}
    remover = ""
    first = base.layers
    for index, layer in enumerate(all_layers):
        if index == base.layers:
            before = snapshot(tree)
        tree.apply(layer.entries, layer.layer.where())
        if index < base.layers:
            continue
        positions[index] = {id(entry): position for position, entry in enumerate(layer.entries)}
        if squash and index + 1 < len(all_layers):
            continue
        install = installs.get(len(steps) + 1)
        step = _Step(tree, before, positions, layers, len(steps) + 1, first, index)
        planned = step.planned(install)
        notes.update(step.notes)
        if planned.deleted:
            remover = _remover(before, planned.deleted)
            if layers.contents.image.platform.key() != host_platform().key():
                raise UnplannableError(f"files are deleted in an image of {layers.contents.image.platform}")
        steps.append(planned)
        before = {path: node.entry for path, node in step.after.items()}
        first = index + 1
        positions.clear()
    made = sum(bool(step.deleted) + step.has_tar + len(step.copies) for step in steps)
    if base.layers + made > _MOST_LAYERS and not squash:
        raise UnplannableError(f"{base.layers + made} layers are more than engines allow")
    notes.update(dict.fromkeys(tree.notes))
    return RebuildPlan(base, tuple(steps), squash and len(all_layers) > base.layers + 1, remover, tuple(notes))


def snapshot(tree: Tree) -> Snapshot:
    return {path: node.entry for path, node in tree.walk()}


def _remover(before: Snapshot, deleted: tuple[str, ...]) -> str:
    """The rm of the image. Raises UnplannableError."""
    if len(deleted) > _MOST_DELETED:
        raise UnplannableError(f"{len(deleted)} paths are deleted in one layer")
    for path in deleted:
        if any(path == place or path.startswith(f"{place}/") or place.startswith(f"{path}/") for place in _MOUNTED):
            raise UnplannableError(f"{path} is deleted, which is mounted over while a RUN works")
        try:
            path.encode()
        except UnicodeEncodeError:
            raise UnplannableError("a path that is not UTF-8 is deleted") from None
    for program in _PROGRAMS:
        if _executable(before, program):
            return program
    raise UnplannableError("files are deleted in an image without rm")


def _executable(before: Snapshot, program: str) -> bool:
    """Whether a path leads to a file that may be executed."""
    parts, place, hops = program.split("/")[:0:-1], "", 0
    while parts:
        part = parts.pop()
        if part in ("", "."):
            continue
        if part == "..":
            place = place.rpartition("/")[0]
            continue
        entry = before.get(f"{place}/{part}")
        if entry is None or hops > 40:
            return False
        if entry.kind == SYMLINK:
            hops += 1
            parts += entry.link.split("/")[::-1]
            place = "" if entry.link.startswith("/") else place
            continue
        place = f"{place}/{part}"
    found = before.get(place)
    return found is not None and found.kind == FILE and bool(found.mode & 0o111)


class _Step:
    """One step from the file systems before and after it."""

    def __init__(
        self,
        tree: Tree,
        before: Snapshot,
        positions: dict[int, dict[int, int]],
        layers: SurveyedLayers,
        number: int,
        first: int,
        last: int,
    ) -> None:
        self.after = dict(tree.walk())
        self.before, self.positions, self.layers = before, positions, layers
        self.number, self.first, self.last = number, first, last
        self.notes: dict[str, None] = {}

    def planned(self, install: ProvedInstall | None) -> PlannedStep:
        disposable = self.layers.disposable
        made = install.made if install is not None else ()
        directories: dict[str, LayerEntry] = {}
        others: list[Packed] = []
        contents: dict[tuple[int, int], tuple[str, LayerEntry]] = {}
        files: dict[str, PathNode] = {}
        names: dict[int, str] = {}  # the first name of each file, by the identity of its inode
        for path, node in self.after.items():
            if node.layer < self.first:
                if node.inode is not None:
                    names.setdefault(id(node.inode), path)
                continue
            if path in made:
                if node.inode is not None:
                    names[id(node.inode)] = path
                continue
            if disposable is not None and path not in self.before and disposable(path):
                continue
            if node.entry.kind == DIRECTORY:
                if self._changed(path, node.entry):
                    directories[path] = node.entry
            elif node.inode is not None:
                files[path] = node
            else:
                others.append(Packed(path, node.entry))
            self._judge(path, node.entry)
        for path, node in files.items():
            inode = node.inode
            assert inode is not None
            if id(inode) in names:
                others.append(Packed(path, node.entry, names[id(inode)]))
                continue
            names[id(inode)] = path
            if inode.layer < self.first:  # a file of a lower layer, all names of which are new: it was moved by links
                raise UnplannableError(f"{path} is a hard link to a file of a lower layer that is gone")
            contents[inode.layer, self.positions[inode.layer][id(inode.entry)]] = path, node.entry
        others.sort(key=lambda packed: bool(packed.link))  # links last: their targets may be among the others
        copies, reasons = plan_copies(
            self.before, self.after, [path for path, _ in contents.values()], self.layers.owned
        )
        copied = frozenset(path for group in copies for path in group.files)
        tarred = [path for path, _ in contents.values() if path not in copied] + [packed.path for packed in others]
        return PlannedStep(
            self.number, self.first, self.last, () if install is not None else self._deleted(),
            self._directories(directories, tarred, copies),
            tuple(others), contents, copies, copied, reasons,
        )  # fmt: skip

    def _changed(self, path: str, entry: LayerEntry) -> bool:
        old = self.before.get(path)
        if path == "/":
            if (entry.mode, entry.uid, entry.gid) != (0o755, 0, 0):
                mode = f"mode {entry.mode:04o}, owner {entry.uid}:{entry.gid}"
                self.notes[f"not kept: the root directory's {mode}: ADD leaves it as it is"] = None
            return False
        return old is None or old.kind != DIRECTORY or _metadata(old) != _metadata(entry)

    def _directories(
        self, directories: dict[str, LayerEntry], tarred: list[str], copies: tuple[CopyGroup, ...]
    ) -> tuple[Packed, ...]:
        """The directories of the tar: all that change but those that a COPY makes and nothing in the tar needs."""
        made = {group.source for group in copies if group.source}
        needed = directories_above(tarred)
        full = directories_above(path for group in copies for path in group.files)

        def by_copy(path: str) -> bool:
            return path in full and any(path == root or path.startswith(f"{root}/") for root in made)

        return tuple(Packed(path, entry) for path, entry in directories.items() if path in needed or not by_copy(path))

    def _deleted(self) -> tuple[str, ...]:
        """The topmost paths that are gone, without those below what is no directory any more."""
        deleted: list[str] = []
        gone = ""
        for path in self.before:
            if gone and path.startswith(gone):
                continue
            if path in self.after:
                continue
            parent = path.rpartition("/")[0] or "/"
            node = self.after.get(parent)
            gone = f"{path}/"
            if node is not None and node.children is not None:
                deleted.append(path)
        return tuple(deleted)

    def _judge(self, path: str, entry: LayerEntry) -> None:
        for name in entry.xattrs or ():
            if name not in _KEPT_ATTRIBUTES:
                self.notes[f"not kept: extended attributes {name}, which engines leave out of layers"] = None
        if entry.kind in (CHARACTER, BLOCK_DEVICE):
            self.notes["there are device files: an engine that runs without root cannot make them"] = None


def _metadata(entry: LayerEntry) -> tuple[object, ...]:
    attributes = {name: value for name, value in (entry.xattrs or {}).items() if is_writable_attribute(name)}
    return entry.mode, entry.uid, entry.gid, sorted(attributes.items())
