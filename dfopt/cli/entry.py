"""The entry point. It imports nothing before the code that earlier runs kept is at hand (`dfopt.bundle`)."""

from __future__ import annotations

import gc
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def main(argv: Sequence[str] | None = None) -> int:
    """Runs dfopt with `argv` (without the program's name; default: that of the process). Returns the exit status."""
    if argv is not None:
        from dfopt.cli.dispatch import run

        return run(argv)
    gc.disable()  # until there is work that makes garbage: modules are none
    from dfopt import bundle, compiled_patterns

    bundle.install()
    compiled_patterns.install()
    from dfopt.cli.dispatch import run_process

    return run_process(sys.argv[1:])
