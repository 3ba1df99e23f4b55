"""The images that a host names, as `workspace.images` tells those of a Dockerfile."""

from __future__ import annotations

from dfopt.embedded.model import IMAGE, HostError
from dfopt.embedded.optimize import reader_of
from dfopt.embedded.template import blanked
from dfopt.record import replace
from dfopt.source import LineIndex
from dfopt.workspace.images import ImageUse, uses


def host_uses(name: str, text: str, kind: str) -> list[ImageUse]:
    """The images (and downloads) in a host; none where it cannot be read: the run over the files says so."""
    try:
        if kind == "template":
            return list(uses(name, blanked(text)[0]))
        parts = reader_of(kind).parts(text)
    except HostError:
        return []
    index = LineIndex(text)
    image_uses: list[ImageUse] = []
    for part in parts:
        if not part.offsets:
            continue
        line, column = index.position(part.start)
        dockerfile = f"FROM {part.text}\n" if part.kind == IMAGE else part.text
        image_uses += [replace(use, line=line + 1, column=column + 1) for use in uses(name, dockerfile)]
    return image_uses
