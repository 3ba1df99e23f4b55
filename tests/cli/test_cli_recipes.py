"""`recipes`, `recipe show`, `recipe test`, and `--recipe` of fix and check; configuration of recipes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from cli.running import dfopt

DOCKERFILE = 'FROM debian:13\nRUN apt-get update && apt-get install -y curl\nADD a /a\nCMD ["/a"]\n'
RECIPE = 'description = "Clean."\nselect = ["apt-cleanup"]\n[options.copy]\nhelp = "h"\npasses = ["add-to-copy"]\n'


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "Dockerfile").write_text(DOCKERFILE)
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "clean.toml").write_text(RECIPE)
    (tmp_path / "dfopt.toml").write_text('[recipes]\npath = "own"\n')
    return tmp_path


def run(tree: Path, *args: str) -> tuple[int, str, str]:
    done = dfopt(*args, cwd=tree, driven=False)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def test_list(tree: Path) -> None:
    code, text, _ = run(tree, "recipes")
    assert code == 0
    lines = [line.split() for line in text.splitlines()]
    assert lines[0] == ["NAME", "KIND", "TIERS", "WHAT", "IT", "DOES"]
    assert {"ci", "clean", "hardened", "small"} <= {line[0] for line in lines[1:]}
    found = json.loads(run(tree, "recipes", "--output-format", "json")[1])["recipes"]
    clean = next(one for one in found if one["name"] == "clean")
    assert (clean["file"], clean["select"], clean["tiers"]) == ("own/clean.toml", ["apt-cleanup"], ["safe"])


def test_a_broken_recipe_does_not_hide_the_others(tree: Path) -> None:
    (tree / "own" / "broken.toml").write_text("select = 1\n")
    code, text, err = run(tree, "recipes")
    assert code == 2
    assert "\nclean " in text
    assert err.startswith("dfopt: error: own/broken.toml:1:1: ")


def test_show(tree: Path) -> None:
    _, text, _ = run(tree, "recipe", "show", "clean")
    assert text.startswith("clean (safe; own/clean.toml)\n\nClean.\n\nPasses:\n    apt-cleanup  size\n")
    assert "    copy = true\n        h\n" in text
    assert json.loads(run(tree, "recipe", "show", "clean", "--output-format", "json")[1])["recipe"]["name"] == "clean"
    code, _, err = run(tree, "recipe", "show", "claen")
    assert (code, err) == (2, 'dfopt: error: unknown recipe "claen"; did you mean "clean"?\n')


def test_fix(tree: Path) -> None:
    code, text, _ = run(tree, "fix", "--recipe", "clean")
    assert code == 1
    assert "+RUN apt-get update && apt-get install -y curl && rm -rf /var/lib/apt/lists/*" in text
    assert "COPY" not in text
    assert run(tree, "fix", "--recipe", "own/clean.toml")[1] == text
    code, _, _ = run(tree, "fix", "--write", "--recipe", "clean")
    assert code == 0
    assert run(tree, "fix", "--recipe", "clean")[0] == 0


def test_check(tree: Path) -> None:
    code, text, _ = run(
        tree, "check", "--recipe", "clean,hardened", "--output-format", "concise", "--set", "user=false"
    )
    assert code == 1
    names = {line.split()[1].partition("[")[0] for line in text.splitlines()}
    assert names == {"apt-cleanup", "strip-suid"}


def test_a_comment_for_a_pass_that_the_recipe_does_not_run_is_not_called_unused(tree: Path) -> None:
    (tree / "Dockerfile").write_text("# dfopt: file-ignore=merge-run\n" + DOCKERFILE)
    assert "unused-suppression" not in run(tree, "check", "--recipe", "clean")[1]
    assert "unused-suppression" in run(tree, "check", "--recipe", "small")[1]


def test_unsafe_of_a_recipe_can_be_taken_back(tree: Path) -> None:
    assert "useradd" in run(tree, "fix", "--recipe", "hardened")[1]
    assert run(tree, "fix", "--recipe", "hardened", "--no-unsafe")[:2] == (0, "")


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("--recipe", "smal"), '--recipe: unknown recipe "smal"; did you mean "small"?'),
        (("--recipe", "x.toml"), '--recipe: no such file: "x.toml"'),
        (("--set", "uid=3"), "--set needs --recipe"),
        (("--recipe", "hardened", "--set", "uid=x"), '--set: option "uid" must be a whole number, not "x"'),
    ],
)
def test_usage(tree: Path, args: tuple[str, ...], message: str) -> None:
    assert run(tree, "fix", *args) == (2, "", f"dfopt: error: {message}\n")


def test_select_adds_to_a_recipe(tree: Path) -> None:
    text = (tree / "Dockerfile").read_text()
    (tree / "Dockerfile").write_text(text.replace("FROM", "from", 1))
    assert "keyword-case" not in run(tree, "fix", "--recipe", "small")[1]
    both = run(tree, "fix", "--recipe", "small", "--select", "keyword-case")[1]
    assert "keyword-case" in both
    assert "apt-cleanup" in both


def test_select_adds_what_restructures_to_a_recipe(tree: Path) -> None:
    (tree / "Dockerfile").write_text('FROM debian:13\nRUN apt-get update && apt-get install -y curl\nCMD ["curl"]\n')
    assert "swap-base" not in run(tree, "fix", "--recipe", "hardened")[1]
    both = run(tree, "fix", "--recipe", "hardened", "--select", "swap-base")[1]
    assert "+FROM debian:13-slim\n" in both
    assert "+USER 10001\n" in both
    assert "swap-base" not in run(tree, "fix", "--recipe", "hardened", "--select", "swap-base", "--no-unsafe")[1]


def test_configured(tree: Path) -> None:
    (tree / "dfopt.toml").write_text(
        '[recipes]\npath = ["own"]\nuse = ["hardened"]\n[recipes.options.hardened]\nuid = 77\nsetuid = false\n'
    )
    code, text, _ = run(tree, "fix")
    assert code == 1
    assert "+RUN useradd --uid 77 " in text
    assert "find /" not in text
    assert "useradd" not in run(tree, "fix", "--select", "size")[1]  # what is selected takes the place of recipes


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("recipes = 3\n", "dfopt.toml:1:1: recipes: must be a table, not an integer"),
        ('[recipes]\npaths = "x"\n', 'dfopt.toml:2:1: recipes.paths: unknown key "paths"; did you mean "path"?'),
        ('[recipes]\nuse = ["smal"]\n', 'dfopt.toml:2:1: unknown recipe "smal"; did you mean "small"?'),
        (
            '[recipes]\nuse = ["hardened"]\n[recipes.options.hardened]\nuid = "x"\n',
            'dfopt.toml:4:1: option "uid" must be a whole number, not "x"',
        ),
    ],
)
def test_configuration_errors(tree: Path, content: str, message: str) -> None:
    (tree / "dfopt.toml").write_text(content)
    assert run(tree, "fix")[::2] == (2, f"dfopt: error: {message}\n")


class TestCases:
    def make(self, tree: Path) -> Path:
        case = tree / "own" / "golden" / "clean" / "debian"
        case.mkdir(parents=True)
        (case / "Dockerfile").write_text(DOCKERFILE)
        return case

    def test_made_then_held(self, tree: Path) -> None:
        case = self.make(tree)
        code, text, _ = run(tree, "recipe", "test")
        assert code == 1
        assert text.startswith("FAILED clean/debian/expected.Dockerfile: expected\n(no such file)\ngot\nFROM debian:13")
        code, text, err = run(tree, "recipe", "test", "--update")
        assert (code, err) == (0, "dfopt: 1 case, 0 failed\n")
        assert text == "clean/debian/expected.Dockerfile: written\nclean/debian/expected.diff: written\n"
        assert run(tree, "recipe", "test", "own/golden")[0] == 0
        (case / "expected.Dockerfile").write_text("FROM debian:12\n")
        assert run(tree, "recipe", "test")[0] == 1

    def test_values_of_a_case(self, tree: Path) -> None:
        case = self.make(tree)
        (case / "case.toml").write_text("set = { copi = false }\n")
        code, _, err = run(tree, "recipe", "test")
        assert code == 2
        assert 'case.toml: set: no option "copi" in the recipe; did you mean "copy"?' in err
        (case / "case.toml").write_text("sett = 3\n")
        assert "case.toml: unknown keys: sett" in run(tree, "recipe", "test")[2]
        (case / "case.toml").write_text("sett = \n")
        assert "case.toml:1:8: Invalid value" in run(tree, "recipe", "test")[2]

    def test_no_such_recipe(self, tree: Path) -> None:
        self.make(tree).parent.rename(tree / "own" / "golden" / "claen")
        code, _, err = run(tree, "recipe", "test")
        assert code == 2
        assert 'claen/debian: unknown recipe "claen"; did you mean "clean"?' in err

    def test_no_cases(self, tree: Path) -> None:
        assert run(tree, "recipe", "test")[0] == 2
        assert run(tree, "recipe", "test", "nowhere")[2] == "dfopt: error: nowhere: no such directory\n"
        (tree / "empty").mkdir()
        assert "no cases" in run(tree, "recipe", "test", "empty")[2]


class TestStagesOfYourOwn:
    """A recipe of a stage in the user's directory takes the place of dfopt's own with the same name."""

    ROOT = Path(__file__).parents[2]

    def make(self, tree: Path, change: tuple[str, str]) -> None:
        (tree / "Dockerfile").unlink()
        case = self.ROOT / "golden" / "multi-stage" / "go-static"
        shutil.copytree(case, tree, dirs_exist_ok=True, ignore=shutil.ignore_patterns("expected*", "case.toml"))
        text = (self.ROOT / "recipes" / "multi-stage" / "go.toml").read_text()
        assert change[0] in text
        (tree / "own" / "go.toml").write_text(text.replace(*change))

    def split(self, tree: Path, *args: str) -> str:
        done = run(tree, "fix", "--select", "multi-stage", "--unsafe", "--show-refusals", "Dockerfile", *args)
        return done[1] + done[2]

    def test_its_image_is_taken(self, tree: Path) -> None:
        self.make(tree, ('image = "scratch"', 'image = "registry.example.com/run:1"'))
        assert "+FROM scratch\n" in self.split(tree, "--isolated")
        assert "+FROM registry.example.com/run:1\n" in self.split(tree)
        assert "\ngo " in run(tree, "recipes")[1]

    def test_what_is_wrong_with_it_is_told_with_its_place(self, tree: Path) -> None:
        self.make(tree, ('keeps = "programs"', 'keeps = "program"'))
        assert 'own/go.toml:4:1: keeps: unknown value "program"; did you mean "programs"?' in self.split(tree)
        code, _, err = run(tree, "recipes")
        assert (code, err[:30]) == (2, "dfopt: error: own/go.toml:4:1:")
