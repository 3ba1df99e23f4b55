"""Other files of the tree that may be built on the image of this one."""

from __future__ import annotations

from functools import lru_cache

from dfopt.analysis.cache_readers import index_reader
from dfopt.ir.base_images import split_image
from dfopt.ir.program import Program
from dfopt.syntax.dockerfile import parse
from dfopt.syntax.tree import DockerfileError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.facts import Facts
    from dfopt.ir.stages import Stage


def index_reader_outside(program: Program, facts: Facts, stage: Stage, family: str) -> str:
    """The place (`FILE (line N)`) in another file that may be built on the image of `stage`, and reads the family's
    package index as it finds it; "" where none is known."""
    if stage.index not in program.shipped():
        return ""
    for child in facts.children() or ():
        line = _reading_line(child.text, child.images, family)
        if line:
            return f"{child.name} (line {line})"
    return ""


@lru_cache(2_000)  # many images may have the same children
def _reading_line(text: str, images: frozenset[str], family: str) -> int:
    """The line of a Dockerfile's text where a stage that may be built on one of `images` reads the family's package
    index as it finds it; 0 where none does."""
    try:
        program = Program(parse(text))
    except DockerfileError:
        return 0
    for stage in program.stages:
        name = split_image(stage.image or stage.base)[0].rpartition("/")[2].lower()
        if stage.parent is None and name in images:
            later, _ = index_reader(program, stage, -1, family)
            if later is not None:
                return later.node.line
    return 0
