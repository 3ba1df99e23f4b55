"""Bake files, in HCL and in JSON: targets with what they inherit, and the cells of their matrix.

Rules: buildx, docs/bake-reference.md and bake/bake.go. A variable has its default here: its value may come from the
environment of whoever builds, which is not ours to know.
"""

from __future__ import annotations

import itertools
import os
from typing import TYPE_CHECKING, Any

from dfopt.build_definitions.hcl import HclBlock, HclEvaluator, read_hcl
from dfopt.build_definitions.hcl_functions import text_of
from dfopt.build_definitions.json_nodes import read_json
from dfopt.build_definitions.located import LocatedValue
from dfopt.build_definitions.model import (
    DEEPEST,
    MOST_TARGETS,
    BuildTarget,
    DefinitionError,
    NotLiteral,
    dockerfile_in,
    resolved,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dfopt.build_definitions.model import DefinitionTree, Value

_LISTS = ("tags", "platforms", "inherits")
_MAPS = ("args", "contexts")
_SCALARS = ("context", "dockerfile", "dockerfile-inline", "target")


class _Cell:
    """A target as written, evaluated for one cell of its matrix."""

    def __init__(self, line: int, column: int) -> None:
        self.line = line
        self.column = column
        self.values: dict[str, Any] = {}

    def over(self, base: Mapping[str, Any]) -> dict[str, Any]:
        """The attributes on top of those of another: a mapping is merged, anything else takes the other's place."""
        merged = dict(base)
        for name, value in self.values.items():
            if name in _MAPS and isinstance(value, dict) and isinstance(merged.get(name), dict):
                own = {key: inner for key, inner in value.items() if inner is not None}
                merged[name] = {**merged[name], **own}
            elif value is not None:
                merged[name] = value
        return merged


def read_bake(text: str, file: str, tree: DefinitionTree) -> list[BuildTarget]:
    """The targets that somebody can mean to build: all but those that only others inherit from. Raises
    DefinitionError."""
    if file.lower().endswith(".json"):
        blocks, attributes = _json_blocks(read_json(text, file))
    else:
        blocks, attributes = read_hcl(text, file)
    return _Bake(file, blocks, attributes).targets()


class _Bake:
    def __init__(self, file: str, blocks: list[HclBlock], attributes: Mapping[str, Any]) -> None:
        self.file = file
        self.blocks = blocks
        self.variables: dict[str, Any] = dict(attributes)
        functions: dict[str, tuple[tuple[str, ...], str, Any]] = {}
        self.undefined: set[str] = set()
        for block in blocks:
            if block.kind == "variable" and block.labels:
                if "default" in block.attributes:
                    self.variables[block.labels[0]] = block.attributes["default"]
                else:
                    self.undefined.add(block.labels[0])
        self.known: dict[str, Any] = {}
        self.evaluator = HclEvaluator(file, self.lookup, functions)
        for block in blocks:
            if block.kind == "function" and block.labels and "result" in block.attributes:
                names = tuple(_names(block.attributes.get("params")))
                rest = next(_names(block.attributes.get("variadic_params")), "")
                functions[block.labels[0]] = (names, rest, block.attributes["result"])
        self.cells: dict[str, _Cell] = {}
        self.merged: dict[str, dict[str, Any]] = {}
        self.cells_of: dict[str, list[str]] = {}  # of a matrix, by the name of its block

    def value(self, node: Any) -> Any:
        if isinstance(node, LocatedValue):
            return self._of_json(node)
        return None if node is None else self.evaluator.value(node)

    def _of_json(self, node: LocatedValue) -> Any:
        if isinstance(node.value, dict):
            return {key: self._of_json(value) for key, value in node.value.items()}
        if isinstance(node.value, list):
            return self.evaluator.bounded([self._of_json(value) for value in node.value])
        if node.textual and node.value is not None:
            return self.evaluator.template(node.value)
        return {"true": True, "false": False}.get(node.value or "", node.value)

    def lookup(self, name: str) -> Any:
        if name not in self.known:
            if name in self.variables:
                self.known[name] = NotLiteral(f"the variable {name} depends on itself")
                outer, self.evaluator.locals = self.evaluator.locals, []
                try:
                    self.known[name] = self.value(self.variables[name])  # null, too: such an argument is not passed
                finally:
                    self.evaluator.locals = outer
            elif name in self.undefined:
                self.known[name] = NotLiteral(f"the variable {name} has no default")
            else:
                self.known[name] = NotLiteral(f"{name} is not defined in this file")
        return self.known[name]

    def targets(self) -> list[BuildTarget]:
        named: set[str] = set()
        for block in self.blocks:
            if block.kind == "group":
                named |= set(_texts(self.value(block.attributes.get("targets"))))
            elif block.kind == "target" and block.labels:
                for name, cell in self._cells(block):
                    earlier = self.cells.get(name)
                    if earlier is not None:  # the same target again: on top of itself
                        cell.values = cell.over(earlier.values)
                    self.cells[name] = cell
                    self.cells_of.setdefault(block.labels[0], []).append(name)
                    if len(self.cells) > MOST_TARGETS:
                        raise DefinitionError(f"more than {MOST_TARGETS} targets", self.file, block.line, block.column)
        inherited = {name for cell in self.cells.values() for name in _texts(cell.values.get("inherits"))}
        for name in tuple(named):
            named |= set(self.cells_of.get(name, ()))
        targets: list[BuildTarget] = []
        for name, cell in self.cells.items():
            states = any(cell.values.get(key) is not None for key in ("context", "dockerfile", "dockerfile-inline"))
            if name in named or name not in inherited or states:
                targets.append(self._target(name, cell))
        return targets

    def _cells(self, block: HclBlock) -> Iterator[tuple[str, _Cell]]:
        """The targets of a block, by name: one, or one for each cell of its matrix."""
        matrix = self.value(block.attributes.get("matrix"))
        axes: list[tuple[str, list[Any]]] = []
        if isinstance(matrix, dict):
            if not all(isinstance(values, list) for values in matrix.values()):
                return  # which targets there are is not known
            axes = list(matrix.items())
        elif matrix is not None:
            return
        count = 1
        for _, values in axes:
            count *= len(values)
        if count > MOST_TARGETS:
            raise DefinitionError(f"more than {MOST_TARGETS} targets", self.file, block.line, block.column)
        for chosen in itertools.product(*(values for _, values in axes)):
            scope = {name: value for (name, _), value in zip(axes, chosen, strict=True)}
            self.evaluator.locals.append(scope)
            try:
                name = self.value(block.attributes.get("name")) if "name" in block.attributes else block.labels[0]
                cell = _Cell(block.line, block.column)
                for attribute in (*_SCALARS, *_MAPS, *_LISTS):
                    if attribute in block.attributes:
                        cell.values[attribute] = self.value(block.attributes[attribute])
            finally:
                self.evaluator.locals.pop()
            if isinstance(name, str):
                yield name, cell

    def _merged(self, name: str, path: tuple[str, ...]) -> dict[str, Any]:
        """The attributes of a target with those that it inherits, each target's made once."""
        if name in self.merged:
            return self.merged[name]
        cell = self.cells[name]
        if name in path or len(path) > DEEPEST:
            raise DefinitionError(f"target {name} inherits from itself", self.file, cell.line, cell.column)
        merged: dict[str, Any] = {}
        inherits = cell.values.get("inherits")
        unknown = next((item for item in _values(inherits) if isinstance(item, NotLiteral)), None)
        if unknown is not None:  # anything may come from there
            why = NotLiteral(f"what it inherits is not known: {unknown.reason}")
            merged = dict.fromkeys(("context", "dockerfile", "target"), why)
        for base in _texts(inherits):
            if base not in self.cells:
                raise DefinitionError(f"target {name} inherits from {base}, which is not there", self.file, cell.line,
                                      cell.column)  # fmt: skip
            holder = _Cell(0, 0)
            holder.values = self._merged(base, (*path, name))
            merged = holder.over(merged)
        self.merged[name] = cell.over(merged)
        return self.merged[name]

    def _target(self, name: str, cell: _Cell) -> BuildTarget:
        values = self._merged(name, ())
        base = os.path.dirname(self.file)
        context = resolved(base, _text(values.get("context", ".")))
        inline = values.get("dockerfile-inline")
        dockerfile = values.get("dockerfile")
        args = values.get("args")
        contexts = values.get("contexts")
        return BuildTarget(
            name, self.file, cell.line, cell.column, context,
            None if inline is not None else dockerfile_in(context, None if dockerfile is None else _text(dockerfile)),
            None if inline is None else _text(inline),
            None if values.get("target") is None else _text(values["target"]),
            {key: _text(value) for key, value in args.items() if value is not None} if isinstance(args, dict) else {},
            {key: resolved(base, _text(value)) for key, value in contexts.items() if value not in (None, "")}
            if isinstance(contexts, dict) else {},
            _nonempty(values.get("tags")), platforms=_nonempty(values.get("platforms")),
        )  # fmt: skip


def _names(node: Any) -> Iterator[str]:
    """The names of a function's parameters, or of the one that takes the rest: in HCL, identifiers without quotes."""
    if isinstance(node, LocatedValue):
        yield from (name for item in node.sequence() or [node] if (name := item.scalar()) is not None)
    elif node is not None:
        yield from (str(token) for token in node.scan_values(lambda token: token.type == "NAME"))


def _text(value: Any) -> Value:
    if isinstance(value, NotLiteral):
        return value
    try:
        return text_of(value)
    except (TypeError, ValueError):
        return NotLiteral("it is no string")


def _values(value: Any) -> tuple[Value, ...]:
    """The values of a list; one that is not known where the list is not."""
    if value is None:
        return ()
    items = value if isinstance(value, list) else [value]
    return tuple(dict.fromkeys(_text(item) for item in items if item is not None))


def _nonempty(value: Any) -> tuple[Value, ...]:
    """The values of a list from which bake drops empty ones (buildx, bake/bake.go: removeDupes)."""
    return tuple(item for item in _values(value) if item != "")


def _texts(value: Any) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _json_blocks(document: LocatedValue) -> tuple[list[HclBlock], dict[str, Any]]:
    blocks: list[HclBlock] = []
    attributes: dict[str, Any] = {}
    for kind, value in document.items():
        if kind not in ("variable", "group", "target", "function"):
            attributes[kind] = value
            continue
        for name, inner in value.items():
            for node in inner.sequence() or [inner]:
                blocks.append(HclBlock(kind, (name,), dict(node.items()), inner.line, inner.column))
    return blocks, attributes
