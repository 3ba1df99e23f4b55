"""What a repository's own settings may reach: nothing outside of it, and no host, helper or engine."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli.running import dfopt

from dfopt.passes.base import SHARED, registered
from dfopt.recipes.schema import KINDS
from dfopt.workspace.settings import KEYS

GOOD = b"FROM debian:13\nRUN apt-get update && apt-get install -y curl\n"
RECIPE = 'description = "a recipe"\nselect = ["size"]\n'


@pytest.fixture(params=["git", "no-git"])
def repository(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    path = tmp_path / "home" / "repository"
    (path / "svc").mkdir(parents=True)
    (tmp_path / "home" / "secret").write_text("TOP-SECRET")
    (tmp_path / "home" / "other.toml").write_text('select = ["size"]\n')
    (tmp_path / "home" / "recipes").mkdir()
    (tmp_path / "home" / "recipes" / "own.toml").write_text(RECIPE)
    (path / "Dockerfile").write_bytes(GOOD)
    if request.param == "git":
        (path / ".git").mkdir()
    return path


OUTSIDE = {
    "context": 'context = ".."\n',
    "context-absolute": 'context = "/"\n',
    "context-link": 'context = "way"\n',
    "extend": 'extend = "../other.toml"\n',
    "extend-home": 'extend = "~/other.toml"\n',
    "extend-link": 'extend = "way/other.toml"\n',
    "recipes": '[recipes]\npath = "../recipes"\n',
    "recipes-link": '[recipes]\npath = "way/recipes"\n',
    "nul": 'extend = "a\\u0000b"\n',
    "context-nul": 'context = "a\\u0000b"\n',
}


@pytest.mark.parametrize("case", OUTSIDE)
def test_settings_lead_nowhere_outside(repository: Path, case: str) -> None:
    (repository / "way").symlink_to("..")
    (repository / "dfopt.toml").write_text(OUTSIDE[case])
    home = {"HOME": str(repository.parent)}
    done = dfopt("fix", "--check", "Dockerfile", cwd=repository, driven=False, env=home)
    assert done.returncode == 2
    assert b"dfopt.toml:" in done.stderr
    assert b"outside of the repository" in done.stderr or (case.endswith("nul") and b"NUL" in done.stderr)
    assert b"SECRET" not in done.stderr
    if not case.endswith("nul"):  # where the command line names the file, it may lead anywhere
        done = dfopt("fix", "--check", "--config", "dfopt.toml", "Dockerfile", cwd=repository, driven=False, env=home)
        assert done.returncode == 1, done.stderr


def test_inside_they_lead_anywhere(repository: Path) -> None:
    (repository / "svc" / "Dockerfile").write_bytes(GOOD)
    (repository / "shared.toml").write_text("unsafe = true\n")
    (repository / "recipes").mkdir()
    (repository / "recipes" / "own.toml").write_text(RECIPE)
    (repository / "svc" / "dfopt.toml").write_text(
        'context = ".."\nextend = "../shared.toml"\n[recipes]\npath = "../recipes"\nuse = ["own"]\n'
    )
    done = dfopt("fix", "--check", "svc", cwd=repository, driven=False)
    assert done.returncode == 1, done.stderr


@pytest.mark.parametrize("way", ["link", "extends"])
def test_recipes_lie_inside(repository: Path, way: str) -> None:
    (repository / "recipes").mkdir()
    if way == "link":
        (repository / "recipes" / "own.toml").symlink_to("../../recipes/own.toml")
    else:
        (repository / "recipes" / "own.toml").write_text(
            'description = "x"\nextends = ["../../recipes/own.toml"]\nselect = ["size"]\n'
        )
    (repository / "dfopt.toml").write_text('[recipes]\npath = "recipes"\nuse = ["own"]\n')
    done = dfopt("fix", "--check", "Dockerfile", cwd=repository, driven=False)
    assert done.returncode == 2
    assert b"outside of the repository" in done.stderr


def test_templates_lie_inside(repository: Path) -> None:
    """A recipe of a stage that is a link out of the repository is not read."""
    from dfopt.stage_templates.stage_recipes import stage_texts

    own = repository / "recipes" / "multi-stage"
    own.mkdir(parents=True)
    (repository.parent / "go.toml").write_text('kind = "stage"\nsecret = "TOP-SECRET"\n')
    (own / "go.toml").symlink_to("../../../go.toml")
    assert stage_texts([str(repository / "recipes")], str(repository)) == ()
    assert "TOP-SECRET" in stage_texts([str(repository / "recipes")], None)[1]


def test_a_lock_file_lies_inside(repository: Path) -> None:
    (repository.parent / "dfopt.lock").write_text("version = 1\n[secret]\n")
    (repository / "dfopt.lock").symlink_to("../dfopt.lock")
    for words in (("fix", "--check", "--select", "pin-digest", "."), ("pin", "--offline", ".")):
        done = dfopt(*words, cwd=repository, driven=False)
        assert done.returncode == 2
        assert b"outside of the repository" in done.stderr
        assert b"secret" not in done.stderr


def test_a_lock_file_above_the_repository_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / "dfopt.lock").write_text("not TOML")
    (tmp_path / "repository" / ".git").mkdir(parents=True)
    (tmp_path / "repository" / "Dockerfile").write_bytes(GOOD)
    done = dfopt("fix", "--check", "--select", "pin-digest", ".", cwd=tmp_path / "repository", driven=False)
    assert done.returncode == 0, done.stderr


def test_settings_name_no_host_helper_or_engine() -> None:
    """A new key must be judged: what it names must not run, nor be asked, because a repository says so. (The address
    of the documentation is shown, and nothing else.)"""
    assert set(KEYS) == {
        "select", "ignore", "unsafe", "exclude", "output-format", "context", "extend", "package-cache", "engine",
        "passes", "recipes", "fail-on", "fail-on-saving", "level", "modernize",
        "documentation",
    }  # fmt: skip
    shared = {option.name: set(option.choices) for option in SHARED}
    assert shared == {"package-cache": {"clean", "mount"}, "engine": {"any", "buildkit"}}
    words = {"host", "hosts", "helper", "engine", "command", "program", "registry", "mirror", "url", "network"}
    for name, cls in registered().items():
        for option in cls.options:
            assert not words & set(option.name.split("-")), (name, option.name)
    for kind, fields in KINDS.items():
        assert not words & {word for key in fields if key != "engine" for word in key.split("-")}, kind


@pytest.mark.parametrize("name", [".gitignore", ".dockerignore", "Dockerfile.dockerignore", "CODEOWNERS"])
def test_ignore_files_and_owners_lie_inside(repository: Path, name: str) -> None:
    """One that is a link out of the repository is as good as none."""
    from dfopt.campaign.owners import read_owners
    from dfopt.workspace.context import open_context
    from dfopt.workspace.ignore import rules_of

    (repository.parent / "secret").write_text("* @secret\n")
    (repository / name).symlink_to("../secret")
    if name == "CODEOWNERS":
        assert read_owners(str(repository)) is None
    elif name == ".gitignore":
        assert rules_of(str(repository)) is None
    else:
        assert open_context(str(repository / "Dockerfile"), str(repository)) is None
