"""Parts of a host, and how what the optimizer makes of them gets back into it."""

from __future__ import annotations

import re

from dfopt.edit import Edit
from dfopt.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Protocol

    class EmbeddedReader(Protocol):
        """A kind of host."""

        def parts(self, text: str) -> list[Embedded]:
            """The parts, in order. Raises HostError for a text that is not of this kind."""

        def check(self, before: str, after: str, parts: list[Embedded], texts: list[str]) -> str:
            """The host's gate: reads both texts from nothing; "" where they differ in the parts alone, and those stand
            for `texts` now; else what is wrong."""


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
    unblock  what the user can do about `why`
    """

    kind: str
    text: str
    start: int
    end: int
    offsets: tuple[int, ...]
    write: Callable[[str, int, int], str]
    why: str = ""
    indent: int = 0
    unblock: str = ""

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


def difference(reader: EmbeddedReader, before: str, after: str, parts: list[Embedded], texts: list[str]) -> str:
    """A gate that serves any host: outside of the parts no character differs, and `after`, read from nothing, holds the
    declared texts; "" then, else what is wrong."""
    try:
        new = reader.parts(after)
    except HostError as failure:
        return failure.message
    if _outside(before, parts) != _outside(after, new):
        return "text outside of the parts changed"
    return "" if [part.text for part in new] == texts else "a part does not stand for the declared text"


def _outside(text: str, parts: list[Embedded]) -> list[str]:
    ends = [0, *[part.end for part in parts]]
    starts = [*[part.start for part in parts], len(text)]
    return [text[end:start] for end, start in zip(ends, starts, strict=True)]


def left_alone(start: int, end: int, why: str, unblock: str = "") -> Embedded:
    """A part that stands for an image's name that is not changed."""
    return Embedded(IMAGE, "", start, end, (), same_text, why, 0, unblock)


def image_name(name: str, start: int) -> Iterator[Embedded]:
    """The part for an image's name that stands for itself from the host's offset `start`; none where it is no name, and
    one that is left alone where another program fills it in."""
    end = start + len(name)
    if "{{" in name:
        yield left_alone(start, end, "it is a template that another program fills in")
    elif "$" in name:
        yield left_alone(start, end, "it holds a variable")
    elif name and not re.search(r"[\s{}]", name):
        yield Embedded(IMAGE, name, start, end, tuple(range(start, end + 1)), same_text)


def digest_alone(new: str, start: int, end: int) -> str:
    """For a digest that is written as a value of its own: the name's change without its `@`. Raises Unmappable."""
    if new[:1] != "@":
        raise Unmappable("it is written in several values")
    return same_text(new, start, end)[1:]


def same_text(new: str, start: int, end: int) -> str:
    """For notations in which text stands for itself on one line. Raises Unmappable for a line break."""
    if "\n" in new or "\r" in new:
        raise Unmappable("it is written on one line")
    return new
