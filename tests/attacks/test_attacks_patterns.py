"""No pattern can be made to backtrack: those of the package, and those that a repository brings along."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest
from cli.running import dfopt

from attacks.patterns import METHODS, Use, uses
from attacks.timed import growth, square_text
from dfopt.campaign.owners import parse_owners
from dfopt.stage_templates.errors import RecipeError
from dfopt.stage_templates.stage_recipes import stage_recipes
from dfopt.syntax import ambiguity, automaton
from dfopt.syntax.automaton import LinearPattern, TooLarge
from dfopt.syntax.go_pattern import go_regexp
from dfopt.workspace import ignore

ROOT = Path(__file__).parents[2]
STARS = "*a" * 12 + "*b"
# a text four times as long may take 16 times as long to search (each start is tried to the end), never 64 times
MOST = 32.0


# where a square is none: what keeps the text short
SHORT = {
    "knowledge/leftovers.toml": "paths in images, of at most 4,096 bytes",
    "knowledge/observed.toml": "paths in images, of at most 4,096 bytes; the last 4,000 characters of an output",
    "proof/observed/run_needs.py: _SHARED": "a path in an image, of at most 4,096 bytes",
    "knowledge/runtime_images.toml": "the tag of an image: at most 128 characters",
    "knowledge/split_packages.toml": "the name of a package: a word without line ends, which `.*` takes to its end",
    "knowledge/swaps.toml": "the same",
    "image/dive_ci.py": "a line of .dive-ci, of at most 4,096 characters",
    "passes/dependency_layers/ruby.py: _GEM_LINE": "a line of a Gemfile, of at most 1,000 characters",
    "workspace/parent_files.py: match": "the name of a directory",
    "syntax/arguments.py: _JSON_STRING": "an array whose strings all have an end",
    "syntax/validate.py: re.findall": "a duration, which is one",
}


@pytest.fixture(scope="module")
def known() -> list[Use]:
    found = uses()
    assert len(found) > 800
    assert {use.method for use in found} == METHODS - {"subn"}
    assert len({use.place for use in found if re.match(r"passes/[d-z]", use.place)}) > 150
    return found


def test_no_pattern_of_the_package_is_exponential(known: list[Use]) -> None:
    assert not [use for use in known if ambiguity.growth(use.source, use.flags, use.method)[0] == "exponential"]
    expressions = {(use.source, use.flags): use.place for use in known}
    slow = {
        place: found for (source, flags), place in expressions.items() if (found := growth(source, flags))[0] > MOST
    }
    # what the machine was busy with in between does not come back
    assert not {place: found for place, found in slow.items() if _again(expressions, place) > MOST}


def _again(known: dict[tuple[str | bytes, int], str], place: str) -> float:
    return min(growth(source, flags)[0] for (source, flags), where in known.items() if where == place for _ in "123")


def test_no_pattern_of_the_package_takes_the_square(known: list[Use]) -> None:
    assert not [(use, text) for use in known if not _is_short(use.place) and (text := square_text(*use[:3]))]


def _is_short(place: str) -> bool:
    return any(place.startswith(known) for known in SHORT)


def test_what_is_short_is_still_there(known: list[Use]) -> None:
    for place in SHORT:
        assert any(use.place.startswith(place) and ambiguity.growth(*use[:3])[0] for use in known), place


@pytest.mark.parametrize(
    "pattern",
    [
        r"\bchmod\s+(?:[augo]+,?)*-s\b",  # a loop in a loop
        r"=\s*([\w,\s]*?)(?:\s+reason.*)?\Z",  # three loops side by side that take the same blanks
        r"(?:[A-Za-z-]+: [^\r\n]*[\s\\rn]+)*[A-Z]{64}",
        r"(?:a|a)+b",
    ],
)
def test_what_has_been_slow_is_seen(pattern: str) -> None:
    assert growth(pattern, 0)[0] > MOST
    assert ambiguity.growth(pattern, 0, "search")[0]
    assert square_text(r"\w+=", 0, "search")


SHAPES = [
    (r"(a*)*b", "match", "exponential"),
    (r"(a+)+b", "match", "exponential"),
    (r"(a|aa)+b", "match", "exponential"),
    (r"(?:a|a)+b", "match", "exponential"),
    (r"(?:\w{1,60}=?)*!", "match", "exponential"),
    (r"(a+)+", "match", ""),  # where it may end, it does
    (r"(a+)+", "fullmatch", "exponential"),
    (r"(ab+)+c", "match", ""),
    (r"(?:a+,)*b", "match", ""),
    (r"a*a*b", "match", "square"),
    (r"a*b*a*c", "match", "square"),
    (r"(?i)a+B*A*c", "match", "square"),
    (r"a*ba*c", "match", ""),
    (r"a*xa*c", "search", "square"),
    (r"\w+=", "search", "square"),
    (r"\w+=", "match", ""),
    (r"(?<!\w)\w+=", "search", ""),
    (r"\w{1,60}=", "search", ""),
    (r"(?m)^\s*x", "search", "square"),
    (r"(?m)^[ \t]*x", "search", ""),
    (r"\s+", "search", ""),
    (r"\s+\Z", "search", "square"),
    (r"(?=.*x)a", "search", "square"),
    (r"(?=.*x)a", "match", ""),
    (r"^a+b", "search", ""),
    (r"#.*x", "search", "square"),
    (r"\bfoo\s+x", "search", ""),
    (r"\bfo\w*=", "search", ""),
    (r"\bfo[\w-]*=", "search", "square"),
]


@pytest.mark.parametrize(("pattern", "method", "degree"), SHAPES)
def test_shapes(pattern: str, method: str, degree: str) -> None:
    assert ambiguity.growth(pattern, 0, method)[0] == degree


def test_stars_of_a_repository_do_not_backtrack(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[str] = []
    step = automaton._Automaton._step

    def counted(machine: automaton._Automaton, states: int, before: int, character: str) -> tuple[bool, int]:
        taken.append(character)
        return step(machine, states, before, character)

    monkeypatch.setattr(automaton._Automaton, "_step", counted)
    name = "a" * 2000
    rule = ignore.parse(STARS)
    assert rule is not None
    assert not rule.matches(name, name, False)
    assert not go_regexp("^" + STARS.replace("*", "[^/]*") + "$").search(name)
    assert parse_owners(f"/{STARS} @someone").of(name) == ()
    assert len(taken) < 3 * 2001  # at most one for each character, by each of the three


RECIPE = """kind = "stage"
description = "x"
tools = ["go"]
keeps = "programs"
[scan]
files = ["*.go"]
loads = ['%s']
[[runtime]]
image = "scratch"
"""
REFUSED = {
    "(a+)+b": "would take an exponent of time where a text repeats 'aa",
    "\\w+=": "would take the square of time where a text repeats 'a",
    "a?" * 30 + "b": "is too large",
    "(?:a|a)" * 30 + "b": "is too large",
    "((((a{8}){8}){8}){8}){8}": "is too large",
    "a" * 500: "is longer than 400 characters",
    "a)": "unbalanced parenthesis",
    "a{99999999999}": "repetition number is too large",
}


@pytest.mark.parametrize("expression", REFUSED)
def test_expressions_of_a_repositorys_recipe_are_judged(tmp_path: Path, expression: str) -> None:
    with pytest.raises(RecipeError, match=re.escape(REFUSED[expression])):
        stage_recipes(("x.toml", RECIPE % expression))
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "x.toml").write_text(RECIPE % expression)
    (tmp_path / "dfopt.toml").write_text('unsafe = true\n[recipes]\npath = "own"\n')
    (tmp_path / "main.go").write_text("package main\n" + "a" * 100_000)
    (tmp_path / "go.mod").write_text("module x\n")
    (tmp_path / "Dockerfile").write_text('FROM golang:1.24\nCOPY . .\nRUN go build -o /app .\nCMD ["/app"]\n')
    done = dfopt("check", "--select", "multi-stage", "--show-refusals", ".", cwd=tmp_path, driven=False)
    assert REFUSED[expression].encode() in done.stdout  # a reason not to split, before any source is searched


def test_expressions_of_shipped_recipes_would_be_taken() -> None:
    texts: list[str] = []
    for path in sorted((ROOT / "recipes" / "multi-stage").glob("*.toml")):
        texts += [str(path), path.read_text()]
    assert len(stage_recipes(tuple(texts))) == len(texts) // 2


def _random_node(chance: random.Random, depth: int) -> tuple[automaton.Node, str]:
    """A pattern as a node, and as an expression of `re`."""
    kind = chance.randrange(7 if depth else 3)
    if kind < 2:
        return automaton.literal("ab"[kind]), "ab"[kind]
    if kind == 2:
        return automaton.NOT_SLASH, "[^/]"
    if kind == 3:
        place = chance.choice("AZbB")
        return automaton.at(place), rf"\{place}"
    parts = [_random_node(chance, depth - 1) for _ in range(chance.randint(1, 3))]
    nodes, texts = [node for node, _ in parts], [text for _, text in parts]
    if kind == 4:
        return automaton.sequence(nodes), "".join(texts)
    if kind == 5:
        return automaton.either(nodes), f"(?:{'|'.join(texts)})"
    least, more = chance.randint(0, 2), chance.choice([None, 0, 1, 2])
    most = None if more is None else least + more
    return automaton.repeat(nodes[0], least, most), f"(?:{texts[0]}){{{least},{'' if most is None else most}}}"


def test_the_automaton_agrees_with_re() -> None:
    chance = random.Random(3)
    for _ in range(1500):
        node, expression = _random_node(chance, 3)
        compiled = re.compile(expression, re.ASCII)
        machine, chosen = automaton._Automaton(node), LinearPattern(node)
        for _ in range(8):
            text = "".join(chance.choice("ab/.") for _ in range(chance.randint(1, 7)))
            whole, part = compiled.fullmatch(text) is not None, compiled.search(text) is not None
            assert (machine.run(text, anywhere=False), machine.run(text, anywhere=True)) == (whole, part), expression
            assert (chosen.fullmatch(text), chosen.search(text)) == (whole, part), expression


def test_counted_repeats_have_a_limit() -> None:
    with pytest.raises(TooLarge):
        LinearPattern(automaton.repeat(automaton.repeat(automaton.literal("abc"), 1000, 1000), 1000, 1000))
