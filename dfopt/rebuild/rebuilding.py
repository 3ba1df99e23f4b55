"""A rebuild from beginning to end: survey, base, plan, installs, text, files."""

from __future__ import annotations

import os

from dfopt.image.history import map_history
from dfopt.rebuild.bases import NO_BASE, local_base, named_base
from dfopt.rebuild.config_instructions import ConfigInstructions
from dfopt.rebuild.context_files import write_context
from dfopt.rebuild.dockerfile_text import render
from dfopt.rebuild.image_survey import RebuildSurvey
from dfopt.rebuild.model import RebuildError
from dfopt.rebuild.planning import SurveyedLayers, plan
from dfopt.record import Record
from dfopt.review.disclosure import environment
from dfopt.writing import create_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from dfopt.image.errors import ReadLimits
    from dfopt.image.model import Image
    from dfopt.proof import Lab
    from dfopt.rebuild.model import ProvedInstall, RebuildPlan

_WINDOWS = "windows"


class Rebuilt(Record):
    """What was made of an image. `text`: the Dockerfile; `notes`: what the user must know of it; `secrets`: the number
    of files and settings that hold one; `installs`: by the number of the step."""

    image: Image
    plan: RebuildPlan
    text: str
    notes: tuple[str, ...]
    secrets: int
    installs: dict[int, ProvedInstall]

    def write(self, folder: str, limits: ReadLimits | None = None) -> int:
        """Writes the Dockerfile and its context into an empty directory; returns the bytes of the tars. Raises
        ImageError, OSError."""
        create_file(os.path.join(folder, "Dockerfile"), self.text.encode())
        os.chmod(os.path.join(folder, "Dockerfile"), 0o644)
        return write_context(self.image, self.plan, folder, limits)


def rebuild(
    image: Image,
    base: str | None = None,
    *,
    squash: bool = False,
    disposable: Callable[[str], bool] | None = None,
    lab: Lab | None = None,
    limits: ReadLimits | None = None,
) -> Rebuilt:
    """Plans the rebuild of an image, whose layers can be opened again.

    base        the image that it stands on ("scratch" for none); None: looked for among the local images
    disposable  paths above the base that need not be in the result
    lab         tries installs in the place of files; None: all stays files

    Raises RebuildError, ImageError, EngineError.
    """
    if image.platform.os.lower() == _WINDOWS:
        raise RebuildError(f"{image.name}: images of Windows cannot be rebuilt")
    survey = RebuildSurvey(image, limits)
    if base == NO_BASE.name:
        stands_on = NO_BASE
    else:
        stands_on = local_base(image) if base is None else named_base(image, base)
    layers = SurveyedLayers(survey.contents, survey.owned, disposable)
    planned = plan(layers, stands_on, NO_BASE, squash=squash)
    reasons = planned.notes
    history = map_history(image)
    installs: dict[int, ProvedInstall] = {}
    refused: list[str] = []
    if lab is not None:
        from dfopt.rebuild.installs import InstallTrials

        trials = InstallTrials(
            lab,
            survey,
            planned,
            lambda part, found: render(survey.contents, part, history, [], [], {}, found),
            disposable,
        )
        installs, refused = trials.run(), trials.refused
        if installs:
            planned = plan(layers, planned.base, NO_BASE, squash=squash or planned.squashed, installs=installs)
    settings = ConfigInstructions(image.settings(), planned.base.settings)
    notes = [*dict.fromkeys((*reasons, *planned.notes)), *refused, *settings.notes]
    notes += [f"not kept: {lost} cannot be taken away" for lost in settings.lost]
    if image.config.get("author"):
        notes.append("not kept: the author of the config")
    notes += history.notes
    secrets = written_secrets(survey, planned)
    text = render(
        survey.contents, planned, history, settings.instructions, notes, secrets, installs,
        equal=disposable is None,
    )  # fmt: skip
    holding = sum(map(len, secrets.values())) + sum(1 for _ in environment(dict(image.settings())))
    return Rebuilt(image, planned, text, tuple(notes), holding, installs)


def written_secrets(survey: RebuildSurvey, planned: RebuildPlan) -> dict[int, list[str]]:
    """Layer -> the paths of files that hold a secret, of those that a plan writes."""
    found: dict[int, list[str]] = {}
    for step in planned.steps:
        for key in survey.secrets.keys() & step.contents.keys():
            found.setdefault(key[0], []).append(survey.secrets[key])
    return found
