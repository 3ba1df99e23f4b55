"""Python sources: image names given to known calls, and Dockerfiles that a program writes. Read by libcst.

A call counts by its resolved name: through imports, and through variables that one assignment or `with` gives a value.
Only literals that are one plain string are touched: no f-string, no part of a concatenation, nothing behind `%` or
`.format`.
"""

from __future__ import annotations

import ast
import fnmatch
import re
from typing import TYPE_CHECKING, Any

from dfopt.embedded.model import DOCKERFILE, IMAGE, Embedded, HostError, same_text
from dfopt.embedded.python_literal import literal_map, writer
from dfopt.knowledge import table
from dfopt.source import BOM, LineIndex
from dfopt.workspace.discovery import is_dockerfile

if TYPE_CHECKING:
    from collections.abc import Iterator

    import libcst as cst

# what a file must hold for libcst to be worth its import
_WORTH = re.compile(r"docker|testcontainers|modal|airflow|kfp|containerfile", re.I)
_NAME = re.compile(r"[^\s${}]+\Z")
_DEEPEST = 200  # levels of the syntax tree; libcst bears some hundreds
_TOO_DEEP = "not Python: nested too deeply"


class PythonReader:
    """Python sources."""

    def parts(self, text: str) -> list[Embedded]:
        if not _WORTH.search(text):
            return []
        try:
            data = text.encode("utf-8")
        except UnicodeEncodeError as failure:
            raise HostError("not UTF-8", failure.start) from None
        _check_syntax(text)
        try:
            return self._parts(text, data)
        except RecursionError:
            raise HostError(_TOO_DEEP) from None

    def _parts(self, text: str, data: bytes) -> list[Embedded]:
        import libcst as cst
        from libcst.metadata import MetadataWrapper, PositionProvider

        try:
            module = cst.parse_module(data)
        except cst.ParserSyntaxError as failure:
            lines = LineIndex(text, lsp=True)
            line = lines.starts[min(failure.raw_line, len(lines.starts)) - 1]
            raise HostError(f"not Python: {failure.message.splitlines()[0]}", line + failure.raw_column) from None
        except (LookupError, SyntaxError, ValueError) as failure:  # of the coding that it declares
            raise HostError(f"not Python: {failure}") from None
        if module.encoding.lower().replace("_", "-") not in ("utf-8", "utf-8-sig"):
            return []
        wrapper = MetadataWrapper(module, unsafe_skip_copy=True)
        places = wrapper.resolve(PositionProvider)
        lines = LineIndex(text, lsp=True)  # Python's lines end as an editor's do
        bom = int(text.startswith(BOM))
        embedded: list[Embedded] = []
        for kind, node in _literals(wrapper):
            place = places[node].start
            start = lines.starts[place.line - 1] + place.column + (bom if place.line == 1 else 0)
            part = _part(kind, text, start, start + len(node.value))
            if part is not None:
                embedded.append(part)
        return sorted(embedded, key=lambda part: part.start)

    def check(self, before: str, after: str, parts: list[Embedded], texts: list[str]) -> str:
        try:
            old, new = list(_flat(before)), list(_flat(after))
        except (SyntaxError, ValueError, RecursionError) as failure:
            return f"the result is no Python: {failure}"
        changes = [(part.text, text) for part, text in zip(parts, texts, strict=True) if part.text != text]
        if len(old) != len(new):
            return "its structure changed"
        for old_token, new_token in zip(old, new, strict=True):
            if old_token == new_token:
                continue
            expected = changes.pop(0) if changes else None
            if (
                old_token[0] != "Constant"
                or new_token[0] != "Constant"
                or (_said(old_token[1]), _said(new_token[1])) != expected
            ):
                return "something beside the declared strings changed"
        return "" if not changes else "a declared change is not there"


def _part(kind: str, text: str, start: int, end: int) -> Embedded | None:
    source = text[start:end]
    mapped = literal_map(source)
    if mapped is None:
        return None
    value, offsets = mapped
    places = tuple(start + offset for offset in offsets)
    if kind == IMAGE:
        if not _NAME.match(value):
            return None
        return Embedded(IMAGE, value, start, end, places, same_text)
    return Embedded(DOCKERFILE, value, start, end, places, writer(source, "\r\n" if "\r\n" in text else "\n"))


def _literals(wrapper: Any) -> Iterator[tuple[str, cst.SimpleString]]:
    """The plain strings that name images or hold Dockerfiles, with their kind."""
    import libcst as cst
    from libcst.metadata import ParentNodeProvider, QualifiedNameProvider, ScopeProvider

    resolver = _Resolver(
        wrapper.resolve(QualifiedNameProvider), wrapper.resolve(ScopeProvider), wrapper.resolve(ParentNodeProvider)
    )
    images: dict[str, list[Any]] = table("hosts")["python"]["images"]
    literals: list[tuple[str, cst.SimpleString]] = []

    class Visitor(cst.CSTVisitor):
        def visit_Call(self, node: cst.Call) -> None:
            literal = _written(node, resolver)
            if literal is not None:
                literals.append((DOCKERFILE, literal))
                return
            name = resolver.name(node.func)
            if name is None:
                return
            for pattern, (position, keyword) in images.items():
                if name == pattern or ("*" in pattern and fnmatch.fnmatchcase(name, pattern)):
                    argument = _argument(node, position, keyword)
                    if isinstance(argument, cst.SimpleString):
                        literals.append((IMAGE, argument))

    wrapper.module.visit(Visitor())
    yield from literals


def _argument(node: cst.Call, position: int, keyword: str) -> cst.BaseExpression | None:
    """The argument of a call that has this keyword, or this position (from 0; -1: none)."""
    for argument in node.args:
        if argument.keyword is not None and argument.keyword.value == keyword:
            return argument.value
    plain = [argument for argument in node.args if argument.keyword is None]
    if any(argument.star for argument in plain[: position + 1]) or not 0 <= position < len(plain):
        return None
    return plain[position].value


def _written(node: cst.Call, resolver: _Resolver) -> cst.SimpleString | None:
    """The string that `PATH.write_text("...")` or `open(PATH, "w").write("...")` puts into a Dockerfile."""
    import libcst as cst

    function = node.func
    if not isinstance(function, cst.Attribute) or not node.args:
        return None
    literal = _argument(node, 0, "data")
    if not isinstance(literal, cst.SimpleString):
        return None
    method = function.attr.value
    if method in ("write_text", "write_bytes"):
        return literal if _names_dockerfile(function.value) else None
    if method == "write":
        opened = resolver.value(function.value)
        if isinstance(opened, cst.Call) and resolver.name(opened.func) in ("builtins.open", "open") and opened.args:
            return literal if _names_dockerfile(opened.args[0].value) else None
    return None


def _names_dockerfile(path: cst.BaseExpression) -> bool:
    """Whether an expression is a path whose last part is written there, and is a Dockerfile's name."""
    import libcst as cst

    if isinstance(path, cst.Call):
        return bool(path.args) and _names_dockerfile(path.args[-1].value)
    if isinstance(path, cst.BinaryOperation) and isinstance(path.operator, cst.Divide):
        return _names_dockerfile(path.right)
    if isinstance(path, cst.SimpleString):
        value = path.evaluated_value
        return isinstance(value, str) and is_dockerfile(value.rpartition("/")[2])
    return False


class _Resolver:
    """What names stand for, as far as the file alone tells."""

    def __init__(self, names: Any, scopes: Any, parents: Any) -> None:
        self.names = names
        self.scopes = scopes
        self.parents = parents

    def name(self, node: cst.BaseExpression, depth: int = 0) -> str | None:
        """The resolved name of an expression: "docker.from_env().containers"; None where it is not known."""
        import libcst as cst

        if depth > 20:
            return None
        if isinstance(node, cst.Call):
            inner = self.name(node.func, depth + 1)
            return f"{inner}()" if inner else None
        if _is_chain(node):  # of a chain with a call in it, libcst would tell a name without the call
            qualified = self.names.get(node, ())
            qualified = qualified() if callable(qualified) else qualified  # libcst computes it when it is asked for
            names = {name.name for name in qualified if name.source.name in ("IMPORT", "BUILTIN")}
            if len(names) == 1:
                return str(next(iter(names)))
        if isinstance(node, cst.Attribute):
            inner = self.name(node.value, depth + 1)
            return f"{inner}.{node.attr.value}" if inner else None
        value = self.value(node)
        return self.name(value, depth + 1) if value is not None and value is not node else None

    def value(self, node: cst.BaseExpression) -> cst.BaseExpression | None:
        """The expression that a variable has its value from, where exactly one assignment or `with` gives it one; a
        node that is not a name stands for itself."""
        import libcst as cst

        if not isinstance(node, cst.Name):
            return node
        scope = self.scopes.get(node)
        if scope is None:
            return None
        assignments = list(scope[node.value])
        if len(assignments) != 1:
            return None
        target = getattr(assignments[0], "node", None)
        parent = self.parents.get(target)
        if isinstance(parent, cst.AsName):
            item = self.parents.get(parent)
            return item.item if isinstance(item, cst.WithItem) else None
        if isinstance(parent, cst.AssignTarget):
            statement = self.parents.get(parent)
            if isinstance(statement, cst.Assign) and len(statement.targets) == 1:
                return statement.value
        if isinstance(parent, cst.AnnAssign):
            return parent.value
        return None


def _is_chain(node: cst.CSTNode) -> bool:
    """Whether an expression is names and dots only."""
    import libcst as cst

    while isinstance(node, cst.Attribute):
        node = node.value
    return isinstance(node, cst.Name)


def _check_syntax(text: str) -> None:
    """Raises HostError for what this Python cannot parse either, and for what is nested so deeply that libcst, which
    recurses without a limit, would take the process down."""
    try:
        tree = ast.parse(text.removeprefix(BOM))
    except SyntaxError as failure:
        lines = LineIndex(text, lsp=True)
        line = lines.starts[min(failure.lineno or 1, len(lines.starts)) - 1]
        raise HostError(f"not Python: {failure.msg}", line + max(0, (failure.offset or 1) - 1)) from None
    except ValueError as failure:  # a NUL; a number of too many digits
        raise HostError(f"not Python: {failure}") from None
    except (RecursionError, MemoryError):
        raise HostError(_TOO_DEEP) from None
    level: list[ast.AST] = [tree]
    for _ in range(_DEEPEST):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        if not level:
            return
    raise HostError(_TOO_DEEP)


def _said(value: object) -> object:
    """A constant as the text of a part."""
    return value.decode("ascii", "replace") if isinstance(value, bytes) else value


def _flat(text: str) -> Iterator[tuple[str, object]]:
    """Every node of the syntax tree in order, without places; constants with their values."""
    waiting: list[Any] = [ast.parse(text.removeprefix(BOM))]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.AST):
            yield type(node).__name__, getattr(node, "value", None) if isinstance(node, ast.Constant) else None
            if not isinstance(node, ast.Constant):
                waiting += reversed([value for _, value in ast.iter_fields(node)])
        elif isinstance(node, list):
            yield "list", len(node)
            waiting += reversed(node)
        else:
            yield "value", node
