"""The second reader: it agrees with every right spelling, and objects wherever a value really changes."""

from __future__ import annotations

import subprocess
import sys

import pytest
from dockerfile_parse.util import WordSplitter
from hypothesis import given
from hypothesis import strategies as st

from dfopt.ir.program import Program
from dfopt.optimizer import optimize
from dfopt.pass_selection import Options
from dfopt.second_reader import dequoted, disagreement
from dfopt.source import Source
from dfopt.syntax.dockerfile import parse

MAINTAINER = "FROM a\nMAINTAINER {}\n"
LABEL = "FROM a\nLABEL m={}\n"

# an original, what a fix made of it
RIGHT = [
    pytest.param("FROM a\nRUN b\nRUN c\n", "FROM a\nRUN b && c\n", id="nothing-it-looks-at"),
    pytest.param(MAINTAINER.format("Jane Doe"), LABEL.format('"Jane Doe"'), id="quoted-label"),
    pytest.param(MAINTAINER.format('Jane "J" $x'), LABEL.format('"Jane \\"J\\" \\$x"'), id="escapes"),
    pytest.param("FROM a\nENV a b c\n", 'FROM a\nENV a="b c"\n', id="legacy-env"),
    pytest.param("FROM a\nENV a 'b  c' d\n", "FROM a\nENV a='b  c'\" d\"\n", id="single-quotes"),
    pytest.param("FROM a\nLABEL a=b\\ c\n", "FROM a\nLABEL a='b c'\n", id="escaped-blank"),
    pytest.param("ARG x=b\nFROM $x\nENV a b\n", "ARG x=b\nFROM $x\nENV a=b\n", id="argument-in-from"),
    pytest.param("FROM a\nENV a=1 \\\n  b=2\n", "FROM a\nENV a=1 b=2\n", id="continuation"),
]
WRONG = [
    pytest.param(MAINTAINER.format("Jane Doe"), LABEL.format("Jane"), "labels", id="cut-at-a-blank"),
    pytest.param(LABEL.format('"Jane Doe"'), LABEL.format("'Jane  Doe'"), "labels", id="blank-doubled"),
    pytest.param(LABEL.format('"a\\"b"'), LABEL.format("'a\\\"b'"), "labels", id="backslash-kept"),
    pytest.param(LABEL.format('"a" n=b'), LABEL.format('"a n=b"'), "labels", id="label-lost"),
    pytest.param("FROM a\nENV a b c\n", "FROM a\nENV a=b c=\n", "envs", id="legacy-cut"),
    pytest.param('FROM a\nENV a="$b"\n', "FROM a\nENV a='$c'\n", "envs", id="other-variable"),
    pytest.param("FROM a\nENV a=1\nFROM b\n", "FROM a\nFROM b\nENV a=1\n", "envs", id="other-stage"),
    pytest.param("FROM a\nCMD b  c\n", "FROM a\nCMD b c\n", "cmd", id="cmd"),
    pytest.param("FROM a\nCMD b\n", "FROM a\n", "cmd", id="cmd-lost"),
    pytest.param("FROM a:1\n", "FROM a:2\n", "parent_images", id="image"),
    pytest.param("ARG x='a:1'\nFROM ${x}\n", "ARG x='a:2'\nFROM ${x}\n", "parent_images", id="argument-of-image"),
]


class Shown(Program):
    """A program that claims to be another text than the one that the second reader is given."""

    def __init__(self, claimed: str, written: str) -> None:
        super().__init__(parse(claimed))
        self.text = written


@pytest.mark.parametrize(("before", "after"), RIGHT)
def test_agrees_with_the_same_value_in_another_spelling(before: str, after: str) -> None:
    assert disagreement(Program(parse(before)), Program(parse(after))) == ""


@pytest.mark.parametrize(("before", "after", "view"), WRONG)
def test_objects_where_the_written_value_is_not_the_one_that_the_gate_saw(before: str, after: str, view: str) -> None:
    """dfopt takes the result for the original: then only the second reader sees what was written."""
    shown = Shown(before, after)
    assert disagreement(Program(parse(before)), shown).startswith(f"dockerfile-parse reads other {view} in the result")


def test_where_it_never_agreed_it_has_no_say() -> None:
    """It takes the heredoc's second line for an instruction."""
    text = "FROM a\nRUN <<E\nCMD b\nE\nENV a b\n"
    after = Program(parse(text.replace("a b", "a=b")))
    assert disagreement(Program(parse(text)), after) == ""


def test_a_result_that_it_cannot_read_is_refused() -> None:
    before = Program(parse("FROM a\nRUN b\n"))
    assert "not the result" in disagreement(before, Shown("FROM a\nRUN b\n", "FROM a\nRUN b\udcff\n"))


@given(st.text("ab '\"\\$`", max_size=12))
def test_words_are_dequoted_as_it_does(word: str) -> None:
    assert dequoted(word) == WordSplitter(word).dequote()


@pytest.mark.parametrize("name", ["Jane Doe <j@example.org>", 'O\'Neil, "J"', "$USER", "back\\slash"])
def test_a_maintainer_becomes_a_label_with_its_consent(name: str) -> None:
    options = Options(("maintainer-to-label",), (), ("safe", "unsafe"))
    result = optimize(Source("Dockerfile", MAINTAINER.format(name)), options)
    assert [one.name for one in result.applied] == ["maintainer-to-label"]
    assert not any(one.by_gate for one in result.reported)


def test_stand_ins_do_not_stay() -> None:
    """Its imports of `logging` and `json` are put off; who imports them afterwards gets the real ones."""
    script = (
        "import sys\nbare = set(sys.modules)\n"
        "from dfopt.second_reader import _reader\n"
        "reader = _reader('FROM a\\nENV b c\\n')\n"
        "assert reader.envs == {'b': 'c'}\n"
        "assert not {'logging', 'json'} & (set(sys.modules) - bare)\n"
        "import json, logging\nassert logging.getLogger('x').name == 'x'\nassert json.loads('[1]') == [1]\n"
        "from dockerfile_parse import DockerfileParser\n"
        'assert DockerfileParser.json.fget(reader) == \'[{"FROM": "a"}, {"ENV": "b c"}]\'\n'
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_with_logging_loaded_already_its_messages_are_silenced() -> None:
    script = (
        "import logging\nlogging.basicConfig(level=0)\n"
        "from dfopt.second_reader import _reader\n_reader('FROM a\\nENV b c\\n').envs\n"
    )
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert done.stderr == ""
