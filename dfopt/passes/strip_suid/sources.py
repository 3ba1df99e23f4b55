"""Which steps may bring setuid programs into an image, and which ones need them."""

from __future__ import annotations

import posixpath
import re

from dfopt.analysis.build_facts import find_program, seen_image
from dfopt.analysis.inferred_base import distribution
from dfopt.analysis.laid_out import PROGRAM_PLACES
from dfopt.analysis.package_managers import tools
from dfopt.analysis.run_steps import run_text
from dfopt.ir.base_images import ImageRows, maker_image
from dfopt.ir.commands import TOP
from dfopt.ir.liveness import layer_steps
from dfopt.ir.scopes import join_path
from dfopt.knowledge import table
from dfopt.lazy import regex

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.facts import Facts
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage, Step

# `-perm +6000` is an error to GNU find since 4.5.12 (2013), and finds nothing; busybox's knows it
_STRIPPED = regex(
    r"-perm\s+['\"]?[-/]?(?:[ug]+[=+]s|0?[246]000)|\bchmod\s+(?:-[A-Za-z]{1,20}\s{1,20}){0,20}[augo,]*-s\b"
)
_OLD_FIND = regex(r"-perm\s+['\"]?\+(?:[ug]+[=+]s|0?[246]000)")
_SETS = regex(
    r"\bchmod\s+(?:-[A-Za-z]{1,20}\s{1,20}){0,20}(?:[ug]+[+=][rwx]*s|0?[246][0-7]{3})\b|\b(?:install|mkdir)\b[^&|;]{0,400}-m\s*0?4\d{3}\b"
)
_SYSTEM_FAMILIES = frozenset(("apt", "apk", "dnf", "zypper", "pacman"))


def strips(program: Program, step: Step) -> bool:
    """Whether a step looks for setuid programs by itself."""
    if step.effective.keyword != "RUN":
        return False
    text = run_text(program, step)
    if "-perm" not in text and "chmod" not in text:
        return False
    if _OLD_FIND.search(text) is not None:
        base = program.scope(step).base
        return base is not None and base.sh == "busybox"
    return _STRIPPED.search(text) is not None


def sets(program: Program, step: Step) -> bool:
    """Whether a step sets such a bit itself."""
    if step.effective.keyword == "RUN":
        text = run_text(program, step)
        if "chmod" not in text and "-m" not in text:
            return False
        return any(not _directories(text, match.start()) for match in _SETS.finditer(text))
    mode = step.effective.flag("chmod")
    return mode is not None and re.match(r"0?[4267][0-7]{3}\Z", mode.value or "") is not None


def _directories(text: str, at: int) -> bool:
    """Whether the command at `at` is a find's, of directories: whose group new files get there is not a program's."""
    command = re.split(r"&&|[;\n](?<!\\;)", text[:at])[-1]
    return re.search(r"\bfind\b.{0,400}-type\s+d\b.{0,400}-exec", command, re.S) is not None


def brings(program: Program, step: Step) -> bool:
    """Whether a step may bring programs with such a bit: system packages, whole directories of programs, archives, and
    commands that dfopt cannot analyse."""
    node = step.node
    if node.keyword == "ADD":
        return node.form != "list" or any(re.search(r"\.t(?:ar|gz|xz|bz2|zst)\b", a.value) for a in node.arguments[:-1])
    if node.keyword == "COPY":
        return node.flag("from") is not None and copies_programs(program, step)
    if node.keyword != "RUN":
        return False
    if _only_plain_packages(program, step):
        return False
    return any(
        effect.kind == "opaque" or (effect.kind == "installs" and effect.path in _SYSTEM_FAMILIES)
        for effect in program.effects(step)
    )


def _only_plain_packages(program: Program, step: Step) -> bool:
    """Whether a step does nothing of interest but install Alpine packages that bring no such program."""
    bring = table("suid")["apk"]["bring"]
    for effect in program.effects(step):
        if effect.kind == "opaque" or (effect.kind == "installs" and effect.path != "apk"):
            return False
    packages = list(_packages(program, step))
    return bool(packages) and all(name and not name.startswith("$") and name not in bring for name in packages)


def copies_programs(program: Program, step: Step) -> bool:
    """Whether a COPY --from takes, or fills, a directory in which systems keep programs, or takes one that is known to
    have such a bit."""
    scope = program.scope(step)
    paths = [scope.expand(argument.value, program.dockerfile.escape) for argument in step.node.arguments]
    sources = [join_path("/", path) for path in paths[:-1]]
    target = join_path(scope.workdir, paths[-1])
    known = table("suid")["programs"]
    if any(isinstance(source, str) and posixpath.basename(source) in known for source in sources):
        return True
    return any(source in PROGRAM_PLACES for source in sources) or (
        target == "/" and any(isinstance(s, str) and not posixpath.basename(s).count(".") for s in sources)
    )


def installed(program: Program, stage: Stage) -> Iterator[tuple[Step, str]]:
    """The packages by name that the steps of an image install, without versions."""
    for step in layer_steps(program, stage):
        if step.node.keyword == "RUN":
            for name in _packages(program, step):
                yield step, name


def _packages(program: Program, step: Step) -> Iterator[str]:
    for tool in tools(program, step):
        if tool.family in _SYSTEM_FAMILIES and tool.does.get("installs"):
            text = program.body(step).text
            for word in tool.invocation.operands(tool.facts.get("value-options", ()))[1:]:
                # `name=1.*` is a glob to the shell
                written = word.value if tool.invocation.nested else text[word.start : word.end]
                yield re.split("[=:@<>~]", (written or "").strip("\"'"))[0]


def needed(program: Program, stage: Stage) -> str:
    """What the image has that fails without the bit; "" where nothing is known to."""
    needs: dict[str, str] = table("suid")["needs"]
    text = program.text
    if not any(name in text for name in needs):
        return ""
    for step, package in installed(program, stage):
        if package in needs:
            return f"line {step.node.line} installs {package}: without the bit, {needs[package]} fails"
    for step in layer_steps(program, stage):
        named = _named(program, step, needs) if step.node.keyword == "RUN" else None
        if named is not None:
            return f"line {step.node.line} names {named}: without the bit, {needs[named]} fails"
    return ""


def _named(program: Program, step: Step, needs: dict[str, str]) -> str | None:
    """What a RUN names of it, that then came with the base (`service postfix start`)."""
    text = step.node.joined.text
    names = {name for name in needs if name in text and name != "at"}
    if not names:
        return None
    for invocation in program.commands(step).invocations:
        if invocation.program not in ("echo", "printf"):
            for value in (invocation.program, *invocation.values):
                if value in names:
                    return value
    return None


def has_find(program: Program, stage: Stage, facts: Facts) -> bool:
    """Whether the image surely has find: by its base, by a step that calls it, by the package that brings it, or by a
    build."""
    scope = program.end_scope(stage)
    family = scope.base.family if scope.base is not None else distribution(program, stage, facts)
    if table("suid")["base"].get(family, {}).get("find"):
        return True
    if scope.image is not None and ImageRows(table("suid")["find"]).find(scope.image) is not None:
        return True
    if maker_image(scope.image).get("find"):
        return True
    for step in layer_steps(program, stage):
        named = step.node.keyword == "RUN" and "find" in step.node.joined.text
        if named and any(
            invocation.program == "find" and invocation.where == TOP
            for invocation in program.commands(step).invocations
        ):
            return True
    if "findutils" in program.text and any(name == "findutils" for _, name in installed(program, stage)):
        return True
    image = seen_image(program, stage, facts)
    return image is not None and find_program(image, "find") is not None
