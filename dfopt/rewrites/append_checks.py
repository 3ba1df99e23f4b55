"""What must hold of a RUN for a command to follow it in one shell, or for it to become part of one `&&` chain."""

from __future__ import annotations

from dfopt.ir.effects import takes
from dfopt.ir.exit_status import errexit_throughout, heard
from dfopt.ir.shell_state import is_plain, shell_state_effects
from dfopt.refusal import Refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.ir.commands import Invocation
    from dfopt.ir.program import Program
    from dfopt.ir.shell_body import Body
    from dfopt.ir.stages import Step


def append_operator(body: Body) -> str:
    """The operator behind which a command at a body's end belongs: ";" in a script and in a list under `set -e`, but
    for one that ends in a chain, whose failure `set -e` does not see."""
    assert body.program is not None
    items = body.program.script.items
    if body.form == "script":
        return ";"
    return ";" if len(items) > 1 and errexit_throughout(body) and heard(items[-1].command) else "&&"


def check_append(body: Body, operator: str) -> None:
    """Raises Refusal unless a command behind `operator` at the body's end runs exactly when all before succeeded,
    and the step fails exactly when it did or when the new command does."""
    assert body.program is not None
    script = body.program.script
    if body.program.script.comments and body.form == "line":
        raise Refusal("a shell comment would swallow what is appended")
    last = script.items[-1]
    if any(one.terminator == "&" for one in script.items):
        raise Refusal("the step starts a background job")
    if last.terminator == ";" and operator == "&&":
        raise Refusal("the step ends in `;`")
    found = shell_state_effects(body)
    if operator == ";":
        if not errexit_throughout(body):
            raise Refusal("behind `;` a failure before it would be masked: the step is not under `set -e`")
        if not heard(last.command):
            raise Refusal("behind `;` a failure in front of the last `&&` would be masked, which `set -e` ignores")
    elif found.errexit and not is_plain(last.command):
        raise Refusal("under `set -e`, a failure inside the last command would not end the step in front of &&")
    if found.never:
        raise Refusal(found.never[0])
    if any(reason.startswith(("exec ", "exit ")) for reason in found.state):
        raise Refusal("the step may end before its last command (exec or exit)")


def check_part(program: Program, step: Step, position: int, count: int, wrapped: bool) -> None:
    """Raises Refusal unless a RUN keeps its meaning as part `position` of `count` in one `&&` chain."""
    body = program.body(step)
    if body.program is None:
        raise Refusal(body.why)
    found = program.shell_state(step)
    last = position == count - 1
    if not last:
        check_links(program, step)
        check_place(program, step)
    if found.never:
        raise Refusal(found.never[0])
    if position and found.history:
        raise Refusal(f"{found.history[0]} depends on what its shell did before")
    # in a plain chain no failure but that of its end was seen by `set -e`, and that one fails the chain; only what runs
    # in a substitution or another file may have been under it
    inside = "$(" in body.text or "`" in body.text or any("any state" in reason for reason in found.state)
    confined = not found.state or (wrapped and not inside)
    if found.errexit and not last and not (found.plain and confined):
        raise Refusal("under `set -e`, a failure inside it would no longer end the build in front of &&")
    if found.errexit and "e" not in body.shell.options and last and position and not wrapped:
        raise Refusal("set -e would reach into the whole chain")
    if not wrapped:
        if found.state and not last:
            raise Refusal(f"{found.state[0]}, which the next step would see")
        if found.lists and position:
            raise Refusal("`a; b` or `a || b` behind && must stand in a subshell")


def check_links(program: Program, step: Step) -> None:
    """Raises Refusal where a RUN may make a hard link: nothing may come behind it in the same layer."""
    if any(map(_links, program.commands(step).invocations)):
        # Linux, Documentation/filesystems/overlayfs.rst, "Non-standard behavior": a change breaks links of lower layers
        raise Refusal("it makes a hard link: of its names, a step of its own would change one, the same step all")


def check_place(program: Program, step: Step) -> None:
    """Raises Refusal where a RUN deletes the directory that it runs in: a step of its own finds it made anew."""
    place = program.scope(step).workdir
    if not isinstance(place, str) or place == "/":
        return
    if any(takes(effect, place) for effect in program.effects(step)):
        raise Refusal(f"it deletes {place}, the working directory, which the next step finds made anew")


def _links(found: Invocation) -> bool:
    """Whether the command may make a hard link."""
    options = [word for word in found.values if word is not None and word.startswith("-")]

    def given(letter: str, name: str) -> bool:
        return any(word == name or (letter in word and not word.startswith("--")) for word in options)

    if found.program == "ln":
        return not given("s", "--symbolic")
    return found.program == "link" or (found.program == "cp" and given("l", "--link"))
