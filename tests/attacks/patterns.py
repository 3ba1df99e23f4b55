"""Every regular expression of the package, and the methods of `re` that it is used with."""

from __future__ import annotations

import ast
import importlib
import re
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import dfopt
from dfopt import toml

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE = Path(dfopt.__file__).parent
METHODS = frozenset(("search", "match", "fullmatch", "sub", "subn", "split", "findall", "finditer"))
# tables whose patterns are not searched for in a text
TABLES = {
    "knowledge/runtime_images.toml": "match",
    "knowledge/leftovers.toml": "fullmatch",
    "knowledge/split_packages.toml": "fullmatch",
    "knowledge/swaps.toml": "fullmatch",
}
# what is used by the attribute of a record that holds it
PLACES = {"suppress.py: _FORMS": "match", "suppress.py: _ANY": "match", "suppress.py: _LETTERS": "match"}
GLOBS = ("knowledge/hosts.toml", "knowledge/build_definitions.toml")  # what looks like a pattern in these is none


class Use(NamedTuple):
    """An expression, its flags, a method that it is used with, and where it stands."""

    source: str | bytes
    flags: int
    method: str
    place: str


def uses() -> list[Use]:
    """All of them: those of calls of `re` and `regex`, and what looks like an expression in the TOML tables. What is
    not known before the run, as a name that is escaped, stands as the letter a."""
    trees = {path: ast.parse(path.read_text("utf-8")) for path in sorted(PACKAGE.rglob("*.py"))}
    methods = _methods(trees)
    found: dict[tuple[str | bytes, int, str], Use] = {}
    for path, tree in trees.items():
        for use in _of_module(path, tree, methods):
            found.setdefault(use[:3], use)
    for path in sorted([*PACKAGE.rglob("*.toml"), *(PACKAGE.parent / "recipes").rglob("*.toml")]):
        name = path.relative_to(PACKAGE if path.is_relative_to(PACKAGE) else PACKAGE.parent).as_posix()
        for text in _strings(toml.parse(path.read_bytes())[1]) if name not in GLOBS else ():
            if re.fullmatch(r"[\w.*-]+\.ya?ml", text):  # a wildcard
                continue
            if re.search(r"\\[bsSwWdDA]|\(\?|\[\^|\.[*+]|\][*+]", text) and "\n" not in text and _compiles(text):
                use = Use(text, 0, TABLES.get(name, "search"), name)
                found.setdefault(use[:3], use)
    return list(found.values())


def _methods(trees: dict[Path, ast.Module]) -> dict[object, set[str]]:
    """(file, name), and name for all files -> the methods that are called of it."""
    found: dict[object, set[str]] = defaultdict(set)
    for path, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and node.attr in METHODS:
                value = node.value.func if isinstance(node.value, ast.Call) else node.value
                name = getattr(value, "id", None) or getattr(value, "attr", None)
                if name and name != "re":
                    found[path, name].add(node.attr)
                    found[name].add(node.attr)
    return found


def _of_module(path: Path, tree: ast.Module, methods: dict[object, set[str]]) -> Iterator[Use]:
    place = path.relative_to(PACKAGE).as_posix()
    if path.stem == "__main__":
        return
    dotted = ".".join(("dfopt", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__")
    module = importlib.import_module(dotted)
    assigned: dict[ast.AST, str] = {}  # call -> the name that it is assigned to
    attached: dict[ast.AST, str] = {}  # call -> the method that is taken of it at once
    for node in ast.walk(tree):
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            for part in ast.walk(node.value):
                assigned[part] = getattr(target, "id", None) or getattr(target, "attr", "")
        elif isinstance(node, ast.Attribute) and node.attr in METHODS:
            attached[node.value] = node.attr
    for call in ast.walk(tree):
        if not isinstance(call, ast.Call) or not call.args:
            continue
        function = ast.unparse(call.func)
        if function not in ("regex", "re.compile", *[f"re.{method}" for method in METHODS]):
            continue
        source = _source(call.args[0], vars(module))
        if source is None:
            continue
        flags = 0
        for word in (*call.args[1:], *[keyword.value for keyword in call.keywords]):
            if re.fullmatch(r"re\.[A-Z]+( \| re\.[A-Z]+)*", ast.unparse(word)):
                flags |= eval(ast.unparse(word), {"re": re})
        name = assigned.get(call)
        if function.removeprefix("re.") in METHODS:
            called = {function.removeprefix("re.")}
        elif f"{place}: {name}" in PLACES:
            called = {PLACES[f"{place}: {name}"]}
        elif call in attached:
            called = {attached[call]}
        else:
            called = methods.get((path, name)) or methods.get(name) or {"search"}
        for method in sorted(called):
            yield Use(source, int(flags), method, f"{place}: {name or function}")


def _source(node: ast.expr, names: dict[str, Any]) -> str | bytes | None:
    """The text of an expression; None where nothing of it is known."""
    try:
        value = eval(compile(ast.Expression(node), "", "eval"), dict(names))
        return value if isinstance(value, (str, bytes)) and _compiles(value) else None
    except Exception:  # whatever a local name is missing for
        pass
    text = _known(node, names)
    return text if text != "a" and _compiles(text) else None


def _known(node: ast.expr, names: dict[str, Any]) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, (str, bytes)):
        return node.value if isinstance(node.value, str) else node.value.decode("latin-1")
    if isinstance(node, ast.JoinedStr):
        return "".join(_known(part, names) for part in node.values)
    if isinstance(node, ast.FormattedValue):
        return _known(node.value, names)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _known(node.left, names) + _known(node.right, names)
    if isinstance(node, ast.Name) and isinstance(names.get(node.id), str):
        return str(names[node.id])
    return "a"


def _compiles(source: str | bytes) -> bool:
    try:
        re.compile(source)
    except re.error:
        return False
    return True


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, part in value.items():
            yield key
            yield from _strings(part)
    elif isinstance(value, list):
        for part in value:
            yield from _strings(part)
