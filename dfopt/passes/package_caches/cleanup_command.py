"""The command that empties a cache at the end of a RUN, run as the one that filled it."""

from __future__ import annotations

import re

from dfopt.analysis.users import runs_as_root
from dfopt.editing.layout import append_edit
from dfopt.ir.exit_status import fails_step
from dfopt.ir.liveness import layer_steps
from dfopt.lazy import regex
from dfopt.refusal import Refusal
from dfopt.rewrites.append_checks import append_operator, check_append
from dfopt.rewrites.commands import AppendCommand

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.analysis.run_steps import RunSite
    from dfopt.edit import Edit
    from dfopt.ir.commands import Invocation


# wrappers that change neither the user nor the environment, so that what follows need not be wrapped
_PLAIN = frozenset(
    ("command", "builtin", "time", "timeout", "nice", "ionice", "nohup", "stdbuf", "eatmydata", "chronic", "retry",
     "setarch", "linux32", "xargs", "env")
)  # fmt: skip
_CACHE_PLACE = regex(r"HOME\Z|XDG_CACHE_HOME\Z|.*cache", re.I)


def append_cleanup(site: RunSite, filling: Invocation, words: tuple[str, ...]) -> tuple[Edit, AppendCommand]:
    """The edit, and its declaration, that runs `words` at the end of a RUN, as the user that `filling` runs as. Raises
    Refusal with what rules it out."""
    program, step, body = site.program, site.step, site.body
    if step.node.keyword == "ONBUILD":
        raise Refusal("what follows in the image built on this one is not known")
    if body.form == "mixed":
        raise Refusal("the command line carries heredocs")
    if filling.nested:
        raise Refusal(f"{filling.program} runs in a string that is given to another shell")
    assigned = [assignment.name for assignment in filling.node.assignments]
    if "env" in filling.wrappers or "sudo" in filling.wrappers:
        assigned += [word.value.partition("=")[0] for word in filling.node.words if word.value and "=" in word.value]
    if any(_CACHE_PLACE.match(name) for name in assigned if not name.startswith("-")):
        raise Refusal(f"{filling.program} is given another place for its cache")
    changing = [name for name in filling.wrappers if name not in _PLAIN]
    prefix: tuple[str, ...] = ()
    if changing:
        options = _sudo_options(filling) if changing == ["sudo"] else None
        if options is None or any(option not in ("-E", "-H", "-n") for option in options):
            under = " ".join(filling.wrappers)
            raise Refusal(f"{filling.program} runs under {under}: how to clean up as it does is unclear")
        prefix = ("sudo", *options)
    operator = append_operator(body)
    check_append(body, operator)
    words = (*prefix, *words)
    if not fails_step(body, filling.node) and not _works(site, filling, words):
        raise Refusal(
            f"the RUN goes on where {filling.program} fails, and would end where the cleanup does",
            f"write `&& {' '.join(words)}` behind {filling.program}",
        )
    return append_edit(program, step, body, " ".join(words), operator), AppendCommand(step.index, words, operator)


def _works(site: RunSite, filling: Invocation, words: tuple[str, ...]) -> bool:
    """Whether the cleanup succeeds even where `filling` did not: rm as root does, and a program is there where an
    earlier call of it, under the same wrappers and as the same user, had to succeed."""
    program, scope = site.program, site.program.scope(site.step)
    if words[0] == "rm" and runs_as_root(program, site.stage, scope, site.facts):
        return True
    for step in layer_steps(program, site.stage):
        if step.node.keyword == "RUN" and program.scope(step).user == scope.user:
            for invocation in program.run_commands(step).invocations:
                same = (invocation.path, invocation.wrappers) == (filling.path, filling.wrappers)
                if same and not invocation.nested and fails_step(program.body(step), invocation.node):
                    return True
        if step is site.step:
            break
    return False


def _sudo_options(invocation: Invocation) -> tuple[str, ...] | None:
    """The options of sudo; None where one is not a fixed string."""
    values = [word.value for word in invocation.node.words]
    at = next((i for i, value in enumerate(values) if value and value.rpartition("/")[2] == "sudo"), None)
    if at is None:
        return None
    options: list[str] = []
    for value in values[at + 1 :]:
        if value is None:
            return None
        if not value.startswith("-"):
            break
        options.append(value)
    return tuple(options)
