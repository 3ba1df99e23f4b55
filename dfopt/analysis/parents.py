"""What the Dockerfile of the tree that builds a base image tells of it.

Of such a parent everything is known that dfopt knows of any file: the user, the ENTRYPOINT and the distribution that
its image ends with, through its own base and that one's parent.
"""

from __future__ import annotations

from dfopt.ir.program import Program
from dfopt.syntax.dockerfile import parse
from dfopt.syntax.tree import DockerfileError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.facts import Facts
    from dfopt.ir.stages import Stage

DEEPEST = 8  # parents of parents; a longer chain, or one that bites its tail, is not followed
_KEPT = 64  # programs of parents that are remembered

_programs: dict[str, Program | None] = {}


def parent_program(image: str | None, facts: Facts) -> tuple[Program, Stage] | None:
    """The program of the Dockerfile that builds an image, and the stage that it ends with; None where there is none."""
    parent = facts.parent(image) if image is not None else None
    if parent is None:
        return None
    if parent.text not in _programs:
        if len(_programs) >= _KEPT:
            _programs.clear()
        try:
            _programs[parent.text] = Program(parse(parent.text))
        except DockerfileError:
            _programs[parent.text] = None
    program = _programs[parent.text]
    stage = program.final if program is not None else None
    return (program, stage) if program is not None and stage is not None else None
