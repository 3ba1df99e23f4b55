"""The one interface of all engines: build, run, save, and leave nothing behind."""

from __future__ import annotations

import os
import shutil
import tempfile

from dfopt.engine import marks
from dfopt.engine.errors import EngineError
from dfopt.engine.process import Runner
from dfopt.files import read_regular
from dfopt.record import Record
from dfopt.writing import create_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType
    from typing import Any, ClassVar

    Progress = Callable[[str], None]

_QUICK = 120.0  # seconds for what an engine answers at once
SAVE_SECONDS = 1800.0


class Build(Record):
    """One build.

    context     the directory
    dockerfile  the content of the Dockerfile, which need not lie in the context
    path        where that Dockerfile lies ("" nowhere): its own ignore file is looked for beside it
    target      the stage to build; None: the last
    args        build arguments, `NAME=VALUE`, or `NAME` for the environment's
    secrets     as for `--secret`: `id=NAME,src=FILE` or `id=NAME,env=VARIABLE`
    contexts    as for `--build-context`: `NAME=VALUE`
    network     of RUN steps: "host", "none" ...; None: the engine's own default
    platform    `os/architecture`; None: the engine's own
    cache       whether steps that were built before may be taken from the engine's cache
    """

    context: str
    dockerfile: bytes
    path: str = ""
    target: str | None = None
    args: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    contexts: tuple[str, ...] = ()
    network: str | None = None
    platform: str | None = None
    cache: bool = True


class Image(Record):
    """An image that an engine has, or that it has made. `name`: what the engine knows it by. `archive`: the file that
    a builder elsewhere delivered it in, else "". `own`: it was built here, and `remove` removes it."""

    name: str
    archive: str = ""
    own: bool = False


class Ran(Record):
    """How a command in a container ended: exit status, and what it wrote (`log`: the end of standard error)."""

    code: int
    output: bytes
    log: str


class Container(Record):
    """A container that runs. `address`: where the host reaches its ports."""

    name: str
    address: str


class Engine:
    """An engine. Close it (it is a context manager): all that it made goes, whatever happened before.

    Methods may be called from several threads; `cancel` from any thread ends what they do.
    """

    name: ClassVar[str]
    label: str  # for messages: the name, and where the engine is

    def __init__(self) -> None:
        self.runner = Runner()
        self.mark = marks.owner()
        self.folder = tempfile.mkdtemp(prefix=f"{_prefix(self.name)}{self.mark}-", dir=_folders())
        self.images: dict[str, Image] = {}
        self.containers: set[str] = set()

    # -- what an engine does

    def check(self) -> None:
        """Raises NoEngineError where the engine does not answer."""
        raise NotImplementedError

    def build(self, build: Build, timeout: float, progress: Progress | None = None) -> Image:
        """Builds. Raises BuildError (the end of the log is in it), TimeLimitError, EngineError."""
        raise NotImplementedError

    def find(self, name: str) -> Image:
        """An image that the engine has under that name; nothing is pulled. Raises EngineError."""
        raise NotImplementedError

    def config(self, name: str) -> Mapping[str, Any] | None:
        """The OCI image config of a local image (its `config`, `os` and `architecture`); None where there is none."""
        raise NotImplementedError

    def save(self, image: Image) -> str:
        """A docker archive that holds the image; it goes with the engine, or sooner by the caller's hand."""
        raise NotImplementedError

    def run(self, image: Image, words: tuple[str, ...], network: str | None, timeout: float) -> Ran:
        """Runs `words` in place of the image's own entrypoint and command, in a container that is then removed."""
        raise NotImplementedError

    def start(self, image: Image, network: str | None) -> Container:
        """Starts the image as it is meant to be started. Raises EngineError where it does not."""
        raise NotImplementedError

    def log(self, container: Container) -> str:
        """The end of what a container wrote."""
        raise NotImplementedError

    def stop(self, container: Container) -> None:
        """Ends and removes a container."""
        raise NotImplementedError

    def remove(self, image: Image) -> None:
        """Removes an image that was built here; another one stays."""
        raise NotImplementedError

    def clean(self) -> None:
        """Removes every image, container and mount that carries this run's mark."""
        raise NotImplementedError

    def sweep(self) -> None:
        """Removes what runs of this machine left that have ended without cleaning up."""
        raise NotImplementedError

    # -- what they share

    def cancel(self) -> None:
        """Ends what runs. The engine can only be closed then."""
        self.runner.cancel()

    def close(self) -> None:
        self.runner.resume()
        try:
            self.clean()
        finally:
            remove_folder(self.folder)

    def __enter__(self) -> Engine:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.close()
        except EngineError:
            if error is None:
                raise

    def place(self, suffix: str) -> str:
        """A path in the engine's own folder that nothing has."""
        return os.path.join(self.folder, marks.new_name() + suffix)

    def ask(self, *words: str) -> bytes:
        """What a short command answers. Raises EngineError where it fails."""
        done = self.runner.run(words, _QUICK)
        if done.code != 0:
            raise EngineError(f"{' '.join(words[:3])} ended with status {done.code}", done.log)
        return done.output

    def tell(self, *words: str) -> bool:
        """Runs a short command that may well fail; whether it succeeded."""
        return self.runner.run(words, _QUICK).code == 0

    def dockerfile(self, build: Build) -> str:
        """The build's Dockerfile as a file, with the ignore file that belongs to it beside it; alone in a directory."""
        directory = self.place("")
        os.mkdir(directory)
        path = os.path.join(directory, "Dockerfile")
        create_file(path, build.dockerfile)
        if build.path and os.path.isfile(f"{build.path}.dockerignore"):
            create_file(f"{path}.dockerignore", read_regular(f"{build.path}.dockerignore"))
        return path

    def words(self, build: Build) -> list[str]:
        """The options of a build that all engines call the same."""
        found = [] if build.cache else ["--no-cache"]
        for flag, values in (
            ("--build-arg", build.args),
            ("--secret", build.secrets),
            ("--build-context", build.contexts),
            ("--target", (build.target,)),
            ("--network", (build.network,)),
            ("--platform", (build.platform,)),
        ):
            for value in values:
                if value is not None:
                    found += [flag, value]
        return found


def _prefix(name: str) -> str:
    return f"{marks.PREFIX}{name}-"


def _folders() -> str:
    """Where large temporary files belong: /tmp is often memory."""
    wanted = os.environ.get("TMPDIR", "/var/tmp")
    return wanted if os.path.isdir(wanted) and os.access(wanted, os.W_OK) else tempfile.gettempdir()


def abandoned_folders(name: str) -> list[str]:
    """The folders of engines of that name, this user's, whose process has ended."""
    prefix = _prefix(name)
    found: list[str] = []
    with os.scandir(_folders()) as entries:
        for entry in entries:
            if not entry.name.startswith(prefix) or not entry.is_dir(follow_symlinks=False):
                continue
            mark = entry.name[len(prefix) :].rpartition("-")[0]  # mkdtemp's random part holds no "-"
            if entry.stat(follow_symlinks=False).st_uid == os.getuid() and marks.abandoned(mark):
                found.append(entry.path)
    return found


def remove_folder(path: str) -> None:
    """Removes a folder with all that is in it, mounts first."""
    unmount_below(path)
    shutil.rmtree(path, ignore_errors=True)


def unmount_below(path: str) -> None:
    """Detaches what is mounted in a folder, the deepest first."""
    import subprocess

    try:
        with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
            points = [line.split(" ")[4].replace("\\040", " ") for line in file]
    except OSError:
        return
    for point in sorted((one for one in points if one.startswith(f"{path}/")), key=len, reverse=True):
        subprocess.run(["umount", "--lazy", point], capture_output=True, check=False)
