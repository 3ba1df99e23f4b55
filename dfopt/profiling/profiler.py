"""One profile: the build of a file as it is, its smoke test, and what was seen of both."""

from __future__ import annotations

import os
import re

from dfopt.engine import BuildError, EngineTimeLimitError
from dfopt.ir.program import Program
from dfopt.ir.scopes import join_path
from dfopt.profile.document import write_document
from dfopt.profile.facts import plain_name
from dfopt.profile.fit import context_of
from dfopt.profile.keys import ContextError, context_digest, text_digest
from dfopt.profiling.answers import RecordingFacts, ask_everything, base_rows
from dfopt.profiling.image_rows import image_row, line_rows
from dfopt.proof import ProofError
from dfopt.proof.lab import Lab
from dfopt.proof.smoke_runs import observed_runs
from dfopt.proof.told_paths import opened_row
from dfopt.proof.verdict import failed_line
from dfopt.record import Record
from dfopt.refusal import Refusal
from dfopt.syntax.dockerfile import parse
from dfopt.syntax.expand import Unknown
from dfopt.syntax.mounts import mounts
from dfopt.workspace.lock_facts import full_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from dfopt.pass_selection import Options
    from dfopt.results import Result
    from dfopt.source import Source
    from dfopt.workspace.facts import ContextFacts

_SECRETS = ("/run/secrets", "/var/run/secrets")  # where secrets are mounted where nothing else is said
# What BuildKit's log says of a base image that a registry has: `#5 [1/3] FROM docker.io/library/debian:12@sha256:...`
_FROM = re.compile(r"\bFROM (\S{1,400})@(sha256:[0-9a-f]{64})\b")


class MadeProfile(Record):
    """A profile's document, as it is written, and how many builds it took. `unwatched`: by test, why the files that it
    opened are not known."""

    document: dict[str, Any]
    content: bytes
    builds: int
    unwatched: Mapping[str, str]


class FromLines:
    """Listens to the log of a build for the digests of base images: by full name."""

    def __init__(self, progress: Callable[[str], None] | None) -> None:
        self.progress = progress
        self.digests: dict[str, str] = {}

    def __call__(self, line: str) -> None:
        match = _FROM.search(line)
        if match is not None:
            self.digests[match[1]] = match[2]
        if self.progress is not None:
            self.progress(line)


def make_profile(
    lab: Lab,
    source: Source,
    context_facts: ContextFacts,
    options: Options,
    optimize: Callable[[Options, RecordingFacts], Result],
) -> MadeProfile:
    """Builds and runs the Dockerfile of `context_facts`, which can be parsed. `options`: of the passes, as the user set
    them; `optimize`: runs passes over the file. Raises ProofError (it does not build, or a smoke test fails),
    ContextError, EngineError, ImageError, DocumentError."""
    path, content = context_facts.path, source.to_bytes()
    program = Program(parse(source.text))
    context = context_digest(context_of(context_facts), program, path)
    log = FromLines(lab.progress)
    lab = Lab(lab.engine, lab.plan, log, lab.reader)
    lab.say("built as it is")
    try:
        built, files = lab.build_with_files(content, path)
    except (BuildError, EngineTimeLimitError) as failure:
        raise ProofError(f"the file does not build: {failed_line(failure)}") from None
    try:
        secrets = tuple(_secret_paths(program))
        runs = observed_runs(lab, built, secrets)
        unwatched: dict[str, str] = {}
        for run in runs:
            if isinstance(run.opens, Refusal):
                unwatched[run.row["test"]] = run.opens.reason
            else:
                run.row["opened"] = opened_row(run.opens, built, files, secrets)
        settings = lab.settings(built.image)
        facts = RecordingFacts(source, files, runs, secrets)

        def learn() -> None:
            facts.learn(lab, built, path)

        ask_everything(facts, lambda chosen: optimize(chosen, facts), options, learn)
        bases = base_rows(facts, lab, learn)  # with these, passes ask less of stages: those answers are kept already
        ask_everything(facts, lambda chosen: optimize(chosen, facts), options, learn)
        target = lab.plan.target or ""
        lines, image = line_rows(built.view, source.text, target), image_row(built.view, settings, files)
    finally:
        lab.engine.remove(built.image)
    if context_digest(context_of(context_facts), program, path) != context:
        raise ContextError("the build context changed while the file was built")
    platform = built.view.contents.image.platform
    document: dict[str, Any] = {
        "version": 1,
        "file": os.path.basename(path),
        "keys": {
            "text": text_digest(content),
            "context": context,
            "bases": {image: log.digests.get(full_name(image) or "", "") for image in _images(program)},
        },
        "build": {
            "engine": lab.engine.name,
            "target": target,
            "platform": str(platform),
            "arguments": sorted({word.partition("=")[0] for word in lab.plan.args}),
            "seconds": round(built.seconds, 1),
        },
        "image": image,
        "lines": lines,
        "bases": bases,
        "stages": [facts.rows[stage] for stage in sorted(facts.rows)],
        "runs": [run.row for run in runs],
    }
    return MadeProfile(document, write_document(document), 1 + facts.builds, unwatched)


def _images(program: Program) -> list[str]:
    """The base images, by their names without digests."""
    images = [stage.image for stage in program.stages if stage.image is not None and stage.image != "scratch"]
    return list(dict.fromkeys(map(plain_name, images)))


def _secret_paths(program: Program) -> list[str]:
    """Where RUNs have secrets mounted."""
    paths = list(_SECRETS)
    for stage in program.stages:
        for step in stage.steps:
            if step.effective.keyword == "RUN":
                scope = program.scope(step)
                for mount in mounts(step.effective):
                    target = scope.expand(mount.target, program.dockerfile.escape) if mount.kind == "secret" else ""
                    place = join_path(scope.workdir, target) if target and not isinstance(target, Unknown) else ""
                    paths += [place] if place and not isinstance(place, Unknown) else []
    return paths
