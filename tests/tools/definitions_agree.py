"""Compares what dfopt reads in real Compose and bake files with what `docker compose config` and `docker buildx bake
--print` say of them, field by field. By hand:

    python -m tests.tools.definitions_agree [--compose PROGRAM] [--buildx PROGRAM] FILE...

PROGRAM is the path of the docker CLI plugin (Debian: packages docker-compose and docker-buildx; no daemon is needed).
Variables of the environment are not passed on. A value that dfopt calls unknown is counted, and is no disagreement; a
file that the program itself refuses is left out. Exit status 1 where a value differs.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

from dfopt.build_definitions.formats import read_definition
from dfopt.build_definitions.model import BuildTarget, DefinitionError, NotLiteral, is_remote
from dfopt.workspace.definitions import DefinitionFiles

PLUGINS = "/usr/libexec/docker/cli-plugins"
FIELDS = (
    "context", "dockerfile", "inline", "target", "args", "contexts", "tags", "user", "ports", "mounts", "platforms",
)  # fmt: skip


def ours(target: BuildTarget) -> dict[str, Any]:
    fields = {name: getattr(target, name) for name in FIELDS}
    fields["mounts"] = [(mount.kind, mount.target) for mount in target.mounts]
    return fields


def run(*command: str, cwd: Path) -> dict[str, Any] | None:
    """The JSON that a program prints; None where it refuses."""
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "DOCKER_CONFIG": "/nonexistent"}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, check=False, timeout=60)
    # Compose prints what it would read again: a $ is written $$
    text = done.stdout.decode().replace("$$", "$") if "config" in command else done.stdout
    return json.loads(text) if done.returncode == 0 else None


def _joined(context: str, dockerfile: str) -> str:
    if is_remote(context) or os.path.isabs(dockerfile):
        return dockerfile
    return os.path.normpath(os.path.join(context, dockerfile))


def of_compose(file: Path, program: str) -> dict[str, dict[str, Any]] | None:
    printed = run(program, "-f", str(file), "--profile", "*", "config", "--format", "json", cwd=file.parent)
    if printed is None:
        return None
    targets: dict[str, dict[str, Any]] = {}
    for name, service in (printed.get("services") or {}).items():
        build = service.get("build")
        if build is None:
            continue
        inline = build.get("dockerfile_inline")
        image = [service["image"]] if service.get("image") else []
        targets[name] = {
            "context": build["context"],
            "dockerfile": None if inline else _joined(build["context"], build.get("dockerfile", "Dockerfile")),
            "inline": inline,
            "target": build.get("target"),
            "args": build.get("args") or {},
            "contexts": build.get("additional_contexts") or {},
            "tags": image + list(build.get("tags") or ()),
            "user": service.get("user"),
            "ports": [f"{port['target']}/{port['protocol']}" for port in service.get("ports") or ()],
            "mounts": [(mount["type"], mount["target"]) for mount in service.get("volumes") or ()],
            "platforms": build.get("platforms") or ([service["platform"]] if service.get("platform") else []),
        }
    return targets


def of_bake(file: Path, program: str, names: list[str]) -> dict[str, dict[str, Any]] | None:
    printed = run(program, "bake", "-f", file.name, "--print", *names, cwd=file.parent)
    if printed is None:
        return None
    targets: dict[str, dict[str, Any]] = {}
    for name, target in printed["target"].items():
        context = target["context"]
        context = context if is_remote(context) else os.path.normpath(file.parent / context)
        inline = target.get("dockerfile-inline")
        targets[name] = {
            "context": context,
            "dockerfile": None if inline else _joined(context, target["dockerfile"]),
            "inline": inline,
            "target": target.get("target"),
            "args": target.get("args") or {},
            "contexts": {
                key: value if is_remote(value) else os.path.normpath(file.parent / value)
                for key, value in (target.get("contexts") or {}).items()
            },
            "tags": target.get("tags") or [],
            "platforms": target.get("platforms") or [],
            "user": None, "ports": [], "mounts": [],
        }  # fmt: skip
    return targets


def compared(own: Any, other: Any) -> str:
    """ "equal", "unknown" (dfopt says so, of a part at least, and the rest is equal), or "different"."""
    if isinstance(own, NotLiteral):
        return "unknown"
    if isinstance(own, dict):
        # an argument that the environment of the build gives (null here) is left out there: it is not passed on
        own = {key: value for key, value in own.items() if value is not None or key in other}
        # an argument whose value is not known here may be null there, and then it is left out
        missing = {key for key, value in own.items() if isinstance(value, NotLiteral) and key not in other}
        own = {key: value for key, value in own.items() if key not in missing}
        if set(own) != set(other):
            return "different"
        if missing:
            return "unknown" if compared(own, other) != "different" else "different"
        results = [compared(value, other[key]) for key, value in own.items()]
    elif isinstance(own, (tuple, list)):
        known = [item for item in own if not _unknown(item)]
        rest = list(map(_plain, other))
        for item in known:
            if _plain(item) not in rest:
                return "different"
            rest.remove(_plain(item))
        if len(known) == len(own) and rest:
            return "different"
        return "unknown" if len(known) < len(own) else "equal"
    else:
        return "equal" if own == other else "different"
    return next((worst for worst in ("different", "unknown") if worst in results), "equal")


def _unknown(item: Any) -> bool:
    return isinstance(item, NotLiteral) or (isinstance(item, tuple) and any(map(_unknown, item)))


def _plain(item: Any) -> Any:
    return tuple(item) if isinstance(item, (list, tuple)) else item


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--compose", default=f"{PLUGINS}/docker-compose")
    parser.add_argument("--buildx", default=f"{PLUGINS}/docker-buildx")
    options = parser.parse_args()
    totals: Counter[str] = Counter()
    for file in map(Path.absolute, options.files):
        bake = file.suffix in (".hcl", ".json")
        try:
            targets = read_definition(
                "bake" if bake else "compose",
                file.read_text(),
                str(file),
                DefinitionFiles(str(file.parents[-2])),
                str(file.parent),
            )
            problem = ""
        except DefinitionError as failure:
            targets, problem = [], f"{failure.line}:{failure.column}: {failure.message}"
        names = [target.name for target in targets]
        theirs = of_bake(file, options.buildx, names) if bake else of_compose(file, options.compose)
        if theirs is None:
            totals["files that docker refuses" + (", as dfopt does" if problem else "")] += 1
            print(f"{file}: docker refuses it{'; so does dfopt: ' + problem if problem else ''}")
            continue
        if problem:
            totals["files that dfopt alone refuses"] += 1
            print(f"{file}:{problem}")
            continue
        totals[f"{'bake' if bake else 'compose'} files"] += 1
        if set(names) != set(theirs):
            totals["different"] += 1
            print(f"{file}: targets {sorted(names)}, not {sorted(theirs)}")
        for target in targets:
            totals["targets"] += target.name in theirs
            for field, value in ours(target).items() if target.name in theirs else ():
                other = theirs[target.name][field]
                result = compared(value, other)
                totals[result] += 1
                if result == "different":
                    print(f"{file}: {target.name}: {field}: {value!r}, not {other!r}")
    print(", ".join(f"{count} {name}" for name, count in sorted(totals.items())))
    return 1 if totals["different"] or totals["files that dfopt alone refuses"] else 0


if __name__ == "__main__":
    raise SystemExit(main())
