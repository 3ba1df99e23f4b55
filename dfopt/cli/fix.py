"""`dfopt fix`: prints what would change as a unified diff, or writes it."""

from __future__ import annotations

from dfopt.cli.command_request import request_of
from dfopt.cli.errors import UsageError
from dfopt.cli.fail_on import fail_on_of
from dfopt.cli.run_files import run_task, task_of
from dfopt.cli.tasks import FixTask
from dfopt.workspace.run import run_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.cli.options import Values
    from dfopt.request import Request


def run(values: Values) -> int:
    """Runs the command. Raises UsageError."""
    request = request_of(values)
    if request.searches:
        from dfopt.cli.fix_search import run as run_search

        return run_search(values)
    for name, flag in (("budget", "--budget"), ("budget_minutes", "--budget-minutes")):
        if getattr(values, name) is not None:
            raise UsageError(f"{flag} needs -O3")
    if values.undo:
        from dfopt.cli.fix_undo import run as run_undo

        return run_undo(values)
    if values.interactive:
        from dfopt.cli.fix_interactive import run as run_interactive

        return run_interactive(values)
    if values.verify:
        from dfopt.cli.fix_verify import run as run_verified

        return run_verified(values)
    refuse_options_of_verify(values)
    request.report = tells_all(values, request)
    if not values.timings and not values.print_after:
        return run_task(values, task_of(values, FixTask, request), run_all)
    from dfopt.cli.trace import tracing

    with tracing(values, request):
        return run_task(values, task_of(values, FixTask, request), run_all)


def tells_all(values: Values, request: Request) -> bool:
    """Whether findings that change nothing are asked for: whoever selects passes wants to hear what they say, also
    where their fixes need --unsafe. Otherwise passes without a fix of the tiers in force do not run. Raises
    UsageError."""
    return values.show_refusals or bool(values.select) or not fail_on_of(values, request.lookup).only_fixes


def refuse_options_of_verify(values: Values) -> None:
    """Raises UsageError if an option was given that only `--verify` uses."""
    from dfopt.cli.specs._engine import ENGINE

    for option in ENGINE:
        if getattr(values, option.name) != option.absent:
            raise UsageError(f"{option.flags[0]} needs --verify")
