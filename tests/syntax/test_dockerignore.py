"""What .dockerignore files leave out, beside BuildKit's own matcher and the walk that sends the context."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracle_client import Oracle
from random_examples import examples

from dfopt.syntax import dockerignore, go_pattern

FILES = sorted(
    directory + name
    for directory in ("", "a/", "a/b/", "a/b/c/", "b/", "src/", "src/a/", ".git/", "node_modules/x/", "caf\u00e9/")
    for name in ("a.txt", "f", "a-b", "Dockerfile", ".env", "x.py", "a|b", "{2}", "1", "^", "n", "[x]", "a+b", "k\\l")
)  # fmt: skip

TABLE = [
    ("nothing", b"", []),
    ("comment", b"# a.txt\n#f\n", []),
    ("blank before #", b" #f\n", []),
    ("byte order mark", b"\xef\xbb\xbff\n", ["f"]),
    ("byte order mark of the second line", b"x\n\xef\xbb\xbff\n", []),
    ("CRLF", b"a.txt\r\nf\r\n", ["a.txt", "f"]),
    ("blanks around", b"  f\t \n", ["f"]),
    ("no slash is still the root alone", b"f\n", ["f"]),
    ("leading slash", b"/a.txt\n", ["a.txt"]),
    ("trailing slash takes files too", b"a.txt/\n", ["a.txt"]),
    ("dot segments", b"./a/../b/./a.txt\n", ["b/a.txt"]),
    ("outside", b"../f\n", []),
    ("a directory with all below", b"a/b\n", [f for f in FILES if f.startswith("a/b/")]),
    ("one star stays in its directory", b"*.txt\n", ["a.txt"]),
    ("star directory", b"*/a.txt\n", [f for f in FILES if f.count("/") == 1 and f.endswith("/a.txt")]),
    ("two stars", b"**/a.txt\n", [f for f in FILES if f.endswith("a.txt")]),
    ("two stars without a slash", b"**.txt\n", [f for f in FILES if f.endswith("a.txt")]),
    ("two stars at the end", b"src/**\n", [f for f in FILES if f.startswith("src/")]),
    ("two stars inside", b"a/**/a.txt\n", ["a/a.txt", "a/b/a.txt", "a/b/c/a.txt"]),
    ("everything", b"**\n", FILES),
    ("star alone", b"*\n", FILES),
    ("question mark", b"?\n", [f for f in FILES if f.split("/")[0] in ("a", "b", "1", "^", "n", "f")]),
    ("class", b"[a-b].txt\n", ["a.txt"]),
    ("negated class", b"[^a-m]\n", ["1", "^", "n"]),
    ("escaped bracket", b"\\[x]\n", ["[x]"]),
    ("escaped digit class, as a regular expression has it", b"\\d*\n", ["1"]),
    ("exception", b"*.txt\n!a.txt\n", []),
    ("exception before", b"!a.txt\n*.txt\n", ["a.txt"]),
    ("exception with a blank", b"*.txt\n! a.txt\n", []),
    ("exception with a slash", b"*.txt\n!/a.txt\n", []),
    ("exception below a directory that is left out", b"a/b\n!a/b/x.py\n",
     [f for f in FILES if f.startswith("a/b/") and f != "a/b/x.py"]),
    ("all but one directory", b"*\n!src\n", [f for f in FILES if not f.startswith("src/")]),
    ("all but one file", b"**\n!a/b/x.py\n", [f for f in FILES if f != "a/b/x.py"]),
    ("a bar is an alternative, so that its first half is not anchored at the end", b"a-|q*\n", ["a-b"]),
    ("the Dockerfile itself", b"Dockerfile\n", ["Dockerfile"]),
]  # fmt: skip


def left(content: bytes, files: list[str]) -> list[str]:
    matcher = dockerignore.read(content)
    return [file for file in files if not matcher.leaves_out(file)]


@pytest.mark.parametrize(("content", "gone"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_table(content: bytes, gone: list[str]) -> None:
    assert left(content, FILES) == [file for file in FILES if file not in gone]


@pytest.mark.parametrize("content", [row[1] for row in TABLE], ids=[row[0] for row in TABLE])
def test_table_is_what_buildkit_does(oracle: Oracle, content: bytes) -> None:
    assert sorted(left(content, FILES)) == sorted(oracle.ignore(content, FILES)["left"])


@pytest.mark.parametrize("content", [b"!\n", b"[\n", b"[]a]\n", b"a\\\n", b"x" * 65536, b"[a-]\n", b"**\n! \n"])
def test_refused(oracle: Oracle, content: bytes) -> None:
    assert "err" in oracle.ignore(content, FILES)
    with pytest.raises(dockerignore.IgnoreError):
        dockerignore.read(content)


def test_a_pattern_that_fails_only_when_used(oracle: Oracle) -> None:
    content = b"[z-a]\n"
    assert "err" in oracle.ignore(content, ["b"])
    with pytest.raises(dockerignore.IgnoreError) as caught:
        dockerignore.read(content).leaves_out("b")
    assert caught.value.understood


# --- against BuildKit, at random -------------------------------------------------------------------------------------

PARTS = [
    "a", "b", "c", "src", "a.txt", "*", "?", "**", "***", "*.txt", "a*", "*b", "**b", "b**", "[ab]", "[^a]", "[a-c]",
    "[]a]", "[^]a]", "[a-]",
    "[-a]", "[z-a]", "[a*b]", "[a?]", "[+-.]", "[[:alpha:]]", "[[:nope:]]", "[\\d]", "[\\]]", "[\\D1]",
    "[[:^alpha:]x]", "[^\\W]", "[", "]", "\\a", "\\*", "\\d", "\\w*", "\\W", "\\b", "\\Bb", "\\z", "\\Q*\\E", "\\x61",
    "\\1", "\\141", "\\\\", "\\", "\\_", "\\\u00e9", "^", "^a", "$", "a$", "a|b", "|", "{2}", "b{1}*", "b{0,2}?",
    "b{,2}*", "a{2,1}*", "(a)*", "a+b", "..", ".", "caf\u00e9", "caf?", "a b", "node_modules", ".git", ".env",
    "x.py", "#a", "!a", "n",
]  # fmt: skip


def _lines() -> st.SearchStrategy[bytes]:
    parts = st.lists(st.sampled_from(PARTS), min_size=1, max_size=4).map("/".join)
    glued = st.lists(st.sampled_from(PARTS), min_size=2, max_size=3).map("".join)
    head = st.sampled_from(["", "", "", "/", "!", "!", "! ", "!/", "#", " ", "//", "\ufeff", "./"])
    tail = st.sampled_from(["", "", "", "/", " ", "/**", "/*", "\t", "//", "\r", "\u3000", "\x1c"])
    line = st.builds("{}{}{}".format, head, parts | glued, tail)
    return st.lists(line, max_size=5).map("\n".join).map(str.encode)


_NAME = st.sampled_from(
    ["a", "b", "c", "src", "a.txt", "x.py", ".git", "caf\u00e9", "1", "ab", "a-b", "[x]", "^a", "n", "#a"]
)


@examples(1500)
@given(content=_lines(), more=st.lists(st.lists(_NAME, min_size=1, max_size=4).map("/".join), max_size=8))
def test_agrees_with_buildkit(oracle: Oracle, content: bytes, more: list[str]) -> None:
    files = sorted({*FILES[::3], *more})
    files = [file for file in files if not any(other.startswith(file + "/") for other in files)]
    answer = oracle.ignore(content, files)
    try:
        mine: list[str] | None = sorted(left(content, files))
    except dockerignore.IgnoreError:
        mine = None
    assert (sorted(answer["left"]) if "left" in answer else None) == mine


@examples(600)
@given(
    pattern=st.lists(st.sampled_from(PARTS), min_size=1, max_size=3).map("/".join)
    | st.text("ab*?[]\\-^/!x", min_size=1, max_size=8),
    name=st.lists(_NAME, min_size=1, max_size=3).map("/".join),
)
def test_file_match_agrees_with_go(oracle: Oracle, pattern: str, name: str) -> None:
    answer = oracle.match(pattern, name)
    try:
        mine = go_pattern.match(pattern, name)
    except go_pattern.GoPatternError:
        assert "err" in answer
        return
    assert answer == {"match": mine}
