"""The lab that builds for a proof: an engine, and the user's settings for builds and smoke tests."""

from __future__ import annotations

import os
import shlex
import shutil
import time

from dfopt.engine import Build, BuildError, EngineError
from dfopt.engine.syntax_directive import frontend_of, without_frontend
from dfopt.files import read_regular
from dfopt.image import open_archive
from dfopt.image.artifacts import ImageFiles
from dfopt.proof.image_view import ImageReader, ImageView
from dfopt.record import Record, replace
from dfopt.writing import create_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, TypeVar

    from dfopt.engine import Engine, EngineImage
    from dfopt.engine.base import Container, Progress
    from dfopt.image import Archive

    T = TypeVar("T")

_OUTPUT_LINES = 12


class ProofSettings(Record):
    """The user's settings.

    context       the build context; None: the directory of each Dockerfile
    args, secrets, contexts, target, network, platform   of a build, as in engine.Build
    timeout       seconds for each build and for each smoke test
    smoke         a command for /bin/sh in the container (without a shell in the image, its words are run directly)
    smoke_script  a program on this machine, called with the address of a started container
    touch         a file in the context to change before measuring a rebuild; "" for no measurement
    repeat        build the original file twice to find what differs from build to build
    drop_syntax   build without the `# syntax=` line
    allow         differences that are allowed: patterns of paths, `config:KEY`
    """

    context: str | None = None
    args: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    contexts: tuple[str, ...] = ()
    target: str | None = None
    network: str | None = None
    platform: str | None = None
    timeout: float = 1800.0
    smoke: str = ""
    smoke_script: str = ""
    touch: str = ""
    repeat: bool = False
    drop_syntax: bool = False
    allow: tuple[str, ...] = ()


class ProofImage(Record):
    """An image, its view for the proof, and its build time in seconds."""

    image: EngineImage
    view: ImageView
    seconds: float


class Smoke(Record):
    """The result of a smoke test. `output`: the end of its output."""

    passed: bool
    output: str


class Lab:
    """An engine at work (None: only read images). Nothing it creates outlives the engine."""

    def __init__(
        self,
        engine: Engine | None,
        plan: ProofSettings,
        progress: Progress | None = None,
        reader: ImageReader | None = None,
    ) -> None:
        self._engine = engine
        self.plan = plan
        self.progress = progress
        self.reader = reader or ImageReader()

    @property
    def engine(self) -> Engine:
        """The engine. Raises EngineError if the lab has none."""
        if self._engine is None:
            raise EngineError("this needs an engine")
        return self._engine

    def limited(self, seconds: float) -> Lab:
        """The lab with so many seconds at most for a build or a smoke test."""
        plan = replace(self.plan, timeout=min(self.plan.timeout, seconds))
        return Lab(self._engine, plan, self.progress, self.reader)

    def say(self, text: str) -> None:
        if self.progress is not None:
            self.progress(f"dfopt: {text}")

    def build(self, dockerfile: bytes, path: str, *, cache: bool = False) -> ProofImage:
        """Builds an image and reads it. Raises BuildError, EngineError, ImageError."""
        return self._build_and_read(dockerfile, path, cache, self.reader.image)

    def build_with_files(self, dockerfile: bytes, path: str) -> tuple[ProofImage, ImageFiles]:
        """As `build`, with the kinds of the image's files: it is saved once."""
        files: list[ImageFiles] = []

        def read(archive: Archive) -> ImageView:
            view = self.reader.image(archive)
            files.append(ImageFiles(archive.image()))
            return view

        return self._build_and_read(dockerfile, path, False, read), files[0]

    def _build_and_read(
        self, dockerfile: bytes, path: str, cache: bool, read: Callable[[Archive], ImageView]
    ) -> ProofImage:
        image, seconds = self._build(dockerfile, path, self.context(path), cache)
        try:
            return ProofImage(image, self.read(image, read), seconds)
        except BaseException:
            self.engine.remove(image)
            raise

    def context(self, path: str) -> str:
        """The build context of the Dockerfile at `path`."""
        return self.plan.context if self.plan.context is not None else os.path.dirname(path) or "."

    def part(self, dockerfile: bytes, path: str) -> EngineImage:
        """Builds a leading part of a file, using the engine's cache. Raises EngineError."""
        return self._build(dockerfile, path, self.context(path), True, whole=False)[0]

    def files(self, image: EngineImage) -> ImageFiles:
        """The kinds of the image's files. Raises EngineError, ImageError."""
        return self.read(image, lambda archive: ImageFiles(archive.image()))

    def settings(self, image: EngineImage) -> Mapping[str, Any]:
        """The image's settings: User, Env, Entrypoint and so on. Raises EngineError, ImageError."""
        document = self.engine.config(image.name)
        if document is not None:
            return document.get("config") or {}
        return self.read(image, lambda archive: archive.image().settings())

    def layer_count(self, image: EngineImage) -> int:
        """The number of the image's layers. Raises EngineError, ImageError."""
        layers = ((self.engine.config(image.name) or {}).get("rootfs") or {}).get("diff_ids")
        if layers:
            return len(layers)
        return self.read(image, lambda archive: len(archive.image().layers))

    def read(self, image: EngineImage, read: Callable[[Archive], T]) -> T:
        """What `read` makes of the image's archive. Raises EngineError, ImageError."""
        place = self.engine.save(image)
        try:
            with open_archive(place) as archive:
                return read(archive)
        finally:
            if place != image.archive:
                os.unlink(place)

    def _build(
        self, dockerfile: bytes, path: str, context: str, cache: bool, *, whole: bool = True
    ) -> tuple[EngineImage, float]:
        plan = self.plan
        frontend = frontend_of(dockerfile)
        if frontend is not None and plan.drop_syntax:
            self.say(f"built without its line # syntax={frontend}")
            dockerfile = without_frontend(dockerfile)
        build = Build(
            context, dockerfile, path, plan.target if whole else None, plan.args, plan.secrets, plan.contexts,
            plan.network, plan.platform, cache,
        )  # fmt: skip
        began = time.monotonic()
        try:
            image = self.engine.build(build, plan.timeout, self.progress)
        except BuildError as failure:
            if (
                frontend is not None
                and not plan.drop_syntax
                and "\n > resolve image config for" in failure.log  # the step that the summary of the failure names
            ):
                hint = f"ERROR: the frontend {frontend} cannot be had (--drop-syntax builds without it)"
                raise BuildError(failure.message, f"{failure.log}\n{hint}") from None
            raise
        return image, time.monotonic() - began

    def smoke(self, built: ProofImage) -> Smoke | None:
        """Runs the user's smoke tests; None if there are none."""
        results: list[Smoke] = []
        if self.plan.smoke:
            results.append(self._inside(built))
        if self.plan.smoke_script and all(result.passed for result in results):
            results.append(self._outside(built))
        return results[-1] if results else None

    def _inside(self, built: ProofImage) -> Smoke:
        self.say(f"smoke test: {self.plan.smoke}")
        try:
            ran = self.engine.run(built.image, self.smoke_words(built), self.plan.network, self.plan.timeout)
        except EngineError as failure:
            return Smoke(False, str(failure))
        status = f"status {ran.code}"
        text = _end(ran.output.decode("utf-8", "backslashreplace") + ran.log)
        return Smoke(ran.code == 0, f"{status}: {text}" if text else status)

    def smoke_words(self, built: ProofImage) -> tuple[str, ...]:
        """What runs in a container for the smoke command."""
        if built.view.has("/bin/sh"):
            return "/bin/sh", "-c", self.plan.smoke
        return tuple(shlex.split(self.plan.smoke))

    def script_words(self, built: ProofImage, container: Container) -> list[str]:
        """What runs on this machine for the smoke script."""
        return [
            "env", f"DFOPT_ADDRESS={container.address}", f"DFOPT_CONTAINER={container.name}",
            f"DFOPT_IMAGE={built.image.name}", os.path.abspath(self.plan.smoke_script), container.address,
        ]  # fmt: skip

    def _outside(self, built: ProofImage) -> Smoke:
        self.say(f"smoke script: {self.plan.smoke_script}")
        try:
            container = self.engine.start(built.image, self.plan.network)
        except EngineError as failure:
            return Smoke(False, str(failure))
        try:
            words = self.script_words(built, container)
            done = self.engine.runner.run(words, self.plan.timeout, self.progress, merged=True)
            if done.code == 0:
                return Smoke(True, "status 0")
            log = _end(self.engine.log(container))
            text = "; ".join(part for part in (_end(done.log), f"the container wrote: {log}" if log else "") if part)
            return Smoke(False, f"status {done.code}: {text}" if text else f"status {done.code}")
        except EngineError as failure:
            return Smoke(False, str(failure))
        finally:
            self.engine.stop(container)

    def rebuild(self, dockerfile: bytes, path: str) -> float | None:
        """The seconds that a rebuild of the file takes after `touch` has changed, in a copy of the context. Raises
        EngineError if there is no such file, or if a link leads to it: a copy of that link may lead elsewhere."""
        if not self.plan.touch:
            return None
        context = self.context(path)
        root = os.path.realpath(context)
        source = os.path.normpath(os.path.join(root, self.plan.touch))
        if not os.path.isfile(source) or not source.startswith(os.path.join(root, "")):
            raise EngineError(f"--touch: no file {self.plan.touch} in the build context {context}")
        if os.path.realpath(source) != source:
            raise EngineError(f"--touch: {self.plan.touch} is a link, or reached by one")
        copy = self.engine.place(".context")
        try:
            shutil.copytree(context, copy, symlinks=True, copy_function=_link)
            changed = os.path.join(copy, os.path.relpath(source, root))
            os.unlink(changed)
            create_file(changed, read_regular(source) + b"\n")
            shutil.copymode(source, changed)
            image, seconds = self._build(dockerfile, path, copy, True)
            self.engine.remove(image)
            return seconds
        finally:
            shutil.rmtree(copy, ignore_errors=True)


def _link(source: str, target: str) -> None:
    """Creates a hard link if possible, else a copy: the copied context is only read."""
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        shutil.copy2(source, target, follow_symlinks=False)


def _end(text: str) -> str:
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    return " | ".join(lines[-_OUTPUT_LINES:])
