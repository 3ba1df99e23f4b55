"""Records: slotted, positional value classes that cost almost nothing to define, to import and to make.

`dataclasses` costs 15 ms and more to import, and a frozen dataclass pays a call per field for each object made. The
trees of dfopt are made by the hundred thousand, so they use this metaclass instead: annotations become `__slots__`,
one plain `__init__` is compiled per class, and immutability is enforced by the type checker (`frozen_default`), not at
run time.
"""

from __future__ import annotations

from types import CodeType, FunctionType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from typing_extensions import dataclass_transform
else:

    def dataclass_transform(**_: object):  # the type checker's hint only: no run-time meaning
        return lambda cls: cls


def _of_1(self: Any, a: Any) -> None:
    self.a = a


def _of_2(self: Any, a: Any, b: Any) -> None:
    self.a = a
    self.b = b


def _of_3(self: Any, a: Any, b: Any, c: Any) -> None:
    self.a = a
    self.b = b
    self.c = c


def _of_4(self: Any, a: Any, b: Any, c: Any, d: Any) -> None:
    self.a = a
    self.b = b
    self.c = c
    self.d = d


def _of_5(self: Any, a: Any, b: Any, c: Any, d: Any, e: Any) -> None:
    self.a = a
    self.b = b
    self.c = c
    self.d = d
    self.e = e


def _of_6(self: Any, a: Any, b: Any, c: Any, d: Any, e: Any, f: Any) -> None:
    self.a = a
    self.b = b
    self.c = c
    self.d = d
    self.e = e
    self.f = f


def _of_7(self: Any, a: Any, b: Any, c: Any, d: Any, e: Any, f: Any, g: Any) -> None:
    self.a = a
    self.b = b
    self.c = c
    self.d = d
    self.e = e
    self.f = f
    self.g = g


def _of_8(self: Any, a: Any, b: Any, c: Any, d: Any, e: Any, f: Any, g: Any, h: Any) -> None:
    self.a = a
    self.b = b
    self.c = c
    self.d = d
    self.e = e
    self.f = f
    self.g = g
    self.h = h


_written = (_of_1, _of_2, _of_3, _of_4, _of_5, _of_6, _of_7, _of_8)
_templates: dict[int, CodeType] = {size: one.__code__ for size, one in enumerate(_written, 1)}


def _initializer(fields: tuple[str, ...], defaults: dict[str, Any]) -> FunctionType:
    """`def __init__(self, a, b): self.a = a; self.b = b` for these fields. Compiling one such function for each class
    would cost more than all else at start-up, so the code of one with as many fields is renamed; those of few fields
    are written out above."""
    code = _templates.get(len(fields))
    if code is None:
        names = [f"x{number}" for number in range(len(fields))]
        space: dict[str, Any] = {}
        exec(f"def __init__(self, {', '.join(names)}): {'; '.join(f'self.{n} = {n}' for n in names)}", space)
        code = _templates[len(fields)] = space["__init__"].__code__
    code = code.replace(co_varnames=("self", *fields), co_names=fields)
    last = tuple([defaults[field] for field in fields if field in defaults])
    return FunctionType(code, {}, "__init__", last or None)


@dataclass_transform(frozen_default=True, eq_default=True)
class RecordType(type):
    """Turns the annotations of a class body into slots and an `__init__`; fields of a base class come first."""

    __fields__: tuple[str, ...]
    __defaults__: dict[str, Any]

    def __new__(mcs, name: str, bases: tuple[type, ...], space: dict[str, Any]) -> RecordType:
        own = [field for field in space.get("__annotations__", {}) if not field.startswith("__")]
        fields: list[str] = []
        defaults: dict[str, Any] = {}
        for base in bases:
            fields += getattr(base, "__fields__", ())
            defaults.update(getattr(base, "__defaults__", {}))
        defaults.update({field: space.pop(field) for field in own if field in space})
        fields += own
        if fields and "__init__" not in space:
            space["__init__"] = _initializer(tuple(fields), defaults)
        space["__slots__"] = tuple(own)
        space["__match_args__"] = tuple(fields)
        space["__fields__"] = tuple(fields)
        space["__defaults__"] = defaults
        return super().__new__(mcs, name, bases, space)


class Record(metaclass=RecordType):
    """Base of all value classes: equal when of one class and equal in every field; never ordered."""

    def __eq__(self, other: object) -> bool:
        if self.__class__ is not other.__class__:
            return NotImplemented
        return all(getattr(self, f) == getattr(other, f) for f in type(self).__fields__)

    def __hash__(self) -> int:
        return hash((self.__class__, *[getattr(self, f) for f in type(self).__fields__]))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{f}={getattr(self, f)!r}' for f in type(self).__fields__)})"


def replace(record: Any, **changes: object) -> Any:
    """A copy of `record` with some fields changed (the type is the argument's own)."""
    values = {f: getattr(record, f) for f in record.__fields__}
    values.update(changes)
    return record.__class__(**values)
