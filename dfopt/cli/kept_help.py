"""The text of `--help`, as typer and rich made it once: the import of the two takes twice as long as a whole `fix`.

It is kept (`derived`) with all that it depends on: the tables of the commands, the libraries that are installed, the
kind and size of the terminal, and the variables that the two look at.
"""

from __future__ import annotations

import os
import sys

from dfopt.cli import out
from dfopt.cli.options import GROUPS, command_named
from dfopt.derived import put, state_of_file, state_of_folder, stored
from dfopt.version import state_of_environment

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

_HELP = ("--help", "-h")
_WORDS = 3  # a group, a command, and the option
_VARIABLES = (
    "COLUMNS", "LINES", "TERM", "COLORTERM", "NO_COLOR", "FORCE_COLOR", "PY_COLORS", "GITHUB_ACTIONS", "LANGUAGE",
    "LANG", "DATABRICKS_RUNTIME_VERSION",
)  # fmt: skip
_PREFIXES = ("TTY_", "TYPER_", "_TYPER_", "JUPYTER_", "LC_")
_KEEP = 4  # states of one help: terminals of several sizes, files


def help_of(args: Sequence[str], environ: Mapping[str, str], render: Callable[[], Any]) -> Any:
    """`render()`, where `args` ask for help with the text that it printed in this very state before."""
    words = args[:-1]
    asked = 0 < len(args) <= _WORDS and args[-1] in _HELP and all(word[:1].isalpha() for word in words)
    if not asked or "_DFOPT_COMPLETE" in environ or not hasattr(sys.stdout, "buffer"):
        return render()
    section = "help " + " ".join(words)
    state = _state(environ)
    texts: list[tuple[object, str]] = stored(section) or []
    for its_state, text in texts:
        if its_state == state:
            out.data(text)
            return 0
    recorder = _Recorder(sys.stdout)
    sys.stdout = recorder
    try:
        status = render()
    finally:
        sys.stdout = recorder.stream
    name = " ".join(words)
    if status == 0 and (name in ("", *GROUPS) or command_named(name) is not None):
        put(section, None, [(state, "".join(recorder.texts)), *texts[: _KEEP - 1]])
    return status


def _state(environ: Mapping[str, str]) -> object:
    sizes: list[tuple[int, int] | None] = []
    for descriptor in range(3):
        try:
            sizes.append(tuple(os.get_terminal_size(descriptor)))  # type: ignore[arg-type]  # two numbers
        except (OSError, ValueError, AttributeError):
            sizes.append(None)
    return [
        state_of_folder("cli/specs", ".py")(),
        [state_of_file("cli", name)() for name in ("app.py", "options.py")],
        state_of_environment(),
        sys.stdout.isatty(),
        sys.stdout.encoding,
        sizes,
        sorted(item for item in environ.items() if item[0] in _VARIABLES or item[0].startswith(_PREFIXES)),
    ]


class _Recorder:
    """Standard output, and what was written there."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream
        self.texts: list[str] = []

    def write(self, text: str) -> int:
        written: int = self.stream.write(text)
        self.texts.append(text)
        return written

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)
