"""What a build shows of programs that a stage copies: whether they run on another base, and what they need there."""

from __future__ import annotations

import posixpath

from dfopt.analysis.build_facts import EVERYWHERE, built_image, with_reason
from dfopt.analysis.system_paths import SHARED
from dfopt.ir.scopes import join_path
from dfopt.knowledge import table
from dfopt.passes.swap_base.target import SLIM
from dfopt.refusal import Refusal
from dfopt.syntax.expand import Unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container

    from dfopt.facts import Artifact, BuiltImage, Facts
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage, Step
    from dfopt.passes.swap_base.needs import Needs
    from dfopt.passes.swap_base.target import ReplacementBase


def copied_paths(program: Program, step: Step, image: BuiltImage, facts: Facts) -> list[str] | None:
    """The paths of its image where a COPY has put what it copies, or directories around it; None where a variable is in
    the way."""
    scope = program.scope(step)
    words = [scope.expand(argument.value, program.dockerfile.escape) for argument in step.node.arguments]
    target = join_path(scope.workdir, words[-1])
    found: list[str] = []
    for word in words[:-1]:
        if isinstance(word, Unknown) or isinstance(target, Unknown):
            return None
        child = posixpath.join(target, posixpath.basename(word.rstrip("/")))
        shared = target in SHARED and image.artifact(target).kind == "directory"
        found.append(child if shared and _is_file(program, step, word, facts) else target)
    return found


def _is_file(program: Program, step: Step, source: str, facts: Facts) -> bool:
    """Whether a COPY's source is one file, so that what else lies in the directory is not its own."""
    flag = step.node.flag("from")
    if flag is None:
        return facts.context_file(posixpath.normpath(source).lstrip("/")) is not None
    index = program.stage_named(flag.value or "", step.stage)
    image = built_image(program, program.stages[index], facts) if index is not None else None
    return image is not None and image.artifact(posixpath.join("/", source)).kind not in ("", "directory")


def fault(
    image: BuiltImage, path: str, target: ReplacementBase, have: Container[str], *, trial: bool = False
) -> tuple[str, list[str]]:
    """Why what an image has at a path cannot run on `target` ("" where it can), and the packages, by Debian's names,
    that it needs there. `have`: programs that are there beside the target's own; `trial`: a smoke test shows whether
    another release's libraries do."""
    needs: list[str] = []
    for place, found in image.programs_below(path).items():
        if found.kind == "script":
            interpreter = _interpreter(found)
            if interpreter not in have and interpreter not in target.programs:
                return f"{place} is run by {interpreter}, which is not in {target.image}", []
        elif not found.static:
            why, packages = _linked(image, place, path, target, trial)
            if why:
                return why, []
            needs += packages
    return "", list(dict.fromkeys(needs))


def _interpreter(script: Artifact) -> str:
    words = [posixpath.basename(word) for word in script.interpreter.split()]
    return next((word for word in words[1:] if not word.startswith("-")), "") if words[:1] == ["env"] else words[0]


def _linked(image: BuiltImage, program: str, below: str, target: ReplacementBase, trial: bool) -> tuple[str, list[str]]:
    """As `fault`, of one program that is linked with libraries."""
    row = next((row for row in table("swaps")["libraries"] if row["image"] == target.image), None)
    release = image.release()
    if target.kind != SLIM and (row is None or (release[1] != row["release"] and not trial)):
        return f"{program} is linked with libraries of another system than {target.image}", []
    if target.kind == SLIM and release[0] not in ("debian", "ubuntu"):
        return f"{program} is linked with libraries of {release[0] or 'an unknown system'}", []
    has = EVERYWHERE if row is None else row["packages"]
    needs: list[str] = []
    for name, library in image.needs_below(program).items():
        if library.package is None and not f"{library.path}/".startswith(f"{below.rstrip('/')}/"):
            return f"{program} needs {name}, which no package of the built image has", []
        if library.package is not None and library.package not in has:
            if target.kind != SLIM:
                return f"{program} needs {name} of {library.package}, which is not in {target.image}", []
            needs.append(library.package)
    return "", needs


def shown(needs: Needs, stage: Stage, step: Step, have: Container[str]) -> tuple[str, list[str], list[str]] | None:
    """What a build shows of what a COPY brings: why it cannot run on the target, the packages that it needs there, and
    where its programs are. None where there is no build."""
    program, facts = needs.program, needs.facts
    image = built_image(program, stage, facts)
    paths = copied_paths(program, step, image, facts) if image is not None else None
    if image is None or paths is None:
        return None
    wanted: list[str] = []
    programs: list[str] = []
    for path in paths:
        why, packages = fault(image, path, needs.target, have, trial=needs.trial)
        if why:
            return why, [], []
        wanted += packages
        programs += image.programs_below(path)
    return "", wanted, programs


def ask_build(survey: Needs, step: Step, why: str) -> None:
    """Notes the packages that what a COPY brings needs, as a build shows it. Raises Refusal; with `why`, what is not
    known of it, where no build shows it."""
    stage, line = survey.program.stages[step.stage], step.node.line
    seen = shown(survey, stage, step, survey.have)
    if seen is None:
        survey.doubt(f"line {line}: {with_reason(why, survey.facts)}")
        return
    if seen[0]:
        raise Refusal(f"line {line}: {seen[0]}")
    for package in seen[1]:
        survey.need(package, line)


def seen_program(survey: Needs, path: str, line: int) -> bytes | bool:
    """A program of the stage that is read, as a build shows it: the text of a script; True for a binary, the packages
    of which are noted; False where there is none. Raises Refusal for a binary that cannot run on the target."""
    program = survey.program
    stage = program.stages[survey.done[-1].stage] if survey.done else survey.stage
    image = built_image(program, stage, survey.facts)
    if image is None:
        return False
    if image.artifact(path).kind != "elf":
        return (image.script(path) or "").encode("utf-8", "surrogateescape") or False
    why, packages = fault(image, path, survey.target, survey.have, trial=survey.trial)
    if why:
        raise Refusal(f"line {line}: {why}")
    for package in packages:
        survey.need(package, line)
    return True
