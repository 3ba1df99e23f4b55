"""CODEOWNERS patterns, by the examples of the services' documentation."""

from __future__ import annotations

from pathlib import Path

import pytest

from dfopt.campaign.owners import parse_owners, read_owners


@pytest.mark.parametrize(
    ("pattern", "path", "owned"),
    [
        pytest.param("*", "a/b/Dockerfile", True, id="all"),
        pytest.param("Dockerfile", "Dockerfile", True, id="name-at-root"),
        pytest.param("Dockerfile", "a/b/Dockerfile", True, id="name-anywhere"),
        pytest.param("/Dockerfile", "a/Dockerfile", False, id="name-anchored"),
        pytest.param("*.Dockerfile", "a/web.Dockerfile", True, id="suffix"),
        pytest.param("/build/logs/", "build/logs/x/Dockerfile", True, id="directory-anchored"),
        pytest.param("/build/logs/", "a/build/logs/Dockerfile", False, id="directory-anchored-elsewhere"),
        pytest.param("docs/*", "docs/Dockerfile", True, id="star-direct"),
        pytest.param("docs/*", "docs/app/Dockerfile", False, id="star-not-nested"),
        pytest.param("apps/", "x/apps/y/Dockerfile", True, id="directory-anywhere"),
        pytest.param("/apps", "apps/y/Dockerfile", True, id="no-slash-is-directory-too"),
        pytest.param("/apps", "apps2/Dockerfile", False, id="whole-name"),
        pytest.param("**/logs", "build/deep/logs/Dockerfile", True, id="stars-leading"),
        pytest.param("a/**/Dockerfile", "a/Dockerfile", True, id="stars-nothing"),
        pytest.param("a/**/Dockerfile", "a/b/c/Dockerfile", True, id="stars-middle"),
        pytest.param("a/**", "a/b/c/Dockerfile", True, id="stars-trailing"),
        pytest.param("my\\ app/", "my app/Dockerfile", True, id="blank"),
        pytest.param("a?c/", "abc/Dockerfile", True, id="question"),
        pytest.param("!Dockerfile", "Dockerfile", False, id="negation-is-no-rule"),
        pytest.param("[ab]/", "a/Dockerfile", False, id="range-is-no-rule"),
    ],
)
def test_pattern(pattern: str, path: str, owned: bool) -> None:
    assert parse_owners(f"{pattern} @team\n").of(path) == (("@team",) if owned else ())


def test_last_match_wins_and_can_take_away() -> None:
    owners = parse_owners("* @all  # everybody\n/apps/ @b @a\n\n# nobody's:\n/apps/free\n")
    assert owners.of("x/Dockerfile") == ("@all",)
    assert owners.of("apps/web/Dockerfile") == ("@a", "@b")
    assert owners.of("apps/free/Dockerfile") == ()


def test_sections_each_have_a_say() -> None:
    owners = parse_owners("* @all\n[Docker][2] @docker\n*ockerfile\n^[Docs]\n/docs/ @writers\n")
    assert owners.of("docs/Dockerfile") == ("@all", "@docker", "@writers")
    assert owners.of("Dockerfile") == ("@all", "@docker")


def test_places(tmp_path: Path) -> None:
    assert read_owners(str(tmp_path)) is None
    (tmp_path / "CODEOWNERS").write_text("* @root\n")
    (tmp_path / ".github").mkdir()
    (tmp_path / ".github" / "CODEOWNERS").write_text("* @github\n")
    found = read_owners(str(tmp_path))
    assert found is not None
    assert found.of("x") == ("@github",)
