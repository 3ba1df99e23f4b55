"""Secrets that only one RUN needs, as secret mounts: what a build argument held, and what a COPY brought."""

from __future__ import annotations

import posixpath
import re

from dfopt.analysis.frontend import syntax_obstacle
from dfopt.analysis.run_steps import run_text
from dfopt.edit import Edit
from dfopt.editing.chain_edits import remove_command
from dfopt.editing.layout import line_start
from dfopt.findings import Fix
from dfopt.ir.scopes import join_path
from dfopt.lazy import regex
from dfopt.rewrites.instructions import RemoveStep, SetFlags
from dfopt.syntax.directives import syntax_level
from dfopt.syntax.expand import ExpansionError, variables
from dfopt.syntax.shell.nodes import AndOr, Parameter, SimpleCommand
from dfopt.syntax.shell.walk import iter_nodes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.ir.commands import Invocation
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage, Step
    from dfopt.rewrites.base import Rewrite
    from dfopt.syntax.tree import Pair

_ENV_SECRETS = (1, 10)
_MOUNTS = (1, 2)
_PLAIN = regex(r"[\w./-]+\Z")
_CHANGERS = frozenset(("chmod", "chown", "mv", "sed", "tee", "install", "ln", "cp", "truncate", "dos2unix", "shred"))
# instructions that may stand between the copy and the deletion: they neither read nor bring files
_QUIET = frozenset(
    ("ENV", "ARG", "LABEL", "EXPOSE", "WORKDIR", "STOPSIGNAL", "HEALTHCHECK", "CMD", "ENTRYPOINT", "USER")
)


def argument_mount(program: Program, stage: Stage, step: Step, pair: Pair) -> tuple[Fix | None, str]:
    """The fix that turns `ARG NAME` into a secret mount of the one RUN that uses it; else why there is none."""
    node, name = step.node, pair.name
    if node.keyword == "ONBUILD" or len(node.pairs) != 1:
        return None, "it is declared behind ONBUILD" if node.keyword == "ONBUILD" else "the ARG declares several"
    word = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")
    if any(word.search(meta.joined.text) for meta in program.meta):
        return None, f"{name} is a build argument before the first FROM too"
    later = [one for one in stage.steps if one.index > step.index and word.search(run_text(program, one))]
    others = [one for child in program.children(stage) for one in child.steps if word.search(run_text(program, one))]
    if others:
        return None, f"line {others[0].node.line}, in a stage built on this one, uses it too"
    if len(later) != 1:
        if not later:
            return None, "no instruction names it: which step reads it is not known"
        return None, f"lines {', '.join(str(one.node.line) for one in later)} use it"
    user = later[0]
    run = user.node
    if run.keyword != "RUN":
        return None, f"line {run.line} ({run.keyword}) uses it, and mounts are for RUN"
    body = program.body(user)
    if body.program is None:
        return None, body.why
    inner = [one for one in iter_nodes(body.program.script) if isinstance(one, Parameter) and one.name == name]
    if len(inner) != len(word.findall(run_text(program, user))):
        return None, f"line {run.line} names it in a text that a later program may expand"
    level = syntax_level(program.dockerfile.directive("syntax"))
    if level is None or level < _ENV_SECRETS:
        return None, "secrets as variables need `# syntax=docker/dockerfile:1` (1.10 or newer)"
    value = f"type=secret,id={name},env={name}"
    flags = (("mount", value), *[(flag.name, flag.value) for flag in run.flags])
    first = run.flags[0].at if run.flags else run.at
    at = run.joined.source(first)
    end = program.text.find("\n", node.end) + 1
    if not end:
        return None, "the ARG is the file's last instruction"
    edits = (Edit(line_start(program.text, node.start), end, ""), Edit(at, at, f"--mount={value} "))
    return Fix(edits, (RemoveStep(step.index), SetFlags(user.index, flags)), "unsafe"), ""


def secret_id(source: str) -> str:
    """The id under which a file is given to the build."""
    return posixpath.basename(source.rstrip("/")).lstrip(".")


def file_mount(program: Program, stage: Stage, step: Step, engine: str) -> tuple[Fix | None, str]:
    """The fix that mounts the file of `COPY FILE PLACE` for the one RUN that uses it, where the file is deleted at the
    end of that RUN or by the next one; else why there is none ("": nothing deletes it, the image may need it)."""
    path = _place(program, step)
    if path is None:
        return None, ""
    runs: list[Step] = []
    for one in stage.steps:
        if one.index <= step.index:
            continue
        if one.node.keyword == "RUN":
            runs.append(one)
            if _deletion(program, one, path) is not None:
                break
    else:
        return None, ""
    last = runs[-1]
    for one in stage.steps:
        if step.index < one.index < last.index and one.node.keyword not in (*_QUIET, "RUN") and _may_bring(one, path):
            return None, f"line {one.node.line} may bring the file again"
        if one.index > last.index and one.node.keyword in ("COPY", "ADD") and _takes_all(one):
            return None, f"line {one.node.line} brings the file again"
    alone = _alone(program, last)
    if len(runs) != (2 if alone else 1):
        return None, "which of the steps before its deletion reads it is not known"
    user = runs[0]
    scope = program.scope(user)
    if scope.root is not True:
        return None, f"line {user.node.line} runs as another user than root, who alone may read a mounted secret"
    reason = syntax_obstacle(program, engine, _MOUNTS, "RUN --mount") or _changed(program, user, path)
    if reason:
        return None, reason
    return _file_fix(program, step, user, last, path, alone)


def _file_fix(program: Program, step: Step, user: Step, last: Step, path: str, alone: bool) -> tuple[Fix | None, str]:
    node, text = user.node, program.text
    end = text.find("\n", step.node.end) + 1
    if not end:
        return None, ""
    id = secret_id(step.node.arguments[0].value)
    value = f"type=secret,id={id},target={path},required=true"
    flags = (("mount", value), *[(flag.name, flag.value) for flag in node.flags])
    at = node.joined.source(node.flags[0].at if node.flags else node.at)
    edits = [Edit(line_start(text, step.node.start), end, ""), Edit(at, at, f"--mount={value} ")]
    rewrites: list[Rewrite] = [RemoveStep(step.index), SetFlags(user.index, flags)]
    if alone:
        end = text.find("\n", last.node.end) + 1 or len(text)
        edits.append(Edit(line_start(text, last.node.start), end, ""))
        rewrites.append(RemoveStep(last.index))
    else:
        deletion = _deletion(program, last, path)
        found = remove_command(program, last, program.body(last), deletion.node) if deletion is not None else None
        if found is None:
            return None, f"the command of line {last.node.line} that deletes it cannot be taken out"
        edits += found[0]
        rewrites.append(found[1])
    return Fix(tuple(edits), tuple(rewrites), "unsafe"), ""


def _place(program: Program, step: Step) -> str | None:
    """Where `COPY FILE PLACE` puts its one file; None where that is not plain to see."""
    node = step.node
    if node.keyword != "COPY" or node.flags or node.form != "list" or len(node.arguments) != 2 or node.heredocs:
        return None
    source, target = (argument.value for argument in node.arguments)
    if not _PLAIN.match(source) or not _PLAIN.match(target):
        return None
    name = posixpath.basename(source)
    if target in (".", "./") or target.endswith("/"):
        target = posixpath.join(target, name)
    elif posixpath.basename(target) != name:
        return None  # a file of that name, or one in a directory of that name
    path = join_path(program.scope(step).workdir, target)
    return path if isinstance(path, str) else None


def _deletion(program: Program, step: Step, path: str) -> Invocation | None:
    """The `rm` of the file that ends a RUN's chain, or is all of it."""
    body = program.body(step)
    if body.program is None or body.form != "line" or len(body.program.script.items) != 1:
        return None
    command = body.program.script.items[0].command
    node = command.items[-1] if isinstance(command, AndOr) and "||" not in command.ops else command
    if not isinstance(node, SimpleCommand):
        return None
    for invocation in program.commands(step).invocations:
        if invocation.node is node and invocation.program == "rm" and not invocation.nested:
            operands = invocation.operands(())
            if len(operands) == 1 and operands[0].value is not None:
                target = operands[0].value.replace("~/", "/root/", 1)
                return invocation if join_path(program.scope(step).workdir, target) == path else None
    return None


def _alone(program: Program, step: Step) -> bool:
    """Whether a RUN is a single command."""
    script = program.body(step).program
    return script is not None and isinstance(script.script.items[0].command, SimpleCommand)


def _may_bring(step: Step, path: str) -> bool:
    """Whether a step may put the file there again: a copy of more than plainly named other files."""
    node = step.node
    if node.keyword not in ("COPY", "ADD"):
        return True
    name = posixpath.basename(path)
    return any(
        not _PLAIN.match(argument.value)
        or posixpath.basename(argument.value.rstrip("/")) in (name, "", ".", "..")
        or "." not in posixpath.basename(argument.value)
        for argument in node.arguments[:-1]
    )


def _takes_all(step: Step) -> bool:
    """Whether a copy takes the whole build context, or what a pattern tells."""
    if step.node.flag("from") is not None:
        return False
    words = [argument.value for argument in step.node.arguments[:-1]]
    return any("*" in word or word.strip("/") in ("", ".") for word in words)


def _changed(program: Program, step: Step, path: str) -> str:
    """What in a RUN would change the file: a mounted secret can only be read."""
    name = posixpath.basename(path)
    text = run_text(program, step)
    if re.search(rf">\s*\S{{0,200}}{re.escape(name)}", text):
        return f"line {step.node.line} writes to it"
    for invocation in program.commands(step).invocations:
        if invocation.program in _CHANGERS and any(value is not None and name in value for value in invocation.values):
            return f"line {step.node.line} changes it ({invocation.program})"
    return ""


def argument_of(program: Program, step: Step | None, value: str) -> str:
    """The build argument that a value takes its secret from; "" where it takes it from none."""
    if step is None or "$" not in value:
        return ""
    scope = program.scope(step)
    try:
        names = [use.name for use in variables(value, program.dockerfile.escape)]
    except ExpansionError:
        return ""
    return next((name for name in names if name in scope.args and name not in scope.env), "")
