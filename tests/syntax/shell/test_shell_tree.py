"""The shapes of commands: what the tree says beyond its spans."""

from __future__ import annotations

import pytest
from syntax.shell.valid_bodies import VALID

from dfopt.syntax.shell import ShellSyntaxError, nodes, parse_shell
from dfopt.syntax.shell.nodes import (
    AndOr,
    ArithmeticCommand,
    ArithmeticFor,
    BraceGroup,
    Case,
    Coproc,
    For,
    Function,
    If,
    Node,
    Pipeline,
    Redirect,
    Script,
    SimpleCommand,
    Subshell,
    While,
)
from dfopt.syntax.shell.walk import iter_nodes


def brief(node: Node | None) -> object:
    """A command as nested lists, with the words' values."""
    match node:
        case None:
            return None
        case Script():
            return [(brief(item.command), item.terminator) for item in node.items]
        case SimpleCommand():
            return " ".join(str(word.value) for word in node.words)
        case AndOr():
            return ("and-or", [brief(item) for item in node.items], node.ops)
        case Pipeline():
            marks = "!" * node.negated + "time" * node.timed
            return ("pipe", [brief(item) for item in node.commands], node.ops, marks)
        case Subshell():
            return ("subshell", brief(node.body))
        case BraceGroup():
            return ("group", brief(node.body))
        case If():
            return ("if", [(brief(test), brief(then)) for test, then in node.branches], brief(node.otherwise))
        case For():
            words = None if node.words is None else [word.value for word in node.words]
            return ("select" if node.select else "for", node.name, words, brief(node.body))
        case ArithmeticFor():
            return ("for((", node.header, brief(node.body))
        case While():
            return ("until" if node.until else "while", brief(node.condition), brief(node.body))
        case Case():
            items = [([p.value for p in i.patterns], brief(i.body), i.terminator) for i in node.items]
            return ("case", node.subject.value, items)
        case Function():
            return ("function", node.name, brief(node.body), node.keyword)
        case nodes.Test():
            return ("test", [word.value for word in node.words])
        case ArithmeticCommand():
            return ("((", node.text)
        case Coproc():
            return ("coproc", node.name, brief(node.command))
    raise AssertionError(node)


A = [("a", "")]


@pytest.mark.parametrize(
    ("body", "tree"),
    [
        pytest.param("", [], id="empty"),
        pytest.param("a", A, id="one"),
        pytest.param("a; b & c\nd", [("a", ";"), ("b", "&"), ("c", "\n"), ("d", "")], id="list"),
        pytest.param("a;\n", [("a", ";")], id="semicolon-newline"),
        pytest.param("a && b || c", [(("and-or", ["a", "b", "c"], ("&&", "||")), "")], id="and-or"),
        pytest.param("a && b; c", [(("and-or", ["a", "b"], ("&&",)), ";"), ("c", "")], id="and-or-list"),
        pytest.param("a | b |& c", [(("pipe", ["a", "b", "c"], ("|", "|&"), ""), "")], id="pipe"),
        pytest.param("! a", [(("pipe", ["a"], (), "!"), "")], id="not"),
        pytest.param("! ! a | b", [(("pipe", ["a", "b"], ("|",), ""), "")], id="not-not"),
        pytest.param("time -p ! a", [(("pipe", ["a"], (), "!time"), "")], id="time-not"),
        pytest.param(
            "a | b && ! c",
            [(("and-or", [("pipe", ["a", "b"], ("|",), ""), ("pipe", ["c"], (), "!")], ("&&",)), "")],
            id="pipes-in-and-or",
        ),
        pytest.param("(a)", [(("subshell", A), "")], id="subshell"),
        pytest.param("( (a) )", [(("subshell", [(("subshell", A), "")]), "")], id="subshells"),
        pytest.param(
            "((a);(a))", [(("subshell", [(("subshell", A), ";"), (("subshell", A), "")]), "")], id="not-arith"
        ),
        pytest.param("((a))", [(("((", "a"), "")], id="arithmetic"),
        pytest.param("{ a; }", [(("group", [("a", ";")]), "")], id="group"),
        pytest.param(
            "if a; then b; elif c; then d; else e; fi",
            [(("if", [([("a", ";")], [("b", ";")]), ([("c", ";")], [("d", ";")])], [("e", ";")]), "")],
            id="if",
        ),
        pytest.param("for x in a 'b c'; do d\ndone", [(("for", "x", ["a", "b c"], [("d", "\n")]), "")], id="for"),
        pytest.param("for x do a; done", [(("for", "x", None, [("a", ";")]), "")], id="for-arguments"),
        pytest.param("for x in; do a; done", [(("for", "x", [], [("a", ";")]), "")], id="for-nothing"),
        pytest.param("select x in a; do b; done", [(("select", "x", ["a"], [("b", ";")]), "")], id="select"),
        pytest.param("for ((i=0;i<1;)); do a; done", [(("for((", "i=0;i<1;", [("a", ";")]), "")], id="for-arithmetic"),
        pytest.param("while a; do b; done", [(("while", [("a", ";")], [("b", ";")]), "")], id="while"),
        pytest.param("until a; do b; done", [(("until", [("a", ";")], [("b", ";")]), "")], id="until"),
        pytest.param(
            "case a in b|'*') c;; (*) ;& d) e; esac",
            [(("case", "a", [(["b", "*"], [("c", "")], ";;"), ([None], [], ";&"), (["d"], [("e", ";")], "")]), "")],
            id="case",
        ),
        pytest.param("f() (a)", [(("function", "f", ("subshell", A), False), "")], id="function"),
        pytest.param("function f\n(a)", [(("function", "f", ("subshell", A), True), "")], id="function-keyword"),
        pytest.param("f () (a); b", [(("function", "f", ("subshell", A), False), ";"), ("b", "")], id="function-list"),
        pytest.param(
            "[[ ! -f a && (b<c) ]]", [(("test", ["!", "-f", "a", "&&", "(", "b", "<", "c", ")"]), "")], id="test"
        ),
        pytest.param("coproc x (a)", [(("coproc", "x", ("subshell", A)), "")], id="coproc-name"),
        pytest.param("coproc a b", [(("coproc", None, "a b"), "")], id="coproc"),
        pytest.param("echo if", [("echo if", "")], id="reserved-argument"),
        pytest.param("'if' a", [("if a", "")], id="reserved-quoted"),
        pytest.param("A=1 if", [("if", "")], id="reserved-behind-assignment"),
        pytest.param("a | time b", [(("pipe", ["a", "time b"], ("|",), ""), "")], id="time-behind-bar"),
        pytest.param("a\r; b", [("a\r", ";"), ("b", "")], id="carriage-return"),
    ],
)
def test_tree(body: str, tree: object) -> None:
    assert brief(parse_shell(body).script) == tree


def redirects(body: str) -> list[Redirect]:
    return [node for node in iter_nodes(parse_shell(body).script) if isinstance(node, Redirect)]


@pytest.mark.parametrize(
    ("body", "found"),
    [
        pytest.param("a >b", [("", ">", "b")], id="output"),
        pytest.param("a 2>>b <c", [("2", ">>", "b"), ("", "<", "c")], id="two"),
        pytest.param("a 2>&1 >&-", [("2", ">&", "1"), ("", ">&", "-")], id="duplicates"),
        pytest.param("a &>b 3<>c >|d", [("", "&>", "b"), ("3", "<>", "c"), ("", ">|", "d")], id="rare"),
        pytest.param("a2>b", [("", ">", "b")], id="digit-of-a-word"),
        pytest.param("a 2 >b", [("", ">", "b")], id="digit-apart"),
        pytest.param("a {x}>b", [("{x}", ">", "b")], id="name"),
        pytest.param("a <<<'b c'", [("", "<<<", "b c")], id="here-string"),
        pytest.param("{ a >b; } 2>c", [("", ">", "b"), ("2", ">", "c")], id="compound"),
    ],
)
def test_redirects(body: str, found: list[tuple[str, str, str]]) -> None:
    assert [(r.fd, r.op, r.target.value) for r in redirects(body)] == found


@pytest.mark.parametrize(
    ("body", "found"),
    [
        pytest.param("a <<E\nb\nE\n", [("<<", "E", "b\n", False, True)], id="plain"),
        pytest.param("a <<E\nE", [("<<", "E", "", False, True)], id="empty"),
        pytest.param("a <<'E F'\n$b\nE F\n", [("<<", "E F", "$b\n", True, True)], id="quoted"),
        pytest.param("a <<E\\F\nb\nEF\n", [("<<", "EF", "b\n", True, True)], id="escaped"),
        pytest.param("a <<-E\n\tb\n\tE\nc", [("<<-", "E", "\tb\n", False, True)], id="tabs"),
        pytest.param("a <<E\n\tE\nE", [("<<", "E", "\tE\n", False, True)], id="tabs-count"),
        pytest.param(
            "a <<A <<B\n1\nA\n2\nB\n", [("<<", "A", "1\n", False, True), ("<<", "B", "2\n", False, True)], id="two"
        ),
        pytest.param("a <<E\nb", [("<<", "E", "b", False, False)], id="unterminated"),
        pytest.param("a <<E", [("<<", "E", "", False, False)], id="no-body"),
        pytest.param("a <<E\nb\\\nE\nE", [("<<", "E", "b\\\nE\n", False, True)], id="continued"),
        pytest.param("a <<'E'\nb\\\nE\nE", [("<<", "E", "b\\\n", True, True)], id="continued-quoted"),
        pytest.param("a <<E\nb\\\\\nE\n", [("<<", "E", "b\\\\\n", False, True)], id="escaped-backslash"),
        pytest.param("a <<E\n E\nE \nE\n", [("<<", "E", " E\nE \n", False, True)], id="blanks-count"),
        pytest.param("a <<E\nb\r\nE\r\nE\n", [("<<", "E", "b\r\nE\r\n", False, True)], id="carriage-returns-count"),
        pytest.param("$(a <<E\nb\nE\n)", [("<<", "E", "b\n", False, True)], id="in-substitution"),
        pytest.param("a <<$b\nc\n$b\n", [("<<", "$b", "c\n", False, True)], id="dollar"),
    ],
)
def test_here_documents(body: str, found: list[tuple[str, str, str, bool, bool]]) -> None:
    assert [(r.op, r.target.value, r.body, r.quoted, r.terminated) for r in redirects(body)] == found


def test_expansions_of_here_documents() -> None:
    [document] = redirects("a <<E\n$b \\$c ${d:-$e} $(f \"$g\") `h` 'i $j'\nE\n")
    assert [type(part).__name__ for part in document.parts] == [
        "Parameter", "Parameter", "CommandSub", "CommandSub", "Parameter"
    ]  # fmt: skip
    [document] = redirects("a <<'E'\n$b $(\nE\n")
    assert document.parts == ()


def test_comments() -> None:
    program = parse_shell("#a\nb #c\n{ d; #e\n}\nx $(#f\n) y#z # g")
    assert [program.text[start:end] for start, end in program.script.comments] == ["#a", "#c", "#e", "#f", "# g"]


BASHISMS = {
    "test": "[[ a ]]",
    "arith-command": "((a))",
    "arith-for": "for ((;;)); do a; done",
    "array": "a=(b)",
    "function-keyword": "function f { a; }",
    "ansi-quote": "a $'b'",
    "here-string": "a <<<b",
    "process-substitution": "a <(b)",
    "amp-redirect": "a &>b",
    "pipe-amp": "a |& b",
    "select": "select x in a; do b; done",
    "coproc": "coproc a",
    "case-fallthrough": "case a in b) c;& d) e; esac",
    "parameter-op": "a ${b//c}",
    "append-assign": "a+=b",
    "brace-expansion": "a {b,c}",
    "extglob": "a @(b)",
    "time": "time a",
    "locale-quote": 'a $"b"',
    "arith-bracket": "a $[1]",
    "fd-variable": "a {b}>c",
    "function-name": "a-b() { c; }",
    "brace-loop": "for x in a; { b; }",
    "repeated-bang": "! ! a",
    "substitution-subshell": "a $((b); c)",
}


@pytest.mark.parametrize("kind", BASHISMS)
def test_bashism(kind: str) -> None:
    assert [found for _, found in parse_shell(BASHISMS[kind]).bashisms] == [kind]


@pytest.mark.parametrize(
    ("body", "found"),
    [
        pytest.param("a ${b:-c} $((1)) `d` && ! e | f", [], id="none"),
        pytest.param("a '[[' \"$'\" \\{b,c} {} [ ]", [], id="quoted"),
        pytest.param("A={b,c} B=(", None, id="refused"),
        pytest.param("A={b,c}", [], id="braces-in-assignment"),
        pytest.param("a >&b; a >&2; a >&$b", [(2, "amp-redirect")], id="redirect-both"),
        pytest.param("a[1]=b", [(0, "array")], id="member"),
        pytest.param("a ${b[1]}", [(2, "array")], id="member-used"),
        pytest.param("a `b \\`[[ c ]]\\``", [(2, "test")], id="in-nested-backquotes"),
        pytest.param("a `[[ b ]]`", [(3, "test")], id="in-backquotes"),
        pytest.param("[[ a ]] && b <(c)", [(0, "test"), (13, "process-substitution")], id="in-order"),
        pytest.param("((a); b <(c))", [(8, "process-substitution")], id="once"),
        pytest.param("a <<E\n$[1]\nE\n", [(6, "arith-bracket")], id="in-here-document"),
    ],
)
def test_bashisms(body: str, found: list[tuple[int, str]] | None) -> None:
    if found is None:
        with pytest.raises(ShellSyntaxError):
            parse_shell(body)
    else:
        assert list(parse_shell(body).bashisms) == found


@pytest.mark.parametrize(
    ("body", "message", "offset"),
    [
        pytest.param("a &&", "unexpected end of the text, expected a command after '&&'", 4, id="and"),
        pytest.param("if a; fi", "unexpected 'fi', expected 'then'", 6, id="if"),
        pytest.param("a; ;; b", "unexpected ';;', expected the end of a command", 3, id="terminator"),
        pytest.param("echo 'a", "unterminated single quote", 5, id="quote"),
        pytest.param('echo "a', "unterminated double quote", 5, id="double-quote"),
        pytest.param("a $(b", "unexpected end of the text, expected ')'", 5, id="substitution"),
        pytest.param("a >\nb", "unexpected newline, expected a word", 3, id="redirect"),
        pytest.param("for x in a; b", "unexpected 'b', expected 'do'", 12, id="for"),
        pytest.param("a ${b", "'}' is missing", 2, id="brace"),
        pytest.param("x `a && `", "unexpected end of the text, expected a command after '&&'", 8, id="backquotes"),
        pytest.param("x `a \\`&&\\``", "in backquotes: unexpected '&&', expected the end of a command", 2, id="nested"),
    ],
)
def test_messages(body: str, message: str, offset: int) -> None:
    with pytest.raises(ShellSyntaxError) as caught:
        parse_shell(body)
    assert (caught.value.message, caught.value.offset) == (message, offset)
    assert str(caught.value) == message


def test_parsing_has_no_memory() -> None:
    """A body's tree is the same whatever was parsed before it, and a refusal leaves nothing behind."""
    first = {name: parse_shell(body) for name, body in VALID.items()}
    with pytest.raises(ShellSyntaxError):
        parse_shell("a <<E `b")
    assert {name: parse_shell(body) for name, body in reversed(VALID.items())} == first
