"""Smoke tests from outside: a container is started as the image says, and asked as its users would ask it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import uuid
from pathlib import Path

from realbuild.engine import Engine, EngineError

from .apps import App, Ask, Call

_START = 30.0  # seconds that a server may take to listen
_CALL = 60.0


def smoke(engine: Engine, app: App, image: str) -> list[str]:
    """What went wrong, one line each; empty when `image` does all that the application must do.

    Every container has a network of its own with nothing but loopback; a server is asked from inside it, by a process
    of this machine (nsenter): so no port of the machine is taken, and an image needs no shell and no client.
    """
    if app.port:
        return _server(engine, app, image)
    return [failure for call in app.calls for failure in _called(engine, app, image, call)]


def _server(engine: Engine, app: App, image: str) -> list[str]:
    if shutil.which("nsenter") is None:
        raise EngineError("nsenter (util-linux) is needed to ask servers in their own network")
    name = f"dfopt-suite-{uuid.uuid4().hex}"
    started = engine.call(["run", "--detach", "--name", name, *_settings(app), image, *app.words], timeout=_CALL)
    try:
        if started.returncode != 0:
            return [f"does not start: {_last(started.stderr)}"]
        pid = engine.call(["inspect", "--format", "{{.State.Pid}}", name], timeout=_CALL).stdout.decode().strip()
        network = Path(f"/proc/{pid}/ns/net")
        client = [sys.executable, "-I", str(Path(__file__).with_name("ask.py")), str(app.port), str(_START)]
        asked = subprocess.run(
            ["nsenter", f"--net={network}", "--", *client, *(ask.path for ask in app.asks)],
            capture_output=True,
            timeout=_START + 60,
        )
        if pid == "0" or not network.exists():
            return [f"ended at once: {_logs(engine, name)}"]
        if asked.returncode != 0:
            return [f"cannot be asked: {_last(asked.stderr)}"]
        answers = json.loads(asked.stdout)
        if isinstance(answers, dict):
            return [f"{answers['error']}; its log ends: {_logs(engine, name)}"]
        return [failure for ask, answer in zip(app.asks, answers, strict=True) for failure in _judge(ask, *answer)]
    finally:
        engine.call(["rm", "--force", "--volumes", name], timeout=_CALL)


def _judge(ask: Ask, status: int, body: str) -> list[str]:
    text = body.encode("latin-1").decode(errors="backslashreplace")
    if status != ask.status:
        return [f"GET {ask.path}: status {status}, not {ask.status}"]
    if ask.body is not None and text != ask.body:
        return [f"GET {ask.path}: {text[:200]!r}, not {ask.body!r}"]
    if ask.contains is not None and ask.contains not in text:
        return [f"GET {ask.path}: no {ask.contains!r} in {text[:200]!r}"]
    return []


def _called(engine: Engine, app: App, image: str, call: Call) -> list[str]:
    name = f"dfopt-suite-{uuid.uuid4().hex}"
    entrypoint = ["--entrypoint", call.entrypoint] if call.entrypoint else []
    words = ["run", "--rm", "--interactive", "--name", name, *_settings(app), *entrypoint, image, *call.words]
    try:
        done = engine.call(words, timeout=_CALL, given=call.input.encode())
    except EngineError as error:
        engine.call(["rm", "--force", "--volumes", name], timeout=_CALL)  # the client was ended, the container runs on
        return [f"{' '.join(call.words)}: {error}"]
    what, out = " ".join(call.words) or "(no words)", done.stdout.decode(errors="backslashreplace")
    if done.returncode != call.code:
        return [f"{what}: status {done.returncode}, not {call.code}: {_last(done.stderr or done.stdout)}"]
    if call.stdout is not None and out != call.stdout:
        return [f"{what}: {out[:200]!r}, not {call.stdout!r}"]
    if call.contains is not None and call.contains not in out:
        return [f"{what}: no {call.contains!r} in {out[:200]!r}"]
    return []


def _settings(app: App) -> list[str]:
    return ["--network=none", *(f"--env={key}={value}" for key, value in app.env.items())]


def _logs(engine: Engine, name: str) -> str:
    log = engine.call(["logs", "--tail", "5", name], timeout=_CALL)
    return _last(log.stdout + log.stderr)


def _last(log: bytes) -> str:
    return " | ".join(log.decode(errors="backslashreplace").strip().split("\n")[-5:])
