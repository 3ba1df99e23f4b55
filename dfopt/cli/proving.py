"""What `verify` and `fix --verify` share: the plan from the command line, engines, progress, cleanup."""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager

from dfopt.cli import out
from dfopt.cli.errors import UsageError
from dfopt.engine import find_engine
from dfopt.proof import ProofSettings
from dfopt.proof.differences import allowance

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from dfopt.cli.options import Values
    from dfopt.engine import Engine
    from dfopt.proof import ImageCost

_SECONDS = 1800


def plan_of(values: Values, context: str | None) -> ProofSettings:
    """How to build, from the command line. Raises UsageError."""
    try:
        allowance(values.allow)
    except ValueError as failure:
        raise UsageError(f"--allow: {failure}") from None
    if context is not None and not os.path.isdir(context):
        raise UsageError(f"--context: no such directory: {out.printable(context)}")
    script = values.smoke_script or ""
    if script and not (os.path.isfile(script) and os.access(script, os.X_OK)):
        raise UsageError(f"--smoke-script: not an executable program: {out.printable(script)}")
    return ProofSettings(
        context, values.build_arg, values.secret, values.build_context, values.target, values.network, values.platform,
        float(values.timeout or _SECONDS), values.smoke or "", script, values.touch or "", values.repeat,
        values.drop_syntax, values.allow,
    )  # fmt: skip


def engines_of(values: Values) -> list[Engine]:
    """The engines to build with, one for each builder. Raises NoEngineError or UsageError after closing them all."""
    name = None if values.engine == "auto" else values.engine
    engines: list[Engine] = []
    try:
        for builder in values.builder or (None,):
            engines.append(find_engine(name, builder))
    except BaseException:
        for engine in engines:
            engine.close()
        raise
    return engines


@contextmanager
def interruptible() -> Iterator[None]:
    """Turns SIGTERM and SIGHUP into interrupts, so that engines are cleaned up before the process exits."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    numbers = [number for name in ("SIGTERM", "SIGHUP") if (number := getattr(signal, name, None)) is not None]
    before = [(number, signal.signal(number, interrupt)) for number in numbers]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)


def figures_line(figures: ImageCost) -> str:
    """`331.2 MB in 6 layers (10.5 MB of it dead), 4512 files, built in 13.1 s, rebuilt in 2.0 s`."""
    parts = [f"{megabytes(figures.total)} in {figures.layers} {'layer' if figures.layers == 1 else 'layers'}"]
    if figures.total > figures.live:
        parts[0] += f" ({megabytes(figures.total - figures.live)} of it dead)"
    parts.append(f"{figures.files} files")
    if figures.seconds is not None:
        parts.append(f"built in {figures.seconds:.1f} s")
    if figures.rebuild is not None:
        parts.append(f"rebuilt in {figures.rebuild:.1f} s")
    return ", ".join(parts)


def megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"


def figures_json(figures: ImageCost | None) -> dict[str, Any] | None:
    """Bytes and seconds, as in proof.Figures."""
    if figures is None:
        return None
    return {
        "live_bytes": figures.live,
        "layer_bytes": figures.total,
        "stored_bytes": figures.stored,
        "layers": figures.layers,
        "files": figures.files,
        "build_seconds": figures.seconds,
        "rebuild_seconds": figures.rebuild,
    }
