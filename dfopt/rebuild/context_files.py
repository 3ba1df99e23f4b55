"""Writes the files of a plan into a directory: the tars, and the files that COPY carries.

Layers pass through as a stream. Nothing of them but what the plan names is written, and every name of a file is made of
parts that the plan has checked.
"""

from __future__ import annotations

import os

from dfopt.image.layers import FILE, iter_entries
from dfopt.image.tar_writer import LayerWriter, is_writable_attribute
from dfopt.record import replace
from dfopt.writing import new_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Container
    from typing import BinaryIO

    from dfopt.image.errors import ReadLimits
    from dfopt.image.layers import LayerEntry
    from dfopt.image.model import Image
    from dfopt.rebuild.model import PlannedStep, RebuildPlan


def write_context(image: Image, plan: RebuildPlan, folder: str, limits: ReadLimits | None = None) -> int:
    """Writes what the steps of a plan need into `folder`, which holds nothing of theirs; returns the bytes of the tars.
    Raises ImageError, OSError."""
    size = 0
    for step in plan.steps:
        if step.has_tar:
            with new_file(os.path.join(folder, step.tar)) as file:
                _write(image, step, folder, limits, file)
                size += file.tell()
                _give_mode(file, 0o644)
        elif step.contents:
            _write(image, step, folder, limits, None)
    return size


def write_tar(
    image: Image, step: PlannedStep, path: str, left_out: Container[str], limits: ReadLimits | None = None
) -> None:
    """The tar of a step without some paths, as a new file. Raises ImageError, OSError."""
    with new_file(path) as file:
        _write(image, step, "", limits, file, left_out)
        _give_mode(file, 0o644)


def _write(
    image: Image,
    step: PlannedStep,
    folder: str,
    limits: ReadLimits | None,
    file: BinaryIO | None,
    left_out: Container[str] = (),
) -> None:
    """The tar into `file`, and the copied files below `folder` ("" for none)."""
    writer = LayerWriter(file) if file is not None else None
    if writer is not None:
        for packed in step.before:
            if packed.path not in left_out:
                writer.add(packed.path, _writable(packed.entry))
    for index in sorted({index for index, _ in step.contents}):
        _Pass(index, step, folder, writer, left_out).run(image, limits)
    if writer is not None:
        for packed in step.after:
            if packed.path not in left_out:
                writer.add(packed.path, _writable(packed.entry), packed.link)
        writer.close()


class _Pass:
    """One layer on its way into the tar of a step and its copied files."""

    def __init__(
        self, index: int, step: PlannedStep, folder: str, writer: LayerWriter | None, left_out: Container[str]
    ) -> None:
        self.index, self.step, self.folder = index, step, folder
        self.writer, self.left_out = writer, left_out
        self.position = 0
        self.open: BinaryIO | None = None

    def run(self, image: Image, limits: ReadLimits | None) -> None:
        try:
            for entry in iter_entries(image.layers[self.index], limits, hashes=False, visit=self.visit):
                if entry.kind == FILE and not entry.size:  # such a file is not visited
                    self.visit(entry)
                self._close(entry)
                self.position += 1
        finally:
            if self.open is not None:
                self.open.close()

    def visit(self, entry: LayerEntry) -> Callable[[memoryview], object] | None:
        path, wanted = self.step.contents.get((self.index, self.position), ("", entry))
        if not path or path in self.left_out:
            return None
        if path not in self.step.copied:
            if self.writer is None:
                return None
            self.writer.add(path, _writable(wanted))
            return self.writer.write
        if not self.folder:
            return None
        place = os.path.join(self.folder, self.step.folder, *path.split("/")[1:])
        os.makedirs(os.path.dirname(place), exist_ok=True)
        self.open = new_file(place)
        return self.open.write

    def _close(self, entry: LayerEntry) -> None:
        if self.open is None:
            return
        self.open.flush()
        _give_mode(self.open, entry.mode)
        if os.utime in os.supports_fd:
            os.utime(self.open.fileno(), (int(entry.mtime), int(entry.mtime)))
        self.open.close()
        self.open = None


def _give_mode(file: BinaryIO, mode: int) -> None:
    if hasattr(os, "fchmod"):
        os.fchmod(file.fileno(), mode)


def _writable(entry: LayerEntry) -> LayerEntry:
    """The entry with the attributes alone that a tar can hold."""
    if not entry.xattrs or all(map(is_writable_attribute, entry.xattrs)):
        return entry
    attributes = {name: value for name, value in entry.xattrs.items() if is_writable_attribute(name)}
    return replace(entry, xattrs=attributes)  # type: ignore[no-any-return]
