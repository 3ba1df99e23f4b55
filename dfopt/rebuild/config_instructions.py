"""The instructions that lead from the config of a base image to that of the image, and what no instruction can say.

Every instruction is read back, by the reader of Dockerfiles that the passes use: one that would not set exactly the
value is left out and named. Sources: Dockerfile reference; moby image/spec and OCI image specification, config.md;
BuildKit dockerfile2llb/convert.go (an empty image has a PATH).
"""

from __future__ import annotations

import json
import re

from dfopt.image.errors import printable
from dfopt.ir.image_config import image_config
from dfopt.ir.program import Program
from dfopt.review.recreate import healthcheck_options, quoted
from dfopt.syntax.dockerfile import parse
from dfopt.syntax.tree import DockerfileError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from dfopt.ir.image_config import ImageConfig

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
SCRATCH: Mapping[str, Any] = {"Env": [f"PATH={DEFAULT_PATH}"], "WorkingDir": "/"}  # what BuildKit begins with
_PORT = re.compile(r"[0-9]{1,5}(?:-[0-9]{1,5})?/(?:tcp|udp|sctp)")
_SIGNAL = re.compile(r"(?:SIG)?[A-Z][A-Z0-9+-]{1,12}|[0-9]{1,3}")
# Keys of a config that instructions can set, and those that mean something to a container only.
_SET = frozenset(
    ("Env", "Labels", "User", "WorkingDir", "Entrypoint", "Cmd", "Shell", "StopSignal", "Healthcheck", "ExposedPorts",
     "Volumes", "OnBuild")
)  # fmt: skip
_OF_CONTAINERS = frozenset(
    ("Hostname", "AttachStdin", "AttachStdout", "AttachStderr", "Image", "ArgsEscaped", "Tty", "OpenStdin", "StdinOnce",
     "NetworkDisabled", "MacAddress")
)  # fmt: skip


class ConfigInstructions:
    """`instructions` and `notes` (what is not kept) for an image on a base. `lost`: settings of the base that the image
    does not have and no instruction can take away."""

    def __init__(self, wanted: Mapping[str, Any], base: Mapping[str, Any]) -> None:
        self.wanted, self.base = wanted, base
        self.instructions: list[str] = []
        self.notes: list[str] = []
        self.lost: list[str] = []
        self._environment()
        self._labels()
        self._words("Shell", "SHELL", lambda config: config.shell)
        self._ports()
        self._volumes()
        self._signal()
        self._healthcheck()
        self._onbuild()
        self._workdir()
        self._user()
        self._commands()
        for key, value in wanted.items():
            if key not in _SET and key not in _OF_CONTAINERS and value:
                self.notes.append(f"not kept: {printable(str(key))[:60]} of the config, which no instruction sets")

    def _add(self, what: str, text: str, value: object, read: Callable[[ImageConfig], object]) -> bool:
        """Adds an instruction if it sets exactly `value`."""
        config = _config_of(text)
        if config is None or read(config) != value:
            self.notes.append(f"not kept: {printable(what)[:100]}, which no instruction can write")
            return False
        self.instructions.append(text)
        return True

    def _environment(self) -> None:
        wanted, base = _pairs(self.wanted.get("Env")), _pairs(self.base.get("Env"))
        for name in base:
            if name not in wanted:
                if (name, base[name]) == ("PATH", DEFAULT_PATH):
                    self.notes.append("PATH is set, as engines do for a container without one")
                else:
                    self.lost.append(f"the variable {name}")
        for name, value in wanted.items():
            if not name:
                self.notes.append("not kept: a variable without a name")
            elif base.get(name) != value:
                self._add(f"the variable {name}", f"ENV {quoted(name)}={quoted(value)}", {name: value}, _env)

    def _labels(self) -> None:
        wanted, base = self.wanted.get("Labels"), self.base.get("Labels")
        labels = {str(name): str(value) for name, value in wanted.items()} if isinstance(wanted, dict) else {}
        for name in base if isinstance(base, dict) else ():
            if name not in labels:
                self.lost.append(f"the label {name}")
        for name, value in labels.items():
            if not name:
                self.notes.append("not kept: a label without a name")
            elif not isinstance(base, dict) or base.get(name) != value:
                self._add(f"the label {name}", f"LABEL {quoted(name)}={quoted(value)}", {name: value}, _label)

    def _words(self, key: str, keyword: str, read: Callable[[ImageConfig], object]) -> None:
        words = _strings(self.wanted.get(key))
        if words and words != _strings(self.base.get(key)):
            self._add(key, f"{keyword} {_json(words)}", tuple(words), read)
        elif not words and self.base.get(key):
            self.lost.append(key)

    def _commands(self) -> None:
        entrypoint, cmd = _strings(self.wanted.get("Entrypoint")), _strings(self.wanted.get("Cmd"))
        base_entrypoint, base_cmd = _strings(self.base.get("Entrypoint")), _strings(self.base.get("Cmd"))
        if entrypoint != base_entrypoint:
            self._add("Entrypoint", f"ENTRYPOINT {_json(entrypoint)}", tuple(entrypoint), lambda read: read.entrypoint)
            base_cmd = []  # ENTRYPOINT takes away the CMD of the base
        if cmd != base_cmd:
            self._add("Cmd", f"CMD {_json(cmd)}", tuple(cmd), lambda read: read.cmd)

    def _workdir(self) -> None:
        value, base = self.wanted.get("WorkingDir") or "", self.base.get("WorkingDir") or ""
        if value == base or (not value and base == "/") or not isinstance(value, str):  # none is the root
            return
        value = value or "/"
        self._add(f"WorkingDir {value}", f"WORKDIR {_escaped(value)}", value, lambda config: config.workdir)

    def _user(self) -> None:
        value, base = self.wanted.get("User") or "", self.base.get("User") or ""
        if value == base or not isinstance(value, str):
            return
        if value:
            self._add(f"User {value}", f"USER {_escaped(value)}", value, lambda config: config.user)
        else:
            self.lost.append("User")

    def _ports(self) -> None:
        wanted, base = _keys(self.wanted.get("ExposedPorts")), _keys(self.base.get("ExposedPorts"))
        self.lost += [f"the port {port}" for port in base if port not in wanted]
        for port in wanted:
            if not _PORT.fullmatch(port):
                self.notes.append(f"not kept: the port {printable(port)[:60]}, which EXPOSE does not take")
            elif port not in base:
                self.instructions.append(f"EXPOSE {port}")

    def _volumes(self) -> None:
        wanted, base = _keys(self.wanted.get("Volumes")), _keys(self.base.get("Volumes"))
        self.lost += [f"the volume {path}" for path in base if path not in wanted]
        for path in wanted:
            if path not in base:
                text = f"VOLUME {_json([_escaped(path)])}"
                self._add(f"the volume {path}", text, (path,), lambda config: config.volumes)

    def _signal(self) -> None:
        value, base = self.wanted.get("StopSignal") or "", self.base.get("StopSignal") or ""
        if value == base:
            return
        if not value:
            self.lost.append("StopSignal")
        elif isinstance(value, str) and _SIGNAL.fullmatch(value):
            self.instructions.append(f"STOPSIGNAL {value}")
        else:
            self.notes.append(f"not kept: the StopSignal {printable(str(value))[:60]}, which STOPSIGNAL does not take")

    def _healthcheck(self) -> None:
        value, base = self.wanted.get("Healthcheck") or {}, self.base.get("Healthcheck") or {}
        if value == base or not isinstance(value, dict):
            return
        test = _strings(value.get("Test"))
        if not test:
            if base:
                self.lost.append("Healthcheck")
            elif value:
                self.notes.append("not kept: a Healthcheck without a command")
            return
        if test == ["NONE"]:
            self.instructions.append("HEALTHCHECK NONE")
            return
        options = healthcheck_options(value, _duration)
        command = test[1] if test[0] == "CMD-SHELL" and len(test) == 2 else _json(test[1:])
        self._add("Healthcheck", f"HEALTHCHECK {options}CMD {command}", tuple(test), lambda config: config.healthcheck)

    def _onbuild(self) -> None:
        if self.base.get("OnBuild"):
            self.lost.append("ONBUILD triggers, which would fire again")
        for trigger in _strings(self.wanted.get("OnBuild")):
            self._add(f"the ONBUILD trigger {trigger}", f"ONBUILD {trigger}", (trigger,), lambda config: config.onbuild)


def _config_of(text: str) -> ImageConfig | None:
    """What an instruction alone sets on an empty image; None where it is not one instruction."""
    try:
        text.encode()
        program = Program(parse(f"FROM scratch\n{text}\n"))
    except (DockerfileError, UnicodeEncodeError):
        return None
    if len(program.dockerfile.instructions) != 2 or program.dockerfile.instructions[1].heredocs:
        return None
    return image_config(program, program.stages[-1])


def _env(config: ImageConfig) -> object:
    return config.env


def _label(config: ImageConfig) -> object:
    return config.labels


def _pairs(value: object) -> dict[str, str]:
    items = [str(item) for item in value] if isinstance(value, list) else []
    return {name: rest for name, _, rest in (item.partition("=") for item in items)}


def _strings(value: object) -> list[str]:
    return [str(word) for word in value] if isinstance(value, list) else []


def _keys(value: object) -> list[str]:
    return [str(key) for key in value] if isinstance(value, dict) else []


def _escaped(text: str) -> str:
    """A word in which nothing is expanded."""
    return re.sub(r"([\\$\"'])", r"\\\1", text)


def _json(words: list[str]) -> str:
    return json.dumps(words, ensure_ascii=not all(word.isprintable() for word in words))


def _duration(nanoseconds: int) -> str:
    for unit, size in (("s", 10**9), ("ms", 10**6)):
        if nanoseconds % size == 0:
            return f"{nanoseconds // size}{unit}"
    return f"{nanoseconds}ns"
