"""Which rule tells what a build tool writes."""

from __future__ import annotations

from dfopt.ir.scopes import join_path
from dfopt.passes.multi_stage.c_tools import build_system, cc, in_place, linker, nvcc
from dfopt.passes.multi_stage.go_rust import cargo, go
from dfopt.passes.multi_stage.jvm_dotnet import dotnet, gradle, jar, javac, maven
from dfopt.passes.multi_stage.node_ruby_php import bundle, composer, interpreter, nothing, npm
from dfopt.passes.multi_stage.python_tools import pip, pipenv, poetry, python, uv, virtualenv
from dfopt.passes.multi_stage.tool_outputs import ToolContext, ToolOutputs
from dfopt.passes.multi_stage.unblock import APART
from dfopt.refusal import Refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from dfopt.passes.multi_stage.flow import ToolCall


def outputs(context: ToolContext) -> ToolOutputs:
    """What all the calls of a stage leave, in their order. Raises Refusal."""
    out = ToolOutputs()
    deleted = list(context.flow.deleted)
    for number, call in enumerate(context.flow.calls):
        while deleted and deleted[0][1] <= number:
            out.delete(deleted.pop(0)[0])
        RULES.get(call.program, own_program)(context, call, out)
    for path, _ in deleted:
        out.delete(path)
    return out


def own_program(context: ToolContext, call: ToolCall, out: ToolOutputs) -> None:
    """A program that is no tool: one that a tool has built before, or one of which nothing is known."""
    path = join_path(call.directory, call.path) if "/" in call.path else call.program
    for entry in out.paths:
        same = entry.path == path if "/" in call.path else entry.path.rpartition("/")[2] == path
        if entry.role == "program" and same:
            out.ran.append((call.line, call.program))
            return
    raise Refusal(f"what `{call.program}` in line {call.line} writes is not known", APART)


def tools() -> frozenset[str]:
    """The programs that have a rule."""
    return frozenset(RULES)


RULES: dict[str, Callable[[ToolContext, ToolCall, ToolOutputs], None]] = {
    "go": go, "cargo": cargo, "gcc": cc, "g++": cc, "cc": cc, "c++": cc, "clang": cc, "clang++": cc,
    "nvcc": nvcc,
    "gfortran": cc, "ld": linker, "as": in_place, "nasm": in_place, "yasm": in_place, "bison": in_place,
    "flex": in_place, "make": build_system, "gmake": build_system, "cmake": build_system, "ninja": build_system,
    "meson": build_system, "configure": build_system, "autoreconf": build_system, "autoconf": build_system,
    "automake": build_system, "aclocal": build_system, "autoheader": build_system, "libtoolize": build_system,
    "javac": javac, "jar": jar, "mvn": maven,
    "mvnw": maven, "gradle": gradle, "gradlew": gradle, "dotnet": dotnet, "pip": pip, "pip3": pip,
    "python": python, "python3": python, "virtualenv": virtualenv,
    "uv": uv, "poetry": poetry, "pipenv": pipenv, "npm": npm, "yarn": npm, "pnpm": npm,
    "npx": npm, "ng": npm, "vite": npm, "webpack": npm, "tsc": npm, "gulp": npm, "grunt": npm,
    "node": interpreter, "php": interpreter, "ruby": interpreter, "perl": interpreter,
    "bundle": bundle, "bundler": bundle, "gem": bundle, "composer": composer, "rustup": nothing, "corepack": nothing,
}  # fmt: skip
