"""New instructions between those of a file."""

from __future__ import annotations

from dfopt.edit import Edit
from dfopt.editing.layout import line_start, newline_at
from dfopt.rewrites.instructions import InsertStep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.ir.program import Program

PASSWD = "passwd"  # stands for the heredoc COPY that makes /etc/passwd on an empty base


def insert_steps(program: Program, index: int, *made: tuple[str, str]) -> tuple[Edit, list[InsertStep]]:
    """The edit that writes instructions, (keyword, what follows), before the one of `index` (the number of
    instructions: at the end), above its comments, and, where that one is a FROM, right behind the stage before it; and
    what that declares. RUN is in shell form; (PASSWD, line) is a COPY of one line to /etc/passwd."""
    text = program.text
    nodes = program.dockerfile.instructions
    last = index >= len(nodes)
    newline = newline_at(text, nodes[-1].start if last else nodes[index].start)
    lines: list[str] = []
    rewrites: list[InsertStep] = []
    for keyword, value in made:
        if keyword == PASSWD:
            lines.append(f"COPY <<EOF /etc/passwd{newline}{value}{newline}EOF{newline}")
            docs = (("EOF", True, False, 0, f"{value}\n"),)
            rewrites.append(InsertStep(index, "COPY", (), ("list", "", ("<<EOF", "/etc/passwd"), docs)))
        else:
            lines.append(f"{keyword} {value}{newline}")
            form = "shell" if keyword == "RUN" else "text"
            rewrites.append(InsertStep(index, keyword, (), (form, "", (value,))))
    written = "".join(lines)
    if not last and nodes[index].keyword != "FROM":
        node = nodes[index]
        start = line_start(text, node.above[0].start if node.above else node.start)
        return Edit(start, start, written), rewrites
    at = text.find("\n", nodes[min(index, len(nodes)) - 1].end)
    if at < 0:
        return Edit(len(text), len(text), newline + written.removesuffix(newline)), rewrites
    return Edit(at + 1, at + 1, written), rewrites
