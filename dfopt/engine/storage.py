"""buildah and podman: engines without a daemon, over containers/storage.

They work in a separate storage in the engine's folder, which reads the user's images as an additional store
(containers-storage.conf(5)). So whatever a killed build leaves behind, such as working containers and mounted layers,
goes with that folder, and nothing is ever written to the user's storage.

Sources: buildah-build(1), buildah-run(1) of buildah 1.39; podman(1), podman-run(1) of podman 5.4. The isolation of RUN
steps is the engine's default or `BUILDAH_ISOLATION`. Images use the docker format: the OCI format has no HEALTHCHECK
and no SHELL.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import signal
import subprocess
from contextlib import suppress
from functools import partial

from dfopt.engine import marks
from dfopt.engine.base import (
    QUICK,
    SAVE_SECONDS,
    Build,
    Container,
    Engine,
    EngineImage,
    Ran,
    abandoned_folders,
    remove_folder,
    unmount_below,
)
from dfopt.engine.errors import BuildError, EngineError, NoEngineError
from dfopt.engine.process import described
from dfopt.files import open_named
from dfopt.units import parse_size
from dfopt.writing import create_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, ClassVar

    from dfopt.engine.base import Created, Progress

_DEFAULT_LIMIT = 1 << 20  # the limit that these engines set for a step by default


class Storage(Engine):
    """What buildah and podman share."""

    def __init__(self) -> None:
        super().__init__()
        self.label = self.name
        work = os.path.join(self.folder, "work")
        os.mkdir(work)
        self.runner.environment["TMPDIR"] = work  # the bundles of RUN steps among others
        self._globals: tuple[str, ...] = ()
        self._processes: dict[str, tuple[subprocess.Popen[bytes], str]] = {}

    def check(self) -> None:
        if shutil.which(self.name) is None:
            raise NoEngineError(f"{self.name} is not installed")
        done = self.runner.run([self.name, "info", "--format", self.store_form], 120)
        root, _, driver = done.output.decode("utf-8", "surrogateescape").strip().partition("\n")
        if done.code != 0 or not driver:
            raise NoEngineError(f"{self.name} does not work here", done.log)
        self._globals = self.globals(self.folder, driver)
        if os.path.isdir(root):
            self._globals += ("--storage-opt", f"additionalimagestore={root}")

    store_form: ClassVar[str]
    inspect: ClassVar[tuple[str, ...]]
    sizes: ClassVar[tuple[str, ...]]
    force: ClassVar[tuple[str, ...]] = ()

    def globals(self, folder: str, driver: str) -> tuple[str, ...]:
        """The global options that confine a command to `folder`."""
        return (
            "--root", os.path.join(folder, "root"), "--runroot", os.path.join(folder, "run"), "--storage-driver", driver
        )  # fmt: skip

    def _call(self, *words: str) -> list[str]:
        return [self.name, *self._globals, *words]

    # -- images

    def build(self, build: Build, timeout: float, progress: Progress | None = None) -> EngineImage:
        tag = f"localhost/{marks.new_name()}:latest"
        file = self.dockerfile(build)
        words = self._call("build", "--format", "docker", "--layers", "--pull=never", "--file", file, "--tag", tag)
        if os.path.exists(f"{file}.dockerignore"):
            words += ["--ignorefile", f"{file}.dockerignore"]
        words += [*_limits(), *self.words(build), build.directory]
        image = self.images[tag] = EngineImage(tag, own=True)
        try:
            done = self.runner.run(words, timeout, progress, merged=True)
        finally:
            shutil.rmtree(os.path.dirname(file), ignore_errors=True)
        if done.code != 0:
            raise BuildError(f"the build failed ({self.label})", done.log)
        return image

    def find(self, name: str) -> EngineImage:
        if self.config(name) is None:
            raise EngineError(f"{self.label} has no image {name} (nothing is pulled)")
        return EngineImage(name)

    def remove(self, image: EngineImage) -> None:
        if self.images.pop(image.name, None) is not None:
            self.tell(*self._call("rmi", "--force", image.name))

    def stop(self, container: Container) -> None:
        if container.name not in self.containers:
            return
        process = self._processes.pop(container.name, None)
        if process is not None:
            self.runner.stop(process[0])
        if self.tell(*self._call("rm", *self.force, container.name), always=True):
            self.containers.discard(container.name)

    def config(self, name: str) -> Mapping[str, Any] | None:
        done = self.runner.run(self._call(*self.inspect, name), 120)
        if done.code != 0:
            return None
        document = described(done, self.label, name)
        document = document.get("Docker", document)
        settings = {
            key: value for key, value in (document.get("Config", document.get("config")) or {}).items() if value
        }
        return {
            "architecture": document.get("Architecture", document.get("architecture")),
            "os": document.get("Os", document.get("os")),
            "config": settings,
            "rootfs": {"diff_ids": _diff_ids(document)},
        }

    def image_bytes(self, name: str) -> int | None:
        done = self.runner.run(self._call(*self.sizes, "--format", "{{.Size}}", name), 120)
        words = done.output.decode("utf-8", "replace").strip()
        try:
            return parse_size(words) if done.code == 0 else None
        except ValueError:  # several images, or none
            return None

    # -- cleanup

    def clean(self) -> None:
        for container in list(self.containers):
            self.stop(Container(container, ""))
        self._wipe(self.folder, self._globals)
        self.images.clear()

    def sweep(self) -> None:
        for folder in abandoned_folders(self.name):
            self._wipe(folder, self.globals(folder, "overlay"))
            remove_folder(folder)

    def _wipe(self, folder: str, options: tuple[str, ...]) -> None:
        """Stops all containers of a storage and deletes it."""
        root = os.path.join(folder, "root")
        if not options or not os.path.isdir(root):
            return
        self.tell(self.name, *options, "rm", "--all", *self.force)
        self._end_steps(folder)
        unmount_below(folder)
        if os.geteuid() != 0:  # files of subordinate users can be deleted only in their user namespace
            self.tell(self.name, "unshare", "rm", "-rf", root)
        shutil.rmtree(root, ignore_errors=True)

    def _end_steps(self, folder: str) -> None:
        """Stops the RUN steps of killed builds: the runtime's containers outlive the process
        that started them."""
        for runtime in ("crun", "runc"):
            if shutil.which(runtime) is None:
                continue
            done = self.runner.run([runtime, "list", "--format", "json"], 60)
            containers = json.loads(done.output or b"null") if done.code == 0 else None
            for container in containers or ():
                if str(container.get("bundle", "")).startswith(f"{folder}/"):
                    self.tell(runtime, "delete", "--force", str(container.get("id")))
        for pid in _rooted_in(folder):
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)


def _rooted_in(folder: str) -> list[int]:
    """The processes whose root directory is a layer in `folder`."""
    pids: list[int] = []
    for entry in os.listdir("/proc") if os.path.isdir("/proc/self") else ():
        try:
            with open(f"/proc/{int(entry)}/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
                roots = [line for line in file if line.split(" ")[4] == "/"]
        except (ValueError, OSError):
            continue
        if any(f"={folder}/" in line or f":{folder}/" in line for line in roots):
            pids.append(int(entry))
    return pids


class Buildah(Storage):
    """Builds and runs with buildah alone."""

    name = "buildah"
    store_form = "{{.store.GraphRoot}}\n{{.store.GraphDriverName}}"
    inspect = ("inspect", "--type", "image")
    sizes = ("images", "--noheading")

    def save(self, image: EngineImage) -> str:
        path = self.place(".tar")
        name = image.name if image.own else f"{marks.new_name()}:latest"
        done = self.runner.run(self._call("push", "--quiet", image.name, f"docker-archive:{path}:{name}"), SAVE_SECONDS)
        if done.code != 0:
            raise EngineError(f"buildah push {image.name} failed", done.log)
        return path

    def run(self, image: EngineImage, words: tuple[str, ...], network: str | None, timeout: float) -> Ran:
        name = self._from(image, network)
        try:
            done = self.runner.run(self._call("run", name, "--", *words), timeout)
        finally:
            self.stop(Container(name, ""))
        if done.code == 125:
            raise EngineError("buildah run failed", done.log)
        return Ran(done.code, done.output, done.log)

    def start(
        self, image: EngineImage, network: str | None, words: tuple[str, ...] = (), created: Created | None = None
    ) -> Container:
        if network != "host":
            raise EngineError("buildah reports no address of a container: use --network host for a smoke script")
        settings = (self.config(image.name) or {}).get("config") or {}
        words = words or (*(settings.get("Entrypoint") or ()), *(settings.get("Cmd") or ()))
        if not words:
            raise EngineError("the image has no ENTRYPOINT or CMD to start")
        name = self._from(image, network)
        log = self.place(".log")
        self._processes[name] = self.runner.start(self._call("run", name, "--", *words), log), log
        return Container(name, "127.0.0.1")

    def log(self, container: Container) -> str:
        with open_named(self._processes[container.name][1]) as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - 4096))
            return file.read(4096).decode("utf-8", "backslashreplace")

    def _from(self, image: EngineImage, network: str | None) -> str:
        name = marks.new_name()
        self.containers.add(name)
        options = ["--network", network] if network is not None else []
        done = self.runner.run(
            self._call("from", "--pull=never", *_limits(), *options, "--name", name, image.name), 120
        )
        if done.code != 0:
            raise EngineError("buildah from failed", done.log)
        return name


class Podman(Storage):
    """Builds and runs with podman."""

    name = "podman"
    store_form = "{{.Store.GraphRoot}}\n{{.Store.GraphDriverName}}"
    inspect = ("image", "inspect", "--format", "{{json .}}")
    sizes = ("image", "inspect")
    force = ("--force", "--time", "0", "--volumes")

    def __init__(self) -> None:
        super().__init__()
        if "CONTAINERS_CONF_OVERRIDE" not in self.runner.environment:
            # podman's locks are in memory shared by all its storages, unless they are files
            path = os.path.join(self.folder, "containers.conf")
            create_file(path, b'[engine]\nlock_type = "file"\n')
            self.runner.environment["CONTAINERS_CONF_OVERRIDE"] = path

    def globals(self, folder: str, driver: str) -> tuple[str, ...]:
        return (*super().globals(folder, driver), "--tmpdir", os.path.join(folder, "tmp"), "--events-backend", "none")

    def save(self, image: EngineImage) -> str:
        path = self.place(".tar")
        words = self._call("save", "--quiet", "--format", "docker-archive", "--output", path, image.name)
        done = self.runner.run(words, SAVE_SECONDS)
        if done.code != 0:
            raise EngineError(f"podman save {image.name} failed", done.log)
        return path

    def run(self, image: EngineImage, words: tuple[str, ...], network: str | None, timeout: float) -> Ran:
        name, options = self._named(network)
        entrypoint = json.dumps([words[0]])
        try:
            call = self._call("run", "--rm", *options, "--entrypoint", entrypoint, image.name, *words[1:])
            done = self.runner.run(call, timeout, stop=partial(self.stop, Container(name, "")))
        finally:
            self.stop(Container(name, ""))
        if done.code == 125:
            raise EngineError("podman run failed", done.log)
        return Ran(done.code, done.output, done.log)

    def container_call(self, *words: str) -> list[str] | None:
        return self._call("container", *words)

    def start(
        self, image: EngineImage, network: str | None, words: tuple[str, ...] = (), created: Created | None = None
    ) -> Container:
        name, options = self._named(network)
        entrypoint = ["--entrypoint", json.dumps([words[0]])] if words else []
        options += [*entrypoint, image.name, *words[1:]]
        try:
            done = self._begin(lambda *words: self.runner.run(self._call(*words), QUICK), name, options, created)
        except BaseException:
            self.stop(Container(name, ""))
            raise
        if done.code != 0:
            self.stop(Container(name, ""))
            raise EngineError("the container does not start", done.log)
        address = "127.0.0.1"
        if network != "host":
            form = "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}"
            addresses = self.ask(*self._call("container", "inspect", "--format", form, name)).decode().split()
            address = addresses[0] if addresses else ""
        return Container(name, address)

    def log(self, container: Container) -> str:
        done = self.runner.run(self._call("logs", "--tail", "30", container.name), 120)
        return done.output.decode("utf-8", "backslashreplace") + done.log

    def _named(self, network: str | None) -> tuple[str, list[str]]:
        name = marks.new_name()
        self.containers.add(name)
        options = ["--pull=never", "--name", name, *_limits()]
        return name, options + (["--network", network] if network is not None else [])


def _diff_ids(document: Mapping[str, Any]) -> list[str]:
    """The layers of an image: podman tells them as docker does, buildah as the image's config does."""
    files = document.get("RootFS") or document.get("rootfs") or {}
    return list(files.get("Layers") or files.get("diff_ids") or ())


def _limits() -> list[str]:
    """Options that keep the engine from raising limits above those of this process, which fails where they cannot be
    raised (in a container, without root)."""
    flags: list[str] = []
    for name, number in (("nofile", resource.RLIMIT_NOFILE), ("nproc", resource.RLIMIT_NPROC)):
        hard = resource.getrlimit(number)[1]
        if hard != resource.RLIM_INFINITY and hard < _DEFAULT_LIMIT:
            flags += ["--ulimit", f"{name}={hard}:{hard}"]
    return flags
