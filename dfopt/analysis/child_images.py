"""Other files of the tree that may be built on the image of this one."""

from __future__ import annotations

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
        try:
            other = Program(parse(child.text))
        except DockerfileError:
            continue
        for stage_outside in other.stages:
            name = split_image(stage_outside.image or stage_outside.base)[0].rpartition("/")[2].lower()
            if stage_outside.parent is None and name in child.images:
                later, _ = index_reader(other, stage_outside, -1, family)
                if later is not None:
                    return f"{child.name} (line {later.node.line})"
    return ""
