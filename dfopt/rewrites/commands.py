"""Declared rewrites of one command of a RUN: one that comes, goes, or gets other words."""

from __future__ import annotations

from dfopt.ir.exit_status import can_precede
from dfopt.ir.model import and_term
from dfopt.refusal import Refusal
from dfopt.rewrites.append_checks import check_append
from dfopt.rewrites.base import INSIDE, Claim, Rewrite

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from dfopt.ir.model import Term
    from dfopt.rewrites.base import Model


class CommandRewrite(Rewrite):
    """Base of the rewrites of one command of a step."""

    phase = INSIDE
    step: int

    def claim(self) -> Claim:
        return Claim(frozenset((self.step,)), False)


class _GainedCommand(CommandRewrite):
    """Base of the rewrites by which a RUN step gains a command at one of its ends."""

    words: tuple[str, ...]
    operator: str = "&&"

    def apply(self, model: Model) -> None:
        model.item(self.step)
        old = model.shell(self.step)
        check_append(model.program.body(model.steps[self.step]), self.operator)
        model.shells[self.step] = self.joined(old, ("cmd", -1, (), self.words, ()))

    def joined(self, old: Term, new: Term) -> Term:
        """The step's term with the new command. Raises Refusal."""
        raise NotImplementedError


class AppendCommand(_GainedCommand):
    """A RUN step gains a command at its end: `operator` is "&&" (runs if all before succeeded) or ";"."""

    def joined(self, old: Term, new: Term) -> Term:
        return and_term(old, new) if self.operator == "&&" else ("list", (*_elements(old), (new, ";")))


class PrependCommand(_GainedCommand):
    """A RUN step gains a command at its beginning, followed by "&&" or ";"."""

    def joined(self, old: Term, new: Term) -> Term:
        if self.operator != "&&":
            return ("list", ((new, ";"), *_elements(old)))
        if old[0] in ("list", "or"):
            raise Refusal("a command before `a; b` or `a || b` would bind to its first part only")
        return and_term(new, old)


class RemoveCommand(CommandRewrite):
    """The command at `offset` of a RUN's shell text goes, with the operator that joined it to its neighbour. It is part
    of an `&&` chain, or of a list; its last only under `set -e`, after a plain command."""

    offset: int

    def apply(self, model: Model) -> None:
        model.item(self.step)
        model.edits(self.step).gone.add(self.offset)


class InsertCommand(CommandRewrite):
    """A command comes before the one at `offset` of a RUN's shell text: `operator` is "&&", or ";" under `set -e`."""

    offset: int
    words: tuple[str, ...]
    operator: str = "&&"

    def apply(self, model: Model) -> None:
        model.item(self.step)
        if not can_precede(model.program.body(model.steps[self.step]), self.offset, self.operator):
            raise Refusal("the failure of a command put there could pass unnoticed")
        added = model.edits(self.step).added.setdefault(self.offset, [])
        added.append((("cmd", -1, (), self.words, ()), self.operator))


class EditWords(CommandRewrite):
    """The command at `offset` of a step's shell text: `remove` words from `index` on go, `insert` come in their place.
    Word 0 is the first word of the simple command, wrappers such as sudo included."""

    offset: int
    index: int
    remove: int
    insert: tuple[str, ...]

    def claim(self) -> Claim:
        return Claim(frozenset((self.step,)), False, (self.step, self.offset))

    def apply(self, model: Model) -> None:
        model.item(self.step)

        def change(command: Term) -> Term:
            words = command[3]
            if self.index + self.remove > len(words):
                raise Refusal("a rewrite names words that the command does not have")
            rest = words[self.index + self.remove :]
            return (*command[:3], (*words[: self.index], *self.insert, *rest), command[4])

        model.edits(self.step).changes.setdefault(self.offset, []).append(change)


def _elements(term: Term) -> tuple[Any, ...]:
    """The elements of a term as a list."""
    elements: tuple[Any, ...] = term[1] if term[0] == "list" else ((term, ";"),)
    return elements
