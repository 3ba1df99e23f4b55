"""Which programs `go build PACKAGES` makes. Source: `go help packages` and `go help build` of Go 1.25."""

from __future__ import annotations

import re
from posixpath import normpath

from dfopt.passes.multi_stage.unblock import CONTEXT
from dfopt.refusal import Refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.passes.multi_stage.flow import ToolCall
    from dfopt.passes.multi_stage.tool_outputs import ToolContext

_MAIN = re.compile(r"^package[ \t]+main\b", re.M)
_CONSTRAINT = re.compile(r"^//(?:go:build| \+build)\s+(.*)$", re.M)


def program_names(context: ToolContext, call: ToolCall, directory: str, operands: list[str]) -> list[str]:
    """The names of the programs of the packages `operands` as they are called in `directory`; patterns with `...` are
    followed through the files at hand. Raises Refusal."""
    names: dict[str, None] = {}
    for operand in operands or ["."]:
        if operand.endswith("..."):
            for place in _mains(context, call, normpath(directory + "/" + operand.removesuffix("..."))):
                names[program_name(context, call, place, ["."])] = None
        else:
            names[program_name(context, call, directory, [operand])] = None
    return list(names)


def _mains(context: ToolContext, call: ToolCall, root: str) -> list[str]:
    """The directories of the main packages below `root`."""
    below = root.rstrip("/") + "/"
    nested: list[str] = []
    mains: dict[str, bool] = {}  # directory -> whether a file without a build constraint says so
    for entry in context.flow.sources():
        inside = entry.path.startswith(below)
        if entry.kind == "tree" and (inside or below.startswith(entry.path.rstrip("/") + "/")):
            raise Refusal(
                f"which files line {entry.step.node.line} copies is not known without the build context",
                CONTEXT,
            )
        if not inside or entry.kind != "context":
            continue
        directory, _, name = entry.path.rpartition("/")
        parts = directory[len(below) :].split("/")
        if name == "go.mod" and directory != root:
            nested.append(directory + "/")  # a module of its own, which ... does not enter
        if any(part in ("testdata", "vendor") or part.startswith((".", "_")) for part in parts if part):
            continue
        if not name.endswith(".go") or name.endswith("_test.go") or name.startswith((".", "_")):
            continue
        text = context.need(entry.path, call, entry.source)
        if _MAIN.search(text):
            said = _CONSTRAINT.search(text)
            if said is None or said[1].strip() != "ignore":
                mains[directory] = mains.get(directory, False) or said is None
    places = [place for place in mains if not any((place + "/").startswith(other) for other in nested)]
    for place in places:
        if not mains[place]:
            raise Refusal(f"whether line {call.line} builds {place} depends on build constraints")
    return sorted(places)


def program_name(context: ToolContext, call: ToolCall, directory: str, operands: list[str]) -> str:
    """The name of the program that `go build OPERANDS` makes: the last element of the package's import path, or of the
    first file. Raises Refusal."""
    if operands and operands[0].endswith(".go"):
        return operands[0].rpartition("/")[2].removesuffix(".go")
    package = (operands[0] if operands else ".").partition("@")[0].rstrip("/") or "."
    if package.startswith(".") and normpath(package) != ".":
        place = normpath(directory + "/" + package)
        return _of_module(context, call, place) or _last(place)
    if package != ".":
        return _last(package)
    place = directory.rstrip("/")
    name = _of_module(context, call, place)
    if name is None and context.facts.context_paths() is None:
        raise Refusal(
            f"go.mod is not at hand, so that the name of the program of line {call.line} is not known",
            CONTEXT,
        )
    return name or _last(place)


def _of_module(context: ToolContext, call: ToolCall, directory: str) -> str | None:
    """The name by the go.mod in `directory`; None where there is none."""
    text = context.text(directory + "/go.mod")
    if text is None:
        if any(entry.path == directory + "/go.mod" for entry in context.flow.sources()):
            raise Refusal(f"go.mod cannot be read, so that the program of line {call.line} is not known", CONTEXT)
        return None
    match = re.search(r"^module\s+\"?([^\s\"]+)", text, re.M)
    if match is None:
        raise Refusal(f"go.mod names no module, so that the program of line {call.line} is not known")
    return _last(match[1])


def _last(path: str) -> str:
    """The last element of an import path, less a major version (v2 and up)."""
    parts = [part for part in path.split("/") if not re.fullmatch(r"v(?:[2-9]|[1-9]\d+)", part)]
    return parts[-1]
