"""`dfopt fix -O3`: builds what restructuring can make of each file, and keeps the smallest image that holds."""

from __future__ import annotations

from dfopt.cli import out
from dfopt.cli.fix_verify import Shop, VerifiedFix, build_path, run_proofs
from dfopt.cli.proving import megabytes, plan_of
from dfopt.cli.report.base import clean
from dfopt.proof.search import SearchBudget, search_fixes
from dfopt.proof.stored_verdicts import StoredVerdicts, subject_of
from dfopt.workspace.cache import default_directory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from dfopt.cli.options import Values
    from dfopt.pass_selection import Options
    from dfopt.proof import Lab, Proof, ProofSettings
    from dfopt.proof.search import Outcome, SearchResult
    from dfopt.proof.stage_builds import BuildFacts
    from dfopt.results import Result
    from dfopt.source import Source
    from dfopt.workspace.discovery import InputFile

_BUILDS = 12
_UNSEEN = (
    "no smoke test was given: images were compared and started by nobody, so that a program that no longer starts, or "
    "misses a file that it opens, was not seen (--smoke COMMAND, --smoke-script FILE)"
)


class SearchShop(Shop):
    """`budget`: for each file; `directory`: where verdicts are kept, None for nowhere; `searches`: by file path."""

    def __init__(self, plan: ProofSettings, budget: SearchBudget, directory: str | None) -> None:
        super().__init__(plan)
        self.budget = budget
        self.directory = directory
        self.searches: dict[str, SearchResult] = {}


class SearchedFix(VerifiedFix):
    """The work on one file."""

    def prove(self, lab: Lab, file: InputFile, source: Source, facts: BuildFacts) -> Proof:
        shop = self.shop
        assert isinstance(shop, SearchShop)

        def optimize(options: Options, only: frozenset[tuple[str, int]] | None) -> Result:
            with shop.lock:
                return self.request.optimize_source(file, source, only, (facts,), options)

        stored = None
        path = build_path(file)
        if shop.directory is not None:
            subject = subject_of(lab.plan, lab.engine.label, source.text, lab.context(path))
            stored = StoredVerdicts(shop.directory, subject)
        options = self.request.options_for(file, source)
        found = search_fixes(lab, optimize, options, path, facts, shop.budget, stored)
        shop.searches[file.path] = found
        return found.proof

    def notes(self, file: InputFile, result: Result, written: bool) -> str:
        lines = super().notes(file, result, written)
        found = self.search(file)
        if found is None or self.quiet or not found.outcomes:
            return lines
        name = out.printable(file.name)
        lines += f"{name}: -O3 tried {len(found.outcomes)} candidates"
        lines += f" ({found.reused} verdicts of earlier runs)\n" if found.reused else "\n"
        lines += "".join(f"{name}:   {row}\n" for row in _table(found.outcomes))
        plan = self.shop.plan
        return lines if plan.smoke or plan.smoke_script else f"{lines}{name}: {_UNSEEN}\n"

    def proof(self, file: InputFile) -> Mapping[str, object] | None:
        proof, found = super().proof(file), self.search(file)
        if proof is None or found is None:
            return proof
        rows = [
            {
                "name": outcome.name, "estimated_saving_bytes": outcome.saving, "layer_bytes": outcome.bytes,
                "state": outcome.state, "reason": clean(outcome.reason),
            }
            for outcome in found.outcomes
        ]  # fmt: skip
        plan = self.shop.plan
        return {**proof, "candidates": rows, "smoke_test": bool(plan.smoke or plan.smoke_script)}

    def options_of(self, file: InputFile) -> Options | None:
        found = self.search(file)
        return found.options if found is not None else None

    def search(self, file: InputFile) -> SearchResult | None:
        shop = self.shop
        return shop.searches.get(file.path) if isinstance(shop, SearchShop) else None


def _table(outcomes: tuple[Outcome, ...]) -> list[str]:
    """A row for each candidate: size, name, and what became of it."""
    sizes = [megabytes(outcome.bytes) if outcome.bytes is not None else "-" for outcome in outcomes]
    width = max(len(outcome.name) for outcome in outcomes)
    rows = []
    for outcome, size in zip(outcomes, sizes, strict=True):
        reason = f": {out.printable(' '.join(outcome.reason.split()))}" if outcome.reason else ""
        rows.append(f"{size:>{max(map(len, sizes))}}  {outcome.name:<{width}}  {outcome.state}{reason}")
    return rows


def run(values: Values) -> int:
    """Runs the command. Raises UsageError."""
    seconds = values.budget_minutes * 60.0 if values.budget_minutes is not None else None
    budget = SearchBudget(values.budget or _BUILDS, seconds)
    directory = None if values.no_cache else default_directory()
    return run_proofs(values, SearchedFix, SearchShop(plan_of(values, None), budget, directory), "-O3")
