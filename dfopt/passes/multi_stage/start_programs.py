"""What the image starts, and which programs it needs for that besides those that its own steps make."""

from __future__ import annotations

import fnmatch
import posixpath
import re

from dfopt.analysis.remote_scripts import SHELLS
from dfopt.analysis.startup import started
from dfopt.ir.image_config import image_config
from dfopt.ir.liveness import layer_steps
from dfopt.ir.scopes import join_path
from dfopt.passes.multi_stage.unblock import BUILD, CONTEXT, WRITE_OUT
from dfopt.record import Record
from dfopt.refusal import Refusal
from dfopt.syntax.expand import Unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dfopt.facts import Facts
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage
    from dfopt.passes.multi_stage.written_paths import WrittenPath
    from dfopt.stage_templates.stage_recipes import StageRecipe


# Whole lines that are comments in C-like and shell-like languages (#include and the like are none)
_COMMENT = re.compile(r"^[ \t]*(?:#(?!\s*(?:include|define|if|el|endif|pragma|\[|!\[))|//|\*(?=[\s/])).*$", re.M)


class StartPrograms(Record):
    """What a container runs.

    names   base names of all programs that CMD, ENTRYPOINT, HEALTHCHECK and the scripts that they run call
    paths   absolute paths of the same where they are given by path, and of files that their words name
    first   base name of the first program that is neither a shell nor a script of the context
    shell   whether a shell is needed
    text    all that is said
    """

    names: tuple[str, ...]
    paths: tuple[str, ...]
    first: str
    shell: bool
    text: str
    line: int


def start_of(
    program: Program, stage: Stage, facts: Facts, made: Iterable[WrittenPath], default: str, home: str
) -> StartPrograms:
    """What the image of `stage` starts; `default`: what its base image starts ("": not known); `home`: the working
    directory of that. Raises Refusal."""
    begun = started(program, stage, facts)
    line = next(
        (s.node.line for s in reversed(layer_steps(program, stage)) if s.node.keyword in ("CMD", "ENTRYPOINT")),
        stage.node.line,
    )
    if not begun.said and default and image_config(program, stage).healthcheck is None:
        return StartPrograms((default,), (), default, False, default, stage.node.line)
    if not begun.said:
        raise Refusal("the file does not say what the image starts", "add CMD or ENTRYPOINT")
    built = {entry.path.rpartition("/")[2] for entry in made if entry.kind == "tool"}
    if begun.why and not any(begun.why.startswith(f"what {name} does is not known") for name in built):
        raise Refusal(begun.why, BUILD)  # a program that a tool has built may be called as scripts are
    config = image_config(program, stage)
    names: dict[str, None] = {}
    paths: dict[str, None] = {}
    workdir = home if isinstance(config.workdir, Unknown) else config.workdir
    own = {entry.path for entry in made}
    first = ""
    for run in begun.runs:
        for name in run.names:
            names[name] = None
        if run.one is not None and run.one.path and "/" in run.one.path:
            _add(paths, workdir, run.one.path)
        if not first and run.names and run.names[-1] not in SHELLS and not _is_made(run.names[-1], own, begun.text):
            first = run.names[-1]
        for word in run.words:
            if word and re.fullmatch(r"[\w@./+-]+", word) and ("/" in word or "." in word):
                _add(paths, workdir, word)
    shell = False
    for argv in (config.entrypoint, config.cmd):
        if isinstance(argv, tuple) and argv:
            shell = shell or posixpath.basename(argv[0]) in SHELLS
            for word in argv:
                if "/" in word and re.fullmatch(r"[\w@./+-]+", word):
                    _add(paths, workdir, word)
    shell = shell or any(run.one is not None for run in begun.runs)
    health = config.healthcheck
    if isinstance(health, tuple) and health:
        step = next(s for s in reversed(layer_steps(program, stage)) if s.node.keyword == "HEALTHCHECK")
        if health[0] == "CMD-SHELL":
            shell = True
            if program.body(step).program is None:
                raise Refusal(f"the HEALTHCHECK in line {step.node.line} is not understood")
            for invocation in program.commands(step).invocations:
                if invocation.program is None and invocation.node.words:
                    raise Refusal(f"a variable names a command in line {step.node.line}", WRITE_OUT)
                if invocation.program:
                    names[invocation.program] = None
                    if invocation.path and "/" in invocation.path:
                        _add(paths, workdir, invocation.path)
        elif health[0] == "CMD" and len(health) > 1:
            names[posixpath.basename(health[1])] = None
            if "/" in health[1]:
                _add(paths, workdir, health[1])
    if not first and begun.runs and begun.runs[0].names:
        first = begun.runs[0].names[-1]
    return StartPrograms(tuple(names), tuple(paths), first, shell, begun.text, line)


def _add(paths: dict[str, None], workdir: str, word: str) -> None:
    path = join_path(workdir, word)
    if isinstance(path, str) and path != "/":
        paths[path] = None


def _is_made(name: str, own: set[str], text: str) -> bool:
    """Whether a program is a script of the steps' own, which calls others."""
    return bool(re.search(r"\.(?:sh|bash)\Z|entry-?point", name)) and any(p.rpartition("/")[2] == name for p in own)


class SourceNeeds(Record):
    """What the sources say that the program needs: base names of other programs, and which of the facts of a recipe's
    `scan` were found, with the place of the first ("main.go:12")."""

    programs: Mapping[str, str]
    places: Mapping[str, str]


def needs(recipe: StageRecipe, made: Iterable[WrittenPath], facts: Facts) -> SourceNeeds:
    """What the sources among `made` say. Raises Refusal where they are not at hand."""
    programs: dict[str, str] = {}
    places: dict[str, str] = {}
    patterns = {
        key: [re.compile(text) for text in texts]
        for key, texts in recipe.scan.items()
        if key not in ("files", "writes")
    }
    wanted = recipe.scan["files"]
    for entry in made:
        if entry.kind == "tree" and wanted:
            reason = f"which files line {entry.step.node.line} copies is not known without the build context"
            raise Refusal(reason, CONTEXT)
        name = entry.path.rpartition("/")[2]
        if entry.kind != "context" or not any(fnmatch.fnmatchcase(name, pattern) for pattern in wanted):
            continue
        if re.search(
            r"(?:^|/)(?:tests?|__tests__|spec|node_modules|testdata)/|_test\.\w+\Z|\.test\.\w+\Z|(?:^|/)test_\w+\.py\Z",
            entry.source,
        ):
            continue
        data = facts.context_file(entry.source)
        if data is None:
            raise Refusal(f"{entry.source}, which line {entry.step.node.line} copies, cannot be read", CONTEXT)
        text = _COMMENT.sub(lambda match: " " * len(match[0]), data.decode("utf-8", "surrogateescape"))
        for key, expressions in patterns.items():
            if key in places and key != "programs":
                continue
            for expression in expressions:
                for match in expression.finditer(text):
                    place = f"{entry.source}:{text.count(chr(10), 0, match.start()) + 1}"
                    if key == "programs":
                        programs.setdefault(posixpath.basename(match[1].split()[0]), place)
                    else:
                        places.setdefault(key, place)
                        break
    return SourceNeeds(programs, places)
