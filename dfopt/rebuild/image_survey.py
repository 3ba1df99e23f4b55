"""Reads an image once for a rebuild: entries of its layers, the paths that packages own, the names of files that hold
secrets, and the records of package managers."""

from __future__ import annotations

import posixpath
import re

from dfopt.image.layers import read_image
from dfopt.proof.nondeterminism import Masked
from dfopt.rebuild.package_records import APK, DATABASES, HISTORY
from dfopt.review.secret_scan import Watch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.image.errors import ReadLimits
    from dfopt.image.layers import LayerEntry
    from dfopt.image.model import Image
    from dfopt.image.tar_member import Sink

_LISTS = re.compile(r"/var/lib/dpkg/info/[^/]+\.(?:list|conffiles)")
_RECORD = re.compile(r"/.+\.dist-info/(?:INSTALLER|RECORD)")
_LARGEST = 16 << 20  # bytes of one record
_ALL = 256 << 20  # of all that are held


class RebuildSurvey:
    """`contents`: the entries; `owned`: paths of packages; `records`: (entry, content) of the records, by the identity
    of the entry; `secrets`: (layer, position in the layer) -> path of each file that holds one."""

    def __init__(self, image: Image, limits: ReadLimits | None = None) -> None:
        self.records: dict[int, bytes] = {}
        self.masked = Masked()
        self._watch = Watch(databases=False)
        self._held = 0
        self.contents = read_image(image, limits, visit=self._visit)
        self.masked.finish()
        self.owned = frozenset(self._owned())
        self.secrets = self._secrets()

    def _visit(self, entry: LayerEntry) -> Sink | None:
        watching = _both(self._watch.visit(entry), self.masked.visit(entry))
        path = entry.path
        is_record = path in DATABASES or path == HISTORY or _LISTS.fullmatch(path) or _RECORD.fullmatch(path)
        if not is_record or entry.size > _LARGEST or self._held + entry.size > _ALL:
            return watching
        self._held += entry.size
        content = bytearray()

        def take(piece: memoryview) -> None:
            content.extend(piece)
            if len(content) == entry.size:
                self.records[id(entry)] = bytes(content)
            if watching is not None:
                watching(piece)

        return take

    def record(self, entry: LayerEntry) -> str:
        """The text of a record; "" of one that is not held."""
        return self.records.get(id(entry), b"").decode("utf-8", "surrogateescape")

    def record_after(self, path: str, layers: int) -> str:
        """The text of the record at `path` after so many layers; "" where there is none."""
        for layer in reversed(self.contents.layers[:layers]):
            for entry in reversed(layer.entries):
                if entry.path == path:
                    return self.record(entry)
        return ""

    def asked_of_pip(self, first: int, last: int) -> list[str]:
        """The directories `NAME-VERSION.dist-info` that these layers bring, of projects that pip took from an index
        because a user named them."""
        asked: list[str] = []
        for layer in self.contents.layers[first : last + 1]:
            paths = {entry.path: entry for entry in layer.entries if ".dist-info/" in entry.path}
            for path, entry in paths.items():
                directory, _, name = path.rpartition("/")
                if name != "INSTALLER" or self.record(entry).strip() != "pip":
                    continue
                if f"{directory}/REQUESTED" in paths and f"{directory}/direct_url.json" not in paths:
                    asked.append(directory)
        return asked

    @property
    def externally_managed(self) -> bool:
        """Whether a Python of the image is managed by its distribution (PEP 668)."""
        return any(
            entry.path.endswith("/EXTERNALLY-MANAGED") for layer in self.contents.layers for entry in layer.entries
        )

    def _owned(self) -> Iterator[str]:
        for layer in self.contents.layers:
            for entry in layer.entries:
                if id(entry) not in self.records:
                    continue
                if _LISTS.fullmatch(entry.path):
                    yield from self.record(entry).split("\n")
                elif entry.path in APK:
                    yield from _of_apk(self.record(entry))
                elif entry.path.endswith("/RECORD"):
                    yield from _of_pip(entry.path, self.record(entry))

    def _secrets(self) -> dict[tuple[int, int], str]:
        found = {id(secret.entry) for secret in self._watch.secrets if secret.level != "note"}
        return {
            (index, position): entry.path
            for index, layer in enumerate(self.contents.layers if found else ())
            for position, entry in enumerate(layer.entries)
            if id(entry) in found
        }


def _both(one: Sink | None, other: Sink | None) -> Sink | None:
    if one is None or other is None:
        return one or other

    def take(piece: memoryview) -> None:
        one(piece)
        other(piece)

    return take


def _of_pip(path: str, text: str) -> Iterator[str]:
    """The paths that a RECORD lists, relative to the directory above its own."""
    above = posixpath.dirname(posixpath.dirname(path))
    for line in text.split("\n"):
        name = line.rsplit(",", 2)[0].strip('"')
        if name:
            yield posixpath.normpath(posixpath.join(above, name))


def _of_apk(text: str) -> Iterator[str]:
    """The paths that apk's database lists: lines `F:` name a directory, lines `R:` files in it."""
    directory = ""
    for line in text.split("\n"):
        if line.startswith("F:"):
            directory = line[2:]
        elif line.startswith("R:"):
            yield f"/{directory}/{line[2:]}" if directory else f"/{line[2:]}"
