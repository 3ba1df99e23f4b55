"""One name, one meaning: what the package's modules and classes may be called."""

import ast
from collections import defaultdict
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "dfopt"

CLASSES: dict[str, str] = {}
"""Names of public classes that may be used twice, and why."""


def classes() -> dict[str, list[str]]:
    """The modules that define a public class, by the class's name."""
    modules = defaultdict(list)
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                modules[node.name].append(path.relative_to(PACKAGE).as_posix())
    return modules


def test_a_public_class_name_is_defined_once() -> None:
    twice = {name for name, modules in classes().items() if len(modules) > 1}
    assert twice == set(CLASSES), {name: classes()[name] for name in twice ^ set(CLASSES)}
