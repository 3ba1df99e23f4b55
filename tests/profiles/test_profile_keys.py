"""The key of a build context: what a file takes of it, and nothing else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dfopt.ir.program import Program
from dfopt.profile import keys
from dfopt.profile.keys import ContextError, context_digest
from dfopt.syntax.dockerfile import parse
from dfopt.workspace.context import open_context


@pytest.fixture
def place(tmp_path: Path) -> Path:
    for name in ("app/a.py", "app/sub/b.py", "docs/x.md", "yarn.lock", "Dockerfile", "dfopt.profile"):
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).write_text(name)
    return tmp_path


def digest(place: Path, *lines: str) -> str:
    context = open_context(str(place / "Dockerfile"), str(place))
    assert context is not None
    return context_digest(context, Program(parse("\n".join(("FROM a", *lines)) + "\n")), str(place / "Dockerfile"))


@pytest.mark.parametrize(
    ("line", "counts"),
    [
        ("COPY app /app", {"app/a.py", "app/sub/b.py"}),
        ("COPY app/sub yarn.lock /app/", {"app/sub/b.py", "yarn.lock"}),
        ("COPY *.lock doc*/x.md /", {"yarn.lock", "docs/x.md"}),
        ("COPY ./app/*/ /", {"app/a.py", "app/sub/b.py"}),
        ("COPY . /app", {"app/a.py", "app/sub/b.py", "docs/x.md", "yarn.lock"}),
        ("ADD $WHAT /app", {"app/a.py", "app/sub/b.py", "docs/x.md", "yarn.lock"}),
        ("ADD https://example.com/x /x", set()),
        ("COPY --from=b app /app", set()),
        ("RUN --mount=type=bind,source=docs,target=/d ls", {"docs/x.md"}),
        ("RUN ls", set()),
    ],
)
def test_what_counts(place: Path, line: str, counts: set[str]) -> None:
    before = digest(place, line)
    assert digest(place, line) == before
    for name in ("app/a.py", "app/sub/b.py", "docs/x.md", "yarn.lock", "Dockerfile", "dfopt.profile"):
        content = (place / name).read_text()
        (place / name).write_text("other")
        assert (digest(place, line) != before) == (name in counts), name
        (place / name).write_text(content)
    assert digest(place, line) == before


def test_new_names_and_rights_count(place: Path) -> None:
    before = digest(place, "COPY app /app")
    (place / "app/a.py").chmod(0o755)
    executable = digest(place, "COPY app /app")
    (place / "app/a.py").chmod(0o664)  # another umask of another checkout
    assert digest(place, "COPY app /app") == before != executable
    (place / "app/new").write_text("")
    assert digest(place, "COPY app /app") != before
    (place / ".dockerignore").write_text("app/new\n")
    assert digest(place, "COPY app /app") == before


def test_behind_a_link_everything_counts(place: Path) -> None:
    os.symlink("app", place / "current")
    for line in ("COPY current /app", "COPY current/ /app", "COPY curr* /app"):
        before = digest(place, line)
        (place / "app/a.py").write_text(line)
        assert digest(place, line) != before


def test_limits(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "MOST_BYTES", 10)
    with pytest.raises(ContextError, match="larger than 10 bytes"):
        digest(place, "COPY . /")
    assert digest(place, "COPY yarn.lock /")
