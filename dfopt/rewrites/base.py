"""Declared rewrites: what a fix does to the program, said in terms of the model and never in terms of text.

Every rewrite names instructions by their index in the original file and commands by their offset in the step's shell
text, so that several rewrites of one round can be applied in any order. `expected` applies them to a program; the gate
compares the outcome with the model of the edited file. What a rewrite must hold to keep the program's meaning is
checked by the rewrite itself, on the original, so that no pass can forget it.
"""

from __future__ import annotations

from dfopt.ir.exit_status import errexit_throughout
from dfopt.ir.model import ModelInstruction, items, term, with_commands
from dfopt.record import Record
from dfopt.refusal import Refusal
from dfopt.rewrites.term_edits import with_commands_before, without_commands

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from dfopt.ir.model import Term
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Step

# When a rewrite is applied: what happens inside a step goes first, so that what moves or joins steps takes it along
INSIDE, ACROSS, JOINING = range(3)


class Claim(Record):
    """The instructions that a rewrite touches.

    whole      whether it claims each of them whole; else only one command of each
    command    of a rewrite of one command's words: its (step, offset), which no other may edit in the same round
    """

    steps: frozenset[int]
    whole: bool = True
    command: tuple[int, int] | None = None


class Rewrite(Record):
    """Base of all rewrites. Each checks, independently of any pass, that the meaning of the original is kept."""

    phase = ACROSS

    def claim(self) -> Claim:
        """What it touches, so that two fixes of one round do not meet."""
        raise NotImplementedError

    def changed(self) -> frozenset[int]:
        """The instructions of the original whose bytes may change; the gate compares all others byte for byte."""
        return self.claim().steps

    def apply(self, model: Model) -> None:
        """Changes the model. Raises Refusal."""
        raise NotImplementedError

    def check(self, program: Program, edited: Program) -> str:
        """What speaks against the edited program although it is the declared one; "" where nothing does."""
        return ""


class Expected(Record):
    """What an instruction must be after the rewrites: `item`, or for a rewritten RUN `shell` in place of its text."""

    item: ModelInstruction
    shell: Term | None = None


class RewrittenModel(Record):
    """The model that the rewrites lead to."""

    steps: tuple[Expected, ...]
    directives: tuple[tuple[str, str], ...]
    comments_removed: tuple[str, ...]
    comments_added: tuple[str, ...]
    touched: frozenset[int]


def expected(program: Program, rewrites: Iterable[Rewrite]) -> RewrittenModel:
    """The model of `program` after the rewrites. Raises Refusal."""
    return Model(program).run(list(rewrites))


class CommandEdits(Record):
    """What is to be done to commands of a RUN step, by their offsets: `changes` of their terms, then those that are
    `gone`, then new commands with their operators that are `added` before one."""

    changes: dict[int, list[Callable[[Term], Term]]]
    gone: set[int]
    added: dict[int, list[tuple[Term, str]]]


class Model:
    """The model of a file on its way from the original to the outcome.

    items     instruction index -> the instruction as it is now; a removed one is absent
    shells    instruction index -> the shell text of a RUN that some rewrite changed
    inserts   instruction index -> new instructions before it
    moves     instruction index -> the index of the one before which it now stands
    tail      what follows the last instruction
    """

    __slots__ = (
        "_edits",
        "added",
        "directives",
        "inserts",
        "items",
        "moves",
        "program",
        "removed",
        "shells",
        "steps",
        "tail",
    )

    def __init__(self, program: Program) -> None:
        self.program = program
        self.items: dict[int, ModelInstruction] = {item.index: item for item in items(program)}
        self.inserts: dict[int, list[ModelInstruction]] = {}
        self.moves: dict[int, int] = {}
        self.shells: dict[int, Term] = {}
        self._edits: dict[int, CommandEdits] = {}
        self.steps: dict[int, Step] = {step.index: step for stage in program.stages for step in stage.steps}
        self.directives = {d.name: d.value for d in program.dockerfile.directives}
        self.removed: list[str] = []
        self.added: list[str] = []
        self.tail: list[ModelInstruction] = []

    def run(self, rewrites: list[Rewrite]) -> RewrittenModel:
        touched = frozenset().union(*[rewrite.changed() for rewrite in rewrites])
        for phase in (INSIDE, ACROSS, JOINING):
            for rewrite in rewrites:
                if rewrite.phase == phase:
                    rewrite.apply(self)
            for index in list(self._edits):
                self._edit(index)
        moved: dict[int, list[int]] = {}
        for step, before in sorted(self.moves.items()):
            moved.setdefault(before, []).append(step)
        result: list[Expected] = []
        for index in range(len(self.program.dockerfile.instructions) + 1):
            result += [Expected(self.items[step]) for step in moved.get(index, ())]
            result += [Expected(item) for item in self.inserts.get(index, ())]
            if index in self.items and index not in self.moves:
                result.append(Expected(self.items[index], self.shells.get(index)))
        result += [Expected(item) for item in self.tail]
        return RewrittenModel(
            tuple(result), tuple(sorted(self.directives.items())), tuple(self.removed), tuple(self.added), touched
        )  # fmt: skip

    def item(self, index: int) -> ModelInstruction:
        if index not in self.items:
            raise Refusal(f"instruction {index} was removed or does not exist")
        return self.items[index]

    def edits(self, index: int) -> CommandEdits:
        """What is still to be done to commands of a RUN step: when its term is asked for, or its phase ends, so that a
        long text is walked once for all of them."""
        return self._edits.setdefault(index, CommandEdits({}, set(), {}))

    def _edit(self, index: int) -> None:
        edits = self._edits.pop(index)
        found: set[int] = set()
        changed = with_commands(self.shell(index), edits.changes, found)
        missing = min(edits.changes.keys() - found, default=None)
        if missing is not None:
            raise Refusal(f"no command stands at {missing} of instruction {index}")
        removed: set[int] = set()
        if edits.gone:
            errexit = errexit_throughout(self.program.body(self.steps[index]))
            changed = without_commands(changed, edits.gone, removed, last=errexit)
        preceded: set[int] = set()
        if edits.added:
            changed = with_commands_before(changed, edits.added, preceded)
        missing = min((edits.gone - removed) | (edits.added.keys() - preceded), default=None)
        if missing is not None:
            raise Refusal(f"the command at {missing} of instruction {index} is not part of a chain")
        self.shells[index] = changed

    def shell(self, index: int) -> Term:
        """The current term of a RUN step."""
        if index in self._edits:
            self._edit(index)
        if index not in self.shells:
            step = self.steps.get(index)
            if step is None or step.node.keyword != "RUN":
                raise Refusal(f"instruction {index} is not a RUN")
            body = self.program.body(step)
            if body.program is None or body.form not in ("line", "script"):
                raise Refusal(f"the shell text of instruction {index} is not understood: {body.why or body.form}")
            self.shells[index] = term(body.program.script, body.text)
        return self.shells[index]
