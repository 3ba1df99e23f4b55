"""What passes ask of the world outside the file: digests, the build context, base images, builds."""

from __future__ import annotations

from dfopt.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, NoReturn, TypeVar

    from dfopt.refusal import Refusal

    T = TypeVar("T")


# Where a shell looks for a program: the search path that images have as a rule
SEARCH_PATH = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")


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


class SharedLibrary(Record):
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

    def needs_below(self, path: str) -> Mapping[str, SharedLibrary]:
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


class UnansweredError(Exception):
    """A PartialImage was asked what it does not know. `withdraw()` takes that image away: `built` answers None from
    then on, and what was asked is to be asked again, from the beginning."""

    def __init__(self, withdraw: Callable[[], None]) -> None:
        super().__init__()
        self.withdraw = withdraw


class PartialImage(BuiltImage):
    """An image that was asked about before, and knows what was answered then. What a subclass does not answer raises
    UnansweredError, by which `withdraw` is called."""

    __slots__ = ("withdraw",)

    def __init__(self, withdraw: Callable[[], None]) -> None:
        self.withdraw = withdraw

    def _unanswered(self) -> NoReturn:
        raise UnansweredError(self.withdraw)

    def artifact(self, path: str) -> Artifact:
        self._unanswered()

    def needs_below(self, path: str) -> Mapping[str, SharedLibrary]:
        self._unanswered()

    def script(self, path: str) -> str | None:
        self._unanswered()

    def programs_below(self, path: str) -> Mapping[str, Artifact]:
        self._unanswered()

    def set_id(self, path: str = "/") -> Mapping[str, int]:
        self._unanswered()

    def release(self) -> tuple[str, str]:
        self._unanswered()


def until_answered(ask: Callable[[], T]) -> T:
    """What `ask()` returns, after each image that could not answer it was withdrawn."""
    while True:
        try:
            return ask()
        except UnansweredError as question:
            question.withdraw()


class PartialConfig(dict):  # type: ignore[type-arg]
    """Some of the run settings of an image, whole: a key that is not there may be set all the same."""


class Child(Record):
    """A Dockerfile that may be built on the image of another one: its name to show, its text, and the names (last
    parts, lower case) by which its FROM may mean that image."""

    name: str
    text: str
    images: frozenset[str]


class Parent(Record):
    """The Dockerfile of the tree that builds an image: its name to show, and its text."""

    name: str
    text: str


class StatedBuild(Record):
    """One build of the file that a build definition states (Compose, bake, CI, a script ...). What it does not say
    literally is None.

    place      where: "compose.yaml:4"
    name       of the service, target or job; of a command line, the command
    target     the stage that is built, by name or number; "" for the last one
    arguments  build arguments that the build gives, with their values; None for one from the environment, too
    user       that containers run as; "" where the definition leaves it to the image
    ports      of containers: ("8080/tcp", None)
    mounts     the absolute paths in containers where something is mounted
    """

    place: str
    name: str
    target: str | None = ""
    arguments: Mapping[str, str | None] = {}
    user: str | None = ""
    ports: tuple[str | None, ...] = ()
    mounts: tuple[str | None, ...] = ()

    def builds(self, index: int, name: str, last: bool) -> bool | None:
        """Whether it builds a stage, by its index and name (lower case; "" without one): as the last one, or by
        --target. None where it is not known which stage it builds."""
        if self.target is None:
            return None
        return last if not self.target else self.target.lower() in (name, str(index))


# Where a builder lays out directories for an empty image, in which nothing can be changed
LAYOUT = "/rootfs"


class RunEvidence(Record):
    """What the run of a stage's image needs beyond an image to run it on, as a build and its smoke test showed it.

    family       of the package manager: "apt", "apk" or ""
    packages     to be installed on the image for the run
    files        paths that are copied
    trees        (path, "UID:GID" that all of it has, or ""): directories that are copied as a whole
    links        (path, target): symbolic links that are made again
    directories  (path, mode, "UID:GID"): directories whose mode or owner a COPY would not keep
    libraries    whether shared libraries are among the copies
    bytes        of the image for the run with all of this
    saved        bytes that the stage's image has more
    removed      files of packages that steps took away
    reasons      of paths among `files` and `trees` that no step wrote: why they are copied
    """

    family: str
    packages: tuple[str, ...]
    files: tuple[str, ...]
    trees: tuple[tuple[str, str], ...]
    links: tuple[tuple[str, str], ...]
    directories: tuple[tuple[str, int, str], ...]
    libraries: bool
    bytes: int
    saved: int
    removed: tuple[str, ...] = ()
    reasons: Mapping[str, str] = {}


class ObservedRun(Record):
    """What the program of an image did, as the user of its image, while a smoke script ran beside it.

    written  absolute paths that came or changed; "-PATH" of what went; "DIR/*" for many of a directory
    listens  "tcp/8080" of each socket that listened; None where nobody could look
    """

    written: tuple[str, ...]
    listens: tuple[str, ...] | None


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

    def context_leaves_out(self, path: str) -> bool | None:
        """Whether a file or directory of that path is where the build context is, and .dockerignore leaves it out."""
        return None

    def context_file(self, path: str) -> bytes | None:
        """The content of a file of the build context."""
        return None

    def children(self) -> tuple[Child, ...] | None:
        """The other Dockerfiles of the tree that may be built on the image of this one, as far as names tell."""
        return None

    def parent(self, image: str) -> Parent | None:
        """The one Dockerfile of the tree that builds a base image, as far as names tell; None where there is none, or
        where several may."""
        return None

    def stated_builds(self) -> tuple[StatedBuild, ...] | None:
        """The builds of this file that build definitions of its tree state; None where they state none."""
        return None

    def image_config(self, image: str) -> Mapping[str, Any] | None:
        """The run settings of a base image (User, Env, Entrypoint and so on), as its OCI config has them."""
        return None

    def base_image(self, image: str) -> BuiltImage | None:
        """A base image, as far as its registry was asked; it costs nothing, and answers some questions alone."""
        return None

    def image_bytes(self, image: str) -> int | None:
        """The bytes of all layers of an image, unpacked, as they were measured."""
        return None

    def built(self, stage: int, base: str) -> BuiltImage | None:
        """The image of a stage, from a build of the file as it is. `stage` counts the stages, `base` is its FROM word:
        where the file as it is has another one there, nothing is known. An answer may cost a build: ask where without
        one there is a refusal."""
        return None

    def built_config(self, image: str) -> Mapping[str, Any] | None:
        """As `image_config`, of an image that a stage of the file as it is starts from; it may cost a build, too. A
        PartialConfig tells of User and Entrypoint alone."""
        return None

    def run_evidence(self, stage: int, base: str, image: str) -> RunEvidence | Refusal | None:
        """What the run of a stage needs beyond `image`; a Refusal where builds could not tell; None where none was
        made, or no smoke test judges what comes of it. It may cost builds. `stage` and `base` as in `built`."""
        return None

    def lacking(self, stage: int, base: str, image: str) -> Mapping[str, str] | Refusal:
        """What builds and smoke tests of a stage on another base, `image`, failed for want of: the package of the old
        base that has it -> the thing that a failure named; a Refusal where the base was given up. `stage` and `base` as
        in `built`."""
        return {}

    def observed_run(self, stage: int, base: str) -> ObservedRun | None:
        """What the program of a stage's image did while a smoke script ran; None where none did. `stage` and `base` as
        in `built`."""
        return None

    def has_judge(self) -> bool:
        """Whether what passes make of the file is built and smoke-tested before it counts."""
        return False

    def unbuilt(self) -> str:
        """Why there was no build that `built` or `built_config` could answer from; "" where none was tried."""
        return ""


NO_FACTS = Facts()
