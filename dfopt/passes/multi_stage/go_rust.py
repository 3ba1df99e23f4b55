"""What go and cargo write."""

from __future__ import annotations

import re
from posixpath import normpath

from dfopt.analysis.context_documents import member, members, texts, toml_table
from dfopt.analysis.system_paths import SYSTEM
from dfopt.ir.scopes import join_path
from dfopt.knowledge import table
from dfopt.passes.multi_stage.go_packages import program_name, program_names
from dfopt.passes.multi_stage.tool_outputs import fixed
from dfopt.passes.multi_stage.unblock import APART, WRITE_OUT
from dfopt.passes.multi_stage.written_paths import WrittenPath
from dfopt.refusal import Refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from dfopt.passes.multi_stage.flow import ToolCall
    from dfopt.passes.multi_stage.tool_outputs import ToolContext, ToolOutputs


def _home(call: ToolCall) -> str:
    if call.home is None:
        raise Refusal(f"the home directory of who runs {call.program} in line {call.line} is not known")
    return call.home


def go(context: ToolContext, call: ToolCall, out: ToolOutputs) -> None:
    fixed(call)
    words = [word or "$" for word in call.words]
    directory = call.directory
    if words[:1] == ["-C"] and len(words) > 2:
        moved = join_path(directory, words[1])
        directory = moved if isinstance(moved, str) else directory
        words = words[2:]
    name = words[0] if words else ""
    if name in (
        "mod",
        "vet",
        "test",
        "fmt",
        "version",
        "env",
        "generate",
        "clean",
        "list",
        "work",
        "help",
        "telemetry",
    ):
        if name == "generate":
            _generate(context, call)
        return
    if name not in ("build", "install", "get"):
        raise Refusal(f"what `go {name}` in line {call.line} writes is not known", APART)
    taking = (
        "-o",
        "-ldflags",
        "-tags",
        "-p",
        "-mod",
        "-gcflags",
        "-asmflags",
        "-buildmode",
        "-C",
        "-installsuffix",
        "-pkgdir",
        "-compiler",
        "-gccgoflags",
        "-overlay",
        "-modfile",
        "-toolexec",
        "-pgo",
        "-buildvcs",
        "-covermode",
        "-coverpkg",
    )
    modes = [word for word in call.after("-buildmode") if word not in ("exe", "pie", "default")]
    if modes:
        raise Refusal(f"line {call.line} builds a library, which other programs load")
    operands = [word for word in call.operands(*taking)[1:] if word is not None]
    operands = [o for o in operands if o != directory]
    if name == "get" and not any("@" in o or "." in o for o in operands):
        return
    out.work.append(directory)
    static = call.assignments.get("CGO_ENABLED") == "0"
    wanted = call.after("-o")
    if name == "build":
        if wanted:
            path = wanted[-1]
            if path is None:
                raise Refusal(f"the path behind -o in line {call.line} is not fixed", WRITE_OUT)
            target = join_path(directory, path)
            assert isinstance(target, str)
            several = any(o.endswith("...") for o in operands) or (
                len(operands) > 1 and not all(o.endswith(".go") for o in operands)
            )
            if path.endswith("/") or target in SYSTEM or several:
                paths = [f"{target.rstrip('/')}/{word}" for word in program_names(context, call, directory, operands)]
            else:
                paths = [target]
            _add(out, call, paths, static)
            return
        if len([o for o in operands if not o.endswith(".go")]) > 1 or any(o.endswith("...") for o in operands):
            return  # several packages: built and thrown away
        paths = [normpath(directory + "/" + program_name(context, call, directory, operands))]
    else:
        base = call.assignments.get("GOBIN") or (
            call.assignments["GOPATH"] + "/bin" if "GOPATH" in call.assignments else ""
        )
        base = base or ("/go/bin" if "go" in context.features else f"{_home(call)}/go/bin")
        paths = [normpath(f"{base}/{word}") for word in program_names(context, call, directory, operands)]
    _add(out, call, paths, static)


def _generate(context: ToolContext, call: ToolCall) -> None:
    """Raises Refusal where `go generate` may run more than the programs that write Go sources (cmd/go, "Generate Go
    files by processing source"): every line that asks for one is read."""
    known = frozenset(table("split_programs")["go-generators"])
    for entry in context.flow.sources():
        if entry.kind == "tree":
            raise Refusal(f"what go generate runs in line {call.line} is not known", APART)
        if entry.kind != "context" or not entry.source.endswith(".go"):
            continue
        text = (context.facts.context_file(entry.source) or b"").decode("utf-8", "surrogateescape")
        for line in re.finditer(r"^//go:generate[ \t]+(.*)$", text, re.M):
            words = [word for word in line[1].split() if not word.startswith("-")]
            if words[:1] == ["go"]:
                words = words[2:]  # go run, go tool
            name = words[0].partition("@")[0].removesuffix("/...").rpartition("/")[2] if words else ""
            if name not in known:
                place = f"{entry.source}:{text.count(chr(10), 0, line.start()) + 1}"
                reason = f"what {name or 'the program'} writes, which go generate runs in line {call.line}"
                raise Refusal(f"{reason}, is not known ({place})", APART)


def _add(out: ToolOutputs, call: ToolCall, paths: list[str], static: bool) -> None:
    for path in paths:
        out.paths.append(WrittenPath(path, call.step, "tool", role="program"))
        if static:
            out.static.add(path)


def cargo(context: ToolContext, call: ToolCall, out: ToolOutputs) -> None:
    fixed(call)
    words = [word for word in call.words if word is not None and not word.startswith("+")]
    name = words[0] if words else ""
    if name in (
        "fetch",
        "test",
        "check",
        "clippy",
        "fmt",
        "new",
        "init",
        "generate-lockfile",
        "update",
        "clean",
        "doc",
        "vendor",
        "version",
        "--version",
        "-V",
        "add",
        "metadata",
        "tree",
    ):
        return
    if name not in ("build", "b", "install", "rustc"):
        raise Refusal(f"what `cargo {name}` in line {call.line} writes is not known", APART)
    out.work.append(call.directory)
    if name == "install":
        root = (call.after("--root") or [None])[-1]
        home = call.assignments.get("CARGO_HOME") or (
            "/usr/local/cargo" if "rust" in context.features else f"{_home(call)}/.cargo"
        )
        base = root or call.assignments.get("CARGO_INSTALL_ROOT") or home
        path = (call.after("--path") or [None])[-1]
        if path is None:
            names = [
                w
                for w in call.operands("--version", "--root", "--git", "--branch", "--tag", "--features", "--vers")[1:]
                if w
            ]
            if call.after("--git") or not names:
                raise Refusal(f"which programs line {call.line} installs is not known", APART)
            for name in names:
                out.paths.append(
                    WrittenPath(normpath(f"{base}/bin/{name.partition('@')[0]}"), call.step, "tool", role="program")
                )
            return
        directory = join_path(call.directory, path)
        assert isinstance(directory, str)
        for name in _crates(context, call, directory, out):
            out.paths.append(WrittenPath(normpath(f"{base}/bin/{name}"), call.step, "tool", role="program"))
        return
    manifest = (call.after("--manifest-path") or [None])[-1]
    directory = call.directory
    if manifest:
        moved = join_path(directory, manifest)
        directory = str(moved).rpartition("/")[0]
    target = (call.after("--target-dir") or [call.assignments.get("CARGO_TARGET_DIR")])[-1] or directory + "/target"
    base_ = join_path(directory, target)
    triple = (call.after("--target") or [call.assignments.get("CARGO_BUILD_TARGET")])[-1]
    profile = (call.after("--profile") or ["release" if "--release" in words or "-r" in words else "debug"])[-1]
    profile = "debug" if profile == "dev" else profile
    where = f"{base_}/{triple}/{profile}" if triple else f"{base_}/{profile}"
    for name in _crates(context, call, directory, out):
        out.paths.append(WrittenPath(normpath(f"{where}/{name}"), call.step, "tool", role="program"))
        if triple and triple.endswith("-musl"):
            out.static.add(normpath(f"{where}/{name}"))


def _crates(
    context: ToolContext, call: ToolCall, directory: str, out: ToolOutputs, *, locked: bool = False
) -> list[str]:
    """The programs that are built of the package or workspace in `directory`, by its Cargo.toml. `locked`: it is a
    member of a workspace, whose lock file counts for all. Source: the Cargo book, "Package Selection" of cargo build
    and "The default-members field"."""
    text = context.need(directory.rstrip("/") + "/Cargo.toml", call, "Cargo.toml")
    try:
        manifest = toml_table(text)
    except ValueError:
        raise Refusal("Cargo.toml is not understood") from None
    names: list[str] = []
    lock = None if locked else context.text(directory.rstrip("/") + "/Cargo.lock")
    workspace = member(manifest, "workspace")
    selected = {(word or "").partition("@")[0] for word in call.after("-p", "--package")}
    packages = [*texts(workspace, "members"), "."]
    if not selected and not {"--workspace", "--all"} & {*call.words}:
        own = ["."] if "package" in manifest else packages
        packages = texts(workspace, "default-members") if "default-members" in workspace else own
    for package in packages:
        if any(char in package for char in "*?["):
            raise Refusal(
                "the members of the Cargo workspace are given by a pattern", "name the members one by one in Cargo.toml"
            )
        if package != ".":
            names += _crates(context, call, f"{directory}/{package}", out, locked=lock is not None)
        elif not selected or member(manifest, "package").get("name") in selected:
            names += _programs(context, call, directory, manifest)
    if "cdylib" in str(manifest.get("lib", "")):
        raise Refusal("the crate is a library that other programs load")
    if lock is not None:
        out.crates += re.findall(r'^name = "([^"]+)"', lock, re.M)
    elif not locked and (manifest.get("dependencies") or manifest.get("build-dependencies")):
        raise Refusal(
            "there is no Cargo.lock, so that the crates that are linked are not known",
            "add Cargo.lock to the build context",
        )
    return names


def _programs(context: ToolContext, call: ToolCall, directory: str, manifest: dict[str, Any]) -> list[str]:
    """The programs of one package that are built. Source: the Cargo book, "Cargo targets": target auto-discovery, and
    the required-features field."""
    name = member(manifest, "package").get("name")
    bins = [entry for entry in members(manifest, "bin") if "name" in entry]
    features = {feature for word in call.after("-F", "--features") for feature in re.split(r"[ ,]+", word or "")}
    if "--no-default-features" not in call.words:
        features.add("default")
    tree = member(manifest, "features")
    waiting = [*features]
    while waiting:
        new = {*texts(tree, waiting.pop())} - features
        features |= new
        waiting += new
    names = [
        str(entry["name"]) for entry in bins
        if "--all-features" in call.words or features >= {*texts(entry, "required-features")}
    ]  # fmt: skip
    taken = any(entry["name"] == name or entry.get("path") == "src/main.rs" for entry in bins)
    if isinstance(name, str) and not taken and context.text(f"{directory}/src/main.rs") is not None:
        names.append(name)
    only = call.after("--bin")
    return names if not only or "--bins" in call.words else [name for name in names if name in only]
