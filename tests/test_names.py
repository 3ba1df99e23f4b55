"""One name, one meaning: what the package's modules and classes may be called."""

import ast
from collections import defaultdict
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "dfopt"

ROLES = {"__init__", "base", "model", "errors", "facts"}
"""Modules of one role in several folders: base classes, records, exceptions, answers to `dfopt.facts.Facts`."""

NAMED_AFTER = ("cli/", "testing/", "review/reports/", "passes/", "rewrites/")
"""Folders whose modules are named after a command, a report format, or the pass that they belong to."""


def classes() -> dict[str, list[str]]:
    """The modules that define a public class, by the class's name."""
    modules = defaultdict(list)
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                modules[node.name].append(path.relative_to(PACKAGE).as_posix())
    return modules


def modules() -> dict[str, list[str]]:
    """The paths of modules outside of the folders `NAMED_AFTER`, by name."""
    paths = defaultdict(list)
    for path in sorted(PACKAGE.rglob("*.py")):
        relative = path.relative_to(PACKAGE).as_posix()
        if not relative.startswith(NAMED_AFTER) and path.stem not in ROLES:
            paths[path.stem].append(relative)
    return paths


def test_a_public_class_name_is_defined_once() -> None:
    assert {name: paths for name, paths in classes().items() if len(paths) > 1} == {}


def test_a_module_name_is_used_once() -> None:
    assert {name: paths for name, paths in modules().items() if len(paths) > 1} == {}


def test_exceptions_are_needed() -> None:
    names = {path.stem for path in PACKAGE.rglob("*.py")}
    assert names >= ROLES
    assert all((PACKAGE / folder).is_dir() for folder in NAMED_AFTER)
