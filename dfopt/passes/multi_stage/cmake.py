"""What cmake writes, read from the CMakeLists.txt of the build context."""

from __future__ import annotations

import re
from types import MappingProxyType

from dfopt.passes.multi_stage.build_results import BuildResult, path_in
from dfopt.passes.multi_stage.unblock import APART, CONTEXT, WRITE_OUT
from dfopt.refusal import Refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from dfopt.passes.multi_stage.make import Reader

# The variables that GNUInstallDirs defines (cmake 3.31)
_CMAKE = {
    "CMAKE_INSTALL_BINDIR": "bin", "CMAKE_INSTALL_SBINDIR": "sbin", "CMAKE_INSTALL_LIBDIR": "lib",
    "CMAKE_INSTALL_DATADIR": "share", "CMAKE_INSTALL_DATAROOTDIR": "share", "CMAKE_INSTALL_SYSCONFDIR": "etc",
    "CMAKE_INSTALL_INCLUDEDIR": "include", "CMAKE_INSTALL_FULL_BINDIR": "bin",
}  # fmt: skip
# What add_library(NAME KIND) makes, as install(TARGETS) sorts it; "" serves builds alone (cmake-commands(7) of 3.31)
_LIBRARIES = {
    "STATIC": "ARCHIVE", "SHARED": "LIBRARY", "MODULE": "LIBRARY", "OBJECT": "", "INTERFACE": "", "IMPORTED": "",
    "ALIAS": "", "UNKNOWN": "",
}  # fmt: skip
_ARTIFACTS = frozenset((
    "RUNTIME", "LIBRARY", "ARCHIVE", "OBJECTS", "FRAMEWORK", "BUNDLE", "PRIVATE_HEADER", "PUBLIC_HEADER", "RESOURCE",
    "INCLUDES", "FILE_SET",
))  # fmt: skip
_INSTALL_KEYWORDS = _ARTIFACTS | {
    "DESTINATION", "COMPONENT", "PERMISSIONS", "OPTIONAL", "EXPORT", "TYPE", "CONFIGURATIONS", "RENAME",
    "NAMELINK_SKIP", "NAMELINK_ONLY", "EXCLUDE_FROM_ALL", "PATTERN", "FILES_MATCHING", "RUNTIME_DEPENDENCIES",
}  # fmt: skip
_OFF = ("OFF", "0", "NO", "FALSE", "N", "")


def cmake_outputs(
    text: str, build: str, prefix: str, source: str, read: Reader, settings: Mapping[str, str] = MappingProxyType({}),
    kinds: dict[str, str] | None = None, depth: int = 0,
) -> BuildResult:  # fmt: skip
    """What a configured tree in `build` of a CMakeLists.txt in `source` leaves, built and installed. `settings`: cache
    entries (-DNAME=VALUE); `kinds`: target -> what it is, of all directories that were read before. Raises Refusal."""
    kinds = {} if kinds is None else kinds
    text = re.sub(r"#\[\[(?:[^\]]|\](?!\]))*(?:\]\])?|#[^\n]*", "", text, flags=re.S)
    if re.search(r"\b(?:FetchContent_MakeAvailable|ExternalProject_Add)\b", text, re.I):
        raise Refusal("the CMakeLists.txt takes in other projects", APART)
    variables = {
        **_CMAKE,
        **settings,
        "CMAKE_INSTALL_PREFIX": prefix,
        "CMAKE_SOURCE_DIR": source,
        "CMAKE_CURRENT_SOURCE_DIR": source,
    }
    programs: list[str] = []
    data: list[str] = []
    loads: list[str] = []
    libraries: list[str] = []
    modules: list[str] = []
    inner_names: set[str] = set()
    output = build
    shared = "BUILD_SHARED_LIBS" in text or settings.get("BUILD_SHARED_LIBS", "OFF").upper() not in _OFF
    if re.search(r"\bOUTPUT_NAME\b", text):
        raise Refusal("the CMakeLists.txt renames what it builds (OUTPUT_NAME)", APART)
    calls = re.findall(r"(?<!\w)(\w+)\s*\(((?:[^()]|\([^()]*\))*)\)", text)
    for name, inner in calls:
        words = re.findall(r'"[^"]*"|[^\s"]+', inner)
        words = [_cmake_value(word.strip('"'), variables) for word in words]
        name = name.lower()
        if name == "project" and words:
            variables["PROJECT_NAME"] = words[0]
        elif name == "set" and len(words) > 1:
            variables[words[0]] = words[1]
            if words[0] in ("CMAKE_RUNTIME_OUTPUT_DIRECTORY", "EXECUTABLE_OUTPUT_PATH"):
                output = words[1].replace("${CMAKE_BINARY_DIR}", build)
        elif name == "add_executable" and words:
            kinds[words[0]] = "RUNTIME"
            programs.append(path_in(output, words[0]))
        elif name == "add_library" and len(words) > 1:
            sort = words[1] if words[1] in _LIBRARIES else "SHARED" if shared else "STATIC"
            kinds[words[0]] = _LIBRARIES[sort]
            if kinds[words[0]] == "LIBRARY":
                loads.append(words[0])
        elif name == "target_link_libraries":
            libraries += [w for w in words[1:] if w not in ("PRIVATE", "PUBLIC", "INTERFACE")]
        elif name == "pkg_check_modules":
            modules += [w for w in words[1:] if w not in ("REQUIRED", "IMPORTED_TARGET", "QUIET")]
        elif name == "install":
            _cmake_install(words, prefix, kinds, programs, data)
        elif name == "add_subdirectory" and words:
            inner_text = read(f"{source}/{words[0]}/CMakeLists.txt")
            if inner_text is None or depth > 5:
                raise Refusal(f"the CMakeLists.txt in {words[0]} is not at hand", CONTEXT)
            place = f"{source}/{words[0]}"
            sub = cmake_outputs(inner_text, f"{build}/{words[0]}", prefix, place, read, settings, kinds, depth + 1)
            programs += sub.programs
            data += sub.data
            loads += sub.loads
            libraries += sub.libraries
            modules += sub.modules
            inner_names |= set(sub.names)
    own = set(kinds) | inner_names
    linked = [w for w in libraries if w not in own and "::" not in w and "$" not in w]
    linked += [w for w in libraries if "::" in w and w not in ("Threads::Threads",)]
    paths = (*programs, *data)
    if any("$" in path for path in paths):
        raise Refusal("a path in the CMakeLists.txt depends on something unknown", WRITE_OUT)
    if depth:
        linked = libraries  # a name may be one of another directory's
    return BuildResult(
        tuple(dict.fromkeys(programs)), tuple(dict.fromkeys(data)), tuple(linked), tuple(modules), tuple(loads), False,
        tuple(own),
    )  # fmt: skip


def _cmake_value(word: str, variables: dict[str, str]) -> str:
    for _ in range(4):
        word = re.sub(r"\$\{(\w+)\}", lambda match: variables.get(match[1], match[0]), word)
    return word


def _cmake_install(
    words: list[str], prefix: str, kinds: Mapping[str, str], programs: list[str], data: list[str]
) -> None:
    """Adds what install(...) puts in place. Source: cmake-commands(7) of CMake 3.31, `install`."""
    sort = words[0].upper() if words else ""
    operands: list[str] = []
    for word in words[1:]:
        if word in _INSTALL_KEYWORDS:
            break
        operands.append(word)
    target = _destination(words, "") or ""
    if sort == "TARGETS":
        for name in operands:
            kind = kinds.get(name)
            if kind is None:
                raise Refusal(f"what the target {name} of the CMakeLists.txt is is not known", APART)
            if kind == "RUNTIME":  # of libraries: shared ones are refused by `loads`, the others serve builds
                programs.append(path_in(path_in(prefix, _destination(words, kind) or "bin"), name))
    elif sort in ("FILES", "PROGRAMS"):
        out = data if sort == "FILES" else programs
        out += [path_in(path_in(prefix, target), name.rpartition("/")[2]) for name in operands]
    elif sort == "DIRECTORY":
        for name in operands:
            base = "" if name.endswith("/") else name.rpartition("/")[2]
            data.append(path_in(path_in(prefix, target), base or "."))
    elif sort not in ("EXPORT",):
        raise Refusal(f"what install({sort}) of the CMakeLists.txt writes is not followed", APART)


def _destination(words: list[str], kind: str) -> str | None:
    """The DESTINATION for one kind of artifact: that behind its keyword, else one that stands before all keywords."""
    general = None
    current = ""
    for index, word in enumerate(words[:-1]):
        if word in _ARTIFACTS:
            current = word
        elif word == "DESTINATION":
            if current == kind:
                return words[index + 1]
            if not current:
                general = words[index + 1]
    return general
