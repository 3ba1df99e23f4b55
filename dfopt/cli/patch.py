"""The file of `--patch`: the whole diff of a run, put in place at its end."""

from __future__ import annotations

from dfopt.source import encode
from dfopt.writing import Output

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType


class PatchFile:
    """Collects a patch beside its place, so that no half of one is ever found there. To be used in a `with` statement:
    an exception leaves what was there before. Raises WriteRefused and OSError."""

    def __init__(self, path: str) -> None:
        self.output = Output(path)

    def __enter__(self) -> PatchFile:
        self.file = self.output.__enter__()
        return self

    def add(self, text: str) -> None:
        self.file.write(encode(text))

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.output.__exit__(kind, value, trace)
