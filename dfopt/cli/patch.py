"""The file of `--patch`: the whole diff of a run, put in place at its end."""

from __future__ import annotations

import os
from contextlib import suppress
from stat import S_ISREG

from dfopt.source import encode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import BinaryIO


class PatchFile:
    """Collects a patch beside its place, so that no half of one is ever found there; a pipe or device is written to
    directly. To be used in a `with` statement: an exception leaves what was there before. Raises OSError."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.temporary = ""

    def __enter__(self) -> PatchFile:
        try:
            regular = S_ISREG(os.stat(self.path).st_mode)
        except FileNotFoundError:
            regular = True
        if regular:
            target = os.path.realpath(self.path)
            self.temporary = os.path.join(
                os.path.dirname(target), f".{os.path.basename(target)[:100]}.dfopt-{os.getpid()}.tmp"
            )
        try:
            self.file: BinaryIO = open(self.temporary or self.path, "wb")
        except OSError as failure:
            raise OSError(failure.errno, failure.strerror, self.path) from None
        return self

    def add(self, text: str) -> None:
        self.file.write(encode(text))

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            self.file.close()
            if self.temporary and kind is None:
                os.replace(self.temporary, os.path.realpath(self.path))
                self.temporary = ""
        finally:
            if self.temporary:
                with suppress(OSError):
                    os.unlink(self.temporary)
