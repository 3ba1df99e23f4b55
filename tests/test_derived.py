"""What is derived from dfopt's own files is what they say, also where an earlier run kept it, or a wheel shipped it."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from dfopt import derived, knowledge, version
from dfopt.passes import index


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the sections are kept, for this test alone."""
    monkeypatch.setattr(sys, "pycache_prefix", str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setattr(derived, "_at_end", [lambda: None])  # nothing at the end of the tests
    forget(monkeypatch)
    return Path(derived.place())


def forget(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if this process had just begun."""
    monkeypatch.setattr(derived, "_opened", {})
    monkeypatch.setattr(derived, "_made", {})
    monkeypatch.setattr(derived, "discarded", set())
    monkeypatch.setattr(knowledge, "_tables", {})


def test_a_section_is_made_once_and_kept(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []

    def make() -> list[str]:
        calls.append(1)
        return ["a", "b"]

    assert derived.derived("x", make) == derived.derived("x", make) == ["a", "b"]
    derived.keep()
    forget(monkeypatch)
    assert derived.derived("x", make) == ["a", "b"]
    assert len(calls) == 1
    assert [path.name for path in place.parent.iterdir() if path.suffix != ".pyc"] == [place.name]


def test_sections_are_added_to_those_that_are_there(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("x", "y", "z"):
        derived.derived(name, lambda name=name: name * 3)  # type: ignore[misc]
        derived.keep()
        forget(monkeypatch)
    derived.discarded.add("y")
    assert derived.derived("new", lambda: 1) == 1
    derived.keep()
    forget(monkeypatch)
    assert {name: derived.derived(name, lambda: "gone") for name in ("x", "y", "z")} == {
        "x": "xxx", "y": "gone", "z": "zzz",
    }  # fmt: skip


@pytest.mark.parametrize(
    "damage",
    [b"", b"\x00", b"i\x01\x00\x00\x00", b"garbage", b"\xff" * 20, b"\x01" + bytes(7) + b"N", bytes(8)],
)
def test_a_damaged_file_is_made_anew(place: Path, monkeypatch: pytest.MonkeyPatch, damage: bytes) -> None:
    derived.derived("x", lambda: 1)
    derived.keep()
    place.write_bytes(damage)
    forget(monkeypatch)
    assert derived.derived("x", lambda: 2) == 2


def test_a_file_that_was_cut_off_is_made_anew(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    derived.derived("x", lambda: "text" * 50)
    derived.keep()
    whole = place.read_bytes()
    for length in range(0, len(whole), 7):
        place.write_bytes(whole[:length])
        forget(monkeypatch)
        assert derived.derived("x", lambda length=length: length) == length  # type: ignore[misc]


def test_another_state_makes_it_anew(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert derived.derived("x", lambda: 1, lambda: (1, "a")) == 1
    derived.keep()
    forget(monkeypatch)
    assert derived.derived("x", lambda: 2, lambda: (1, "a")) == 1
    assert derived.derived("x", lambda: 2, lambda: (1, "b")) == 2


def test_another_python_makes_it_anew(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    derived.derived("x", lambda: 1)
    derived.keep()
    forget(monkeypatch)
    monkeypatch.setattr(sys, "version", sys.version + "!")
    assert derived.derived("x", lambda: 2) == 2


def test_where_nothing_can_be_kept_it_is_made_each_time(
    tmp_path: Path, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setattr(sys, "pycache_prefix", str(tmp_path / "file"))
    assert derived.derived("x", lambda: 1) == 1
    derived.keep()
    forget(monkeypatch)
    assert derived.derived("x", lambda: 2) == 2


def test_a_table_that_changed_is_read_anew(place: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(derived, "FOLDER", str(tmp_path))
    (tmp_path / "a.toml").write_text("1")
    assert derived.derived("x", lambda: 1, derived.state_of_file("a.toml")) == 1
    derived.keep()
    for text, expected in (("1", 1), ("22", 2)):
        (tmp_path / "a.toml").write_text(text) if text != "1" else None
        forget(monkeypatch)
        assert derived.derived("x", lambda: 2, derived.state_of_file("a.toml")) == expected


def test_every_table_comes_back_as_it_was_parsed(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(knowledge.names()) > 30
    for name in knowledge.names():
        assert knowledge.table(name) == knowledge.parse_table(name)
    derived.keep()
    forget(monkeypatch)
    assert {name: knowledge.table(name) for name in knowledge.names()} == {
        name: knowledge.parse_table(name) for name in knowledge.names()
    }


def test_the_index_comes_back_as_it_was_made(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = derived.derived("passes", index.rows)
    derived.keep()
    forget(monkeypatch)
    assert derived.derived("passes", list) == rows == index.rows()


def test_the_state_of_a_folder_names_all_below_it() -> None:
    state = derived.state_of_folder("passes", ".py")()
    names = [name for name, _, _ in state]  # type: ignore[attr-defined]
    assert "passes/sudo.py" in names
    assert any(name.count("/") == 2 for name in names)


def test_the_fingerprint() -> None:
    assert version.fingerprint() == version.compute_fingerprint(version.version())


def test_the_wheel_ships_it(wheel: Path, tmp_path: Path) -> None:
    """Installed where nothing can be written, a run makes no index and parses no table."""
    site = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    import dockerfile_parse

    (site / "dockerfile_parse").symlink_to(Path(dockerfile_parse.__file__).parent)
    (tmp_path / "Dockerfile").write_bytes(b"FROM debian:12\nRUN apt-get update && apt-get install -y curl\n")
    for folder, _, _ in os.walk(site):
        os.chmod(folder, stat.S_IRUSR | stat.S_IXUSR)
    script = (
        "import sys\nfrom dfopt.cli.entry import main\nstatus = main(['fix', 'Dockerfile'])\n"
        "from dfopt.derived import shipped\n"
        "print(status, len(shipped().index) > 30,"
        " 'tomllib' in sys.modules, 'dfopt.passes.package_caches.npm_cleanup' in sys.modules,"
        " sys.modules['dfopt'].__path__[0])\n"
    )
    try:
        done = subprocess.run(
            [sys.executable, "-S", "-c", script], cwd=tmp_path, check=True, text=True,
            capture_output=True, env={"PYTHONPATH": str(site), "PYTHONDONTWRITEBYTECODE": "1"},
        )  # fmt: skip
    finally:
        for folder, _, _ in os.walk(site):
            os.chmod(folder, stat.S_IRWXU)
    assert done.stdout.split("\n")[-2] == f"1 True False False {site / 'dfopt'}"
    assert "+RUN apt-get update && apt-get install -y curl && rm -rf /var/lib/apt/lists/*" in done.stdout
