"""Random Dockerfiles, put together from the idioms of real ones: RUN bodies whole and recombined, and the instructions
around them, so that state, links, accounts, modes and caches meet in ways that nobody wrote."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .world import ALPINE, DEBIAN, RHEL, family

BASES = {
    DEBIAN: ("debian:13-slim", "debian:12", "python:3.13", "node:22", "golang:1.24", "ubuntu:24.04"),
    ALPINE: ("alpine:3.22", "python:3.13-alpine", "node:22-alpine", "alpine:3.19"),
    RHEL: ("rockylinux:9", "fedora:42", "registry.access.redhat.com/ubi9/ubi"),
}
_AROUND = ("COPY", "ADD", "ENV", "WORKDIR", "USER", "ARG", "SHELL", "LABEL", "VOLUME", "EXPOSE", "CMD", "ENTRYPOINT")
_JOINT = re.compile(r"\s*(?:\\\n\s*)?&&\s*(?:\\\n\s*)?")
_BLOCK = re.compile(r"\b(?:if|for|while|until|case|do|then|fi|done|esac)\b|[(){}]|<<|`|['\"]")
_LONGEST = 1500  # characters of an idiom


@dataclass
class Idioms:
    """`bodies`: RUNs (all after the keyword) by the family of their image; `commands`: what they join by `&&`;
    `around`: the other instructions."""

    bodies: dict[str, list[str]] = field(default_factory=lambda: {DEBIAN: [], ALPINE: [], RHEL: []})
    commands: dict[str, list[str]] = field(default_factory=lambda: {DEBIAN: [], ALPINE: [], RHEL: []})
    around: list[str] = field(default_factory=list)

    def add(self, text: bytes, parse: Callable[[bytes], dict[str, Any]]) -> None:
        """Takes the idioms of a file. One that BuildKit does not parse has none."""
        answer = parse(text)
        if answer.get("err") or answer.get("inst_err"):
            return
        lines = text.decode("utf-8", "replace").replace("\r\n", "\n").split("\n")
        image = ""
        for node in answer.get("ast") or []:
            keyword = str(node["value"]).upper()
            written = "\n".join(lines[node["start"] - 1 : node["end"]])
            if keyword == "FROM":
                image = written
            if len(written) > _LONGEST or "powershell" in written.lower():
                continue
            if keyword == "RUN":
                self._run(written.lstrip()[3:].lstrip(), image, bool(node.get("heredocs")))
            elif keyword in _AROUND and "--from" not in written and not node.get("heredocs"):
                self.around.append(written)

    def _run(self, body: str, image: str, heredoc: bool) -> None:
        own = family("", body)
        name = own if own != DEBIAN else family(image, body)
        self.bodies[name].append(body)
        if heredoc or body.startswith(("--", "[")) or "#" in body:
            return
        for command in _JOINT.split(body):
            if command and not _BLOCK.search(command) and not command.rstrip().endswith("\\"):
                self.commands[name].append(command.strip())


def from_directory(directory: Path, parse: Callable[[bytes], dict[str, Any]], limit: int = 3000) -> Idioms:
    """The idioms of the Dockerfiles in a directory."""
    found = Idioms()
    paths: Iterable[Path] = sorted(path for path in directory.iterdir() if path.is_file())
    for path in list(paths)[:limit]:
        found.add(path.read_bytes(), parse)
    return found


_STATE = (
    "cd /srv", "export STATE=1", "umask 077", "set -e", "set +e", "false", "true", "VERSION=2", "unset STATE",
    'echo "$STATE" > /srv/state', 'echo "$VERSION" >> /srv/version', "pwd > /srv/pwd", "ln -sf /srv/state /srv/link",
    "rm -f /srv/state", "mkdir -p /srv/made/deep", "chmod 700 /srv/made", "touch /srv/made/file", "rm -rf /srv/made",
    "chown -R 33:33 /srv", "cp /etc/hosts /srv/copied", "mv /srv/copied /srv/moved", "chmod u+s /srv/moved", ":",
    "test -e /srv/moved", "id -u > /srv/who", "cat /srv/state", "echo x | tee /srv/teed", "sleep 0 &", "exit 0",
)  # fmt: skip
_SCENES = (
    "COPY one.sh /srv/one.sh\nRUN chmod 755 /srv/one.sh",
    "COPY one.conf /srv/\nRUN chown 33:33 /srv/one.conf",
    "COPY things /srv/things\nRUN chmod -R g+w /srv/things",
    "COPY pack.tar.gz /tmp/\nRUN tar -xzf /tmp/pack.tar.gz -C /srv && rm /tmp/pack.tar.gz",
    "COPY run.sh /tmp/run.sh\nRUN sh /tmp/run.sh\nRUN rm /tmp/run.sh",
    "RUN echo large > /srv/large\nRUN cat /srv/large > /srv/read\nRUN rm /srv/large",
    "RUN mkdir -p /srv/app\nCOPY one.sh /srv/app\nRUN chown -R 33 /srv/app",
    "WORKDIR /srv/app\nCOPY . .\nRUN chmod +x one.sh",
    "RUN ln -s /srv /data\nCOPY one.conf /data/one.conf\nRUN chmod 600 /srv/one.conf",
    "ENV PLACE=/srv/env\nRUN mkdir -p $PLACE && cd $PLACE && touch in-env\nENV PLACE=/srv/other\nRUN mkdir -p $PLACE",
    "USER 33\nRUN id -u > /tmp/id || true\nUSER 0\nRUN chmod 777 /srv",
    "VOLUME /srv/volume\nRUN mkdir -p /srv/volume && echo lost > /srv/volume/file",
)


class Generator:
    """Makes files from a seed each: the same seed and idioms, the same file."""

    def __init__(self, idioms: Idioms) -> None:
        self.idioms = idioms

    def file(self, seed: int) -> bytes:
        chance = random.Random(seed)
        name = chance.choices((DEBIAN, ALPINE, RHEL), (6, 3, 2))[0]
        stages = chance.choices((1, 2), (4, 1))[0]
        lines: list[str] = []
        for stage in range(stages):
            lines.append(f"FROM {chance.choice(BASES[name])} AS stage{stage}")
            if chance.random() < 0.4:
                lines.append(f"WORKDIR {chance.choice(('/app', '/srv/app', '/usr/src/app'))}")
            for _ in range(chance.randint(2, 7)):
                lines.append(self._item(chance, name))
            if stage:
                lines.append(f"COPY --from=stage{stage - 1} /srv /srv/stage{stage - 1}")
        return ("\n".join(lines) + "\n").encode()

    def _item(self, chance: random.Random, name: str) -> str:
        kind = chance.random()
        if kind < 0.3 and self.idioms.bodies[name]:
            return f"RUN {chance.choice(self.idioms.bodies[name])}"
        if kind < 0.62:
            return f"RUN {self._body(chance, name)}"
        if kind < 0.8 and self.idioms.around:
            return chance.choice(self.idioms.around)
        return chance.choice(_SCENES)

    def _body(self, chance: random.Random, name: str) -> str:
        """Commands of several files and of our own, joined anew."""
        parts: list[str] = []
        for _ in range(chance.randint(1, 4)):
            theirs = self.idioms.commands[name]
            parts.append(chance.choice(theirs) if theirs and chance.random() < 0.6 else chance.choice(_STATE))
        text = parts[0]
        for part in parts[1:]:
            text += chance.choice((" && ", " && ", " && \\\n    ", " \\\n && ", "; ", " ; \\\n    ", " || ")) + part
        return text + chance.choice(("", "", "", "", " || true", "; true"))
