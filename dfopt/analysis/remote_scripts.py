"""Scripts that are run as they come from the network."""

from __future__ import annotations

from dfopt.ir.commands import Invocation
from dfopt.lazy import regex
from dfopt.syntax.shell import ShellSyntaxError, parse_shell
from dfopt.syntax.shell.nodes import CommandSub, Pipeline, ProcessSub, SimpleCommand
from dfopt.syntax.shell.walk import iter_nodes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.ir.program import Program
    from dfopt.ir.shell_body import Body
    from dfopt.ir.stages import Step
    from dfopt.syntax.shell.nodes import Node

DOWNLOADERS = frozenset(("curl", "wget", "fetch", "aria2c", "axel", "http", "https", "lwp-request", "lynx"))
SHELLS = frozenset(("sh", "bash", "dash", "ash", "zsh", "ksh", "mksh", "fish"))
_INTERPRETER = regex(r"(?:python|perl|ruby|node|php|tclsh|lua|deno|bun|pwsh)[\d.]*\Z")


_RUNNERS = r"(?:sh|bash|dash|ash|zsh|ksh|mksh|fish|python[\d.]*|perl|ruby|node|php|tclsh|lua|deno|bun|pwsh)"
# a quick look at a text: a pipe into an interpreter, a substitution behind one, or a string that is a script
_PERHAPS = regex(
    rf"\|[^;&]*?(?<![\w.-]){_RUNNERS}(?![\w./-])|(?:{_RUNNERS}|eval|source|(?<!\S)\.)\s[^;&]*?(?:<\(|\$\(|`)"
    rf"|(?:{_RUNNERS}|su|runuser)\s[^;&]*?-\w*c\s"
)
_SCRIPT = regex(r"-\w*c\s")


def unseen(program: Program, step: Step) -> list[Node]:
    """The pipelines and commands of a step that run what they download; its body is understood."""
    body = program.body(step)
    if body.cached is None:
        return _unseen(program, step, body)
    found: list[Node] | None = body.cached.derived.get("unseen")
    if found is None:
        found = body.cached.derived["unseen"] = _unseen(program, step, body)
    return found


def _unseen(program: Program, step: Step, body: Body) -> list[Node]:
    assert body.program is not None
    text = body.text
    if not any(name in text for name in DOWNLOADERS):
        return []
    if not ("|" in text or "$(" in text or "<(" in text or "`" in text or _SCRIPT.search(text)):
        return []
    if not _PERHAPS.search(text):
        return []
    known = {one.node.start: one for one in program.commands(step).invocations if not one.nested}
    found: list[Node] = []
    for node in iter_nodes(body.program.script):
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
        isinstance(inner, SimpleCommand) and inner.start in known and known[inner.start].program in DOWNLOADERS
        for inner in iter_nodes(node)
    )


def _reads_script(one: Invocation) -> bool:
    """Whether a command runs what comes from its standard input."""
    values = one.values
    if one.program in SHELLS:
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
    shell = one.program in SHELLS or (one.program is not None and _INTERPRETER.match(one.program) is not None)
    if not shell and one.program not in ("eval", "source", "."):
        return False
    for redirect in one.node.redirects:
        if shell and redirect.op == "<" and _downloads(redirect.target, known):
            return True
    for word in one.words:
        for inner in iter_nodes(word):
            if isinstance(inner, ProcessSub) and inner.direction == "<" and _downloads(inner, known):
                return True
            # in the middle of a shell's script it is data as a rule
            first = not shell or inner.start <= word.start + 1
            if first and isinstance(inner, CommandSub) and _downloads(inner, known):
                return True
    return False


def _inline(one: Invocation) -> bool:
    """Whether the fixed string of `sh -c '...'` (or `su -c`) runs what it downloads."""
    if one.program not in SHELLS and one.program not in ("su", "runuser"):
        return False
    for option, value in zip(one.values, one.values[1:], strict=False):
        if option is None or value is None or not option.startswith("-") or not option.endswith("c"):
            continue
        try:
            inner = parse_shell(value)
        except ShellSyntaxError:
            return False
        found = {node.start: node for node in iter_nodes(inner.script) if isinstance(node, SimpleCommand)}
        return any(
            isinstance(node, Pipeline)
            and any(_name(part) in DOWNLOADERS for part in node.commands[:-1])
            and any(_name(part) in SHELLS for part in node.commands[1:])
            for node in iter_nodes(inner.script)
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
