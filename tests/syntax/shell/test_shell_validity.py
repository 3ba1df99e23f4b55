"""What the parser accepts, judged by bash and dash."""

from __future__ import annotations

import random
import shutil
import sys

import pytest
from syntax.shell.refused_bodies import EXTENDED, INVALID, STRICTER
from syntax.shell.shell_oracles import accepted, mutated, parsed
from syntax.shell.valid_bodies import VALID

from dfopt.syntax.shell import ShellProgram, ShellSyntaxError, parse_shell


def table(bodies: dict[str, str]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("body", bodies.values(), ids=bodies.keys())


@table(VALID)
def test_valid(body: str, bash: dict[str, bool]) -> None:
    assert bash[body]
    assert parse_shell(body).text == body


@table(INVALID)
def test_invalid(body: str, bash: dict[str, bool]) -> None:
    assert not bash[body]
    with pytest.raises(ShellSyntaxError) as caught:
        parse_shell(body)
    assert 0 <= caught.value.offset <= len(body)
    assert caught.value.message


@table({name: body for name, (body, _) in STRICTER.items()})
def test_stricter_than_bash(body: str, bash: dict[str, bool]) -> None:
    assert bash[body]
    with pytest.raises(ShellSyntaxError):
        parse_shell(body)


@table(EXTENDED)
def test_extended_globs(body: str, bash: dict[str, bool]) -> None:
    assert not bash[body]
    assert "extglob" in [kind for _, kind in parse_shell(body).bashisms]


def test_extended_globs_are_what_bash_reads_with_extglob() -> None:
    bash = shutil.which("bash") or pytest.skip("bash is missing")
    assert all(accepted([bash, "-O", "extglob"], list(EXTENDED.values())))


@table(VALID)
def test_what_dash_refuses_is_a_bashism(body: str, dash: dict[str, bool]) -> None:
    if not parse_shell(body).bashisms:
        assert dash[body]


@pytest.mark.parametrize("seed", range(4))
def test_broken_bodies(seed: int, bash: dict[str, bool]) -> None:
    """Of bodies with characters lost, put in or swapped dfopt takes none that bash does not."""
    del bash  # skips or fails where there is none
    whole = list(mutated(list(VALID.values()), 150, random.Random(seed)))
    taken = [body for body in whole if isinstance(parsed(body), ShellProgram)]
    assert len(taken) > 30
    wrong = [body for body, judged in zip(taken, accepted(["bash", "-O", "extglob"], taken), strict=True) if not judged]
    assert wrong == []


DEEP = {
    "subshells": "(",
    "groups": "{ ",
    "substitutions": "$(",
    "quoted-substitutions": '"$(',
    "parameters": "${a:-",
    "quoted-parameters": '"${a:-',
    "process-substitutions": "<(",
    "arithmetic": "$(( ",
    "brackets": "$[ ",
    "ifs": "if ",
    "loops": "while a; do ",
    "functions": "f() { ",
    "cases": "case a in b) ",
    "conditions": "[[ ( ",
    "arrays": "a=( $(",
    "subscripts": "a[$(",
    "extended-globs": "a @($(",
    "double-parentheses": "((",
}


@pytest.mark.parametrize("piece", DEEP.values(), ids=DEEP.keys())
@pytest.mark.parametrize("count", [50, 5000])
def test_deep_nesting_is_a_syntax_error(piece: str, count: int) -> None:
    with pytest.raises(ShellSyntaxError):
        parse_shell(piece * count)


@pytest.mark.parametrize(
    "body",
    ["(" * 30 + " a " + ")" * 30, "$(" * 30 + "a" + ")" * 30, '"${a:-' * 30 + "b" + '}"' * 30, "! " * 900 + "a"],
    ids=["subshells", "substitutions", "parameters", "bangs"],
)
def test_some_nesting_is_fine(body: str) -> None:
    program = parse_shell(body)
    assert repr(program)
    assert program == parse_shell(body)
    assert hash(program)


def test_little_stack_is_a_syntax_error_too() -> None:
    body = "$(" * 30 + "a" + ")" * 30

    def deeper(left: int) -> None:
        if left:
            deeper(left - 1)
        else:
            parse_shell(body)

    def closer() -> None:
        """Approaches the end of the stack in steps smaller than what the parser needs."""
        for left in range(100, sys.getrecursionlimit(), 20):
            deeper(left)

    with pytest.raises((ShellSyntaxError, RecursionError)) as caught:
        closer()
    assert caught.type is ShellSyntaxError


@pytest.mark.parametrize(
    "body",
    ["`" + "a" * 5000, "echo $'" + "b" * 5000, 'cat <<"' + "c" * 5000, "'" + "\\x" * 5000, "a" * 5000 + "\\" * 4999],
    ids=["backquote", "ansi-quote", "delimiter", "single-quote", "backslashes"],
)
def test_long_unterminated_texts_are_refused(body: str) -> None:
    """They would take for ever if a pattern could match them in more than one way."""
    with pytest.raises(ShellSyntaxError):
        parse_shell(body)
