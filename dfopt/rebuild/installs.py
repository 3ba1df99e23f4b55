"""Installs in the place of files, proved by a build: what an install makes as it is in the image need not be in a tar.

The image is built up to a step, then the install that the records of its packages tell. Whatever that build has exactly
as the image has it (but for what no two builds share, see proof/nondeterminism) is left to the install; the rest stays
files, laid over it. An install of which a file that a package owns, or a package manager's database, would have to be
laid over is dropped: the files would fit no other version than today's.
"""

from __future__ import annotations

import os
import re
import shlex
import tempfile

from dfopt.engine import EngineError
from dfopt.image.compare import ADDED
from dfopt.image.layers import DIRECTORY, ImageContents
from dfopt.image.ledger import make_ledger
from dfopt.proof.differences import compare_views
from dfopt.proof.image_view import ImageView
from dfopt.rebuild.context_files import write_context
from dfopt.rebuild.model import ProvedInstall
from dfopt.rebuild.package_records import DATABASES, STATES, proposals
from dfopt.record import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dfopt.image import Comparison
    from dfopt.proof import Lab
    from dfopt.rebuild.image_survey import RebuildSurvey
    from dfopt.rebuild.model import PlannedStep, RebuildPlan
    from dfopt.rebuild.package_records import ProposedInstall

    # The Dockerfile of a plan with installs, by the number of the step.
    Render = Callable[[RebuildPlan, dict[int, ProvedInstall]], str]

_PLAIN = re.compile(r"[\w./+:@%,-]+", re.ASCII)
_MOST_REMOVED = 30  # paths that a command names
_MOST_STEPS = 4  # steps that are tried: each costs a build of all below it


class InstallTrials:
    """Tries the installs of a plan's steps. `plan` is the one without installs; `disposable`: paths that need not be in
    the result."""

    def __init__(
        self,
        lab: Lab,
        survey: RebuildSurvey,
        plan: RebuildPlan,
        render: Render,
        disposable: Callable[[str], bool] | None = None,
    ) -> None:
        self.lab, self.survey, self.plan, self.render = lab, survey, plan, render
        self.disposable = disposable
        self.refused: list[str] = []

    def run(self) -> dict[int, ProvedInstall]:
        """The installs that hold, by the number of the step. `refused` then says why others do not. Raises EngineError,
        ImageError."""
        proved: dict[int, ProvedInstall] = {}
        tried = 0
        for step in self.plan.steps:
            asked = self.survey.asked_of_pip(step.first, step.last)
            managed = self.survey.externally_managed
            proposed = proposals(self.survey.record_after, step.first, step.last + 1, asked, managed)
            if not proposed or tried == _MOST_STEPS:
                continue
            tried += 1
            choices = [proposed] if len(proposed) == 1 else [proposed, *([install] for install in proposed)]
            for choice in choices:
                install = self._prove(step, choice, proved)
                if install is not None:
                    proved[step.number] = install
                    break
        return proved

    def _prove(
        self, step: PlannedStep, proposed: list[ProposedInstall], proved: dict[int, ProvedInstall]
    ) -> ProvedInstall | None:
        what = " and ".join(install.manager for install in proposed)
        command = " \\\n    && ".join(install.command for install in proposed)
        self.lab.say(f"layer {step.last}: packages of {what} installed instead of copied")
        alone = replace(
            step, deleted=(), before=(), after=(), contents={}, copies=(), copied=frozenset(), reasons={}
        )  # fmt: skip
        below = self.plan.steps[: step.number - 1]
        trial = replace(self.plan, steps=(*below, alone))
        with tempfile.TemporaryDirectory(prefix="dfopt-rebuild-") as folder:
            write_context(self.survey.contents.image, replace(self.plan, steps=below), folder)
            text = self.render(trial, {**proved, step.number: ProvedInstall(f"RUN {command}", (), ())})
            try:
                built = self.lab.build(text.encode(), os.path.join(folder, "Dockerfile"), cache=True)
            except EngineError as failure:
                self.refused.append(f"packages of {what} in layer {step.last} stay files: {_last(failure)}")
                return None
        try:
            return self._judged(step, proposed, command, built.view)
        finally:
            self.lab.engine.remove(built.image)

    def _judged(
        self, step: PlannedStep, proposed: list[ProposedInstall], command: str, built: ImageView
    ) -> ProvedInstall | None:
        layers = self.survey.contents.layers[: step.last + 1]
        wanted = ImageView(
            ImageContents(self.survey.contents.image, layers), make_ledger(layers), self.survey.masked.digests
        )
        comparison = compare_views(wanted, built)
        differing = {change.path for change in comparison.files if change.kind != ADDED}
        own = {path for path, _ in step.contents.values()}
        own.update(packed.path for packed in (*step.before, *step.after))
        own.update(above for group in step.copies if group.source for path in group.files for above in _upwards(path))
        stray = next((path for path in differing if path not in own and not self._is_disposable(path)), "")
        fixed = next((path for path in differing if self._is_of_packages(path, wanted)), "")
        removal = self._removal(comparison, proposed, wanted)
        if stray or fixed or removal is None:
            why = f"{stray or fixed} would differ" if stray or fixed else "the image lacks too much of what they bring"
            managers = " and ".join(install.manager for install in proposed)
            self.refused.append(f"packages of {managers} in layer {step.last} stay files: {why}")
            return None
        versions = {name: version for install in proposed for name, version in install.versions.items()}
        remarks = (
            f"installed when this was written: {', '.join(f'{name} {versions[name]}' for name in sorted(versions))}",
        )
        text = " \\\n    && ".join([command, *([f"rm -rf {' '.join(removal)}"] if removal else [])])
        return ProvedInstall(f"RUN {text}", frozenset(own - differing), remarks)

    def _is_disposable(self, path: str) -> bool:
        return self.disposable is not None and self.disposable(path)

    def _is_of_packages(self, path: str, wanted: ImageView) -> bool:
        if path in DATABASES:
            return path != STATES  # it names what was asked for, and no versions
        node = wanted.ledger.tree.find(path)
        return path in self.survey.owned and node is not None and node.entry.kind != DIRECTORY

    def _removal(self, comparison: Comparison, proposed: list[ProposedInstall], wanted: ImageView) -> list[str] | None:
        """Words of the shell for what the install brings and the image does not have; None where that is too much."""
        extra = [change.path for change in comparison.files if change.kind == ADDED]
        words: list[str] = []
        for place in sorted({place for install in proposed for place in install.leftovers}):
            below = f"{place}/"
            if not any(path.startswith(below) for path in extra) and self.disposable is None:
                continue
            if all(self._is_disposable(path) for path in _files_below(wanted, place)):
                words.append(f"{place}/*")
                extra = [path for path in extra if not path.startswith(below)]
        top: list[str] = []
        for path in sorted(extra):
            if not (top and path.startswith(f"{top[-1]}/")):
                top.append(path)
        if len(top) > _MOST_REMOVED or not all(map(_PLAIN.fullmatch, top)):
            return None
        return [*words, *map(shlex.quote, top)]


def _upwards(path: str) -> Iterator[str]:
    """The directories above a path, without the root."""
    while path := path.rpartition("/")[0]:
        yield path


def _files_below(view: ImageView, place: str) -> Iterator[str]:
    """What the image has below a directory."""
    node = view.ledger.tree.find(place)
    waiting = [(place, node)] if node is not None else []
    while waiting:
        path, at = waiting.pop()
        for name, child in (at.children or {}).items():
            yield f"{path}/{name}"
            waiting.append((f"{path}/{name}", child))


def _last(failure: EngineError) -> str:
    lines = [line.strip() for line in failure.log.split("\n") if line.strip()]
    return (lines or [failure.message])[-1][:200]
