"""Build noise: masks content that differs between builds of the same Dockerfile (knowledge/build_noise.toml)."""

from __future__ import annotations

import hashlib
import re

from dfopt.knowledge import table
from dfopt.proof.patterns import compile_pattern

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from dfopt.image.layers import LayerEntry
    from dfopt.syntax.automaton import LinearPattern

    Clean = Callable[[bytes], bytes]

_LIMIT = 64 << 20  # bytes: larger files are compared unmasked


def _all(content: bytes) -> bytes:
    return b""


def _path(content: bytes) -> bytes:
    return b""


def _pyc_time(content: bytes) -> bytes:
    # 4 bytes of magic, 4 of flags; with flags 0 then the source's mtime and size, else a hash of the source
    return content[:8] + bytes(4) + content[12:] if content[4:8] == bytes(4) else content


def _gzip_time(content: bytes) -> bytes:
    return content[:4] + bytes(4) + content[8:] if content[:2] == b"\x1f\x8b" else content


def _shadow(content: bytes) -> bytes:
    content = re.sub(rb"(?m)^([^:\n]*:!*\$[^$:\n]*\$)[^:\n]*:", rb"\1:", content)
    return re.sub(rb"(?m)^([^:\n]*:[^:\n]*:)\d+:", rb"\1:", content)


_CLEANERS: dict[str, Clean] = {
    "all": _all, "path": _path, "pyc-time": _pyc_time, "gzip-time": _gzip_time, "shadow": _shadow
}  # fmt: skip
_masks: list[tuple[LinearPattern, Clean]] = []


def is_noise(path: str) -> bool:
    """Whether a path has a random name, so it may differ between builds."""
    return mask_for(path) is _path


def mask_for(path: str) -> Clean | None:
    """What is to be left out of a file's content; None: nothing."""
    if not _masks:
        for row in table("build_noise")["mask"]:
            _masks.extend((compile_pattern(pattern), _CLEANERS[row["clean"]]) for pattern in row["paths"])
    for pattern, clean in _masks:
        if pattern.fullmatch(path):
            return clean
    return None


class Masked:
    """Visits files while an image is read (`visit` of dfopt.image) and stores a digest of the masked content of each
    file that contains noise. `digests`: by the identity of the entry, which the reader's result keeps alive."""

    def __init__(self) -> None:
        self.digests: dict[int, bytes] = {}
        self._open: tuple[int, Clean, bytearray] | None = None

    def visit(self, entry: LayerEntry) -> Callable[[memoryview], object] | None:
        self.finish()
        if entry.size > _LIMIT:
            return None
        clean = mask_for(entry.path)
        if clean is None:
            return None
        content = bytearray()
        self._open = id(entry), clean, content
        return content.extend

    def finish(self) -> None:
        """To be called after the last file, too."""
        if self._open is not None:
            entry, clean, content = self._open
            self.digests[entry] = hashlib.sha256(clean(bytes(content))).digest()
            self._open = None
