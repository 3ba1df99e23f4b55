"""What a kind of declared rewrite that lives in a file of its own must offer."""

from __future__ import annotations

from dfopt.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.ir.program import Program
    from dfopt.rewrites.core import Applier


class RewriteError(Exception):
    """A declared rewrite does not fit the program, or would not keep its meaning."""


class OwnRewrite(Record):
    """Base of the kinds of rewrites that `rewrite.py` does not list: each says itself what it touches and what it makes
    of the model, and checks on the original program, independently of any pass, that the meaning is kept."""

    def claimed(self) -> tuple[set[int], bool]:
        """As `rewrite.claims`."""
        raise NotImplementedError

    def changed(self) -> set[int]:
        """The instructions of the original whose bytes may change; the gate compares all others byte for byte."""
        return self.claimed()[0]

    def apply(self, model: Applier) -> None:
        """Changes the model. Called behind all rewrites of other kinds, merges excepted. Raises RewriteError."""
        raise NotImplementedError

    def check(self, program: Program, edited: Program) -> str:
        """What speaks against the edited program although it is the declared one; "" where nothing does."""
        return ""
