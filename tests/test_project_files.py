"""The files that open the project to newcomers and machines: Makefile, workflows, pre-commit hooks, Dockerfile."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from cli.running import ROOT, dfopt
from ruamel.yaml import YAML

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
SCRIPTS = ("tests/venv", "tests/run", ".ci/run")


def targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))


def load(path: Path) -> Any:
    return YAML(typ="safe").load(path)


def runs(workflow: Any) -> list[str]:
    return [step["run"] for job in workflow["jobs"].values() for step in job["steps"] if "run" in step]


def test_makefile() -> None:
    """Every target is phony and has a help text; what it calls exists."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    (phony,) = re.findall(r"^\.PHONY: (.*)$", text, re.M)
    assert set(phony.split()) == targets()
    assert set(re.findall(r"^([a-z-]+):.*## \S", text, re.M)) == targets()
    for module in re.findall(r"-m (tests[\w.]*)", text):
        assert (ROOT / (module.replace(".", "/") + ".py")).is_file(), module
    for path in re.findall(r"(?<![\w/.])(?:tests|\.ci)/[\w./-]+", text):
        assert (ROOT / path).exists(), path


def test_documented_tasks_exist() -> None:
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
    named = {name for page in pages for name in re.findall(r"^(?:\$ |`)make ([a-z-]+)", _code(page), re.M)}
    assert {"setup", "fast", "test", "lint", "docs", "new-pass", "golden", "release"} <= named <= targets()


def _code(page: Path) -> str:
    """Only what a page shows as code: prose may use the word make."""
    return "\n".join(re.findall(r"`[^`\n]+`|^\$ .*$", page.read_text(encoding="utf-8"), re.M))


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflow(path: Path) -> None:
    """It asks for no more rights than it needs, and calls tasks that exist."""
    workflow = load(path)
    assert workflow["permissions"] == {"contents": "read"}
    commands = "\n".join(runs(workflow))
    assert set(re.findall(r"\bmake ([a-z-]+)$", commands, re.M)) <= targets()
    for module in re.findall(r"-m (tests[\w.]*)", commands):
        assert (ROOT / (module.replace(".", "/") + ".py")).is_file(), module
    for job in workflow["jobs"].values():
        assert set(job.get("needs", ()) if isinstance(job.get("needs"), list) else [job.get("needs")]) - {None} <= set(
            workflow["jobs"]
        )


def test_ci_covers_every_supported_python() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    matrix = load(ROOT / ".github" / "workflows" / "ci.yml")["jobs"]["fast"]["strategy"]["matrix"]["python"]
    assert f'requires-python = ">={matrix[0]}"' in project
    assert "3.13" in matrix


def test_only_the_job_that_publishes_gets_a_token() -> None:
    jobs = load(ROOT / ".github" / "workflows" / "release.yml")["jobs"]
    assert [name for name, job in jobs.items() if "id-token" in job.get("permissions", {})] == ["publish"]
    assert "password" not in json.dumps(jobs["publish"])


def test_pre_commit_hooks_of_the_project() -> None:
    """They call tools of the environment and tests that exist."""
    hooks = [hook for repo in load(ROOT / ".pre-commit-config.yaml")["repos"] for hook in repo["hooks"]]
    assert {"ruff", "mypy", "floors", "dfopt"} <= {hook["id"] for hook in hooks}
    for hook in hooks:
        words = hook["entry"].split()
        assert words[0] in (".venv/bin/ruff", ".venv/bin/mypy", ".venv/bin/python", ".venv/bin/dfopt")
        assert all((ROOT / word).is_file() for word in words if word.startswith("tests/"))
        assert hook["language"] == "system"


@pytest.mark.parametrize(
    "more",
    [(), ("--package-cache", "mount", "--buildkit"), ("--unsafe",)],
    ids=["default", "cache-mounts", "unsafe"],
)
def test_dfopt_has_nothing_to_say_about_its_own_dockerfile(more: tuple[str, ...]) -> None:
    """Every pass, those that run by name alone too: no finding, and no refusal either."""
    done = dfopt(
        "check", "--isolated", "--no-cache", "--select", "all", "--show-refusals", *more, "Dockerfile", cwd=ROOT,
        driven=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, b""), done.stdout.decode()
    assert done.stderr == b"dfopt: 0 findings in 1 file\n"


def test_the_build_context_of_the_image_holds_what_it_copies() -> None:
    """`.dockerignore` lets in what COPY names, and nothing else."""
    copied = re.findall(r"^COPY (?!--from)(.*) \S+$", (ROOT / "Dockerfile").read_text(encoding="utf-8"), re.M)
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in ignored
    assert {line[1:] for line in ignored if line.startswith("!")} == {path for line in copied for path in line.split()}
