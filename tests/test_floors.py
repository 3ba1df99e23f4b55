"""A module imports only from floors below its own: at the top, inside functions and for types alike."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "dfopt"

# From the ground up. A name stands for a module, or a package with all its modules but those that have a name of their
# own. Within a name, modules import each other; names on one floor do not.
FLOORS = (
    ("dfopt", "hashing", "lazy", "record", "refusal", "units"),
    ("files", "guard", "source", "toml", "yaml", "facts", "messages", "sarif"),
    ("edit", "writing"),
    ("derived", "syntax"),  # what is made of our own files; what is written
    # what start-up takes from there; facts, as tables; templates of the stages that a split adds
    ("bundle", "compiled_patterns", "knowledge", "stage_templates", "version"),
    ("ir",),  # what it means
    ("rewrites",),  # what a fix declares
    ("findings",),  # what a pass hands over
    ("cost", "unblock"),  # what a fix brings; what ends a refusal
    ("analysis",),  # what several passes ask
    ("editing",),  # edits in the file's own style
    ("passes",),
    ("documentation",),  # where a finding is documented
    ("conflicts", "gate", "second_reader", "suppress", "results", "pass_selection"),
    ("optimizer", "own_edits"),  # a pure function: (source, options, facts) -> result; its findings taken apart
    ("build_definitions", "recipes", "registry"),
    ("image", "workspace"),
    ("engine", "embedded", "profile"),
    ("campaign", "forecast", "proof", "request", "review", "testing"),
    ("lsp", "profiling", "rebuild"),
    ("cli",),
    ("__main__",),
)
FLOOR = {name: number for number, names in enumerate(FLOORS) for name in names}

# (importing name, imported module): why it may.
EXCEPTIONS: dict[tuple[str, str], str] = {}


def modules() -> Iterator[tuple[str, Path]]:
    for file in sorted(PACKAGE.rglob("*.py")):
        parts = file.relative_to(PACKAGE).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts) or "dfopt", file


KNOWN = {name for name, _ in modules()}


def home(module: str) -> str:
    """The name in FLOORS that a module belongs to."""
    while module not in FLOOR:
        assert "." in module, f"{module} has no floor: add it to FLOORS"
        module = module.rpartition(".")[0]
    return module


def imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """(line, module of dfopt) of each import, wherever it stands."""
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: a relative import"
            # `from dfopt import edit` imports a module, `from dfopt.edit import Edit` a name.
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            top, _, rest = name.partition(".")
            if top == "dfopt":
                yield node.lineno, rest if rest in KNOWN else rest.rpartition(".")[0] or "dfopt"


def crossings(module: str, tree: ast.AST) -> Iterator[tuple[int, str]]:
    own = home(module)
    for line, imported in imports(tree):
        other = home(imported)
        if other != own and FLOOR[other] >= FLOOR[own]:
            yield line, imported


def test_a_module_imports_only_from_below() -> None:
    wrong: list[str] = []
    met: set[tuple[str, str]] = set()
    for module, file in modules():
        for line, imported in crossings(module, ast.parse(file.read_bytes())):
            pair = home(module), imported
            met.add(pair)
            if pair not in EXCEPTIONS:
                wrong.append(f"{file.relative_to(PACKAGE.parent)}:{line}: {module} imports {imported} from above")
    assert not wrong, "\n".join(wrong)
    assert met == set(EXCEPTIONS), "exceptions that nobody needs"


def test_no_module_imports_itself_by_way_of_others() -> None:
    """Imports for types count: a circle of them is a circle of ideas."""
    graph = {
        module: {name for _, name in imports(ast.parse(file.read_bytes()))} - {module} for module, file in modules()
    }
    while leaves := {module for module, imported in graph.items() if not imported & graph.keys()}:
        graph = {module: imported for module, imported in graph.items() if module not in leaves}
    while roots := graph.keys() - set().union(*graph.values()):
        graph = {module: imported for module, imported in graph.items() if module not in roots}
    assert not graph, f"circles among {sorted(graph)}"


def test_no_pass_imports_another() -> None:
    wrong = [
        f"{module} imports {imported}"
        for module, file in modules()
        if module.startswith("passes.")
        for _, imported in imports(ast.parse(file.read_bytes()))
        if imported.startswith("passes.") and imported.split(".")[1] not in ("base", "index", module.split(".")[1])
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("module", "source", "found"),
    [
        pytest.param("passes.add_user", "from dfopt.ir.model import Step\nimport dfopt.syntax.tree", [], id="below"),
        pytest.param("passes.add_user", "from dfopt.passes.base import Pass", [], id="its own"),
        pytest.param("edit", "from dfopt import source", [], id="a module from the package"),
        pytest.param("syntax.tree", "from dfopt import gate", [(1, "gate")], id="a module of a floor above"),
        pytest.param("source", "from dfopt.toml import parse", [(1, "toml")], id="beside"),
        pytest.param("ir", "def f():\n    import dfopt.passes.base", [(2, "passes.base")], id="in a function"),
        pytest.param("ir.model", "if TYPE_CHECKING:\n    from dfopt.gate import Gate", [(2, "gate")], id="for types"),
        pytest.param("embedded.optimize", "from dfopt.workspace.paths import shown", [], id="of a floor below"),
        pytest.param(
            "workspace.paths", "from dfopt.embedded.optimize import run", [(1, "embedded.optimize")], id="from above"
        ),
    ],
)
def test_what_is_found(module: str, source: str, found: list[tuple[int, str]]) -> None:
    assert list(crossings(module, ast.parse(source))) == found
