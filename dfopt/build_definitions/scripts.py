"""Shell scripts and Makefiles: their commands that build Dockerfiles."""

from __future__ import annotations

import os
import re

from dfopt.build_definitions.command_line import read_commands
from dfopt.build_definitions.model import MOST_SCRIPT, BuildTarget, DefinitionError
from dfopt.lazy import regex

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from dfopt.build_definitions.model import DefinitionTree

# programs of `[commands]`: a text without them is not parsed
BUILDS = regex(r"\b(?:docker|podman|nerdctl|buildah|kaniko)\b")
_VARIABLE = regex(r"(?:export[ \t]+)?([\w.-]+)[ \t]*(?:::?=|\?=|=)(.*)\Z")
_RULE = regex(r"([^\t#=:\s][^=:\n]*)::?(?!=)")
_REFERENCE = re.compile(r"\$\$|\$[({]([\w.-]+)[)}]|\$[({]|\$([\w@<^*?+%])")
LONGEST_RECIPE = 64 << 10  # characters


def read_shell(text: str, file: str, tree: DefinitionTree, root: str) -> list[BuildTarget]:
    """The builds of a shell script. Who runs it stands in its own directory, or at the root of the repository."""
    if not BUILDS.search(text):
        return []
    return list(read_commands(text.replace("\r\n", "\n"), file, 1, (os.path.dirname(file), root), tree))


def read_make(text: str, file: str, tree: DefinitionTree, root: str) -> list[BuildTarget]:
    """The builds in the recipes of a Makefile: each logical line is one shell. An included file (*.mk) is run in the
    directory of the file that includes it, which may be the root of the repository."""
    if not BUILDS.search(text):
        return []
    bases = (os.path.dirname(file), root) if file.lower().endswith(".mk") else (os.path.dirname(file),)
    lines = text.replace("\r\n", "\n").split("\n")
    variables = _variables(lines)
    targets: list[BuildTarget] = []
    rule = ""
    number = length = 0
    while number < len(lines):
        line = lines[number]
        first = number + 1
        number += 1
        while line.endswith("\\") and number < len(lines) and len(line) < LONGEST_RECIPE:
            line += "\n" + lines[number].removeprefix("\t")
            number += 1
        if not line.startswith("\t"):
            match = _RULE.match(line)
            rule = match[1].strip() if match is not None else rule
        elif BUILDS.search(line):
            recipe = _expanded(line[1:].lstrip(" \t@+-"), variables, MOST_SCRIPT - length)
            length += len(recipe)
            if length > MOST_SCRIPT:
                raise DefinitionError(f"its recipes have more than {MOST_SCRIPT:,} characters", file, first)
            targets += read_commands(recipe, file, first, bases, tree, rule)
    return targets


def _variables(lines: Sequence[str]) -> dict[str, str]:
    """The variables that are set once, to literal text."""
    variables: dict[str, str] = {}
    for line in lines:
        match = _VARIABLE.match(line)
        if match is not None:
            value = match[2].partition("#")[0].strip(" \t")
            literal = match[1] not in variables and "$" not in value and not value.endswith("\\")
            variables[match[1]] = value if literal else "$"
        elif re.match(r"(?:define[ \t]+)?([\w.-]+)[ \t]*(?:\+=|!=|\Z)", line):
            variables[line.split()[-1] if line.startswith("define") else re.split(r"[ \t+!]", line)[0]] = "$"
    return {name: value for name, value in variables.items() if value != "$"}


def _expanded(recipe: str, variables: dict[str, str], limit: int) -> str:
    """A recipe as the shell sees it, or one that is longer than a limit; what make puts there and is not literal is a
    variable of the shell."""
    pieces: list[str] = []
    at = length = 0
    for match in _REFERENCE.finditer(recipe):
        if length > limit:
            break
        if match.start() < at:
            continue
        pieces.append(recipe[at : match.start()])
        at = match.end()
        if match[0] == "$$":
            pieces.append("$")
        elif match[1] is not None and match[1] in variables:
            pieces.append(variables[match[1]])
            length += len(pieces[-1])
        else:
            name = re.sub(r"\W", "_", match[1] or "MAKE_FUNCTION")
            pieces.append(f"${{{name if name[:1].isalpha() else 'MAKE_VARIABLE'}}}")
            if match[0] in ("$(", "${"):  # a function: to where its brackets close
                opening, closing = match[0][1], ")" if match[0][1] == "(" else "}"
                depth = 1
                while depth and at < len(recipe):
                    depth += (recipe[at] == opening) - (recipe[at] == closing)
                    at += 1
    pieces.append(recipe[at:])
    return "".join(pieces)
