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
# a quick look at a text: a pipe into an interpreter, a substitution after one, or a string that is a script
_PERHAPS = regex(
    rf"\|[^;&]{{0,400}}?(?<![\w.-]){_RUNNERS}(?![\w./-])|(?:{_RUNNERS}|eval|source|(?<!\S)\.)\s[^;&]{{0,400}}?(?:<\(|\$\(|`)"
    rf"|(?:{_RUNNERS}|su|runuser)\s[^;&]{{0,400}}?-\w{{0,20}}c\s"
)
_SCRIPT = regex(r"-\w{0,20}c\s")


def remote_script_nodes(program: Program, step: Step) -> list[Node]:
    """The pipelines and commands of a step that run what they download; its body is understood."""
    body = program.body(step)
    if body.cached is None:
        return _remote_script_nodes(program, step, body)
    nodes: list[Node] | None = body.cached.derived.get("unseen")
    if nodes is None:
        nodes = body.cached.derived["unseen"] = _remote_script_nodes(program, step, body)
    return nodes


def _remote_script_nodes(program: Program, step: Step, body: Body) -> list[Node]:
    assert body.program is not None
    text = body.text
    if not any(name in text for name in DOWNLOADERS):
        return []
    if not ("|" in text or "$(" in text or "<(" in text or "`" in text or _SCRIPT.search(text)):
        return []
    if not _PERHAPS.search(text):
        return []
    invocations = {
        invocation.node.start: invocation for invocation in program.commands(step).invocations if not invocation.nested
    }
    nodes: list[Node] = []
    seen = 0  # of `nodes`: those whose parts are in `inside`
    inside: set[int] = set()
    for node in iter_nodes(body.program.script):
        for other in nodes[seen:]:
            inside.update(map(id, iter_nodes(other)))
        seen = len(nodes)
        if id(node) in inside:
            continue
        if isinstance(node, Pipeline):
            loads = False
            for part in node.commands:
                invocation = invocations.get(part.start) if isinstance(part, SimpleCommand) else None
                if loads and invocation is not None and _reads_script(invocation):
                    nodes.append(node)
                    break
                loads = loads or _downloads(part, invocations)
        elif (
            isinstance(node, SimpleCommand)
            and node.start in invocations
            and _runs_substitution(invocations[node.start], invocations)
        ):
            nodes.append(node)
    nodes += [invocation.node for invocation in invocations.values() if _inline(invocation)]
    return nodes


def _downloads(node: Node, invocations: dict[int, Invocation]) -> bool:
    return any(
        isinstance(inner, SimpleCommand)
        and inner.start in invocations
        and invocations[inner.start].program in DOWNLOADERS
        for inner in iter_nodes(node)
    )


def _reads_script(invocation: Invocation) -> bool:
    """Whether a command runs what comes from its standard input."""
    values = invocation.values
    if invocation.program in SHELLS:
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
    if invocation.program is None or not _INTERPRETER.match(invocation.program):
        return False
    return not values or values[0] in ("-", "/dev/stdin")


def _runs_substitution(invocation: Invocation, invocations: dict[int, Invocation]) -> bool:
    """Whether a command runs the output of a download: as its script, or as a file."""
    shell = invocation.program in SHELLS or (
        invocation.program is not None and _INTERPRETER.match(invocation.program) is not None
    )
    if not shell and invocation.program not in ("eval", "source", "."):
        return False
    for redirect in invocation.node.redirects:
        if shell and redirect.op == "<" and _downloads(redirect.target, invocations):
            return True
    for word in invocation.words:
        for inner in iter_nodes(word):
            if isinstance(inner, ProcessSub) and inner.direction == "<" and _downloads(inner, invocations):
                return True
            # in the middle of a shell's script it is data as a rule
            first = not shell or inner.start <= word.start + 1
            if first and isinstance(inner, CommandSub) and _downloads(inner, invocations):
                return True
    return False


def _inline(invocation: Invocation) -> bool:
    """Whether the fixed string of `sh -c '...'` (or `su -c`) runs what it downloads."""
    if invocation.program not in SHELLS and invocation.program not in ("su", "runuser"):
        return False
    for option, value in zip(invocation.values, invocation.values[1:], strict=False):
        if option is None or value is None or not option.startswith("-") or not option.endswith("c"):
            continue
        try:
            inner = parse_shell(value)
        except ShellSyntaxError:
            return False
        nodes = {node.start: node for node in iter_nodes(inner.script) if isinstance(node, SimpleCommand)}
        return any(
            isinstance(node, Pipeline)
            and any(_name(part) in DOWNLOADERS for part in node.commands[:-1])
            and any(_name(part) in SHELLS for part in node.commands[1:])
            for node in iter_nodes(inner.script)
        ) and bool(nodes)
    return False


def _name(node: Node) -> str:
    """The base name of a simple command's program, after sudo."""
    if not isinstance(node, SimpleCommand):
        return ""
    for word in node.words:
        value = word.value or ""
        if value != "sudo" and not value.startswith("-"):
            return value.rpartition("/")[2]
    return ""
