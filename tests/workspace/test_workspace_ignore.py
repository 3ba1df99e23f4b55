"""The rules of .gitignore files, beside git itself."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dfopt.workspace.config import ConfigLookup
from dfopt.workspace.discovery import discover

DIRECTORIES = ["", "a/", "a/b/", "b/", "b/a/", ".c/", "caf\u00e9/", "[x]/", "a b /", "-/"]
FILES = [directory + name for directory in DIRECTORIES for name in ("Dockerfile", "x.Dockerfile")]
PARTS = [
    "a", "b", ".c", "Dockerfile", "x.Dockerfile", "*", "?", "**", "***", "*.Dockerfile", "x*", "*a", "a**", "**b",
    "*e", "a*",
    "[ab]", "[!a]", "[^a]", "[a-c]", "[]a]", "[!]a]", "[a-]", "[[:alpha:]]", "[[:nope:]]", "[[:alpha]", "[a", "[\\]a]",
    "[\\-a]", "\\a", "\\*", "\\[x]", "[[]x]", "caf\u00e9", "caf??", "caf?", "[x]", "a b ", "a b\\ ", "-", "\\",
]  # fmt: skip


def _pattern() -> st.SearchStrategy[str]:
    parts = st.lists(st.sampled_from(PARTS), min_size=1, max_size=3).map("/".join)
    head = st.sampled_from(["", "", "", "/", "!", "!", "!/", "#", "\\!", " ", "//"])
    tail = st.sampled_from(["", "", "", "/", " ", "/**", "\\ ", "//", "/ ", "\r", "\\"])
    return st.builds("{}{}{}".format, head, parts, tail)


_RULES = st.lists(_pattern(), max_size=4).map("\n".join)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("git") is None:
        pytest.fail("git is needed: it is the judge here", pytrace=False)
    root = tmp_path_factory.mktemp("repository")
    for name in FILES:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("")
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)
    return root


def git_takes(root: Path) -> list[str]:
    """The Dockerfiles that git would add."""
    command = ["git", "-c", "core.excludesFile=", "ls-files", "-z", "--others", "--exclude-standard"]
    done = subprocess.run(command, cwd=root, capture_output=True, check=True)
    return sorted(name for name in done.stdout.decode().split("\0") if name.endswith("Dockerfile"))


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(top=_RULES, nested=_RULES)
def test_as_git(repository: Path, monkeypatch: pytest.MonkeyPatch, top: str, nested: str) -> None:
    (repository / ".gitignore").write_bytes(top.encode())
    (repository / "a" / ".gitignore").write_bytes(nested.encode())
    with monkeypatch.context() as patch:
        patch.chdir(repository)
        ours = sorted(file.name for file in discover(["."], ConfigLookup()))
        # rules above count just as well when the walk begins below them
        below = sorted(file.name for file in discover(["b"], ConfigLookup()))
    assert ours == git_takes(repository)
    assert os.path.isdir(repository / "b")
    expected = [name for name in ours if name.startswith("b/")]
    assert below == expected or expected == []  # a directory given by name is searched, ignored or not
