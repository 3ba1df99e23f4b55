"""What the steps of a stage do, one after the other."""

from __future__ import annotations

from dfopt.analysis.system_paths import SYSTEM
from dfopt.ir.liveness import layer_steps
from dfopt.ir.scopes import join_path
from dfopt.passes.multi_stage.attributes import Attribute
from dfopt.passes.multi_stage.commands import FlowReader
from dfopt.passes.multi_stage.flow import Flow
from dfopt.passes.multi_stage.owners import ROOT, user_of, with_group
from dfopt.passes.multi_stage.unblock import WRITE_OUT
from dfopt.passes.multi_stage.written_paths import WrittenPath, copied
from dfopt.refusal import Refusal
from dfopt.syntax.expand import Unknown
from dfopt.syntax.mounts import mounts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.facts import Facts
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage, Step


def read(program: Program, stage: Stage, facts: Facts, tools: frozenset[str], home: str) -> Flow:
    """What the steps of a stage do; `tools`: programs of which some recipe knows what they write; `home`: the working
    directory of the base image. Raises Refusal."""
    flow = Flow()
    flow.home = home
    for step in layer_steps(program, stage):
        keyword = step.node.keyword
        scope = program.scope(step)
        if keyword == "ONBUILD":
            raise Refusal(f"line {step.node.line} is a trigger for other builds")
        if keyword in ("COPY", "ADD"):
            known = flow.paths.directories()
            entries = copied(program, step, facts, known, home)
            flow.paths.extend(entries)
            base = home if isinstance(scope.workdir, Unknown) else scope.workdir
            target = join_path(base, scope.expand(step.node.arguments[-1].value, program.dockerfile.escape))
            if isinstance(target, str) and any(entry.role == "nested" or entry.kind == "tree" for entry in entries):
                flow.roots.add(target)
            flag = step.node.flag("chown")
            owner = scope.expand(flag.value, program.dockerfile.escape) if flag is not None and flag.value else ""
            flow.makers[step.index] = None if isinstance(owner, Unknown) else owner or ROOT
            if owner and isinstance(target, str) and target not in known | SYSTEM:
                said = "$" if isinstance(owner, Unknown) else owner
                flow.attributes.append(Attribute(target, "chown", with_group(said), False, step.node.line))
        elif keyword == "ENV":
            for pair in step.node.pairs:
                if pair.name == "PATH":
                    flow.heads += [path for path in (pair.value or "").strip("\"'").split(":") if path.startswith("/")]
        elif keyword == "WORKDIR":
            path = join_path(
                home if isinstance(scope.workdir, Unknown) else scope.workdir,
                scope.expand(step.node.arguments[0].value, program.dockerfile.escape),
            )
            if isinstance(path, Unknown):
                raise Refusal(f"the directory of line {step.node.line} is not known", WRITE_OUT)
            user = flow.makers[step.index] = user_of(scope)
            if user != ROOT and path not in SYSTEM and not flow.paths.below(path):
                again = user == user_of(program.end_scope(stage))
                flow.attributes.append(Attribute(path, "chown", with_group(user or "$"), False, step.node.line, again))
            flow.paths.append(WrittenPath(path, step, "directory", role="workdir"))
        elif keyword == "RUN":
            flow.makers[step.index] = user_of(scope)
            _run(program, step, flow, tools, facts)
    return flow


def _run(program: Program, step: Step, flow: Flow, tools: frozenset[str], facts: Facts) -> None:
    line = step.node.line
    body = program.body(step)
    if body.program is None and body.form != "exec":
        raise Refusal(f"the RUN in line {line} is not understood: {body.why}")
    if any(mount.kind == "bind" and mount.image for mount in mounts(step.node)):
        raise Refusal(f"the RUN in line {line} mounts another image", "copy what it needs with COPY --from")
    reader = FlowReader(program.scope(step), flow, step, tools, facts)
    command_list = program.run_commands(step)
    for invocation in command_list.invocations:
        reader.read(invocation, command_list.functions)
    if reader.accounts:
        flow.accounts.append(step)
        if reader.accounts == reader.commands:
            flow.alone.append(step)
