"""Who opens files, and who starts programs: each in one place, and the rest of the package through it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "dfopt"

OPENS = {
    "open", "io.open", "os.open", "os.fdopen", "os.replace", "os.rename", "os.link", "os.symlink", "os.truncate",
    "os.mknod", "os.mkfifo", "tempfile.TemporaryFile", "tempfile.NamedTemporaryFile", "tempfile.mkstemp",
    "tempfile.mktemp", "shutil.copy", "shutil.copy2", "shutil.copyfile", "shutil.copytree", "shutil.move",
}  # fmt: skip
METHODS = {"write_text", "write_bytes", "read_text", "read_bytes", "symlink_to", "hardlink_to", "rename", "touch"}
# (file, call): why it needs neither `files` nor `writing`
OPENERS = {
    ("cli/lsp.py", "open"): "its own standard input and output",
    ("cli/out.py", "os.open"): "the null device",
    ("cli/verify.py", "os.fdopen"): "what files.open_regular gave",
    ("engine/base.py", "open"): "/proc",
    ("engine/containers.py", "open"): "/proc",
    ("engine/marks.py", "open"): "/proc",
    ("engine/open_watch.py", "open"): "/proc",
    ("engine/storage.py", "open"): "/proc",
    ("image/archive.py", "tempfile.TemporaryFile"): "a file without a name",
    ("image/engines.py", "tempfile.TemporaryFile"): "a file without a name",
    ("image/store.py", "os.open"): "a blob of a layout: neither waits, nor leaves the layout",
    ("image/store.py", "os.fdopen"): "the same",
    ("proof/processes.py", "open"): "/proc",
    ("proof/lab.py", "os.link"): "a copy of the build context in a directory of the run's own",
    ("proof/lab.py", "shutil.copy2"): "the same",
    ("proof/lab.py", "shutil.copytree"): "the same",
}
# the modules that read files by name, all through `files`
READERS = {
    "campaign/dask.py", "campaign/journal.py", "campaign/message.py", "campaign/owners.py", "cli/cached.py",
    "cli/dockerignore.py", "cli/history.py", "cli/optimize.py",
    "cli/review.py", "cli/verify.py", "derived.py", "engine/base.py",
    "engine/storage.py", "image/archive.py", "knowledge/__init__.py", "profile/document.py", "profile/fit.py",
    "profile/keys.py", "proof/lab.py", "proof/stored_verdicts.py",
    "registry/credentials.py", "registry/lock.py", "registry/mirrors.py", "request.py",
    "stage_templates/recipe_files.py", "testing/case_files.py", "version.py", "workspace/baseline.py",
    "workspace/children.py", "workspace/config.py", "workspace/config_location.py", "workspace/context.py",
    "workspace/definitions.py", "workspace/embedded_kinds.py", "workspace/hadolint_config.py", "workspace/ignore.py",
    "workspace/stated_builds.py", "workspace/tracked_files.py", "workspace/undo.py",
    "writing.py",
}  # fmt: skip
READING = {"read_regular", "read_named", "open_regular", "open_named"}
STARTS = {
    "subprocess.run", "subprocess.Popen", "subprocess.call", "subprocess.check_call", "subprocess.check_output",
    "os.system", "os.popen", "os.execv", "os.execvp", "os.execve", "os.execvpe", "os.posix_spawn", "os.posix_spawnp",
    "os.spawnv", "os.spawnvp", "asyncio.create_subprocess_exec", "asyncio.create_subprocess_shell",
    "run_guarded",
}  # fmt: skip
STARTERS = {
    "engine/base.py": "umount",
    "guard.py": "Python, to end the other programs with dfopt",
    "engine/process.py": "the engine that the command line names",
    "image/engines.py": "docker and podman, to save an image that the command line names",
    "registry/helpers.py": "docker-credential-NAME, where the user's own files name it",
    "workspace/git.py": "git, and nothing but git",
}


def calls() -> Iterator[tuple[str, str, ast.Call]]:
    """(file, name of what is called, call) of the whole package."""
    for file in sorted(PACKAGE.rglob("*.py")):
        name = file.relative_to(PACKAGE).as_posix()
        for node in ast.walk(ast.parse(file.read_bytes())):
            if isinstance(node, ast.Call):
                yield name, ast.unparse(node.func), node


def test_files_are_opened_in_two_modules() -> None:
    found = {
        (file, name)
        for file, name, _ in calls()
        if file not in ("files.py", "writing.py") and (name in OPENS or name.rpartition(".")[2] in METHODS)
    }
    assert found == set(OPENERS)


def test_who_reads_files() -> None:
    assert {file for file, name, _ in calls() if name in READING} - {"files.py"} == READERS


@pytest.mark.parametrize(
    "module", ["os", "subprocess", "tempfile", "shutil", "io", "multiprocessing", "asyncio.subprocess"]
)
def test_what_opens_and_starts_is_called_by_its_full_name(module: str) -> None:
    """Else the scans of this file would not see it."""
    names = {name.rpartition(".")[2] for name in OPENS | STARTS if name.startswith(module + ".")}
    for file in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_bytes())):
            if isinstance(node, ast.ImportFrom) and node.module == module:
                assert not names & {alias.name for alias in node.names}, file
            if isinstance(node, ast.Import):
                assert not [alias for alias in node.names if alias.name == module and alias.asname], file


def test_programs_are_started_in_few_modules() -> None:
    assert {file for file, name, _ in calls() if name in STARTS} == set(STARTERS)


def test_git_is_started_in_one_module() -> None:
    for file, name, call in calls():
        if name in STARTS and file != "workspace/git.py":
            words = [node.value for node in ast.walk(call) if isinstance(node, ast.Constant)]
            assert "git" not in words, file
