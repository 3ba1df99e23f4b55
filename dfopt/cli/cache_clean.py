"""`dfopt cache clean`: deletes cached results."""

from __future__ import annotations

from dfopt.cli import out
from dfopt.cli.stream import count
from dfopt.workspace.cache import clean, default_directory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.cli.options import Values


def run(values: Values) -> int:
    """Runs the command."""
    directory = default_directory()
    files, size = clean(directory)
    out.note(f"dfopt: deleted {count(files, 'file')} ({size / 1e6:.1f} MB) in {out.printable(directory)}\n")
    return 0
