"""A small project with a profile."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from dfopt.ir.program import Program
from dfopt.profile.document import write_document
from dfopt.profile.keys import context_digest, text_digest
from dfopt.syntax.dockerfile import parse
from dfopt.workspace.context import open_context

DOCKERFILE = """FROM vendor/base:1
RUN apt-get update && apt-get install -y curl
COPY app.sh /usr/local/bin/app
RUN head -c 9000000 /dev/urandom >/big
RUN rm /big
CMD ["app"]
"""


EVIDENCE: dict[str, Any] = {
    "family": "apt", "packages": ["curl"], "files": ["/usr/local/bin/app"], "trees": {"/srv/pages": "7:7"},
    "links": {"/usr/bin/app": "/usr/local/bin/app"}, "directories": {"/data": {"mode": 0o1777, "owner": "0:0"}},
    "libraries": False, "bytes": 60_000_000, "saved": 40_000_000, "removed": ["/etc/app/default"],
}  # fmt: skip


def document(**more: Any) -> dict[str, Any]:
    """A document that fits no file, with these keys in place of its own."""
    made: dict[str, Any] = {
        "version": 1,
        "file": "Dockerfile",
        "keys": {
            "text": "sha256:" + "0" * 64, "context": "sha256:" + "0" * 64, "bases": {"vendor/base:1": ""},
        },
        "build": {"engine": "docker", "target": "", "platform": "linux/amd64", "arguments": ["A"], "seconds": 1.5},
        "image": {
            "bytes": 90, "dead": 9, "files": 3, "layers": 2, "user": "", "shell": [], "workdir": "/",
            "entrypoint": None, "cmd": {"program": "app", "words": 1}, "ports": ["tcp/80"],
            "release": ["debian", "trixie"], "accounts": [{"name": "root", "uid": 0, "gid": 0, "shell": "/bin/sh"}],
            "packages": ["curl"],
        },
        "lines": [
            {"line": 2, "instruction": "RUN", "bytes": 38_000_000, "dead": 0, "leftovers": {"apt-index": 21_000_000}},
            {
                "line": 4, "instruction": "RUN", "bytes": 9_000_000, "dead": 9_000_000,
                "deaths": [{"by": 5, "bytes": 9_000_000}],
            },
            {"line": 5, "instruction": "RUN", "bytes": 0, "dead": 0},
        ],
        "bases": {
            "vendor/base:1": {
                "user": "", "entrypoint": ["/init"], "shell": ["/bin/sh", "-c"], "workdir": "", "cmd": None,
                "release": ["debian", "trixie"], "accounts": [], "packages": ["libc6"],
                "artifact": {"/bin/sh": {"kind": "elf"}}, "set_id": {"/": {"/usr/bin/su": 84360}},
            },
            "other:1": {"user": "www", "entrypoint": None},
        },
        "stages": [
            {
                "stage": 0, "base": "vendor/base:1", "run_evidence": {"vendor/base:1": EVIDENCE},
                "release": ["debian", "trixie"],
                "artifact": {"/bin/sh": {"kind": "elf", "path": "/usr/bin/dash", "mode": 0o755}},
                "set_id": {"/": {"/usr/bin/su": 84360}},
                "needs_below": {"/srv": {"libc.so.6": {"path": "/lib/libc.so.6", "package": "libc6"}}},
                "programs_below": {"/srv": {"/srv/a": {"kind": "elf", "static": True, "needs": ["libm.so.6"]}}},
            }
        ],
        "runs": [
            {
                "test": "smoke", "exit_status": 0, "signal": None, "user": "0:0", "listens": ["tcp/8080"],
                "programs": ["/bin/sh"], "samples": 3, "written": ["/var/x", "-/etc/y", "/tmp/*"],
            }
        ],
    }  # fmt: skip
    return {**made, **more}


def project(folder: Path, **more: Any) -> dict[str, Any]:
    """Writes a Dockerfile, its context and a profile that fits into a folder. The document."""
    (folder / "Dockerfile").write_text(DOCKERFILE)
    (folder / "app.sh").write_text("#!/bin/sh\nexec sleep 60\n")
    made = fitting(folder, **more)
    (folder / "dfopt.profile").write_bytes(write_document(made))
    return made


def fitting(folder: Path, **more: Any) -> dict[str, Any]:
    """A document that fits the Dockerfile of a folder."""
    content = (folder / "Dockerfile").read_bytes()
    context = open_context(str(folder / "Dockerfile"), str(folder))
    assert context is not None
    made = document(**more)
    made["keys"] = {
        **made["keys"], "text": text_digest(content),
        "context": context_digest(context, Program(parse(content.decode())), str(folder / "Dockerfile")),
    }  # fmt: skip
    return made


def rewrite(folder: Path, **more: Any) -> None:
    """Changes keys of the profile of a folder, as anybody may who can write to it."""
    path = folder / "dfopt.profile"
    path.write_text(json.dumps({**json.loads(path.read_text()), **more}))
