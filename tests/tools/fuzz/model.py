"""What is run, and what came of it."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field, replace
from pathlib import Path


@dataclass(frozen=True)
class Input:
    """A directory and a command line that is run in it.

    reader    whose input is mutated
    files     path -> content
    argv      the arguments of dfopt; `@REGISTRY@` stands for a name on the loopback registry, in files too
    targets   the paths that are mutated
    stdin     what stands on standard input
    nodes     path -> what stands there instead of a regular file: see `NODES`
    writes    whether the command may change files
    """

    reader: str
    files: dict[str, bytes]
    argv: tuple[str, ...]
    targets: tuple[str, ...]
    stdin: bytes = b""
    nodes: dict[str, str] = field(default_factory=dict)
    writes: bool = False

    def with_file(self, path: str, content: bytes) -> Input:
        return replace(self, files={**self.files, path: content})

    def pack(self) -> bytes:
        value = {
            "reader": self.reader, "argv": self.argv, "targets": self.targets, "nodes": self.nodes,
            "writes": self.writes, "stdin": _text(self.stdin),
            "files": {path: _text(content) for path, content in self.files.items()},
        }  # fmt: skip
        return json.dumps(value).encode()

    @staticmethod
    def unpack(data: bytes) -> Input:
        """Raises ValueError, KeyError, TypeError and AttributeError for anything else than what `pack` gave."""
        value = json.loads(data)
        files = {path: base64.b64decode(text) for path, text in value["files"].items()}
        return Input(
            value["reader"], files, tuple(value["argv"]), tuple(value["targets"]), base64.b64decode(value["stdin"]),
            dict(value["nodes"]), bool(value["writes"]),
        )  # fmt: skip

    def keep(self, place: Path, why: str) -> None:
        """Writes the input to a directory: to be read by people, and run again by `--replay`."""
        place.mkdir(parents=True, exist_ok=True)
        (place / "input.json").write_bytes(self.pack())
        (place / "why.txt").write_text(f"dfopt {' '.join(self.argv)}\n\n{why}", errors="replace")
        for number, (path, content) in enumerate(self.files.items()):
            (place / f"{number}-{Path(path).name[-60:]}").write_bytes(content)
        if self.stdin:
            (place / "stdin").write_bytes(self.stdin)


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()


@dataclass(frozen=True)
class Outcome:
    """What a run did. `status`: the exit status; negative: the signal that ended it. `failure`: what is wrong with it,
    as a class of failures; "" for nothing. `messages`: the kinds of lines on standard error, for novelty."""

    status: int
    failure: str = ""
    details: str = ""
    messages: frozenset[str] = frozenset()
    cpu: float = 0.0
