"""A declared rewrite: a copy from the build context moves after steps that do not see it."""

from __future__ import annotations

from dfopt.refusal import Refusal
from dfopt.rewrites.base import Claim, Rewrite

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.rewrites.base import Model

# instructions that neither read nor write files of the stage
_METADATA = frozenset(("ENV", "ARG", "LABEL", "EXPOSE", "STOPSIGNAL", "USER", "WORKDIR"))


class MoveCopy(Rewrite):
    """A COPY or ADD from the build context stands, unchanged, before the instruction of index `before` of its stage
    (one past its last: at its end). What it passes are the RUNs of `independent`, of which the pass has proved that
    they do not see what is copied, and instructions that touch no files and change no word of the copy."""

    step: int
    before: int
    independent: tuple[int, ...]

    def claim(self) -> Claim:
        return Claim(frozenset({self.step, *self.independent}))

    def apply(self, model: Model) -> None:
        moved = model.steps.get(self.step)
        if moved is None or self.step not in model.items:
            raise Refusal(f"instruction {self.step} is not a step of a stage, or was removed")
        node = moved.node
        if node.keyword not in ("COPY", "ADD") or node.flag("from") is not None:
            raise Refusal(f"instruction {self.step} copies nothing from the build context")
        words = [argument.value for argument in node.arguments] + [flag.value or "" for flag in node.flags]
        for index in range(self.step + 1, self.before):
            passed = model.steps.get(index)
            if passed is None or passed.stage != moved.stage:
                raise Refusal("a copy does not leave its stage")
            other = passed.node
            if other.keyword == "RUN":
                if index not in self.independent:
                    raise Refusal(f"instruction {index} may see what is copied")
            elif other.keyword not in _METADATA:
                raise Refusal(f"a copy does not pass {other.keyword}")
            elif other.keyword in ("ENV", "ARG") and any("$" in word for word in words):
                raise Refusal("a variable of the copy may change on the way")
            elif other.keyword == "WORKDIR" and not node.arguments[-1].value.startswith("/"):
                raise Refusal("the destination depends on the working directory")
        if self.before <= self.step + 1:
            raise Refusal("the copy does not move")
        model.moves[self.step] = self.before
