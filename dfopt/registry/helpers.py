"""Credential helper programs (`docker-credential-NAME get`): run with a time limit, their output never shown.

The protocol is that of docker-credential-helpers: the server's address on stdin, and on stdout either one JSON object
with `Username` and `Secret`, or a message and a status that is not zero. The user name `<token>` marks the secret as an
identity token.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import threading

from dfopt.guard import Guarded
from dfopt.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

# What helpers say when they have nothing for an address (docker-credential-helpers, credentials/error.go).
_NOT_FOUND = (b"credentials not found in native keychain", b"no credentials server URL", b"no credentials username")
_NAME = re.compile(r"[A-Za-z0-9_.+-]+")
_OUTPUT_LIMIT = 1 << 20  # bytes; an answer is some hundred


class HelperError(Exception):
    """A helper gave no usable answer. The message names the helper and never what it printed."""


class HelperAnswer(Record):
    """What a helper knows about an address; the name and the secret stay out of every representation."""

    username: str
    secret: str

    def __repr__(self) -> str:
        return "HelperAnswer(username='***', secret='***')"


def ask_helper(name: str, server: str, env: Mapping[str, str], limit: float) -> HelperAnswer | None:
    """Asks `docker-credential-NAME` for `server`; None: it has nothing. `limit`: seconds.

    Raises HelperError: not on PATH, time limit, failure, or an answer that cannot be read.
    """
    if not _NAME.fullmatch(name):
        raise HelperError("a credential helper's name may hold letters, digits and . _ + - only")
    program = f"docker-credential-{name}"
    executable = shutil.which(program, path=env.get("PATH", os.defpath))
    if executable is None:
        raise HelperError(f"credential helper {program} is not on PATH")
    status, output = _run(executable, program, server, env, limit)
    if status != 0:
        if any(text in output for text in _NOT_FOUND):
            return None
        raise HelperError(f"credential helper {program} failed with status {status}")
    return _read_answer(program, output)


def _read_answer(program: str, output: bytes) -> HelperAnswer | None:
    try:
        answer = json.loads(output)
    except (ValueError, RecursionError):  # ValueError: broken JSON or broken UTF-8
        raise HelperError(f"credential helper {program} printed no JSON") from None
    if not isinstance(answer, dict):
        raise HelperError(f"credential helper {program} printed no JSON object")
    username, secret = answer.get("Username", ""), answer.get("Secret", "")
    if not isinstance(username, str) or not isinstance(secret, str):
        raise HelperError(f"credential helper {program} printed a Username or Secret that is no text")
    return HelperAnswer(username, secret) if secret else None


def _run(path: str, program: str, server: str, env: Mapping[str, str], limit: float) -> tuple[int, bytes]:
    """Status and at most 1 MiB of output. On the time limit the whole process group is killed.

    The output is read by a thread that may be left behind: a grandchild that took the pipe into a separate session
    would otherwise hold us for as long as it lives. A separate session also keeps a helper from asking on our
    terminal.
    """
    try:
        child = subprocess.Popen(
            [path, "get"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=dict(env),
            start_new_session=True,
        )
    except OSError as error:
        raise HelperError(f"credential helper {program} cannot be run: {error.strerror}") from None
    guarded = Guarded(child, leads=os.name == "posix")
    read: list[bytes] = []

    def talk() -> None:
        with contextlib.suppress(OSError, ValueError):
            assert child.stdin is not None
            assert child.stdout is not None
            with contextlib.suppress(BrokenPipeError), child.stdin:
                child.stdin.write(server.encode() + b"\n")
            with child.stdout:
                read.append(child.stdout.read(_OUTPUT_LIMIT + 1))

    reader = threading.Thread(target=talk, name=program, daemon=True)
    reader.start()
    try:
        reader.join(limit)
        if reader.is_alive():
            raise HelperError(f"credential helper {program} gave no answer in {limit:g} s")
        output = b"".join(read)
        if len(output) > _OUTPUT_LIMIT:
            raise HelperError(f"credential helper {program} printed more than {_OUTPUT_LIMIT} bytes")
        try:
            return child.wait(limit), output
        except subprocess.TimeoutExpired:
            raise HelperError(f"credential helper {program} did not end in {limit:g} s") from None
    finally:
        if child.poll() is None:
            _kill(child)
        guarded.forget()


def _kill(child: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(OSError):
        if os.name == "posix":
            os.killpg(child.pid, signal.SIGKILL)  # the child leads its group, see start_new_session
        else:
            child.kill()
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(1)
