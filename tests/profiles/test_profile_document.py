"""The document of a profile: what is written is read, and what is wrong is an error with its place."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dfopt.profile import document as module
from dfopt.profile.document import LIMIT, DocumentError, faults, parse_document, place_of, schema, write_document

from .samples import document

JUDGE = jsonschema.Draft202012Validator(schema())
JUNK = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 1 << 60), st.text(max_size=8), st.just([]), st.just({}),
    st.sampled_from(["/a b", "/etc/passwd", "x;rm -rf /", "$(id)", "../..", "sha256:0", "debian:13", "docker", "\n"]),
)  # fmt: skip


def paths(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The places of all values inside a document."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (*path, key)
        yield from paths(item, (*path, key))


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())
    JUDGE.validate(document())


def test_what_is_written_is_read() -> None:
    data = write_document(document())
    assert parse_document(data) == document()
    assert write_document(parse_document(data)) == data
    assert max(map(len, data.splitlines())) <= 118


@given(st.data())
@settings(max_examples=400, deadline=None)
def test_the_reader_says_what_the_schema_says(data: st.DataObject) -> None:
    changed = copy.deepcopy(document())
    *way, last = data.draw(st.sampled_from(list(paths(changed))))
    at = changed
    for part in way:
        at = at[part]  # type: ignore[index]
    kind = data.draw(st.sampled_from(["value", "key", "delete"]))
    if kind == "delete":
        del at[last]  # type: ignore[arg-type]
    elif kind == "key" and isinstance(at, dict):
        at[data.draw(st.text(max_size=6))] = data.draw(JUNK)
    else:
        at[last] = data.draw(JUNK)  # type: ignore[index]
    found = next(faults(changed, schema()), None)
    if any("\n" in part for part in map(str, _strings(changed))):
        return  # no pattern of ours is about control characters: the reader takes none
    assert (found is None) == JUDGE.is_valid(changed), found
    text = json.dumps(changed)
    if found is None:
        assert parse_document(text.encode()) == changed
        return
    with pytest.raises(DocumentError) as caught:
        parse_document(text.encode())
    assert (caught.value.line, 1 <= caught.value.column <= len(text)) == (1, True)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for part in (*value, *value.values()) if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _strings(part)


@pytest.mark.parametrize("path", list(paths(document())))
def test_place_of_every_value(path: tuple[str | int, ...]) -> None:
    value: Any = document()
    for part in path:
        value = value[part]
    for text in (json.dumps(document(), indent=3), json.dumps(document())):
        found, _ = json.JSONDecoder().raw_decode(text, place_of(text, path))
        assert found == value


@pytest.mark.parametrize(
    ("data", "place", "message"),
    [
        (b"", (1, 1), "not JSON"),
        (b"[]", (1, 1), "the document is not of type object"),
        (b'{"version": 1,\n "file": }', (2, 10), "not JSON: Expecting value"),
        (b'{"version": NaN}', (1, 1), "not JSON: NaN"),
        (b'{"version": ' + b"9" * 5000 + b"}", (1, 1), "a number of 5000 digits"),
        (b"[" * 500_000, (1, 1), "nested too deeply"),
        (b'{"a":' * 100_000, (1, 1), "nested too deeply"),
        (b'{"version": 1,\n\n  "file": "\xff"}', (3, 12), "not UTF-8"),
    ],
)
def test_not_a_document(data: bytes, place: tuple[int, int], message: str) -> None:
    with pytest.raises(DocumentError) as caught:
        parse_document(data)
    assert (caught.value.line, caught.value.column) == place
    assert message in caught.value.message


@pytest.mark.parametrize(
    ("key", "value", "shown"),
    [
        ("version", 2, "version is not 1"),
        ("version", True, "version is not 1"),
        ("file", "../Dockerfile", "file is not of the form"),
        ("more", 1, "more is not a key here"),
        ("\x1b[31m", 1, "\\u001b[31m is not a key here"),
        ("lines", [{"line": 1}], 'lines[0] has no key "instruction"'),
        ("lines", [{"line": 0, "instruction": "RUN", "bytes": 1, "dead": 0}], "lines[0].line is out of range"),
        ("bases", {"a; rm -rf /": {"user": "", "entrypoint": []}}, "bases.a; rm -rf / is not a key here"),
        ("bases", {"a:1": {"user": "x y", "entrypoint": []}}, "bases.a:1.user is not of the form"),
        ("bases", {"a:1": {"user": "a\n", "entrypoint": []}}, "bases.a:1.user is not of the form"),
        ("runs", [1, 2, 3], "runs has 3 items"),
    ],
)
def test_wrong_values(key: str, value: object, shown: str) -> None:
    data = json.dumps({**document(), key: value}, indent=1).encode()
    with pytest.raises(DocumentError) as caught:
        parse_document(data)
    assert caught.value.message.startswith(shown)
    assert caught.value.line > 1


def test_what_cannot_be_read_again_is_not_written() -> None:
    with pytest.raises(DocumentError, match="file is not of the form"):
        write_document(document(file="a/b"))
    row = {"line": 1, "instruction": "RUN", "bytes": 1, "dead": 1}
    deaths = [{"by": 1, "bytes": 1, "kind": "k" * 190}] * 500
    with pytest.raises(DocumentError, match=f"larger than {LIMIT} bytes"):
        write_document(document(lines=[{**row, "deaths": deaths}] * 30))


def test_no_value_leads_to_a_shell() -> None:
    """What passes may write into a Dockerfile holds nothing that a shell or a parser of Dockerfiles takes apart."""
    texts = ["a b", "a;b", "a&b", "a|b", "$a", "`a`", "a\nb", "a\\b", "'a'", '"a"', "a>b", "#a", "(a)", "*", "a\r"]
    for name in ("image", "user", "word", "package", "path", "anyPath", "port", "digest"):
        rule = schema()["$defs"][name]
        for candidate in (*texts, *[f"/{text}" for text in texts]):
            assert list(faults(candidate, rule)), (name, candidate)


def test_the_schema_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    schema()
    monkeypatch.setattr(module, "read_regular", lambda *_: b"")
    assert schema()["title"] == "dfopt.profile"
