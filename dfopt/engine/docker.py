"""BuildKit through `docker buildx`: the one in the docker engine, or a remote builder.

Source: buildx 0.13, docs/reference/buildx_build.md and buildx_create.md; Docker's command line reference. A builder
with the driver `docker` puts its images into its engine's store. Every other one (`docker-container`, `kubernetes`,
`remote`) delivers an image as a docker archive; such an image is loaded into the local engine only to run it.
"""

from __future__ import annotations

import os
import re
import shutil
from functools import partial

from dfopt.engine import marks
from dfopt.engine.base import SAVE_SECONDS, Build, Container, Engine, EngineImage, Ran, abandoned_folders, remove_folder
from dfopt.engine.errors import BuildError, EngineError, NoEngineError
from dfopt.engine.process import Done, described
from dfopt.lazy import regex

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from dfopt.engine.base import Created, Progress

_ADDRESSES = ("tcp://", "unix://", "docker-container://", "kube-pod://", "podman-container://")
# runc's word when a container's first process died before it was told what to run, which a loaded machine sees at
# times. Nothing of the Dockerfile has run then, so that another attempt hides no failure of it.
# What buildx says, at the start of a line, when the daemon is not there any more: no fault of the Dockerfile. (What a
# RUN prints comes behind "#5 0.1 ".)
_GONE = regex(
    r"^ERROR: (?:Cannot connect to the Docker daemon|error during connect"
    r"|failed to receive status: rpc error: code = Unavailable)",
    re.MULTILINE,
)
_NEVER_STARTED = "waiting for init preliminary setup"
_ATTEMPTS = 3
_REMOVAL = {"container": ("rm", "--force", "--volumes"), "image": ("rm", "--force")}  # in this order


class Docker(Engine):
    """`builder`: the name of a buildx builder, or the address of a BuildKit daemon (`tcp://host:port`,
    `unix:///path` ...); None: the one that buildx selects."""

    name = "docker"

    def __init__(self, builder: str | None = None) -> None:
        super().__init__()
        self.label = f"docker, builder {builder}" if builder else "docker"
        self.builder = builder
        self.address = ""
        if builder is not None and builder.startswith(_ADDRESSES):
            self.builder, self.address = marks.new_name(), builder
            # in a separate configuration, so that the user's list of builders does not change
            buildx_config = os.path.join(self.folder, "buildx")
            os.mkdir(buildx_config)
            self.runner.environment["BUILDX_CONFIG"] = buildx_config
        self.runner.environment["BUILDX_NO_DEFAULT_ATTESTATIONS"] = "1"
        self.runner.environment["DOCKER_CLI_HINTS"] = "false"
        self._docker: tuple[str, ...] = ("docker",)
        self.local = True  # builds end up in an engine's store
        self.engine = True  # an engine responds that can run containers

    def check(self) -> None:
        if shutil.which("docker") is None:
            raise NoEngineError("docker is not installed")
        if not self.tell("docker", "buildx", "version"):
            raise NoEngineError(
                "docker has no buildx: install docker-buildx (docker-buildx-plugin in Docker's packages)"
            )
        if self.address:
            done = self._quick(
                "docker", "buildx", "create", "--driver", "remote", "--name", self.builder or "", self.address
            )
            if done.code != 0:
                raise NoEngineError(f"no builder at {self.address}", done.log)
        inspect = ["docker", "buildx", "inspect", *(["--bootstrap"] if self.builder else [])]
        done = self._quick(*inspect, *([self.builder] if self.builder else []))
        text = done.output.decode("utf-8", "replace")
        fields = dict(line.split(":", 1) for line in text.split("\n") if ":" in line and not line.startswith(" "))
        driver = fields.get("Driver", "").strip()
        wrong = next((line for line in text.split("\n") if line.startswith("Error:")), "")
        if done.code != 0 or not driver or wrong:
            raise NoEngineError(f"{self._called()} does not respond", f"{done.log}\n{wrong}")
        self.local = driver == "docker"
        if self.local and self.builder not in (None, "default"):
            self._docker = ("docker", "--context", self.builder or "")
        self.engine = self.tell(*self._docker, "version", "--format", "{{.Server.Version}}")
        if self.local and not self.engine:
            done = self._quick(*self._docker, "version")
            raise NoEngineError("docker is installed, but its engine does not respond", done.log)

    def _called(self) -> str:
        return f"builder {self.address or self.builder}" if self.builder else "docker buildx"

    def _quick(self, *words: str) -> Done:
        return self.runner.run(words, 120)

    # -- images

    def build(self, build: Build, timeout: float, progress: Progress | None = None) -> EngineImage:
        tag = f"{marks.new_name()}:latest"
        file = self.dockerfile(build)
        words = [
            "docker",
            "buildx",
            "build",
            "--progress=plain",
            "--file",
            file,
            "--label",
            f"{marks.LABEL}={self.mark}",
            # Separate cache mounts: with --no-cache BuildKit empties those that the RUNs have (solver/llbsolver,
            # detectPrunedCacheID), which are the user's.
            "--build-arg",
            "BUILDKIT_CACHE_MOUNT_NS=dfopt",
        ]
        if self.builder:
            words += ["--builder", self.builder]
        archive = ""
        if self.local:
            words += ["--load", "--tag", tag]
        else:
            archive = self.place(".tar")
            words += ["--output", f"type=docker,dest={archive},name={tag}"]
        words += self.words(build)
        if build.network == "host" and not self.local:
            words += ["--allow", "network.host"]
        image = self.images[tag] = EngineImage(tag, archive, True)
        try:
            done = self._patiently([*words, build.directory], timeout, progress)
        finally:
            shutil.rmtree(os.path.dirname(file), ignore_errors=True)
        if done.code != 0:
            if _GONE.search(done.log) is not None:
                raise EngineError(f"{self.label} stopped during a build", done.log)
            raise BuildError(f"the build failed ({self.label})", done.log)
        return image

    def _patiently(self, words: list[str], timeout: float, progress: Progress | None) -> Done:
        for _ in range(_ATTEMPTS):
            done = self.runner.run(words, timeout, progress)
            if done.code == 0 or _NEVER_STARTED not in done.log:
                break
        return done

    def find(self, name: str) -> EngineImage:
        if self.config(name) is None:
            raise EngineError(f"{self.label} has no image {name} (nothing is pulled)")
        return EngineImage(name)

    def config(self, name: str) -> Mapping[str, Any] | None:
        if not self.engine:
            return None
        done = self.runner.run([*self._docker, "image", "inspect", "--format", "{{json .}}", "--", name], 120)
        return as_oci(described(done, self.label, name)) if done.code == 0 else None

    def image_bytes(self, name: str) -> int | None:
        if not self.engine:
            return None
        # of an image, docker's containerd store tells the packed size; of the layers of its history, it does not
        words = [*self._docker, "image", "history", "--human=false", "--format", "{{.Size}}", "--", name]
        done = self.runner.run(words, 120)
        sizes = done.output.decode("utf-8", "replace").split()
        return sum(map(int, sizes)) if done.code == 0 and sizes and all(map(str.isdecimal, sizes)) else None

    def save(self, image: EngineImage) -> str:
        if image.archive:
            return image.archive
        path = self.place(".tar")
        done = self.runner.run([*self._docker, "save", "--output", path, image.name], SAVE_SECONDS)
        if done.code != 0:
            raise EngineError(f"docker save {image.name} failed", done.log)
        return path

    def remove(self, image: EngineImage) -> None:
        if self.images.pop(image.name, None) is None:
            return
        if image.archive and os.path.exists(image.archive):
            os.unlink(image.archive)
        if self.engine:
            self.tell(*self._docker, "image", "rm", "--force", image.name)

    # -- containers

    def run(self, image: EngineImage, words: tuple[str, ...], network: str | None, timeout: float) -> Ran:
        name = self._container(image)
        call = [*self._docker, "run", "--rm", *self._options(name, network), "--entrypoint", words[0], image.name]
        stop = partial(self._discard, name)
        try:
            done = self.runner.run([*call, *words[1:]], timeout, stop=stop)
            if done.code == 125 and _NEVER_STARTED in done.log:
                done = self.runner.run([*call, *words[1:]], timeout, stop=stop)
            if done.code != 125:  # docker's own status for a container that could not be created
                self.containers.discard(name)  # it ended, and --rm removed it
        finally:
            self._discard(name)
        if done.code == 125:
            raise EngineError("docker run failed", done.log)
        return Ran(done.code, done.output, done.log)

    def start(
        self, image: EngineImage, network: str | None, words: tuple[str, ...] = (), created: Created | None = None
    ) -> Container:
        name = self._container(image)
        entrypoint = ["--entrypoint", words[0]] if words else []
        options = [*self._options(name, network), *entrypoint, image.name, *words[1:]]
        try:
            done = self._begin(partial(self._quick, *self._docker), name, options, created)
        except BaseException:
            self._discard(name)
            raise
        if done.code != 0:
            self._discard(name)
            raise EngineError("the container does not start", done.log)
        address = "127.0.0.1"
        if network != "host":
            form = "{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}"
            addresses = self.ask(*self._docker, "container", "inspect", "--format", form, name).decode().split()
            address = addresses[0] if addresses else ""
        return Container(name, address)

    def container_call(self, *words: str) -> list[str] | None:
        return [*self._docker, "container", *words]

    def log(self, container: Container) -> str:
        done = self._quick(*self._docker, "logs", "--tail", "30", container.name)
        return done.output.decode("utf-8", "backslashreplace") + done.log

    def stop(self, container: Container) -> None:
        self._discard(container.name)

    def _container(self, image: EngineImage) -> str:
        if not self.engine:
            raise EngineError("no docker engine responds that could run the image")
        if image.archive:
            done = self.runner.run([*self._docker, "load", "--input", image.archive], SAVE_SECONDS)
            if done.code != 0:
                raise EngineError("docker load of the built image failed", done.log)
        name = marks.new_name()
        self.containers.add(name)
        return name

    def _options(self, name: str, network: str | None) -> list[str]:
        words = ["--pull", "never", "--name", name, "--label", f"{marks.LABEL}={self.mark}"]
        return words + (["--network", network] if network is not None else [])

    def _discard(self, name: str) -> None:
        """Removes a container that may not exist (yet), with what runs in it; once it is removed, nothing."""
        if name in self.containers:
            done = self.runner.run([*self._docker, "rm", "--force", "--volumes", name], 120, always=True)
            if name in done.output.decode("utf-8", "replace"):  # else docker says that it has none of that name
                self.containers.discard(name)

    # -- cleanup

    def clean(self) -> None:
        if self.engine and shutil.which("docker") is not None:
            for kind in _REMOVAL:
                self._remove(kind, self._labelled(kind, f"{marks.LABEL}={self.mark}"))
        self.images.clear()
        if self.address:
            self.tell("docker", "buildx", "rm", self.builder or "")

    def sweep(self) -> None:
        if self.engine:
            for kind in _REMOVAL:
                self._remove(kind, [name for name, mark in self._marked(kind) if marks.abandoned(mark)])
        for path in abandoned_folders(self.name):
            remove_folder(path)

    def _remove(self, kind: str, names: list[str]) -> None:
        if names:
            self.tell(*self._docker, kind, *_REMOVAL[kind], *names)

    def _marked(self, kind: str) -> list[tuple[str, str]]:
        """(id, mark) of every marked image or container."""
        names = self._labelled(kind, marks.LABEL)
        if not names:
            return []
        form = f'{{{{.Id}}}} {{{{index .Config.Labels "{marks.LABEL}"}}}}'
        done = self._quick(
            *self._docker, kind, "inspect", "--format", form, *names
        )  # one that has just disappeared is left out
        rows = [line.split(" ", 1) for line in done.output.decode("utf-8", "replace").split("\n") if " " in line]
        return [(row[0], row[1].strip()) for row in rows]

    def _labelled(self, kind: str, label: str) -> list[str]:
        """The ids of the images or containers with a label (`NAME` or `NAME=VALUE`)."""
        words = (kind, "ls", "--all", "--quiet", "--no-trunc", "--filter", f"label={label}")
        return sorted(set(self._quick(*self._docker, *words).output.decode().split()))


def as_oci(inspected: Mapping[str, Any]) -> dict[str, Any]:
    """An OCI image config from the output of `docker image inspect`."""
    settings = {key: value for key, value in (inspected.get("Config") or {}).items() if value}
    return {
        "architecture": inspected.get("Architecture"), "os": inspected.get("Os"), "config": settings,
        "rootfs": {"diff_ids": (inspected.get("RootFS") or {}).get("Layers") or []},
    }  # fmt: skip
