"""Stages and steps: the instructions of a file by the image that they make."""

from __future__ import annotations

from dfopt.record import Record
from dfopt.syntax.tree import Heredoc, Instruction

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


# A COPY --from or FROM may name these without a stage
SCRATCH = "scratch"


class Step(Record):
    """One instruction of a stage. `index` counts the file's instructions from 0 and is the step's name everywhere;
    `effective` is the instruction, or what ONBUILD wraps."""

    index: int
    stage: int
    node: Instruction
    effective: Instruction

    def __init__(self, index: int, stage: int, node: Instruction) -> None:
        own: Any = self
        own.index = index
        own.stage = stage
        own.node = node
        own.effective = node if node.nested is None else node.nested

    @property
    def heredocs(self) -> tuple[Heredoc, ...]:
        return self.node.heredocs


class Stage(Record):
    """One stage. `base` is the FROM word as written; `parent` the index of the stage that it builds on, else None.

    `image` is the expanded image reference where it is known (never for `parent`)."""

    index: int
    name: str
    base: str
    parent: int | None
    image: str | None
    node: Instruction
    position: int  # of the FROM among the file's instructions
    steps: tuple[Step, ...]
