"""What comes out of the kept code and patterns is what Python's own import and `re` give."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from cli.running import ROOT, environment

from dfopt import bundle, compiled_patterns, derived, lazy

# What a run says of the modules of dfopt: those that it imported, and which came out of the kept code.
PROBE = """
import atexit, json, os, sys
def tell():
    from dfopt import bundle
    of = {name: module for name, module in sys.modules.items() if name.startswith("dfopt.")}
    told = {
        "all": sorted(of),
        "kept": sorted(name for name, module in of.items() if isinstance(module.__spec__.loader, bundle._Loader)),
        "attributes": {
            name: [module.__name__, module.__package__, module.__file__, list(getattr(module, "__path__", ())),
                   module.__doc__, module.__spec__.name, module.__spec__.origin, module.__spec__.parent,
                   sorted(key for key in vars(module)
                          if key not in ("__cached__", "__builtins__") and f"{name}.{key}" not in sys.modules),
                   getattr(sys.modules[name.rpartition(".")[0]], name.rpartition(".")[2]) is module]
            for name, module in of.items()
        },
        "compiled": os.environ.get("COUNT") and count,
    }
    with open(os.environ["TOLD"], "w") as file:
        json.dump(told, file)
atexit.register(tell)
count = 0
if os.environ.get("COUNT"):
    from re import _compiler
    own = _compiler.compile
    def counting(*args):
        global count
        count += 1
        return own(*args)
    _compiler.compile = counting
from dfopt.cli.entry import main
sys.exit(main())
"""
DOCKERFILE = """FROM debian:13
RUN apt-get update
RUN apt-get install -y curl
WORKDIR app
RUN cd /srv && make
USER nobody
CMD exec python3 server.py
"""


class Runs:
    """Runs of dfopt on one file, with what is derived in a place of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.told = folder / "told.json"
        (folder / "Dockerfile").write_text(DOCKERFILE)

    def __call__(self, *args: str, package: Path = ROOT, **more: str) -> tuple[int, bytes, bytes]:
        done = subprocess.run(
            [sys.executable, "-c", PROBE, *args], cwd=self.folder, capture_output=True, check=False,
            env=environment(PYTHONPYCACHEPREFIX=str(self.folder / "cache"), TOLD=str(self.told))
            | {"PYTHONPATH": str(package), **more},
        )  # fmt: skip
        return done.returncode, done.stdout, done.stderr

    def modules(self, key: str) -> set[str]:
        return set(json.loads(self.told.read_text())[key])


@pytest.fixture
def runs(tmp_path: Path) -> Runs:
    return Runs(tmp_path)


COMMANDS = (
    ("fix", "--no-cache", "--unsafe", "Dockerfile"),
    ("check", "--no-cache", "Dockerfile"),
    ("explain", "merge-run"),
    ("plan", "Dockerfile"),
    ("check", "--no-cache", "--output-format", "json", "."),
    ("fix", "--no-such-option"),
    ("--version",),
)


def test_a_run_on_kept_code_is_as_one_without(runs: Runs) -> None:
    """The first run makes the index of passes, and keeps no code; the second keeps it; the third has it."""
    first = [runs(*command) for command in COMMANDS]
    second = [runs(*command) for command in COMMANDS]
    for command, before, between in zip(COMMANDS, first, second, strict=True):
        assert runs(*command) == between == before
        everything, kept = runs.modules("all"), runs.modules("kept")
        before_it = {
            "dfopt.cli",
            "dfopt.cli.entry",
            "dfopt.bundle",
            "dfopt.derived",
            "dfopt.files",
            "dfopt.compiled_patterns",
        }
        assert everything - kept <= before_it | {"dfopt.lazy", "dfopt.writing"}, command
        assert len(kept) > 10
        with_it = json.loads(runs.told.read_text())["attributes"]
        without = runs(*command, PYTHONPYCACHEPREFIX=str(runs.folder / "none"), PYTHONDONTWRITEBYTECODE="1")
        assert without == before
        assert not runs.modules("kept")
        other = json.loads(runs.told.read_text())["attributes"]
        assert {name: other[name] for name in with_it if name in other} == {
            name: value for name, value in with_it.items() if name in other
        }


def test_a_module_that_changed_is_not_taken_from_there(runs: Runs, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(ROOT / "dfopt", copy / "dfopt", ignore=shutil.ignore_patterns("__pycache__"))
    command = ("fix", "--no-cache", "Dockerfile")
    for _ in range(3):
        before = runs(*command, package=copy)
    assert "dfopt.passes.merge_run.merge_run" in runs.modules("kept")
    file = copy / "dfopt" / "passes" / "merge_run" / "merge_run.py"
    text = file.read_text()
    assert text.count('f"join {len(steps)} RUN instructions') == 1
    file.write_text(text.replace('f"join {len(steps)} RUN instructions', 'f"JOIN {len(steps)} RUN instructions'))
    for _ in range(3):  # the index is made again, then the code kept again
        after = runs(*command, package=copy)
        assert after == (before[0], before[1].replace(b"join 2 RUN", b"JOIN 2 RUN"), before[2])
    assert after != before
    assert "dfopt.passes.merge_run.merge_run" in runs.modules("kept")
    shutil.rmtree(copy / "dfopt" / "ir")
    status, _, errors = runs(*command, package=copy)
    assert (status, b"No module named 'dfopt.ir'" in errors) == (2, True)


def test_kept_code_that_is_damaged(runs: Runs) -> None:
    command = ("fix", "--no-cache", "Dockerfile")
    for _ in range(3):
        before = runs(*command)
    (file,) = (runs.folder / "cache").rglob("derived.*.bin")
    whole = file.read_bytes()
    for step in (3, 7):
        file.write_bytes(whole[: len(whole) - len(whole) // step])
        assert runs(*command) == before


def test_compiled_patterns_are_those_of_re(runs: Runs) -> None:
    command = ("fix", "--no-cache", "Dockerfile")
    for _ in range(2):
        runs(*command)
    assert json.loads(runs.told.read_text())["compiled"] is None
    if sys.version_info >= (3, 11):
        before = runs(*command, COUNT="1", PYTHONPYCACHEPREFIX=str(runs.folder / "other"))
        without = json.loads(runs.told.read_text())["compiled"]
        assert runs(*command, COUNT="1") == before
        assert json.loads(runs.told.read_text())["compiled"] < without / 3


@pytest.mark.parametrize(
    ("source", "flags"),
    [
        ("a", 0), ("(?P<name>a|b)*?(?P<other>c)?", re.I), (rb"[\x00-\xff]+\Z", 0), ("[^\\w@%+=:,./-]", re.A),
        ("(?x) a # comment\n b", 0), ("é[à-ü]", re.I), ("(a)(?(1)b|c)", re.S | re.M), ("(?<!x)y(?=z)", re.I | re.A),
    ],
)  # fmt: skip
def test_a_program_is_what_re_makes(source: str | bytes, flags: int) -> None:
    import _sre
    import marshal

    pattern = re.compile(source, flags)
    data = compiled_patterns._program(pattern)
    assert data is not None
    again = _sre.compile(source, *marshal.loads(data))
    assert again == pattern
    assert (again.groupindex, again.flags, again.groups) == (pattern.groupindex, pattern.flags, pattern.groups)


def test_a_program_that_is_not_one_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    import marshal

    damaged = marshal.dumps((0, [99999, 1, 2], 0, {}, (None,)), derived.FORMAT)
    monkeypatch.setattr(compiled_patterns, "_known", {("a+", 0): damaged, ("b+", 0): b"nonsense"})
    monkeypatch.setattr(compiled_patterns, "_new", {})
    monkeypatch.setattr(compiled_patterns, "_compile", compiled_patterns._compiler.compile)
    for source in ("a+", "b+"):
        assert compiled_patterns.compiled(source, 0).fullmatch(source[0] * 3)


def test_texts_made_of_what_is_read_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled_patterns, "_known", {})
    monkeypatch.setattr(compiled_patterns, "_new", {})
    monkeypatch.setattr(compiled_patterns, "_compile", compiled_patterns._compiler.compile)
    monkeypatch.setattr(compiled_patterns._compiler, "compile", compiled_patterns.compiled)
    re.compile("of this function, as a constant")
    re.compile("".join(["made ", "of ", "parts"]))
    lazy.regex("".join(["of ", "lazy"])).match("")
    assert [source for source, _ in compiled_patterns._new] == ["of this function, as a constant", "of lazy"]


def test_python_reports_imports_as_they_are(runs: Runs) -> None:
    """`-X importtime` is what developers look at: nothing is taken from the kept code there."""
    for _ in range(2):
        runs("--version")
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "dfopt", "fix", "Dockerfile"], cwd=runs.folder, text=True,
        capture_output=True, env=environment(PYTHONPYCACHEPREFIX=str(runs.folder / "cache")), check=False,
    )  # fmt: skip
    assert "dfopt.optimizer" in done.stderr
    assert not any(isinstance(finder, bundle._Finder) for finder in sys.meta_path)
    assert os.listdir(runs.folder / "cache")
