"""The one program that a container runs, behind what only starts it: npx, a script of package.json, `cd`."""

from __future__ import annotations

import posixpath
import re

from dfopt.analysis.context_documents import json_object, member
from dfopt.analysis.startup import _body, started
from dfopt.ir.commands import commands
from dfopt.ir.scopes import join_path
from dfopt.record import Record
from dfopt.refusal import Refusal
from dfopt.syntax.expand import Unknown
from dfopt.syntax.shell import ShellSyntaxError, parse_shell

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from dfopt.facts import Facts
    from dfopt.ir.commands import Invocation
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage

_RUNNERS = ("npx", "bunx", "pnpx")
_MANAGERS = ("npm", "yarn", "pnpm")
_DEPTH = 4  # scripts that call scripts


class Launch(Record):
    """`words`: the program, without what starts it, and its words (None: not fixed); `directory` in which it runs;
    `port`: what the variable PORT is set to in front of it, or ""; `version`: of the package, where npx is told it;
    `package`: whether the program is certainly of the package of its name (npx, node_modules)."""

    words: tuple[str | None, ...]
    directory: str
    port: str = ""
    version: str = ""
    package: bool = False


def launch_of(program: Program, stage: Stage, facts: Facts, text_of: Callable[[str], str | None]) -> Launch | None:
    """What the image of `stage` runs, where it is one program; None where it is none, several, or not known.
    `text_of`: the text of a file in the image. Raises Refusal where it is a script of package.json that is not
    followed."""
    begun = started(program, stage, facts)
    if begun.why or not begun.said or not begun.runs:
        return None
    workdir = program.end_scope(stage).workdir
    directory = "/" if isinstance(workdir, Unknown) else workdir
    runs = list(begun.runs)
    while len(runs) > 1 and runs[0].names == ("cd",):
        words = runs.pop(0).words
        target = join_path(directory, words[0]) if words and words[0] and words[0] != "-" else None
        if not isinstance(target, str):
            return None
        directory = target
    if len(runs) != 1 or not runs[0].names or any(name != "exec" for name in runs[0].names[:-1]):
        return None
    run = runs[0]
    if run.one is not None:
        port = _port(run.one)
        if port is None:
            return None
    else:
        port = ""
    return _follow(Launch((run.names[-1], *run.words), directory, port), text_of, 0)


def _port(invocation: Invocation) -> str | None:
    """The value of PORT in front of a command; None where other variables are set, or its output goes elsewhere."""
    port = ""
    for assignment in invocation.node.assignments:
        value = assignment.value.value if assignment.value is not None else None
        if assignment.name != "PORT" or value is None:
            return None
        port = value
    return None if invocation.node.redirects else port


def _follow(launch: Launch, text_of: Callable[[str], str | None], depth: int) -> Launch | None:
    """The program behind npx, `npm run` and the like."""
    name = posixpath.basename(launch.words[0] or "")
    rest = launch.words[1:]
    if name == "exec" and rest:
        return _follow(Launch(rest, launch.directory, launch.port, launch.version), text_of, depth)
    if name in _RUNNERS:
        while rest and rest[0] in ("-y", "--yes", "-q", "--quiet", "--no-install", "--"):
            rest = rest[1:]
        if not rest or rest[0] is None or rest[0].startswith("-"):
            return None
        name, _, version = rest[0].partition("@")
        return Launch((name, *rest[1:]), launch.directory, launch.port, version, True)
    if name == "node" and rest and rest[0] is not None and "node_modules/" in rest[0]:
        match = re.search(
            r"node_modules/(?:\.bin/([\w.-]+)|(serve)/build/main\.js|(http-server)/bin/[^\s/]+)\Z", rest[0]
        )
        if match is None:
            return None
        return Launch((match[match.lastindex or 1], *rest[1:]), launch.directory, launch.port, "", True)
    if name in _MANAGERS:
        return _script(launch, name, list(rest), text_of, depth)
    package = "node_modules/.bin/" in (launch.words[0] or "")
    return Launch((name, *rest), launch.directory, launch.port, launch.version, package)


def _script(
    launch: Launch, manager: str, words: list[str | None], text_of: Callable[[str], str | None], depth: int
) -> Launch | None:
    """The program that a script of package.json runs."""
    while words and words[0] in ("-s", "--silent", "run", "run-script"):
        words.pop(0)
    if not words or words[0] is None or words[0].startswith("-") or depth > _DEPTH:
        return None
    name = words.pop(0)
    text = text_of(posixpath.join(launch.directory, "package.json"))
    scripts = member(json_object(text), "scripts")
    body = scripts.get(name or "")
    if not isinstance(body, str):
        if manager in ("yarn", "pnpm") and text is not None and name not in ("start", "install", "test"):
            plain = words if name != "exec" else words[1:]
            return Launch((name if name != "exec" else words[0], *plain), launch.directory, launch.port)
        return None
    if manager == "npm":
        words = words[1:] if words[:1] == ["--"] else words
    try:
        tree = parse_shell(body)
    except ShellSyntaxError:
        return None
    invocations = commands(_body(tree, body)).invocations
    if (
        len(invocations) != 1
        or invocations[0].program is None
        or any(wrapper != "exec" for wrapper in invocations[0].wrappers)
    ):
        return None
    for hook in (f"pre{name}", f"post{name}"):
        if hook in scripts:
            raise Refusal(f"package.json runs `{hook}` too when the image starts")
    port = _port(invocations[0])
    if port is None:
        return None
    inner = Launch((invocations[0].program, *invocations[0].values, *words), launch.directory, port or launch.port)
    return _follow(inner, text_of, depth + 1)
