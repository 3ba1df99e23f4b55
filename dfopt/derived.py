"""What dfopt derives from its own files, made once: the index of the passes, and the parsed tables of knowledge/.

All of it is one file of marshalled values, a section each. A wheel ships that file (`derived.bin`, made by
hatch_build.py), since an installation may be read-only. A checkout keeps it beside the compiled code, until one of the
files that it was made of changes; there a section is made when it is first asked for, and the file is written when the
process ends. Where nothing can be kept, every process makes what it needs.
"""

from __future__ import annotations

import marshal
import os
import sys

from dfopt.files import read_regular

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TypeVar

    Value = TypeVar("Value")

FORMAT = 4  # of marshal: every Python that dfopt runs on reads it
SHIPPED = "derived.bin"
_FOLDER = os.path.dirname(__file__)
_SOURCES = (("knowledge", ".toml"), ("passes", ".py"))

_sections: dict[str, bytes] | None = None
_new = False


def derived(section: str, make: Callable[[], Value]) -> Value:
    """The value of a section (marshallable; callers keep it): what was kept, else what `make` gives."""
    global _new
    data = sections().get(section)
    if data is not None:
        value: Value = marshal.loads(data)
    else:
        value = make()
        if not _new:
            _new = True
            import atexit

            atexit.register(_keep)
        sections()[section] = marshal.dumps(value, FORMAT)  # type: ignore[arg-type]  # as the docstring asks
    return value


def sections() -> dict[str, bytes]:
    """The sections that there are, marshalled."""
    global _sections
    if _sections is None:
        try:
            _sections = read(os.path.join(_FOLDER, SHIPPED), None)
        except FileNotFoundError:
            try:
                _sections = read(_place(), state())
            except (OSError, EOFError, ValueError, TypeError):
                _sections = {}
    return _sections


def read(path: str, expected: object) -> dict[str, bytes]:
    """The sections in a file that was made in the state `expected`. Raises OSError, EOFError, ValueError, TypeError."""
    of_state, content = marshal.loads(read_regular(path))
    if of_state != expected or not isinstance(content, dict):
        raise ValueError("made of other files")
    return content


def state() -> list[tuple[str, int, int]]:
    """The files that sections are made of, by name, size and time of change."""
    return sorted((name, status.st_size, status.st_mtime_ns) for name, status in _files())


def _files() -> Iterator[tuple[str, os.stat_result]]:
    stack = [(os.path.join(_FOLDER, folder), suffix) for folder, suffix in _SOURCES]
    while stack:
        folder, suffix = stack.pop()
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.endswith(suffix):
                    yield entry.path, entry.stat()
                elif "." not in entry.name and entry.name != "__pycache__" and entry.is_dir():
                    stack.append((entry.path, suffix))


def _place() -> str:
    from _frozen_importlib_external import cache_from_source  # importlib's own, without its package

    return cache_from_source(__file__).removesuffix(".pyc") + ".bin"


def _keep() -> None:
    """Writes the sections, if that can be: nobody depends on it."""
    if sys.dont_write_bytecode or os.path.lexists(os.path.join(_FOLDER, SHIPPED)):
        return
    from dfopt.writing import replace_file

    place = _place()
    try:
        os.makedirs(os.path.dirname(place), exist_ok=True)
        replace_file(place, marshal.dumps((state(), sections()), FORMAT))
    except OSError:
        pass
