"""An update of the package index in front of a command that reads it."""

from __future__ import annotations

from dfopt.editing.chain_edits import insert_command
from dfopt.refusal import Refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.analysis.package_managers import Tool
    from dfopt.edit import Edit
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Step
    from dfopt.rewrites.commands import InsertCommand


def insert_update(program: Program, step: Step, reader: Tool, words: tuple[str, ...]) -> tuple[Edit, InsertCommand]:
    """The edit that puts an update in front of a command, and what it does. Raises Refusal."""
    inserted = insert_command(program, step, program.body(step), reader.invocation.node, words)
    if inserted is None:
        raise Refusal("a failure of the update would pass unnoticed there", "begin the RUN with `set -e`")
    return inserted
