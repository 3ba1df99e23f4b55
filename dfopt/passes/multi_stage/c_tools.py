"""What compilers, make, cmake and configure scripts write."""

from __future__ import annotations

import re

from dfopt.ir.effects import covers
from dfopt.ir.scopes import join_path
from dfopt.passes.multi_stage.build_results import BuildResult
from dfopt.passes.multi_stage.cmake import cmake_outputs
from dfopt.passes.multi_stage.make import makefile_outputs
from dfopt.passes.multi_stage.shell_words import MODULE
from dfopt.passes.multi_stage.tool_outputs import add
from dfopt.passes.multi_stage.unblock import APART, CONTEXT, PREFIX, WRITE_OUT
from dfopt.passes.multi_stage.written_paths import WrittenPath
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


def make(context: ToolContext, call: ToolCall, out: ToolOutputs) -> None:
    directory = call.directory
    for word in call.after("-C", "--directory"):
        moved = join_path(directory, word) if word is not None else None
        if not isinstance(moved, str):
            raise Refusal(f"the directory of make in line {call.line} is not known", WRITE_OUT)
        directory = moved
    operands = call.operands("-C", "-f", "-j", "-I", "-l", "-O", "--directory", "--file", "--makefile", "--jobs")
    targets = [w for w in operands if w and "=" not in w and not re.fullmatch(r"\d+", w)]
    given = {w.partition("=")[0]: w.partition("=")[2] for w in operands if w and "=" in w}
    out.work.append(directory)
    cleaning = targets and all(re.search(r"clean|test|check|lint|fmt", target) for target in targets)
    if cleaning:
        return
    for other_call in context.flow.calls:  # made by cmake or configure: what these said holds
        if other_call is call:
            break
        if other_call.program == "cmake" and out.cmake is not None and out.cmake[0] == directory:
            if "install" in targets:
                _cmake_install(context, call, out, directory)
            return
    file = (call.after("-f", "--file", "--makefile") or [None])[-1]
    if directory in out.prefixes:
        _configured(context, call, out, directory, targets, given)
        return
    names = [file] if file else ["GNUmakefile", "makefile", "Makefile"]
    text = None
    for name in names:
        place = join_path(directory, name)
        text = context.text(place) if isinstance(place, str) and text is None else text
    if text is None and _is_fetched(context, directory):
        prefix = given.get("PREFIX") or given.get("prefix") or ""
        if "install" in targets and not prefix.startswith("/"):
            reason = f"where the Makefile that line {call.line} downloads or unpacks installs to is not known"
            raise Refusal(reason, "say where: make install PREFIX=DIR")
        if "install" in targets:
            out.paths.append(WrittenPath(prefix.rstrip("/"), call.step, "tool", role="prefix"))
        return
    if text is None:
        raise Refusal(
            f"the Makefile is not at hand, so that what line {call.line} writes is not known",
            CONTEXT,
        )
    try:
        built = makefile_outputs(text, targets, {**call.assignments, **given}, directory, context.text)
    except Refusal as refusal:
        raise Refusal(
            f"what make in line {call.line} writes is not known: {refusal.reason}", refusal.unblock or APART
        ) from None
    _built(built, call, out)


def _is_fetched(context: ToolContext, directory: str) -> bool:
    """Whether a directory comes from a download or an archive, so that what is in it is not at hand."""
    return any(covers(path, directory) or covers(directory, path) for path, _ in context.flow.fetched)


def _configured(
    context: ToolContext, call: ToolCall, out: ToolOutputs, directory: str, targets: list[str], given: dict[str, str]
) -> None:
    """make behind configure: what its own Makefile says, where it is no template; else all below the prefix."""
    prefix = out.prefixes[directory]
    text = context.text(directory + "/Makefile")
    if text is not None:
        settings = {"PREFIX": prefix, "prefix": prefix, **call.assignments, **given}
        text = re.sub(r"^[^\S\n]*-?include\s[^\n]*", "", text, flags=re.M)
        try:
            built = makefile_outputs(text, targets, settings, directory, context.text)
        except Refusal:
            built = None
        if built is not None:
            _built(built, call, out)
            return
    if "install" in targets:
        out.paths.append(WrittenPath(prefix, call.step, "tool", role="prefix"))


def _built(built: BuildResult, call: ToolCall, out: ToolOutputs) -> None:
    for path in built.programs:
        out.paths.append(WrittenPath(path, call.step, "tool", role="program"))
        if built.static:
            out.static.add(path)
    for path in built.data:
        out.paths.append(WrittenPath(path, call.step, "tool", role="data"))
    out.linked += [(name, call.line) for name in built.libraries]
    out.modules += [(name, call.line) for name in built.modules]
    out.loads += [(name, call.line) for name in built.loads]


def cmake(context: ToolContext, call: ToolCall, out: ToolOutputs) -> None:
    words = [word for word in call.words if word is not None]
    if "--version" in words:
        return
    if "--build" in words:
        directory = join_path(call.directory, (call.after("--build") or ["."])[-1] or ".")
        targets = call.after("--target", "-t")
        if "install" in targets:
            _cmake_install(context, call, out, str(directory))
        return
    if "--install" in words:
        directory = join_path(call.directory, (call.after("--install") or ["."])[-1] or ".")
        prefix = (call.after("--prefix") or [None])[-1]
        _cmake_install(context, call, out, str(directory), prefix)
        return
    if len(words) != len(call.words):
        raise Refusal(f"the words of cmake in line {call.line} are not fixed", WRITE_OUT)
    if any(word in ("-P", "-E") for word in words):
        raise Refusal(f"what cmake in line {call.line} runs is not known", APART)
    named_b = call.after("-B") + [word[2:] for word in words if re.match(r"-B.", word)]
    named_s = call.after("-S", "-H") + [word[2:] for word in words if re.match(r"-[SH].", word)]
    operands = [w for w in call.operands("-B", "-S", "-G", "-D", "-H", "-C", "-A", "-T") if w]
    source = join_path(call.directory, (named_s or operands or ["."])[-1] or ".")
    build = join_path(call.directory, (named_b or ["."])[-1] or ".")
    settings = {
        word[2:].partition("=")[0].partition(":")[0]: word.partition("=")[2]
        for word in words
        if word.startswith("-D") and "=" in word
    }
    prefix = settings.get("CMAKE_INSTALL_PREFIX", "/usr/local")
    if context.text(str(source).rstrip("/") + "/CMakeLists.txt") is None and _is_fetched(context, str(source)):
        if prefix in ("/", "/usr", ""):
            raise Refusal(f"line {call.line} installs among the files of the base image", PREFIX)
        out.prefixes[str(build)] = prefix
        out.work += [str(source), str(build)]
        return
    text = context.need(str(source).rstrip("/") + "/CMakeLists.txt", call, "CMakeLists.txt")
    try:
        built = cmake_outputs(text, str(build), prefix, str(source), context.text, settings)
    except Refusal as refusal:
        raise Refusal(
            f"what cmake in line {call.line} makes is not known: {refusal.reason}", refusal.unblock or APART
        ) from None
    out.work += [str(source), str(build)]
    out.cmake = (str(build), str(source), prefix, settings)
    out.linked += [(name, call.line) for name in built.libraries]
    out.modules += [(name, call.line) for name in built.modules]
    out.loads += [(name, call.line) for name in built.loads]
    for path in built.programs:
        if path.startswith(str(build)):
            out.paths.append(WrittenPath(path, call.step, "tool", role="program"))


def _cmake_install(
    context: ToolContext, call: ToolCall, out: ToolOutputs, build: str, prefix: str | None = None
) -> None:
    if build in out.prefixes:
        out.paths.append(WrittenPath(prefix or out.prefixes[build], call.step, "tool", role="prefix"))
        return
    if out.cmake is None or out.cmake[0] != build:
        raise Refusal(f"what line {call.line} installs is not known", APART)
    _, source, configured, settings = out.cmake
    text = context.need(source.rstrip("/") + "/CMakeLists.txt", call, "CMakeLists.txt")
    built = cmake_outputs(text, build, prefix or configured, source, context.text, settings)
    for path in built.programs:
        if not path.startswith(build + "/"):
            out.paths.append(WrittenPath(path, call.step, "tool", role="program"))
    for path in built.data:
        out.paths.append(WrittenPath(path, call.step, "tool", role="data"))


def ninja(context: ToolContext, call: ToolCall, out: ToolOutputs) -> None:
    directory = join_path(call.directory, (call.after("-C") or ["."])[-1] or ".")
    if out.cmake is None and directory not in out.prefixes:
        raise Refusal(f"what ninja in line {call.line} writes is not known", APART)
    if "install" in call.words:
        _cmake_install(context, call, out, str(directory))


def meson(context: ToolContext, call: ToolCall, out: ToolOutputs) -> None:
    """What is installed goes below the prefix (Meson 1.7, built-in options)."""
    words = [word for word in call.words if word is not None]
    if len(words) != len(call.words):
        raise Refusal(f"the words of meson in line {call.line} are not fixed", WRITE_OUT)
    name = next((word for word in words if not word.startswith("-")), "")
    if name in ("compile", "install", "test"):
        build = str(join_path(call.directory, (call.after("-C") or ["."])[-1] or "."))
        if name == "install":
            _cmake_install(context, call, out, build)
        return
    operands = [word for word in call.operands("--prefix", "--buildtype", "-D", "--wrap-mode") if word]
    operands = operands[1:] if name == "setup" else operands
    if not operands:
        return
    build = str(join_path(call.directory, operands[0]))
    source = str(join_path(call.directory, operands[1] if len(operands) > 1 else "."))
    if operands[0] in (".", "..") or (len(operands) > 1 and context.text(f"{build}/meson.build") is not None):
        build, source = source, build
    prefix = (call.after("--prefix", "-Dprefix") or ["/usr/local"])[-1] or ""
    if prefix in ("/", "/usr", ""):
        raise Refusal(f"line {call.line} installs among the files of the base image", PREFIX)
    out.prefixes[build] = prefix
    out.work += [source, build]
    text = context.text(f"{source}/meson.build")
    if text is None and _is_fetched(context, source):
        return
    text = re.sub(r"#[^\n]*", "", context.need(f"{source}/meson.build", call, "meson.build"))
    for inner in re.findall(r"\bsubdir\(\s*'([^']+)'", text):
        text += re.sub(r"#[^\n]*", "", context.need(f"{source}/{inner}/meson.build", call, f"{inner}/meson.build"))
    out.loads += [
        (name, call.line) for name in re.findall(r"\b(?:shared_library|shared_module|library)\(\s*'([^']+)'", text)
    ]
    out.modules += [(name, call.line) for name in re.findall(r"\bdependency\(\s*'([^']+)'", text) if name != "threads"]
    out.linked += [(name, call.line) for name in re.findall(r"\bfind_library\(\s*'([^']+)'", text)]
    if not re.search(r"\bsubproject\(|\bsubdir\([^']", text):
        return
    raise Refusal(f"the meson.build that line {call.line} reads takes in other projects", APART)


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
    """Assemblers and generators of build files: what they write serves the build in their directory."""
    out.work.append(call.directory)


def configure(context: ToolContext, call: ToolCall, out: ToolOutputs) -> None:
    """A configure script: what is installed afterwards goes below its prefix (GNU Coding Standards, 7.2.5)."""
    if any(word is None for word in call.words):
        raise Refusal(f"the words of configure in line {call.line} are not fixed", WRITE_OUT)
    if "--help" in call.words or "--version" in call.words:
        return
    prefix = (call.after("--prefix") or [call.assignments.get("PREFIX") or "/usr/local"])[-1] or ""
    for option in (
        "--sysconfdir",
        "--localstatedir",
        "--datadir",
        "--libdir",
        "--bindir",
        "--sbindir",
        "--exec-prefix",
        "--datarootdir",
    ):
        for value in call.after(option):
            if value and not value.startswith((prefix.rstrip("/") + "/", "${prefix}", "$prefix")):
                raise Refusal(f"line {call.line} installs outside of {prefix}, and what is not known", PREFIX)
    if prefix in ("/", "/usr", ""):
        raise Refusal(f"line {call.line} installs among the files of the base image", PREFIX)
    out.prefixes[call.directory] = prefix
    out.work.append(call.directory)
