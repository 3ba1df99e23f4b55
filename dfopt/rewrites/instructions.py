"""Declared rewrites of whole instructions, parser directives and comments."""

from __future__ import annotations

from dfopt.ir.model import ModelInstruction
from dfopt.refusal import Refusal
from dfopt.rewrites.base import INSIDE, Claim, Rewrite
from dfopt.rewrites.respell import respelling_fault

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.rewrites.base import Model


class InstructionRewrite(Rewrite):
    """Base of the rewrites of one instruction."""

    phase = INSIDE
    step: int

    def claim(self) -> Claim:
        return Claim(frozenset((self.step,)))


class FileRewrite(Rewrite):
    """Base of the rewrites that touch no instruction that is there."""

    phase = INSIDE

    def claim(self) -> Claim:
        return Claim(frozenset())


class SetFlags(InstructionRewrite):
    """The flags of an instruction become these, in this order."""

    flags: tuple[tuple[str, str | None], ...]

    def apply(self, model: Model) -> None:
        old = model.item(self.step)
        model.items[self.step] = ModelInstruction(old.index, old.keyword, self.flags, old.value)


class SetValue(InstructionRewrite):
    """The keyword and arguments of an instruction become these (the canonical value, see `model.value_of`)."""

    keyword: str
    value: tuple[object, ...]

    def apply(self, model: Model) -> None:
        old = model.item(self.step)
        model.items[self.step] = ModelInstruction(old.index, self.keyword, old.flags, self.value)


class WorkdirForCd(InstructionRewrite):
    """A RUN that is nothing but `cd directory` becomes a WORKDIR of that directory."""

    directory: str

    def apply(self, model: Model) -> None:
        old, only = model.item(self.step), model.shell(self.step)
        if old.flags or only[0] != "cmd" or only[2:] != ((), ("cd", self.directory), ()):
            raise Refusal(f"instruction {self.step} is not cd {self.directory} alone")
        del model.shells[self.step]
        model.items[self.step] = ModelInstruction(old.index, "WORKDIR", (), ("text", "", (self.directory,)))


class RespellPairs(InstructionRewrite):
    """The pairs of an ENV or LABEL are written another way (`A b c` as `A="b c"`): the names stay, and every value
    still expands to the same text, whatever its variables hold."""

    pairs: tuple[tuple[str, str | None], ...]

    def apply(self, model: Model) -> None:
        old = model.item(self.step)
        fault = respelling_fault(old.value, self.pairs, model.program.dockerfile.escape)
        if fault:
            raise Refusal(fault)
        model.items[self.step] = ModelInstruction(old.index, old.keyword, old.flags, ("pairs", self.pairs))


class InsertStep(FileRewrite):
    """A new instruction before the one of index `before` (the number of instructions: at the end of the file)."""

    before: int
    keyword: str
    flags: tuple[tuple[str, str | None], ...]
    value: tuple[object, ...]

    def apply(self, model: Model) -> None:
        model.inserts.setdefault(self.before, []).append(ModelInstruction(-1, self.keyword, self.flags, self.value))


class RemoveStep(InstructionRewrite):
    """An instruction goes."""

    def apply(self, model: Model) -> None:
        model.item(self.step)
        del model.items[self.step]


class SetDirective(FileRewrite):
    """A parser directive gets another value; None removes it, and a new name adds it."""

    name: str
    value: str | None

    def apply(self, model: Model) -> None:
        if self.value is None:
            model.directives.pop(self.name, None)
        else:
            model.directives[self.name] = self.value


class Relayout(InstructionRewrite):
    """Only the layout of an instruction changes (keyword case, blanks, line breaks): the model stays."""

    def apply(self, model: Model) -> None:
        pass


class ChangeComments(FileRewrite):
    """Comments (text from `#` on) that go and that come."""

    removed: tuple[str, ...]
    added: tuple[str, ...]

    def apply(self, model: Model) -> None:
        model.removed += self.removed
        model.added += self.added
