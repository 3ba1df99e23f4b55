"""Compiled patterns out of the file of what is derived: what `re` makes of a pattern's text takes a quarter of a short
run, and is the same each time.

`re` gives the engine (`_sre`, of Python itself) a program: a list of numbers. In a process that runs a command, `re`
takes that list from what earlier runs of the very same Python kept, for each pattern whose text stands in a program.
The engine checks each list that it is given; and nothing is kept but what it takes for equal to what `re` made.
"""

from __future__ import annotations

import _sre  # type: ignore[import-not-found]  # Python's own, without types
import marshal
import re
import sys

from dfopt import derived, lazy

if sys.version_info >= (3, 11):
    from re import _compiler, _parser
else:
    import sre_compile as _compiler
    import sre_parse as _parser

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeAlias

    Key: TypeAlias = tuple[str | bytes, int]

_SECTION = "patterns"
LIMIT = 2000  # patterns that are kept: more than all modules have

_compile: Callable[..., Any] | None = None  # that of `re`
_known: dict[Key, bytes] | None = None
_new: dict[Key, Any] = {}


def install() -> None:
    """Has `re` look here first, and what it compiles kept. Where this Python's `re` has another inside, nothing is
    done."""
    global _compile
    if _compile is None and hasattr(_compiler, "compile") and hasattr(_compiler, "_code"):
        _compile = _compiler.compile
        _compiler.compile = compiled  # type: ignore[assignment]
        derived.at_end(_keep)


def compiled(source: Any, flags: int = 0) -> Any:
    """As the function of `re` that it stands for."""
    global _known
    if _known is None:
        _known = derived.stored(_SECTION) or {}
    data = _known.get((source, flags)) if isinstance(source, (str, bytes)) else None
    if data is not None:
        try:
            return _sre.compile(source, *marshal.loads(data))
        except (EOFError, ValueError, TypeError, RuntimeError, OverflowError):
            pass
    pattern = _compile(source, flags)  # type: ignore[misc]  # set by `install`
    if isinstance(source, (str, bytes)) and not flags & re.DEBUG and _is_constant(source):
        _new[source, int(flags)] = pattern
    return pattern


def _is_constant(source: str | bytes) -> bool:
    """Whether a text stands in a program, where one made of what a run reads would be kept in vain: it is a constant
    of the function that asked `re`, or a module or class was being defined, or `lazy.regex` asked."""
    frame = sys._getframe(2)
    while frame.f_back is not None and frame.f_globals.get("__name__") in ("re", __name__):
        frame = frame.f_back
    code = frame.f_code
    return code.co_name == "<module>" or source in code.co_consts or frame.f_globals.get("__name__") == lazy.__name__


def _program(pattern: Any) -> bytes | None:
    """What the engine needs beside the text, marshalled; None where this Python's `re` makes it in a way unknown."""
    try:
        tree = _parser.parse(pattern.pattern, pattern.flags)
        groups = tree.state.groupdict
        names: list[str | None] = [None] * tree.state.groups
        for name, number in groups.items():
            names[number] = name
        words = _compiler._code(tree, pattern.flags)  # type: ignore[attr-defined]  # private
        code = [int(word) for word in words]  # some are of a class of `re`
        program = (pattern.flags, code, pattern.groups, dict(groups), tuple(names))
        same = _sre.compile(pattern.pattern, *program)
    except Exception:  # private functions of `re`
        return None
    if same != pattern or same.groupindex != pattern.groupindex:
        return None
    return marshal.dumps(program, derived.FORMAT)


def _keep() -> None:
    programs = dict(_known or {})
    for key, pattern in _new.items():
        data = _program(pattern)
        if data is not None and len(programs) < LIMIT:
            programs[key] = data
    if len(programs) > len(_known or {}):
        derived.put(_SECTION, None, programs)
