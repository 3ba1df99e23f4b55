"""Helpers of the passes that change one instruction at a time: spelling of values, archives, JSON, pipelines."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from given import Given
from oracle_client import Oracle

from dfopt.analysis.archives import OPEN, PLAIN, SPECIAL, is_archive, source_kind
from dfopt.edit import Edit
from dfopt.editing.json_form import JsonStyle, json_string, json_style
from dfopt.facts import NO_FACTS
from dfopt.findings import Fix
from dfopt.gate import admit
from dfopt.ir.program import Program
from dfopt.passes.legacy_env_label.spelling import spelt
from dfopt.passes.pipefail.pipes import breaks_early, decides, differs_in_bash, pipes
from dfopt.rewrites.instructions import RespellPairs, WorkdirForCd
from dfopt.rewrites.respell import same_expansion
from dfopt.source import encode
from dfopt.syntax.dockerfile import parse
from dfopt.testing import golden
from dfopt.testing.discovery import find

if TYPE_CHECKING:
    from dfopt.rewrites.base import Rewrite

BASE = "FROM debian:13-slim\n"
GOLDEN = Path(__file__).parents[2] / "golden"


def program(text: str) -> Program:
    return Program(parse(text))


# --- values ----------------------------------------------------------------------------------------------------------

SPELT = [
    ("C.UTF-8", "C.UTF-8"),
    ("/opt/bin:$PATH", "/opt/bin:$PATH"),
    ("a b", '"a b"'),
    ('"a b"', '"a b"'),
    ('"a" b', '"a b"'),
    ("'$A' $A", '"\\$A $A"'),
    ("$A'x' y", '"${A}x y"'),
    ('${A}"x" y', '"${A}x y"'),
    ("a\\ b", "a\\ b"),
    ("a\\ b c", '"a b c"'),
    ("C:\\dir x", '"C:dir x"'),
    ('"C:\\dir" x', '"C:\\\\dir x"'),
    ('"a\\"b" c', '"a\\"b c"'),
    ("a$ b", '"a$ b"'),
    ("$'B' c", '"\\$B c"'),
    ("x ${Y:-a b}", '"x ${Y:-a b}"'),
    ("x #y", '"x #y"'),
    ("${A%b} c", '"${A%b} c"'),
    ("\u00e9 \u20ac", '"\u00e9 \u20ac"'),
    ('x ${B:-"c d"}', None),
    ("it's a", None),
    ('a "b', None),
    ("a ${", None),
]


@pytest.mark.parametrize(("value", "wanted"), SPELT, ids=[row[0] for row in SPELT])
def test_spelt(value: str, wanted: str | None) -> None:
    assert spelt(value, "\\") == wanted


@pytest.mark.parametrize("value", [row[0] for row in SPELT if row[1] is not None])
def test_spelt_is_the_same_to_buildkit(value: str, oracle: Oracle) -> None:
    word = spelt(value, "\\")
    assert word is not None
    for env in ((), ("A=1", "B=", "Y=p q", "PATH=/bin"), ("A=x b", "B=$A", 'Y="', "PATH='")):
        before, after = oracle.words(value, env), oracle.words(word, env)
        assert before.get("result") == after.get("result")
        assert before.get("err") == after.get("err")


def test_spelt_with_backtick() -> None:
    assert spelt("C:\\a b", "`") == '"C:\\a b"'
    assert spelt('a` b "`$x"', "`") == '"a b `$x"'


DIFFERENT = [
    ("a b", '"a  b"'),
    ("$A", "'$A'"),
    ("$A", "${A}x"),
    ("$A b", '"$Ab"'),
    ("${A:-b}", "${A-b}"),
    ("$A", "$B"),
    ("$A$B", "$B$A"),
    ("it's", "its"),
    ('"a b"', '"\\"a b\\""'),
]


@pytest.mark.parametrize(("one", "other"), DIFFERENT, ids=[f"{a} | {b}" for a, b in DIFFERENT])
def test_different_expansion(one: str, other: str) -> None:
    assert not same_expansion(one, other, "\\")


def verdict(text: str, old: str, new: str, rewrite: Rewrite) -> str:
    at = text.index(old)
    return admit(program(text), [Fix((Edit(at, at + len(old), new),), (rewrite,), "safe")]).reason


def test_gate_on_respelling() -> None:
    text = BASE + "ENV A b $C\n"
    assert verdict(text, "A b $C", 'A="b $C"', RespellPairs(1, (("A", '"b $C"'),))) == ""
    assert "not the same" in verdict(text, "A b $C", "A='b $C'", RespellPairs(1, (("A", "'b $C'"),)))
    assert "names" in verdict(text, "A b $C", 'B="b $C"', RespellPairs(1, (("B", '"b $C"'),)))
    assert "not the declared" in verdict(text, "A b $C", "A='b $C'", RespellPairs(1, (("A", '"b $C"'),)))


@pytest.mark.parametrize(
    ("run", "allowed"),
    [
        ("RUN cd /src", True),
        ("RUN cd /src; make", False),
        ("RUN cd /src && make", False),
        ("RUN cd /src > /log", False),
        ("RUN cd /other", False),
        ("RUN --network=none cd /src", False),
    ],
)
def test_gate_on_workdir_for_cd(run: str, allowed: bool) -> None:
    reason = verdict(BASE + run + "\n", run, "WORKDIR /src", WorkdirForCd(1, "/src"))
    assert (reason == "") is allowed, reason


# --- archives --------------------------------------------------------------------------------------------------------


def tar() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        member = tarfile.TarInfo("inside.txt")
        member.size = 3
        archive.addfile(member, io.BytesIO(b"abc"))
    return out.getvalue()


TAR = tar()
OLD_TAR = TAR[:257] + bytes(8) + TAR[265:]  # without "ustar": the checksum changes with it


def resealed(data: bytes) -> bytes:
    header = data[:148] + b" " * 8 + data[156:512]
    return data[:148] + b"%06o\0 " % sum(header) + data[156:]


CONTENT = [
    ("tar", TAR, True),
    ("v7 tar", resealed(OLD_TAR), True),
    ("broken checksum", OLD_TAR, False),
    ("gzip", gzip.compress(b"x"), True),
    ("bzip2", bz2.compress(b"x"), True),
    ("xz", lzma.compress(b"x"), True),
    ("zstd", b"\x28\xb5\x2f\xfd\x00", True),
    ("zstd, skippable frame first", b"\x50\x2a\x4d\x18\x00\x00\x00\x00", True),
    ("empty", b"", False),
    ("zeros", bytes(1024), False),
    ("script", b"#!/bin/sh\n" * 100, False),
    ("zip", b"PK\x03\x04" + bytes(600), False),
    ("blanks", b" " * 600, False),
]


@pytest.mark.parametrize(("content", "wanted"), [row[1:] for row in CONTENT], ids=[row[0] for row in CONTENT])
def test_is_archive(content: bytes, wanted: bool) -> None:
    assert is_archive(content) is wanted


FILES = {"app": b"#!/bin/sh\n", "data": TAR, "src/main.c": b"int x;\n", "conf/a": b"1", "conf/b": b"2", "x/t": TAR}


SOURCES = [
    (".", PLAIN, PLAIN),
    ("./", PLAIN, PLAIN),
    ("src/", PLAIN, PLAIN),
    ("src", OPEN, PLAIN),
    ("/src", OPEN, PLAIN),
    ("./app", OPEN, PLAIN),
    ("data", OPEN, SPECIAL),
    ("missing", OPEN, OPEN),
    ("conf/*", OPEN, PLAIN),
    ("conf/?", OPEN, PLAIN),
    ("*/t", OPEN, SPECIAL),
    ("*/[t]", OPEN, OPEN),
    ("*.nothing", OPEN, OPEN),
    ("run.sh", PLAIN, PLAIN),
    ("lib/app.JAR", PLAIN, PLAIN),
    ("*.py", PLAIN, PLAIN),
    (".env", PLAIN, PLAIN),
    (".unknown", OPEN, OPEN),
    ("Makefile", PLAIN, PLAIN),
    ("rootfs.tar", SPECIAL, SPECIAL),
    ("a.tar.lz4", SPECIAL, SPECIAL),
    ("pkg.tgz", SPECIAL, SPECIAL),
    ("x.gem", SPECIAL, SPECIAL),
    ("https://example.org/a.py", SPECIAL, SPECIAL),
    ("git@github.com:a/b.git", SPECIAL, SPECIAL),
    ("ssh://git@host/a", SPECIAL, SPECIAL),
    ("vendor/a.git", SPECIAL, SPECIAL),
]


@pytest.mark.parametrize(("source", "by_name", "by_content"), SOURCES, ids=[row[0] for row in SOURCES])
def test_source_kind(source: str, by_name: str, by_content: str) -> None:
    assert source_kind(source, NO_FACTS) == by_name
    assert source_kind(source, Given(FILES)) == by_content


# --- JSON ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["", "a b", 'say "x"', "C:\\dir", "a\tb\n\r\x01\x1f\b\f", "\u00e9\U0001f600", "/"])
def test_json_string(value: str) -> None:
    written = json_string(value)
    assert written is not None
    assert json.loads(written) == value
    node = parse(BASE + f"CMD [{written}]\n").instructions[1]
    assert [argument.value for argument in node.arguments] == [value]


def test_json_string_of_bytes() -> None:
    assert json_string("caf\udce9") is None


@pytest.mark.parametrize(
    ("text", "style"),
    [
        ("", JsonStyle("", " ")),
        ('CMD ["a"]\n', JsonStyle("", " ")),
        ('CMD ["a","b"]\n', JsonStyle("", "")),
        ('CMD [ "a", "b" ]\n', JsonStyle(" ", " ")),
        ('ONBUILD CMD ["a","b"]\nVOLUME ["a", "b"]\n', JsonStyle("", "")),
        ('CMD ["a\\"","b"]\nVOLUME ["a","b"]\n', JsonStyle("", "")),
    ],
)
def test_json_style(text: str, style: JsonStyle) -> None:
    assert json_style(program(BASE + text)) == style


# --- pipelines -------------------------------------------------------------------------------------------------------

# (command, has a pipe whose failure is hidden, what ends it early, whether its status decides)
PIPELINES = [
    ("a && b", False, "", False),
    ("a || b", False, "", False),
    ("curl x | sh", True, "", False),
    ("echo a | sh", False, "", False),
    ("printf a | cat | sh", True, "", False),
    ("set -o pipefail; a | b", False, "", False),
    ("set -euxo pipefail && a | b", False, "", False),
    ("x=$(a | b)", True, "", False),
    ("export x=$(a | b)", False, "", False),
    ("echo `a | b`", False, "", False),
    ("a | b || true", False, "", False),
    ("a | b && c || true", False, "", False),
    ("a | b || exit 1", True, "", False),
    ("a | b || touch x", True, "", True),
    ("if a | b; then c; fi", True, "", True),
    ("if echo a | b; then c | d; fi", True, "", False),
    ("while a | b; do c; done", True, "", True),
    ("! a | b", True, "", True),
    ("(a | b)", True, "", False),
    ("a | head -1", True, "head", False),
    ("a | grep -q x", True, "grep", False),
    ("a | grep -iEq x", True, "grep", False),
    ("a | grep -m1 x", True, "grep", False),
    ("a | grep --max-count=1 x", True, "grep", False),
    ("a | grep x", True, "", False),
    ("head -1 x | a", True, "", False),
    ("yes | a", True, "yes", False),
    ("a | yes", True, "", False),
    ("a | sed 5q", True, "sed", False),
    ("a | sed -e s/q/r/", True, "", False),
    ("a | awk '{print; exit}'", True, "awk", False),
    ("a | while read x; do b; done", True, "", False),
]


@pytest.mark.parametrize(("run", "hidden", "early", "deciding"), PIPELINES, ids=[row[0] for row in PIPELINES])
def test_pipelines(run: str, hidden: bool, early: str, deciding: bool) -> None:
    made = program(BASE + f"RUN {run}\n")
    body = made.body(made.stages[0].steps[0])
    assert pipes(body) is hidden
    assert breaks_early(body) == early
    assert decides(body) is deciding


@pytest.mark.parametrize(
    ("run", "differs"),
    [
        ("make && make install", False),
        ("echo a b", False),
        ("echo -n a", False),
        ("echo -e a", True),
        ('echo "a\\nb"', True),
        ("printf 'a\\n'", False),
        ("echo $RANDOM", True),
        ("UID=1 make", True),
        ("echo $UIDX", False),
        ("mkdir {a,b}", True),
    ],
)
def test_differs_in_bash(run: str, differs: bool) -> None:
    made = program(BASE + f"RUN {run}\n")
    assert bool(differs_in_bash(made.body(made.stages[0].steps[0]))) is differs


# --- passes that must not change the build ---------------------------------------------------------------------------

SAME_BUILD = frozenset(
    ("keyword-case", "from-as-case", "stage-name-case", "empty-continuation", "duplicate-instruction",
     "legacy-env-label")
)  # fmt: skip
CHANGED = [
    golden.load(files)
    for files in find(GOLDEN)
    if files.group in SAME_BUILD and files.read("expected.Dockerfile") is not None
]


@pytest.mark.parametrize("case", CHANGED, ids=[case.name for case in CHANGED])
def test_buildkit_builds_the_same(case: golden.GoldenCase, oracle: Oracle) -> None:
    """BuildKit makes the same image config of both files, and the same build graph: where the graph reads the build
    context, which has another name in each run, the same operations."""
    result = golden.run(case).result
    before, after = oracle.llb(case.source.to_bytes()), oracle.llb(encode(result.output))
    if case.name == "stage-name-case/from-in-capitals":  # BuildKit cannot build it as it is
        assert "must be lowercase" in before["err"]
        assert "err" not in after
        return
    assert before.get("err") == after.get("err")
    if "err" in before:
        return
    for image in (before["image"], after["image"]):
        image.pop("history", None)
    assert before["image"] == after["image"]
    if any("local://" in op for op in before["ops"]):
        assert sorted(before["ops"]) == sorted(after["ops"])
    else:
        assert before["head"] == after["head"]
