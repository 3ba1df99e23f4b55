"""An engine that really builds: a thin, strict wrapper around the docker command line for the tests."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from dfopt.record import Record

HERE = Path(__file__).resolve().parent
_LOG_LINES = 40
_ATTEMPTS = 3
# runc's word when the container's first process died before it was told what to run: seen once in some hundred builds
# on a loaded machine. Nothing of the Dockerfile has run then, so another attempt hides no failure of it.
_NEVER_STARTED = b"waiting for init preliminary setup"


class EngineError(Exception):
    """The engine cannot be had, or refused to build or run; the message ends with the end of its log."""


class Ran(Record):
    """How a command in a container ended. `code`: its exit status, 0 to 255."""

    code: int
    stdout: bytes
    stderr: bytes


def without_frontend(dockerfile: bytes) -> bytes:
    """`dockerfile` without its `# syntax=` line, so that the engine's built-in frontend reads it.

    A frontend named there would be pulled from a registry. `# check=` goes too where it stands among the directives:
    BuildKit 0.13 does not know it and would take no `# escape=` after it (buildkit, parser/directives.go).
    """
    kept: list[bytes] = []
    lines = dockerfile.split(b"\n")
    for position, line in enumerate(lines):
        directive = re.match(rb"#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*.+?\s*$", line)
        name = directive[1].lower() if directive else b""
        if name not in (b"syntax", b"escape", b"check"):
            return b"\n".join(kept + lines[position:])
        if name == b"escape":
            kept.append(line)
    return b"\n".join(kept)


class Engine:
    """A docker engine at `host` (a DOCKER_HOST address). Close it to remove all that it built.

    Every build, unless it is told otherwise, runs all its steps anew: two builds never share a layer by way of the
    cache, except that BuildKit runs a step once which two builds at the same time have in common. The user's docker
    configuration is not read.
    Methods may be called from several threads.
    """

    def __init__(self, host: str) -> None:
        self.host = host
        self._work = Path(tempfile.mkdtemp(prefix="dfopt-realbuild-"))
        self._tags: dict[str, list[str]] = {}
        self._logs: dict[str, str] = {}
        self._running: set[subprocess.Popen[bytes]] = set()
        # What a build sees must not depend on who runs the tests: proxies, credentials, builders, SOURCE_DATE_EPOCH.
        drop = ("DOCKER_", "BUILDX_", "BUILDKIT_", "SOURCE_DATE_EPOCH")
        self._env = {key: value for key, value in os.environ.items() if not key.startswith(drop)}
        self._env |= {"DOCKER_HOST": host, "DOCKER_CONFIG": str(self._work / "config")}
        (self._work / "config").mkdir()
        plugins = Path(os.environ.get("DOCKER_CONFIG", Path.home() / ".docker")) / "cli-plugins"
        if plugins.is_dir():
            (self._work / "config" / "cli-plugins").symlink_to(plugins)

    def check(self) -> None:
        """Raises EngineError when no engine answers at the address, or its command line has no buildx."""
        self._docker(["version"], timeout=120)
        self._docker(["buildx", "version"], timeout=120)

    def build(
        self,
        context: Path,
        dockerfile: bytes,
        *,
        target: str | None = None,
        args: Mapping[str, str] | None = None,
        stand_ins: Mapping[str, str] | None = None,
        cached: bool = False,
        secrets: Mapping[str, Path] | None = None,
        timeout: float = 600,
    ) -> str:
        """Builds `dockerfile` in the directory `context`, with the host's network; the id of the image.

        `args`: build arguments. `stand_ins`: image name in a FROM -> the local image that is taken for it.
        `secrets`: id -> file.
        `cached`: take the steps that were built before from the cache.
        Raises EngineError, with the end of the build's log, when the build fails or takes over `timeout` seconds.
        """
        name = uuid.uuid4().hex
        tag = f"dfopt-realbuild:{name}"
        file, id_file = self._work / f"{name}.Dockerfile", self._work / f"{name}.id"
        file.write_bytes(without_frontend(dockerfile))
        command = ["buildx", "build", "--builder", "default", "--network=host", "--progress=plain"]
        command += [] if cached else ["--no-cache"]
        command += ["--tag", tag, "--iidfile", str(id_file), "--file", str(file)]
        for key, value in (args or {}).items():
            command += ["--build-arg", f"{key}={value}"]
        for key, value in (stand_ins or {}).items():
            command += ["--build-context", f"{key}=docker-image://{value}"]
        for key, path in (secrets or {}).items():
            command += ["--secret", f"id={key},src={path}"]
        if target is not None:
            command += ["--target", target]
        done = self._done([*command, str(context)], timeout)
        image = id_file.read_text().strip()
        self._logs[image] = done.stderr.decode(errors="backslashreplace")
        file.unlink()
        id_file.unlink()
        self._tags.setdefault(image, []).append(tag)
        return image

    def log(self, image: str) -> str:
        """What the last build that made `image` wrote."""
        return self._logs[image]

    def save(self, *images: str) -> Path:
        """A new `docker save` archive of `images`, which the caller deletes; layers that they share are in it once."""
        archive = self._work / f"{uuid.uuid4().hex}.tar"
        self._docker(["save", "--output", str(archive), *images], timeout=600)
        return archive

    def run(self, image: str, command: str, timeout: float = 120) -> Ran:
        """Runs `command` by /bin/sh in a container of `image`, without network; the container is removed."""
        name = f"dfopt-realbuild-{uuid.uuid4().hex}"
        words = ["run", "--rm", "--name", name, "--network=none", "--entrypoint=/bin/sh", image, "-c", command]
        try:
            done = self.call(words, timeout)
        except EngineError:
            self.call(["rm", "--force", name], timeout=60)  # the client was ended, the container runs on
            raise
        if done.returncode == 125:  # docker's own status for a container that could not be made
            raise EngineError(f"docker run of {command!r} failed:\n{_tail(done.stderr)}")
        return Ran(done.returncode, done.stdout, done.stderr)

    def name(self, image: str) -> str:
        """A name of an image that `build` made and nobody removed, as `stand_ins` need one."""
        return self._tags[image][0]

    def remove(self, *images: str) -> None:
        """Removes images that `build` made. Only their own tags go: an image with another name stays under that."""
        tags = [tag for image in images for tag in self._tags.pop(image, [])]
        for image in images:
            self._logs.pop(image, None)
        if tags:
            self._docker(["image", "rm", "--force", *tags], timeout=120)

    def cancel(self) -> None:
        """Ends the commands that other threads run now; they raise EngineError."""
        for process in list(self._running):
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)

    def close(self) -> None:
        """Removes every image that was built and not removed yet, and all temporary files."""
        try:
            self.remove(*list(self._tags))
        finally:
            shutil.rmtree(self._work, ignore_errors=True)

    def _docker(self, words: Sequence[str], timeout: float) -> bytes:
        return self._done(words, timeout).stdout

    def _done(self, words: Sequence[str], timeout: float) -> subprocess.CompletedProcess[bytes]:
        done = self.call(words, timeout)
        if done.returncode != 0:
            log = _tail(done.stderr or done.stdout)
            raise EngineError(f"docker {words[0]} ended with status {done.returncode}:\n{log}")
        return done

    def call(self, words: Sequence[str], timeout: float, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        """Runs docker with `words`, and `given` on standard input; its status is the caller's to judge.

        Raises EngineError when docker cannot be run, or takes over `timeout` seconds and was ended.
        """
        for _ in range(_ATTEMPTS):
            done = self._attempt(words, timeout, given)
            if done.returncode == 0 or _NEVER_STARTED not in done.stderr:
                break
        return done

    def _attempt(self, words: Sequence[str], timeout: float, given: bytes) -> subprocess.CompletedProcess[bytes]:
        command = ["docker", *words]
        try:
            process = subprocess.Popen(
                command,
                env=self._env,
                stdin=subprocess.PIPE if given else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,  # so that buildx, docker's child, is ended with it
            )
        except OSError as error:
            raise EngineError(f"docker cannot be run: {error}") from error
        self._running.add(process)
        try:
            stdout, stderr = process.communicate(given or None, timeout=timeout)
        except BaseException as error:
            os.killpg(process.pid, signal.SIGKILL)
            _, stderr = process.communicate()
            if isinstance(error, subprocess.TimeoutExpired):
                raise EngineError(f"docker {words[0]} took over {timeout:g} s:\n{_tail(stderr)}") from None
            raise
        finally:
            self._running.discard(process)
        return subprocess.CompletedProcess(command, process.returncode, stdout, stderr)


def _tail(log: bytes) -> str:
    return "\n".join(log.decode(errors="backslashreplace").rstrip().split("\n")[-_LOG_LINES:])


class PrivateEngine:
    """The tests' own dockerd with its bases, shared by all runs of this user at a time; the last one to leave stops it.

    Every run holds a shared lock on one file; who gets the exclusive lock at the end knows that it is alone.
    """

    def __init__(self) -> None:
        cache = os.environ.get("DFOPT_REALBUILD_HOME") or Path.home() / ".cache" / "dfopt-realbuild"
        self._home = Path(cache)
        self._lock: int | None = None

    def start(self, bases: Sequence[str] | None = None) -> str:
        """Starts or finds the daemon and makes those `bases` that are missing (None: all). Its address.

        Raises EngineError; `stop` is to be called then too.
        """
        self._home.mkdir(parents=True, exist_ok=True)
        if self._lock is None:
            self._lock = os.open(self._home / "users.lock", os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_SH)
        address = self._script("start-dockerd.sh", timeout=180).strip()
        if bases is None or bases:
            make_bases(address, *(bases or ()), home=self._home)
        return address

    def stop(self) -> None:
        """Leaves the engine; stops it when nobody else uses it."""
        if self._lock is None:
            return
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pass
        else:
            self._script("stop-dockerd.sh", timeout=120)
        finally:
            os.close(self._lock)
            self._lock = None

    def _script(self, name: str, timeout: float) -> str:
        return _script(name, timeout=timeout, DFOPT_REALBUILD_HOME=str(self._home))


def make_bases(host: str, *names: str, home: Path | None = None) -> None:
    """Makes those of the bases `names` (none: all) that the engine at `host` does not have yet. Raises EngineError.

    `home`: where downloads are kept, else make-bases.sh decides.
    """
    settings = {"DFOPT_REALBUILD_HOME": str(home)} if home is not None else {}
    _script("make-bases.sh", *names, timeout=1800, DOCKER_HOST=host, PYTHON=sys.executable, **settings)


def _script(name: str, *words: str, timeout: float, **env: str) -> str:
    # Output goes to a file: a pipe that the daemon inherited would never close.
    with tempfile.TemporaryFile() as out:
        try:
            done = subprocess.run(
                [HERE / name, *words],
                env={**os.environ, **env},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=out,
                timeout=timeout,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise EngineError(f"{name}: {error}") from error
        if done.returncode != 0:
            out.seek(0)
            raise EngineError(f"{name} ended with status {done.returncode}:\n{_tail(out.read())}")
        return done.stdout.decode()


@contextmanager
def engine_of_run() -> Iterator[Engine]:
    """The engine that DFOPT_TEST_ENGINE names, else the tests' own, for as long as a command needs it. Raises
    EngineError."""
    private = PrivateEngine()
    try:
        host = os.environ.get("DFOPT_TEST_ENGINE") or private.start()
        engine = Engine(host if "://" in host else f"unix://{host}")
        try:
            yield engine
        finally:
            engine.close()
    finally:
        private.stop()
