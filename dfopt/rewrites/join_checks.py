"""What must hold of RUNs for one shell to do what several did."""

from __future__ import annotations

from dfopt.ir.command_paths import stale_path
from dfopt.ir.effects import covers, takes
from dfopt.knowledge import table
from dfopt.refusal import Refusal
from dfopt.syntax.shell.nodes import AndOr, SimpleCommand

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from dfopt.ir.commands import Invocation
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Step


def check_joined(program: Program, steps: Sequence[Step], wrapped: Sequence[bool]) -> None:
    """Raises Refusal unless RUNs keep their meaning as the parts of one `&&` chain; `wrapped[i]`: part i runs in
    ( )."""
    last = len(steps) - 1
    same = same_options(program, steps)
    for position, step in enumerate(steps):
        confined = wrapped[position] or same
        check_part(program, step, first=position == 0, last=position == last, wrapped=confined)
        name = "" if wrapped[position] else stale_path(program, steps, position)
        if name:
            raise Refusal(f"the shell would run {name} from where line {step.node.line} found it")


def same_options(program: Program, steps: Sequence[Step]) -> bool:
    """Whether each of the RUNs is a chain that begins with one and the same `set`, and changes nothing else in its
    shell: what one leaves there, the next one would set by itself."""
    words: set[tuple[str | None, ...]] = set()
    for step in steps:
        body = program.body(step)
        if body.program is None or not program.shell_state(step).plain or len(program.shell_state(step).state) != 1:
            return False
        sets = [invocation.values for invocation in program.commands(step).invocations if invocation.program == "set"]
        first = body.program.script.items[0].command
        command = first.items[0] if isinstance(first, AndOr) else first
        if len(sets) != 1 or not isinstance(command, SimpleCommand) or command.words[:1] == ():
            return False
        if command.words[0].value != "set" or not all((word or "").startswith("-") for word in sets[0]):
            return False
        words.add(tuple(sets[0]))
    return len(words) == 1


def check_part(program: Program, step: Step, *, first: bool, last: bool, wrapped: bool) -> None:
    """Raises Refusal unless a RUN, taken by itself, keeps its meaning as the first, the last, or a middle part of one
    `&&` chain."""
    body = program.body(step)
    if body.program is None:
        raise Refusal(body.why)
    state = program.shell_state(step)
    check_shell(program, step, first=first, last=last)
    if not last:
        check_links(program, step)
        check_place(program, step)
    if state.never:
        raise Refusal(state.never[0])
    if not first and state.history:
        raise Refusal(f"{state.history[0]} depends on what its shell did before")
    # in a plain chain no failure but that of its end was seen by `set -e`, and that one fails the chain; only what runs
    # in a substitution or another file may have been under it
    inside = "$(" in body.text or "`" in body.text or any("any state" in reason for reason in state.state)
    confined = not state.state or (wrapped and not inside)
    if state.errexit and not last and not (state.plain and confined):
        raise Refusal("under `set -e`, a failure inside it would no longer end the build once && follows")
    if state.errexit and "e" not in body.shell.options and last and not first and not wrapped:
        raise Refusal("set -e would reach into the whole chain")
    if not wrapped:
        if state.state and not last:
            raise Refusal(f"{state.state[0]}, which the next step would see")
        if state.lists and not first:
            raise Refusal("`a; b` or `a || b` after && must stand in a subshell")


def check_shell(program: Program, step: Step, *, first: bool, last: bool) -> None:
    """Raises Refusal where the parts of one RUN would not run in the shell that a RUN of their own would start: it is
    another program by then, or reads a file when it starts."""
    line = step.node.line
    if not last and replaces_shell(program, step):
        raise Refusal(
            f"line {line} replaces the shell that runs what follows",
            "say which shell runs the RUNs with SHELL, instead of replacing /bin/sh",
        )
    scope = program.scope(step)
    shell = (scope.shell or ("",))[0].rpartition("/")[2]
    variable = table("shells")["start-files"].get(shell)
    if not first and variable is not None and (variable in scope.env or variable in scope.args):
        raise Refusal(
            f"each RUN reads ${variable} when its shell starts, and the RUNs before line {line} may write that file",
            f"set {variable} after the RUNs",
        )


def replaces_shell(program: Program, step: Step) -> bool:
    """Whether a RUN may put another program at the path of the shell that runs it."""
    shell = (program.scope(step).shell or ("/bin/sh",))[0]
    name = shell.rpartition("/")[2]
    paths = {shell, f"/bin/{name}", f"/usr/bin/{name}"}
    for effect in program.effects(step):
        if effect.kind == "creates" and effect.path in paths:
            return True
        if effect.kind == "deletes" and any(covers(effect.path, path) for path in paths):
            return True
    commands = table("shells")["replaces-shell"]
    return any(
        not set(commands.get(invocation.program or "", ())).isdisjoint(invocation.values)
        for invocation in program.commands(step).invocations
    )


def check_links(program: Program, step: Step) -> None:
    """Raises Refusal where a RUN may make a hard link: nothing may come after it in the same layer."""
    if any(map(_links, program.commands(step).invocations)):
        # Linux, Documentation/filesystems/overlayfs.rst, "Non-standard behavior": a change breaks links of lower layers
        raise Refusal(
            "it makes a hard link: of its names, a step of its own would change one, the same step all",
            "make a symbolic link (ln -s)",
        )


def check_place(program: Program, step: Step) -> None:
    """Raises Refusal where a RUN deletes the directory that it runs in: a step of its own finds it made anew."""
    place = program.scope(step).workdir
    if not isinstance(place, str) or place == "/":
        return
    if any(takes(effect, place) for effect in program.effects(step)):
        raise Refusal(
            f"it deletes {place}, the working directory, which the next step finds made anew",
            "set another WORKDIR before it",
        )


def _links(invocation: Invocation) -> bool:
    """Whether the command may make a hard link."""
    options = [word for word in invocation.values if word is not None and word.startswith("-")]

    def given(letter: str, name: str) -> bool:
        return any(word == name or (letter in word and not word.startswith("--")) for word in options)

    if invocation.program == "ln":
        return not given("s", "--symbolic")
    return invocation.program == "link" or (invocation.program == "cp" and given("l", "--link"))
