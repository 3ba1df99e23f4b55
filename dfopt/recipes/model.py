"""A recipe as it was read."""

from __future__ import annotations

from dfopt.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


class When(Record):
    """Preconditions; see `schema.WHEN`. None and () say nothing."""

    family: tuple[str, ...] = ()
    image: tuple[str, ...] = ()
    min_stages: int | None = None
    max_stages: int | None = None
    context: tuple[str, ...] = ()
    instructions: tuple[str, ...] = ()
    without: tuple[str, ...] = ()


class RecipeOption(Record):
    """An option of a recipe: a switch for `passes` (names), or another name for the option `target` of a pass.

    `target` is (pass, option), pass "*" for a setting that all see; None for a switch. `default` None: the pass's own.
    """

    name: str
    help: str
    default: Any
    passes: tuple[str, ...] = ()
    target: tuple[str, str] | None = None


class Recipe(Record):
    """One recipe file.

    name     as it is asked for: its path below the directory of recipes without ".toml" ("hardened", "multi-stage/go")
    file     as it is shown
    kind     a key of `schema.KINDS`
    parts    the recipes that it extends
    select   names of passes, in running order; of this file alone, `ignore` not yet taken away
    perhaps  names of passes in the selected groups that run only where a setting asks for them
    ignore   names of passes
    unsafe   None: it does not say
    settings pass -> option -> value; "*" for those that all passes see
    table    the whole checked table, for other kinds than "passes"
    """

    name: str
    file: str
    kind: str
    description: str
    when: When
    parts: tuple[Recipe, ...]
    select: tuple[str, ...]
    perhaps: tuple[str, ...]
    ignore: tuple[str, ...]
    unsafe: bool | None
    settings: Mapping[str, Mapping[str, Any]]
    options: Mapping[str, RecipeOption]
    table: Mapping[str, Any]

    @property
    def takes_unsafe(self) -> bool:
        """Whether fixes that change what the image holds are taken: what it says, else what a part of it says."""
        return self.unsafe if self.unsafe is not None else any(part.takes_unsafe for part in self.parts)

    def all_options(self) -> dict[str, RecipeOption]:
        """The options, those of the parts too; its own win over those of parts."""
        found: dict[str, RecipeOption] = {}
        for part in self.parts:
            found.update(part.all_options())
        return {**found, **self.options}
