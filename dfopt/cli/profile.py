"""`dfopt profile`: builds a Dockerfile as it is, runs its smoke test once, and writes down what was seen.

0: the profile is written. 2: it is not: there is no engine, the file does not build, or the smoke test fails.
"""

from __future__ import annotations

import os

from dfopt.cli import out
from dfopt.cli.command_request import lookup_of
from dfopt.cli.errors import UsageError
from dfopt.cli.progress import StatusDisplay, build_log
from dfopt.cli.proving import engines_of, interruptible, plan_of
from dfopt.engine import EngineError
from dfopt.files import tree_of
from dfopt.image import ImageError
from dfopt.profile.document import DocumentError
from dfopt.profile.fit import read_profile
from dfopt.profile.keys import ContextError
from dfopt.profiling.profiler import MadeProfile, make_profile
from dfopt.proof import Lab, ProofError
from dfopt.request import NO_PROFILE, Request
from dfopt.syntax.dockerfile import parse
from dfopt.syntax.tree import DockerfileError
from dfopt.units import human
from dfopt.workspace.discovery import InputFile
from dfopt.workspace.facts import PROFILE, ContextFacts
from dfopt.workspace.settings import ConfigError
from dfopt.writing import Output, WriteRefused

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from dfopt.cli.options import Values
    from dfopt.pass_selection import Options
    from dfopt.profiling.answers import RecordingFacts
    from dfopt.results import Result
    from dfopt.source import Source

_UNTESTED = "no smoke test was given: the profile tells of the build alone (--smoke COMMAND, --smoke-script FILE)"


def run(values: Values) -> int:
    """Runs the command. Raises UsageError."""
    from dfopt.cli.options import Values as Given

    path = values.file or "Dockerfile"
    if len(values.builder) > 1:
        raise UsageError("profile takes only one --builder")
    request = Request(lookup_of(values), context=values.context, profile=NO_PROFILE)
    file = InputFile(path, path, tree_of(path))
    try:
        source = request.read(file)
        parse(source.text)
        context_facts = ContextFacts(path, file.root, source, request.context_of(file))
        context = context_facts.build_context()
    except DockerfileError as failure:
        raise UsageError(_place(path, source, failure)) from None
    except ConfigError as failure:
        raise UsageError(str(failure)) from None
    target = values.output or os.path.join(os.path.dirname(path), PROFILE)
    _refuse_other(path, target)
    root = context.root if context is not None else os.path.dirname(path) or "."
    plan = plan_of(Given({**values.given, "touch": None, "repeat": False, "allow": ()}), root)
    try:
        display = StatusDisplay(f"building {path}", quiet=values.quiet)
        with interruptible(), display, engines_of(values)[0] as engine:
            lab = Lab(engine, plan, build_log)
            options = request.options_for(file, source)

            def optimize(chosen: Options, facts: RecordingFacts) -> Result:
                return request.optimize_source(file, source, None, (facts,), chosen)

            made = make_profile(lab, source, context_facts, options, optimize)
    except (ProofError, EngineError, ImageError, ContextError, ConfigError) as failure:
        out.error(f"{out.printable(path)}: no profile: {failure}")
        return 2
    except DocumentError as failure:
        out.error(f"{out.printable(path)}: no profile: what was seen cannot be written: {failure.message}")
        return 2
    if values.output == "-":
        out.data(made.content.decode())
        return _told(values, path, "standard output", made)
    try:
        with Output(target) as output:
            output.write(made.content)
    except WriteRefused as failure:
        raise UsageError(f"{out.printable(target)}: not written: {failure}") from None
    return _told(values, path, target, made)


def _refuse_other(path: str, target: str) -> None:
    """Raises UsageError where the profile of another file would be replaced."""
    if target == "-":
        return
    try:
        other = read_profile(target, named=True)["file"]
    except ConfigError:  # there is none, or none that anybody can use
        return
    if other != os.path.basename(path):
        raise UsageError(f"{out.printable(target)} is a profile of {other}: --output writes this one elsewhere")


def _told(values: Values, path: str, target: str, made: MadeProfile) -> int:
    if not values.quiet:
        image = made.document["image"]
        parts = f"{human(image['bytes'])}, {human(image['dead'])} dead, {made.builds} builds"
        out.note(f"dfopt: {out.printable(path)}: {parts}; {out.printable(target)} ({human(len(made.content))})\n")
        for run in made.document["runs"]:
            out.note(f"dfopt: {_opened(run, image['files'], made.unwatched)}\n")
        if not made.document["runs"]:
            out.note(f"dfopt: {_UNTESTED}\n")
    return 0


def _opened(run: dict[str, Any], files: int, unwatched: Mapping[str, str]) -> str:
    """What to say of the files that a smoke test opened."""
    test = "the smoke script" if run["test"] == "script" else "the smoke test"
    opened = run["opened"]
    if opened is None:
        return f"which files {test} opens is not known: {unwatched[run['test']]}"
    text = f"{test} opened {opened['files']} of {files} files, {human(opened['bytes'])}"
    if opened["since"] != "start":
        text += "; what was opened at the start was not seen"
    if opened["complete"] != "yes":
        text += "; some were not seen, for there were too many at once"
    return text


def _place(path: str, source: Source, failure: DockerfileError) -> str:
    from dfopt.source import LineIndex

    line, column = LineIndex(source.text).position(min(failure.offset, len(source.text)))
    return f"{out.printable(path)}:{line + 1}:{column + 1}: {failure.message}"
