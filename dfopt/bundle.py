"""The code of dfopt's modules out of the file of what is derived, in place of a file each.

A short run imports some 180 modules, and most of its time would go into finding them: looking through directories,
opening and reading a file each, and what Python's import does around that. So a process that runs a command keeps the
code of each module that it imported, and what an import brought along: a later process takes all of that at once. The
code is what Python compiled, unchanged; it counts only while its source file has the size and time of change that it
had, as for Python's own files of compiled code. For whatever is not kept, Python's own import does its work.
"""

from __future__ import annotations

import os
import sys
from _frozen_importlib import ModuleSpec  # importlib's own, without its package
from _frozen_importlib_external import SourceFileLoader
from _thread import _count as other_threads

from dfopt import derived

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import CodeType, ModuleType
    from typing import Any, TypeAlias

    State: TypeAlias = tuple[bool, int, int]  # of a source file: that of a package? Its size and time of change

_CODE = "code of "  # and the name of a module: its code
_IMPORTS = "imports"  # by the module that was asked for, all that were imported with it, in their order
_modules = sys.modules
_Module = type(sys)
_TOP = len("dfopt")


def install() -> None:
    """Has modules of dfopt imported from what was kept, and what is imported otherwise kept. Python's report of what
    it imports (`-X importtime`, PYTHONPROFILEIMPORTTIME) would miss them: nothing is done there."""
    told = "importtime" in sys._xoptions or os.environ.get("PYTHONPROFILEIMPORTTIME")
    if told or any(isinstance(finder, _Finder) for finder in sys.meta_path):
        return
    finder = _Finder()
    sys.meta_path.insert(0, finder)
    derived.at_end(finder.keep)


class _Loader(SourceFileLoader):
    """Python's own, whose spec holds the code."""

    def exec_module(self, module: ModuleType) -> None:
        spec: Any = module.__spec__
        code, spec.loader_state = spec.loader_state, None
        exec(code, module.__dict__)


class _Finder:
    def __init__(self) -> None:
        self.before = set(_modules)
        self.imports: dict[str, tuple[str, ...]] = derived.stored(_IMPORTS) or {}
        self.new: dict[str, str] = {}  # modules that were asked for, and what had been imported last
        self.asked = ""  # the latest
        self.ahead = False  # while others than the one that was asked for are imported

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: object = None) -> ModuleSpec | None:
        if not name.startswith("dfopt."):
            return None
        if not self.ahead and not _is_being_imported(self.asked):
            self.asked = name
            if name not in self.imports:
                self.new[name] = next(reversed(_modules))
            elif not other_threads():  # they would need the locks of Python's own import
                self._import_all(self.imports[name])
        found = _kept_code(name)
        if found is None:
            return None
        spec = _spec(name, found[0])
        spec.loader_state = found[1]
        return spec

    def _import_all(self, names: Sequence[str]) -> None:
        self.ahead = True
        try:
            for name in names:
                if name not in _modules and name.rpartition(".")[0] in _modules:
                    found = _kept_code(name)
                    if found is not None:
                        _import(name, *found)
        finally:
            self.ahead = False

    def keep(self) -> None:
        """Keeps what was imported; not in a run that made the index of the passes, and imported all of them for
        that."""
        from contextlib import suppress

        if derived.is_new("passes"):
            return
        with suppress(OSError, ImportError, SyntaxError):  # its files have gone or changed meanwhile
            self._keep()

    def _keep(self) -> None:
        order = list(_modules)  # in which their imports ended
        place = {name: number for number, name in enumerate(order)}
        for name, module in list(_modules.items()):
            spec: Any = getattr(module, "__spec__", None)
            if name in self.before or not name.startswith("dfopt.") or type(spec.loader) is not SourceFileLoader:
                continue
            is_package = spec.submodule_search_locations is not None
            if spec.origin == _path(name, is_package):
                state = _state(name, is_package)  # before the code is read: code that is newer is not current
                derived.put(_CODE + name, state, spec.loader.get_code(name))
        brought = {
            name: tuple([other for other in order[place[last] + 1 : place[name]] if other.startswith("dfopt.")])
            for name, last in self.new.items()
            if name in place and last in place
        }
        if brought:
            derived.put(_IMPORTS, None, {**self.imports, **brought})


def _kept_code(name: str) -> tuple[bool, CodeType] | None:
    """Whether a module is a package, and its code; None where that is not kept, or out of date."""
    section = _CODE + name
    file = derived.kept()
    try:
        state: State = file.index[section][0]  # type: ignore[assignment]  # as `_keep` has it
        if _state(name, state[0]) != state:
            derived.discarded.add(section)
            return None
        return state[0], derived.load(file, section, state)
    except (KeyError, OSError):
        return None


def _is_being_imported(name: str) -> bool:
    return getattr(getattr(_modules.get(name), "__spec__", None), "_initializing", False)


def _path(name: str, is_package: bool) -> str:
    path = derived.FOLDER + name[_TOP:].replace(".", os.sep)
    return path + os.sep + "__init__.py" if is_package else path + ".py"


def _state(name: str, is_package: bool) -> State:
    """The state of a source file. Raises OSError."""
    status = os.stat(_path(name, is_package))
    return is_package, status.st_size, status.st_mtime_ns


def _spec(name: str, is_package: bool) -> ModuleSpec:
    path = _path(name, is_package)
    spec = ModuleSpec(name, _Loader(name, path), origin=path, is_package=is_package)
    spec.has_location = True
    if is_package:
        spec.submodule_search_locations = [os.path.dirname(path)]
    return spec


def _import(name: str, is_package: bool, code: CodeType) -> None:
    """As Python's import does it, in a process of one thread."""
    package, _, last = name.rpartition(".")
    module: Any = _Module(name)
    module.__spec__ = spec = _spec(name, is_package)
    module.__loader__ = spec.loader
    module.__file__ = spec.origin
    module.__package__ = name if is_package else package
    if is_package:
        module.__path__ = spec.submodule_search_locations
    _modules[name] = module
    try:
        exec(code, module.__dict__)
    except BaseException:
        _modules.pop(name, None)
        raise
    setattr(_modules[package], last, module)
