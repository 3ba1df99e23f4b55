"""The build context of a Dockerfile: which directory it is, and what it answers."""

from __future__ import annotations

import os
import pickle
import socket
from pathlib import Path

import pytest

from dfopt.facts import Facts
from dfopt.source import Source
from dfopt.workspace import context
from dfopt.workspace.facts import ContextFacts, JoinedFacts


def put(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)


def facts(path: Path, text: str, root: Path, given: str | None = None) -> ContextFacts:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return ContextFacts(str(path), str(root), Source("Dockerfile", text), given)


def where(found: ContextFacts) -> str | None:
    made = found.build_context()
    return None if made is None else os.path.realpath(made.root)


CASES = [
    # id, files, Dockerfile, its text, the context ("" is the root; None: unknown)
    ("own directory", ["app.py"], "Dockerfile", "COPY app.py /", ""),
    ("own directory of a service", ["svc/app.py", "app.py"], "svc/Dockerfile", "COPY app.py /", "svc"),
    ("all of an ordinary directory", ["svc/app.py"], "svc/Dockerfile", "COPY . /", "svc"),
    ("all, from a folder for Dockerfiles", ["app.py"], "docker/Dockerfile", "COPY . /", None),
    ("all, from build/", ["app.py"], "build/Dockerfile", "COPY . /", None),
    ("one above", ["src/a.c"], "docker/Dockerfile", "COPY src /src", ""),
    ("two above", ["src/a.c"], "deploy/docker/Dockerfile", "COPY src /src", ""),
    ("two candidates above", ["src/a.c", "x/src/a.c"], "x/docker/Dockerfile", "COPY src /src", None),
    ("own before above", ["run.sh", "docker/run.sh"], "docker/Dockerfile", "COPY run.sh /\nCOPY . /x", "docker"),
    ("by its path from the root", ["docker/run.sh"], "docker/Dockerfile", "COPY docker/run.sh /", ""),
    ("not there", ["app.py"], "Dockerfile", "COPY target/app.jar /", None),
    ("left out", ["app.py", "x"], "Dockerfile", "COPY x /\nCOPY left-out /", None),
    ("a stage's file", [], "Dockerfile", "COPY --from=0 /x /x", ""),
    ("a variable says nothing", ["app.py"], "Dockerfile", "ARG V\nCOPY $V /", ""),
    ("nothing leads above", ["app.py"], "svc/Dockerfile", "COPY ../app.py /", ""),
    ("pattern", ["docker/x", "package.json"], "docker/Dockerfile", "COPY package*.json /", ""),
    ("pattern beside a name", ["package.json"], "Dockerfile", "COPY package.json yarn.lock* /", ""),
    ("pattern that matches nothing", ["a"], "Dockerfile", "COPY *.jar /", None),
    ("bind mount", ["src/a.c"], "docker/Dockerfile", "RUN --mount=type=bind,source=src,target=/s true", ""),
    ("cache mount", [], "Dockerfile", "RUN --mount=type=cache,target=/s true", ""),
    ("ADD of a URL", [], "Dockerfile", "ADD https://example.com/x /", ""),
    ("heredoc", [], "Dockerfile", "COPY <<a.txt /x\nhi\na.txt", ""),
    ("ONBUILD is another build", [], "Dockerfile", "ONBUILD COPY package.json /", ""),
]  # fmt: skip


@pytest.mark.parametrize(("files", "name", "body", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_which_directory(tmp_path: Path, files: list[str], name: str, body: str, expected: str | None) -> None:
    (tmp_path / ".git").mkdir()
    put(tmp_path, *files)
    (tmp_path / ".dockerignore").write_text("left-out\n")
    put(tmp_path, "left-out")
    found = where(facts(tmp_path / name, f"FROM a\n{body}\n", tmp_path))
    assert found == (None if expected is None else os.path.realpath(tmp_path / expected))


def test_the_search_stays_in_the_tree(tmp_path: Path) -> None:
    put(tmp_path, "src/a.c")
    text = "FROM a\nCOPY src /src\n"
    assert where(facts(tmp_path / "x" / "docker" / "Dockerfile", text, tmp_path / "x")) is None
    assert where(facts(tmp_path / "x" / "docker" / "Dockerfile", text, tmp_path)) == os.path.realpath(tmp_path)
    (tmp_path / "x" / ".git").mkdir()
    assert where(facts(tmp_path / "x" / "docker" / "Dockerfile", text, tmp_path)) is None


def test_what_the_user_names(tmp_path: Path) -> None:
    put(tmp_path, "app/a.py", "other/b.py")
    found = facts(tmp_path / "app" / "Dockerfile", "FROM a\nCOPY a.py /\n", tmp_path, str(tmp_path / "other"))
    assert found.context_paths() == {"b.py"}
    assert found.context_file("a.py") is None
    stdin = ContextFacts("-", "", Source("-", "FROM a\n"), str(tmp_path / "app"))
    assert stdin.context_paths() == {"a.py", "Dockerfile"}
    assert ContextFacts("-", "", Source("-", "FROM a\n")).context_paths() is None


def test_paths_and_files_after_dockerignore(tmp_path: Path) -> None:
    put(tmp_path, "a.txt", "b.log", "keep.log", "node_modules/x/y.js", "src/c.py", "src/d.log", "out/keep/e")
    (tmp_path / ".dockerignore").write_text("*.log\n!keep.log\nnode_modules\nout\n!out/keep\n")
    found = facts(tmp_path / "Dockerfile", "FROM a\n", tmp_path)
    assert found.context_paths() == {
        "a.txt", "keep.log", "src/c.py", "src/d.log", "out/keep/e", "Dockerfile", ".dockerignore",
    }  # fmt: skip
    assert found.context_file("./a.txt") == b"a.txt"
    assert found.context_file("/keep.log") == b"keep.log"
    assert found.context_file("b.log") is None
    assert found.context_file("src") is None
    assert found.context_file("node_modules/x/y.js") is None
    assert found.context_file("no-such-file") is None


def test_the_file_named_after_the_dockerfile_wins(tmp_path: Path) -> None:
    put(tmp_path, "a", "b", "docker/c")
    (tmp_path / ".dockerignore").write_text("a\n")
    (tmp_path / "docker" / "Dockerfile.dockerignore").write_text("b\ndocker\n")
    found = facts(tmp_path / "docker" / "Dockerfile", "FROM a\nCOPY a /\n", tmp_path)
    assert found.context_paths() == {"a", ".dockerignore"}
    (tmp_path / "docker" / "Dockerfile.dockerignore").write_text("")
    unclear = facts(tmp_path / "docker" / "Dockerfile", "FROM a\n", tmp_path, str(tmp_path))
    assert unclear.context_paths() is None


def test_a_dockerignore_that_is_refused_makes_the_context_unknown(tmp_path: Path) -> None:
    put(tmp_path, "a")
    for content in ("[\n", "!\n"):
        (tmp_path / ".dockerignore").write_text(content)
        found = facts(tmp_path / "Dockerfile", "FROM a\n", tmp_path)
        assert found.context_paths() is None
        assert found.context_file("a") is None
    (tmp_path / ".dockerignore").write_text("[z-a]\n")  # shows when it is used
    assert facts(tmp_path / "Dockerfile", "FROM a\n", tmp_path).context_paths() is None


def test_links_stay_inside(tmp_path: Path) -> None:
    outside, inside = tmp_path / "outside", tmp_path / "in"
    put(outside, "secret", "directory/x")
    put(inside, "a", "d/b", "hidden")
    (inside / ".dockerignore").write_text("hidden\n")
    (inside / "to-secret").symlink_to(outside / "secret")
    (inside / "to-directory").symlink_to(outside / "directory")
    (inside / "to-a").symlink_to("a")
    (inside / "to-hidden").symlink_to("hidden")
    (inside / "to-d").symlink_to("d")
    (inside / "loop").symlink_to("loop")
    found = facts(inside / "Dockerfile", "FROM a\n", inside)
    links = {"to-secret", "to-directory", "to-a", "to-hidden", "to-d", "loop"}
    assert found.context_paths() == {"a", "d/b", "Dockerfile", ".dockerignore", *links}
    assert found.context_file("to-a") == b"a"
    assert found.context_file("to-d/b") == b"d/b"
    for name in ("to-secret", "to-directory/x", "to-hidden", "loop", "../outside/secret"):
        assert found.context_file(name) is None, name
    made = found.build_context()
    assert made is not None
    assert not made.holds("to-directory/x")
    assert made.holds("to-d/b")


def test_a_dockerignore_outside_of_the_context(tmp_path: Path) -> None:
    put(tmp_path, "elsewhere")
    put(tmp_path / "c", "a")
    (tmp_path / "c" / ".dockerignore").symlink_to(tmp_path / "elsewhere")
    assert facts(tmp_path / "c" / "Dockerfile", "FROM a\n", tmp_path).context_paths() is None


def test_large_contexts_are_not_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, *[f"{number}/x" for number in range(6)])
    monkeypatch.setattr(context, "MOST_PATHS", 12)
    found = facts(tmp_path / "Dockerfile", "FROM a\n", tmp_path)
    assert found.context_paths() is None
    assert found.context_file("1/x") == b"1/x"
    (tmp_path / ".dockerignore").write_text("[1-5]\n")
    assert facts(tmp_path / "Dockerfile", "FROM a\n", tmp_path).context_paths() == {
        "0/x",
        "Dockerfile",
        ".dockerignore",
    }
    monkeypatch.setattr(context, "MOST_BYTES", 2)
    assert found.context_file("0/x") is None


def test_sockets_are_not_sent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as made:
        made.bind("s")
        os.mkfifo("fifo")
        found = facts(tmp_path / "Dockerfile", "FROM a\n", tmp_path)
        assert found.context_paths() == {"Dockerfile", "fifo"}
        assert found.context_file("fifo") is None


def test_nothing_is_looked_at_before_it_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = facts(tmp_path / "Dockerfile", "FROM a\n", tmp_path)
    monkeypatch.setattr(os, "scandir", None)
    monkeypatch.setattr(os, "listdir", None)
    copied = pickle.loads(pickle.dumps(JoinedFacts((Digests(), found))))
    assert copied.digest("a") == "sha256:0"
    assert copied.checksum("b") is None
    assert copied.image_config("a") is None
    monkeypatch.undo()
    assert copied.context_paths() == {"Dockerfile"}
    assert copied.context_file("Dockerfile") == b"FROM a\n"


class Digests(Facts):
    __slots__ = ()

    def digest(self, image: str) -> str | None:
        return "sha256:0"


@pytest.mark.parametrize(
    ("text", "given", "answers"),
    [
        pytest.param("COPY kept /\nCOPY left-out /", None, {"left-out": True, "kept": False, "gone": False}, id="own"),
        pytest.param("COPY gone left-out /", None, {"left-out": None}, id="not-all-there"),
        pytest.param("COPY gone left-out /", ".", {"left-out": True, "gone": False}, id="given"),
        pytest.param("COPY kept /", None, {"some": False, "some/a": True, "some/b": False}, id="known"),
    ],
)
def test_what_is_left_out(text: str, given: str | None, answers: dict[str, bool | None], tmp_path: Path) -> None:
    """A file that is left out is told, although the directory is no context that the build could use."""
    put(tmp_path, "kept", "left-out", "some/a", "some/b")
    (tmp_path / ".dockerignore").write_text("left-out\nsome\n!some/b\n")
    asked = facts(tmp_path / "Dockerfile", f"FROM a\n{text}\n", tmp_path, str(tmp_path) if given else None)
    assert {path: asked.context_leaves_out(path) for path in answers} == answers
    assert JoinedFacts((Facts(), asked)).context_leaves_out("kept") == (None if None in answers.values() else False)


def test_files_of_a_run_share_a_listing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, "app/a.py")

    def listing(shared: bool) -> frozenset[str] | None:
        path = tmp_path / "app" / "Dockerfile"
        path.write_text("FROM a\nCOPY a.py /\n")
        return ContextFacts(str(path), str(tmp_path), Source("", "FROM a\nCOPY a.py /\n"), None, shared).context_paths()

    monkeypatch.setattr(context, "KEPT", 1e9)
    first = listing(True)
    put(tmp_path, "app/b.py")
    assert listing(True) is first
    assert listing(False) == {"Dockerfile", "a.py", "b.py"}
    put(tmp_path, "app/.dockerignore")  # other patterns: another context
    (tmp_path / "app" / ".dockerignore").write_text("b.py\n")
    assert listing(True) == {".dockerignore", "Dockerfile", "a.py"}
    monkeypatch.setattr(context, "KEPT", -1.0)
    again = listing(True)
    assert again is listing(True)  # looked at again, and found as it was
    put(tmp_path, "app/c.py")
    assert "c.py" in (listing(True) or ())
