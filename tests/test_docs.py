"""The documentation is true: every command of README.md and docs/ runs and prints what is shown, every snippet is read
by what it is meant for, every link leads somewhere, and each pass does what its page shows.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from inspect import cleandoc
from pathlib import Path

import pytest
from cli.running import ROOT, environment
from documents import ELSEWHERE, FENCE, PAGES, perform, steps
from ruamel.yaml import YAML

from dfopt.cli.options import command_named
from dfopt.cli.options import commands as all_commands
from dfopt.facts import NO_FACTS
from dfopt.optimizer import optimize
from dfopt.pass_selection import Options
from dfopt.passes.base import GROUPS, Pass, registered
from dfopt.source import Source
from dfopt.testing import laws
from dfopt.toml import parse
from tests.tools import pages

PASSES = list(registered().values())
# Kinds of fences that nothing reads here
OTHERS = frozenset(("console", "dockerfile", "lua", "elisp", "python", "diff", "text", "jinja", "c", "markdown"))


@pytest.mark.parametrize("page", [page for page in PAGES if page.name not in ELSEWHERE], ids=lambda page: page.name)
def test_commands(page: Path, tmp_path: Path) -> None:
    problems = perform(page, tmp_path / "scratch")
    assert not problems, "\n\n".join(problems)


def test_every_page_is_run() -> None:
    for name, test in ELSEWHERE.items():
        assert f"docs/{name}" in (ROOT / test).read_text(encoding="utf-8")
    assert sum(bool(step.shown) for step in steps(ROOT / "README.md")) >= 3


def _toml(text: str, place: Path) -> None:
    parse(text.encode())
    if (
        "[language-server" not in text
        and "[tool." not in text
        and not text.startswith(("kind", "description", "extends"))
    ):
        (place / "dfopt.toml").write_text(text, encoding="utf-8")
        (place / "recipes").mkdir()
        done = subprocess.run(
            [sys.executable, "-m", "dfopt", "config", "show", "."], cwd=place, env=environment(), capture_output=True,
            text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr


def test_snippets(tmp_path: Path) -> None:
    """TOML is configuration that dfopt takes, or else TOML; JSON and YAML are such."""
    number = 0
    for page in PAGES:
        for fence in FENCE.finditer(page.read_text(encoding="utf-8")):
            number += 1
            try:
                if fence["kind"] == "toml":
                    (place := tmp_path / str(number)).mkdir()
                    _toml(fence["text"], place)
                elif fence["kind"] == "json":
                    json.loads(fence["text"])
                elif fence["kind"] == "yaml":
                    YAML(typ="safe").load(fence["text"])
                else:
                    assert fence["kind"] in OTHERS
            except (ValueError, AssertionError) as failure:
                raise AssertionError(f"{page.name}: {failure}\n{fence['text']}") from failure


def test_ci_snippets_name_what_there_is() -> None:
    text = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
    yaml = YAML(typ="safe")
    snippets = [yaml.load(fence["text"]) for fence in FENCE.finditer(text) if fence["kind"] == "yaml"]
    (workflow,) = [snippet for snippet in snippets if "jobs" in snippet]
    (hooks,) = [snippet for snippet in snippets if "repos" in snippet]
    (step,) = [step for step in workflow["jobs"]["dfopt"]["steps"] if "/dfopt@" in step["uses"]]
    assert set(step["with"]) <= set(yaml.load((ROOT / "action.yml").read_text())["inputs"])
    known = {hook["id"] for hook in yaml.load((ROOT / ".pre-commit-hooks.yaml").read_text())}
    assert {hook["id"] for hook in hooks["repos"][0]["hooks"]} == known


def test_commands_in_running_text() -> None:
    """`dfopt COMMAND --option` in a sentence or a table names a command and options that there are."""
    number = 0
    for page in PAGES:
        prose = FENCE.sub("", page.read_text(encoding="utf-8"))
        for words in [code.split() for code in re.findall(r"`dfopt ([^`\n]+(?:\n[^`\n]+)?)`", prose)]:
            if words[0].startswith("--"):  # --install-completion and the like
                continue
            if len(words) == 1 and any(name.startswith(f"{words[0]} ") for name in all_commands()):
                continue  # `dfopt migrate`: a group of commands
            command = command_named(" ".join(words[:2])) or command_named(words[0])
            assert command is not None, f"{page.name}: dfopt {' '.join(words)}"
            number += 1
            flags = {flag for option in command.options for flag in option.flags}
            strange = [word for word in words if word.startswith("-") and len(word) > 1 and word not in flags]
            assert not strange, f"{page.name}: dfopt {' '.join(words)}: {strange}"
    assert number > 30


def test_links() -> None:
    """Links to files of the project lead to one."""
    for page in [*PAGES, *sorted((ROOT / "docs" / "passes").glob("*.md"))]:
        for target in re.findall(r"\]\((?!https?:)([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


@pytest.mark.parametrize(
    ("directory", "make"),
    [(pages.DIRECTORY, pages.pages), (pages.REFUSALS, pages.refusal_pages)],
    ids=["passes", "refusals"],
)
def test_pages_are_fresh(directory: Path, make: Callable[[], dict[str, str]]) -> None:
    there = {path.name: path.read_text(encoding="utf-8") for path in directory.iterdir()}
    made = make()
    stale = sorted(name for name in {*there, *made} if there.get(name) != made.get(name))
    assert not stale, f"run: python -m tests.tools.pages ({', '.join(stale)})"


def examples(one: type[Pass]) -> list[str]:
    return re.findall(r"```dockerfile\n(.*?)```", cleandoc(one.__doc__ or ""), re.S)


@pytest.mark.parametrize("one", PASSES, ids=lambda one: one.name)
def test_page(one: type[Pass]) -> None:
    """The sections are there; what the example shows before becomes what it shows after, and the laws hold."""
    page = one.__doc__ or ""
    assert one.group in GROUPS
    assert "Why:" in page
    assert "Example:" in page
    shown = examples(one)
    assert 1 <= len(shown) <= 2
    options = Options((one.name,), (), ("safe", "unsafe"), {})
    source = Source("Dockerfile", shown[0])
    assert laws.all_laws(source, options, NO_FACTS) == []
    result = optimize(source, options)
    assert result.problem is None
    if len(shown) == 2 and result.changed:
        assert result.output == shown[1]
    else:  # a suggestion, or a fix that needs facts from outside
        assert not result.changed
