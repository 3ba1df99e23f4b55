"""What words are made of, and their values as the shells see them."""

from __future__ import annotations

import random
import subprocess

import pytest
from syntax.shell.shell_oracles import mutated, parsed
from syntax.shell.valid_bodies import VALID

from dfopt.syntax.shell import ShellProgram, parse_shell
from dfopt.syntax.shell.nodes import (
    AnsiQuoted,
    Arithmetic,
    Assignment,
    CommandSub,
    DoubleQuoted,
    ExtGlob,
    Literal,
    Node,
    Parameter,
    ProcessSub,
    SimpleCommand,
    SingleQuoted,
    Word,
)
from dfopt.syntax.shell.walk import iter_nodes


def simple(body: str) -> SimpleCommand:
    [item] = parse_shell(body).script.items
    assert isinstance(item.command, SimpleCommand)
    return item.command


def word(source: str) -> Word:
    """The word that `source` is, as an argument."""
    _, found = simple(f"x {source}").words
    return found


def brief(part: Node) -> object:
    """A part without its span."""
    match part:
        case Literal() | SingleQuoted() | AnsiQuoted():
            return f"{type(part).__name__[0]}:{part.value}"
        case Parameter():
            return f"${part.name}"
        case DoubleQuoted():
            return [brief(inner) for inner in part.parts]
        case _:
            return type(part).__name__


@pytest.mark.parametrize(
    ("source", "parts"),
    [
        pytest.param("abc", ["L:abc"], id="literal"),
        pytest.param("a\\ b\\\\", ["L:a b\\"], id="escapes"),
        pytest.param("'a b'", ["S:a b"], id="single"),
        pytest.param('""', [[]], id="empty-double"),
        pytest.param('"a $b c"', [["L:a ", "$b", "L: c"]], id="double"),
        pytest.param('"\\$a \\x \\" \\`"', [['L:$a \\x " `']], id="double-escapes"),
        pytest.param('"a\\\nb"', [["L:ab"]], id="double-continuation"),
        pytest.param("a'b'\"c\"$d", ["L:a", "S:b", ["L:c"], "$d"], id="mixed"),
        pytest.param("$a/$b.tgz", ["$a", "L:/", "$b", "L:.tgz"], id="parameters-glued"),
        pytest.param("${a}b$10", ["$a", "L:b", "$1", "L:0"], id="digits"),
        pytest.param("${10}$@", ["$10", "$@"], id="special"),
        pytest.param("$'a\\'b'c", ["A:a'b", "L:c"], id="ansi"),
        pytest.param("a$", ["L:a$"], id="dollar"),
        pytest.param('"$"a', [["L:$"], "L:a"], id="dollar-quoted"),
        pytest.param("`a`$(b)$((c))<(d)", ["CommandSub", "CommandSub", "Arithmetic", "ProcessSub"], id="substitutions"),
        pytest.param("a!(b|c)d", ["L:a", "ExtGlob", "L:d"], id="extglob"),
        pytest.param("a\\\nb", ["L:ab"], id="continuation"),
        pytest.param("\u00a0\r", ["L:\u00a0\r"], id="not-blanks"),
        pytest.param("a#b", ["L:a#b"], id="hash"),
    ],
)
def test_parts(source: str, parts: list[object]) -> None:
    assert [brief(part) for part in word(source).parts] == parts


@pytest.mark.parametrize(
    ("source", "value"),
    [
        pytest.param("abc", "abc", id="literal"),
        pytest.param("'a b'\"c d\"\\ e", "a bc d e", id="quotes"),
        pytest.param("''", "", id="empty"),
        pytest.param("[", "[", id="bracket"),
        pytest.param("[[", "[[", id="brackets"),
        pytest.param("a[b", "a[b", id="open-bracket"),
        pytest.param("[]", "[]", id="empty-brackets"),
        pytest.param("{}", "{}", id="braces"),
        pytest.param("{a}", "{a}", id="braces-one"),
        pytest.param("{a,b", "{a,b", id="open-brace"),
        pytest.param("{a..bc}", "{a..bc}", id="no-sequence"),
        pytest.param("'{a,b}'", "{a,b}", id="quoted-braces"),
        pytest.param("{a','b}", "{a,b}", id="quoted-comma"),
        pytest.param("'*'\\?\"[a]\"", "*?[a]", id="quoted-globs"),
        pytest.param("a~", "a~", id="tilde-inside"),
        pytest.param("'~'", "~", id="tilde-quoted"),
        pytest.param("--a=~/b", "--a=~/b", id="tilde-in-option"),
        pytest.param("!", "!", id="bang"),
        pytest.param("a=b", "a=b", id="equals"),
        pytest.param("$'\\x41\\102\\t'", "AB\t", id="ansi"),
        pytest.param("$'\\xc3\\xa9\\u00e9\\U1f40b\\cA\\e\\q'", "\u00e9\u00e9\U0001f40b\x01\x1b\\q", id="ansi-bytes"),
        pytest.param("$'\\xff'", "\udcff", id="ansi-no-utf8"),
        pytest.param("$'a\\0b'", "a", id="ansi-nul"),
        pytest.param("*", None, id="star"),
        pytest.param("a?", None, id="question"),
        pytest.param("[ab]", None, id="class"),
        pytest.param('["a"]', None, id="class-quoted"),
        pytest.param("{a,b}", None, id="brace-expansion"),
        pytest.param("a{b,{c,d}}", None, id="brace-nested"),
        pytest.param("{{a,b}", None, id="brace-inner"),
        pytest.param("{1..3}", None, id="sequence"),
        pytest.param("{a..e..2}", None, id="sequence-letters"),
        pytest.param("{a,'b c'}", None, id="brace-quoted-member"),
        pytest.param("{$a,b}", None, id="brace-parameter"),
        pytest.param("~/a", None, id="tilde"),
        pytest.param("~", None, id="tilde-alone"),
        pytest.param("a=~/b", None, id="tilde-behind-equals"),
        pytest.param("a=b:~/c", None, id="tilde-behind-colon"),
        pytest.param("$a", None, id="parameter"),
        pytest.param('"$a"', None, id="parameter-quoted"),
        pytest.param("a$(b)", None, id="substitution"),
        pytest.param("`a`", None, id="backquotes"),
        pytest.param("$((1))", None, id="arithmetic"),
        pytest.param('$"a"', None, id="translated"),
        pytest.param("@(a)", None, id="extglob"),
    ],
)
def test_value(source: str, value: str | None) -> None:
    assert word(source).value == value


@pytest.mark.parametrize(
    ("body", "value"),
    [
        pytest.param("A=", "", id="empty"),
        pytest.param("A=*", "*", id="glob"),
        pytest.param("A={b,c}", "{b,c}", id="braces"),
        pytest.param("A=[b]", "[b]", id="class"),
        pytest.param("A=#b", "#b", id="hash"),
        pytest.param("A='b c'd", "b cd", id="quotes"),
        pytest.param("A=b=c", "b=c", id="equals"),
        pytest.param("A=~", None, id="tilde"),
        pytest.param("A=b:~/c", None, id="tilde-behind-colon"),
        pytest.param("A=b~", "b~", id="tilde-inside"),
        pytest.param("A=$b", None, id="parameter"),
    ],
)
def test_value_of_an_assignment(body: str, value: str | None) -> None:
    [assignment] = simple(body).assignments
    assert assignment.value is not None
    assert assignment.value.value == value
    assert (assignment.name, assignment.op) == ("A", "=")


def test_flags_of_literals() -> None:
    def flags(source: str) -> list[tuple[bool, bool, bool]]:
        return [(p.globs, p.braces, p.tilde) for p in word(source).parts if isinstance(p, Literal)]

    assert flags("abc") == [(False, False, False)]
    assert flags("*\\?") == [(True, False, False)]
    assert flags("\\*") == [(False, False, False)]
    assert flags("{a,b}") == [(False, True, False)]
    assert flags("{}") == [(False, False, False)]
    assert flags("~/*") == [(True, False, True)]
    assert flags('a"b"*') == [(False, False, False), (True, False, False)]


@pytest.mark.parametrize(
    ("source", "fields"),
    [
        pytest.param("$a", ("a", "", "", "", None), id="plain"),
        pytest.param("${a}", ("a", "", "", "", None), id="braced"),
        pytest.param("${a:-b c}", ("a", ":-", "b c", "", None), id="default"),
        pytest.param("${a-}", ("a", "-", "", "", None), id="empty-default"),
        pytest.param("${a%%:*}", ("a", "%%", ":*", "", None), id="longest-suffix"),
        pytest.param("${a#b}", ("a", "#", "b", "", None), id="prefix"),
        pytest.param("${a#}", ("a", "#", "", "", None), id="empty-prefix"),
        pytest.param("${#a}", ("a", "#", "", "#", None), id="length"),
        pytest.param("${#}", ("#", "", "", "", None), id="count"),
        pytest.param("${##}", ("#", "#", "", "#", None), id="length-of-count"),
        pytest.param("${#:-a}", ("#", ":-", "a", "", None), id="count-default"),
        pytest.param("${#a[@]}", ("a", "#", "", "#", "@"), id="array-length"),
        pytest.param("${a[b c]}", ("a", "", "", "", "b c"), id="member"),
        pytest.param("${a[@]:1:2}", ("a", ":", "1:2", "", "@"), id="slice"),
        pytest.param("${!a}", ("a", "!", "", "!", None), id="indirect"),
        pytest.param("${!a:-b}", ("a", ":-", "b", "!", None), id="indirect-default"),
        pytest.param("${!a@}", ("a", "!", "@", "!", None), id="names"),
        pytest.param("${!}", ("!", "", "", "", None), id="background-pid"),
        pytest.param("${!:-a}", ("!", ":-", "a", "", None), id="background-pid-default"),
        pytest.param("${!#}", ("#", "!", "", "!", None), id="last-argument"),
        pytest.param("${a//b/c}", ("a", "//", "b/c", "", None), id="replace-all"),
        pytest.param("${a/#b}", ("a", "/", "#b", "", None), id="replace-prefix"),
        pytest.param("${a^^}", ("a", "^^", "", "", None), id="upper"),
        pytest.param("${a@Q}", ("a", "@", "Q", "", None), id="transform"),
        pytest.param("${@:2}", ("@", ":", "2", "", None), id="arguments-from"),
        pytest.param('${a:-"}"}', ("a", ":-", '"}"', "", None), id="quoted-brace"),
        pytest.param("${a:-\\}}", ("a", ":-", "\\}", "", None), id="escaped-brace"),
    ],
)
def test_parameter(source: str, fields: tuple[str, str, str, str, str | None]) -> None:
    [part] = word(source).parts
    assert isinstance(part, Parameter)
    assert (part.name, part.op, part.argument, part.prefix, part.index) == fields
    [quoted] = word(f'"{source}"').parts
    assert isinstance(quoted, DoubleQuoted)
    [part] = quoted.parts
    assert isinstance(part, Parameter)
    assert (part.name, part.op, part.argument, part.prefix, part.index) == fields


def test_expansions_inside_kept_text_are_found() -> None:
    def inside(source: str) -> list[object]:
        [part] = word(source).parts
        assert isinstance(part, (Parameter, Arithmetic, ExtGlob))
        return [brief(inner) for inner in part.parts]

    assert inside("${a:-$b \"$c\" '$d' $(e) `f`}") == ["$b", "$c", "CommandSub", "CommandSub"]
    assert inside("${a[$b]:-$c}") == ["$b", "$c"]
    assert inside('$(( $a + ${b} + "$c" + $(d) ))') == ["$a", "$b", "$c", "CommandSub"]
    assert inside("@(a|$b)") == ["$b"]
    assert inside("${a:-<(b)}") == ["ProcessSub"]


def test_substitutions_hold_their_scripts() -> None:
    body = "x $(a; b) `c` <(d) `e \\`f\\``"
    _, dollar, back, process, nested = (w.parts[0] for w in simple(body).words)
    assert isinstance(dollar, CommandSub)
    assert dollar.body is not None
    assert [body[item.start : item.end] for item in dollar.body.items] == ["a", "b"]
    assert isinstance(back, CommandSub)
    assert back.backquoted
    assert back.body is not None
    assert body[back.body.start : back.body.end] == "c"
    assert isinstance(process, ProcessSub)
    assert process.direction == "<"
    assert isinstance(nested, CommandSub)
    assert nested.body is None


def test_assignments() -> None:
    one, two, three, four = simple("A=1 B+=2 C[$x]=3 D=(4 '5 6')").assignments
    assert (one.name, one.op, one.index, one.array) == ("A", "=", None, None)
    assert (two.name, two.op) == ("B", "+=")
    assert (three.index, [brief(part) for part in three.parts]) == ("$x", ["$x"])
    assert four.value is None
    assert four.array is not None
    assert [member.value for member in four.array] == ["4", "5 6"]


# --- the shells' own opinion of values ---


def constants(program: ShellProgram) -> list[str]:
    """Sources of the arguments that have a value."""
    return [
        program.text[argument.start : argument.end]
        for node in iter_nodes(program.script)
        if isinstance(node, SimpleCommand)
        for argument in node.words
        if argument.value is not None
    ]


def safe(source: str) -> bool:
    """Nothing that could run, whatever the parser thinks of it."""
    return not any(sign in source for sign in ("$(", "`", "<(", ">(", "\udcff"))


@pytest.mark.parametrize("shell", ["bash", "dash"])
@pytest.mark.parametrize("seed", range(3))
def test_values_are_what_the_shell_makes(shell: str, seed: int, request: pytest.FixtureRequest) -> None:
    request.getfixturevalue(shell)
    bodies = [*VALID.values(), *mutated(list(VALID.values()), 500, random.Random(seed))]
    programs = [program for program in map(parsed, bodies) if isinstance(program, ShellProgram)]
    sources = sorted({source for program in programs for source in constants(program) if safe(source)})
    if shell == "dash":
        sources = [source for source in sources if "$'" not in source]
    assert len(sources) > 250
    script = "printf '%s\\0' " + " ".join(sources)
    done = subprocess.run([shell, "-c", script], capture_output=True, check=True, cwd="/")
    made = done.stdout.decode("utf-8", "surrogateescape").split("\0")[:-1]
    assert made == [word(source).value for source in sources]


def test_values_of_assignments_are_what_the_shell_makes(bash: dict[str, bool]) -> None:
    del bash
    sources = [
        body.partition("=")[2]
        for program in (parse_shell(body) for body in VALID.values())
        for node in iter_nodes(program.script)
        if isinstance(node, Assignment) and node.value is not None and node.value.value is not None and not node.index
        for body in [program.text[node.start : node.end]]
    ]
    sources = sorted({source for source in sources if safe(source)})
    assert len(sources) > 10
    script = "\n".join(f"A={source}\nprintf '%s\\0' \"$A\"" for source in sources)
    done = subprocess.run(["bash", "-c", script], capture_output=True, check=True, cwd="/")
    expected = []
    for source in sources:
        [assignment] = simple(f"A={source}").assignments
        assert assignment.value is not None
        expected.append(assignment.value.value)
    assert done.stdout.decode("utf-8", "surrogateescape").split("\0")[:-1] == expected
