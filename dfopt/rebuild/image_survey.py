"""Reads an image once for a rebuild: entries of its layers, the paths that packages own, the names of files that hold
secrets, and the records of package managers."""

from __future__ import annotations

import re

from dfopt.image.layers import read_image
from dfopt.review.secret_scan import Watch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.image.errors import ReadLimits
    from dfopt.image.layers import LayerEntry
    from dfopt.image.model import Image
    from dfopt.image.tar_member import Sink

_LISTS = re.compile(r"/var/lib/dpkg/info/[^/]+\.(?:list|conffiles)")
_RECORDS = re.compile(
    r"/var/lib/dpkg/status|/var/lib/apt/extended_states|/var/log/apt/history\.log|/(?:usr/)?lib/apk/db/installed"
    r"|/etc/apk/world|/.+\.dist-info/(?:INSTALLER|REQUESTED|direct_url\.json|RECORD)|/.+/dist-info"
)
_LARGEST = 16 << 20  # bytes of one record
_ALL = 256 << 20  # of all that are held


class RebuildSurvey:
    """`contents`: the entries; `owned`: paths of packages; `records`: (entry, content) of the records, by the identity
    of the entry; `secrets`: layer -> names of files."""

    def __init__(self, image: Image, limits: ReadLimits | None = None) -> None:
        self.records: dict[int, bytes] = {}
        self._watch = Watch(databases=False)
        self._held = 0
        self.contents = read_image(image, limits, visit=self._visit)
        self.owned = frozenset(self._owned())
        self.secrets = self._secrets()

    def _visit(self, entry: LayerEntry) -> Sink | None:
        watching = self._watch.visit(entry)
        path = entry.path
        is_record = _LISTS.fullmatch(path) if path.startswith("/var/lib/dpkg/info/") else _RECORDS.fullmatch(path)
        if is_record is None or entry.size > _LARGEST or self._held + entry.size > _ALL:
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

    def _owned(self) -> Iterator[str]:
        for layer in self.contents.layers:
            for entry in layer.entries:
                if id(entry) not in self.records:
                    continue
                if _LISTS.fullmatch(entry.path):
                    yield from self.record(entry).split("\n")
                elif entry.path.endswith("/apk/db/installed"):
                    yield from _of_apk(self.record(entry))

    def _secrets(self) -> dict[int, list[str]]:
        found = {id(secret.entry) for secret in self._watch.secrets if secret.level != "note"}
        return {
            index: paths
            for index, layer in enumerate(self.contents.layers)
            if found and (paths := [entry.path for entry in layer.entries if id(entry) in found])
        }


def _of_apk(text: str) -> Iterator[str]:
    """The paths that apk's database lists: lines `F:` name a directory, lines `R:` files in it."""
    directory = ""
    for line in text.split("\n"):
        if line.startswith("F:"):
            directory = line[2:]
        elif line.startswith("R:"):
            yield f"/{directory}/{line[2:]}" if directory else f"/{line[2:]}"
