"""The index of the passes says what the passes say, also where it was kept from an earlier run or came in a wheel."""

from __future__ import annotations

import importlib
import os
import pkgutil
import re
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import dfopt
from dfopt.lazy import _Later, regex
from dfopt.pass_selection import Options, UnknownNameError, chosen
from dfopt.passes import index
from dfopt.passes.base import registered


def test_it_is_what_the_passes_say() -> None:
    assert list(index.entries()) == [index.Entry(*row) for row in index.rows()]
    assert [one.load() for one in index.entries()] == list(registered().values())


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How often the index was made, in a folder of compiled code of its own."""
    times: list[int] = []
    rows = index.rows
    monkeypatch.setattr(sys, "pycache_prefix", str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setattr(index, "rows", lambda: times.append(1) or rows())
    return times


def kept_file(tmp_path: Path) -> Path:
    (found,) = tmp_path.rglob("*.index")
    return found


def test_it_is_kept(tmp_path: Path, made: list[int]) -> None:
    assert list(index._kept()) == list(index._kept()) == index.rows()[:]
    assert len(made) == 2  # once by the first, once by this test
    assert [path.name for path in kept_file(tmp_path).parent.iterdir()] == [kept_file(tmp_path).name]


@pytest.mark.parametrize("damage", [b"", b"\x00", b"i\x01\x00\x00\x00", b"garbage", b"(\x00\x00\x00\x00"])
def test_a_damaged_one_is_made_anew(tmp_path: Path, made: list[int], damage: bytes) -> None:
    expected = list(index._kept())
    kept_file(tmp_path).write_bytes(damage)
    assert list(index._kept()) == expected
    assert len(made) == 2


def test_a_changed_file_makes_it_anew(tmp_path: Path, made: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    index._kept()
    state = index._state()
    for other in (state[1:], [(*state[0][:2], state[0][2] + 1), *state[1:]]):
        monkeypatch.setattr(index, "_state", lambda other=other: other)
        before = len(made)
        index._kept()
        index._kept()
        assert len(made) == before + 1


def test_where_nothing_can_be_kept_it_is_made_each_time(
    tmp_path: Path, made: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setattr(sys, "pycache_prefix", str(tmp_path / "file"))
    assert list(index._kept()) == list(index._kept())
    assert len(made) == 2


def test_chosen() -> None:
    names = [one.name for one in chosen(Options())]
    assert names == [cls.name for cls in registered().values() if cls.default and cls.strategy is None]
    assert [one.name for one in chosen(Options(("DL3059",)))] == ["merge-run"]
    assert len(chosen(Options(("all",)))) == sum(
        cls.strategy is None and not cls.by_name for cls in registered().values()
    )
    assert "merge-run" not in [one.name for one in chosen(Options(("SIZE",), ("Merge-Run",)))]
    with pytest.raises(UnknownNameError, match="nothing-such"):
        chosen(Options(("all",), ("nothing-such",)))


def test_all_expressions_compile() -> None:
    found = 0
    for module in pkgutil.walk_packages(dfopt.__path__, "dfopt."):
        if not module.name.endswith("__main__"):
            for value in vars(importlib.import_module(module.name)).values():
                if isinstance(value, _Later):
                    found += 1
                    re.compile(*value._given)
    assert found > 100


def test_an_expression_that_is_compiled_later() -> None:
    later = regex("(a)(b)?", re.I)
    assert later.groups == 2
    assert [match[0] for match in later.finditer("xAbA")] == ["Ab", "A"]
    assert later.sub("-", "ba") == "b-"
    assert "match" in vars(later)
    with pytest.raises(AttributeError):
        later.nothing  # noqa: B018
    with pytest.raises(re.error):
        regex("(").match("")


def test_the_wheel_brings_it(wheel: Path, tmp_path: Path) -> None:
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
        "print(status, 'dfopt._built.passes' in sys.modules, 'dfopt._built.table_package_managers' in sys.modules,"
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
    assert done.stdout.split("\n")[-2] == f"1 True True False False {site / 'dfopt'}"
    assert "+RUN apt-get update && apt-get install -y curl && rm -rf /var/lib/apt/lists/*" in done.stdout
