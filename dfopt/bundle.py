"""The code of dfopt's modules out of the file of what is derived, in place of a file each.

A short run imports some 180 modules, and most of its time would go into finding them: looking through directories,
opening and reading a file each, and what Python's import does around that. So a process that runs a command keeps the
code of what it imported, in sections: a module, and before it what its import brought along. A later process takes
all of these at once. The code is what Python compiled, unchanged; a section counts only while each of its source files
has the size and time of change that it had, as for Python's own files of compiled code. For whatever has no section,
Python's own import does its work.
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

    State: TypeAlias = tuple[tuple[str, str, bool, int, int], ...]  # name, path below the package, package?, size, time

_SECTION = "code of "  # and the name of its last module
_modules = sys.modules
_Module = type(sys)


def install() -> None:
    """Has modules of dfopt imported from what was kept, and what is imported otherwise kept. Python's report of what
    it imports (`-X importtime`) would miss them: nothing is done there."""
    if "importtime" in sys._xoptions or any(isinstance(finder, _Finder) for finder in sys.meta_path):
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
        self.roots: list[str] = []  # what was imported from its own file, less what such an import brought along
        self.sections: dict[str, str] = {}  # by module
        state: Any
        for section, (state, _, _) in derived.kept().index.items():
            if section.startswith(_SECTION):
                for name, *_ in state:
                    self.sections[name] = section

    def find_spec(self, name: str, path: Sequence[str] | None = None, target: object = None) -> ModuleSpec | None:
        if not name.startswith("dfopt."):
            return None
        section = self.sections.get(name)
        if section is not None:
            spec = self._from(section, name)
            if spec is not None:
                return spec
        if not self.roots or not _is_being_imported(self.roots[-1]):
            self.roots.append(name)
        return None

    def _from(self, section: str, wanted: str) -> ModuleSpec | None:
        """The spec of a module, after what stands before it in its section was imported. With other threads about,
        these are left to Python's own import, which has locks."""
        state: State = derived.kept().index[section][0]  # type: ignore[assignment]
        try:
            if _state([entry[:3] for entry in state]) != state:
                raise KeyError(section)
            codes: tuple[CodeType, ...] = derived.load(derived.kept(), section, state)
        except (KeyError, OSError):
            derived.discarded.add(section)
            for name, *_ in state:
                if self.sections.get(name) == section:
                    del self.sections[name]
            return None
        alone = not other_threads()
        for (name, path, is_package, _, _), code in zip(state, codes, strict=True):
            if name == wanted:
                spec = _spec(name, path, is_package)
                spec.loader_state = code
                return spec
            if alone and name not in _modules:
                package = name.rpartition(".")[0]
                if package not in _modules:
                    if self.sections.get(package) == section:
                        continue  # it follows, and imports this one
                    __import__(package)
                _import(name, path, is_package, code)
        return None

    def keep(self) -> None:
        """Makes the sections of what was imported from its own file; not in a run that made the index of the passes,
        and imported all of them for that."""
        if derived.is_new("passes"):
            return
        from contextlib import suppress

        with suppress(OSError, ImportError, SyntaxError):  # its files have gone or changed meanwhile
            self._keep()

    def _keep(self) -> None:
        roots = set(self.roots)
        state: list[tuple[str, str, bool, int, int]] = []
        codes: list[CodeType | None] = []
        for name, module in list(_modules.items()):  # in the order in which their imports ended
            spec: Any = getattr(module, "__spec__", None)
            if name in self.before or not name.startswith("dfopt.") or type(spec.loader) is not SourceFileLoader:
                continue
            path = os.path.relpath(spec.origin, derived.FOLDER)
            is_package = spec.submodule_search_locations is not None
            if path != _path(name, is_package):
                continue
            state += _state([(name, path, is_package)])  # before the code is read: code that is newer is not current
            codes.append(spec.loader.get_code(name))
            if name in roots:
                derived.put(_SECTION + name, tuple(state), tuple(codes))
                state, codes = [], []


def _is_being_imported(name: str) -> bool:
    return getattr(getattr(_modules.get(name), "__spec__", None), "_initializing", False)


def _path(name: str, is_package: bool) -> str:
    path = name.partition(".")[2].replace(".", os.sep)
    return os.path.join(path, "__init__.py") if is_package else path + ".py"


def _state(entries: Sequence[tuple[str, str, bool]]) -> State:
    """The state of source files. Raises OSError."""
    folder = derived.FOLDER + os.sep
    state = []
    for name, path, is_package in entries:
        status = os.stat(folder + path)
        state.append((name, path, is_package, status.st_size, status.st_mtime_ns))
    return tuple(state)


def _spec(name: str, path: str, is_package: bool) -> ModuleSpec:
    path = os.path.join(derived.FOLDER, path)
    spec = ModuleSpec(name, _Loader(name, path), origin=path, is_package=is_package)
    spec.has_location = True
    if is_package:
        spec.submodule_search_locations = [os.path.dirname(path)]
    return spec


def _import(name: str, path: str, is_package: bool, code: CodeType) -> None:
    """As Python's import does it, in a process of one thread."""
    package, _, last = name.rpartition(".")
    module: Any = _Module(name)
    module.__spec__ = spec = _spec(name, path, is_package)
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
