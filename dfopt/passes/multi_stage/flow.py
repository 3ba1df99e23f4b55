"""A stage read to its end: what its steps leave behind, and which build tools they call."""

from __future__ import annotations

from dfopt.passes.multi_stage.written_paths import WrittenPath, WrittenPaths
from dfopt.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.ir.stages import Step
    from dfopt.passes.multi_stage.attributes import Attribute
    from dfopt.passes.multi_stage.owners import OwnerCommand


class InstalledPackage(Record):
    """A package that a step installs. `family`: "apt" or "apk"; `lean`: without what it only recommends."""

    name: str
    family: str
    step: Step
    lean: bool


class ToolCall(Record):
    """A build tool, or a program of which nothing is known, as it is called: base name, its words with the variables
    that the file sets (None: not fixed), the directory, the variables set in front of it, the home directory of who
    runs it (None: not known), the word that names it, and whether root is known to run it."""

    program: str
    words: tuple[str | None, ...]
    directory: str
    assignments: dict[str, str]
    step: Step
    where: str
    home: str | None = "/root"
    path: str = ""
    root: bool = True

    @property
    def line(self) -> int:
        return self.step.node.line

    def after(self, *options: str) -> list[str | None]:
        """The values of options: `-o x`, `--out=x`."""
        values: list[str | None] = []
        for index, word in enumerate(self.words):
            if word in options:
                values.append(self.words[index + 1] if index + 1 < len(self.words) else None)
            elif word is not None and word.startswith(tuple(f"{option}=" for option in options)):
                values.append(word.partition("=")[2])
        return values

    def operands(self, *taking: str) -> list[str | None]:
        """The words that are neither options nor values of the options `taking`."""
        values: list[str | None] = []
        skip = False
        for word in self.words:
            if skip:
                skip = False
            elif word is not None and word.startswith("-") and word != "-":
                skip = word in taking
            else:
                values.append(word)
        return values


class Flow:
    """The stage read to its end. `accounts`: the steps that make accounts; `alone`: those that do nothing else."""

    __slots__ = (
        "accounts",
        "alone",
        "arguments",
        "attributes",
        "buried",
        "calls",
        "changed",
        "deleted",
        "fetched",
        "gone",
        "groups",
        "heads",
        "home",
        "homes",
        "makers",
        "masks",
        "owned",
        "packages",
        "paths",
        "removed",
        "roots",
        "swept",
    )

    def __init__(self) -> None:
        self.paths = WrittenPaths()
        self.gone: list[
            WrittenPath
        ] = []  # files of the build context that later commands delete: tools may have read them
        self.deleted: list[tuple[str, int]] = []  # what commands delete or move away, and how many calls came before
        self.heads: list[str] = []  # directories that ENV puts before the search path
        self.packages: list[InstalledPackage] = []
        self.buried: list[
            InstalledPackage
        ] = []  # removed again by a later step: their bytes are in the image all the same
        self.swept: set[int] = set()  # steps (indices) that end by removing all that they installed for themselves
        self.removed: set[str] = set()
        self.groups: dict[str, list[str]] = {}  # of apk's --virtual
        self.calls: list[ToolCall] = []
        self.accounts: list[Step] = []
        self.alone: list[Step] = []
        self.makers: dict[int, str | None] = {}  # index of a step -> whose what it makes is, where that is known
        self.masks: dict[int, int] = {}  # index of a step -> the umask that it sets
        self.owned: list[OwnerCommand] = []
        self.attributes: list[Attribute] = []  # modes and owners that commands set, in their order
        self.roots: set[str] = set()  # directories that COPY fills with one of the build context
        self.fetched: list[tuple[str, int]] = []  # what is downloaded or unpacked, with the line
        self.changed: list[tuple[str, int]] = []  # files whose mode or content a command changes in place
        self.homes: dict[str, str] = {}  # of the accounts that steps make
        self.arguments: dict[str, str] = {}  # build arguments that commands read, with their defaults
        self.home = "/"  # the working directory of the base image

    def sources(self) -> list[WrittenPath]:
        """All that the steps copied from the build context or made, what is deleted again too."""
        return [*self.paths, *self.gone]

    def delete(self, path: str) -> None:
        """What lies at or below `path` is gone."""
        for number, entry in self.paths.below(path):
            self.paths.remove(number)
            if entry.kind in ("context", "tree"):
                self.gone.append(entry)
        self.deleted.append((path, len(self.calls)))
