"""What dfopt derives from its own files, made once: the index of the passes, the parsed tables of knowledge/, the code
of its modules (`bundle`), compiled patterns (`compiled_patterns`), the text of its help.

Each is a section: a marshalled value, kept with the state of what it was made of (for a file, its size and time of
change, as Python does for compiled code). All sections are one file beside the compiled code, of which a run reads
those that it asks for. A section that is missing or out of date is made, and the file is written when the process ends.
A wheel ships a second such file (`derived.bin`, made by hatch_build.py), with what does not depend on the version of
Python, since an installation may be read-only. Where nothing can be kept, every process makes what it needs.
"""

from __future__ import annotations

import marshal
import os
import sys

from dfopt.files import open_regular

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import Any, TypeVar

    Value = TypeVar("Value")

FORMAT = 4  # of marshal: every Python that dfopt runs on reads it
SHIPPED = "derived.bin"
FOLDER = os.path.dirname(__file__)
_LENGTH = 8  # bytes, before the index: its length
_DAMAGED = (EOFError, ValueError, TypeError, OSError)


class Sections:
    """A file of sections: the length of an index, the index (key, name -> (state, offset, length)), the values."""

    def __init__(self, path: str, key: object) -> None:
        """Opens it, for as long as the process lasts. Raises OSError, EOFError, ValueError and TypeError where there
        is none, or none with this key."""
        self.handle = open_regular(path)
        try:
            length = int.from_bytes(os.read(self.handle, _LENGTH), "little")
            self.start = _LENGTH + length
            if self.start > os.fstat(self.handle).st_size:
                raise ValueError("cut off")
            its_key, self.index = marshal.loads(os.read(self.handle, length))
            if its_key != key or not isinstance(self.index, dict):
                raise ValueError("made by something else")
        except BaseException:
            os.close(self.handle)
            raise

    def read(self, name: str) -> bytes:
        """A value, marshalled. Raises KeyError, and OSError where it cannot be read."""
        _, offset, length = self.index[name]
        if hasattr(os, "pread"):  # a process pool shares the descriptor, and with it its position
            return os.pread(self.handle, length, self.start + offset)
        os.lseek(self.handle, self.start + offset, os.SEEK_SET)
        return os.read(self.handle, length)


class _Nothing:
    index: Mapping[str, tuple[object, int, int]] = {}


_opened: dict[str, Sections | _Nothing] = {}
_made: dict[str, tuple[object, bytes]] = {}  # by this process: state, value
discarded: set[str] = set()  # sections that are not kept any longer
_at_end: list[Callable[[], None]] = []


def derived(section: str, make: Callable[[], Value], state: Callable[[], object] = lambda: None) -> Value:
    """The value of a section (marshallable; callers keep it): what was kept in this `state` (marshallable, too), else
    what `make` gives."""
    try:
        value: Value = load(shipped(), section)
    except KeyError:
        now = state()
        try:
            value = load(kept(), section, now)
        except KeyError:
            value = make()
            put(section, now, value)
    return value


def stored(section: str) -> Any:
    """What was kept of a section that depends on nothing but the version of Python; None where nothing was."""
    try:
        return load(kept(), section)
    except KeyError:
        return None


def load(file: Sections | _Nothing, section: str, state: object = None) -> Value:  # type: ignore[type-var]
    """A value of that state. Raises KeyError where the file has none."""
    if section in _made and _made[section][0] == state:
        data = _made[section][1]
    elif section not in file.index or file.index[section][0] != state:
        raise KeyError(section)
    else:
        try:
            data = file.read(section)  # type: ignore[union-attr]  # one that has an index
        except _DAMAGED:
            raise KeyError(section) from None
    try:
        value: Value = marshal.loads(data)
    except _DAMAGED:
        raise KeyError(section) from None
    return value


def put(section: str, state: object, value: object) -> None:
    """Keeps a value, once the process ends."""
    at_end()
    _made[section] = state, marshal.dumps(value, FORMAT)  # type: ignore[arg-type]  # as `derived` asks


def is_new(section: str) -> bool:
    """Whether this process made a section."""
    return section in _made


def at_end(*steps: Callable[[], None]) -> None:
    """Has the sections kept when the process ends, after these steps, which may still make some."""
    if not _at_end:
        import atexit

        atexit.register(keep)
        _at_end.append(lambda: None)
    _at_end.extend(steps)


def shipped() -> Sections | _Nothing:
    """The sections that a wheel has."""
    file = _opened.get(SHIPPED)
    return _open(SHIPPED, os.path.join(FOLDER, SHIPPED), None) if file is None else file


def kept() -> Sections | _Nothing:
    """The sections that earlier runs kept: of this very Python, and this version of dfopt where a wheel says so."""
    file = _opened.get("")
    return _open("", place(), _key()) if file is None else file


def _open(name: str, path: str, key: object) -> Sections | _Nothing:
    try:
        file: Sections | _Nothing = Sections(path, key)
    except _DAMAGED:
        file = _Nothing()
    _opened[name] = file
    return file


def _key() -> object:
    try:
        fingerprint: str = load(shipped(), "fingerprint")
    except KeyError:
        fingerprint = ""
    return [sys.version, fingerprint]


def state_of_file(*names: str) -> Callable[[], object]:
    """As the state of a section: that of a file of the package, by its names below it."""

    def state() -> object:
        status = os.stat(os.path.join(FOLDER, *names))
        return status.st_size, status.st_mtime_ns

    return state


def state_of_folder(name: str, suffix: str) -> Callable[[], object]:
    """As the state of a section: that of all files in a folder of the package, and below, whose names end so."""
    return lambda: sorted((path, status.st_size, status.st_mtime_ns) for path, status in _files(name, suffix))


def _files(name: str, suffix: str) -> Iterator[tuple[str, os.stat_result]]:
    stack = [name]
    while stack:
        folder = stack.pop()
        with os.scandir(os.path.join(FOLDER, folder)) as entries:
            for entry in entries:
                if entry.name.endswith(suffix):
                    yield os.path.join(folder, entry.name), entry.stat()
                elif "." not in entry.name and entry.name != "__pycache__" and entry.is_dir():
                    stack.append(os.path.join(folder, entry.name))


def place() -> str:
    from _frozen_importlib_external import cache_from_source  # importlib's own, without its package

    return cache_from_source(__file__).removesuffix(".pyc") + ".bin"


def keep() -> None:
    """Writes the sections, if that can be: nobody depends on it. Those that this process made, and of the others what
    the file has now, which another process may have written meanwhile."""
    if sys.dont_write_bytecode:
        return
    for step in _at_end:
        step()
    if not _made:
        return
    from dfopt.writing import replace_file

    sections = dict(_made)
    path = place()
    for opened in _opened.values():
        if isinstance(opened, Sections):
            os.close(opened.handle)
    _opened.clear()
    file = kept()
    for name, (state, _, _) in file.index.items():
        if name not in sections and name not in discarded:
            try:
                sections[name] = state, file.read(name)  # type: ignore[union-attr]
            except _DAMAGED:
                continue
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        replace_file(path, packed(_key(), ((name, *section) for name, section in sections.items())))
    except OSError:
        pass


def packed(key: object, sections: Iterable[tuple[str, object, bytes]]) -> bytes:
    """The content of a file of sections, each a name, a state, and a marshalled value."""
    index: dict[str, tuple[object, int, int]] = {}
    values: list[bytes] = []
    offset = 0
    for name, state, data in sections:
        index[name] = state, offset, len(data)
        values.append(data)
        offset += len(data)
    head = marshal.dumps((key, index), FORMAT)  # type: ignore[arg-type]  # as `derived` asks
    return b"".join((len(head).to_bytes(_LENGTH, "little"), head, *values))
