"""Chooses an engine: the selected one, else the first that responds."""

from __future__ import annotations

from dfopt.engine.docker import Docker
from dfopt.engine.errors import EngineError, NoEngineError
from dfopt.engine.storage import Buildah, Podman

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from dfopt.engine.base import Engine

NAMES = ("docker", "podman", "buildah")
_INSTALL = """no engine that builds images answers here. Install one of them:
    docker:  https://docs.docker.com/engine/install/, or apt-get install docker.io docker-cli docker-buildx
    podman:  apt-get install podman (dnf install podman, brew install podman)
    buildah: apt-get install buildah (dnf install buildah); it needs no daemon"""


def find_engine(name: str | None = None, builder: str | None = None) -> Engine:
    """A checked engine, with the leftovers of crashed runs removed; the caller closes it.

    `name`: one of NAMES, or None for the first that responds. `builder`: see docker.py. Raises NoEngineError.
    """
    if builder is not None and name not in (None, "docker"):
        raise NoEngineError(f"builders belong to docker: they cannot be used with {name}")
    makers: dict[str, Callable[[], Engine]] = {
        "docker": lambda: Docker(builder),
        "podman": Podman,
        "buildah": Buildah,
    }
    candidates = [name] if name is not None else ["docker"] if builder is not None else list(NAMES)
    failures: list[str] = []
    for candidate in candidates:
        engine = makers[candidate]()
        try:
            engine.check()
            engine.sweep()
        except BaseException as failure:
            engine.close()
            if not isinstance(failure, EngineError):
                raise
            failures.append(str(failure))
            continue
        return engine
    if len(candidates) == 1:
        raise NoEngineError(failures[0])
    raise NoEngineError("\n".join([_INSTALL, *[f"    ({failure})" for failure in failures]]))
