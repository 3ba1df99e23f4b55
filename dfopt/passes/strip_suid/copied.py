"""Setuid programs of an image without a shell: they are stripped in the stages that it copies directories from."""

from __future__ import annotations

from dfopt.analysis.laid_out import laid_out
from dfopt.cost import SOURCE, mends
from dfopt.editing.instruction_insert import insert_steps
from dfopt.findings import Benefit, Finding, Fix, refused
from dfopt.ir.base_images import base_facts
from dfopt.ir.liveness import layer_steps
from dfopt.passes.strip_suid.edits import check_copy, price_by_table, seen_files, words
from dfopt.passes.strip_suid.sources import copies_programs, strips
from dfopt.refusal import Refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dfopt.facts import Facts
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage


def copied_findings(name: str, program: Program, stage: Stage, facts: Facts, keep: Sequence[str]) -> Iterator[Finding]:
    """The findings of an image without a shell: one for each stage whose directories of programs it takes."""
    for step in layer_steps(program, stage):
        flag = step.node.flag("from") if step.node.keyword == "COPY" else None
        if flag is None or not flag.value or not copies_programs(program, step):
            continue
        start, end = step.node.start, step.node.end
        index = program.stage_named(flag.value, step.stage)
        if index is None:
            base = base_facts(flag.value)
            if base is not None and not price_by_table(base.family).text:
                continue  # such images bring none
            if seen_files(program, facts, keep) == {}:
                continue
            refusal = Refusal(
                f"{flag.value} is not a stage of this file, where the bits could be taken",
                f"copy from a stage FROM {flag.value}",
            )
            yield refused(name, "what is copied may have setuid bits", start, end, refusal)
            continue
        source = program.stages[index]
        if any(strips(program, one) for one in layer_steps(program, source)):
            continue
        path = step.node.arguments[0].value
        if laid_out(program, source, path) is not None:
            continue  # no program is among it
        try:
            check_copy(program, source, step, facts)
        except Refusal as stands:
            yield refused(name, "what is copied may have setuid bits", start, end, stands)
            continue
        command = words(program, facts, path, keep)
        edit, rewrites = insert_steps(program, source.position + 1 + len(source.steps), ("RUN", " ".join(command)))
        # the stage is not shipped: its files are stored once, without the bits
        benefit = Benefit(mends=mends(name), source=SOURCE)
        message = f"take the setuid bits from what stage {flag.value} gives to the image, which gets no larger"
        yield Finding(name, message, start, end, Fix((edit,), tuple(rewrites), "unsafe"), benefit=benefit)
