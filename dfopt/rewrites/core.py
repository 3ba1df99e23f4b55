"""Declared rewrites: what a fix does to the program, said in terms of the model and never in terms of text.

Every rewrite names instructions by their index in the original file and commands by their offset in the step's shell
text, so that several rewrites of one round can be applied in any order. `expected` applies them to a program; the gate
compares the outcome with the model of the edited file. What a rewrite must hold to keep the program's meaning is
checked here, on the original, so that no pass can forget it.
"""

from __future__ import annotations

from dfopt.ir.exit_status import can_precede, errexit_throughout
from dfopt.ir.model import Item, both, items, term, with_command
from dfopt.record import Record
from dfopt.rewrites.append_checks import check_append as check_append
from dfopt.rewrites.append_checks import check_part as check_part
from dfopt.rewrites.base import OwnRewrite
from dfopt.rewrites.base import RewriteError as RewriteError
from dfopt.rewrites.respell import respelling_fault
from dfopt.rewrites.term_edits import with_command_before, without_command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TypeAlias

    from dfopt.ir.model import Term
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Step


class MergeRuns(Record):
    """Consecutive RUN steps become one, at the place of the first, joined by `&&`; `wrapped[i]`: part i runs in ( )."""

    steps: tuple[int, ...]
    wrapped: tuple[bool, ...]


class AppendCommand(Record):
    """A RUN step gains a command at its end: `operator` is "&&" (runs if all before succeeded) or ";"."""

    step: int
    words: tuple[str, ...]
    operator: str = "&&"


class PrependCommand(Record):
    """A RUN step gains a command at its beginning, followed by "&&" or ";"."""

    step: int
    words: tuple[str, ...]
    operator: str = "&&"


class RemoveCommand(Record):
    """The command at `offset` of a RUN's shell text goes, with the operator that joined it to its neighbour. It is part
    of an `&&` chain, or of a list; its last only under `set -e`, behind a plain command."""

    step: int
    offset: int


class InsertCommand(Record):
    """A command comes before the one at `offset` of a RUN's shell text: `operator` is "&&", or ";" under `set -e`."""

    step: int
    offset: int
    words: tuple[str, ...]
    operator: str = "&&"


class EditWords(Record):
    """The command at `offset` of a step's shell text: `remove` words from `index` on go, `insert` come in their place.
    Word 0 is the first word of the simple command, wrappers such as sudo included."""

    step: int
    offset: int
    index: int
    remove: int
    insert: tuple[str, ...]


class SetFlags(Record):
    """The flags of an instruction become these, in this order."""

    step: int
    flags: tuple[tuple[str, str | None], ...]


class SetValue(Record):
    """The keyword and arguments of an instruction become these (the canonical value, see `model.value_of`)."""

    step: int
    keyword: str
    value: tuple[object, ...]


class WorkdirForCd(Record):
    """A RUN that is nothing but `cd directory` becomes a WORKDIR of that directory."""

    step: int
    directory: str


class RespellPairs(Record):
    """The pairs of an ENV or LABEL are written another way (`A b c` as `A="b c"`): the names stay, and every value
    still expands to the same text, whatever its variables hold."""

    step: int
    pairs: tuple[tuple[str, str | None], ...]


class InsertStep(Record):
    """A new instruction before the one of index `before` (the number of instructions: at the end of the file)."""

    before: int
    keyword: str
    flags: tuple[tuple[str, str | None], ...]
    value: tuple[object, ...]


class RemoveStep(Record):
    """An instruction goes."""

    step: int


class SetDirective(Record):
    """A parser directive gets another value; None removes it, and a new name adds it."""

    name: str
    value: str | None


class Relayout(Record):
    """Only the layout of an instruction changes (keyword case, blanks, line breaks): the model stays."""

    step: int


class ChangeComments(Record):
    """Comments (text from `#` on) that go and that come."""

    removed: tuple[str, ...]
    added: tuple[str, ...]


if TYPE_CHECKING:
    Rewrite: TypeAlias = (
        MergeRuns
        | AppendCommand
        | PrependCommand
        | RemoveCommand
        | InsertCommand
        | EditWords
        | SetFlags
        | SetValue
        | WorkdirForCd
        | RespellPairs
        | InsertStep
        | RemoveStep
        | SetDirective
        | ChangeComments
        | Relayout
        | OwnRewrite
    )


class Expected(Record):
    """What an instruction must be after the rewrites: `item`, or for a rewritten RUN `shell` in place of its text."""

    item: Item
    shell: Term | None = None


class Outcome(Record):
    """The model that the rewrites lead to."""

    steps: tuple[Expected, ...]
    directives: tuple[tuple[str, str], ...]
    comments_removed: tuple[str, ...]
    comments_added: tuple[str, ...]
    touched: frozenset[int]


def claims(rewrite: Rewrite) -> tuple[set[int], bool]:
    """The instructions that a rewrite touches, and whether it claims each of them whole (else only a command of it)."""
    if isinstance(rewrite, OwnRewrite):
        return rewrite.claimed()
    if isinstance(rewrite, MergeRuns):
        return set(rewrite.steps), True
    if isinstance(rewrite, InsertStep | SetDirective | ChangeComments):
        return set(), False
    partly = EditWords | AppendCommand | PrependCommand | RemoveCommand | InsertCommand
    return {rewrite.step}, not isinstance(rewrite, partly)


def _changed(rewrite: Rewrite) -> set[int]:
    """The instructions whose bytes a rewrite may change."""
    return rewrite.changed() if isinstance(rewrite, OwnRewrite) else claims(rewrite)[0]


def expected(program: Program, rewrites: Iterable[Rewrite]) -> Outcome:
    """The model of `program` after the rewrites. Raises RewriteError."""
    return Applier(program).run(list(rewrites))


class Applier:
    """The model on its way from the original to the outcome. `items` and `shells` are what rewrites change; `tail` is
    what follows the last instruction."""

    __slots__ = ("added", "directives", "items", "moves", "program", "removed", "shells", "steps", "tail")

    def __init__(self, program: Program) -> None:
        self.program = program
        self.items: dict[int, Item] = {made.index: made for made in items(program)}
        self.moves: dict[int, int] = {}  # instruction -> the one before which it stands
        self.shells: dict[int, Term] = {}
        self.steps: dict[int, Step] = {step.index: step for stage in program.stages for step in stage.steps}
        self.directives = {d.name: d.value for d in program.dockerfile.directives}
        self.removed: list[str] = []
        self.added: list[str] = []
        self.tail: list[Item] = []

    def run(self, rewrites: list[Rewrite]) -> Outcome:
        touched = frozenset().union(*[_changed(rewrite) for rewrite in rewrites])
        merges = [rewrite for rewrite in rewrites if isinstance(rewrite, MergeRuns)]
        inserts: dict[int, list[Item]] = {}
        for rewrite in rewrites:  # what happens inside a step goes first, so that a merge takes it along
            if isinstance(rewrite, InsertStep):
                made = Item(-1, rewrite.keyword, rewrite.flags, rewrite.value)
                inserts.setdefault(rewrite.before, []).append(made)
            elif not isinstance(rewrite, MergeRuns | OwnRewrite):
                self.apply(rewrite)
        for rewrite in rewrites:
            if isinstance(rewrite, OwnRewrite):
                rewrite.apply(self)
        for merge in merges:
            self.merge(merge)
        result: list[Expected] = []
        for index in range(len(self.program.dockerfile.instructions) + 1):
            result += [Expected(self.items[step]) for step, before in sorted(self.moves.items()) if before == index]
            result += [Expected(made) for made in inserts.get(index, ())]
            if index in self.items and index not in self.moves:
                result.append(Expected(self.items[index], self.shells.get(index)))
        result += [Expected(made) for made in self.tail]
        return Outcome(
            tuple(result), tuple(sorted(self.directives.items())), tuple(self.removed), tuple(self.added), touched
        )  # fmt: skip

    def item(self, index: int) -> Item:
        if index not in self.items:
            raise RewriteError(f"instruction {index} is gone or never was")
        return self.items[index]

    def shell(self, index: int) -> Term:
        """The current term of a RUN step."""
        if index not in self.shells:
            step = self.steps.get(index)
            if step is None or step.node.keyword != "RUN":
                raise RewriteError(f"instruction {index} is no RUN of a stage")
            body = self.program.body(step)
            if body.program is None or body.form not in ("line", "script"):
                raise RewriteError(f"the shell text of instruction {index} is not understood: {body.why or body.form}")
            self.shells[index] = term(body.program.script, body.text)
        return self.shells[index]

    def apply(self, rewrite: Rewrite) -> None:
        if isinstance(rewrite, AppendCommand | PrependCommand):
            self.extend(rewrite)
        elif isinstance(rewrite, EditWords):
            self.edit_words(rewrite)
        elif isinstance(rewrite, RemoveCommand | InsertCommand):
            self.in_chain(rewrite)
        elif isinstance(rewrite, SetFlags):
            old = self.item(rewrite.step)
            self.items[rewrite.step] = Item(old.index, old.keyword, rewrite.flags, old.value)
        elif isinstance(rewrite, SetValue):
            old = self.item(rewrite.step)
            self.items[rewrite.step] = Item(old.index, rewrite.keyword, old.flags, rewrite.value)
        elif isinstance(rewrite, WorkdirForCd):
            old, only = self.item(rewrite.step), self.shell(rewrite.step)
            if old.flags or only[0] != "cmd" or only[2:] != ((), ("cd", rewrite.directory), ()):
                raise RewriteError(f"instruction {rewrite.step} is not cd {rewrite.directory} alone")
            del self.shells[rewrite.step]
            self.items[rewrite.step] = Item(old.index, "WORKDIR", (), ("text", "", (rewrite.directory,)))
        elif isinstance(rewrite, RespellPairs):
            old = self.item(rewrite.step)
            fault = respelling_fault(old.value, rewrite.pairs, self.program.dockerfile.escape)
            if fault:
                raise RewriteError(fault)
            self.items[rewrite.step] = Item(old.index, old.keyword, old.flags, ("pairs", rewrite.pairs))
        elif isinstance(rewrite, RemoveStep):
            self.item(rewrite.step)
            del self.items[rewrite.step]
        elif isinstance(rewrite, SetDirective):
            if rewrite.value is None:
                self.directives.pop(rewrite.name, None)
            else:
                self.directives[rewrite.name] = rewrite.value
        elif isinstance(rewrite, ChangeComments):
            self.removed += rewrite.removed
            self.added += rewrite.added

    def extend(self, rewrite: AppendCommand | PrependCommand) -> None:
        self.item(rewrite.step)
        old = self.shell(rewrite.step)
        new: Term = ("cmd", -1, (), rewrite.words, ())
        check_append(self.program.body(self.steps[rewrite.step]), rewrite.operator)
        if isinstance(rewrite, AppendCommand):
            if rewrite.operator == "&&":
                self.shells[rewrite.step] = both(old, new)
            else:
                head = old[1] if old[0] == "list" else ((old, ";"),)
                self.shells[rewrite.step] = ("list", (*head, (new, ";")))
        elif rewrite.operator == "&&":
            if old[0] in ("list", "or"):
                raise RewriteError("a command before `a; b` or `a || b` would bind to its first part only")
            self.shells[rewrite.step] = both(new, old)
        else:
            tail = old[1] if old[0] == "list" else ((old, ";"),)
            self.shells[rewrite.step] = ("list", ((new, ";"), *tail))

    def edit_words(self, rewrite: EditWords) -> None:
        self.item(rewrite.step)

        def change(command: Term) -> Term:
            words = command[3]
            if rewrite.index + rewrite.remove > len(words):
                raise RewriteError("a rewrite names words that the command does not have")
            rest = words[rewrite.index + rewrite.remove :]
            return (*command[:3], (*words[: rewrite.index], *rewrite.insert, *rest), command[4])

        changed = with_command(self.shell(rewrite.step), rewrite.offset, change)
        if changed is None:
            raise RewriteError(f"no command stands at {rewrite.offset} of instruction {rewrite.step}")
        self.shells[rewrite.step] = changed

    def in_chain(self, rewrite: RemoveCommand | InsertCommand) -> None:
        self.item(rewrite.step)
        old = self.shell(rewrite.step)
        if isinstance(rewrite, RemoveCommand):
            errexit = errexit_throughout(self.program.body(self.steps[rewrite.step]))
            new = without_command(old, rewrite.offset, last=errexit)
        else:
            if not can_precede(self.program.body(self.steps[rewrite.step]), rewrite.offset, rewrite.operator):
                raise RewriteError("the failure of a command put there could pass unnoticed")
            made: Term = ("cmd", -1, (), rewrite.words, ())
            new = with_command_before(old, rewrite.offset, made, rewrite.operator)
        if new is None:
            raise RewriteError(f"the command at {rewrite.offset} of instruction {rewrite.step} is not one of a chain")
        self.shells[rewrite.step] = new

    def merge(self, merge: MergeRuns) -> None:
        """Checks, on the original parts, that one shell does what several did, then joins them."""
        first = self.item(merge.steps[0])
        result: Term | None = None
        for position, (index, wrapped) in enumerate(zip(merge.steps, merge.wrapped, strict=True)):
            step, body = self.steps[index], self.program.body(self.steps[index])
            made = self.item(index)
            if position and merge.steps[position - 1] != index - 1:
                raise RewriteError("merged steps must be consecutive")
            if made.flags != first.flags or step.heredocs or body.form != "line":
                raise RewriteError("merged steps must have equal flags and no heredocs, in shell form")
            check_part(self.program, step, position, len(merge.steps), wrapped)
            part = self.shell(index)
            if wrapped:
                part = ("sub", part, ())
            result = part if result is None else both(result, part)
            if position:
                del self.items[index]
                del self.shells[index]
        assert result is not None
        self.shells[merge.steps[0]] = result
