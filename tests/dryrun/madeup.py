"""Build contexts that are not at hand, and other things that a file names and nobody has: made up by their names."""

from __future__ import annotations

import io
import os
import re
import tarfile
from collections.abc import Collection
from pathlib import Path

from .graph import Graph, Operation

_ARCHIVE = re.compile(r"\.(tar|tgz|tbz2?|txz|tar\.\w+)$")
_FILE_NAMES = re.compile(
    r"[A-Z]|^\.|^(entrypoint|docker-entrypoint|run|start|launch|install|configure|gradlew|mvnw|crontab|passwd|hosts|init)$"
)


def is_local(op: Operation) -> bool:
    return op.kind == "source" and str(op.data["identifier"]).startswith("local://")


def local_sources(graph: Graph) -> list[tuple[str, str]]:
    """(source, destination) of what a file takes from its build context."""
    local = {op.digest for op in graph.operations if is_local(op)}
    found: list[tuple[str, str]] = []
    for op in graph.operations:
        if op.kind == "file":
            for action in op.data["actions"]:
                data, second = action["Action"].get("copy"), action.get("secondaryInput", -1)
                if data and 0 <= second < len(op.inputs) and op.inputs[second][0] in local:
                    found.append((data["src"], data["dest"]))
        elif op.kind == "exec":
            for mount in op.data["mounts"]:
                source = mount.get("input", -1)
                if mount["dest"] != "/" and 0 <= source < len(op.inputs) and op.inputs[source][0] in local:
                    found.append((mount.get("selector") or "/", mount["dest"]))
    return found


def is_directory(
    source: str, destination: str, texts: str, flipped: Collection[str] = (), plain: Collection[str] = ()
) -> bool:
    """Whether a made-up source of COPY is rather a directory."""
    name = source.rstrip("/").rpartition("/")[2]
    into = destination.rstrip("/").rpartition("/")[2]
    if source.endswith("/") or name in ("", ".", "..") or name in flipped or into in flipped:
        return True
    if name in plain:
        return False
    if re.search(rf"(?:^|[\s/='\"]){re.escape(name)}/\w", texts):
        return True
    if "." in name.lstrip(".") and not name.endswith(".d"):
        return False
    if _FILE_NAMES.search(name):
        return False
    if "bin/" in f"{destination}/" and not destination.endswith("bin"):
        return False
    return (
        into == name
        or destination.endswith("/.")
        or re.search(
            r"^(src|app|lib|bin|conf|config|public|scripts?|assets|static|templates|dist|build|files|rootfs|root|etc|html|data|docs|patches|.*[^s]s)$",
            name,
        )
        is not None
    )


def matching_name(pattern: str) -> str:
    """A path that a pattern of COPY matches."""
    return re.sub(r"[*?]", "x", re.sub(r"\[\^?(.)[^]]*\]", r"\1", pattern))


def make(
    root: Path,
    source: str,
    destination: str,
    texts: str,
    mode: int,
    flipped: Collection[str] = (),
    plain: Collection[str] = (),
) -> None:
    """A file or directory of that name below `root`, unless there is one."""
    path = os.path.normpath("/" + matching_name(source))
    place = Path(f"{root}{path}")
    if place.exists() or any(above.is_file() for above in place.parents):
        return
    if is_directory(source, destination, texts, flipped, plain):
        place.mkdir(parents=True, exist_ok=True)
        (place / "made-up").write_text(f"# {path}\n")
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    if _ARCHIVE.search(path):
        with tarfile.open(place, "w") as archive:
            member = tarfile.TarInfo(f"{place.name.partition('.')[0]}/configure")
            member.mode, member.size = 0o755, 12
            archive.addfile(member, io.BytesIO(b"#!/.dry/stub"))
    else:
        place.write_text(f"#!/.dry/stub\n# {path}\n")
    place.chmod(mode)
