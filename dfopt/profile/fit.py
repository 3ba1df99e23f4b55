"""A profile held against the file that it lies beside: which of its parts still fit."""

from __future__ import annotations

import os

from dfopt.files import is_inside, read_regular
from dfopt.ir.program import Program
from dfopt.messages import printable
from dfopt.profile.document import LIMIT, DocumentError, parse_document
from dfopt.profile.facts import ProfileFacts, observed_run_of, plain_name
from dfopt.profile.figures import named_sources, with_measured
from dfopt.profile.keys import ContextError, context_digest, text_digest
from dfopt.record import Record
from dfopt.syntax.dockerfile import parse
from dfopt.syntax.tree import DockerfileError
from dfopt.workspace.context import open_context
from dfopt.workspace.facts import PROFILE
from dfopt.workspace.paths import bound_of, display_name
from dfopt.workspace.settings import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from dfopt.results import Result
    from dfopt.source import Source
    from dfopt.workspace.context import BuildContext
    from dfopt.workspace.facts import ContextFacts

_AGAIN = "`dfopt profile` makes it anew"


class FittingProfile(Record):
    """The parts of a profile that fit a file: `lines`, and what `facts` answer. `shown`: its name; `note`: what does
    not fit, "" where all does."""

    facts: ProfileFacts
    lines: Sequence[Mapping[str, Any]]
    shown: str
    note: str = ""

    def told(self, name: str) -> str:
        """The lines for standard error when the file `name` was worked on: what does not fit, and which facts passes
        took from the profile."""
        used = ", ".join(self.facts.used)
        lines = [f"dfopt: {self.note}"] if self.note else []
        lines += [f"dfopt: {name}: facts measured by {self.shown}: {used}"] if used else []
        return "".join(f"{printable(line)}\n" for line in lines)

    def measured(self, result: Result) -> Result:
        """A result with the profile's figures, by its name."""
        return with_measured(named_sources(result, self.facts.sources, PROFILE), self.lines, PROFILE)


def read_profile(path: str, *, named: bool) -> dict[str, Any]:
    """The document of a profile; `named`: by the command line, so that it may lie anywhere. Raises ConfigError."""
    if not named and not is_inside(path, bound_of(path)):
        raise ConfigError("lies outside of the repository (--profile may lead there)", display_name(path))
    try:
        return parse_document(read_regular(path, LIMIT))
    except OSError as failure:
        raise ConfigError(failure.strerror or str(failure), display_name(path)) from None
    except DocumentError as failure:
        raise ConfigError(failure.message, display_name(path), failure.line, failure.column) from None


def fitting_profile(
    path: str,
    named: bool,
    documents: dict[str, tuple[object, dict[str, Any]]],
    source: Source,
    context_facts: ContextFacts,
    digest: Callable[[str], str | None],
) -> FittingProfile:
    """What of the profile at `path` fits a Dockerfile. `documents`: those that were read, by path, with the states of
    their files. Otherwise as `read_profile` and `fit`. Raises ConfigError."""
    try:
        status = os.stat(path)
        state = status.st_mtime_ns, status.st_size, status.st_ino
    except (OSError, ValueError):
        state = None
    known = documents.get(path)
    if known is None or state is None or known[0] != state:
        known = documents[path] = state, read_profile(path, named=named)
    return fit(known[1], display_name(path), source, context_facts, digest)


def fit(
    document: Mapping[str, Any],
    shown: str,
    source: Source,
    context_facts: ContextFacts,
    digest: Callable[[str], str | None],
) -> FittingProfile:
    """What of a profile fits a Dockerfile. `shown`: the profile's name in notes; `digest`: the digest that a base image
    stands for now, as far as it is known."""
    name = os.path.basename(context_facts.path)
    if document["file"] != name:
        note = f"{shown} is a profile of {document['file']}, not of {name}: it is not used"
        return FittingProfile(ProfileFacts({}, {}), (), shown, note)
    older = {
        image
        for image, recorded in document["keys"]["bases"].items()
        if recorded and (now := digest(image)) is not None and now != recorded
    }
    changed = [f"the base image {image}" for image in sorted(older)]
    reason = _changed(document, source, context_facts)
    if reason:
        changed.insert(0, reason)
    bases = {plain_name(image): row for image, row in document["bases"].items() if image not in older}
    if changed:
        note = (
            f"{shown}: {' and '.join(changed)} changed since it was made: only what it says of "
            f"{'other ' if older else ''}base images is used ({_AGAIN})"
        )
        return FittingProfile(ProfileFacts({}, bases), (), shown, note)
    stages = {row["stage"]: row for row in document["stages"]}
    run = observed_run_of(document["runs"])
    stage = _shipped(source, document["build"]["target"]) if run is not None else None
    observed = (stage, run) if run is not None and stage is not None else None
    return FittingProfile(ProfileFacts(stages, bases, observed), document["lines"], shown)


def _shipped(source: Source, target: str) -> int | None:
    """The stage of the image that was built; `source` can be parsed."""
    program = Program(parse(source.text))
    return program.stage_named(target, len(program.stages)) if target else len(program.stages) - 1


def _changed(document: Mapping[str, Any], source: Source, context_facts: ContextFacts) -> str:
    """What changed of the file and its context; "" where nothing did."""
    if text_digest(source.to_bytes()) != document["keys"]["text"]:
        return "the Dockerfile"
    try:
        program = Program(parse(source.text))
    except DockerfileError:
        return "the Dockerfile"
    try:
        digest = context_digest(context_of(context_facts), program, context_facts.path)
    except ContextError:
        digest = ""
    return "" if digest == document["keys"]["context"] else "what the file takes of its build context"


def context_of(context_facts: ContextFacts) -> BuildContext:
    """The build context of a file: where it is not known, the file's directory. Raises ContextError."""
    context = context_facts.build_context()
    if context is None:
        path = context_facts.path
        context = open_context(path, context_facts.context or os.path.dirname(path) or ".")
    if context is None:
        raise ContextError("the .dockerignore of the build context cannot be used")
    return context
