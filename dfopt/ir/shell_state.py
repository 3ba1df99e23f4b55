"""What a shell text does to the shell that runs it: state that a following command in the same shell would see.

Two RUN instructions run in two shells. To become one RUN, the first must leave no trace in its shell, or be confined to
a subshell; and the second must not ask for what only a fresh shell has.
Sources: POSIX.1-2024 XCU 2.9, 2.12, 2.14; bash 5.2 manual; dash(1). The lists are in knowledge/shells.toml.
"""

from __future__ import annotations

import re

from dfopt.ir.shell_body import memoized
from dfopt.knowledge import table
from dfopt.lazy import regex
from dfopt.record import Record
from dfopt.syntax.shell.nodes import (
    AndOr,
    ArithmeticCommand,
    ArithmeticFor,
    BraceGroup,
    Case,
    CommandSub,
    Coproc,
    For,
    Function,
    If,
    Parameter,
    Pipeline,
    Script,
    SimpleCommand,
    Subshell,
    While,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from dfopt.ir.shell_body import Body
    from dfopt.syntax.shell.nodes import Command, Word

# an assignment or an increment, not a comparison
_ASSIGNS = regex(r"\+\+|--|(?<![=!<>])=(?!=)|<<=|>>=")


class ShellStateEffects(Record):
    """What one body does to the state of its shell.

    state      reasons why what follows in the same shell could see a difference, but not after a subshell
    never      reasons why not even a subshell makes it equal to a shell of its own
    errexit    it runs, wholly or partly, under `set -e` (or may: it reads a file that could set it)
    history    it reads a parameter that depends on what its shell did before
    plain      one && chain of simple commands and pipelines: no list, no ||, no compound command
    lists      its status is that of a list or an || chain: as a later part it must be kept together
    """

    state: tuple[str, ...]
    never: tuple[str, ...]
    errexit: bool
    history: tuple[str, ...]
    plain: bool
    lists: bool


def shell_state_effects(body: Body) -> ShellStateEffects:
    """The analysis of a body that was understood (`body.program` is set)."""
    assert body.program is not None
    return memoized(body, ("shell state", body.form == "script", body.shell.options), _shell_state_effects)


def _shell_state_effects(body: Body) -> ShellStateEffects:
    assert body.program is not None
    script = body.program.script
    collector = _StateEffectCollector()
    collector.script(script)
    if body.form != "script" and script.comments:
        start = script.comments[0][0]
        collector.never.append(f"a shell comment ({body.text[start : start + 20]!r}) would swallow what follows")
    if "e" in body.shell.options:
        collector.errexit = True
    if body.shell.options & {"l", "i"}:
        collector.never.append("the shell is a login or interactive one: each RUN reads its profile anew")
    top = script.items[0].command if len(script.items) == 1 and script.items[0].terminator in ("", ";", "\n") else None
    ended = bool(script.items) and script.items[-1].terminator != ""
    lists = top is None or (isinstance(top, AndOr) and "||" in top.ops)
    plain = top is not None and not lists and is_plain(top)
    return ShellStateEffects(
        tuple(dict.fromkeys(collector.state)), tuple(dict.fromkeys(collector.never)), collector.errexit,
        tuple(dict.fromkeys(collector.history)), plain, lists or ended,
    )  # fmt: skip


def is_plain(node: Command) -> bool:
    """Whether a command is one && chain of simple commands and pipelines of them."""
    if isinstance(node, AndOr):
        return "||" not in node.ops and all(is_plain(item) for item in node.items)
    if isinstance(node, Pipeline):
        return not node.negated and all(isinstance(part, SimpleCommand) for part in node.commands)
    return isinstance(node, SimpleCommand)


class _StateEffectCollector:
    __slots__ = ("errexit", "history", "kinds", "never", "state", "volatile")

    def __init__(self) -> None:
        self.state: list[str] = []
        self.never: list[str] = []
        self.history: list[str] = []
        self.errexit = False
        shells = table("shells")
        self.kinds: dict[str, str] = shells["leaks"]
        self.volatile = frozenset(shells["parameters"]["history"])

    def script(self, script: Script) -> None:
        for item in script.items:
            if item.terminator == "&":
                self.never.append("a background job (&) would outlive its step")
            self.command(item.command)

    def command(self, node: Command) -> None:
        if isinstance(node, SimpleCommand):
            self.simple(node)
        elif isinstance(node, AndOr):
            for part in node.items:
                self.command(part)
        elif isinstance(node, Pipeline):
            if len(node.commands) == 1:
                self.command(node.commands[0])
            else:
                self.confined(node.commands)
        elif isinstance(node, Subshell):
            self.confined([item.command for item in node.body.items])
            if any(item.terminator == "&" for item in node.body.items):
                self.never.append("a background job (&) would outlive its step")
            self.redirects(node)
        elif isinstance(node, BraceGroup):
            self.script(node.body)
            self.redirects(node)
        elif isinstance(node, If):
            for condition, then in node.branches:
                self.script(condition)
                self.script(then)
            if node.otherwise is not None:
                self.script(node.otherwise)
            self.redirects(node)
        elif isinstance(node, For):
            self.state.append(f"the loop variable {node.name}")
            for word in node.words or ():
                self.parts(word.parts)
            self.script(node.body)
            self.redirects(node)
        elif isinstance(node, ArithmeticFor | ArithmeticCommand):
            self.state.append("an arithmetic command may assign")
            if isinstance(node, ArithmeticFor):
                self.script(node.body)
        elif isinstance(node, While):
            self.script(node.condition)
            self.script(node.body)
            self.redirects(node)
        elif isinstance(node, Case):
            self.parts(node.subject.parts)
            for case in node.items:
                for pattern in case.patterns:
                    self.parts(pattern.parts)
                self.script(case.body)
            self.redirects(node)
        elif isinstance(node, Function):
            self.state.append(f"the function {node.name}")
            self.command(node.body)
        elif isinstance(node, Coproc):
            self.never.append("a coprocess would outlive its step")
        else:  # [[ ]]
            for word in node.words:
                self.parts(word.parts)
            if any(word.value == "=~" for word in node.words):
                self.state.append("[[ =~ ]] sets BASH_REMATCH")

    def confined(self, nodes: Any) -> None:
        """Commands of a subshell or pipeline: their state stays inside, what outlives a shell does not."""
        inner = _StateEffectCollector()
        for node in nodes:
            inner.command(node)
        self.never += inner.never
        self.history += inner.history
        self.errexit = self.errexit or inner.errexit

    def redirects(self, node: Any) -> None:
        for redirect in node.redirects:
            if redirect.fd.startswith("{"):
                self.state.append(f"the file descriptor {redirect.fd}")
            self.parts(redirect.target.parts)

    def simple(self, node: SimpleCommand) -> None:
        for assignment in node.assignments:
            if not node.words:
                self.state.append(f"the variable {assignment.name}")
            if assignment.value is not None:
                self.parts(assignment.value.parts)
            for word in assignment.array or ():
                self.parts(word.parts)
        for word in node.words:
            self.parts(word.parts)
        self.redirects(node)
        if not node.words:
            return
        name = node.words[0].value
        index = 0
        while name in ("command", "builtin") and index + 1 < len(node.words):
            index += 1
            name = node.words[index].value
        if name is None:
            # a program named by a variable could be any built-in
            self.state.append("the command is named by an expansion")
            return
        kind = self.kinds.get(name)
        rest = [word.value for word in node.words[index + 1 :]]
        if kind == "state":
            if name == "set" and sets_errexit(rest):
                self.errexit = True
            self.state.append(f"{name} changes the state of its shell")
        elif name == "exit" and len(rest) == 1 and (rest[0] or "").isdigit() and int(rest[0] or "0") % 256:
            pass  # the step fails with it, in its own shell or in another's
        elif kind == "flow":
            self.state.append(f"{name} ends or replaces its shell")
        elif kind == "source":
            self.errexit = self.errexit or not _keeps_errexit(node.words[index + 1 : index + 2])
            self.state.append(f"{name} reads a file that may change any state")
        elif kind == "eval":
            self.errexit = True
            self.state.append("eval may change any state")
        elif kind == "trap":
            self.never.append("trap: when it fires depends on when its shell ends")
        elif kind == "job":
            self.never.append(f"{name} looks at the jobs of its shell")
        elif kind == "alias":
            self.never.append(f"{name}: aliases change how later text is read")
        elif name == "printf" and "-v" in rest:
            self.state.append("printf -v sets a variable")

    def parts(self, parts: Any) -> None:
        for part in parts:
            if isinstance(part, Parameter):
                if part.op in ("=", ":="):
                    self.state.append(f"${{{part.name}{part.op}...}} assigns")
                if part.name in self.volatile:
                    self.history.append(f"${part.name}")
                self.parts(part.parts)
            elif isinstance(part, CommandSub):
                if part.body is not None:
                    self.confined([item.command for item in part.body.items])
            elif hasattr(part, "text"):
                text = part.text
                if _ASSIGNS.search(text):
                    self.state.append("an arithmetic expansion may assign")
                self.parts(getattr(part, "parts", ()))
            elif hasattr(part, "parts"):
                self.parts(part.parts)


def _keeps_errexit(words: tuple[Word, ...]) -> bool:
    """Whether the file that `.` or `source` reads is one that leaves errexit as it is (knowledge/shells.toml)."""
    if not words:
        return False
    path: Any = words[0].value
    parts: Any = words[0].parts
    while path is None and parts:  # "$HOME/.cargo/env": what stands after the expansion
        path, parts = getattr(parts[-1], "value", None), getattr(parts[-1], "parts", ())
    patterns = table("shells")["sourced"]["keeps-errexit"]
    return isinstance(path, str) and any(re.search(f"(?:{pattern})\\Z", path) for pattern in patterns)


def sets_errexit(words: list[str | None]) -> bool:
    """Whether `set` with these words turns errexit on, or may."""
    for index, word in enumerate(words):
        if word is None:
            return True
        if word.startswith("-") and not word.startswith("--") and "e" in word[1:].partition("o")[0]:
            return True
        following = words[index + 1] if index + 1 < len(words) else ""
        if word.startswith("-") and word.endswith("o") and following in (None, "errexit"):
            return True
    return False
