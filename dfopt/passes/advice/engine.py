"""The engine of advice: what some linters ask for, and others do not. Off by default, and never a change. A pass is a
row: a class that says what it looks for, why, and an example in which it finds something."""

from __future__ import annotations

from inspect import cleandoc

from dfopt.findings import Finding

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import ClassVar

    from dfopt.facts import Facts
    from dfopt.ir.program import Program

    Place = tuple[str, int, int]  # message, span in the file

_END = "Off by default: whether it is wanted is the project's to say.\n\nRefuses: nothing; it changes nothing.\n\n"
_END += "Declares: nothing; it is a suggestion."


class Advice:
    """A row sets `name`, `codes`, `triggers` and `example`, and says the places."""

    example: ClassVar[str]
    group: ClassVar[str] = "advice"
    tiers: ClassVar[tuple[str, ...]] = ()
    phase: ClassVar[str] = "repair"
    default: ClassVar[bool] = False
    order: ClassVar[int] = 96

    if TYPE_CHECKING:
        name: ClassVar[str]

    def __init_subclass__(cls) -> None:
        if "example" in cls.__dict__:
            text = cleandoc(cls.__doc__ or "")
            cls.__doc__ = f"{text}\n\nExample:\n\n```dockerfile\n{cls.example}\n```\n\n{_END}\n"
        super().__init_subclass__()

    def places(self, program: Program) -> Iterator[Place]:
        """What it finds, in the order of the file."""
        raise NotImplementedError

    def find(self, program: Program, facts: Facts) -> Iterator[Finding]:
        for message, start, end in dict.fromkeys(self.places(program)):  # one span may hold several commands
            yield Finding(self.name, message, start, end)
