"""The hosts' gates: damage that they must stop; and what is written for any text."""

from __future__ import annotations

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from dfopt.edit import apply_edits
from dfopt.embedded.model import DOCKERFILE, Unmappable
from dfopt.embedded.optimize import reader_of
from dfopt.embedded.python_literal import literal_map, writer

COMPOSE = """\
services:
  a:
    image: nginx:1 # here
    command: [x]
  b:
    build:
      dockerfile_inline: |
        FROM a
        RUN b
"""
PYTHON = """\
import docker
c = docker.from_env()
c.images.pull("nginx:1")
(p / "Dockerfile").write_text("FROM a\\nRUN b\\n")
x = 1
"""


@pytest.mark.parametrize(
    ("kind", "text", "old", "new"),
    [
        pytest.param("compose", COMPOSE, "command: [x]", "command: [y]", id="yaml-another-value"),
        pytest.param("compose", COMPOSE, "  b:\n", "  c:\n", id="yaml-key"),
        pytest.param("compose", COMPOSE, "nginx:1 #", "nginx:2 #", id="yaml-undeclared-image"),
        pytest.param("compose", COMPOSE, "RUN b", "RUN c", id="yaml-undeclared-text"),
        pytest.param("compose", COMPOSE, "        RUN b\n", "      RUN: b\n", id="yaml-out-of-the-block"),
        pytest.param("compose", COMPOSE, "[x]", "[x", id="yaml-broken"),
        pytest.param("compose", COMPOSE, "image: nginx:1", 'image: "nginx:1"', id="yaml-style"),
        pytest.param("compose", COMPOSE, "command", "expose: [80]\n    command", id="yaml-new-key"),
        pytest.param("python", PYTHON, "x = 1", "x = 2", id="python-another-value"),
        pytest.param("python", PYTHON, "x = 1", "x = 1; y = 2", id="python-statement"),
        pytest.param("python", PYTHON, "nginx:1", "nginx:2", id="python-undeclared-image"),
        pytest.param("python", PYTHON, "RUN b", "RUN c", id="python-undeclared-text"),
        pytest.param("python", PYTHON, 'RUN b\\n")', 'RUN b\\n"', id="python-broken"),
        pytest.param("python", PYTHON, '"nginx:1"', 'f"nginx:1"', id="python-f-string"),
        pytest.param("python", PYTHON, "images.pull", "images.get", id="python-name"),
    ],
)
def test_damage_is_stopped(kind: str, text: str, old: str, new: str) -> None:
    reader = reader_of(kind)
    parts = reader.parts(text)
    assert len(parts) == 2
    same = [part.text for part in parts]
    assert reader.check(text, text, parts, same) == ""
    assert old in text
    assert reader.check(text, text.replace(old, new), parts, same) != ""


@pytest.mark.parametrize(("kind", "text"), [("compose", COMPOSE), ("python", PYTHON)])
def test_a_change_that_was_declared_but_not_made_is_stopped(kind: str, text: str) -> None:
    reader = reader_of(kind)
    parts = reader.parts(text)
    assert reader.check(text, text, parts, [part.text + "x" for part in parts]) != ""


TEXT = st.text(st.sampled_from("ab \\\"'\n$#:{}\t\u00e9\U0001f680"), max_size=12)


@given(TEXT, TEXT, st.sampled_from(["'", '"', "'''", '"""']), st.sampled_from(["", "r", "u"]), st.data())
@pytest.mark.filterwarnings("ignore:invalid escape")
def test_python_literals_say_what_was_written(old: str, new: str, quote: str, prefix: str, data: st.DataObject) -> None:
    source = f"{prefix}{quote}{old}{quote}"
    mapped = literal_map(source)
    try:
        value = ast.literal_eval(source)
    except SyntaxError:
        assert mapped is None
        return
    if mapped is None or not isinstance(value, str):
        return
    assert mapped[0] == value
    start = data.draw(st.integers(0, len(value)))
    end = data.draw(st.integers(start, len(value)))
    try:
        written = writer(source, "\n")(new, start, end)
    except Unmappable:
        return
    result = source[: mapped[1][start]] + written + source[mapped[1][end] :]
    try:
        made = ast.literal_eval(result)
    except SyntaxError:
        return  # the gate parses the result; a raw string's quotes are its business
    if prefix != "r":
        assert made == value[:start] + new + value[end:]


LINES = st.lists(st.text(st.sampled_from("ab $#:\\\u00e9"), max_size=8).map(str.rstrip), min_size=1, max_size=5)


@given(LINES, st.text(st.sampled_from("xy\n$ "), max_size=8), st.data())
def test_blocks_say_what_was_written(lines: list[str], new: str, data: st.DataObject) -> None:
    lines = ["FROM a", *lines]
    body = "\n".join("        " + line if line else "" for line in lines)
    text = f"services:\n  a:\n    build:\n      dockerfile_inline: |\n{body}\n      x: 1\n"
    reader = reader_of("compose")
    parts = [part for part in reader.parts(text) if part.kind == DOCKERFILE]
    if len(parts) != 1 or not parts[0].offsets:
        return
    (part,) = parts
    start = data.draw(st.integers(1, len(part.text)))
    end = data.draw(st.integers(start, len(part.text)))
    wanted = part.text[:start] + new + part.text[end:]
    try:
        result = apply_edits(text, [part.edit(start, end, new)])
    except Unmappable:
        return
    refused = reader.check(text, result, parts, [wanted])
    if not refused:
        loaded = YAML(typ="safe").load(result)["services"]["a"]["build"]["dockerfile_inline"]
        assert loaded.replace("$$", "$") == wanted
    within_a_line = "\n" not in part.text[start:end] + new
    plain = all(line == line.strip() for line in wanted.split("\n")) and not wanted.endswith("\n\n")
    joined = "$" in part.text  # a name behind a `$` that stood alone is a variable, and refused
    assert not (refused and within_a_line and plain and not joined)
