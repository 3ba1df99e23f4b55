"""An image reference as a registry is asked for it."""

from __future__ import annotations

from dfopt.record import Record
from dfopt.registry.errors import InvalidReferenceError, shown
from dfopt.syntax.image_ref import ImageRef, ImageRefError, parse_image_ref


class Target(Record):
    """What to ask: registry `host` ("docker.io", "localhost:5000", lower case), repository `path`, `tag`, `digest`.

    `tag` is empty only beside a digest; a digest beside a tag is what the reference was pinned to.
    """

    host: str
    path: str
    tag: str
    digest: str

    def __str__(self) -> str:
        """The reference in full without its pin: `docker.io/library/debian:12`; with the digest where no tag is."""
        return f"{self.host}/{self.path}" + (f":{self.tag}" if self.tag else f"@{self.digest}")


def spelled(ref: str | ImageRef) -> str:
    """A reference as the user wrote it."""
    return ref if isinstance(ref, str) else ref.text


def target_of(ref: str | ImageRef) -> Target:
    """What a reference asks for, its variables expanded before. Raises InvalidReferenceError."""
    try:
        parsed = parse_image_ref(ref) if isinstance(ref, str) else ref
    except ImageRefError as error:
        raise InvalidReferenceError(f"{shown(spelled(ref))!r} is no image reference: {shown(error.message)}") from None
    if parsed.is_scratch:
        raise InvalidReferenceError("scratch is the empty image: no registry has it")
    if not parsed.domain:
        raise InvalidReferenceError(f"{shown(parsed.text)!r} names no registry that can exist")
    return Target(parsed.domain.lower(), parsed.path, parsed.resolved_tag, parsed.digest)
