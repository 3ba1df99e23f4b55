"""Golden cases of recipes: RECIPE/CASE/Dockerfile below a directory, with the expected files of `golden` beside it.

`case.toml` may give `set` (values of the recipe's options), `ignore` and `unsafe`; `facts.toml` the facts, as `facts`
tells. The laws are those of passes: the recipe's outcome must parse, settle, and consist of gated changes alone.
"""

from __future__ import annotations

from pathlib import Path

from dfopt.recipes.plan import Plan, check_kind, checked_values
from dfopt.record import Record
from dfopt.source import Source
from dfopt.stage_templates.errors import RecipeError
from dfopt.testing import golden, laws
from dfopt.testing.facts import CaseFacts
from dfopt.toml import TomlError, parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from dfopt.recipes.load import Library


class RecipeCase(Record):
    """One case: the plan of its recipe, and the golden case of its files."""

    plan: Plan
    case: golden.Case


def find(root: Path) -> list[Path]:
    """The case directories below `root`: those that hold a Dockerfile, at least two levels down."""
    return sorted(path.parent for path in root.rglob("Dockerfile") if len(path.relative_to(root).parts) > 2)


def load(path: Path, root: Path, library: Library) -> RecipeCase:
    """The case in a directory below `root`. Raises CaseError, RecipeError (of its recipe)."""
    relative = path.relative_to(root)
    recipe = check_kind(library.get(relative.parent.as_posix()))
    settings = _settings(path / "case.toml")
    values = {name: tuple(v) if isinstance(v, list) else v for name, v in settings.pop("set", {}).items()}
    ignore, unsafe = tuple(settings.pop("ignore", ())), settings.pop("unsafe", None)
    if settings:
        raise golden.CaseError(f"{path / 'case.toml'}: unknown keys: {', '.join(sorted(settings))}")
    try:
        plan = Plan((recipe,), checked_values((recipe,), values), ignore, unsafe)
    except RecipeError as failure:
        raise golden.CaseError(f"{path / 'case.toml'}: set: {failure.message}") from None
    try:
        source = Source.from_bytes((path / "Dockerfile").read_bytes())
    except OSError as failure:
        raise golden.CaseError(f"{path / 'Dockerfile'}: {failure.strerror}") from None
    options = plan.options(plan.choose(source.text, CaseFacts(path)))
    return RecipeCase(plan, golden.Case(relative.as_posix(), path, source, options))


def _settings(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        return parse(path.read_bytes())[1]
    except TomlError as failure:
        place = f"{path}:{failure.line}:{failure.column}" if failure.line else f"{path}"
        raise golden.CaseError(f"{place}: {failure.message}") from None


def run(one: RecipeCase) -> golden.Outcome:
    """What the recipe makes of the case."""
    return golden.outcome_of(one.case, one.plan.optimize(one.case.source, one.case.facts()))


def broken_laws(one: RecipeCase, outcome: golden.Outcome) -> list[str]:
    """The laws that do not hold, in words."""
    facts = one.case.facts()
    found = laws.all_laws(one.case.source, one.case.options, facts)
    again = one.plan.optimize(Source(one.case.source.name, outcome.result.output), facts)
    if again.changed and not any("second run" in law for law in found):
        found.append("a second run of the recipe changes the file again")
    twin = Source(one.case.source.name, laws.crlf_twin(one.case.source.text))
    found += [f"with CRLF newlines: {law}" for law in laws.all_laws(twin, one.case.options, facts)]
    text = laws.onbuild_twin(one.case.source.text) if outcome.result.problem is None else None
    if text is not None:
        twin = Source(one.case.source.name, text)
        found += [f"behind ONBUILD: {law}" for law in laws.all_laws(twin, one.case.options, facts)]
    return found
