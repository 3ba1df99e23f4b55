"""Whether a last stage can do without a shell: on distroless, on a hardened image, or on scratch."""

from __future__ import annotations

import posixpath
import re

from dfopt.analysis.build_facts import with_reason
from dfopt.ir.effects import covers, manager
from dfopt.ir.image_config import image_config
from dfopt.ir.scopes import join_path
from dfopt.ir.shell_body import shell_kind
from dfopt.lazy import regex
from dfopt.passes.swap_base.built import shown
from dfopt.passes.swap_base.files import ELF, copied, is_static, programs_in
from dfopt.refusal import Refusal
from dfopt.rewrites.copy_mode import destination
from dfopt.syntax.expand import Unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.facts import Facts
    from dfopt.ir.commands import Invocation
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage, Step
    from dfopt.passes.swap_base.needs import Needs
    from dfopt.passes.swap_base.target import ReplacementBase

# what a Go program must not import to be alone on scratch, or without other programs
_STARTS = regex(r'"os/exec"|"plugin"')
_FILES = regex(
    r'"net/http"|"crypto/(?:tls|x509)"|"net/smtp"|"os/user"|"golang\.org/x/|LoadLocation|"mime"|TempDir|CreateTemp|MkdirTemp'
)


def bare_fault(needs: Needs) -> None:
    """Raises Refusal where a command of the stage needs more than the target has."""
    program, stage, target, facts = needs.program, needs.stage, needs.target, needs.facts
    if program.children(stage):
        raise Refusal(f"line {program.children(stage)[0].node.line}: another stage is built on this one")
    if target.hardened:
        needs.doubt(f"what {target.image} holds is known from documents alone")
    _runs_as(program, stage, target)
    brought: dict[str, int] = {}  # programs that are known to stand alone, or as a trial may show -> line
    for step in stage.steps:
        node, line = step.node, step.node.line
        if node.keyword in ("RUN", "SHELL", "ONBUILD"):
            raise Refusal(f"line {line}: {target.image} has no shell to run {node.keyword}")
        if node.keyword == "USER":
            _account(program, step, node.arguments[0].value, target)
        elif node.keyword in ("COPY", "ADD"):
            owner = node.flag("chown")
            if owner is not None and owner.value:
                _account(program, step, owner.value, target)
            why = ""
            try:
                if node.flag("from") is not None:
                    _from_stage(program, stage, step, facts, brought)
                else:
                    _from_context(program, step, facts, brought)
            except Refusal as refusal:
                why = with_reason(refusal.reason, facts)
            seen = shown(needs, stage, step, target.own) if why else None
            if why and seen is None:
                needs.doubt(why)
            elif seen is not None:
                if seen[0]:
                    raise Refusal(f"line {line}: {seen[0]}")
                brought.update(dict.fromkeys(seen[2], line))
        elif node.keyword == "ENV" and any(pair.name == "TZ" for pair in node.pairs) and not target.zones:
            raise Refusal(f"line {line}: there are no time zones on {target.image}")
        elif node.form == "shell" and node.keyword in ("CMD", "ENTRYPOINT", "HEALTHCHECK"):
            raise Refusal(f"line {line}: {node.keyword} in shell form needs a shell")
    config = image_config(program, stage)
    argv = config.entrypoint or config.cmd
    if isinstance(argv, Unknown) or not argv:
        raise Refusal(f"line {stage.node.line}: what the image starts is not known")
    checks = config.healthcheck if isinstance(config.healthcheck, tuple) else ()
    for name in (argv[0], *([checks[1]] if len(checks) > 1 and checks[0] == "CMD" else [])):
        path = join_path(config.workdir, name) if "/" in name else None
        why = f"line {stage.node.line}: that {name} needs no other program or library is not known"
        if path is None and name not in target.own and all(posixpath.basename(one) != name for one in brought):
            raise Refusal(why)
        if path not in brought:
            needs.doubt(why)
    _sources(program, target, facts)


def _runs_as(program: Program, stage: Stage, target: ReplacementBase) -> None:
    """Raises Refusal where the image would run as another user than before, who may not do what root did."""
    steps, line = stage.steps, stage.node.line
    if target.workdir and not any(step.node.keyword == "WORKDIR" for step in steps):
        raise Refusal(f"line {line}: the working directory of {target.image} is {target.workdir}", "write WORKDIR")
    if not target.user or any(step.node.keyword == "USER" for step in steps):
        return
    config, who = image_config(program, stage), f"{target.image} runs as the user {target.user}"
    for port in config.ports:
        number = "" if isinstance(port, Unknown) else port.partition("/")[0]
        if not number.isdigit() or int(number) < 1024:
            raise Refusal(f"line {line}: {who}, and port {number or 'of EXPOSE'} may be root's", "write USER")
    if config.volumes:
        raise Refusal(f"line {line}: {who}, to whom a VOLUME does not belong", "write USER")
    for step in steps:
        place = destination(program, step) if step.node.keyword in ("COPY", "ADD", "WORKDIR") else ""
        mode = step.node.flag("chmod")
        if mode is not None and mode.value and (mode.value[-1] not in "4567" or not mode.value.isdigit()):
            raise Refusal(f"line {step.node.line}: {who}, and the file may be root's alone", "write USER")
        if place is None or covers("/root", place):
            raise Refusal(f"line {step.node.line}: {who}, and /root is closed to others", "write USER")


def _account(program: Program, step: Step, user: str, target: ReplacementBase) -> None:
    value = program.scope(step).expand(user, program.dockerfile.escape)
    if isinstance(value, Unknown):
        raise Refusal(f"line {step.node.line}: a variable names the user")
    for name in value.split(":"):
        if name and not name.isdigit() and name not in target.accounts:
            raise Refusal(f"line {step.node.line}: {target.image} has no user or group {name}")


def _target(program: Program, step: Step, source: str) -> str:
    """The path to which one file is copied."""
    scope = program.scope(step)
    raw = scope.expand(step.node.arguments[-1].value, program.dockerfile.escape)
    path = join_path(scope.workdir, raw)
    if isinstance(path, Unknown) or isinstance(raw, Unknown):
        raise Refusal(f"line {step.node.line}: where the files go is not known")
    into = raw.endswith(("/", "/.")) or raw in (".", "./") or len(step.node.arguments) > 2
    return posixpath.join(path, posixpath.basename(source)) if into else path


def _from_context(program: Program, step: Step, facts: Facts, brought: dict[str, int]) -> None:
    line = step.node.line
    files = copied(program, [step], facts)
    if files is None:
        raise Refusal(f"line {line}: what the build context holds is not known")
    for name, content in programs_in(files, facts):
        if content[:2] == b"#!" or not is_static(content):
            kind = "a script" if content[:4] != ELF else "linked with libraries"
            raise Refusal(f"line {line}: {name} is {kind}")
        brought[_target(program, step, name)] = line


def _from_stage(program: Program, stage: Stage, step: Step, facts: Facts, brought: dict[str, int]) -> None:
    """COPY --from: a program that its stage links statically, or files that it has from the build context."""
    line = step.node.line
    flag = step.node.flag("from")
    index = program.stage_named(flag.value or "", stage.index) if flag is not None else None
    if index is None:
        raise Refusal(f"line {line}: what the image {flag.value if flag else ''} holds is not known")
    builder = program.stages[index]
    for argument in step.node.arguments[:-1]:
        value = program.scope(step).expand(argument.value, program.dockerfile.escape)
        path = join_path("/", value)
        if isinstance(path, Unknown):
            raise Refusal(f"line {line}: what is copied is not known")
        made = _built(program, builder, path)
        if made == "static":
            brought[_target(program, step, path)] = line
        elif made or not _is_context(program, builder, path, facts):
            raise Refusal(f"line {line}: {made or f'what {path} holds is not known'}")


def _built(program: Program, builder: Stage, path: str) -> str:
    """ "static" where a command of the stage makes `path` as a static program; why not; "" where none makes it."""
    for step in builder.steps:
        if step.node.keyword != "RUN":
            continue
        body = program.body(step)
        scope = program.scope(step)
        exported: dict[str, str | None] = {}
        for invocation in program.commands(step).invocations:
            if invocation.program == "export":
                pairs = [value.partition("=") for value in invocation.values if value and "=" in value]
                exported.update({name: value for name, _, value in pairs})
            if invocation.program == "go" and invocation.values[:1] == ["build"]:
                output = _option(invocation, "-o")
                if output is None or join_path(scope.workdir, output) not in (path, posixpath.dirname(path)):
                    continue
                given = {a.name: a.value.value for a in invocation.node.assignments if a.value is not None}
                env = {**{k: v for k, v in scope.env.items() if isinstance(v, str)}, **exported, **given}
                if (
                    "env" in invocation.wrappers
                    and "CGO_ENABLED=0" in body.text[invocation.node.start : invocation.node.end]
                ):
                    env["CGO_ENABLED"] = "0"
                if env.get("CGO_ENABLED") == "0" and env.get("GOOS", "linux") == "linux":
                    return "static"
                return "the program is built with cgo: its libraries are not known"
            if invocation.program in ("gcc", "cc", "musl-gcc", "g++", "clang"):
                output = _option(invocation, "-o")
                if output is not None and join_path(scope.workdir, output) == path:
                    if "-static" in invocation.values or "-static-pie" in invocation.values:
                        return "static"
                    return f"{path} is linked with libraries"
            if shell_kind(scope, program.dockerfile.escape).posix and manager(invocation.program) is None:
                last = invocation.values[-1] if invocation.values else None
                if invocation.program in ("cp", "mv", "install") and last and join_path(scope.workdir, last) == path:
                    return f"what {path} is made from is not known"
    return ""


def _option(invocation: Invocation, name: str) -> str | None:
    values = invocation.values
    for index, value in enumerate(values):
        if value == name and index + 1 < len(values):
            return values[index + 1]
        if value is not None and re.match(re.escape(name) + "=", value):
            return value[len(name) + 1 :]
    return None


def _is_context(program: Program, builder: Stage, path: str, facts: Facts) -> bool:
    """Whether a path of a stage holds files of the build context alone, none of them a program."""
    for step in reversed(builder.steps):
        if step.node.keyword not in ("COPY", "ADD") or step.node.flag("from") is not None:
            continue
        target = join_path(program.scope(step).workdir, step.node.arguments[-1].value)
        if isinstance(target, Unknown):
            return False
        if path == target or path.startswith(target.rstrip("/") + "/") or target == "/":
            files = copied(program, [step], facts)
            if files is None:
                return False
            below = posixpath.relpath(path, target)
            inside = [
                name for name in files if below in (".", name) or name.startswith(below + "/") or f"/{below}" in name
            ]
            return bool(inside) and not list(programs_in(inside, facts))
    return False


def _sources(program: Program, target: ReplacementBase, facts: Facts) -> None:
    """What Go sources import tells which files and programs they look for. On scratch there are none."""
    paths = facts.context_paths()
    sources = sorted(path for path in paths or () if path.endswith(".go") and not path.endswith("_test.go"))
    if not target.certificates and not sources:
        raise Refusal("whether the program needs certificates, time zones or a directory is not known")
    for name in sources:
        text = (facts.context_file(name) or b"").decode("utf-8", "replace")
        match = _STARTS.search(text) or (_FILES.search(text) if not target.certificates else None)
        if match:
            raise Refusal(f"{name} uses {match[0]}, for which {target.image} may have nothing")
