"""Runs inputs in this process, one after the other, each in a directory of its own, and says what is wrong with each.

Meant for a child process: it changes the working directory, the environment, the limits and the standard streams.
"""

from __future__ import annotations

import faulthandler
import io
import json
import os
import re
import resource
import shutil
import signal
import stat
import sys
import tempfile
import time
import traceback
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from tests.tools.fuzz.model import Input, Outcome

SECONDS = 20  # of CPU time for one input; the inputs are small
MEMORY = 2 << 30  # bytes more than an empty process takes
FILE_SIZE = 256 << 20
STATUSES = frozenset((0, 1, 2))
NODES = ("fifo", "directory", "loop", "outside", "device", "unreadable")
_RAW = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]")
_TRACE = re.compile(r'File "[^"]*/dfopt/([^"]+)", line (\d+),? in (\S+)')


def make_directory(given: Input, place: Path, registry: str) -> None:
    """Puts the files of an input into a new directory."""
    for path, content in given.files.items():
        file = place / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.replace(b"@REGISTRY@", registry.encode()))
    for path, kind in given.nodes.items():
        file = place / path
        file.parent.mkdir(parents=True, exist_ok=True)
        if file.is_file():
            file.unlink()
        if kind == "fifo":
            os.mkfifo(file)
        elif kind == "directory":
            file.mkdir(exist_ok=True)
        elif kind == "loop":
            file.symlink_to(file.name)
        elif kind == "outside":
            file.symlink_to("/etc/hostname")
        elif kind == "device":
            file.symlink_to("/dev/zero")
        else:
            file.write_bytes(b"x\n")
            file.chmod(0)


def snapshot(place: Path) -> dict[str, tuple[object, ...]]:
    """Every path below a directory: its kind, mode, and content or target."""
    found: dict[str, tuple[object, ...]] = {}
    for where, directories, files in os.walk(place):
        for name in (*directories, *files):
            path = os.path.join(where, name)
            mode = os.lstat(path).st_mode
            content: object = None
            if stat.S_ISREG(mode):
                with open(path, "rb") as file:
                    content = file.read()
            elif stat.S_ISLNK(mode):
                content = os.readlink(path)
            found[os.path.relpath(path, place)] = (mode, content)
    return found


class Execution:
    """Runs inputs below `work`. `trace`: where the stacks of a process that is stopped are written."""

    def __init__(self, work: Path, registry: str, trace: Path) -> None:
        self.work = work
        self.registry = registry
        self.number = 0
        self.trace = io.FileIO(trace, "w")
        self.streams = [io.FileIO(work / name, "w+") for name in ("stdin", "stdout", "stderr")]
        faulthandler.enable(self.trace)
        faulthandler.register(signal.SIGXCPU, self.trace, all_threads=True, chain=True)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_SIZE, FILE_SIZE))
        from dfopt import request
        from dfopt.cli import entry

        self.main, self.request = entry.main, request
        programs = work / "bin"  # no engine is found: what is no archive would be built
        programs.mkdir(exist_ok=True)
        git = shutil.which("git")
        if git is not None and not (programs / "git").exists():
            (programs / "git").symlink_to(git)
        os.environ["PATH"] = str(programs)

    def run(self, given: Input, limited: bool = True) -> Outcome:
        """Runs one input, and deletes what it left. `limited`: with limits on memory and time."""
        self.number += 1
        top = self.work / f"{os.getpid()}-{self.number}"
        place, home, temporary = top / "repo", top / "home", top / "tmp"
        for directory in (place, home, temporary):
            directory.mkdir(parents=True)
        try:
            make_directory(given, place, f"{self.registry}/{top.name}")
            (self.work / "current").write_text(str(place))
            return self._run(given, place, home, temporary, limited)
        finally:
            os.chdir(self.work)
            shutil.rmtree(top, ignore_errors=True)

    def _run(self, given: Input, place: Path, home: Path, temporary: Path, limited: bool) -> Outcome:
        os.environ.update({
            "HOME": str(home), "XDG_CONFIG_HOME": str(home / ".config"), "DFOPT_CACHE_DIR": str(home / "cache"), "TMPDIR": str(temporary),
            "COLUMNS": "100", "TERM": "dumb", "DFOPT_TRACEBACK": "1", "REGISTRY_AUTH_FILE": str(place / "auth.json"),
            "CONTAINERS_REGISTRIES_CONF": str(place / "registries.conf"), "DOCKER_CONFIG": str(place / "docker"),
        })  # fmt: skip
        os.environ.pop("DOCKER_HOST", None)
        tempfile.tempdir = None
        self.request._stdin = None  # what a process reads once
        before = snapshot(place)
        stdin, stdout, stderr = self.streams
        for stream in self.streams:
            stream.seek(0)
            stream.truncate()
        stdin.write(given.stdin)
        stdin.seek(0)
        for number, stream in enumerate(self.streams):
            os.dup2(stream.fileno(), number)
        sys.stdin = io.TextIOWrapper(io.FileIO(0, closefd=False))
        sys.stdout = io.TextIOWrapper(io.BufferedWriter(io.FileIO(1, "w", closefd=False)), "utf-8")
        sys.stderr = io.TextIOWrapper(io.BufferedWriter(io.FileIO(2, "w", closefd=False)), "utf-8", line_buffering=True)
        os.chdir(place)
        start = time.process_time()
        if limited:
            resource.setrlimit(resource.RLIMIT_CPU, (int(start) + 1 + SECONDS, resource.RLIM_INFINITY))
            resource.setrlimit(resource.RLIMIT_AS, (_virtual() + MEMORY, resource.RLIM_INFINITY))
        argv = [word.replace("@REGISTRY@", f"{self.registry}/{place.parent.name}") for word in given.argv]
        failure, details, status = "", "", 0
        try:
            status = self.main(argv)
        except SystemExit as ending:
            status = ending.code if isinstance(ending.code, int) else int(ending.code is not None)
        except MemoryError:
            failure, details = "memory", traceback.format_exc()
        except BaseException as problem:
            details = traceback.format_exc()
            failure = f"traceback: {type(problem).__name__} {_place(details)}"
        finally:
            resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        cpu = time.process_time() - start
        for text in (sys.stdout, sys.stderr):
            text.flush()
        said, errors = _content(stdout), _content(stderr)
        if not failure:
            failure, details = judge(given, status, said, errors, before, place, temporary)
        messages = frozenset(_kind(line) for line in errors.decode("utf-8", "replace").splitlines()[:50])
        return Outcome(status, failure, details + _shown(errors), messages, cpu)


def _virtual() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[0]) * resource.getpagesize()


def _content(stream: io.FileIO) -> bytes:
    return os.pread(stream.fileno(), FILE_SIZE, 0)


def _place(text: str) -> str:
    found = _TRACE.findall(text)
    return f"{found[-1][0]}:{found[-1][2]}" if found else "?"


def _kind(line: str) -> str:
    """A message without what differs from input to input."""
    line = re.sub(r"\S*[/.]\S*", "F", line)
    return re.sub(r"""\d+|'[^']*'|"[^"]*"|`[^`]*`""", "N", line)[:120]


def _shown(errors: bytes) -> str:
    return "\n" + errors[-3000:].decode("utf-8", "backslashreplace")


def judge(
    given: Input,
    status: int,
    said: bytes,
    errors: bytes,
    before: dict[str, tuple[object, ...]],
    place: Path,
    temporary: Path,
) -> tuple[str, str]:
    """The class of failure of a run that ended by itself ("": none), and what shows it."""
    if status not in STATUSES and not (given.reader == "lsp" and status == 1):
        return f"exit status {status}", ""
    for stream in (said, errors):
        for mark in (b"internal error", b"Traceback (most recent call last)"):
            at = stream.find(mark)
            if at >= 0 and not any(mark in content for content in (*given.files.values(), given.stdin)):
                text = stream[at : at + 4000].decode("utf-8", "replace")
                return f"{mark.decode()} {_place(text)}", text
    if re.search(rb"\.py:\d+: \w*Warning: ", errors):
        return "a warning of Python's", errors.decode("utf-8", "replace")
    if raw := _RAW.search(errors):
        return "a raw control character on standard error", repr(errors[max(0, raw.start() - 200) : raw.end() + 100])
    form = given.argv[given.argv.index("--output-format") + 1] if "--output-format" in given.argv else ""
    if form in ("json", "sarif", "gitlab", "junit") and said:
        try:
            ElementTree.fromstring(said) if form == "junit" else json.loads(said)
        except (ValueError, ElementTree.ParseError) as problem:
            return f"{form} that no reader takes", f"{problem}: {said[:1000]!r}"
    elif form in ("concise", "github", "text") and given.argv[0] == "check" and (raw := _RAW.search(said)):
        return "a raw control character on standard output", repr(said[max(0, raw.start() - 200) : raw.end() + 100])
    left = sorted(os.listdir(temporary))
    if left:
        return "a temporary file stays", str(left)
    after = snapshot(place)
    changed = sorted(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))
    if any(".dfopt-" in path and path.endswith(".tmp") for path in changed):
        return "a temporary file stays", str(changed)
    if changed and not given.writes:
        return "a command that only reads changed files", str(changed)
    if status == 2 and given.argv[0] != "pin":  # whose errors are of images: it pins the others
        blamed = set(re.findall(rb"^(.+?)(?::\d+)*: error: ", errors, re.M))
        wrong = [path for path in changed if os.fsencode(path) in blamed and path in before]
        if wrong:
            return "an erroneous file is changed", str(wrong)
    return "", ""


__all__ = ["NODES", "Execution", "make_directory"]
