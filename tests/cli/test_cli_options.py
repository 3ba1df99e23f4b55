"""The table of options, and the two parsers over it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dfopt.cli import app, fast
from dfopt.cli.options import GROUPS, CommandSpec, commands

COMMANDS = commands()


@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_table_is_sound(command: CommandSpec) -> None:
    flags = [flag for option in command.options for flag in option.flags]
    names = [option.name for option in command.options] + [argument.name for argument in command.arguments]
    assert len(flags) == len(set(flags))
    assert len(names) == len(set(names))
    assert callable(__import__(command.module, fromlist=("run",)).run)
    group, _, _ = command.name.rpartition(" ")
    assert not group or group in GROUPS
    for option in command.options:
        assert option.kind in ("flag", "switch", "string", "choice", "int", "list", "values")
        assert (option.kind == "choice") == bool(option.choices)
        assert option.default is None or option.default in option.choices
        assert option.help.endswith((".", "]"))


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        pytest.param("fix", {"paths": ()}, id="nothing"),
        pytest.param("fix a b", {"paths": ("a", "b")}, id="paths"),
        pytest.param("fix -", {"paths": ("-",)}, id="stdin"),
        pytest.param("fix a --write b -q", {"paths": ("a", "b"), "write": True, "quiet": True}, id="mixed"),
        pytest.param("fix -j4", {"jobs": 4}, id="short-attached"),
        pytest.param("fix -j 4 --jobs=2", {"jobs": 2}, id="last-wins"),
        pytest.param("fix --select a,b --select=c", {"select": ("a", "b", "c")}, id="lists"),
        pytest.param("fix --select a,,b,", {"select": ("a", "b")}, id="empty-words"),
        pytest.param("fix --exclude a,b --exclude c", {"exclude": ("a,b", "c")}, id="values-keep-commas"),
        pytest.param("fix --unsafe", {"unsafe": True}, id="switch-on"),
        pytest.param("fix --unsafe --no-unsafe", {"unsafe": False}, id="switch-off"),
        pytest.param("fix", {"unsafe": None, "output_format": None, "color": "auto"}, id="defaults"),
        pytest.param("check --output-format sarif x", {"output_format": "sarif", "paths": ("x",)}, id="choice"),
        pytest.param("explain merge-run", {"name": "merge-run"}, id="one-argument"),
        pytest.param("config show", {"path": None}, id="group"),
        pytest.param("config show a --isolated", {"path": "a", "isolated": True}, id="group-with-argument"),
    ],
)
def test_both_parsers_read(args: str, expected: dict[str, object]) -> None:
    for call in (fast.parse(args.split(), {}), app.parse(args.split())):
        assert not isinstance(call, int)
        assert call is not None
        assert {name: getattr(call.values, name) for name in expected} == expected


@pytest.mark.parametrize(
    "args",
    [
        "", "--help", "--version", "fix --help", "fix --unknown", "fix --jobs", "fix --jobs 0", "fix --jobs x",
        "fix --jobs=-1", "fix --output-format nope", "fix --write=yes", "fix -qw", "fix --", "fix --select --write",
        "fix --wri", "fixx", "explain", "explain a b", "config", "config nope", "config show a b", "passes x",
    ],
)  # fmt: skip
def test_fast_parser_hands_over(args: str) -> None:
    assert fast.parse(args.split(), {}) is None


def test_fast_parser_hands_over_for_completion() -> None:
    assert fast.parse(["fix"], {"_DFOPT_COMPLETE": "complete_bash"}) is None


def _words(command: CommandSpec) -> st.SearchStrategy[list[str]]:
    flags = [flag for option in command.options for flag in option.flags]
    flags += [option.negative for option in command.options if option.kind == "switch"]
    values = [
        "",
        "-",
        "a",
        "a,b",
        ",",
        "3",
        "0",
        "007",
        "99999999999",
        "\u0663",
        "text",
        "json",
        "always",
        "x=y",
        "-x",
        "--",
    ]
    word = st.one_of(
        st.sampled_from(flags or ["--help"]),
        st.sampled_from(values),
        st.builds("{}={}".format, st.sampled_from(flags or ["--help"]), st.sampled_from(values)),
        st.builds("-{}{}".format, st.sampled_from("jqwx"), st.sampled_from(["", "2", "=2", "q"])),
    )
    return st.lists(word, max_size=5)


@settings(max_examples=400)
@given(
    st.sampled_from(sorted(COMMANDS)).flatmap(
        lambda name: _words(COMMANDS[name]).map(lambda words: [*name.split(), *words])
    )
)
def test_what_the_fast_parser_accepts_typer_reads_alike(args: list[str]) -> None:
    quick = fast.parse(args, {})
    if quick is not None:
        assert app.parse(args) == quick
