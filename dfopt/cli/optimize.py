"""`dfopt optimize IMAGE DIR`: from a fat image to a small one with its source.

The image is rebuilt in one layer above its base, without dead files and without the indexes and caches of package
managers; that is built and compared with the image. Then `fix -O3` works on the Dockerfile.

0: the result is in DIR. 1: what was rebuilt is not equal to the image. 2: undecided, as of `verify` and `fix`.
"""

from __future__ import annotations

import os

from dfopt.cli import out
from dfopt.cli.progress import StatusDisplay
from dfopt.cli.rebuild import errors, lab_of, report, write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.cli.options import Values

_PASSED_ON = (
    "engine", "builder", "network", "timeout", "smoke", "smoke_script", "allow", "budget", "budget_minutes", "quiet"
)  # fmt: skip


def run(values: Values) -> int:
    """Runs the command. Raises UsageError."""
    from dfopt.cli.options import Values as Given
    from dfopt.cli.proving import figures_json, figures_line
    from dfopt.proof.differences import cache_paths
    from dfopt.proof.patterns import compile_pattern
    from dfopt.proof.verdict import cost_of

    path = os.path.join(values.rebuild, "Dockerfile")
    caches = tuple(dict.fromkeys(cache_paths()))
    patterns = [compile_pattern(pattern) for pattern in caches]
    with errors(values.rebuild):
        with (
            StatusDisplay(f"reading {values.image}", quiet=values.quiet),
            lab_of(values, (*values.allow, *caches)) as lab,
        ):
            squashed = Given({**values.given, "squash": True})
            written = write(squashed, lab, lambda name: any(pattern.fullmatch(name) for pattern in patterns))
        verdict = written.verdict
        assert verdict is not None
        if not values.quiet:
            out.note(report(values.image, values.rebuild, written))
        if not verdict.holds:
            out.error(f"{out.printable(path)}: not equal to the image, so nothing was optimized")
            return 1
        status = _fix(values, path)
        if status:
            return status
        with StatusDisplay("measuring the result", quiet=values.quiet), lab_of(values) as lab:
            from dfopt.files import read_regular

            built = lab.build(read_regular(path), path, cache=True)
            after = cost_of(built.view)
    if values.output_format == "json":
        from dfopt.messages import json_text

        document = {
            "version": 1, "image": out.printable(values.image), "dockerfile": out.printable(path),
            "before": figures_json(verdict.before), "after": figures_json(after),
        }  # fmt: skip
        out.data(json_text(document, indent=2) + "\n")
    else:
        lines = f"before: {values.image}: {figures_line(verdict.before)}\nafter:  {path}: {figures_line(after)}\n"
        out.text(lines)
    return 0


def _fix(values: Values, path: str) -> int:
    """`fix -O3 --write` on what was rebuilt."""
    from dfopt.cli.fix import run as run_fix
    from dfopt.cli.options import command_named, finish

    command = command_named("fix")
    assert command is not None
    given = {name: values.given[name] for name in _PASSED_ON}
    return run_fix(finish(command, {**given, "paths": (path,), "write": True, "level": "3"}).values)
