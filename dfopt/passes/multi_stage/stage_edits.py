"""The text of a split: the new stage by the recipe's template, and what leaves the builder."""

from __future__ import annotations

import re

from dfopt.edit import Edit
from dfopt.editing.layout import line_start, newline_at
from dfopt.ir.model import value_of
from dfopt.passes.multi_stage.observed import NAME
from dfopt.rewrites.split_observed import SplitObserved
from dfopt.rewrites.split_site import SplitSite
from dfopt.rewrites.split_stage import Part, SplitStage
from dfopt.syntax.dockerfile import parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage
    from dfopt.passes.multi_stage.plan import SplitPlan
    from dfopt.syntax.tree import Instruction

_NAMES = ("builder", "build", "build-stage", "compile")


def builder_name(program: Program, stage: Stage) -> str:
    """A name for the builder that no other stage has."""
    taken = {other.name for other in program.stages if other is not stage} | {stage.name}
    return next(name for name in (*_NAMES, *[f"builder{n}" for n in range(2, 99)]) if name not in taken)


def declared(program: Program, stage: Stage, plan: SplitPlan) -> SplitStage:
    """What the plan does, in terms of the model."""
    builder = builder_name(program, stage)
    parts = _new_parts(plan.inherited)
    parts += [Part(index) for index in plan.settings.before]
    if plan.packages:
        parts.append(Part(-1, "RUN", (), ("shell", "", (plan.packages,))))
    parts += [Part(index) for index in plan.accounts]
    if plan.config:
        config = plan.config.replace("\n", newline_at(program.text, stage.node.start))
        value = ("list", "", ('<<"EOF"', plan.recipe.config_path), (("EOF", False, False, 0, config),))
        parts.append(Part(-1, "COPY", (), value))
    for copy in plan.copies:
        flags: tuple[tuple[str, str | None], ...] = (("from", builder),)
        if copy.owner:
            flags = (*flags, ("chown", copy.owner))
        parts.append(Part(-1, "COPY", flags, ("list", "", (*copy.sources, copy.target))))
    parts += [Part(-1, "RUN", (), ("shell", "", (command,))) for command in plan.commands]
    parts += _new_parts(plan.behind)
    parts += [Part(index) for index in plan.settings.after]
    parts += _new_parts(plan.starts)
    size = len(program.dockerfile.instructions)
    moved, left = plan.settings.moved, plan.settings.left
    if plan.config:
        return SplitSite(
            stage.index,
            stage.position,
            size,
            builder,
            plan.image,
            tuple(parts),
            moved,
            left,
            root=plan.copies[0].target,
        )
    if plan.recipe.name == NAME:
        comments = tuple([f"# {copy.comment}" for copy in plan.copies if copy.comment])
        inherited = frozenset(text.partition(" ")[0] for text in (*plan.inherited, *plan.behind, *plan.starts))
        return SplitObserved(
            stage.index, stage.position, size, builder, plan.image, tuple(parts), moved, left, plan.last,
            plan.as_root, comments=comments, inherited=inherited,
        )  # fmt: skip
    return SplitStage(stage.index, stage.position, size, builder, plan.image, tuple(parts), moved, left, plan.last)


def edits(program: Program, stage: Stage, plan: SplitPlan) -> tuple[Edit, ...]:
    """The text edits of the plan. Raises RecipeError where the recipe's template cannot be rendered."""
    from dfopt.stage_templates.stage_recipes import CopyLine, stage_text

    text, nodes = program.text, program.dockerfile.instructions
    builder = builder_name(program, stage)
    node = stage.node
    if stage.name:
        argument = node.arguments[2]
        start, end = node.joined.span(argument.at, argument.stop)
        renamed = Edit(start, end, builder)
    else:
        argument = node.arguments[0]
        _, end = node.joined.span(argument.at, argument.stop)
        renamed = Edit(end, end, f" AS {builder}")
    again = {*plan.settings.before, *plan.settings.after}
    lost = [nodes[index] for index in plan.settings.moved if index not in again]
    flags = "".join([node.joined.text[flag.at : flag.stop] + " " for flag in node.flags])
    values = {
        "image": flags + plan.image,
        "alias": f" AS {node.arguments[2].value}" if stage.name else "",
        "settings": [
            *plan.inherited,
            *[
                _block(text, nodes[index], index in plan.settings.moved, apart=number > 0)
                for number, index in enumerate(plan.settings.before)
            ],
        ],
        "packages": plan.packages,
        "accounts": [_block(text, nodes[index], False) for index in plan.accounts],
        "copies": [
            CopyLine(
                f"--from={builder}" + (f" --chown={copy.owner}" if copy.owner else ""),
                " ".join((*copy.sources, copy.target)),
                copy.comment,
            )
            for copy in plan.copies
        ],
        "commands": plan.commands,
        "comments": [_above(text, option) for option in lost if option.above],
        "config": plan.config,
        "config_path": plan.recipe.config_path,
        "start": [
            *plan.behind,
            *[_block(text, nodes[index], index in plan.settings.moved, apart=True) for index in plan.settings.after],
            *plan.starts,
        ],
    }
    newline = newline_at(text, node.start)
    new_stage = re.sub(r"\r?\n", newline, stage_text(plan.recipe, values))
    last = len(nodes) - 1
    while last > stage.position and last in plan.settings.moved:
        last -= 1
    gone = _removed(text, [nodes[index] for index in plan.settings.moved if index < last])
    kept = nodes[last]
    at = text.find("\n", kept.end)
    end, trailing = _trailing(text, nodes[-1]) if last < len(nodes) - 1 else (len(text), "")
    rest = text[at + 1 : end] if at >= 0 else ""
    for index in range(last + 1, len(nodes)):  # comments that belong to none of the moved ones stay where they are
        rest = rest.replace(_block(text, nodes[index], True), "", 1)
    rest = "".join([line for line in rest.splitlines(keepends=True) if line.strip()])
    if rest and not rest.endswith("\n"):
        rest += newline
    head = "" if at >= 0 else newline
    begin = at + 1 if at >= 0 else len(text)
    new_stage += trailing
    final = new_stage if text.endswith("\n") or not text else new_stage.rstrip("\r\n")
    command = f"RUN {plan.last}{newline}" if plan.last else ""
    command = f"USER root{newline}{command}" if plan.as_root else command
    return (renamed, *gone, Edit(begin, len(text), head + command + rest + newline + final))


def _new_parts(instructions: tuple[str, ...]) -> list[Part]:
    """Instructions that no original one is."""
    text = "".join([f"{instruction}\n" for instruction in ("FROM scratch", *instructions)])
    return [Part(-1, node.keyword, (), value_of(node, text)) for node in parse(text).instructions[1:]]


def _above(text: str, node: Instruction) -> str:
    """The comments above an instruction."""
    return text[line_start(text, node.above[0].start) : node.above[-1].end].rstrip()


def _trailing(text: str, node: Instruction) -> tuple[int, str]:
    """Where the last instruction's line ends, and the comments behind it."""
    at = text.find("\n", node.end)
    tail = text[at + 1 :] if at >= 0 else ""
    return len(text) - len(tail), tail.rstrip() + newline_at(text, node.start) if tail.strip() else ""


def _block(text: str, node: Instruction, comments: bool, apart: bool = False) -> str:
    """An instruction's text; with the comments above it and, if `apart`, with the blank line above these."""
    start = line_start(text, node.above[0].start) if comments and node.above else node.start
    blank = comments and apart and re.search(r"\n[ \t]*\r?\n[ \t]*\Z", text[:start])
    return (newline_at(text, node.start) if blank else "") + text[start : node.end]


def _removed(text: str, nodes: list[Instruction]) -> list[Edit]:
    """Instructions go, with the comments above them; where blank lines stood on both sides, one of them goes too."""
    spans: list[tuple[int, int]] = []
    for node in nodes:
        start = line_start(text, node.above[0].start if node.above else node.start)
        end = text.find("\n", node.end)
        end = len(text) if end < 0 else end + 1
        if spans and not text[spans[-1][1] : start].strip():
            start = spans.pop()[0]
        spans.append((start, end))
    removals: list[Edit] = []
    for start, end in spans:
        after = re.match(r"(?:[ \t]*\r?\n)+", text[end:])
        blank = re.search(r"\n[ \t]*\r?\n\Z", text[:start])
        removals.append(Edit(start, end + (after.end() if after and blank else 0), ""))
    return removals
