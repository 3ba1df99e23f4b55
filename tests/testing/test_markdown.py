"""Golden cases in Markdown: what is read, what is written, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dfopt.testing.case_files import CaseDirectory, CaseError
from dfopt.testing.discovery import find
from dfopt.testing.facts import CaseFacts
from dfopt.testing.markdown import CaseSection, fenced, not_shown, read

PAGE = """# keyword-case

Prose, and a fence that belongs to no case:

```console
$ dfopt
```

## found

Why this case is here.

```toml
unsafe = true
```

`app/a.py`:

```py
print()
```

```dockerfile
FROM scratch
```

After it.

## nothing

```dockerfile
from scratch
```
"""


def sections(tmp_path: Path, text: str) -> list[CaseSection]:
    (tmp_path / "keyword-case.md").write_bytes(text.encode())
    return read(tmp_path / "keyword-case.md", tmp_path)


def files(section: CaseSection) -> dict[str, bytes | None]:
    return {name: section.read(name) for name in section.names()}


FOUND = {"case.toml": b"unsafe = true\n", "app/a.py": b"print()\n", "Dockerfile": b"FROM scratch\n"}


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_files_of_a_section(tmp_path: Path, newline: str) -> None:
    found, nothing = sections(tmp_path, PAGE.replace("\n", newline))
    assert (found.name, found.line, files(found)) == ("keyword-case/found", 9, FOUND)
    assert files(nothing) == {"Dockerfile": b"from scratch\n"}
    assert found.where("case.toml", 1).endswith("keyword-case.md:14")
    assert CaseFacts(found).context_paths() == frozenset(("app/a.py",))


def test_written_and_removed(tmp_path: Path) -> None:
    """What is written is read again, and the rest of the page stays as it was; without it the page is the old one."""
    found, nothing = sections(tmp_path, PAGE)
    nothing.write("expected.Dockerfile", b"FROM scratch\n")
    found.write("expected.txt", b"3: a\n")
    found.write("expected.Dockerfile", b"FROM scratch\n# ```\n```\n")
    expected = {"expected.txt": b"3: a\n", "expected.Dockerfile": b"FROM scratch\n# ```\n```\n"}
    text = (tmp_path / "keyword-case.md").read_text()
    assert "\n```\n\n````dockerfile\nFROM scratch\n# ```\n```\n````\n\n```text\n3: a\n```\n\nAfter it.\n" in text
    again = sections(tmp_path, text)
    assert [files(section) for section in again] == [
        {**FOUND, **expected},
        {"Dockerfile": b"from scratch\n", "expected.Dockerfile": b"FROM scratch\n"},
    ]
    again[0].write("expected.txt", b"4: b\n")
    assert again[0].read("expected.txt") == b"4: b\n"
    for section in again:
        for name in ("expected.txt", "expected.Dockerfile"):
            if section.read(name) is not None:
                section.write(name, None)
    assert (tmp_path / "keyword-case.md").read_text() == PAGE


def test_newlines_of_the_page_stay(tmp_path: Path) -> None:
    found, _ = sections(tmp_path, PAGE.replace("\n", "\r\n"))
    found.write("expected.txt", b"3: a\n")
    data = (tmp_path / "keyword-case.md").read_bytes()
    assert data.count(b"\n") == data.count(b"\r\n") == PAGE.count("\n") + 4


LINES = st.text(st.characters(codec="utf-8", exclude_characters="\r\ufeff"), max_size=20)


@given(st.lists(st.sampled_from(["```", "````x", "## a", "`b`:", "", " "]) | LINES), st.sampled_from(["a.lock", "x"]))
def test_any_file_comes_back(tmp_path_factory: pytest.TempPathFactory, lines: list[str], name: str) -> None:
    data = "".join(line.replace("\n", "") + "\n" for line in lines).encode()
    if not_shown(data):
        return
    text = f"## a\n\n{fenced('Dockerfile', data, '')}\n{fenced(name, data, '')}"
    (section,) = sections(tmp_path_factory.mktemp("page"), text)
    assert files(section) == {"Dockerfile": data, name: data}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"FROM a\r\n", "control"), (b"FROM a", "newline"), (b"\xef\xbb\xbfFROM a\n", "control"), (b"\xe4\n", "UTF-8"),
        (b"a\x00\n", "control"), (b"a\x0c\n", "control"), (b"", ""), (b"a\t\n", ""), ("ä\u2028\n".encode(), ""),
    ],
)  # fmt: skip
def test_what_markdown_cannot_show(tmp_path: Path, data: bytes, reason: str) -> None:
    assert reason in not_shown(data)
    assert bool(reason) == bool(not_shown(data))
    _, nothing = sections(tmp_path, PAGE)
    if reason:
        with pytest.raises(CaseError, match=r"keyword-case\.md:29: expected\.Dockerfile .*make the case a directory"):
            nothing.write("expected.Dockerfile", data)
        assert (tmp_path / "keyword-case.md").read_text() == PAGE


BAD = [
    ("no Dockerfile", PAGE + "## more\n", ":34: the case has no Dockerfile"),
    ("open fence", PAGE + "```text\n", ":34: the fence has no end"),
    ("twice", PAGE + "## found\n", ":34: the heading does not name another case: 'found'"),
    ("slash", PAGE + "## a/b\n", "'a/b'"),
    ("no kind", PAGE + "```\n```\n", ":34: which file is this"),
    ("third dockerfile", PAGE + "```dockerfile\n```\n```dockerfile\n```\n", ":36: which file"),
    ("file twice", PAGE + "`a`:\n\n```\n```\n\n`a`:\n\n```\n```\n", ":41: a: a second time"),
    ("diff", PAGE + "`expected.diff`:\n\n```diff\n```\n", ":36: expected.diff: only directories have it"),
    ("path", PAGE + "`../a`:\n\n```\n```\n", "not a path in the build context: ../a"),
    ("absolute path", PAGE + "`/a`:\n\n```\n```\n", "not a path in the build context: /a"),
]


@pytest.mark.parametrize(("text", "message"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_bad_page(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(CaseError) as failure:
        sections(tmp_path, text)
    assert message in str(failure.value)


def test_page_that_is_not_utf8(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_bytes(b"\xe4")
    with pytest.raises(CaseError, match="not UTF-8"):
        find(tmp_path)


def test_find(tmp_path: Path) -> None:
    """Sections and directories; not prose, not what lies in a build context."""
    sections(tmp_path, PAGE)
    (tmp_path / "README.md").write_text(PAGE)
    (tmp_path / "notes.md").write_text("## Notes\n")
    for place in ("keyword-case/crlf", "keyword-case/crlf/sub/deeper", "team/web/case"):
        (tmp_path / place).mkdir(parents=True)
        (tmp_path / place / "Dockerfile").write_bytes(b"FROM a\r\n")
    (tmp_path / "keyword-case" / "crlf" / "page.md").write_text(PAGE)
    (tmp_path / "team" / "api.md").write_text("## plain\n```dockerfile\n```\n")
    assert [case.name for case in find(tmp_path)] == [
        "keyword-case/crlf", "keyword-case/found", "keyword-case/nothing", "team/api/plain", "team/web/case",
    ]  # fmt: skip
    (tmp_path / "keyword-case" / "found").mkdir()
    (tmp_path / "keyword-case" / "found" / "Dockerfile").write_text("FROM a\n")
    with pytest.raises(CaseError, match="has the same name"):
        find(tmp_path)


def test_toml_error_names_the_line_of_the_page(tmp_path: Path) -> None:
    found, _ = sections(tmp_path, PAGE.replace("unsafe = true", "a = 1\nb = "))
    with pytest.raises(CaseError, match=r"keyword-case\.md:15:5: "):
        found.table("case.toml")
    (tmp_path / "case.toml").write_text("a = ")
    with pytest.raises(CaseError, match=r"case\.toml:1:5: "):
        CaseDirectory(tmp_path).table("case.toml")
