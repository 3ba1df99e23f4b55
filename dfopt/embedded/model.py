"""Parts of a host, and how what the optimizer makes of them gets back into it."""

from __future__ import annotations

from dfopt.edit import Edit
from dfopt.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

IMAGE = "image"
DOCKERFILE = "dockerfile"


class HostError(Exception):
    """The host cannot be read; `offset` is where in its text."""

    def __init__(self, message: str, offset: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset


class Unmappable(Exception):
    """A change that cannot be written in the host's notation; the message says why."""


class Embedded(Record):
    """One part: the text that it stands for, and where it is written.

    kind     IMAGE (an image name) or DOCKERFILE
    text     what the host's program reads there
    start    span in the host
    end
    offsets  for each character of `text`, and its end, the offset in the host; () where nothing may be changed
    write    text to put in the place of the characters from `start` to `end` -> how it is written. Raises Unmappable
    why      why nothing may be changed, for a part that is only reported
    indent   how many characters of the host stand before each line
    """

    kind: str
    text: str
    start: int
    end: int
    offsets: tuple[int, ...]
    write: Callable[[str, int, int], str]
    why: str = ""
    indent: int = 0

    def host_offset(self, offset: int) -> int:
        """Where a character of `text` is written (the part's start or end where that is not known)."""
        if not self.offsets:
            return self.start if offset == 0 else self.end
        return self.offsets[min(offset, len(self.offsets) - 1)]

    def edit(self, start: int, end: int, new: str) -> Edit:
        """The host's edit for a change of the part. Raises Unmappable."""
        if not self.offsets:
            raise Unmappable(self.why or "it cannot be changed here")
        begin = self.offsets[start]
        if start < end and not new and end == len(self.text) and self.text[:start].endswith("\n"):
            begin -= self.indent  # the last lines go: with what stands before them
        return Edit(begin, self.offsets[end], self.write(new, start, end))


def same_text(new: str, start: int, end: int) -> str:
    """For notations in which text stands for itself on one line. Raises Unmappable for a line break."""
    if "\n" in new or "\r" in new:
        raise Unmappable("it is written on one line")
    return new
