"""`explain`, `passes`, `config show`, `--version`, help and completion."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from cli.running import dfopt, environment
from dfopt.cli import kept_help
from dfopt.cli.options import CommandSpec, commands
from dfopt.passes.base import registered

COMMANDS = commands()


@pytest.mark.parametrize("word", ["merge-run", "MERGE-RUN", "DL3059", "dl3059"])
def test_explain(tmp_path: Path, word: str) -> None:
    text = dfopt("explain", word, cwd=tmp_path, driven=False).stdout.decode()
    assert text.startswith("merge-run (size; on by default, answers DL3059)\n\n")
    assert "```dockerfile\n" in text
    assert 'when: "pays" | ' in text


def test_explain_a_group(tmp_path: Path) -> None:
    text = dfopt("explain", "size", cwd=tmp_path, driven=False).stdout.decode()
    for name, cls in registered().items():
        assert (f"{name} (size;" in text) == (cls.group == "size" and not cls.by_name)


def test_explain_suggests(tmp_path: Path) -> None:
    done = dfopt("explain", "mergerun", cwd=tmp_path, driven=False)
    assert done.stderr == b'dfopt: error: unknown pass, group or code "mergerun"; did you mean "merge-run"?\n'


def test_passes(tmp_path: Path) -> None:
    lines = dfopt("passes", cwd=tmp_path, driven=False).stdout.decode().split("\n")
    assert lines[0].split() == ["NAME", "GROUP", "DEFAULT", "WHAT", "IT", "DOES"]
    assert [line.split()[0] for line in lines[1:-1]] == list(registered())


def test_passes_as_json(tmp_path: Path) -> None:
    found = json.loads(dfopt("passes", "--output-format", "json", cwd=tmp_path, driven=False).stdout)
    assert [one["name"] for one in found["passes"]] == list(registered())
    for one in found["passes"]:
        assert one["codes"] == list(registered()[one["name"]].codes)
        assert one["summary"].endswith(".")
        assert one["declares"]


class TestConfigShow:
    def test_defaults(self, tmp_path: Path) -> None:
        text = dfopt("config", "show", "--isolated", cwd=tmp_path, driven=False).stdout.decode()
        lines = text.split("\n")
        assert lines[0] == "# configuration for .; files: none"
        assert all(line.endswith("# default") for line in lines[1:-1])
        assert any(line.startswith('output-format = "text" ') for line in lines)

    def test_origins(self, tmp_path: Path) -> None:
        (tmp_path / "base.toml").write_text('ignore = ["DL3009"]\nunsafe = true\n')
        (tmp_path / "pyproject.toml").write_text(
            '[project]\nname = "x"\n\n[tool.dfopt]\nextend = "base.toml"\nunsafe = false\n'
            '[tool.dfopt.passes.merge-run]\n  when = "all"\n'
        )
        (tmp_path / "sub").mkdir()
        done = dfopt("config", "show", "sub/Dockerfile", "--output-format", "json", cwd=tmp_path, driven=False)
        assert done.returncode == 2
        done = dfopt("config", "show", "sub", "--output-format", "json", cwd=tmp_path, driven=False)
        found = json.loads(done.stdout)
        assert found["files"] == ["pyproject.toml", "base.toml"]
        assert found["settings"]["unsafe"] == {"value": False, "origin": "pyproject.toml:6:1"}
        assert found["settings"]["ignore"] == {"value": ["DL3009"], "origin": "base.toml:1:1"}
        assert found["settings"]["passes.merge-run.when"] == {"value": "all", "origin": "pyproject.toml:8:3"}
        assert found["settings"]["select"] == {"value": [], "origin": "default"}

    def test_text_is_toml(self, tmp_path: Path) -> None:
        """What is shown can be put into a configuration file."""
        (tmp_path / "dfopt.toml").write_text('exclude = ["a#b", "c\\"d"]\npasses.merge-run.when = "all"\n')
        shown = dfopt("config", "show", cwd=tmp_path, driven=False).stdout
        (tmp_path / "again").mkdir()
        (tmp_path / "again" / "dfopt.toml").write_bytes(shown)
        again = dfopt("config", "show", "again", cwd=tmp_path, driven=False)
        assert again.returncode == 0, again.stderr
        assert b'exclude = ["a#b", "c\\"d"]' in again.stdout


def test_version(tmp_path: Path) -> None:
    assert dfopt("--version", cwd=tmp_path, driven=False).stdout.decode() == f"dfopt {version('dfopt')}\n"


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_help_is_complete(tmp_path: Path, command: CommandSpec) -> None:
    def shown(flag: str) -> str:
        run = dfopt(*command.name.split(), flag, cwd=tmp_path, driven=False, env={"COLUMNS": "200"})
        assert run.returncode == 0
        return run.stdout.decode()

    text = shown("--help")
    assert shown("-h") == text
    assert not re.search(r"<(bool|str|list)", text)  # types of Python say nothing to a user
    for option in command.options:
        assert all(flag in text for flag in option.flags)
        assert all(choice in text for choice in option.choices)
    assert command.help.split(".")[0][:40] in text
    dfopt_help = dfopt("--help", cwd=tmp_path, driven=False).stdout.decode()
    assert command.name.split()[0] in dfopt_help


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("fi", {"fix"}),
        ("config sh", {"show"}),
        ("fix --sel", {"--select"}),
        ("fix --output-format g", {"github", "gitlab"}),
    ],
)
def test_completion(tmp_path: Path, words: str, expected: set[str]) -> None:
    env = {
        "_DFOPT_COMPLETE": "complete_bash",
        "COMP_WORDS": f"dfopt {words}",
        "COMP_CWORD": str(len(words.split())),
    }
    done = dfopt(cwd=tmp_path, driven=False, env=env)
    assert set(done.stdout.decode().split()) == expected


HELP = ([], ["fix"], ["config"], ["config", "show"])


@pytest.mark.parametrize("words", HELP, ids=" ".join)
@pytest.mark.parametrize("variables", [{}, {"COLUMNS": "70"}, {"FORCE_COLOR": "1"}], ids=str)
def test_help_that_was_kept_is_as_typer_makes_it(tmp_path: Path, words: list[str], variables: dict[str, str]) -> None:
    """The first run makes the text, the second has it: without typer, and the same to the byte."""
    here = tmp_path / "here"  # Python looks for modules there: nothing else may change in it
    here.mkdir()
    where = {**variables, "PYTHONPYCACHEPREFIX": str(tmp_path / "cache")}
    first, second = (dfopt(*words, "--help", cwd=here, driven=False, env=where) for _ in range(2))
    nothing_kept = {**where, "PYTHONPYCACHEPREFIX": str(tmp_path / "other"), "PYTHONDONTWRITEBYTECODE": "1"}
    without = dfopt(*words, "--help", cwd=here, driven=False, env=nothing_kept)
    results = {(done.returncode, done.stdout, done.stderr) for done in (first, second, without)}
    assert len(results) == 1
    assert b"Usage" in first.stdout
    code = (
        f"import sys\nsys.path[0] = {str(here)!r}\nfrom dfopt.cli.dispatch import run\n"
        f"status = run({[*words, '--help']!r})\nprint('typer' in sys.modules, status, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=here, capture_output=True, check=True, env=environment(**where)
    )
    assert (done.stdout, done.stderr) == (first.stdout, b"False 0\n")


def test_help_is_made_anew_where_something_else_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: dict[str, object] = {}
    monkeypatch.setattr(kept_help, "put", lambda section, state, value: kept.update({section: value}))
    monkeypatch.setattr(kept_help, "stored", kept.get)
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True))
    rendered: list[str] = []

    def render(text: str = "text\n") -> int:
        rendered.append(text)
        sys.stdout.write(text)
        return 0

    def times(*args: str, **environ: str) -> int:
        rendered.clear()
        assert kept_help.help_of(args, environ, render) == 0
        return len(rendered)

    assert [times("fix", "--help"), times("fix", "--help"), times("fix", "--help", COLUMNS="70")] == [1, 0, 1]
    assert [times("fix", "--help", COLUMNS="70"), times("fix", "--help"), times("check", "-h")] == [0, 0, 1]
    assert [times("fix", "--help", _TYPER_X="1"), times("fix", "--help", HOME="/")] == [1, 0]
    assert [times("fix", "--help", _DFOPT_COMPLETE="complete_bash"), times("--help", "fix")] == [1, 1]
    assert [times("fix", "nosuch", "-h"), times("fix", "nosuch", "-h")] == [1, 1]
    monkeypatch.setattr(kept_help, "state_of_environment", lambda: [("/site", 1)])
    assert [times("fix", "--help"), times("fix", "--help")] == [1, 0]
    monkeypatch.setattr(kept_help, "state_of_folder", lambda *_: lambda: [("fix.py", 1, 1)])
    assert [times("fix", "--help"), times("fix", "--help")] == [1, 0]
    assert sys.stdout.buffer.getvalue().decode() == "text\n" * 16  # type: ignore[attr-defined]


def test_the_version_needs_no_typer(tmp_path: Path) -> None:
    here = tmp_path / "here"
    here.mkdir()
    where = {"PYTHONPYCACHEPREFIX": str(tmp_path / "cache")}
    code = (
        "import atexit, sys\nfrom dfopt.cli.entry import main\natexit.register(lambda: print(sorted(sys.modules)))\n"
        "sys.exit(main())"
    )
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", code, "--version"], check=True, text=True,
            capture_output=True, cwd=here, env=environment(**where),
        )  # fmt: skip
    first, modules = done.stdout.split("\n")[:2]
    assert first == f"dfopt {version('dfopt')}"
    assert "'typer'" not in modules
    assert "'importlib.metadata'" not in modules
