"""What CMD and ENTRYPOINT mean to each other, and whether a program can be started without a shell."""

from __future__ import annotations

import posixpath

from dfopt.analysis.build_facts import built_image, find_program, with_reason
from dfopt.analysis.parents import DEEPEST, parent_program
from dfopt.ir.base_images import split_image
from dfopt.ir.image_config import image_config
from dfopt.ir.scopes import join_path
from dfopt.knowledge import table
from dfopt.lazy import regex
from dfopt.syntax.expand import Unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.facts import Facts
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage, Step

_SCRIPT = regex(r"\.(sh|bash|ash|ksh|zsh|py|pl|rb|js|php|lua)\Z")
_SYSTEM = ("/bin", "/sbin", "/usr/bin", "/usr/sbin")


def images_with(program: Program, step: Step) -> list[Stage]:
    """The stages whose images get this CMD or ENTRYPOINT: its own, and those built on it that do not set another."""
    stages: list[Stage] = []
    for stage in program.stages[step.stage :]:
        at: Stage | None = stage
        last: Step | None = None
        while at is not None and last is None:
            last = next(
                (instruction for instruction in reversed(at.steps) if instruction.node.keyword == step.node.keyword),
                None,
            )
            at = program.stages[at.parent] if at.parent is not None else None
        if last is not None and last.index == step.index:
            stages.append(stage)
    return stages


def words_go_elsewhere(program: Program, step: Step, facts: Facts) -> str:
    """Why the words of this CMD or ENTRYPOINT, in exec form, would mean something else than in shell form; "" where
    they are the program and its arguments in both."""
    for stage in images_with(program, step):
        config = image_config(program, stage)
        if step.node.keyword == "ENTRYPOINT":
            if config.cmd not in (None, ()):
                return "CMD is set too: its words, which a shell form ignores, would become arguments"
        elif isinstance(config.entrypoint, Unknown):
            return "what the ENTRYPOINT does with the words of CMD is not known"
        elif config.entrypoint is not None:
            if config.entrypoint and not _is_init(config.entrypoint[0]):
                return f"{config.entrypoint[0]} of the ENTRYPOINT would get the words in place of a shell's"
        else:
            reason = _base_obstacle(program.scope(step).image, facts)
            if reason:
                return reason
    return ""


def _is_init(program: str) -> bool:
    return posixpath.basename(program) in table("entrypoints")["init"]["names"]


def _base_obstacle(image: str | None, facts: Facts) -> str:
    """Why the base image may not run the words of CMD as they are; "" where it does."""
    entrypoint = base_entrypoint(image, facts)
    if entrypoint is None:
        return with_reason(
            "whether the base image has an ENTRYPOINT that looks at the words of CMD is not known", facts
        )
    if not entrypoint or _is_init(entrypoint[0]):
        return ""
    return f"{entrypoint[0]}, the ENTRYPOINT of the base image, would get other words"


def base_entrypoint(image: str | None, facts: Facts, depth: int = 0) -> tuple[str, ...] | None:
    """The words that a base image puts before those of CMD; () where there are none, or where they are known to run
    those of CMD as they are; None where that is not known."""
    if image is None:
        return None
    name, entrypoints = split_image(image)[0], table("entrypoints")
    if any(_matches(name, pattern) for pattern in entrypoints["passes"]):
        return ()
    config = facts.image_config(image)
    if config is None:
        if any(_matches(name, pattern) for pattern in entrypoints["none"]):
            return ()
        parent = parent_program(image, facts) if depth < DEEPEST else None
        if parent is not None:
            entrypoint = image_config(*parent).entrypoint
            if entrypoint is None:
                return base_entrypoint(parent[0].end_scope(parent[1]).image, facts, depth + 1)
            return None if isinstance(entrypoint, Unknown) else entrypoint
        config = facts.built_config(image)
    if config is None:
        return None
    return tuple(str(word) for word in config.get("Entrypoint") or ())


def _matches(name: str, pattern: str) -> bool:
    return name.startswith(pattern[:-1]) if pattern.endswith("*") else name == pattern


def cannot_start(program: Program, step: Step, name: str, facts: Facts) -> str:
    """Why a program may not start without a shell; "" where nothing speaks against it. A shell runs a text without a
    `#!` line as a script of its own; the kernel does not (execve(2): ENOEXEC)."""
    base, directory = posixpath.basename(name), posixpath.dirname(name)
    if directory in _SYSTEM:
        return ""
    path = join_path(program.scope(step).workdir, name) if directory else None
    paths = facts.context_paths()
    copied = False
    for source in _sources(program, step, base, path if isinstance(path, str) else None):
        if paths is not None and source not in paths:
            continue
        copied = True
        content = facts.context_file(source)
        if content is not None:
            runs = content[:2] == b"#!" or content[:4] == b"\x7fELF"
            return "" if runs else f"{base} has no #! line"
    if not copied and not (directory and _SCRIPT.search(base)):
        return ""
    image = built_image(program, program.stages[step.stage], facts)
    artifact = find_program(image, path if isinstance(path, str) else name) if image is not None else None
    if artifact is None:
        return with_reason(f"whether {base} has a #! line is not known", facts)
    return f"{base} has no #! line" if artifact.kind == "file" else ""


def _sources(program: Program, step: Step, base: str, path: str | None) -> Iterator[str]:
    """The files of the build context that may be the program, latest copy first. `path` is its absolute path; None
    where it is looked up in PATH, or the working directory is not known."""
    at: Stage | None = program.stages[step.stage]
    while at is not None:
        for instruction in reversed(at.steps):
            node = instruction.node
            if node.keyword in ("COPY", "ADD") and node.flag("from") is None and instruction.index < step.index:
                scope = program.scope(instruction)
                words = [scope.expand(argument.value, program.dockerfile.escape) for argument in node.arguments]
                target = join_path(scope.workdir, words[-1])
                into = isinstance(words[-1], str) and words[-1].endswith("/")
                for word in words[:-1]:
                    source = _source(word, target, into or len(words) > 2, base, path)
                    if source is not None:
                        yield source
        at = program.stages[at.parent] if at.parent is not None else None


def _source(word: str | Unknown, target: str | Unknown, into: bool, base: str, path: str | None) -> str | None:
    """The context file behind the program, if `COPY word target` may have brought it."""
    if isinstance(word, Unknown) or isinstance(target, Unknown):
        return base if path is not None or (isinstance(word, str) and posixpath.basename(word) == base) else None
    source = posixpath.normpath(word).lstrip("/")
    if posixpath.basename(source) == base:
        directory = target if into else posixpath.dirname(target)
        return source if path is not None or directory.endswith("bin") else None
    if path is None or not (path + "/").startswith(target.rstrip("/") + "/"):
        return None
    inside = posixpath.relpath(path, target)
    return source if inside == "." else posixpath.normpath(posixpath.join(source, inside))
