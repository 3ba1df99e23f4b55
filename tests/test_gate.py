"""The gate against damaged fixes: every way in which rewriters are known to break files.

Each row is a correct fix whose text edits were then damaged in one of those ways, while the declared rewrite stays the
right one. The gate must let the correct fix pass and stop the damaged one. `BUILD_ONLY` names the ways that no model of
a file can see; only a build (`--verify`) can, or the pass that must not propose them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from dfopt.edit import Edit
from dfopt.findings import Fix
from dfopt.gate import admit
from dfopt.ir.model import value_of
from dfopt.ir.program import Program
from dfopt.rewrites.commands import AppendCommand, EditWords
from dfopt.rewrites.instructions import InsertStep, Relayout, RemoveStep, SetFlags, SetValue
from dfopt.rewrites.merge_runs import MergeRuns
from dfopt.syntax.dockerfile import parse

if TYPE_CHECKING:
    from dfopt.rewrites.base import Rewrite

BASE = "FROM debian:13-slim\n"
RM = ("rm", "-rf", "/x")
RM_TEXT = "rm -rf /x"


def replaced(text: str, *pairs: tuple[str, str]) -> list[Edit]:
    """One edit for each (old, new); every old occurs once in the text. An empty old stands for the text's end."""
    edits: list[Edit] = []
    for old, new in pairs:
        at = text.index(old) if old else len(text)
        assert not old or text.count(old) == 1, old
        edits.append(Edit(at, at + len(old), new))
    return edits


def verdict(text: str, edits: list[Edit], rewrites: list[Rewrite]) -> str:
    return admit(Program(parse(text)), [Fix(tuple(edits), tuple(rewrites), "safe")]).reason


def value(text: str) -> tuple[object, ...]:
    """The canonical value of the second instruction of a file."""
    return value_of(parse(text).instructions[1], text)


MERGE = [MergeRuns((1, 2), (False, False))]
APPEND = [AppendCommand(1, RM)]
ONE = BASE + "RUN make\n"
COMMENTED = BASE + "RUN make \\\n  # note\n  all\n"
TWO = BASE + "RUN one\nRUN two\n"
HEREDOC = BASE + "RUN <<EOF\nset -e\nmake\nEOF\n"
CMD = BASE + "CMD server --port=$PORT\n"
ENV = BASE + 'ENV A "a b"\n'
PACKAGES = BASE + "RUN apt-get install -y \\\n  b \\\n  a \\\n  && rm -rf /x\n"
SEVERAL = BASE + "RUN wget x && export A=1 && curl y\n"
COMMANDS = BASE + "CMD one \\\n  two\nCMD three\n"
MIXED = "FROM debian:13-slim\r\nRUN make\nRUN b\r\n"
LIST = BASE + "RUN a; b\nRUN c\n"

# id, text, (old, new) pairs of the correct edit, the same damaged, declared rewrites
ROWS = [
    ("A-comment-line-end", BASE + "RUN make all\n", [("all\n", f"all && {RM_TEXT}\n")],
     [("all\n", f"all # && {RM_TEXT}\n")], APPEND),
    ("A-comment-inlined", COMMENTED, [("  all\n", f"  all && {RM_TEXT}\n")],
     [(" \\\n  # note\n  all\n", f" # note all && {RM_TEXT}\n")], APPEND),
    ("B-physical-line", COMMENTED, [("  all\n", f"  all && {RM_TEXT}\n")],
     [("make \\\n", f"make && {RM_TEXT}\n")], APPEND),
    ("B-between", BASE + "RUN make \\\n  all\n", [("  all\n", f"  all && {RM_TEXT}\n")],
     [("make \\\n", f"make && {RM_TEXT} \\\n")], APPEND),
    ("C-heredoc-opening", HEREDOC, [("make\n", f"make\n{RM_TEXT}\n")], [("<<EOF\n", f"<<EOF && {RM_TEXT}\n")],
     [AppendCommand(1, RM, ";")]),
    ("D-mount-in-chain", BASE + "RUN --mount=type=ssh one\nRUN --mount=type=ssh two\n",
     [("\nRUN --mount=type=ssh two", " && two")], [("\nRUN --mount=type=ssh two", " && --mount=type=ssh two")], MERGE),
    ("D-flag-lost", BASE + "RUN --mount=type=ssh one\nRUN --mount=type=ssh two\n",
     [("\nRUN --mount=type=ssh two", " && two")],
     [("RUN --mount=type=ssh one\nRUN --mount=type=ssh two", "RUN one && two")], MERGE),
    ("F-state-unwrapped", BASE + "RUN cd /tmp && a\nRUN two\n", [("cd /tmp && a\nRUN ", "(cd /tmp && a) && ")],
     [("\nRUN two", " && two")], [MergeRuns((1, 2), (True, False))]),
    ("G-exec-form", CMD, [("server --port=$PORT", '["sh", "-c", "server --port=$PORT"]')],
     [("server --port=$PORT", '["server", "--port=$PORT"]')],
     [SetValue(1, "CMD", value(BASE + 'CMD ["sh", "-c", "server --port=$PORT"]'))]),
    ("J-wrong-column", SEVERAL, [("wget x", "wget --progress=dot:giga x")],
     [("export A", "expo --progress=dot:gigart A")], [EditWords(1, 0, 1, 0, ("--progress=dot:giga",))]),
    ("J-deleted-command", SEVERAL, [("wget x", "wget -q x")], [("wget x && export A=1 && ", "wget -q x && ")],
     [EditWords(1, 0, 1, 0, ("-q",))]),
    ("K-add-to-copy", BASE + "ADD x.txt /\n", [("ADD", "COPY")], [("ADD x.txt", "COPY x.tar")],
     [SetValue(1, "COPY", value(BASE + "COPY x.txt /"))]),
    ("L-requoted", ENV, [('A "a b"', 'A="a b"')], [('A "a b"', 'A="\\"a b\\""')],
     [SetValue(1, "ENV", value(BASE + 'ENV A="a b"'))]),
    ("M-chain-lost", PACKAGES, [("  b \\\n  a \\\n", "  a \\\n  b \\\n")], [("  b \\\n  a \\\n", "  a \\\n  b\n")],
     [EditWords(1, 0, 3, 2, ("a", "b"))]),
    ("M-package-lost", PACKAGES, [("  b \\\n  a \\\n", "  a \\\n  b \\\n")], [("  b \\\n  a \\\n", "  a \\\n")],
     [EditWords(1, 0, 3, 2, ("a", "b"))]),
    ("N-newlines", MIXED, [("make\n", f"make && {RM_TEXT}\n")], [("make\nRUN b\r\n", f"make && {RM_TEXT}RUN b\r\n")],
     APPEND),
    ("N-other-bytes", BASE + "RUN make\nRUN caf\udce9\n", [("make\n", f"make && {RM_TEXT}\n")],
     [("make\nRUN caf\udce9", f"make && {RM_TEXT}\nRUN caf\u00e9")], APPEND),
    ("O-heredoc-body", BASE + "COPY <<EOF /q.sql\n  SELECT 1 FROM users\nEOF\nRUN make\n",
     [("make\n", f"make && {RM_TEXT}\n")],
     [("  SELECT 1 FROM users\n", "SELECT 1 FROM users:latest\n"), ("make\n", f"make && {RM_TEXT}\n")],
     [AppendCommand(2, RM)]),
    ("T-order", BASE + "ENV A=1\nCMD x\nSHELL [\"/bin/bash\", \"-c\"]\n", [("ENV A=1", "ENV A=2")],
     [("ENV A=1\nCMD x\nSHELL [\"/bin/bash\", \"-c\"]\n", "ENV A=2\nSHELL [\"/bin/bash\", \"-c\"]\nCMD x\n")],
     [SetValue(1, "ENV", value(BASE + "ENV A=2"))]),
    ("U-errexit-added", BASE + "RUN a; b\n", [("a; b", f"a; b && {RM_TEXT}")], [("a; b", f"set -e; a; b; {RM_TEXT}")],
     APPEND),
    ("V-first-line-only", COMMANDS, [("CMD one \\\n  two\n", "")], [("CMD one \\\n", "")], [RemoveStep(1)]),
    ("V-wrong-escape", "# escape=`\nFROM debian:13-slim\nRUN one\nRUN two\n", [("\nRUN two", " `\n && two")],
     [("\nRUN two", " \\\n && two")], MERGE),
    ("W-quoted", BASE + "RUN apt-get install $PKGS\n", [("install", "install -y")],
     [('install $PKGS', 'install -y "$PKGS"')], [EditWords(1, 0, 2, 0, ("-y",))]),
    ("X-env-merged", BASE + "ENV A=1\nENV B=$A\n", [("ENV A=1", "ENV A=2")], [("ENV A=1\nENV B=$A", "ENV A=2 B=$A")],
     [SetValue(1, "ENV", value(BASE + "ENV A=2"))]),
    ("Y-semicolon", TWO, [("\nRUN two", " && two")], [("\nRUN two", "; two")], MERGE),
    ("Y-or", TWO, [("\nRUN two", " && two")], [("\nRUN two", " || two")], MERGE),
    ("list-behind-and", BASE + "RUN c\nRUN a; b\n", [("\nRUN a; b", " && (a; b)")], [("\nRUN a; b", " && a; b")],
     [MergeRuns((1, 2), (False, True))]),
    ("comment-lost", BASE + "RUN one\n# why\nRUN two\n", [("\n# why\nRUN", " \\\n# why\n &&")],
     [("\n# why\nRUN", " &&")], MERGE),
    ("comment-invented", TWO, [("\nRUN two", " && two")], [("\nRUN two", " \\\n# joined\n && two")], MERGE),
    ("elsewhere", BASE + "RUN make\nRUN  two\n", [("make\n", f"make && {RM_TEXT}\n")],
     [("make\nRUN  two", f"make && {RM_TEXT}\nRUN two")], APPEND),
    ("relayout-says-more", BASE + "run make\n", [("run", "RUN")], [("run make", "RUN make all")], [Relayout(1)]),
    ("inserted-elsewhere", ONE + "CMD x\n", [("CMD x\n", "USER 1\nCMD x\n")], [("RUN make\n", "USER 1\nRUN make\n")],
     [InsertStep(2, "USER", (), value(BASE + "USER 1"))]),
    ("flag-on-another", BASE + "COPY a /\nCOPY b /\n", [("COPY a", "COPY --chown=1 a")],
     [("COPY b", "COPY --chown=1 b")], [SetFlags(1, (("chown", "1"),))]),
    ("unparsable", ONE, [("make\n", f"make && {RM_TEXT}\n")], [("make\n", f"make &&\n{RM_TEXT}\n")], APPEND),
    ("shell-unparsable", ONE, [("make\n", f"make && {RM_TEXT}\n")], [("make\n", f"make && && {RM_TEXT}\n")], APPEND),
    ("program-named-cmd", BASE + "RUN cmd one two\n", [("two\n", f"two && {RM_TEXT}\n")],
     [("one two\n", f"other two && {RM_TEXT}\n")], APPEND),
    ("words-that-begin-with-cmd", BASE + "RUN for x in cmd one; do y; done\n", [("done\n", f"done && {RM_TEXT}\n")],
     [("one; do y; done\n", f"other; do y; done && {RM_TEXT}\n")], APPEND),
    ("word-cmd-alone", BASE + "RUN for x in cmd; do y z; done\n", [("y z", "y -q z")], [("y z", "y -v z")],
     [EditWords(1, 17, 1, 0, ("-q",))]),
    ("nothing-done", ONE, [("make\n", f"make && {RM_TEXT}\n")], [], APPEND),
    ("done-twice", ONE, [("make\n", f"make && {RM_TEXT}\n")], [("make\n", f"make && {RM_TEXT} && {RM_TEXT}\n")],
     APPEND),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "edits", "rewrites"), [pytest.param(row[1], row[2], row[4], id=row[0]) for row in ROWS]
)
def test_correct_fix_passes(text: str, edits: list[tuple[str, str]], rewrites: list[Rewrite]) -> None:
    assert verdict(text, replaced(text, *edits), rewrites) == ""


@pytest.mark.parametrize(
    ("text", "edits", "rewrites"), [pytest.param(row[1], row[3], row[4], id=row[0]) for row in ROWS]
)
def test_damaged_fix_is_stopped(text: str, edits: list[tuple[str, str]], rewrites: list[Rewrite]) -> None:
    assert verdict(text, replaced(text, *edits), rewrites) != ""


# Rewrites whose text is exactly what they declare, but whose declaration would not keep the program's meaning
UNSOUND = [
    ("E-exec-form-merged", BASE + 'RUN ["/bin/echo", "x"]\nRUN two\n', MERGE),
    ("F-cd", BASE + "RUN cd /tmp && a\nRUN two\n", MERGE),
    ("F-export", BASE + "RUN export A=1\nRUN two\n", MERGE),
    ("F-set", BASE + "RUN set -x; a\nRUN two\n", MERGE),
    ("F-umask", BASE + "RUN umask 077; a\nRUN two\n", MERGE),
    ("F-shopt", BASE + "RUN shopt -s nullglob; a\nRUN two\n", MERGE),
    ("F-exec", BASE + "RUN exec a\nRUN two\n", MERGE),
    ("F-exit", BASE + "RUN a; exit 0\nRUN two\n", MERGE),
    ("F-source", BASE + "RUN . ./env\nRUN two\n", MERGE),
    ("F-assignment", BASE + "RUN A=1; b\nRUN two\n", MERGE),
    ("F-function", BASE + "RUN f() { b; }; f\nRUN two\n", MERGE),
    ("F-read", BASE + "RUN read A < /etc/hostname\nRUN two\n", MERGE),
    ("F-trap-even-wrapped", BASE + "RUN trap a EXIT\nRUN two\n", [MergeRuns((1, 2), (True, False))]),
    ("F-background-even-wrapped", BASE + "RUN a &\nRUN two\n", [MergeRuns((1, 2), (True, False))]),
    ("F-comment-even-wrapped", BASE + "RUN a # b\nRUN two\n", [MergeRuns((1, 2), (True, False))]),
    ("F-errexit-in-front-even-wrapped", BASE + "RUN set -e; a; b\nRUN two\n", [MergeRuns((1, 2), (True, False))]),
    ("U-list-behind-and", BASE + "RUN c\nRUN a; b\n", MERGE),
    ("U-or-behind-and", BASE + "RUN c\nRUN a || b\n", MERGE),
    ("U-append-behind-semicolon", LIST, [AppendCommand(1, RM, ";")]),
    ("U-append-behind-compound-under-errexit", BASE + "RUN set -e; if a; then b; c; fi\n", APPEND),
    ("append-behind-background", BASE + "RUN a &\n", APPEND),
    ("append-behind-exec", BASE + "RUN a && exec b\n", APPEND),
    ("flags-differ", BASE + "RUN --network=none one\nRUN two\n", MERGE),
    ("heredoc-merged", BASE + "RUN one\nRUN <<EOF\ntwo\nEOF\n", MERGE),
    ("not-consecutive", BASE + "RUN one\nENV A=1\nRUN two\n", [MergeRuns((1, 3), (False, False))]),
    ("windows", "FROM mcr.microsoft.com/windows/nanoserver:1809\nRUN one\nRUN two\n", MERGE),
]


@pytest.mark.parametrize(("text", "rewrites"), [pytest.param(row[1], row[2], id=row[0]) for row in UNSOUND])
def test_unsound_rewrite_is_stopped(text: str, rewrites: list[Rewrite]) -> None:
    """Whatever text a pass would write, the claim itself is refused."""
    assert verdict(text, [], rewrites) != ""


# Ways that leave a file whose model is exactly as declared: the gate must trust the declaration, so these are kept away
# by the passes' guards, by their tier, or by a real build.
BUILD_ONLY = {
    "H": "whether a base image has bash, or a shell with pipefail",
    "I": "whether a user exists, owns its files, may bind its ports",
    "P": "whether a cache survives between builds, and who reads the cached path",
    "Q": "which flags the engine's frontend knows",
    "R": "what a package's recommended packages are needed for",
    "S": "whether an opaque script needs the package index",
    "Z": "which layers change often",
}


@pytest.mark.parametrize(
    ("text", "edits", "rewrites"),
    [
        pytest.param("FROM alpine:3.22\nRUN a | b\n", [("RUN", 'SHELL ["/bin/bash", "-c"]\nRUN')],
                     [InsertStep(1, "SHELL", (), ("json", "", ("/bin/bash", "-c")))], id="H"),
        pytest.param(ONE + "CMD x\n", [("CMD x", "USER nobody-made-me\nCMD x")],
                     [InsertStep(2, "USER", (), value(BASE + "USER nobody-made-me"))], id="I"),
        pytest.param(ONE, [("RUN", "RUN --mount=type=cache,target=/out")],
                     [SetFlags(1, (("mount", "type=cache,target=/out"),))], id="P"),
        pytest.param(BASE + "COPY a /\n", [("COPY", "COPY --chmod=+x")], [SetFlags(1, (("chmod", "+x"),))], id="Q"),
        pytest.param(BASE + "RUN apt-get install -y a\n", [("-y", "-y --no-install-recommends")],
                     [EditWords(1, 0, 3, 0, ("--no-install-recommends",))], id="R"),
        pytest.param(BASE + "RUN apt-get update\nRUN ./setup\n", [("update", "update && rm -rf /x")], APPEND, id="S"),
        pytest.param(TWO, [("\nRUN two", " && two")], MERGE, id="Z"),
    ],
)  # fmt: skip
def test_what_only_a_build_can_see(
    text: str, edits: list[tuple[str, str]], rewrites: list[Rewrite], request: pytest.FixtureRequest
) -> None:
    assert request.node.callspec.id in BUILD_ONLY
    assert verdict(text, replaced(text, *edits), rewrites) == ""
