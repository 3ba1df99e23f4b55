"""A declared rewrite: RUNs become one across the instructions between them, which set the directory or a variable."""

from __future__ import annotations

from dfopt.ir.commands import TOP
from dfopt.ir.effects import covers
from dfopt.ir.model import ModelInstruction, and_term
from dfopt.lazy import regex
from dfopt.refusal import Refusal
from dfopt.rewrites.base import Claim, Rewrite
from dfopt.rewrites.copy_mode import destination
from dfopt.rewrites.join_checks import check_joined

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from dfopt.ir.model import Term
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Step
    from dfopt.rewrites.base import Model

# instructions that neither change what a RUN sees nor see what it does
_APART = frozenset(("LABEL", "EXPOSE", "CMD", "ENTRYPOINT", "HEALTHCHECK", "STOPSIGNAL", "MAINTAINER"))
_PATH = regex(r"(?:/[\w.+@-]+)+/?")
_NAME = regex(r"[A-Za-z_]\w*")
# what a shell reads when it starts, or keeps for itself
_OWN = regex(r"IFS|PS\d|P?PID|E?UID|BASH\w*|SHELLOPTS|BASHOPTS|LINENO|OPT\w+|ENV|(?:OLD)?PWD|CDPATH|HOME|LD_\w+|LC_\w+")
_VALUE = regex(r"(?:[\w./:+@%,=-]|\$[A-Za-z_]\w*|\$\{[A-Za-z_]\w*\})*")
_SPACED = regex(r"(?:[\w./:+@%,= -]|\$[A-Za-z_]\w*|\$\{[A-Za-z_]\w*\})*")
_VARIABLE = regex(r"\$\{?(\w+)")


class JoinAcross(Rewrite):
    """RUNs of one stage become one, at the place of the first, joined by `&&`; `wrapped[i]`: part i runs in ( ).

    What stands between them stays, after the one RUN, and what it means for the RUNs after it is said in the shell:
    ENV by `export`, WORKDIR by `cd`. The WORKDIRs of `dropped` go: the RUN deletes their directory, and a later WORKDIR
    comes before anything that depends on them.
    """

    runs: tuple[int, ...]
    wrapped: tuple[bool, ...]
    dropped: tuple[int, ...] = ()

    def claim(self) -> Claim:
        return Claim(frozenset(range(self.runs[0], self.runs[-1] + 1)))

    def apply(self, model: Model) -> None:
        program = model.program
        runs = [model.steps[index] for index in self.runs if index in model.steps]
        if len(runs) < 2 or len(runs) != len(self.runs) or len(self.wrapped) != len(runs):
            raise Refusal("the rewrite names no RUNs of a stage")
        if set(self.dropped) != set(must_go(program, runs)):
            raise Refusal("a WORKDIR would make a directory again that the RUN deletes, or its directory is lost")
        check_joined(program, runs, self.wrapped)
        result: Term | None = None
        first = model.item(self.runs[0])
        for position, (run, wrapped) in enumerate(zip(runs, self.wrapped, strict=True)):
            body, joined_item = program.body(run), model.item(run.index)
            if run.node.keyword != "RUN" or run.stage != runs[0].stage or body.form != "line" or run.heredocs:
                raise Refusal("the rewrite names no RUNs of a stage in shell form")
            if joined_item.flags != first.flags:
                raise Refusal("the flags differ")
            part: Term = model.shell(run.index)
            if wrapped:
                part = ("sub", part, ())
            if position:
                for words in glue(program, runs[0], runs[position - 1], run):
                    assert result is not None
                    result = and_term(result, ("cmd", -1, (), words, ()))
                del model.items[run.index]
                del model.shells[run.index]
            result = part if result is None else and_term(result, part)
        assert result is not None
        for index in self.dropped:
            model.item(index)
            del model.items[index]
        model.items[self.runs[0]] = ModelInstruction(first.index, first.keyword, first.flags, first.value)
        model.shells[self.runs[0]] = result


def glue(program: Program, first: Step, run: Step, other: Step) -> list[tuple[str, ...]]:
    """The commands that do in the shell of RUN `run` what the instructions between it and RUN `other` do. `first` is
    the RUN whose shell that is. Raises Refusal where no command does the same."""
    commands: list[tuple[str, ...]] = []
    for step in program.steps_between(run, other):
        node = step.node
        if node.keyword in _APART:
            continue
        if node.keyword == "WORKDIR":
            path = destination(program, step)
            if path is None or not _PATH.fullmatch(path):
                raise Refusal(f"the directory of line {node.line} is not known")
            if not _made(program, first, step, path):
                if program.scope(first).root is False:
                    raise Refusal(f"line {node.line} makes a directory that another user would make")
                commands.append(("mkdir", "-p", path))
            commands.append(("cd", path))
        elif node.keyword == "ENV":
            commands.append(("export", *[_assignment(program, step, pair.name, pair.value) for pair in node.pairs]))
        else:
            raise Refusal(f"line {node.line} ({node.keyword}) may not stand after the RUN")
    return commands


def _made(program: Program, first: Step, workdir: Step, path: str) -> bool:
    """Whether a RUN from `first` on makes the directory for certain, or a WORKDIR before it did."""
    for step in program.stages[first.stage].steps:
        if step.index >= workdir.index:
            return False
        if step.node.keyword == "WORKDIR" and (to := destination(program, step)) is not None and covers(path, to):
            return True
        if step.node.keyword == "RUN" and any(
            effect.kind == "creates"
            and effect.where == TOP
            and effect.program in ("mkdir", "git")
            and effect.path == path
            for effect in program.effects(step)
        ):
            return True
    return False


def _assignment(program: Program, step: Step, name: str, value: str | None) -> str:
    """`NAME=value` for `export`, which gives the variable the value that ENV gives it. Raises Refusal."""
    line = step.node.line
    if value is None or not _NAME.fullmatch(name) or _OWN.fullmatch(name):
        raise Refusal(f"`export` does not do what line {line} does")
    quoted = len(value) > 1 and value[0] == value[-1] == '"'
    inner = value[1:-1] if quoted else value
    if not (_SPACED if quoted else _VALUE).fullmatch(inner):
        raise Refusal(f"the value on line {line} may be another one in the shell")
    given = {
        pair.name for other in program.stages[step.stage].steps for pair in other.node.pairs
        if other.node.keyword == "ENV" and other.index < step.index
    }  # fmt: skip
    used = set(_VARIABLE.findall(inner))
    if not used <= {*given, "PATH"} or (used and len(step.node.pairs) > 1):
        raise Refusal(f"the value on line {line} may be another one in the shell")
    return f'{name}="{inner}"' if used or " " in inner else f"{name}={inner}"


def must_go(program: Program, runs: Sequence[Step]) -> list[int]:
    """The WORKDIRs between RUNs whose directory a later one of the RUNs deletes: after the one RUN they would make it
    again. Raises Refusal where what follows depends on one of them."""
    indices: list[int] = []
    stage = program.stages[runs[0].stage]
    for step in program.steps_between(runs[0], runs[-1]):
        if step.node.keyword != "WORKDIR":
            continue
        path = destination(program, step)
        if path is None:
            raise Refusal(f"the directory of line {step.node.line} is not known")
        later = [run for run in runs if run.index > step.index]
        effects = [effect for run in later for effect in program.effects(run)]
        if not any(
            deletion.kind == "deletes" and (covers(deletion.path, path) or covers(path, deletion.path))
            for deletion in effects
        ):
            continue
        if not any(
            deletion.kind == "deletes" and deletion.where == TOP and covers(deletion.path, path) for deletion in effects
        ):
            if all(deletion.path != path for deletion in effects if deletion.kind == "deletes"):
                continue  # what is deleted lies in it
            raise Refusal(f"whether the directory of line {step.node.line} is deleted is not known")
        for after in stage.steps:
            if after.index <= step.index or after in runs:
                continue
            words = [argument.value for argument in after.node.arguments]
            if after.node.keyword == "WORKDIR" and words[0].startswith("/"):
                break
            if after.node.keyword in ("ENV", "ARG", "USER", *_APART):
                continue
            if after.node.keyword in ("COPY", "ADD") and words[-1].startswith("/"):
                continue
            raise Refusal(f"line {after.node.line} works in the directory that the RUN deletes")
        else:
            raise Refusal(f"the image starts in the directory of line {step.node.line}, which the RUN deletes")
        indices.append(step.index)
    return indices
