"""Settings of the old base image that a stage on an empty one has to say itself."""

from __future__ import annotations

import fnmatch
import json
import re

from dfopt.analysis.users import is_root
from dfopt.facts import SEARCH_PATH
from dfopt.ir.effects import overlap
from dfopt.ir.liveness import layer_steps
from dfopt.knowledge import table
from dfopt.passes.multi_stage.stage_settings import reads
from dfopt.record import Record
from dfopt.refusal import Refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from dfopt.facts import Facts, RunEvidence
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage
    from dfopt.passes.multi_stage.stage_settings import StageSettings

_PLAIN = re.compile(r"[\w./:@%+,=~-]+")


class InheritedSettings(Record):
    """Instructions: `first` in the new stage, `behind` the copies, and at its end, what it `starts`. `user` of the base
    image."""

    first: tuple[str, ...]
    behind: tuple[str, ...]
    starts: tuple[str, ...]
    user: str


def inherited_settings(program: Program, stage: Stage, facts: Facts, found: RunEvidence) -> InheritedSettings:
    """What the base image sets, the file does not, and the run may need. Raises Refusal."""
    image = program.root(stage).image or ""
    config = facts.built_config(image)
    if config is None:
        raise Refusal(f"what {image} sets is not known")
    steps = layer_steps(program, stage)
    says = {step.node.keyword for step in steps}
    health = config.get("Healthcheck")
    if health and "HEALTHCHECK" not in says:
        raise Refusal("the base image has a HEALTHCHECK", "repeat it in the Dockerfile")
    pairs = _environment(program, stage, config, found)
    first = [f"ENV {' '.join(pairs)}"] if pairs else []
    behind: list[str] = []
    starts: list[str] = []
    directory = str(config.get("WorkingDir") or "/")
    absolute = any(step.node.keyword == "WORKDIR" and step.node.joined.text.split()[1][:1] in "/$" for step in steps)
    if directory != "/" and not absolute:
        (behind if found.directories else first).append(f"WORKDIR {_plain(directory)}")
    for keyword, key in (("VOLUME", "Volumes"), ("EXPOSE", "ExposedPorts")):
        behind += [f"{keyword} {_plain(value)}" for value in sorted(config.get(key) or ())]
    user = str(config.get("User") or "")
    for keyword, value in (("USER", user), ("STOPSIGNAL", str(config.get("StopSignal") or ""))):
        if value and keyword not in says:
            behind.append(f"{keyword} {_plain(value)}")
    if "ENTRYPOINT" not in says:
        starts += [f"{key.upper()} {json.dumps(config[key])}" for key in ("Entrypoint", "Cmd")
                 if config.get(key) and key.upper() not in says]  # fmt: skip
    return InheritedSettings(tuple(first), tuple(behind), tuple(starts), user)


def _environment(program: Program, stage: Stage, config: Mapping[str, Any], found: RunEvidence) -> list[str]:
    """The variables of the base image but for those that only builds read."""
    steps = layer_steps(program, stage)
    sets = {pair.name for step in steps if step.node.keyword == "ENV" for pair in step.node.pairs}
    text = "\n".join([step.node.joined.text for step in steps if step.node.keyword not in ("RUN", "CMD", "ENTRYPOINT")])
    copied = [*found.files, *(path for path, _ in (*found.trees, *found.links))]
    pairs: list[str] = []
    for name, _, value in (pair.partition("=") for pair in config.get("Env") or ()):
        asked = reads(text, [name])
        if name == "PATH":
            places = [place for place in value.split(":") if any(overlap(place, path) for path in copied)]
            if not asked and set(places) <= set(SEARCH_PATH):
                continue  # which is where engines look without it
            value = ":".join([place for place in value.split(":") if place in places or place in SEARCH_PATH])
        left = any(fnmatch.fnmatchcase(name, pattern) for pattern in table("observed")["build-variables"])
        if asked or not (left or name in sets):
            pairs.append(f"{name}={_plain(value)}")
    return pairs


def _plain(value: str) -> str:
    if not _PLAIN.fullmatch(value):
        raise Refusal(f"a setting of the base image has unusual characters: {value}", "repeat it in the Dockerfile")
    return value


def ends_as_root(program: Program, stage: Stage, split: StageSettings, inherited: InheritedSettings) -> bool:
    """Whether the builder ends as root, who alone can give directories to others."""
    user = inherited.user
    for step in layer_steps(program, stage):
        if step.node.keyword == "USER" and step.index not in split.moved:
            user = step.node.joined.text.split()[1]
    return is_root(user)
