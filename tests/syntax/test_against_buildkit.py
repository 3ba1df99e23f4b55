"""Our Dockerfile parser beside BuildKit's own, file by file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle_client import Oracle
from random_examples import examples

from dfopt.source import LineIndex, decode
from dfopt.syntax.dockerfile import parse
from dfopt.syntax.tree import Dockerfile, DockerfileError, Instruction
from dfopt.syntax.validate import KEYWORDS

ADVERSARIAL = Path(__file__).parents[1] / "cases" / "adversarial"

_INSTRUCTION_ERROR = re.compile(r"dockerfile parse error on line \d+: ")
# for these BuildKit counts the lines before the one that it means
_LINE_BEFORE = re.compile(r"only one \w+ parser directive|invalid escape token|dockerfile line greater than max")
_NOWHERE = "file with no instructions"  # an error of the whole file, on no line of it
_SUGGESTION = re.compile(r" \(did you mean [^)]*\?\)")


def as_go(text: str) -> str:
    """Undecodable bytes as the oracle's JSON shows them."""
    return re.sub("[\udc80-\udcff]", "\ufffd", text)


# --- one common view of both trees -----------------------------------------------------------------------------------


def our_arguments(node: Instruction) -> list[str]:
    if node.keyword == "ARG":
        return [pair.name if pair.value is None else f"{pair.name}={pair.value}" for pair in node.pairs]
    if node.form in ("pairs", "legacy"):
        return [text for pair in node.pairs for text in (pair.name, pair.value or "")]
    return ([node.kind] if node.kind else []) + [argument.value for argument in node.arguments]


def our_node(node: Instruction) -> dict[str, Any]:
    return {
        "keyword": as_go(node.keyword),
        "flags": [f"--{flag.name}" + ("" if flag.value is None else f"={as_go(flag.value)}") for flag in node.flags],
        "arguments": [as_go(value) for value in our_arguments(node)],
        "json": node.form == "json",
        "nested": our_node(node.nested) if node.nested is not None else None,
    }


def our_view(tree: Dockerfile) -> dict[str, Any]:
    return {
        "escape": tree.escape,
        "empty continuation lines": sum(bool(node.empty_lines) for node in tree.instructions),
        "instructions": [
            our_node(node)
            | {
                "lines": (node.line, node.last),
                "joined": as_go(node.joined.text),
                "heredocs": [
                    {
                        "name": as_go(doc.name),
                        "content": as_go(tree.text[doc.start : doc.end]),
                        "expand": doc.expand,
                        "chomp": doc.chomp,
                        "fd": doc.fd,
                    }
                    for doc in node.heredocs
                ],
            }
            for node in tree.instructions
        ],
    }


def their_node(node: dict[str, Any]) -> dict[str, Any]:
    # of an instruction that it does not know (only ONBUILD lets one pass) BuildKit keeps one empty argument
    arguments = node.get("args", []) if node["value"].upper() in KEYWORDS else []
    nested = [child for argument in arguments for child in argument.get("children", [])]
    return {
        "keyword": node["value"].upper(),
        "flags": node.get("flags") or [],
        "arguments": [argument["value"] for argument in arguments if not argument.get("children")],
        "json": bool((node.get("attrs") or {}).get("json")),
        "nested": their_node(nested[0]) if nested else None,
    }


def their_view(answer: dict[str, Any]) -> dict[str, Any]:
    return {
        "escape": answer["escape"],
        "empty continuation lines": len(answer.get("warnings") or []),
        "instructions": [
            their_node(node)
            | {
                "lines": (node["start"], node["end"]),
                "joined": node["original"],
                "heredocs": [
                    {
                        "name": doc["Name"],
                        "content": doc["Content"],
                        "expand": doc["Expand"],
                        "chomp": doc["Chomp"],
                        "fd": doc["FileDescriptor"],
                    }
                    for doc in node.get("heredocs") or []
                ],
            }
            for node in answer["ast"]
        ],
    }


def differences(ours: Any, theirs: Any, where: str = "") -> list[str]:
    """Each place where the two views differ, as text."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        return [
            line for key in ours for line in differences(ours[key], theirs[key], f"{where}.{key}" if where else key)
        ]
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        pairs = enumerate(zip(ours, theirs, strict=True))
        return [line for index, (our, their) in pairs for line in differences(our, their, f"{where}[{index}]")]
    return [] if ours == theirs else [f"{where}: {ours!r}, BuildKit: {theirs!r}"]


def compare(oracle: Oracle, source: bytes, known: bytes | None = None) -> list[str]:
    """Every difference between our reading of a file and BuildKit's (of the file, or of `known` in its place)."""
    answer = oracle.parse(known or source)
    text = decode(source)
    message = answer.get("err") or answer.get("inst_err")
    try:
        tree = parse(text)
    except DockerfileError as error:
        if message is None:
            return [f"we refuse it: {error.message}"]
        return compare_errors(answer, message, error.message, LineIndex(text).line(error.offset) + 1)
    found = [] if message is None else [f"we accept it; BuildKit: {_INSTRUCTION_ERROR.sub('', message)}"]
    # where only the instruction parser complains, there still are two trees
    return found + (differences(our_view(tree), their_view(answer)) if "ast" in answer else [])


def compare_errors(answer: dict[str, Any], theirs: str, ours: str, line: int) -> list[str]:
    found = []
    lines = [number for span in answer.get("err_lines") or answer.get("inst_err_lines") or [] for number in span]
    if _LINE_BEFORE.match(theirs):
        lines = [number + 1 for number in lines]
    if theirs != _NOWHERE and not (lines and min(lines) <= line <= max(lines)):
        found.append(f"error line: {line}, BuildKit: {lines} ({theirs})")
    expected = _SUGGESTION.sub("", _INSTRUCTION_ERROR.sub("", theirs))
    if as_go(ours) != expected:
        found.append(f"error: {ours!r}, BuildKit: {expected!r}")
    return found


# --- files -----------------------------------------------------------------------------------------------------------

# Where a later BuildKit than the oracle's (0.13, Dockerfile syntax 1.7) reads a file as we do
LATER = {
    "add_flags": ["we accept it; BuildKit: unknown flag: unpack"],  # since 1.17
    "copy_flags": ["we accept it; BuildKit: unknown flag: parents"],  # since 1.20
    "flags_multi": ["we accept it; BuildKit: unknown flag: security"],  # since 1.20, in the labs channel before
}


CASES = sorted(path.name for path in ADVERSARIAL.iterdir())


def test_cases_are_all_there() -> None:
    assert len(CASES) == 124
    assert set(LATER) <= set(CASES)


@pytest.mark.parametrize("name", CASES)
def test_adversarial(oracle: Oracle, name: str) -> None:
    source = (ADVERSARIAL / name).read_bytes()
    known = None
    if name == "esc_after_check":
        known = source.replace(b"# check=", b"# syntax=")  # a directive since 1.8: shown to 0.13 as one that it knows
        assert known != source
    assert compare(oracle, source, known) == LATER.get(name, [])


def test_buildkits_own_files(oracle: Oracle, buildkit: Path) -> None:
    found = {}
    count = 0
    for folder in ("testfiles", "testfiles-negative", "testfile-line"):
        for path in sorted((buildkit / "parser" / folder).rglob("Dockerfile")):
            count += 1
            if lines := compare(oracle, path.read_bytes()):
                found[str(path.relative_to(buildkit))] = lines
    assert found == {}
    assert count >= 36


# name, source: rules that neither the cases nor BuildKit's files reach
MORE = [
    ("lone_cont_then_indented", b"FROM a\n\\\n  RUN x\n"),
    ("lone_cont_first_line", b"\\\n FROM a\n"),
    ("keyword_and_nbsp", b"FROM a\nCMD\xc2\xa0\n"),
    ("keyword_nbsp_arguments", b"FROM a\nCMD\xc2\xa0x\n"),
    ("blank_byte_before_arguments", b"FROM a\nRUN \xa0--network=none x\n"),
    ("blank_byte_before_words", b"FROM a\nEXPOSE \x85 80\n"),
    ("healthcheck_type_and_line_separator", b"FROM a\nHEALTHCHECK CMD\xe2\x80\xa8 x\n"),
    ("mount_without_value", b"FROM a\nRUN --mount= x\n"),
    ("onbuild_unknown", b"FROM a\nONBUILD FOO bar\n"),
    ("onbuild_heredoc", b"FROM a\nONBUILD COPY <<A <<-B /x/\n$a\nA\n\tb\n\tB\n"),
    ("onbuild_onbuild", b"FROM a\nONBUILD onbuild RUN x\n"),
    ("heredoc_in_cmd", b"FROM a\nCMD <<A\nRUN x\n"),
    ("heredoc_two_of_a_name", b"FROM a\nRUN <<A cat <<A\n1\nA\n2\nA\n"),
    ("heredoc_quoted_blank", b"FROM a\nRUN <<'A B'\nx\nA B\n"),
    ("heredoc_cr_terminator", b"FROM a\nRUN <<A\r\nx\r\nA\r\n"),
    ("heredoc_escape_backtick", b"# escape=`\nFROM a\nRUN <<A`\n && b\nx\nA\n"),
    ("heredoc_default_in_name", b"FROM a\nRUN <<${x:-A}\nx\n${x:-A}\n"),
    ("heredoc_unterminated", b"FROM a\nRUN <<A\nx\n"),
    ("heredoc_unterminated_no_body", b"FROM a\nRUN <<A\n"),
    ("heredoc_unterminated_second", b"FROM a\nRUN <<A <<B\nx\nA\ny\n"),
    ("directive_twice", b"# escape=`\n# escape=`\nFROM a\n"),
    ("directive_escape_bad", b"# syntax=x\n# escape=x\nFROM a\n"),
    ("stage_name_quoted", b"FROM a AS \\x\n"),
    ("env_word_quoted", b'FROM a\nENV a=b \x01"\n'),
    ("no_stage_then_error", b"RUN x\nFROM a b\n"),
    ("instruction_error_then_syntax_error", b"FOO\nFROM a\nENV x\n"),
    ("order_error_then_syntax_error", b"RUN x\nFROM a\nCMD [1]\n"),
    ("instruction_error_then_unterminated", b"FROM a\nFOO\nRUN <<A\n"),
    ("healthcheck_bad_type", b"FROM a\nHEALTHCHECK c\\ x\n"),
    ("healthcheck_none_flags", b"FROM a\nHEALTHCHECK --interval=x NONE\n"),
    ("healthcheck_retries", b"FROM a\nHEALTHCHECK --retries=x CMD y\n"),
    ("healthcheck_interval_short", b"FROM a\nHEALTHCHECK --interval=1us CMD y\n"),
    ("healthcheck_interval_bad", b"FROM a\nHEALTHCHECK --interval=5 CMD y\n"),
    ("flag_value_missing", b"FROM a\nCOPY --from a b\n"),
    ("flag_boolean_bad", b"FROM a\nCOPY --link=yes a b\n"),
    ("flag_twice", b"FROM a\nCOPY --from=b --from=c a b\n"),
    ("flag_unknown_env", b"FROM a\nENV --x=1 a=b\n"),
    ("flag_in_from", b"FROM --platform a\n"),
    ("network_bad", b"FROM a\nRUN --network=x y\n"),
    ("mount_bad_type", b"FROM a\nRUN --mount=type=x,target=/y z\n"),
    ("mount_unknown_key", b"FROM a\nRUN --mount=type=cache,foo=/y z\n"),
    ("mount_no_target", b"FROM a\nRUN --mount=type=cache z\n"),
    ("mount_csv_quote", b'FROM a\nRUN --mount=type=cache,target="/y z\n'),
    ("mount_from_variable", b"FROM a\nRUN --mount=from=$x,target=/y z\n"),
    ("volume_empty", b'FROM a\nVOLUME [""]\n'),
    ("arg_blank", b"ARG =x\nFROM a\n"),
    ("env_blank", b"FROM a\nENV =x\n"),
    ("copy_one", b"FROM a\nCOPY x\n"),
    ("copy_json_one", b'FROM a\nCOPY ["x"]\n'),
    ("from_nothing", b"FROM\n"),
    ("from_two_words", b"FROM a b\n"),
    ("nothing_but_arg", b"ARG x\n"),
]


@pytest.mark.parametrize("source", [source for _, source in MORE], ids=[name for name, _ in MORE])
def test_more(oracle: Oracle, source: bytes) -> None:
    assert compare(oracle, source) == []


# --- random files ----------------------------------------------------------------------------------------------------

KEYWORD = st.sampled_from([*sorted(KEYWORDS - {"FROM"}), "from", "Run", "onbuild RUN", "ONBUILD COPY", "FOO"])
WORD = st.sampled_from(
    ["a", "b=c", "--from=x", "--mount=type=bind,target=/y", "--x", "--", "--chown=1", "--link", "--interval=5s", "[",
     "]", '["a","b"]', '["a", 1]', '["a",', "[ ]", '"q r"', "'s", "\\", "<<EOF", "<<-E", "<<'Q'", '<<"Q"x', "3<<F",
     "<<", "$x", "${x", "#", "# c", "=", "CMD", "NONE", "as", "x y", "é", "\u00a0", "\u2028", "\x0b", "\x0c", "\r",
     "80/tcp", "\\\\", "`", "\x1c", "\x85", '["\\u00e9\\ud800"]', '{"a":1}', "/", "\0", "\ufeff"]
)  # fmt: skip
GAP = st.sampled_from([" ", " ", "", "\t", "\\\n  ", "\\\n\n", "\\\n# c\n"])
END = st.sampled_from(["\n", "\n", "\r\n", " \n", "\\\n", "\\ \n", "`\n", "\n\n"])
PLAIN = st.sampled_from(
    ["EOF", "E", "Q", "Qx", "\tE", "F", "# comment", "", "  # indented", "\\", "x \\", "FROM a", "FROM a AS b",
     "RUN <<EOF", "COPY <<E a /x", "# escape=`"]
)  # fmt: skip
BUILT = st.builds(
    lambda indent, keyword, words: indent + keyword + "".join([gap + word for gap, word in words]),
    st.sampled_from(["", "", " ", "\t"]), KEYWORD, st.lists(st.tuples(GAP, WORD), max_size=4),
)  # fmt: skip
FILE = st.builds(
    lambda head, lines: head + "".join([line + end for line, end in lines]),
    st.sampled_from(["FROM a\n", "FROM a\n", "# escape=`\nFROM a\n", ""]),
    st.lists(st.tuples(st.one_of(BUILT, PLAIN), END), max_size=5),
)


@examples(1500)
@given(FILE)
def test_random_files(oracle: Oracle, text: str) -> None:
    """Valid or not, and each part of the trees; of several errors in a file either may be named."""
    found = compare(oracle, text.encode())
    assert [line for line in found if not line.startswith("error")] == []
