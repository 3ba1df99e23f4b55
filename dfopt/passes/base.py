"""What a pass is, what it finds, and what it asks the outside for.

A pass is one class in a file of its own beside this one; defining it registers it. Its docstring is its
published documentation: `dfopt explain` prints it, and a test runs the example in it. Its sections: what it does;
`Why:`; `Example:` (a fenced Dockerfile before, one after); `Refuses:`; `Declares:`.
"""

from __future__ import annotations

from dfopt.edit import Edit
from dfopt.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any, ClassVar

    from dfopt.ir.program import Program
    from dfopt.ir.rewrite import Rewrite

TIERS = ("safe", "unsafe", "suggestion")
GROUPS = ("size", "cache", "security", "reproducible", "correct", "style")


class Declares(Record):
    """What a fix may change in the image that is built, for a program to read; layers' boundaries always may. What is
    not declared here and differs between the image before and the one after is a fault of the fix (`fix --verify`).

    paths     may come, go and change in any way: absolute patterns, `*` and `?` within one name, `**` for any number
              of names, `~` in front for any home directory
    caches    families of knowledge/package_managers.toml, whose indexes and caches are such paths
    modes     patterns of paths whose mode may change; `setid`: which may only lose setuid and setgid bits
    owners    patterns of paths whose owner may change
    settings  keys of the image's config that may change ("User", "Labels.maintainer"), `*` as in names of files
    files     "fewer": any path may go; "any": any may come, go and change, so that a smoke test alone can tell
    """

    paths: tuple[str, ...] = ()
    caches: tuple[str, ...] = ()
    modes: tuple[str, ...] = ()
    setid: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    files: str = ""


NOTHING = Declares()


class Fix(Record):
    """Text edits (spans of the file as the pass saw it) and, made independently, what they do to the program.

    `declares`: what this very fix does to the image, where that is less, or more, than its pass's `declares`.
    """

    edits: tuple[Edit, ...]
    rewrites: tuple[Rewrite, ...]
    tier: str
    declares: Declares | None = None


class Finding(Record):
    """Something that a pass saw at `start:end`.

    With `fix`: the message says what the fix does and why, in one line. Without: a suggestion, or, where `reason` is
    set, a refusal: the pass would have acted, but a fact stands against it or is not known.
    """

    name: str
    message: str
    start: int
    end: int
    fix: Fix | None = None
    reason: str = ""

    @property
    def tier(self) -> str:
        return self.fix.tier if self.fix is not None else "suggestion"


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


class Artifact(Record):
    """What an image has at a path, behind all links on the way.

    kind         "elf", "script" (its first line names an interpreter), "file", "directory", "other"; "" for nothing
    static       of an ELF: it is loaded as it stands, without a dynamic linker
    needs        of an ELF: the libraries that it names (DT_NEEDED)
    interpreter  of an ELF: its dynamic linker, "" without one; of a script: what stands behind #!
    package      the package that owns the file, by the databases of dpkg and apk; None: none does
    path         where it lies when links are followed
    mode         its permission bits (07777)
    """

    kind: str
    static: bool = False
    needs: tuple[str, ...] = ()
    interpreter: str = ""
    package: str | None = None
    path: str = ""
    mode: int = 0


class Library(Record):
    """A shared library that a program needs: the file that the dynamic linker takes ("" where there is none), and the
    package that owns it (None: none does)."""

    path: str
    package: str | None = None


class BuiltImage:
    """The image of a stage, as a build of the file made it."""

    __slots__ = ()

    def artifact(self, path: str) -> Artifact:
        """What it has at an absolute path."""
        raise NotImplementedError

    def needs_below(self, path: str) -> Mapping[str, Library]:
        """The libraries, by name, that ELF files at or below an absolute path need from elsewhere."""
        raise NotImplementedError

    def script(self, path: str) -> str | None:
        """The text of the script at an absolute path; None where there is none, or too large a one."""
        raise NotImplementedError

    def programs_below(self, path: str) -> Mapping[str, Artifact]:
        """The ELF files and scripts at or below an absolute path, links left out: path -> what it is."""
        raise NotImplementedError

    def set_id(self, path: str = "/") -> Mapping[str, int]:
        """The files at or below an absolute path that have a setuid or setgid bit: path -> bytes."""
        raise NotImplementedError

    def release(self) -> tuple[str, str]:
        """ID and VERSION_CODENAME (else VERSION_ID) of its os-release(5): ("debian", "trixie"); ("", "") without."""
        raise NotImplementedError


class Child(Record):
    """A Dockerfile that may be built on the image of another one: its name to show, its text, and the names (last
    parts, lower case) by which its FROM may mean that image."""

    name: str
    text: str
    images: frozenset[str]


class Facts:
    """What a pass cannot know from the file: the caller fills it, and every answer may be None (unknown).

    This class knows nothing; callers derive from it.
    """

    __slots__ = ()

    def knows(self, question: str) -> bool:
        """Whether anybody is there to answer a question ("digest", "context_paths" ...): False where every answer would
        be None whatever the outside holds."""
        return getattr(type(self), question) is not getattr(Facts, question)

    def digest(self, image: str) -> str | None:
        """The index digest ("sha256:...") that an image reference stands for."""
        return None

    def checksum(self, url: str) -> str | None:
        """The checksum ("sha256:...") of the file that a URL serves."""
        return None

    def context_paths(self) -> frozenset[str] | None:
        """The paths (relative, "/"-separated) in the build context, after .dockerignore."""
        return None

    def context_holds(self, path: str) -> bool | None:
        """Whether a file or directory of that path is in the build context."""
        return None

    def context_file(self, path: str) -> bytes | None:
        """The content of a file of the build context."""
        return None

    def children(self) -> tuple[Child, ...] | None:
        """The other Dockerfiles of the tree that may be built on the image of this one, as far as names tell."""
        return None

    def image_config(self, image: str) -> Mapping[str, Any] | None:
        """The run settings of a base image (User, Env, Entrypoint and so on), as its OCI config has them."""
        return None

    def built(self, stage: int, base: str) -> BuiltImage | None:
        """The image of a stage, from a build of the file as it is. `stage` counts the stages, `base` is its FROM word:
        where the file as it is has another one there, nothing is known. An answer may cost a build: ask where without
        one there is a refusal."""
        return None

    def built_config(self, image: str) -> Mapping[str, Any] | None:
        """As `image_config`, of an image that a stage of the file as it is starts from; it may cost a build, too."""
        return None

    def unbuilt(self) -> str:
        """Why there was no build that `built` or `built_config` could answer from; "" where none was tried."""
        return ""


NO_FACTS = Facts()

_registry: dict[str, type[Pass]] = {}


class Pass:
    """Base of all passes. A subclass sets the class variables and writes `find`.

    name      "merge-run"; unique
    group     one of GROUPS
    codes     codes of other tools that this pass answers ("DL3009", "CIS-DI-0005"); all select and suppress it too
    default   whether it runs without being selected
    triggers  lower-case words, one of which the file must hold for the pass to have work (checked on the raw text,
              before any analysis); empty: always
    options   its settings
    order     passes run by (order, name): when two fixes meet, the one of the lower order goes first
    declares  what its fixes may change in the image, where a fix says nothing else
    by_name   only its own name or a code of its selects it: what it does to a file nobody expects of "size" or "all"
    strategy  (setting, value) of SHARED that the pass carries out: it runs where the setting has this value, or where
              it is selected by its own name
    """

    name: ClassVar[str]
    group: ClassVar[str]
    codes: ClassVar[tuple[str, ...]] = ()
    default: ClassVar[bool] = True
    triggers: ClassVar[tuple[str, ...]] = ()
    options: ClassVar[tuple[Option, ...]] = ()
    order: ClassVar[int] = 50
    declares: ClassVar[Declares] = NOTHING
    strategy: ClassVar[tuple[str, str] | None] = None
    by_name: ClassVar[bool] = False

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
    return dict(sorted(_registry.items(), key=lambda item: (item[1].order, item[0])))
