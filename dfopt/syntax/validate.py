"""What BuildKit demands of each instruction after splitting it: flags, number of arguments, names.

Rules: BuildKit frontend/dockerfile/instructions/parse.go. Flags that later syntax versions added are accepted here;
which engine knows them is another question. Raises DockerfileError with an offset on the joined line.
"""

from __future__ import annotations

import re

from dfopt.lazy import regex
from dfopt.syntax.arguments import go_quote
from dfopt.syntax.mounts import mount_fields
from dfopt.syntax.tree import GO_SPACE, DockerfileError, Instruction
from dfopt.units import whole_number

# flag names with their type: s string, l list (may repeat), b boolean. `--exclude` 1.19, `--parents` 1.20 and
# `--unpack` 1.17 (earlier in the labs channel), `--device` 1.14-labs, HEALTHCHECK --start-interval 1.6
_FLAGS = {
    "ADD": {"chown": "s", "chmod": "s", "link": "b", "keep-git-dir": "b", "checksum": "s", "exclude": "l",
            "unpack": "b"},
    "COPY": {"chown": "s", "chmod": "s", "link": "b", "from": "s", "parents": "b", "exclude": "l"},
    "FROM": {"platform": "s"},
    "HEALTHCHECK": {"interval": "s", "timeout": "s", "start-period": "s", "start-interval": "s", "retries": "s"},
    "RUN": {"mount": "l", "network": "s", "security": "s", "device": "l"},
}  # fmt: skip
_IGNORE_FLAGS = frozenset(("STOPSIGNAL", "ARG"))  # BuildKit never looks at the flags of these
_STAGE_NAME = regex(r"[a-z][a-z0-9-_.]*\Z")
_DURATION = regex(r"[-+]?(?:0|(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)\Z")
_NETWORKS = frozenset(("default", "none", "host"))
_SECURITY = frozenset(("sandbox", "insecure"))
_SHOWN = 40  # characters of a word in an error message
_NO_TRIGGERS = frozenset(("FROM", "MAINTAINER"))
KEYWORDS = frozenset(
    ("ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL", "MAINTAINER",
     "ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR")
)  # fmt: skip


def check_instruction(node: Instruction) -> None:
    """Raises DockerfileError where BuildKit's instruction parser would refuse `node`."""
    keyword = node.keyword
    if keyword not in KEYWORDS:
        written = node.joined.text[node.keyword_at : node.keyword_at + len(keyword)]
        if len(written) > _SHOWN:  # no Dockerfile at all, very likely
            written = f"{written[:_SHOWN]}..."
        raise DockerfileError(f"unknown instruction: {written}", node.keyword_at)
    if keyword not in _IGNORE_FLAGS and (node.flags or keyword == "HEALTHCHECK"):
        _check_flags(node)
    count = len(node.arguments)
    if keyword in ("ENV", "LABEL"):
        if not node.pairs:
            raise _least_one(node)
        for pair in node.pairs:
            if not pair.name:
                raise DockerfileError(f"{keyword} names can not be blank", pair.at)
    elif keyword == "ARG":
        if not node.pairs:
            raise _least_one(node)
        for pair in node.pairs:
            if not pair.name:
                raise DockerfileError("ARG names can not be blank", pair.at)
    elif keyword in ("ADD", "COPY"):
        if count < 2:
            raise DockerfileError(
                f"{keyword} requires at least two arguments, but only one was provided. "
                "Destination could not be determined", node.at
            )  # fmt: skip
        if "<<" in node.arguments[-1].value and re.match(r"\d*<<-?[^<]+\Z", node.arguments[-1].value):
            raise DockerfileError(f"{keyword} cannot accept a heredoc as a destination", node.arguments[-1].at)
    elif keyword == "FROM":
        _check_from(node)
    elif keyword in ("MAINTAINER", "WORKDIR", "USER", "STOPSIGNAL"):
        if count != 1:
            raise DockerfileError(f"{keyword} requires exactly one argument", node.at)
    elif keyword == "EXPOSE":
        if not count:
            raise _least_one(node)
    elif keyword == "VOLUME":
        if not count:
            raise _least_one(node)
        for argument in node.arguments:
            if not argument.value.strip(GO_SPACE):
                raise DockerfileError("VOLUME specified can not be an empty string", argument.at)
    elif keyword == "SHELL":
        if not count:
            raise _least_one(node)
        if node.form != "json":
            raise DockerfileError("SHELL requires the arguments to be in JSON form", node.at)
    elif keyword == "ONBUILD":
        nested = node.nested
        if nested is None:
            raise _least_one(node)
        if nested.keyword == "ONBUILD":
            raise DockerfileError("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed", nested.keyword_at)
        if nested.keyword in _NO_TRIGGERS:
            raise DockerfileError(f"{nested.keyword} isn't allowed as an ONBUILD trigger", nested.keyword_at)
    elif keyword == "HEALTHCHECK":
        _check_healthcheck(node)


def _least_one(node: Instruction) -> DockerfileError:
    return DockerfileError(f"{node.keyword} requires at least one argument", node.keyword_at)


def _check_flags(node: Instruction) -> None:
    allowed = _FLAGS.get(node.keyword, {})
    if node.keyword == "HEALTHCHECK" and node.kind.upper() == "NONE":
        return
    seen: set[str] = set()
    for flag in node.flags:
        if flag.name not in allowed:
            raise DockerfileError(f"unknown flag: {flag.name}", flag.at)
        kind = allowed[flag.name]
        if flag.name in seen and kind != "l":
            raise DockerfileError(f"duplicate flag specified: {flag.name}", flag.at)
        seen.add(flag.name)
        if kind == "b":
            if flag.value == "":
                raise DockerfileError(f"missing a value on flag: {flag.name}", flag.at)
            if flag.value is not None and flag.value.lower() not in ("true", "false"):
                raise DockerfileError(f"expecting boolean value for flag {flag.name}, not: {flag.value}", flag.at)
        elif flag.value is None:
            raise DockerfileError(f"missing a value on flag: {flag.name}", flag.at)
        elif flag.name == "network" and flag.value not in _NETWORKS:
            raise DockerfileError(f'invalid network mode "{flag.value}"', flag.at)
        elif flag.name == "security" and flag.value not in _SECURITY:
            raise DockerfileError(f'security "{flag.value}" is not valid', flag.at)
        elif flag.name == "mount":
            _check_mount(flag.value, flag.at)


def _check_mount(value: str, at: int) -> None:
    """What BuildKit checks of a mount before it knows any variable: that it is CSV, and a fixed `from`."""
    if not value:
        raise DockerfileError("failed to parse csv mounts: EOF", at)
    for field in mount_fields(value, at):
        key, _, setting = field.partition("=")
        if key.lower() == "from" and re.search(r"\$.", setting):
            raise DockerfileError(f"'{key.lower()}' doesn't support variable expansion, define alias stage instead", at)


def _check_from(node: Instruction) -> None:
    words = node.arguments
    if len(words) == 3 and words[1].value.lower() == "as":
        if not _STAGE_NAME.match(words[2].value.lower()):
            raise DockerfileError(
                f"invalid name for build stage: {go_quote(words[2].value)}, "
                "name can't start with a number or contain symbols",
                words[2].at,
            )
    elif len(words) != 1:
        raise DockerfileError("FROM requires either one or three arguments", node.at)


def _check_healthcheck(node: Instruction) -> None:
    if not node.kind:
        raise _least_one(node)
    kind = node.kind.upper()
    if kind == "NONE":
        if node.arguments:
            raise DockerfileError("HEALTHCHECK NONE takes no arguments", node.at)
        return
    if kind != "CMD":
        raise DockerfileError(f"Unknown type {go_quote(kind)} in HEALTHCHECK (try CMD)", node.keyword_at)
    if not node.arguments:
        raise DockerfileError("Missing command after HEALTHCHECK CMD", node.at)
    for flag in node.flags:
        if not flag.value:
            continue
        if flag.name == "retries":
            retries = whole_number(flag.value.lstrip("+-")) if re.match(r"[-+]?\d+\Z", flag.value) else 2**31
            if retries >= 2**31:
                raise DockerfileError(f'strconv.ParseInt: parsing "{flag.value}": invalid syntax', flag.at)
            if flag.value[0] == "-" and retries:
                raise DockerfileError(f"--retries cannot be negative (-{retries})", flag.at)
        elif not _DURATION.match(flag.value):
            what = "missing unit in" if re.match(r"[-+]?[\d.]+\Z", flag.value) else "invalid"
            raise DockerfileError(f'time: {what} duration "{flag.value}"', flag.at)
        elif 0 < _milliseconds(flag.value) < 1 or flag.value.startswith("-"):
            raise DockerfileError(f'Interval "{flag.name}" cannot be less than 1ms', flag.at)


_UNIT = {"ns": 1e-6, "us": 1e-3, "µs": 1e-3, "μs": 1e-3, "ms": 1.0, "s": 1e3, "m": 6e4, "h": 3.6e6}


def _milliseconds(duration: str) -> float:
    return sum(
        float(n) * _UNIT[unit] for n, unit in re.findall(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h)", duration)
    )
