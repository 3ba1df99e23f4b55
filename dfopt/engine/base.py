"""The interface of all engines: build, run, save, and leave nothing behind."""

from __future__ import annotations

import os
import shutil
import tempfile

from dfopt.engine import marks
from dfopt.engine.errors import EngineError
from dfopt.engine.process import Runner
from dfopt.files import is_inside, read_regular
from dfopt.record import Record
from dfopt.workspace.paths import bound_of, display_name
from dfopt.writing import create_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from types import TracebackType
    from typing import Any, ClassVar

    from dfopt.engine.process import Done

    Progress = Callable[[str], None]
    Created = Callable[[str], None]

QUICK = 120.0  # seconds for commands that an engine answers immediately
SAVE_SECONDS = 1800.0


class Build(Record):
    """One build.

    context     the directory
    dockerfile  the content of the Dockerfile, which need not be in the context
    path        the path of that Dockerfile ("" if none): its ignore file is looked up next to it
    target      the stage to build; None: the last
    args        build arguments, `NAME=VALUE`, or `NAME` to take the value from the environment
    secrets     as for `--secret`: `id=NAME,src=FILE` or `id=NAME,env=VARIABLE`
    contexts    as for `--build-context`: `NAME=VALUE`
    network     of RUN steps: "host", "none" ...; None: the engine's default
    platform    `os/architecture`; None: the engine's
    cache       whether the engine may take steps from its cache
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

    @property
    def directory(self) -> str:
        """The context as an engine is told it: never an option, nor the address of a remote repository, which engines
        take `github.com/name` for."""
        return os.path.abspath(self.context)


class EngineImage(Record):
    """An image that an engine has or has built. `name`: the engine's name for it. `archive`: the file in which a remote
    builder delivered it, else "". `own`: it was built here, so `remove` removes it."""

    name: str
    archive: str = ""
    own: bool = False


class Ran(Record):
    """The result of a command in a container: exit status and output (`log`: the end of standard error)."""

    code: int
    output: bytes
    log: str


class Container(Record):
    """A running container. `address`: where the host can reach its ports."""

    name: str
    address: str


class Engine:
    """An engine. Closing it (it is a context manager) removes all that it created, whatever happened before.

    Methods may be called from several threads; `cancel` from any thread stops them.
    """

    name: ClassVar[str]
    label: str  # for messages: name and address

    def __init__(self) -> None:
        self.runner = Runner()
        self.mark = marks.owner()
        self.folder = tempfile.mkdtemp(prefix=f"{_prefix(self.name)}{self.mark}-", dir=_folders())
        self.images: dict[str, EngineImage] = {}
        self.containers: set[str] = set()

    # -- what an engine implements

    def check(self) -> None:
        """Raises NoEngineError if the engine does not respond."""
        raise NotImplementedError

    def build(self, build: Build, timeout: float, progress: Progress | None = None) -> EngineImage:
        """Builds. Raises BuildError (with the end of the log), TimeLimitError, EngineError."""
        raise NotImplementedError

    def find(self, name: str) -> EngineImage:
        """The image with that name in the engine; nothing is pulled. Raises EngineError."""
        raise NotImplementedError

    def config(self, name: str) -> Mapping[str, Any] | None:
        """The OCI image config of a local image (`config`, `os`, `architecture` and `rootfs`); None if there is no such
        image."""
        raise NotImplementedError

    def image_bytes(self, name: str) -> int | None:
        """The bytes of the layers of a local image, unpacked, as the engine tells them (buildah: to three digits); None
        if there is no such image."""
        raise NotImplementedError

    def save(self, image: EngineImage) -> str:
        """A docker archive of the image; the caller may delete it, else closing the engine does."""
        raise NotImplementedError

    def run(self, image: EngineImage, words: tuple[str, ...], network: str | None, timeout: float) -> Ran:
        """Runs `words` instead of the image's entrypoint and command, in a container that is removed afterwards."""
        raise NotImplementedError

    def start(
        self, image: EngineImage, network: str | None, words: tuple[str, ...] = (), created: Created | None = None
    ) -> Container:
        """Starts a container with the image's entrypoint and command, or with `words` in their place. `created` is
        called with its name before it starts, but not by an engine without `container_call`. Raises EngineError if it
        does not start."""
        raise NotImplementedError

    def _begin(self, call: Callable[..., Done], name: str, options: list[str], created: Created | None) -> Done:
        """Starts a container in the background, as `start` says; `call`: runs a command of the engine's program."""
        if created is None:
            return call("run", "--detach", *options)
        done = call("create", *options)
        if done.code != 0:
            return done
        created(name)
        return call("start", name)

    def container_call(self, *words: str) -> list[str] | None:
        """The command line for what docker and podman do with containers (`inspect`, `diff`, `wait`, `stop`); None for
        an engine that does none of it."""
        return None

    def log(self, container: Container) -> str:
        """The end of a container's output."""
        raise NotImplementedError

    def stop(self, container: Container) -> None:
        """Stops and removes a container."""
        raise NotImplementedError

    def remove(self, image: EngineImage) -> None:
        """Removes an image that was built here; any other is kept."""
        raise NotImplementedError

    def clean(self) -> None:
        """Removes every image, container and mount marked by this run."""
        raise NotImplementedError

    def sweep(self) -> None:
        """Removes what earlier runs on this machine left behind."""
        raise NotImplementedError

    # -- shared

    def cancel(self) -> None:
        """Stops everything. After that, the engine can only be closed."""
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
        """An unused path in the engine's folder."""
        return os.path.join(self.folder, marks.new_name() + suffix)

    def ask(self, *words: str) -> bytes:
        """The output of a short command. Raises EngineError if it fails."""
        done = self.runner.run(words, QUICK)
        if done.code != 0:
            raise EngineError(f"{' '.join(words[:3])} ended with status {done.code}", done.log)
        return done.output

    def tell(self, *words: str, always: bool = False) -> bool:
        """Runs a short command that may fail; returns whether it succeeded. `always`: also after `cancel`."""
        return self.runner.run(words, QUICK, always=always).code == 0

    def dockerfile(self, build: Build) -> str:
        """Writes the build's Dockerfile, with its ignore file next to it, into a new directory. Raises EngineError if
        the ignore file is a link out of the repository."""
        directory = self.place("")
        os.mkdir(directory)
        path = os.path.join(directory, "Dockerfile")
        create_file(path, build.dockerfile)
        ignore = f"{build.path}.dockerignore"
        if build.path and os.path.isfile(ignore):
            if os.path.islink(ignore) and not is_inside(ignore, bound_of(ignore)):
                raise EngineError(f"{display_name(ignore)} leads out of the repository")
            create_file(f"{path}.dockerignore", read_regular(ignore))
        return path

    def words(self, build: Build) -> list[str]:
        """The build options whose names all engines share."""
        words = [] if build.cache else ["--no-cache"]
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
                    words += [flag, value]
        return words


def _prefix(name: str) -> str:
    return f"{marks.PREFIX}{name}-"


def _folders() -> str:
    """The directory for large temporary files: /tmp is often in memory."""
    folder = os.environ.get("TMPDIR", "/var/tmp")
    return folder if os.path.isdir(folder) and os.access(folder, os.W_OK) else tempfile.gettempdir()


def abandoned_folders(name: str) -> list[str]:
    """This user's folders of engines of that name whose process has ended."""
    prefix = _prefix(name)
    folders: list[str] = []
    with os.scandir(_folders()) as entries:
        for entry in entries:
            if not entry.name.startswith(prefix) or not entry.is_dir(follow_symlinks=False):
                continue
            mark = entry.name[len(prefix) :].rpartition("-")[0]  # mkdtemp's random part holds no "-"
            if entry.stat(follow_symlinks=False).st_uid == os.getuid() and marks.abandoned(mark):
                folders.append(entry.path)
    return folders


def remove_folder(path: str) -> None:
    """Removes a folder and its contents, mounts first."""
    unmount_below(path)
    shutil.rmtree(path, ignore_errors=True)


def unmount_below(path: str) -> None:
    """Detaches the mounts in a folder, deepest first."""
    import subprocess

    try:
        with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
            points = [line.split(" ")[4].replace("\\040", " ") for line in file]
    except OSError:
        return
    for mount in sorted((point for point in points if point.startswith(f"{path}/")), key=len, reverse=True):
        subprocess.run(["umount", "--lazy", mount], capture_output=True, check=False)
