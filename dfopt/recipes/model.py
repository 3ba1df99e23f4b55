"""A parsed recipe."""

from __future__ import annotations

from dfopt.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


class When(Record):
    """Preconditions; see `schema.WHEN`. None and () mean no condition."""

    family: tuple[str, ...] = ()
    image: tuple[str, ...] = ()
    min_stages: int | None = None
    max_stages: int | None = None
    context: tuple[str, ...] = ()
    instructions: tuple[str, ...] = ()
    without: tuple[str, ...] = ()


class RecipeOption(Record):
    """An option of a recipe: a switch for `passes` (names), or another name for the option `target` of a pass.

    `target` is (pass, option), with pass "*" for a shared setting; None for a switch. `default` None: that of the pass.
    """

    name: str
    help: str
    default: Any
    passes: tuple[str, ...] = ()
    target: tuple[str, str] | None = None


class Recipe(Record):
    """One recipe file.

    name     its path below the recipe directory without ".toml" ("hardened", "multi-stage/go")
    file     its path for messages
    kind     a key of `schema.KINDS`
    parts    the recipes that it extends
    select   names of passes, in running order; only those of this file, without regard to `ignore`
    perhaps  names of passes in the selected groups that run only if a setting enables them
    ignore   names of passes
    unsafe   None: unspecified
    settings pass -> option -> value; "*" for shared settings
    table    the whole checked table, for kinds other than "passes"
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
        """Whether unsafe fixes are applied: as this recipe says, else as one of its parts says."""
        return self.unsafe if self.unsafe is not None else any(part.takes_unsafe for part in self.parts)

    def all_options(self) -> dict[str, RecipeOption]:
        """The options, including those of the parts; its own options override theirs."""
        options: dict[str, RecipeOption] = {}
        for part in self.parts:
            options.update(part.all_options())
        return {**options, **self.options}
