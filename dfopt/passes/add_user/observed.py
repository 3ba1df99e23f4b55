"""What a run of the image, with its smoke script, showed that a user must own: exactly that is given to it."""

from __future__ import annotations

import posixpath

from dfopt.analysis.build_facts import built_image
from dfopt.ir.effects import covers
from dfopt.lazy import regex
from dfopt.passes.add_user.paths import SHARED, may_own
from dfopt.record import Record
from dfopt.refusal import Refusal

_PLAIN = regex(r"/[\w./@+~-]*")

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.facts import BuiltImage, Facts
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage


class ObservedNeeds(Record):
    """`own`: directories in which the program makes files or takes them away, and files that it changes; `listens`: as
    in `ObservedRun`."""

    own: tuple[str, ...]
    listens: tuple[str, ...] | None


def observed_needs(program: Program, stage: Stage, facts: Facts) -> ObservedNeeds | None:
    """None where no run was seen. Raises Refusal for what cannot be given to a user."""
    run = facts.observed_run(stage.index, stage.base)
    image = built_image(program, stage, facts) if run is not None else None
    if run is None or image is None:
        return None
    own: dict[str, None] = {}
    for row in run.written:
        path = row.removeprefix("-")
        # what everybody may write to; another user's home is elsewhere; without its cache, Python works as before
        if any(covers(place, path) for place in (*SHARED, "/root")) or "/__pycache__" in path:
            continue
        place = _place(image, path, gone=row.startswith("-"))
        if not may_own(place):
            raise Refusal(
                f"the image's program writes to {path}, and {place} cannot be given to a user",
                "let it write to a directory of its own",
            )
        if _PLAIN.fullmatch(place) is None:  # it stands in a command
            raise Refusal(f"the image's program writes to {path}, and the name {place} has unusual characters")
        own[place] = None
    return ObservedNeeds(tuple(own), run.listens)


def _place(image: BuiltImage, path: str, *, gone: bool) -> str:
    """What must belong to who writes `path`: the file itself where the image has it, else the directory."""
    if path.endswith("/*"):
        path = path[:-2] or "/"
    elif gone:
        path = posixpath.dirname(path)
    while path != "/" and not image.artifact(path).kind:
        path = posixpath.dirname(path)
    return image.artifact(path).path or path
