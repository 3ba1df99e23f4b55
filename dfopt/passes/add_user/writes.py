"""Where the image's own programs write: which directories are given to the user, and which writes still fail."""

from __future__ import annotations

import posixpath
import re

from dfopt.analysis.context_tree import directories_above
from dfopt.analysis.remote_scripts import SHELLS
from dfopt.analysis.run_steps import run_text
from dfopt.analysis.startup import context_candidates
from dfopt.ir.commands import INNER, TOP
from dfopt.ir.effects import covers
from dfopt.ir.liveness import layer_steps
from dfopt.ir.scopes import join_path
from dfopt.knowledge import table
from dfopt.lazy import regex
from dfopt.passes.add_user.paths import SHARED, may_own
from dfopt.refusal import Refusal
from dfopt.rewrites.copy_mode import destination
from dfopt.syntax.expand import UNKNOWN, Unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.analysis.startup import Run, Started
    from dfopt.facts import Facts
    from dfopt.ir.image_config import ImageConfig
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage, Step

_REDIRECTS = (">", ">>", ">|", "&>", "&>>")
# Operands of these are written: all of them, or the last; `replaces`: by a new file of that name, for which the
# directory alone must be writable. Sources: coreutils 9.5, sed 4.9, gettext 0.22
_ALL = frozenset(("mkdir", "touch", "mv", "tee", "rm", "sed", "chmod", "truncate"))
_LAST = frozenset(("cp", "ln", "install"))
_REPLACES = frozenset(("mkdir", "mv", "rm", "sed", "ln"))
_ENTERED = regex(r"\bcd\s+[\"']?(/[^\s\"';&|)]*)")
_EXTRACTS = regex(r"(?:\A|\s)(?:-?[a-zA-Z]*x[a-zA-Z]*|--extract)(?:\s|\Z)")
# patterns in the table, what their servers write, what can be done
_SERVERS = (
    ("development", "among its sources and into node_modules", "start a server for production"),
    ("beside-code", "logs and process numbers beside its code", "give the code to a user by COPY --chown"),
)
_KEEPER = ("keeps-data", "data into a directory that nothing here makes", "make the directory by VOLUME or WORKDIR")
_TELLS = frozenset(("--version", "-version", "version", "-v", "-V", "--help", "-h", "help"))
# what starts programs of many kinds, and has many uses in a build
_STARTERS = (
    "java",
    "dotnet",
    "npm",
    "npx",
    "yarn",
    "pnpm",
    "bundle",
    "bundler",
    "uv",
    "poetry",
    "pipenv",
    "exec",
    "env",
)
# Variables that name directories of programs, which nobody writes to at run time
_PROGRAMS = re.compile(r"(?:\A|_)(?:PATH|GOROOT|CLASSPATH)\Z|PATH\Z|(?:JAVA|JRE|JDK|MAVEN|GRADLE|ANT|CUDA)_HOME\Z")


def data_directories(program: Program, steps: list[Step], config: ImageConfig, started: Started) -> list[str]:
    """The directories that a RUN makes by mkdir below the working directory, or leaves empty, or that CMD, ENTRYPOINT,
    their scripts or ENV name, or a file in them, and those below: the program uses them, so that they must be the
    user's. Absolute, in the order of the file."""
    made: dict[str, None] = {}
    for step in steps:
        for effect in program.effects(step):
            if effect.kind == "creates" and effect.program == "mkdir" and effect.where in (TOP, INNER):
                if may_own(effect.path):
                    made[effect.path] = None
            elif effect.kind == "deletes":
                made = {path: None for path in made if not covers(effect.path, path)}
    values = {name: value for name, value in config.env.items() if isinstance(value, str)}
    told = "\n".join([started.text, *[value for name, value in values.items() if _PROGRAMS.search(name) is None]])
    files = {posixpath.dirname(value) for value in values.values() if ":" not in value}
    own = config.workdir if isinstance(config.workdir, str) and may_own(config.workdir) else None
    filled = _filled(program, steps)
    named = [
        path for path in made
        if path in files
        or not (path in filled or covers("/usr", path) or covers("/go", path))  # empty: a place for data
        or (own is not None and covers(own, path))
        or re.search(rf"(?<![\w./-]){re.escape(path)}(?![\w.-])", told)
    ]  # fmt: skip
    return [path for path in made if any(covers(directory, path) for directory in named)]


def _filled(program: Program, steps: list[Step]) -> set[str]:
    """The directories into which something else than mkdir is seen to put something, or a command to go."""
    places: list[str] = []
    for step in steps:
        if step.node.keyword == "RUN":
            places += [f"{path}/" for path in _ENTERED.findall(run_text(program, step))]
        for effect in program.effects(step):
            if effect.kind == "creates" and effect.program != "mkdir":
                places.append(f"{effect.path}/")
    return directories_above(places)


class ScriptWrites:
    """Follows the commands of start scripts through `cd` and `mkdir`, and raises Refusal at a write that the user may
    not do. `own`: directories that are the user's, without what is below them."""

    def __init__(self, program: Program, stage: Stage, facts: Facts, own: list[str]) -> None:
        self.program = program
        self.stage = stage
        self.facts = facts
        self.own = own
        self.directory = program.end_scope(stage).workdir
        self.created: list[str] = []

    def check(self, run: Run) -> None:
        invocation = run.one
        if invocation is None or not run.names:
            return
        name = run.names[-1]
        if name == "cd":
            operand = next((word for word in run.words if word is None or not word.startswith("-")), None)
            self.directory = join_path(self.directory, operand if operand is not None else UNKNOWN)
            return
        for word, replaces in self.written(run, name):
            if word is None:
                continue
            path = join_path(self.directory, word)
            if isinstance(path, Unknown):
                raise Refusal(
                    f"the image's start script writes to {word}, below a working directory that is not known",
                    "set WORKDIR",
                )
            if not self.allowed(path, replaces=replaces, changes_mode=name == "chmod"):
                raise Refusal(f"the image's start script writes to {path}")
            if name == "mkdir":
                self.created.append(path)

    def written(self, run: Run, name: str) -> Iterator[tuple[str | None, bool]]:
        """(word, whether it only replaces or makes a name) of what a command writes."""
        assert run.one is not None
        for redirect in run.one.node.redirects:
            if redirect.op in _REDIRECTS:
                yield redirect.target.value, False
        if name == "sed" and not run.one.has_option("-i", "--in-place"):
            return
        operands = [word for word in run.words if word is None or not word.startswith(("-", "+"))]
        if name == "chmod" or (name == "sed" and not run.one.has_option("-e", "-f")):
            operands = operands[1:]  # the mode, or the script
        if name == "sed":  # values of -e and -f, in short form: what looks like no file
            values = run.words
            taken = {
                values[at + 1] for at, value in enumerate(values[:-1]) if value is not None and _takes_script(value)
            }
            operands = [word for word in operands if word not in taken]
        if name in _LAST:
            operands = operands[-1:] if len(operands) > 1 else []
        if name in _ALL or name in _LAST:
            for operand in operands:
                yield operand, name in _REPLACES

    def allowed(self, path: str, *, replaces: bool, changes_mode: bool) -> bool:
        if any(covers(directory, path) for directory in (*SHARED, *self.created)):
            return True
        if changes_mode:  # root's files keep their modes, whoever has the directory
            return path in self.own
        if path in self.own:
            return True
        if posixpath.dirname(path) not in self.own:
            return False
        if replaces:
            return True
        return not any(
            self.facts.context_holds(source) for source in context_candidates(self.program, self.stage, path)
        )


def _takes_script(option: str) -> bool:
    return re.fullmatch(r"-[a-zA-Z]*[ef]", option) is not None or option in ("--expression", "--file")


def unpacked(program: Program, steps: list[Step], directory: str) -> Step | None:
    """The first step that unpacks an archive into `directory` or below, or copies there what a stage unpacked; else a
    script in front of the WORKDIR that names it, where nothing is copied there. What such a step left is root's, and
    where its program writes is not known."""
    script: Step | None = None
    for step in steps:
        if script is None and any(effect.kind == "opaque" for effect in program.effects(step)):
            script = step
        if _unpacks(program, step, directory) or _copies_unpacked(program, step, directory):
            return step
    placed = [step for step in steps if step.node.keyword in ("COPY", "ADD", "WORKDIR")]
    placed = [step for step in placed if covers(directory, destination(program, step) or "/")]
    only_entered = all(step.node.keyword == "WORKDIR" for step in placed)
    return script if script is not None and placed and only_entered and script.index < placed[0].index else None


def _unpacks(program: Program, step: Step, directory: str) -> bool:
    """Whether a RUN unpacks an archive into `directory` or below, or moves there what it unpacked."""
    body, scope = program.body(step), program.scope(step)
    if step.node.keyword != "RUN" or body.program is None:
        return False
    files, escape, extracted = table("programs")["files"], program.dockerfile.escape, False
    place: str | Unknown = scope.workdir
    for invocation in program.commands(step).invocations:
        written = [body.text[word.start : word.end].strip("'\"") for word in invocation.words]
        paths = [scope.expand(word, escape) for word in written]
        if invocation.program == "cd" and paths:
            place = join_path(place, paths[0])
            continue
        target: str | Unknown = UNKNOWN
        if invocation.program == "unzip" or (
            invocation.program in ("tar", "bsdtar") and _EXTRACTS.search(" ".join(written)) is not None
        ):
            options = files["unzip" if invocation.program == "unzip" else "tar"]["into-options"]
            named = [path for option, path in zip(written, paths[1:], strict=False) if option in options]
            target, extracted = join_path(place, named[0]) if named else place, True
        elif extracted and invocation.program == "mv" and len(paths) > 1:
            target = join_path(place, paths[-1])
        if not isinstance(target, Unknown) and covers(directory, target):
            return True
    return False


def _copies_unpacked(program: Program, step: Step, directory: str) -> bool:
    """Whether a COPY brings into `directory` a directory in which a stage of the file unpacked an archive."""
    flag = step.node.flag("from") if step.node.keyword == "COPY" else None
    number = program.stage_named(flag.value, step.stage) if flag is not None and flag.value else None
    if number is None or not covers(directory, destination(program, step) or "/"):
        return False
    scope, escape = program.scope(step), program.dockerfile.escape
    sources = [join_path("/", scope.expand(argument.value, escape)) for argument in step.node.arguments[:-1]]
    steps = layer_steps(program, program.stages[number])
    return any(
        _unpacks(program, each, source) for source in sources if not isinstance(source, Unknown) for each in steps
    )


def writes_beside_code(started: Started, owns: bool) -> None:
    """Raises Refusal where the image starts a server that writes among its sources, or that keeps data where no
    directory is the user's (`owns`)."""
    for run in started.runs:
        words = " ".join([*run.names[-1:], *[word for word in run.words if word is not None]])
        for kind, writes, unblock in _SERVERS if owns else (*_SERVERS, _KEEPER):
            match = re.search(table("users")["programs"][kind], words)
            if match is not None:
                raise Refusal(f"the image starts {match[0].strip()}, which writes {writes}", unblock)


def ran_as_root(program: Program, steps: list[Step], started: Started) -> None:
    """Raises Refusal where a RUN, as root, runs what the image starts: a build tool keeps what it fetched in root's
    home, and a server makes the data that it will write to."""
    programs = table("users")["programs"]
    names = {run.names[-1] for run in started.runs if run.names}.intersection(programs["builders"])
    common = {*programs["prompts"], *table("programs")["files"], *SHELLS, *_STARTERS}
    names.update(name for run in started.runs[-1:] for name in run.names[-1:] if name not in common)
    for step in steps:
        if names and step.node.keyword == "RUN":
            for invocation in program.run_commands(step).invocations:
                values = [value for value in invocation.values if value is not None]
                if invocation.program in names and not _TELLS.issuperset(values):
                    raise Refusal(
                        f"line {step.node.line} runs {invocation.program} as root, which may leave files that it needs "
                        "to read or write when the image starts it",
                        "write USER in front of that line",
                    )
