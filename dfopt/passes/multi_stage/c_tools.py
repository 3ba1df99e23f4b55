"""What compilers, linkers and assemblers write, called one by one."""

from __future__ import annotations

import re

from dfopt.passes.multi_stage.shell_words import MODULE
from dfopt.passes.multi_stage.tool_outputs import add
from dfopt.passes.multi_stage.unblock import APART, SMOKE, WRITE_OUT
from dfopt.record import replace
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


_PHASES = frozenset((  # of nvcc that make no program
    "-ptx", "--ptx", "-cubin", "--cubin", "-fatbin", "--fatbin", "-dc", "--device-c", "-dw", "-cuda", "--cuda",
    "--compile",
))  # fmt: skip
_UNKNOWN_OUTPUT = ("-run", "--run", "-dlink", "--device-link", "-lib", "--lib")
_LONG = {"--output-file": "-o", "--shared": "-shared"}
_PASSED_ON = ("-Xcompiler", "--compiler-options", "-Xlinker", "--linker-options")


def nvcc(context: ToolContext, call: ToolCall, out: ToolOutputs) -> None:
    """nvcc(1): a compiler like others, with phases and long options of its own. Raises Refusal."""
    if _PHASES & set(call.words):
        out.work.append(call.directory)
        return
    words: list[str | None] = []
    for before, word in zip((None, *call.words), call.words, strict=False):
        if word in _UNKNOWN_OUTPUT:
            raise Refusal(f"what nvcc {word} in line {call.line} writes is not known", SMOKE)
        if word is not None and before in _PASSED_ON:
            words += re.split("[ ,]", word)
        elif word is not None and word.startswith("--output-file="):
            words += ["-o", word.partition("=")[2]]
        else:
            words.append(_LONG.get(word or "", word))
    cc(context, replace(call, words=tuple(words)), out)


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
