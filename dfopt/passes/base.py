"""What a pass is, what it finds, and what it asks the outside for.

A pass is one class in a file of its own beside this one; defining it registers it. Its docstring is its
published documentation: `dfopt explain` prints it, and a test runs the example in it. Its sections: what it does;
`Why:`; `Example:` (a fenced Dockerfile before, one after); `Refuses:`; `Declares:`.
"""

from __future__ import annotations

from dfopt.facts import Facts
from dfopt.findings import NOTHING, Declares, Finding
from dfopt.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any, ClassVar

    from dfopt.ir.program import Program

# A pass belongs to one of these; they run in this order, each to its own fix-point, so that no pass works on text that
# a pass of an earlier phase will move or drop.
PHASES = (
    "repair",  # what is wrong or dead
    "restructure",  # what the stages are
    "layers",  # which steps share a layer, and in which order
    "caches",  # what package managers leave: cleaned up, or kept in mounts
    "runtime",  # how the final stage runs: exec form, user, rights
    "names",  # pins, checksums, spelling
)
GROUPS = ("size", "cache", "security", "reproducible", "correct", "modernize", "advice")


class Option(Record):
    """A setting of a pass, given in the configuration as `[tool.dfopt.passes.NAME] option = value`.

    `kind` is "choice", "bool", "int", "string" or "strings"; `choices` only for "choice".
    """

    name: str
    kind: str
    default: object
    help: str
    choices: tuple[str, ...] = ()


# Settings of the whole configuration (its top-level keys), which every pass sees as `self.shared`
SHARED = (
    Option(
        "package-cache",
        "choice",
        "clean",
        "what becomes of package managers' caches: emptied in their layer, or kept out of it by cache mounts",
        ("clean", "mount"),
    ),
    Option(
        "engine",
        "choice",
        "any",
        "what builds the files: buildkit also permits what a file does not show that its engine reads",
        ("any", "buildkit"),
    ),
)


_registry: dict[str, type[Pass]] = {}


class Pass:
    """Base of all passes. A subclass sets the class variables and writes `find`.

    name      "merge-run"; unique
    group     one of GROUPS
    tiers     those that its fixes may have; () where it only reports: it does not run where none of them is applied and
              nobody asks what else there is
    codes     codes of other tools that this pass answers ("DL3009", "CIS-DI-0005"); all select and suppress it too
    default   whether it runs without being selected
    triggers  lower-case words, one of which the file must hold for the pass to have work (checked on the raw text,
              before any analysis); empty: always
    options   its settings
    phase     one of PHASES
    order     passes of a phase run by (order, name): when two fixes meet, the one of the lower order goes first
    declares  what its fixes may change in the image, where a fix says nothing else
    by_name   only its own name or a code of its selects it: what it does to a file nobody expects of "size" or "all"
    level     of a pass with `by_name`: the lowest level (`Options.level`) that runs it all the same
    strategy  (setting, value) of SHARED that the pass carries out: it runs where the setting has this value, or where
              it is selected by its own name
    """

    name: ClassVar[str]
    group: ClassVar[str]
    tiers: ClassVar[tuple[str, ...]] = ("safe", "unsafe")
    codes: ClassVar[tuple[str, ...]] = ()
    default: ClassVar[bool] = True
    triggers: ClassVar[tuple[str, ...]] = ()
    options: ClassVar[tuple[Option, ...]] = ()
    phase: ClassVar[str]
    order: ClassVar[int] = 50
    declares: ClassVar[Declares] = NOTHING
    strategy: ClassVar[tuple[str, str] | None] = None
    by_name: ClassVar[bool] = False
    level: ClassVar[int] = 2

    def __init_subclass__(cls) -> None:
        if cls.name in _registry and _registry[cls.name].__module__ != cls.__module__:
            raise TypeError(f"two passes are named {cls.name}")
        _registry[cls.name] = cls

    def __init__(
        self, settings: Mapping[str, object] | None = None, shared: Mapping[str, object] | None = None
    ) -> None:
        given, common = settings or {}, shared or {}
        self.settings: dict[str, Any] = {option.name: given.get(option.name, option.default) for option in self.options}
        self.shared: dict[str, Any] = {option.name: common.get(option.name, option.default) for option in SHARED}

    def find(self, program: Program, facts: Facts) -> Iterator[Finding]:
        """The findings in one program, in the order of the file."""
        raise NotImplementedError


def registered() -> dict[str, type[Pass]]:
    """Every pass, by name, in running order."""
    from dfopt.passes import load

    load()
    return dict(sorted(_registry.items(), key=lambda item: (PHASES.index(item[1].phase), item[1].order, item[0])))


STAGES = Option("stages", "choice", "shipped", "only in stages that reach an image, or in all", ("shipped", "all"))
