"""Turns an entry of an image's history into the instruction that would recreate it, and the config into the rest.

Sources: as image/created_by.py; Go's `%q` and `%v` for lists, maps and structs (package fmt), which builders print
values with.
"""

from __future__ import annotations

import json
import re

from dfopt.image.errors import printable
from dfopt.record import Record
from dfopt.syntax.dockerfile import parse
from dfopt.syntax.tree import DockerfileError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from dfopt.image.history import Origin
    from dfopt.image.model import Image

_GO_STRING = re.compile(r'"(?:[^"\\]|\\.)*"?')  # one without an end is no JSON
_PLAIN = re.compile(r"[\w./:,+@%^=~-]+")
_PORT = re.compile(r"[0-9]+(?:-[0-9]+)?(?:/(?:tcp|udp|sctp))?")
_ARGUMENTS = re.compile(r"\|([0-9]{1,6}) ")
_SHELLS = (
    "/bin/sh -c", "/bin/bash -c", "/bin/ash -c", "/bin/bash -o pipefail -c", "/bin/ash -eo pipefail -c",
    "/bin/bash -eo pipefail -c", "/bin/bash -euxo pipefail -c", "/bin/sh -ec", "/bin/bash -ec", "cmd /S /C",
)  # fmt: skip
_WIDTH = 116  # of a comment
_LINE = 100  # a command longer than this is broken at runs of blanks, where continuation lines were


class RecreatedInstruction(Record):
    """text: the instruction, "" if only the layer's tar can recreate it; notes: what is unknown about it; files:
    whether to list the layer's files, because the text does not say where they come from; before: instructions that
    must precede it and have no entry themselves."""

    text: str
    notes: tuple[str, ...] = ()
    files: bool = False
    before: tuple[str, ...] = ()


class ReplayedConfig:
    """The config that the instructions so far set, for comparison with that of the image."""

    def __init__(self, image: Image) -> None:
        self.settings = image.settings()
        env = self.settings.get("Env")
        self.env = dict(str(item).partition("=")[::2] for item in env) if isinstance(env, list) else {}
        labels = self.settings.get("Labels")
        self.labels = {str(key): str(value) for key, value in labels.items()} if isinstance(labels, dict) else {}
        self.buildah = "io.buildah.version" in self.labels
        shell = self.settings.get("Shell")
        self.shells = [" ".join(shell)] if isinstance(shell, list) and all(isinstance(w, str) for w in shell) else []
        self.shells += [item for item in _SHELLS if item not in self.shells]
        self.shell = "/bin/sh -c"
        self.set_env: dict[str, str] = {}
        self.set_labels: dict[str, str] = {}
        self.set: dict[str, Any] = {}
        self.args: set[str] = set()


def reads_back(text: str) -> bool:
    """Whether a text is a single instruction with the keyword that it begins with."""
    try:
        nodes = parse(f"FROM scratch\n{text}\n").instructions
    except DockerfileError:
        return False
    return len(nodes) == 2 and nodes[1].keyword == text.split(None, 1)[0].upper()


def from_entry(origin: Origin, built: ReplayedConfig) -> RecreatedInstruction | None:
    """The instruction of an entry, or None if no Dockerfile builder wrote it."""
    keyword, body = origin.keyword, origin.body.strip()
    if not keyword or not body:
        return None
    instruction = _made(keyword, body, built)
    if not all(reads_back(text) for text in (*instruction.before, instruction.text) if text):
        command = " ".join(f"{keyword} {body}".split())[:300]
        return RecreatedInstruction(
            "", (f"how to write this so that it reads the same: {command}", *instruction.notes), instruction.files
        )
    return instruction


def _made(keyword: str, body: str, built: ReplayedConfig) -> RecreatedInstruction:
    if keyword == "RUN":
        return _run(body, built)
    if keyword in ("COPY", "ADD"):
        return _copy(keyword, body)
    if keyword in ("ENV", "LABEL"):
        return _pairs(keyword, body, built)
    if keyword == "ARG":
        name, equals, value = body.partition("=")
        built.args.add(name)
        return RecreatedInstruction(f"ARG {body}" if built.buildah or not equals else f"ARG {name}={quoted(value)}")
    if keyword in ("CMD", "ENTRYPOINT", "SHELL"):
        return _words(keyword, body, built)
    if keyword == "EXPOSE":
        ports = _PORT.findall(body)
        built.set.setdefault("ExposedPorts", set()).update(port if "/" in port else f"{port}/tcp" for port in ports)
        return RecreatedInstruction(f"EXPOSE {' '.join(ports)}" if ports else "")
    if keyword == "VOLUME":
        words = _json_list(body) or body.strip("[]").split()
        built.set.setdefault("Volumes", set()).update(words)
        return RecreatedInstruction(f"VOLUME {json.dumps(words)}")
    if keyword == "HEALTHCHECK":  # the entry is Go's print of a struct: the config has the last one whole
        return RecreatedInstruction("", ("a HEALTHCHECK, which the config tells if it is the last one.",))
    if keyword in ("USER", "WORKDIR", "STOPSIGNAL"):
        built.set[{"USER": "User", "WORKDIR": "WorkingDir", "STOPSIGNAL": "StopSignal"}[keyword]] = body
        text = body.replace("\\", "\\\\").replace("$", "\\$") if not built.buildah else body
        return RecreatedInstruction(f"{keyword} {text}")
    if keyword == "ONBUILD":
        built.set.setdefault("OnBuild", []).append(body)
    return RecreatedInstruction(f"{keyword} {body}")


# -- RUN, COPY ---------------------------------------------------------------------------------------------------------


def _run(body: str, built: ReplayedConfig) -> RecreatedInstruction:
    notes: list[str] = []
    before: list[str] = []
    match = _ARGUMENTS.match(body)
    if match is not None:
        shell = next((candidate for candidate in built.shells if f" {candidate} " in body), "")
        head, _, command_text = body.partition(f" {shell} ") if shell else ("", "", "")
        if not shell:  # JSON form: no shell tells where the arguments end, their number does
            count = min(int(match[1]), 100)
            plain = re.match(rf"\|[0-9]+ ((?:[A-Za-z_]\w*=\S* ){{{count}}})", body)
            if plain is None:
                return RecreatedInstruction("", (f"where its build arguments end: {body[:300]}",))
            head, command_text = body[: plain.end()], body[plain.end() :]
        values = _arguments(head[match.end() :], int(match[1]))
        before += [f"ARG {name}={quoted(value)}" for name, value in values if name not in built.args]
        built.args.update(name for name, _ in values)
        body = f"{shell} {command_text}" if shell else command_text
    command = body
    for shell in built.shells:
        if body.startswith(f"{shell} "):
            command = body[len(shell) + 1 :]
            if shell != built.shell:
                before.append(f"SHELL {json.dumps(shell.split())}")
                built.shell = shell
                built.set["Shell"] = shell.split()
            break
    else:
        if not built.buildah:
            notes.append("whether this RUN was in JSON form, whose words the history joins by blanks.")
    for text in (run_text(command), _heredoc(command)):
        if _runs(text, command):
            return RecreatedInstruction(text, tuple(notes), False, tuple(before))
    return RecreatedInstruction(
        "", (f"how to write this so that it reads the same: {' '.join(body.split())[:300]}", *notes)
    )


def _runs(text: str, command: str) -> bool:
    """Whether the text reads back as this command for the shell."""
    try:
        node = parse(f"FROM scratch\n{text}\n").instructions[-1]
    except DockerfileError:
        return False
    if node.keyword != "RUN" or node.flags or node.form != "shell":
        return False
    if node.heredocs:
        heredoc = f"FROM scratch\n{text}\n"[node.heredocs[0].start : node.heredocs[0].end]
        return len(node.heredocs) == 1 and node.body.startswith("<<") and heredoc.strip() == command.strip()
    return node.body == command.strip()


def run_text(command: str) -> str:
    """RUN with this command in shell form: on one line, broken where continuation lines were joined, or as a heredoc if
    it has several lines."""
    command = command.strip()
    if "\n" in command:
        return _heredoc(command)
    if len(command) > _LINE:
        # `a \` + `    b` was joined to `a     b`: the same text comes back. A line with # in front is a comment.
        command = re.sub(r"(?<! ) ( {2,}|\t+)(?=[^\s#])", lambda match: f" \\\n{match[1]}", command)
    return f"RUN {command}"


def _heredoc(command: str) -> str:
    name = "EOF"
    while re.search(rf"^[^\S\n]*{name}[^\S\n]*$", command, re.MULTILINE):
        name += "F"
    return f"RUN <<{name}\n{command.strip()}\n{name}"


def _arguments(text: str, count: int) -> list[tuple[str, str]]:
    """`A=1 B=two words`: as many as stated; a value ends where the next name begins."""
    starts = [match.start() for match in re.finditer(r"(?:(?<=^)|(?<= ))[A-Za-z_]\w*=", text)][:count]
    pieces = [text[start:end].strip() for start, end in zip(starts, [*starts[1:], len(text)], strict=False)]
    return [(name, value) for name, _, value in (piece.partition("=") for piece in pieces)]


def _copy(keyword: str, body: str) -> RecreatedInstruction:
    content = re.fullmatch(r"((?:--\S+ +)*)(?:file|dir|multi|git):([0-9a-f]*) in (.*)", body, re.DOTALL)
    if content is not None:
        return RecreatedInstruction(
            "", (f"what was copied to {content[3].strip()} (the history keeps a checksum only).",), True
        )
    note = "the files that were copied, and whether they came from another stage (--from is not kept)."
    if re.search(r"(?:^| )https?://", body):
        return RecreatedInstruction(f"{keyword} {body}")
    return RecreatedInstruction(f"{keyword} {body}", (note,), True)


# -- settings ----------------------------------------------------------------------------------------------------------


def quoted(value: str) -> str:
    """A value of ENV, LABEL or ARG: in double quotes where it needs them; nothing in it is expanded."""
    if _PLAIN.fullmatch(value):
        return value
    return '"' + re.sub(r'(["\\$])', r"\\\1", value) + '"'


def _pairs(keyword: str, body: str, built: ReplayedConfig) -> RecreatedInstruction:
    values = built.env if keyword == "ENV" else built.labels
    record = built.set_env if keyword == "ENV" else built.set_labels
    if built.buildah:  # as it was written
        for name in values:
            if re.search(rf"(?:^|\s){re.escape(name)}[= ]", body):
                record[name] = values[name]
        return RecreatedInstruction(f"{keyword} {body}")
    names = sorted(values, key=len, reverse=True)
    first = body.partition("=")[0]
    if first not in values:
        names.append(first)
    pattern = "|".join(re.escape(name) for name in names if name)
    starts = [match.start(1) for match in re.finditer(rf"(?:^| )((?:{pattern})=)", body)] if pattern else []
    if not starts or starts[0] != 0:
        return RecreatedInstruction("", (f"how {keyword} {body[:200]} is to be read.",))
    texts = []
    for start, end in zip(starts, [*starts[1:], len(body) + 1], strict=True):
        name, _, value = body[start : end - 1].partition("=")
        record[name] = value
        texts.append(f"{quoted(name)}={quoted(value)}")
    return RecreatedInstruction(f"{keyword} {' '.join(texts)}")


def _words(keyword: str, body: str, built: ReplayedConfig) -> RecreatedInstruction:
    words = _json_list(body)
    if words is None and body.startswith("[") and body.endswith("]"):
        words = _go_list(body)
        if words is None and keyword == "SHELL" and '"' not in body:  # %v: bare words
            words = body[1:-1].split()
    if not words:
        return RecreatedInstruction(f"{keyword} {body}")
    built.set[{"CMD": "Cmd", "ENTRYPOINT": "Entrypoint", "SHELL": "Shell"}[keyword]] = words
    if keyword == "SHELL":
        built.shell = " ".join(words)
        if built.shell not in built.shells:
            built.shells.insert(0, built.shell)
    return RecreatedInstruction(f"{keyword} {json.dumps(words, ensure_ascii=False)}")


def _json_list(text: str) -> list[str] | None:
    try:
        words = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return words if isinstance(words, list) and all(isinstance(word, str) for word in words) else None


def _go_list(text: str) -> list[str] | None:
    """`["a" "b c"]`: Go's %q of a list."""
    words = []
    for match in _GO_STRING.finditer(text):
        try:
            words.append(str(json.loads(re.sub(r"\\x([0-9a-f]{2})", r"\\u00\1", match[0]))))
        except ValueError:
            return None
    return words if words and not _GO_STRING.sub("", text).strip("[] ") else None


# -- what is left ------------------------------------------------------------------------------------------------------


def from_config(built: ReplayedConfig) -> list[str]:
    """Instructions for config values that the others did not set."""
    settings = built.settings
    instructions: list[str] = []
    for name, value in built.env.items():
        if built.set_env.get(name) != value and name:
            instructions.append(f"ENV {quoted(name)}={quoted(value)}")
    for name, value in built.labels.items():
        if built.set_labels.get(name) != value and name and not name.startswith("io.buildah."):
            instructions.append(f"LABEL {quoted(name)}={quoted(value)}")
    for key, keyword in (("Shell", "SHELL"), ("Entrypoint", "ENTRYPOINT"), ("Cmd", "CMD")):
        words = settings.get(key)
        if isinstance(words, list) and words != built.set.get(key) and all(isinstance(word, str) for word in words):
            instructions.append(f"{keyword} {json.dumps(words, ensure_ascii=False)}")
        elif not words and built.set.get(key) and key != "Shell":
            instructions.append(f"{keyword} []")
    for key, keyword in (("User", "USER"), ("WorkingDir", "WORKDIR"), ("StopSignal", "STOPSIGNAL")):
        text = settings.get(key)
        if isinstance(text, str) and text and text != built.set.get(key):
            instructions.append(f"{keyword} {text}")
    for key, keyword in (("ExposedPorts", "EXPOSE"), ("Volumes", "VOLUME")):
        configured = settings.get(key)
        missing: list[str] = sorted(set(configured) - built.set.get(key, set())) if isinstance(configured, dict) else []
        if missing:
            instructions.append(
                f"EXPOSE {' '.join(missing)}" if keyword == "EXPOSE" else f"VOLUME {json.dumps(missing)}"
            )
    instructions += [text for text in [_healthcheck(settings.get("Healthcheck"))] if text]
    onbuild = settings.get("OnBuild")
    triggers = built.set.get("OnBuild", [])
    instructions += [
        f"ONBUILD {trigger}" for trigger in (onbuild if isinstance(onbuild, list) else []) if trigger not in triggers
    ]
    return [text for text in instructions if reads_back(text)]


def _healthcheck(value: object) -> str:
    if not isinstance(value, dict) or not isinstance(value.get("Test"), list) or not value["Test"]:
        return ""
    test = [str(word) for word in value["Test"]]
    if test[0] == "NONE":
        return "HEALTHCHECK NONE"
    options = healthcheck_options(value, lambda nanoseconds: f"{nanoseconds // 10**6}ms")
    if test[0] == "CMD-SHELL" and len(test) == 2 and "\n" not in test[1]:
        return f"HEALTHCHECK {options}CMD {test[1]}"
    return f"HEALTHCHECK {options}CMD {json.dumps(test[1:], ensure_ascii=False)}"


def healthcheck_options(value: Mapping[str, Any], duration: Callable[[int], str]) -> str:
    """The flags of HEALTHCHECK that a config's value says, each with a blank behind it. `duration`: how nanoseconds are
    written."""
    options = ""
    for key, flag in (("Interval", "interval"), ("Timeout", "timeout"), ("StartPeriod", "start-period"),
                      ("StartInterval", "start-interval")):  # fmt: skip
        nanoseconds = value.get(key)
        if isinstance(nanoseconds, int) and nanoseconds > 0:
            options += f"--{flag}={duration(nanoseconds)} "
    if isinstance(value.get("Retries"), int) and value["Retries"] > 0:
        options += f"--retries={value['Retries']} "
    return options


def comment_lines(text: str) -> list[str]:
    """A text as comments of a Dockerfile, wrapped, with nothing in it that would break a line."""
    lines: list[str] = []
    line = ""
    for word in printable(text).split(" "):
        if line and len(line) + len(word) + 1 > _WIDTH:
            lines.append(f"# {line}".rstrip())
            line = "  " + word
        else:
            line = f"{line} {word}" if line else word
    return [*lines, f"# {line}".rstrip()]
