from __future__ import annotations

import re

from dfopt.ir.commands import Invocation, commands
from dfopt.passes._runs import place, runs, walk
from dfopt.passes.base import Facts, Finding, Pass
from dfopt.syntax.shell import ShellSyntaxError, parse_shell
from dfopt.syntax.shell.nodes import CommandSub, Pipeline, ProcessSub, SimpleCommand

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.ir.body import Body
    from dfopt.ir.program import Program
    from dfopt.syntax.shell.nodes import Node

_DOWNLOADERS = frozenset(("curl", "wget", "fetch", "aria2c", "axel", "http", "https", "lwp-request", "lynx"))
_SHELLS = frozenset(("sh", "bash", "dash", "ash", "zsh", "ksh", "mksh", "fish"))
_INTERPRETER = re.compile(r"(?:python|perl|ruby|node|php|tclsh|lua|deno|bun|pwsh)[\d.]*\Z")
_WORD = re.compile(r"\b(?:" + "|".join(sorted(_DOWNLOADERS)) + r")\b")
_URL = re.compile(r"(https?)://([^\s/'\"$|;)]+)")


class CurlPipeShell(Pass):
    """Reports scripts that are run straight from the network: `curl URL | sh`, `bash <(curl URL)`,
    `sh -c "$(curl URL)"`, `eval "$(wget -qO- URL)"`.

    A suggestion: what the script should be is not written in the file. Download it to a file, compare a checksum that
    stands in the Dockerfile, then run it; or install a package that its distribution has signed.

    Why: whoever controls the server, or over plain http the way to it, runs commands in the build. A download that
    breaks off runs half of a script, and without `pipefail` a failed download is no error.

    Example:

    ```dockerfile
    FROM debian:13
    RUN curl -fsSL https://example.com/install.sh | sh
    ```

    Refuses: nothing; it changes nothing.

    Declares: nothing.
    """

    name = "curl-pipe-shell"
    group = "security"
    triggers = ("curl", "wget", "fetch", "aria2c", "axel", "http", "lynx")
    order = 90

    def find(self, program: Program, facts: Facts) -> Iterator[Finding]:
        for step, body in runs(program, _WORD):
            assert body.program is not None
            for node in _unseen(body, body.program.script):
                start, end = place(step, body, node.start, node.end)
                url = _URL.search(body.text, node.start, node.end)
                what = f"a script from {url[2]}" if url else "a downloaded script"
                how = " over plain http" if url and url[1] == "http" else ""
                message = f"{what}{how} runs unseen: download it, compare its checksum, then run it"
                yield Finding(self.name, message, start, end)


def _unseen(body: Body, tree: Node) -> list[Node]:
    """The pipelines and commands that run what they download."""
    known = {one.node.start: one for one in commands(body).invocations if not one.nested}
    found: list[Node] = []
    for node in walk(tree):
        if any(other.start <= node.start and node.end <= other.end for other in found):
            continue
        if isinstance(node, Pipeline):
            loads = False
            for part in node.commands:
                one = known.get(part.start) if isinstance(part, SimpleCommand) else None
                if loads and one is not None and _reads_script(one):
                    found.append(node)
                    break
                loads = loads or _downloads(part, known)
        elif isinstance(node, SimpleCommand) and node.start in known and _runs_substitution(known[node.start], known):
            found.append(node)
    found += [one.node for one in known.values() if _inline(one)]
    return found


def _downloads(node: Node, known: dict[int, Invocation]) -> bool:
    return any(
        isinstance(inner, SimpleCommand) and inner.start in known and known[inner.start].program in _DOWNLOADERS
        for inner in walk(node)
    )


def _reads_script(one: Invocation) -> bool:
    """Whether a command runs what comes from its standard input."""
    values = one.values
    if one.program in _SHELLS:
        for value in values:
            if value is None or value in ("-", "-s", "/dev/stdin", "--"):
                return True
            if not value.startswith("-"):
                return False
            if not value.startswith("--") and "c" in value:
                return False
            if not value.startswith("--") and "s" in value:
                return True
        return True
    if one.program is None or not _INTERPRETER.match(one.program):
        return False
    return not values or values[0] in ("-", "/dev/stdin")


def _runs_substitution(one: Invocation, known: dict[int, Invocation]) -> bool:
    """Whether a command runs the output of a download: as its script, or as a file."""
    shell = one.program in _SHELLS or (one.program is not None and _INTERPRETER.match(one.program) is not None)
    if not shell and one.program not in ("eval", "source", "."):
        return False
    for redirect in one.node.redirects:
        if shell and redirect.op == "<" and _downloads(redirect.target, known):
            return True
    for word in one.words:
        for inner in walk(word.parts):
            if isinstance(inner, ProcessSub) and inner.direction == "<" and _downloads(inner, known):
                return True
            # in the middle of a shell's script it is data as a rule
            first = not shell or inner.start <= word.start + 1
            if first and isinstance(inner, CommandSub) and _downloads(inner, known):
                return True
    return False


def _inline(one: Invocation) -> bool:
    """Whether the fixed string of `sh -c '...'` (or `su -c`) runs what it downloads."""
    if one.program not in _SHELLS and one.program not in ("su", "runuser"):
        return False
    for option, value in zip(one.values, one.values[1:], strict=False):
        if option is None or value is None or not option.startswith("-") or not option.endswith("c"):
            continue
        try:
            inner = parse_shell(value)
        except ShellSyntaxError:
            return False
        found = {node.start: node for node in walk(inner.script) if isinstance(node, SimpleCommand)}
        return any(
            isinstance(node, Pipeline)
            and any(_name(part) in _DOWNLOADERS for part in node.commands[:-1])
            and any(_name(part) in _SHELLS for part in node.commands[1:])
            for node in walk(inner.script)
        ) and bool(found)
    return False


def _name(node: Node) -> str:
    """The base name of a simple command's program, behind sudo."""
    if not isinstance(node, SimpleCommand):
        return ""
    for word in node.words:
        value = word.value or ""
        if value != "sudo" and not value.startswith("-"):
            return value.rpartition("/")[2]
    return ""
