"""What must hold of a RUN for a command to follow it in one shell."""

from __future__ import annotations

from dfopt.ir.exit_status import errexit_sees, errexit_throughout
from dfopt.ir.shell_state import is_plain, shell_state_effects
from dfopt.refusal import Refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.ir.shell_body import Body


def append_operator(body: Body) -> str:
    """The operator after which a command at a body's end belongs: ";" in a script and in a list under `set -e`, but
    for one that ends in a chain, whose failure `set -e` does not see."""
    assert body.program is not None
    items = body.program.script.items
    if body.form == "script":
        return ";"
    return ";" if len(items) > 1 and errexit_throughout(body) and errexit_sees(items[-1].command) else "&&"


def check_append(body: Body, operator: str) -> None:
    """Raises Refusal unless a command after `operator` at the body's end runs exactly when all before succeeded,
    and the step fails exactly when it did or when the new command does."""
    assert body.program is not None
    script = body.program.script
    if body.program.script.comments and body.form == "line":
        raise Refusal("a shell comment would swallow what is appended")
    last = script.items[-1]
    if any(item.terminator == "&" for item in script.items):
        raise Refusal("the step starts a background job")
    if last.terminator == ";" and operator == "&&":
        raise Refusal("the step ends in `;`")
    effects = shell_state_effects(body)
    if operator == ";":
        if not errexit_throughout(body):
            raise Refusal("after `;` a failure before it would be masked: the step is not under `set -e`")
        if not errexit_sees(last.command):
            raise Refusal("after `;` a failure before the last `&&` would be masked, which `set -e` ignores")
    elif effects.errexit and not is_plain(last.command):
        raise Refusal("under `set -e`, a failure inside the last command would not end the step once && follows")
    if effects.never:
        raise Refusal(effects.never[0])
    if any(reason.startswith(("exec ", "exit ")) for reason in effects.state):
        raise Refusal("the step may end before its last command (exec or exit)")
