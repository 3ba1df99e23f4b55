"""Package managers at work in a step: which manager a command is, what it does, and in which environment."""

from __future__ import annotations

import os.path
import re

from dfopt.analysis.run_steps import no_network
from dfopt.edit import Edit
from dfopt.facts import NO_FACTS
from dfopt.ir.commands import Invocation
from dfopt.ir.effects import manager, subcommand
from dfopt.ir.shell_body import memoized
from dfopt.lazy import regex
from dfopt.record import Record
from dfopt.refusal import Refusal
from dfopt.rewrites.commands import EditWords
from dfopt.syntax.expand import UNKNOWN, Unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from dfopt.facts import Facts
    from dfopt.ir.program import Program
    from dfopt.ir.shell_body import Body
    from dfopt.ir.stages import Step

# values of environment variables that package managers read as false
FALSE = frozenset(("", "0", "false", "f", "no", "n", "off"))
_PYTHON = regex(r"python[\d.]*\Z")


class Tool(Record):
    """A package manager's command.

    invocation  the call; its words are those after the manager's name, also of `python -m pip install`
    label       the manager as a person would say it: "pip", "python3 -m pip"
    family      "apt", "pip" ... (managers of one family share index and cache)
    facts       its row in the table package_managers
    name        the subcommand ("install", "pip install" where the table has groups), "" where there is none, None where
                it is not a fixed string
    at          index of the subcommand's last word among `invocation.words`; -1 without
    """

    invocation: Invocation
    label: str
    family: str
    facts: dict[str, Any]
    name: str | None
    at: int

    @property
    def does(self) -> dict[str, Any]:
        """What the table says of the subcommand."""
        row: dict[str, Any] = self.facts.get("commands", {}).get(self.name, {}) if self.name is not None else {}
        return row

    @property
    def packages(self) -> list[str]:
        """The words behind an `install` or `remove`, as they are written; "" for one that is not fixed."""
        return [word.value or "" for word in self.invocation.operands()[1:]]

    def given(self, key: str) -> bool:
        """Whether one of the options that the table lists under `key` is given."""
        return self.invocation.has_option(*self.facts.get(key, ()))

    @property
    def asks_about_itself(self) -> bool:
        """Whether the program only prints its version or its help."""
        return self.name == "" and self.invocation.has_option("--version", "-v", "--help", "-h")

    @property
    def start(self) -> int:
        """Where the whole command begins in the step's shell text; rewrites name it so."""
        return self.invocation.node.start

    @property
    def end(self) -> int:
        """Where the whole command ends in the step's shell text."""
        return self.invocation.node.end


def tools(program: Program, step: Step) -> tuple[Tool, ...]:
    """The package managers that a RUN calls, in source order; none where its text is not understood."""
    if step.effective.keyword != "RUN":
        return ()
    cached = program.body(step).cached
    result: tuple[Tool, ...] | None = cached.derived.get("tools") if cached is not None else None
    if result is None:
        parsed = (_tool(invocation) for invocation in program.commands(step).invocations)
        result = tuple([tool for tool in parsed if tool is not None])
        if cached is not None:
            cached.derived["tools"] = result
    return result


def _tool(invocation: Invocation) -> Tool | None:
    name = invocation.program
    if name is None:
        return None
    label = name
    if _PYTHON.match(name):
        module = _module(invocation.values)
        if module is None:
            return None
        label = f"{name} -m {invocation.values[module]}"
        invocation = Invocation(
            invocation.node,
            invocation.values[module],
            invocation.path,
            invocation.words[module + 1 :],
            invocation.wrappers,
            invocation.where,
            invocation.nested,
        )
    elif name == "php":
        operands = invocation.operands(("-d", "-c"))
        script = operands[0].value if operands else None
        if script is None or os.path.basename(script) not in ("composer", "composer.phar"):
            return None
        index = invocation.words.index(operands[0])
        label = f"php {script}"
        invocation = Invocation(
            invocation.node,
            "composer",
            script,
            invocation.words[index + 1 :],
            invocation.wrappers,
            invocation.where,
            invocation.nested,
        )
    facts = manager(invocation.program)
    if facts is None:
        return None
    command, at = subcommand(invocation, facts)
    if command is not None and command in facts.get("groups", ()):
        rest = Invocation(
            invocation.node,
            invocation.program,
            invocation.path,
            invocation.words[at + 1 :],
            invocation.wrappers,
            invocation.where,
            invocation.nested,
        )
        second, further = subcommand(rest, facts)
        if second is None:
            command, at = None, -1
        elif second:
            command, at = f"{command} {second}", at + 1 + further
    return Tool(invocation, label, facts["family"], facts, command, at)


def _module(values: list[str | None]) -> int | None:
    """The index of M in the words of `python -m M ...`; None where a script or nothing fixed is run."""
    for index, value in enumerate(values):
        if value is None or not value.startswith("-"):
            return None
        if value == "-m":
            return index + 1 if index + 1 < len(values) and values[index + 1] else None
        if value in ("-W", "-X", "-c"):
            return None
    return None


def check_release(program: Program, step: Step, tool: Tool) -> None:
    """Raises Refusal where the file shows a release of the package manager that is too old for what dfopt knows of its
    cache."""
    image = program.scope(step).image or ""
    for key, text in (("old-images", image), ("old-text", program.text)):
        if key in tool.facts and re.search(tool.facts[key], text):
            raise Refusal(tool.facts["old-reason"].format(image=image))


def works_offline(program: Program, step: Step, tool: Tool) -> bool:
    """Whether a command reads its cache in place of the network: by its options, its environment or its RUN."""
    if no_network(step.effective) or tool.given("offline"):
        return True
    for entry in tool.facts.get("env-offline", ()):
        name, _, text = entry.partition("=")
        value = variable(program, step, NO_FACTS, name, tool.invocation)
        if isinstance(value, Unknown) or (value and (text in value if text else value.lower() not in FALSE)):
            return True
    return False


def option_edit(step: Step, body: Body, tool: Tool, option: str) -> tuple[Edit, EditWords]:
    """The edit, and its declaration, that puts `option` after the subcommand of a tool."""
    word = tool.invocation.words[tool.at]
    index = next(i for i, other in enumerate(tool.invocation.node.words) if other.start == word.start)
    end = body.span(word.start, word.end)[1]
    return Edit(end, end, f" {option}"), EditWords(step.index, tool.start, index + 1, 0, (option,))


def variable(
    program: Program, step: Step, facts: Facts, name: str, invocation: Invocation | None = None
) -> str | Unknown | None:
    """An environment variable as a command of a RUN sees it: from the command's own prefix, the step's text, ENV, ARG
    and the base image's config. None: not set, as far as file and facts tell; UNKNOWN: set to what is not known."""
    if invocation is not None:
        for assignment in invocation.node.assignments:
            if assignment.name == name:
                fixed = assignment.value.value if assignment.value is not None else None
                return UNKNOWN if fixed is None else fixed
        for word in invocation.node.words:
            if word.value is not None and word.value.startswith(name + "="):
                return word.value.partition("=")[2]
    if _may_assign(program.body(step), name):
        return UNKNOWN
    scope = program.scope(step)
    if name in scope.env:
        return scope.env[name]
    if name in scope.args:
        return UNKNOWN  # with or without a default: a build argument may set it
    config = facts.image_config(scope.image) if scope.image else None
    for entry in (config or {}).get("Env") or ():
        key, _, value = str(entry).partition("=")
        if key == name:
            return value
    return None


def _may_assign(body: Body, name: str) -> bool:
    """Whether a text assigns to a variable, as far as its letters tell: looked for once a text."""
    return memoized(
        body,
        f"assigns {name}",
        lambda body: name in body.text and re.search(rf"(?<![\w$]){re.escape(name)}=", body.text) is not None,
    )


def package_name(name: str) -> str:
    """A package's name without version and architecture."""
    return re.split(r"[=<>~:@/]", name, maxsplit=1)[0]
