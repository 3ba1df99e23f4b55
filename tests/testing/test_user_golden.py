"""Golden cases of a user's: `dfopt test`, and the pytest plugin."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cli.running import dfopt, environment

BEFORE = "FROM debian:13-slim\nRUN apt-get update && apt-get install -y --no-install-recommends curl\n"
AFTER = BEFORE.replace("curl\n", "curl && rm -rf /var/lib/apt/lists/*\n")
# without pytest-lsp, whose plugin takes every test for a function
PYTEST = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:pytest-lsp"]
Run = Callable[..., "tuple[int, str]"]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in ("apt-cleanup/plain", "ours/plain"):
        place = tmp_path / "golden" / name
        place.mkdir(parents=True)
        (place / "Dockerfile").write_text(BEFORE)
    (tmp_path / "recipes").mkdir()
    (tmp_path / "recipes" / "ours.toml").write_text('description = "Ours."\nselect = ["apt-cleanup"]\n')
    (tmp_path / "dfopt.toml").write_text('[recipes]\npath = "recipes"\n')
    (tmp_path / "pytest.ini").write_text("[pytest]\ndfopt_golden = golden\n")
    return tmp_path


@pytest.fixture(params=["command", "plugin"])
def run(request: pytest.FixtureRequest, project: Path) -> Run:
    """Runs the cases by the command or by the plugin; exit code and output."""

    def command(update: bool = False) -> tuple[int, str]:
        done = dfopt("test", *(["--update"] if update else []), cwd=project, driven=False)
        return done.returncode, (done.stdout + done.stderr).decode()

    def plugin(update: bool = False) -> tuple[int, str]:
        words = [*PYTEST, "-v", *(["--dfopt-update"] if update else [])]
        done = subprocess.run(words, cwd=project, capture_output=True, text=True, env=environment(), check=False)
        return done.returncode, done.stdout + done.stderr

    return command if request.param == "command" else plugin


def test_cases_fail_until_their_files_are_there(run: Run, project: Path) -> None:
    code, text = run()
    assert code == 1
    assert "apt-cleanup/plain/expected.Dockerfile" in text
    assert "ours/plain/expected.Dockerfile" in text
    assert run(update=True)[0] == 0
    for name in ("apt-cleanup/plain", "ours/plain"):
        assert (project / "golden" / name / "expected.Dockerfile").read_text() == AFTER
    code, text = run()
    assert code == 0
    assert "2 passed" in text or "2 cases, 0 failed" in text


def test_a_difference_is_shown(run: Run, project: Path) -> None:
    run(update=True)
    (project / "golden" / "ours" / "plain" / "expected.diff").write_text("no diff\n")
    code, text = run()
    assert code == 1
    assert "ours/plain/expected.diff" in text
    assert "no diff" in text


def test_what_is_no_case_is_told(run: Run, project: Path) -> None:
    run(update=True)
    (project / "golden" / "nobody" / "plain").mkdir(parents=True)
    (project / "golden" / "nobody" / "plain" / "Dockerfile").write_text(BEFORE)
    code, text = run()
    assert code != 0
    assert 'unknown recipe "nobody"' in text


@pytest.mark.parametrize(("words", "message"), [(("gone",), "gone: no such directory"), (("recipes",), "no cases")])
def test_usage(project: Path, words: tuple[str, ...], message: str) -> None:
    done = dfopt("test", *words, cwd=project, driven=False)
    assert done.returncode == 2
    assert message in done.stderr.decode()


def test_the_plugin_is_silent_unasked(project: Path) -> None:
    (project / "pytest.ini").write_text("[pytest]\n")
    done = subprocess.run(
        PYTEST, cwd=project, capture_output=True, text=True,
        env=environment(), check=False,
    )  # fmt: skip
    assert done.returncode == 5  # no tests


def test_cases_in_markdown(run: Run, project: Path) -> None:
    """A page gains what is missing; what it shows wrongly fails, with its case's name."""
    for name in ("apt-cleanup", "ours"):
        (project / "golden" / name / "plain" / "Dockerfile").unlink()
        (project / "golden" / f"{name}.md").write_text(f"# Cases\n\n## plain\n\n```dockerfile\n{BEFORE}```\n")
    assert run()[0] == 1
    code, text = run(update=True)
    assert code == 0, text
    header = "@@ -1,2 +1,2 @@ apt-cleanup [safe] delete apt's package index in the layer that downloaded it"
    for name in ("apt-cleanup", "ours"):
        page = (project / "golden" / f"{name}.md").read_text()
        assert page.endswith(f"{BEFORE}```\n\n```dockerfile\n{AFTER}```\n\n```text\n{header}\n```\n")
    code, text = run()
    assert code == 0
    assert "2 passed" in text or "2 cases, 0 failed" in text
    path = project / "golden" / "ours.md"
    path.write_text(path.read_text().replace("delete apt's", "keep apt's"))
    code, text = run()
    assert code == 1
    assert "ours/plain/expected.txt" in text


def test_a_page_that_cannot_be_read_is_told(run: Run, project: Path) -> None:
    (project / "golden" / "ours.md").write_text("## more\n\n```dockerfile\nFROM a\n")
    code, text = run()
    assert code == 2
    assert "ours.md:3: the fence has no end" in text


def test_a_case_names_no_pass(project: Path) -> None:
    for key in ("select", "ignore"):
        (project / "golden/apt-cleanup/plain/case.toml").write_text(f'{key} = ["apt-claenup"]\n')
        done = dfopt("test", "golden", cwd=project, driven=False)
        assert done.returncode == 2
        assert b"case.toml: no pass, group or code: apt-claenup" in done.stderr


def test_a_case_whose_file_is_not_utf8(project: Path) -> None:
    """Its messages hold what stands in it, byte for byte."""
    file = project / "golden/apt-cleanup/plain/Dockerfile"
    file.write_bytes(b"\xc6")
    done = dfopt("test", "--update", "golden", cwd=project, driven=False)
    assert b"internal error" not in done.stderr
    assert b"\xc6" in (file.parent / "expected.txt").read_bytes()
