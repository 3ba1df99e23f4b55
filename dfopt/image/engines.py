"""Images of the engines on this machine, saved to a pipe and read as they come: no copy is made, no file written.

docker and podman are asked by their command lines, which know contexts, sockets and rootless storage (DOCKER_HOST,
DOCKER_CONTEXT, CONTAINER_HOST and the rest hold as the user set them). buildah has the storage of podman and no `save`:
its `push` writes a docker archive. Sources: docker-image-save(1), podman-save(1), buildah-push(1),
containers-transports(5).
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile

from dfopt.guard import Guarded, run_guarded
from dfopt.image.archive import open_archive
from dfopt.image.archive_stream import read_passing
from dfopt.image.errors import ImageError
from dfopt.image.model import field, parse_json
from dfopt.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, BinaryIO, TypeVar

    from dfopt.image.archive import Archive
    from dfopt.image.errors import ReadLimits
    from dfopt.image.layers import ImageContents, Visit
    from dfopt.image.model import Platform

    T = TypeVar("T")

_QUESTION_SECONDS = 30.0
_AT_A_TIME = 200  # images that an engine is asked for at once
_SAFE_NAME = re.compile(r"[A-Za-z0-9][\w./:@+-]*")


class EngineCommand(Record):
    """How one engine is spoken to. exists: asks for an image, status 0 when it is there; save: writes its archive to
    standard output. The image's name comes last."""

    program: str
    exists: tuple[str, ...]
    save: tuple[str, ...]


ENGINES = {
    "docker": EngineCommand("docker", ("image", "inspect", "--format={{.Id}}"), ("image", "save")),
    "podman": EngineCommand("podman", ("image", "inspect", "--format={{.Id}}"), ("save", "--format=docker-archive")),
    "buildah": EngineCommand("buildah", ("inspect", "--type=image", "--format={{.FromImageID}}"), ("push", "--quiet")),
}


class LocalImage(Record):
    """An image of a local engine. id: the hex of its id; layers: diff ids; settings: as in its config."""

    id: str
    names: tuple[str, ...]
    layers: tuple[str, ...]
    settings: dict[str, Any]


def local_images() -> list[LocalImage]:
    """The named images of the first engine that lists some, by name. Raises ImageError for an answer that is none."""
    for program in ("docker", "podman"):
        if shutil.which(program) is None:
            continue
        listed = _output([program, "image", "ls", "--quiet", "--no-trunc", "--filter", "dangling=false"])
        ids = sorted({word for word in listed.decode("utf-8", "replace").split() if _SAFE_NAME.fullmatch(word)})
        documents: list[Any] = []
        for start in range(0, len(ids), _AT_A_TIME):
            answer = _output([program, "image", "inspect", *ids[start : start + _AT_A_TIME]])
            more = parse_json(answer or b"[]", program)
            documents += more if isinstance(more, list) else []
        if documents:
            return sorted((_local_image(document) for document in documents), key=lambda image: image.names)
    return []


def _local_image(document: Any) -> LocalImage:
    if not isinstance(document, dict):
        raise ImageError("the engine describes an image by something that is no object")
    where = "the engine's description of an image"
    rootfs = field(document, "RootFS", dict, where)
    return LocalImage(
        field(document, "Id", str, where).rpartition(":")[2],
        tuple(sorted(str(name) for name in field(document, "RepoTags", list, where))),
        tuple(str(layer) for layer in field(rootfs, "Layers", list, where)),
        field(document, "Config", dict, where),
    )


def _output(words: list[str]) -> bytes:
    """What a program that answers at once writes; nothing where it fails."""
    try:
        done = run_guarded(words, _QUESTION_SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return b""
    return done.stdout if done.returncode == 0 else b""


def engine_with(name: str, engines: tuple[str, ...] = tuple(ENGINES)) -> str:
    """The first engine that has the image, by the name that ENGINES gives it.

    ImageError, which tells what each engine said, where none has it.
    """
    if not _SAFE_NAME.fullmatch(name):
        raise ImageError(f"{name!r} is neither a file nor an image's name")
    troubles = []
    for key in engines:
        command = ENGINES[key]
        if shutil.which(command.program) is None:
            if len(engines) == 1:
                raise ImageError(f"{command.program} is not installed")
            continue
        trouble = _ask(command, name)
        if not trouble:
            return key
        troubles.append(f"{key}: {trouble}")
    if not troubles:
        raise ImageError(
            f"{name}: no such file, and no engine to ask for an image of that name (docker, podman or buildah); "
            f"docker://{name} reads it from its registry"
        )
    raise ImageError(f"{name}: no such file, and no image of that name ({'; '.join(troubles)}); docker://{name} "
                     "reads it from its registry")  # fmt: skip


def _ask(command: EngineCommand, name: str) -> str:
    """ "" when the engine has the image, else the last line of what it said."""
    try:
        done = run_guarded([command.program, *command.exists, name], _QUESTION_SECONDS)
    except subprocess.TimeoutExpired:
        return f"no answer within {_QUESTION_SECONDS:g} s"
    except OSError as error:
        return f"cannot be run: {error.strerror}"
    return "" if done.returncode == 0 else _last_line(done.stderr) or f"status {done.returncode}"


def read_from_engine(
    engine: str,
    name: str,
    platform: str | Platform | None = None,
    limits: ReadLimits | None = None,
    *,
    hashes: bool = True,
    visit: Visit | None = None,
) -> ImageContents:
    """The image `name` (a tag, an id or a digest) of an engine, read once from what the engine saves to a pipe.

    ImageError for what the engine says when it fails. The program is ended when reading ends early.
    """
    # One image was saved: it is the one, whatever name the archive gives it (none, when asked for by id).
    return _saved(
        engine,
        name,
        lambda file, label: read_passing(file, label, None, platform, limits, hashes=hashes, visit=visit),
    )


def archive_from_engine(engine: str, name: str, limits: ReadLimits | None = None) -> Archive:
    """What the engine saves of an image, in a temporary file without a name, to be read more than once. Raises
    ImageError as `read_from_engine`."""
    return _saved(engine, name, lambda file, label: open_archive(file, limits, label))


def _saved(engine: str, name: str, read: Callable[[BinaryIO, str], T]) -> T:
    """What `read` makes of the archive that the engine writes to a pipe; it is given the pipe and a label."""
    command = ENGINES[engine]
    words = [command.program, *command.save, name]
    if engine == "buildah":
        words.append("docker-archive:/dev/stdout")
    with tempfile.TemporaryFile() as log:  # a pipe for it would have to be emptied at the same time
        try:
            process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log)
        except OSError as error:
            raise ImageError(f"{command.program} cannot be run: {error.strerror}") from None
        guarded = Guarded(process, leads=False)
        assert process.stdout is not None
        label = f"{engine}:{name}"
        trouble: ImageError | None = None
        finished = False
        try:
            result = read(process.stdout, label)  # type: ignore[arg-type]
            finished = True
        except ImageError as error:
            trouble = error
        finally:
            _end(process, _QUESTION_SECONDS if finished else 1.0 if trouble is not None else 0.0)
            guarded.forget()
            process.stdout.close()
        log.seek(0)
        if process.returncode > 0 and (complaint := _last_line(log.read(1 << 20))):
            raise ImageError(f"{label}: {command.program} failed: {complaint}")
        if trouble is not None:
            raise trouble
        if process.returncode != 0:
            raise ImageError(f"{label}: {command.program} ended with status {process.returncode}")
    return result


def _end(process: subprocess.Popen[bytes], seconds: float) -> None:
    """Waits so long for a program that may have written all, then ends it."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        pass
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def _last_line(log: bytes) -> str:
    """What an engine says in the end is why it failed; before that it may have warned."""
    lines = [line.strip() for line in log.decode("utf-8", "replace").splitlines() if line.strip()]
    return lines[-1][:300] if lines else ""
