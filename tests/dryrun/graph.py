"""The LLB graph of a Dockerfile, as the oracle prints it: operations in an order in which each comes after its
inputs."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

Output = tuple[str, int]  # which operation, and which of its outputs


class GraphError(Exception):
    """BuildKit does not convert the file; the message is its own."""


@dataclass(frozen=True)
class Operation:
    """`digest` is the operation's and its inputs' (not LLB's own digest, which holds a random number where files come
    from the build context); `kind` is "source", "exec", "file", "merge" or "diff"; `data` what LLB says of that
    kind."""

    digest: str
    inputs: tuple[Output, ...]
    kind: str
    data: dict[str, Any]


@dataclass(frozen=True)
class Graph:
    operations: tuple[Operation, ...]
    result: Output | None  # None: an image without files
    config: dict[str, Any]

    def images(self) -> list[str]:
        return [
            op.data["identifier"]
            for op in self.operations
            if op.kind == "source" and op.data["identifier"].startswith("docker-image://")
        ]

    def bodies(self) -> list[str]:
        """What RUNs say: the arguments that are no options, heredocs included."""
        return [word for op in self.operations if op.kind == "exec" for word in op.data["meta"]["args"]]


def read(answer: dict[str, Any]) -> Graph:
    """The graph in an answer of the oracle's. Raises GraphError."""
    if answer.get("err"):
        raise GraphError(str(answer["err"]))
    names: dict[str, str] = {}
    operations: list[Operation] = []
    result: Output | None = None
    for row in answer["graph"]:
        inputs = tuple((names[digest], index) for digest, index in row["inputs"])
        if row["op"] is None:
            result = inputs[0] if inputs else None
            continue
        ((kind, data),) = row["op"].items()
        data.get("attrs", {}).pop("local.unique", None)
        text = json.dumps([kind, data, inputs], sort_keys=True)
        digest = hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
        names[row["digest"]] = digest
        operations.append(Operation(digest, inputs, kind, data))
    return Graph(tuple(operations), result, answer["image"].get("config") or {})


def root_input(op: Operation) -> int | None:
    """Which input an operation works on."""
    if op.kind == "exec":
        found = next(mount.get("input", -1) for mount in op.data["mounts"] if mount["dest"] == "/")
    elif op.kind == "file":
        found = op.data["actions"][0].get("input", -1)
    elif op.kind == "merge":
        found = 0
    else:
        return None
    return found if 0 <= found < len(op.inputs) else None
