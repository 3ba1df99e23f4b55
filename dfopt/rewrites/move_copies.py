"""A declared rewrite: copies from the build context move after steps that do not see them."""

from __future__ import annotations

from dfopt.refusal import Refusal
from dfopt.rewrites.base import Claim, Rewrite

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.rewrites.base import Model

# instructions that neither read nor write files of the stage
_METADATA = frozenset(("ENV", "ARG", "LABEL", "EXPOSE", "STOPSIGNAL", "USER", "WORKDIR"))


class MoveCopies(Rewrite):
    """COPYs and ADDs from the build context, `copies`, stand unchanged and in their order before the instruction of
    index `before` of their stage (one past its last: at its end). What they pass are the RUNs of `independent`, of
    which the pass has proved that they do not see what is copied, and instructions that touch no files and change no
    word of a copy."""

    copies: tuple[int, ...]
    before: int
    independent: tuple[int, ...]

    def claim(self) -> Claim:
        return Claim(frozenset({*self.copies, *self.independent}))

    def apply(self, model: Model) -> None:
        for index in self.copies:
            self._move(model, index)

    def _move(self, model: Model, index: int) -> None:
        moved = model.steps.get(index)
        if moved is None or index not in model.items:
            raise Refusal(f"instruction {index} is not a step of a stage, or was removed")
        node = moved.node
        if node.keyword not in ("COPY", "ADD") or node.flag("from") is not None:
            raise Refusal(f"instruction {index} copies nothing from the build context")
        words = [argument.value for argument in node.arguments] + [flag.value or "" for flag in node.flags]
        passed = [other for other in range(index + 1, self.before) if other not in self.copies]
        for other in passed:
            step = model.steps.get(other)
            if step is None or step.stage != moved.stage:
                raise Refusal("a copy does not leave its stage")
            keyword = step.node.keyword
            if keyword == "RUN":
                if other not in self.independent:
                    raise Refusal(f"instruction {other} may see what is copied")
            elif keyword not in _METADATA:
                raise Refusal(f"a copy does not pass {keyword}")
            elif keyword in ("ENV", "ARG") and any("$" in word for word in words):
                raise Refusal("a variable of the copy may change on the way")
            elif keyword == "WORKDIR" and not node.arguments[-1].value.startswith("/"):
                raise Refusal("the destination depends on the working directory")
        if not passed:
            raise Refusal("the copy does not move")
        model.moves[index] = self.before
