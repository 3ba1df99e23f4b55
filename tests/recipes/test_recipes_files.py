"""Recipe files: what they may say, where errors are, how recipes hold others, and when one leaves a file alone."""

from __future__ import annotations

import pickle
import re
from pathlib import Path

import pytest

from dfopt.facts import Facts
from dfopt.ir.program import Program
from dfopt.recipes.conditions import matcher, unmet
from dfopt.recipes.load import RecipeLibrary
from dfopt.recipes.model import When
from dfopt.recipes.plan import RecipePlan, option_values
from dfopt.source import Source
from dfopt.stage_templates.errors import RecipeError
from dfopt.stage_templates.templates import render
from dfopt.syntax.dockerfile import parse

HEAD = 'description = "x"\n'


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def put(name: str, content: str) -> None:
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_text(content)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param("a = \n", "r.toml:1:5: Invalid value", id="no-toml"),
        pytest.param('select = ["size"]\n', 'r.toml:1:1: the key "description" is missing', id="required"),
        pytest.param(
            HEAD + 'selct = ["size"]\n', 'r.toml:2:1: selct: unknown key "selct"; did you mean "select"?', id="key"
        ),
        pytest.param(HEAD, "r.toml:1:1: it selects no pass and extends no recipe", id="nothing"),
        pytest.param(
            HEAD + 'kind = "stages"\n', 'r.toml:2:1: kind: unknown kind "stages"; did you mean "stage"?', id="kind"
        ),
        pytest.param(
            HEAD + 'select = "size"\n', "r.toml:2:1: select: must be a list of strings, not a string", id="list"
        ),
        pytest.param(
            HEAD + 'select = [\n  "size",\n  3]\n', "r.toml:4:3: select: must be a list of strings, not of an integer",
            id="list-element",
        ),
        pytest.param(
            HEAD + 'select = [\n  "size",\n  "pin-digst",\n]\n',
            'r.toml:4:3: select: unknown pass, group or code "pin-digst"; did you mean "pin-digest"?', id="pass",
        ),
        pytest.param(
            HEAD + 'select = ["all"]\nunsafe = 1\n', "r.toml:3:1: unsafe: must be true or false, not an integer",
            id="bool",
        ),
        pytest.param(
            HEAD + 'select = ["all"]\n[when]\nmin-stages = true\n',
            "r.toml:4:1: when.min-stages: must be a whole number, not a boolean", id="int",
        ),
        pytest.param(
            HEAD + 'select = ["all"]\n[when]\nfamilly = ["debian"]\n',
            'r.toml:4:1: when.familly: unknown key "familly"; did you mean "family"?', id="nested-key",
        ),
        pytest.param(
            HEAD + 'select = ["all"]\n[passes.add-user]\nid = 3\n',
            'r.toml:4:1: passes.add-user.id: unknown option "id"; did you mean "uid"?', id="pass-option",
        ),
        pytest.param(
            HEAD + 'select = ["all"]\n[passes.add-user]\nuid = "3"\n',
            "r.toml:4:1: passes.add-user.uid: must be a whole number", id="pass-option-type",
        ),
        pytest.param(
            HEAD + 'select = ["all"]\n[passes.merge-run]\nwhen = "some"\n',
            "r.toml:4:1: passes.merge-run.when: must be one of ", id="pass-option-choice",
        ),
        pytest.param(
            HEAD + 'select = ["all"]\n[passes.add-usr]\nuid = 3\n',
            'r.toml:3:9: passes.add-usr: unknown pass "add-usr"; did you mean "add-user"?', id="pass-table",
        ),
        pytest.param(
            HEAD + 'select = ["all"]\n[options.x]\nhelp = "y"\n',
            'r.toml:3:10: options.x: it has either "passes" or "sets"', id="option",
        ),
        pytest.param(
            HEAD + 'select = ["all"]\n[options.x]\nhelp = "y"\nsets = "add-user.id"\n',
            'r.toml:5:1: options.x.sets: no pass has the option "add-user.id"; did you mean "add-user.uid"?', id="sets",
        ),
        pytest.param(
            HEAD + 'select = ["all"]\n[options.x]\nhelp = "y"\nsets = "add-user.uid"\ndefault = "z"\n',
            "r.toml:6:1: options.x.default: must be a whole number", id="default",
        ),
        pytest.param(
            HEAD + 'select = ["all"]\n[options.x]\nhelp = "y"\npasses = ["add-user"]\ndefault = 3\n',
            "r.toml:6:1: options.x.default: a switch is true or false", id="switch",
        ),
        pytest.param(
            HEAD + 'extends = [\n  "small",\n  "smal"]\n',
            'r.toml:4:3: extends: unknown recipe "smal"; did you mean "small"?', id="extends",
        ),
        pytest.param(HEAD + 'extends = ["x.toml"]\n', 'r.toml:2:12: extends: no such file: "x.toml"', id="no-file"),
        pytest.param(
            HEAD + 'extends = ["r.toml"]\n', "r.toml:2:12: extends: recipes extend each other in a circle", id="circle"
        ),
    ],
)  # fmt: skip
def test_errors(content: str, message: str) -> None:
    put("r.toml", content)
    with pytest.raises(RecipeError) as caught:
        RecipeLibrary().get("r.toml")
    assert str(caught.value).startswith(message)


def test_an_error_in_a_part_names_the_part() -> None:
    put("parts/p.toml", HEAD + "select = 3\n")
    put("r.toml", HEAD + 'extends = ["parts/p.toml"]\n')
    with pytest.raises(RecipeError, match=r"^parts/p.toml:2:1: select: must be a list"):
        RecipeLibrary().get("r.toml")


def test_names() -> None:
    put("own/small.toml", HEAD + 'select = ["add-user"]\n')
    put("own/team/web.toml", HEAD + 'extends = ["small", "../small.toml", "hardened"]\n')
    put("own/golden/web/case/case.toml", "unsafe = true\n")
    library = RecipeLibrary(["own", "nowhere"])
    names = library.names()
    assert names["small"] == "own/small.toml"
    assert names["team/web"] == "own/team/web.toml"
    assert "hardened" in names
    assert not any("golden" in name for name in names)
    web = library.get("team/web")
    assert [part.file for part in web.parts] == ["own/small.toml", "own/small.toml", names["hardened"]]
    assert web.parts[0] is web.parts[1]
    assert web.takes_unsafe  # hardened says so
    assert pickle.loads(pickle.dumps(web)) == web


def text_of(plan: RecipePlan, text: str, facts: Facts | None = None) -> tuple[str, list[str]]:
    result = plan.optimize(Source("Dockerfile", text), facts)
    return result.output, [f"{one.name}: {one.reason}" for one in result.reported if one.reason]


DEBIAN = 'FROM debian:13\nRUN apt-get update && apt-get install -y curl\nADD a /a\nCMD ["/a"]\n'


def test_parts_less_what_is_ignored() -> None:
    put("r.toml", HEAD + 'extends = ["ci"]\nselect = ["apt-cleanup"]\nignore = ["pin-digest", "add-to-copy"]\n')
    recipe = RecipeLibrary().get("r.toml")
    chosen = RecipePlan((recipe,)).choose(DEBIAN, Facts())
    assert "apt-cleanup" in chosen.passes
    assert "exec-form" in chosen.passes
    assert not {"pin-digest", "add-to-copy"} & set(chosen.passes)


def test_settings_and_options() -> None:
    """The recipe's own, then the caller's, then values of options."""
    put(
        "r.toml",
        HEAD + 'select = ["add-user", "strip-suid"]\n[passes.add-user]\nuid = 5\nname = "five"\n'
        '[options.number]\nhelp = "h"\nsets = "add-user.uid"\n[options.strip]\nhelp = "h"\ndefault = false\n'
        'passes = ["strip-suid"]\n',
    )
    recipe = RecipeLibrary().get("r.toml")

    def chosen(*given: str, settings: dict[str, dict[str, object]] | None = None) -> tuple[object, ...]:
        plan = RecipePlan((recipe,), option_values((recipe,), given), settings=settings or {})
        found = plan.choose(DEBIAN, Facts())
        return found.settings["add-user"]["uid"], found.settings["add-user"]["name"], found.passes

    assert chosen() == (5, "five", ("add-user",))
    assert chosen("strip=true") == (5, "five", ("strip-suid", "add-user"))
    assert chosen(settings={"add-user": {"uid": 6}}) == (6, "five", ("add-user",))
    assert chosen("number=7", settings={"add-user": {"uid": 6}}) == (7, "five", ("add-user",))


def test_passes_that_a_setting_asks_for() -> None:
    """A group holds them, and they run where the setting says so: in the recipe, or in the value of its option."""
    head = HEAD + 'select = ["cache"]\n'
    option = '[options.kept]\nhelp = "h"\nsets = "package-cache"\n'
    put("plain.toml", head + option)
    put("mount.toml", HEAD + 'select = ["cache"]\npackage-cache = "mount"\n')
    put("named.toml", HEAD + 'select = ["cache-mounts"]\n')
    put("less.toml", HEAD + 'extends = ["mount.toml"]\nignore = ["cache-mounts"]\n')

    def runs(name: str, *given: str) -> bool:
        recipe = RecipeLibrary().get(name)
        plan = RecipePlan((recipe,), option_values((recipe,), given))
        return "cache-mounts" in plan.choose(DEBIAN, Facts()).passes

    assert not runs("plain.toml")
    assert runs("plain.toml", "kept=mount")
    assert runs("mount.toml")
    assert runs("named.toml")
    assert not runs("less.toml")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("usr=true", 'no option "usr" in the recipe; did you mean "user"?'),
        ("user", '"user" is not NAME=VALUE'),
        ("user=maybe", 'option "user" must be true or false, not "maybe"'),
        ("uid=-1", 'option "uid" must be a whole number, not "-1"'),
    ],
)
def test_values_that_are_refused(given: str, message: str) -> None:
    with pytest.raises(RecipeError) as caught:
        option_values((RecipeLibrary().get("hardened"),), [given])
    assert str(caught.value) == message


def test_a_part_whose_preconditions_fail_is_left_out_alone() -> None:
    put("alpine.toml", HEAD + 'select = ["apk-no-cache", "add-to-copy"]\n[when]\nfamily = ["alpine"]\n')
    put("r.toml", HEAD + 'extends = ["alpine.toml"]\nselect = ["apt-cleanup"]\n')
    output, said = text_of(RecipePlan((RecipeLibrary().get("r.toml"),)), DEBIAN)
    assert "rm -rf /var/lib/apt/lists" in output
    assert "ADD a" in output
    assert said == ["recipe alpine: the base image is of the family debian, not alpine"]


def test_a_recipe_whose_preconditions_fail_runs_nothing() -> None:
    """Not even the passes that run where none is selected."""
    put("r.toml", HEAD + 'extends = ["small"]\n[when]\nmin-stages = 2\n')
    output, said = text_of(RecipePlan((RecipeLibrary().get("r.toml"),)), DEBIAN)
    assert output == DEBIAN
    assert said == ["recipe r: the file has 1 of the 2 stages that it needs"]


class Context(Facts):
    def context_paths(self) -> frozenset[str] | None:
        return frozenset(("package.json", "src/a.ts"))


@pytest.mark.parametrize(
    ("when", "why"),
    [
        pytest.param(When(), "", id="none"),
        pytest.param(When(family=("ubuntu", "debian")), "", id="family"),
        pytest.param(When(image=("node", "deb*")), "", id="image"),
        pytest.param(When(image=("node",)), "the base image is debian, not node", id="other-image"),
        pytest.param(When(min_stages=1, max_stages=1), "", id="stages"),
        pytest.param(When(max_stages=0), "the file has more than 0 stages (1)", id="too-many-stages"),
        pytest.param(When(context=("package.json", "src/*.ts")), "", id="context"),
        pytest.param(When(context=("go.mod",)), "the build context has no go.mod", id="not-in-context"),
        pytest.param(When(instructions=("cmd", "RUN")), "", id="instructions"),
        pytest.param(When(instructions=("HEALTHCHECK",)), "the file has no HEALTHCHECK", id="no-instruction"),
        pytest.param(When(without=("USER",)), "", id="without"),
        pytest.param(When(without=("ADD",)), "the file has ADD", id="not-without"),
    ],
)
def test_conditions(when: When, why: str) -> None:
    assert unmet(when, Program(parse(DEBIAN)), Context()) == why


def test_what_is_not_known_does_not_hold() -> None:
    unknown = Program(parse("ARG BASE\nFROM $BASE\n"))
    assert unmet(When(family=("debian",)), unknown, Facts()) == "the family of the base image is not known"
    assert unmet(When(image=("debian",)), unknown, Facts()) == "the base image is not known"
    assert unmet(When(context=("a",)), unknown, Facts()) == "whether the build context has a is not known"


@pytest.mark.parametrize(
    ("pattern", "name", "expected"),
    [("*.ts", "a.ts", True), ("*.ts", "b/a.ts", False), ("**.ts", "b/a.ts", True), ("a.c", "abc", False)],
)
def test_patterns(pattern: str, name: str, expected: bool) -> None:
    assert matcher(pattern).fullmatch(name) is expected


class TestTemplates:
    def test_values(self) -> None:
        template = "FROM {{ base }}\n{% for port in ports %}\nEXPOSE {{ port }}\n{% endfor %}\n"
        assert render(template, {"base": "debian:13", "ports": [80, 443]}) == "FROM debian:13\nEXPOSE 80\nEXPOSE 443\n"

    @pytest.mark.parametrize(
        ("template", "message"),
        [
            pytest.param("a\n{{ b }}\n", "t: line 2: 'b' is undefined", id="undefined"),
            pytest.param("a\n{{ b \n", "t: line 2: ", id="syntax"),
            pytest.param("{{ ''.__class__.__mro__ }}", "t: line 1: access to attribute '__class__'", id="sandbox"),
            pytest.param("{{ range(3) }}", "t: line 1: 'range' is undefined", id="no-globals"),
            pytest.param("{% include 'x' %}", "t: line 1: no loader", id="no-files"),
            pytest.param("{{ 1 / 0 }}", "t: line 1: division by zero", id="failure"),
        ],
    )
    def test_errors(self, template: str, message: str) -> None:
        with pytest.raises(RecipeError) as caught:
            render(template, {}, "r.toml", "t")
        assert str(caught.value).startswith(f"r.toml: {message}")


def test_the_recipe_of_the_documentation() -> None:
    page = (Path(__file__).parents[2] / "docs" / "own-recipe.md").read_text()
    (block,) = [text for text in re.findall(r"```toml\n(.*?)```", page, re.S) if "extends" in text]
    put("ours.toml", block)
    recipe = RecipeLibrary().get("ours.toml")
    output, said = text_of(RecipePlan((recipe,)), DEBIAN)
    assert "rm -rf /var/lib/apt/lists" in output
    assert "useradd --uid 1000 " in output
    assert not [one for one in said if one.startswith("recipe")]
    assert "sudo" not in RecipePlan((recipe,)).choose(DEBIAN, Facts()).passes
