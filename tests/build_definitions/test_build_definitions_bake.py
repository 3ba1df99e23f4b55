"""Bake files as build targets."""

from __future__ import annotations

from pathlib import Path

import pytest

from dfopt.build_definitions.bake import read_bake
from dfopt.build_definitions.model import BuildTarget, DefinitionError, NotLiteral
from dfopt.workspace.definitions import DefinitionFiles


def targets(tmp_path: Path, text: str, name: str = "docker-bake.hcl") -> dict[str, BuildTarget]:
    found = read_bake(text, str(tmp_path / name), DefinitionFiles(str(tmp_path)))
    return {target.name: target for target in found}


def test_every_field(tmp_path: Path) -> None:
    text = """
variable "TAG" { default = "2" }
target "web" {
  context = "./web"
  dockerfile = "docker/Dockerfile"
  target = "prod"
  args = { A = "x-${TAG}", B = TAG, C = 3, D = null }
  contexts = { base = "./base", up = "docker-image://debian:13", lib = "target:lib" }
  tags = ["org/web:${TAG}", TAG != "" ? "org/web:latest" : ""]
  platforms = ["linux/amd64", "linux/arm64"]
}
"""
    web = targets(tmp_path, text)["web"]
    assert (web.line, web.column) == (3, 1)
    assert web.context == str(tmp_path / "web")
    assert web.dockerfile == str(tmp_path / "web/docker/Dockerfile")
    assert web.target == "prod"
    assert web.args == {"A": "x-2", "B": "2", "C": "3"}
    assert web.contexts == {"base": str(tmp_path / "base"), "up": "docker-image://debian:13", "lib": "target:lib"}
    assert web.tags == ("org/web:2", "org/web:latest")
    assert web.platforms == ("linux/amd64", "linux/arm64")


def test_what_is_only_inherited_from_is_no_build(tmp_path: Path) -> None:
    text = """
group "default" { targets = ["a"] }
target "_common" { args = { X = "1", Y = "1" }, tags = ["t:1"] }
target "docker-metadata-action" {}
target "a" {
  inherits = ["_common", "docker-metadata-action"]
  args = { Y = "2" }
}
target "b" {
  inherits = ["a"]
  dockerfile = "b.Dockerfile"
  tags = ["t:2"]
}
""".replace('"1" }, tags', '"1" }\n  tags')
    found = targets(tmp_path, text)
    assert list(found) == ["a", "b"]
    assert found["a"].args == {"X": "1", "Y": "2"}
    assert found["a"].tags == ("t:1",)
    assert (found["b"].tags, found["b"].args) == (("t:2",), {"X": "1", "Y": "2"})
    assert found["b"].dockerfile == str(tmp_path / "b.Dockerfile")


def test_empty_items_are_dropped(tmp_path: Path) -> None:
    text = """
variable "EXTRA" { default = "" }
target "base" { contexts = { src = "docker-image://debian" } }
target "a" {
  inherits = ["base"]
  tags = ["t:1", EXTRA, "t:1"]
  platforms = ["", "linux/arm64"]
  contexts = { src = EXTRA, other = "b" }
  args = { EMPTY = EXTRA }
}
target "b" { platforms = [EXTRA] }
"""
    found = targets(tmp_path, text)
    a, b = found["a"], found["b"]
    assert (a.tags, a.platforms) == (("t:1",), ("linux/arm64",))
    assert (dict(a.contexts), dict(a.args)) == ({"other": str(tmp_path / "b")}, {"EMPTY": ""})
    assert b.platforms == ()


def test_a_matrix_is_a_target_for_each_cell(tmp_path: Path) -> None:
    text = """
target "app" {
  name = "app-${replace(version, ".", "-")}-${os}"
  matrix = { version = ["1.0", "1.1"], os = ["alpine"] }
  args = { VERSION = version }
  dockerfile = "${os}.Dockerfile"
}
"""
    found = targets(tmp_path, text)
    assert {name: target.args["VERSION"] for name, target in found.items()} == {
        "app-1-0-alpine": "1.0", "app-1-1-alpine": "1.1",
    }  # fmt: skip
    assert found["app-1-0-alpine"].dockerfile == str(tmp_path / "alpine.Dockerfile")


def test_expressions(tmp_path: Path) -> None:
    text = """
variable "NAMES" { default = ["a", "b"] }
function "tag" {
  params = [name]
  variadic_params = rest
  result = concat(["r/${name}"], [for r in rest: upper(r)])
}
target "x" {
  args = {
    LIST = join(",", [for n in NAMES : "${n}!" if n != "b"])
    MAP = { k = "v" }["k"]
    SUM = 1 + 2 * 3
    HALF = 1.5
    NOT = !false && true
    ESCAPED = "$${TAG} \\"q\\""
    KEYS = join("", keys({ for n in NAMES : n => 1 }))
  }
  tags = tag("x", "y", "z")
  dockerfile-inline = <<-EOT
    FROM debian
      RUN echo $${HOME}
  EOT
}
"""
    x = targets(tmp_path, text)["x"]
    assert x.args == {
        "LIST": "a!", "MAP": "v", "SUM": "7", "HALF": "1.5", "NOT": "true", "ESCAPED": '${TAG} "q"', "KEYS": "ab",
    }  # fmt: skip
    assert x.tags == ("r/x", "Y", "Z")
    assert (x.inline, x.dockerfile) == ("FROM debian\n  RUN echo ${HOME}\n", None)


def test_what_is_not_known_is_said_with_its_reason(tmp_path: Path) -> None:
    text = """
variable "NONE" {}
target "x" {
  context = NONE
  args = { T = timestamp(), U = UNDEFINED, N = NONE }
}
target "y" { inherits = [NONE] }
"""
    found = targets(tmp_path, text)
    why = NotLiteral("the variable NONE has no default")
    assert (found["x"].context, found["x"].dockerfile) == (why, why)
    assert found["x"].args == {
        "T": NotLiteral("the function timestamp() is not evaluated"),
        "U": NotLiteral("UNDEFINED is not defined in this file"),
        "N": why,
    }
    assert found["y"].dockerfile == NotLiteral(f"what it inherits is not known: {why.reason}")


def test_inheritance_that_branches_at_every_level_is_read_in_bounded_time(tmp_path: Path) -> None:
    text = 'target "t0" { args = { A = "1" } }\ntarget "t1" { inherits = ["t0"] }\n'
    for number in range(2, 60):
        text += f'target "t{number}" {{ inherits = ["t{number - 1}", "t{number - 2}"] }}\n'
    assert targets(tmp_path, text)["t59"].args == {"A": "1"}


def _doubled(first: str, step: str, last: str) -> str:
    """Variables of which each doubles the one before."""
    text = f'variable "v0" {{ default = {first} }}\n'
    text += "".join(f'variable "v{n}" {{ default = {step.replace("V", f"v{n - 1}")} }}\n' for n in range(1, 41))
    return f'{text}target "a" {{\n  args = {{ A = {last} }}\n}}\n'


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param(_doubled('"abcdefgh"', '"${V}${V}"', "v40"), "a text that is too long", id="text"),
        pytest.param(_doubled("99999999", "V * V", "v40"), "an expression that has no value", id="numbers"),
        pytest.param('target "a" { args = { A = "x" * 3000000000 } }', "an expression that has no value", id="times"),
        pytest.param(
            f'variable "v" {{ default = "{"a" * 60_000}" }}\ntarget "a" {{ args = {{ A = replace(v, "a", v) }} }}',
            "an expression that has no value", id="replace",
        ),
        pytest.param(_doubled("[1]", "concat(V, V)", "length(v40)"), None, id="lists"),
        pytest.param(_doubled("[1]", "[V, V]", "length(flatten(v40))"), None, id="nested lists"),
        pytest.param(_doubled("{ x = 1 }", "{ a = V, b = V }", "v40 == v39"), None, id="objects"),
    ],
)  # fmt: skip
def test_values_that_double_are_read_in_bounded_time_and_memory(tmp_path: Path, text: str, reason: str | None) -> None:
    if reason is None:
        with pytest.raises(DefinitionError, match="collections of more than"):
            targets(tmp_path, text)
    else:
        assert targets(tmp_path, text)["a"].args == {"A": NotLiteral(reason)}


def test_a_heredoc_may_hold_the_opening_of_another(tmp_path: Path) -> None:
    inner = "FROM debian:13\nRUN <<-SH\n"
    text = f'target "a" {{\n  dockerfile-inline = <<EOF\n{inner}EOF\n}}\n'
    assert targets(tmp_path, text)["a"].inline == inner


def test_json(tmp_path: Path) -> None:
    text = """{
  "variable": {"TAG": {"default": "2"}},
  "group": {"default": {"targets": ["web"]}},
  "target": {
    "web": {"context": "web", "tags": ["org/web:${TAG}", "${upper(\\"a\\")}"], "args": {"N": 3, "B": true}}
  }
}"""
    web = targets(tmp_path, text, "docker-bake.json")["web"]
    assert (web.line, web.column) == (5, 12)
    assert web.dockerfile == str(tmp_path / "web/Dockerfile")
    assert web.tags == ("org/web:2", "A")
    assert web.args == {"N": "3", "B": "true"}


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        pytest.param('target "x" {\n  context = = 1\n}\n', (2, 13), "not HCL", id="no HCL"),
        pytest.param('target "x" {\n', (1, 1), "not HCL", id="no end"),
        pytest.param('target "x" {\n a = <<EOT\n' + "\n" * 50_000, (2, 1), "a heredoc without its end", id="heredoc"),
        pytest.param(
            'target "x" {\n inherits = ["x"]\n context = "."\n}\n', (1, 1), "inherits from itself", id="circle"
        ),
        pytest.param('target "x" { inherits = ["y"] }\n', (1, 1), "y, which is not there", id="nobody"),
        pytest.param(
            'target "x" {\n name = "x${a}${b}"\n matrix = { a = range, b = range }\n}\n'.replace(
                "range", str(list(map(str, range(60)))).replace("'", '"')
            ),
            (1, 1), "more than 2000 targets", id="matrix",
        ),
        pytest.param('function "f" {\n params = [x]\n result = f(x)\n}\ntarget "x" { context = f("a") }\n', (1, 1),
                     "nested too deeply", id="recursion"),
        pytest.param(
            f'target "x" {{ context = {"(" * 5000}1{")" * 5000} }}', (1, 1), "nested too deeply", id="deep"
        ),
        pytest.param("#" * (129 << 10), (1, 1), "larger than", id="large"),
    ],
)  # fmt: skip
def test_errors_have_a_place(tmp_path: Path, text: str, place: tuple[int, int], message: str) -> None:
    with pytest.raises(DefinitionError) as failure:
        targets(tmp_path, text)
    assert message in failure.value.message
    assert (failure.value.line, failure.value.column) == place


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        pytest.param('{"target": {"x": }}', (1, 18), "a value was expected", id="value"),
        pytest.param('{"target": {}\n,}', (2, 1), "a comma behind the last value", id="trailing comma"),
        pytest.param('{"a": 1} x', (1, 10), "text behind the end", id="behind"),
        pytest.param('{\n"a" 1}', (2, 5), "a colon", id="colon"),
        pytest.param('// c\n{}', (1, 1), "a comment", id="comment"),
        pytest.param("[" * 500 + "]" * 500, (1, 66), "nested too deeply", id="deep"),
    ],
)  # fmt: skip
def test_errors_in_json_have_a_place(tmp_path: Path, text: str, place: tuple[int, int], message: str) -> None:
    with pytest.raises(DefinitionError) as failure:
        targets(tmp_path, text, "docker-bake.json")
    assert message in failure.value.message
    assert (failure.value.line, failure.value.column) == place
