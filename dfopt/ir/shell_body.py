"""The shell program of a step: in which language it is written, its tree, and where it stands in the file."""

from __future__ import annotations

import os.path

from dfopt.ir.shell_text import shell_text
from dfopt.knowledge import table
from dfopt.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from dfopt.ir.scopes import Scope
    from dfopt.ir.shell_text import ShellText
    from dfopt.ir.stages import Step
    from dfopt.syntax.shell.nodes import ShellProgram
    from dfopt.syntax.tree import Dockerfile, Heredoc, Joined

    Value = TypeVar("Value")

# Bashisms that a POSIX shell reads as something else, not as an error: under /bin/sh they leave the meaning open.
_AMBIGUOUS = {
    "ansi-quote": "$' '", "arith-bracket": "$[ ]", "fd-variable": "{name}>", "substitution-subshell": "$((",
    "arith-command": "((", "amp-redirect": "&>", "pipe-amp": "|&", "process-substitution": "<( )", "array": "arrays",
    "function-keyword": "the function keyword", "coproc": "coproc", "select": "select", "arith-for": "for ((",
    "case-fallthrough": ";&", "extglob": "extended globs", "time": "time",
}  # fmt: skip


class ShellKind(Record):
    """The shell that runs a step.

    kind     sh, dash, bash, ash, ksh, zsh, powershell, cmd, other, unknown
    options  short options in force ("e", "u", "x", "l", "i") and "pipefail"
    """

    kind: str
    options: frozenset[str]

    @property
    def posix(self) -> bool:
        return self.kind in ("sh", "dash", "bash", "ash", "ksh")


class Body(Record):
    """A step's shell text.

    form      "line" (shell form), "script" (the heredoc is the whole script), "mixed" (a line with heredocs),
              "exec" (JSON form), "none"
    text      what the shell reads; offsets of the tree count from here
    program   the tree; None where the text is not understood, and then `why` says so
    shell     the shell that runs it
    cached    the shared analysis of the text, where it was parsed
    """

    form: str
    text: str
    program: ShellProgram | None
    why: str
    shell: ShellKind
    joined: Joined
    at: int
    heredoc: Heredoc | None
    cached: ShellText | None = None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """`text[start:end]` as a span of the file. Only for "line" and "script"."""
        if self.heredoc is not None:
            return self.heredoc.start + start, self.heredoc.start + end
        return self.joined.span(self.at + start, self.at + end)


def shell_kind(scope: Scope, escape: str) -> ShellKind:
    """Which shell runs a shell-form step in this scope."""
    argv = scope.shell
    none: frozenset[str] = frozenset()
    if argv is None:
        return ShellKind("unknown", none)
    if not scope.shell_set and (scope.base is None or scope.base.sh is None) and escape == "`":
        return ShellKind("unknown", none)  # a backtick as escape is the mark of a Windows file
    name = os.path.basename(argv[0].replace("\\", "/")).lower()
    kind = table("shells")["kinds"].get(name, "other")
    if kind in ("powershell", "cmd", "other"):
        return ShellKind(kind, none)
    options: set[str] = set()
    command = False
    expect = False
    for word in argv[1:]:
        if expect:
            options.add(word)
            expect = False
        elif word.startswith("--"):
            options.add("l" if word == "--login" else word)
        elif word[:1] in "-+" and len(word) > 1:
            for letter in word[1:]:
                if letter == "c":
                    command = True
                elif letter == "o":
                    expect = True
                elif word[0] == "-":
                    options.add(letter)
        else:
            return ShellKind("other", none)
    if "errexit" in options:
        options.add("e")
    if not command:
        return ShellKind("other", none)
    if kind == "sh" and scope.base is not None:
        kind = {"dash": "dash", "bash": "bash", "busybox": "ash"}.get(scope.base.sh or "", "sh")
    return ShellKind(kind, frozenset(options))


def memoized(body: Body, key: object, compute: Callable[[Body], Value]) -> Value:
    """`compute(body)`, which depends on the body's text and on what is in `key` alone: computed once for each text."""
    if body.cached is None:
        return compute(body)
    derived = body.cached.derived
    if key not in derived:
        derived[key] = compute(body)
    value: Value = derived[key]
    return value


def make_body(dockerfile: Dockerfile, step: Step, scope: Scope) -> Body:
    """The body of a step with a command line, run in `scope`; parses its shell text."""
    node = step.effective
    kind = shell_kind(scope, dockerfile.escape)
    heredocs = step.heredocs if node.keyword == "RUN" else ()
    joined, at = node.joined, node.at

    def body(
        form: str,
        text: str,
        tree: ShellProgram | None,
        why: str,
        heredoc: Heredoc | None = None,
        cached: ShellText | None = None,
    ) -> Body:
        return Body(form, text, tree, why, kind, joined, at, heredoc, cached)

    if node.form == "json":
        return body("exec", "", None, "exec form runs no shell")
    if node.form != "shell":
        return body("none", "", None, "no command line")
    text = node.body
    if scope.base is not None and scope.base.sh == "none" and not scope.shell_set:
        return body("line", text, None, "the base image has no shell")
    if kind.kind in ("powershell", "cmd"):
        return body("line", text, None, f"the shell is {kind.kind}, which is not analysed")
    if not kind.posix:
        return body("line", text, None, "the shell is not known to read POSIX syntax")
    form, heredoc = "line", None
    if heredocs:
        if len(heredocs) == 1 and _only_heredoc(text):
            heredoc = heredocs[0]
            form, text = "script", dockerfile.text[heredoc.start : heredoc.end]
            if text.startswith("#!"):
                own = _shebang(text)
                if own is None:
                    return body(form, text, None, "the heredoc names its own interpreter", heredoc)
                kind = own
            if "\r" in text:
                return body(form, text, None, "the heredoc holds carriage returns, which its shell will see", heredoc)
        else:
            form = "mixed"
            for doc in heredocs:
                text += "\n" + dockerfile.text[doc.start : doc.end] + doc.name
            text += "\n"
    cached = shell_text(text)
    tree = cached.tree
    if tree is None:
        return body(form, text, None, f"the shell text is not understood: {cached.why}", heredoc)
    if not tree.script.items:
        return body(form, text, None, "it runs no command", heredoc)
    if kind.kind != "bash":
        for _, sort in tree.bashisms:
            if sort in _AMBIGUOUS:
                return body(form, text, None, f"{_AMBIGUOUS[sort]} is bash, and the shell may not be bash", heredoc)
    return body(form, text, tree, "", heredoc, cached)


def _shebang(text: str) -> ShellKind | None:
    """The shell that a script's first line names; None where it names none that is understood."""
    import re

    match = re.match(
        r"#![ \t]*(?:/usr/bin/env[ \t]+(?:-S[ \t]+)?)?(?:\S*/)?(sh|dash|bash|ash)(?:[ \t]+-(\w+))?[ \t]*\n", text
    )
    return ShellKind(match[1], frozenset(match[2] or "")) if match is not None else None


def _only_heredoc(text: str) -> bool:
    """Whether a RUN's line is one heredoc word and nothing else: then its body is the script."""
    import re

    return re.fullmatch(r"<<-?(?:\w+|'[^']*'|\"[^\"]*\")", text) is not None
