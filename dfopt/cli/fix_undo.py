"""`dfopt fix --undo`: puts back what the last `fix --write` changed."""

from __future__ import annotations

import os

from dfopt.cli import out
from dfopt.cli.errors import UsageError
from dfopt.cli.stream import count
from dfopt.workspace.paths import display_name
from dfopt.workspace.undo import UndoError, keep, read_journal, undo

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.cli.options import Values


def run(values: Values) -> int:
    """Runs the command: the files of the last run that the paths name, or that lie below them. Raises UsageError."""
    for name, option in (("write", "--write"), ("check", "--check"), ("verify", "--verify")):
        if getattr(values, name):
            raise UsageError(f"--undo and {option} exclude each other")
    try:
        entries = read_journal()
    except UndoError as failure:
        raise UsageError(f"--undo: {failure}") from None
    places = [os.path.realpath(path) for path in values.paths or (".",)]
    wanted = [entry for entry in entries if any(_is_below(entry.path, place) for place in places)]
    if not wanted:
        where = os.path.commonpath([os.path.dirname(entry.path) for entry in entries])
        raise UsageError(f"--undo: the last --write was in {out.printable(where)}: name that directory")
    left = [entry for entry in entries if entry not in wanted]
    undone = status = 0
    for entry, reason in undo(wanted):
        name = out.printable(display_name(entry.path))
        if reason:
            status = 2
            left.append(entry)
            out.note(f"{name}: not undone: {out.printable(reason)}\n")
        else:
            undone += 1
            out.note(f"restored {name}\n" if not values.quiet else "")
    keep(left)
    if not values.quiet:
        out.note(f"dfopt: {count(undone, 'file')} restored\n")
    return status


def _is_below(path: str, place: str) -> bool:
    """Whether a recorded path is `place`, or lies below it; by its name, as a link may have taken its place."""
    return path == place or path.startswith(os.path.join(place, ""))
