"""What compilers, linkers and assemblers write, called one by one."""

from __future__ import annotations

import re

from dfopt.passes.multi_stage.shell_words import MODULE
from dfopt.passes.multi_stage.tool_outputs import add
from dfopt.passes.multi_stage.unblock import APART, SMOKE, WRITE_OUT
from dfopt.refusal import Refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.passes.multi_stage.flow import ToolCall
    from dfopt.passes.multi_stage.tool_outputs import ToolContext, ToolOutputs


def cc(context: ToolContext, call: ToolCall, out: ToolOutputs) -> None:
    words = [word for word in call.words if word is not None]
    if len(words) != len(call.words):
        raise Refusal(f"the words of {call.program} in line {call.line} are not fixed", WRITE_OUT)
    if (
        any(word in ("--version", "-v", "-dumpversion", "-dumpmachine", "-print-search-dirs") for word in words)
        and len(words) < 3
    ):
        return
    out.work.append(call.directory)
    if any(word in ("-c", "-E", "-M", "-S") for word in words):
        return
    glued = [word[2:] for word in words if word.startswith("-o") and len(word) > 2]
    path = ([w for w in call.after("-o") if w] or glued or ["a.out"])[-1]
    if "-shared" in words:
        out.loads.append((path, call.line))
        add(out, call, path, "library")
        return
    add(out, call, path, "program")
    target = out.paths[-1].path
    if "-static" in words:
        out.static.add(target)
    out.linked += [(word[2:], call.line) for word in words if re.fullmatch(r"-l[\w.+-]+", word)]
    out.modules += [(word.removeprefix(MODULE), call.line) for word in words if word.startswith(MODULE)]
    if any(word in ("-fsanitize=address", "-fsanitize=undefined", "-fopenmp", "-pg") for word in words):
        out.linked.append(("gomp" if "-fopenmp" in words else "asan", call.line))


def linker(context: ToolContext, call: ToolCall, out: ToolOutputs) -> None:
    """ld(1), called by hand: without libraries of its own it makes static programs."""
    words = [word for word in call.words if word is not None]
    if len(words) != len(call.words) or any(word in ("-shared", "-r") for word in words):
        raise Refusal(f"what {call.program} in line {call.line} writes is not known", APART)
    out.work.append(call.directory)
    add(out, call, ([w for w in call.after("-o") if w] or ["a.out"])[-1], "program")
    libraries = [(word[2:], call.line) for word in words if re.fullmatch(r"-l[\w.+-]+", word)]
    out.linked += libraries
    if not libraries and "-dynamic-linker" not in words and "-pie" not in words:
        out.static.add(out.paths[-1].path)


def in_place(context: ToolContext, call: ToolCall, out: ToolOutputs) -> None:
    """Assemblers and generators of sources: what they write serves the build in their directory."""
    out.work.append(call.directory)


def build_system(context: ToolContext, call: ToolCall, out: ToolOutputs) -> None:
    """make, CMake and the like. What they write, a build shows: their files are programs, which nothing here reads.
    Raises Refusal."""
    if "--version" not in call.words:
        raise Refusal(f"what `{call.program}` in line {call.line} writes is not known", SMOKE)
