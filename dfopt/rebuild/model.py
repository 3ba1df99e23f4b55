"""What a rebuild consists of, before anything is written."""

from __future__ import annotations

from dfopt.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from typing import Any

    from dfopt.image.layers import LayerEntry


class RebuildError(Exception):
    """Why an image cannot be rebuilt, in one line."""


class BaseImage(Record):
    """The image that a rebuild stands on. `name`: for FROM, "scratch" without one; `layers`: how many of the image's
    layers, the lowest, are its own; `settings`: its config."""

    name: str
    layers: int
    settings: Mapping[str, Any]


class CopyGroup(Record):
    """Files that one COPY carries. `source`: of a directory, its path in the image, else ""; `files`: the paths of the
    files in the image; `destination`: the directory in the image; `owner`: (uid, gid)."""

    source: str
    files: tuple[str, ...]
    destination: str
    owner: tuple[int, int]


class Packed(Record):
    """An entry of a step's tar that is not the content of a file. `link`: the target of a hard link, else ""."""

    path: str
    entry: LayerEntry
    link: str = ""


class PlannedStep(Record):
    """The layers from `first` to `last` as instructions, in this order: what is deleted, the tar, the COPYs.

    number    of the step, which names its files
    deleted   absolute paths, none below another
    before    directories of the tar; after: what follows its files (links, devices)
    contents  (layer, position in the layer) -> path of each file whose content is taken from there
    copied    the paths among those that COPYs carry; the others are in the tar
    reasons   why files are in the tar -> how many
    """

    number: int
    first: int
    last: int
    deleted: tuple[str, ...]
    before: tuple[Packed, ...]
    after: tuple[Packed, ...]
    contents: Mapping[tuple[int, int], tuple[str, LayerEntry]]
    copies: tuple[CopyGroup, ...]
    copied: frozenset[str]
    reasons: Mapping[str, int]

    @property
    def has_tar(self) -> bool:
        return bool(self.before or self.after or len(self.copied) < len(self.contents))

    @property
    def tar(self) -> str:
        """The name of its tar in the context."""
        return f"layer-{self.number}.tar.gz"

    @property
    def folder(self) -> str:
        """The directory of its copied files in the context."""
        return f"layer-{self.number}"


class ProvedInstall(Record):
    """An install that stands for files of a step. `instruction`: the RUN; `made`: paths that it makes as they are in
    the image; `remarks`: for comments."""

    instruction: str
    made: Collection[str]
    remarks: tuple[str, ...]


class RebuildPlan(Record):
    """`remover`: the path of rm in the image, where a step deletes something; `notes`: what is not kept, or kept
    otherwise than the user may expect."""

    base: BaseImage
    steps: tuple[PlannedStep, ...]
    squashed: bool
    remover: str
    notes: tuple[str, ...]
