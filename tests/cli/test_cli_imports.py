"""What `dfopt fix FILE` imports: its start is most of its time."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.running import environment

FORBIDDEN = {
    "typer", "click", "rich", "pydantic", "jinja2", "libcst", "pygls", "httpx", "asyncio", "dataclasses", "typing",
    "typing_extensions", "inspect", "ast", "tomllib", "tomli", "pathlib", "pathspec", "multiprocessing", "concurrent",
    "difflib", "subprocess", "socket", "ssl", "tempfile", "random", "hashlib", "urllib", "importlib.metadata",
    "threading", "json", "logging", "dockerfile_parse", "textwrap", "traceback", "dfopt.image", "dfopt.registry",
    "dfopt.engine", "dfopt.lsp", "dfopt.workspace.table_reader", "dfopt.workspace.writer", "dfopt.cli.app",
    "dfopt.cli.report", "dfopt.profile", "dfopt.profiling", "sqlite3", "datetime",
}  # fmt: skip
Imported = Callable[..., set[str]]


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A byte code cache of our own: a run without one compiles the knowledge tables, by way of tomllib."""
    return str(tmp_path_factory.mktemp("cache"))


@pytest.fixture
def imported(tmp_path: Path, cache: str) -> Callable[..., set[str]]:
    """The modules that a second run in `tmp_path` imports that a bare interpreter does not."""
    (tmp_path / "Dockerfile").write_bytes(b"FROM scratch\nCOPY a /\n")

    def modules(*command: str) -> set[str]:
        done = subprocess.run(
            [sys.executable, "-X", "importtime", *command], cwd=tmp_path, capture_output=True, text=True, check=False,
            env=environment(PYTHONPYCACHEPREFIX=cache),
        )  # fmt: skip
        assert done.returncode in (0, 1), done.stderr
        lines = [line for line in done.stderr.split("\n") if line.startswith("import time:")]
        return {line.rpartition("|")[2].strip() for line in lines}

    def call(*args: str) -> set[str]:
        modules("-m", "dfopt", *args)
        return modules("-m", "dfopt", *args) - modules("-c", "pass")

    return call


def offending(modules: set[str], forbidden: set[str]) -> set[str]:
    return {module for module in modules if any(module == bad or module.startswith(bad + ".") for bad in forbidden)}


def test_fix_of_a_file_that_stays(imported: Imported) -> None:
    modules = imported("fix", "Dockerfile")
    assert "dfopt.optimizer" in modules
    assert offending(modules, FORBIDDEN) == set()


def test_fix_of_a_file_that_changes(tmp_path: Path, imported: Imported) -> None:
    (tmp_path / "Dockerfile").write_bytes(b"FROM debian:12\nRUN apt-get update && apt-get install -y curl\n")
    modules = imported("fix", "Dockerfile")
    assert "dockerfile_parse" in modules
    assert offending(modules, FORBIDDEN - {"dockerfile_parse"}) == set()


def test_passes_without_work_are_not_imported(tmp_path: Path, imported: Imported) -> None:
    (tmp_path / "Dockerfile").write_bytes(b"FROM debian:12\nRUN apt-get update && apt-get install -y curl\n")
    modules = imported("fix", "Dockerfile")
    assert {f"dfopt.passes.{name}" for name in ("merge_run.merge_run", "package_caches.apt_cleanup")} <= modules
    assert "dfopt.passes.no_recommends" not in modules  # its fixes are unsafe
    assert "dfopt.passes.no_recommends" in imported("fix", "--unsafe", "Dockerfile")
    assert not {f"dfopt.passes.{name}" for name in ("package_caches.cleanups", "exec_form", "sudo")} & modules
    assert not {
        f"dfopt.passes.{name}" for name in ("package_caches.cleanups", "package_caches.apt_cleanup")
    } & imported("fix", "--select", "merge-run", "Dockerfile")


@pytest.mark.parametrize(
    ("files", "args", "needed"),
    [
        pytest.param({"dfopt.toml": b"unsafe = true\n"}, ("fix", "Dockerfile"), {"tomllib", "tomli"}, id="config"),
        pytest.param({}, ("check", "--output-format", "json", "."), {"json"}, id="json"),
    ],
)
def test_what_is_needed_is_imported(
    tmp_path: Path, imported: Imported, files: dict[str, bytes], args: tuple[str, ...], needed: set[str]
) -> None:
    """The lists above would prove nothing if these modules were never seen."""
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    assert imported(*args) & needed


@pytest.mark.parametrize(
    ("files", "args"),
    [
        pytest.param({"pyproject.toml": b"[project]\nname = 'x'\n"}, ("fix", "Dockerfile"), id="foreign-pyproject"),
        pytest.param({"dfopt.toml": b"# nothing yet\n"}, ("fix", "Dockerfile"), id="empty-config"),
        pytest.param({".gitignore": b"x/*\n!x/y\n"}, ("fix", "."), id="ignore-file"),
        pytest.param({}, ("fix", "."), id="directory"),
    ],
)
def test_what_is_not_needed_is_not_imported(
    tmp_path: Path, imported: Imported, files: dict[str, bytes], args: tuple[str, ...]
) -> None:
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    assert offending(imported(*args), FORBIDDEN - {"dfopt.workspace.table_reader"}) == set()


def test_check_in_text_form(imported: Imported) -> None:
    modules = imported("check", "Dockerfile")
    assert offending(modules, FORBIDDEN - {"dfopt.cli.report"}) == set()


def test_no_enum_but_those_of_re(tmp_path: Path) -> None:
    """Every enum class of a run is defined by `re`."""
    (tmp_path / "Dockerfile").write_bytes(b"FROM scratch\nCOPY a /\n")
    script = (
        "import sys\nfrom dfopt.cli.entry import main\nmain(['fix', 'Dockerfile'])\n"
        "import enum\n"
        "def below(cls):\n    for sub in cls.__subclasses__():\n        yield sub\n        yield from below(sub)\n"
        "print(sorted({cls.__module__ for cls in below(enum.Enum)} - {'enum', 're'}))\n"
    )
    for _ in range(2):  # the first may make the index of passes
        done = subprocess.run(
            [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=True, env=environment()
        )
    assert done.stdout == "[]\n"
