"""One worker's place to run steps in: namespaces, a tmpfs, overlays, and the programs that are compiled for it.

A worker process enters the place once (`Sandbox`), and from then on has no network and mounts of its own, which end
with it. Takes root on Linux, a C compiler, busybox, dash and bash."""

from __future__ import annotations

import ctypes
import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parent
PACKAGES = "gcc libc6-dev busybox-static dash bash"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
SECONDS = 12  # of one step
_SOURCES = {"stub": ("stub.c", "packages.c", "tools.c", "accounts.c"), "enter": ("enter.c",)}
_NEWNS, _NEWUTS, _NEWIPC, _NEWNET = 0x00020000, 0x04000000, 0x08000000, 0x40000000
_READ_ONLY, _REMOUNT, _BIND, _PRIVATE, _REC, _DETACH = 1, 32, 4096, 1 << 18, 16384, 2

STAND_IN = "# a program of the image\n"  # as in stub.c: a program that came with a package, or with the base

State = tuple[str, ...]  # an image's layers, the lowest first: directories below the sandbox's root


class SandboxMissing(Exception):
    """No dry run is possible here; the message says what it needs."""


class SandboxError(Exception):
    """The machinery failed, not what ran in it."""


def programs() -> Path:
    """The directory of the compiled programs, made if they are not in the cache. Raises SandboxMissing,
    SandboxError."""
    missing = [
        name for name in ("cc", "busybox", "dash", "bash", "unshare", "ldd", "find") if shutil.which(name) is None
    ]
    if missing:
        raise SandboxMissing(f"{', '.join(missing)} not found; apt-get install {PACKAGES}")
    if os.geteuid() != 0:
        raise SandboxMissing("it needs root, for namespaces and overlays")
    probe = ["unshare", "--mount", "--net", "--ipc", "--uts", "mount", "-t", "tmpfs", "none", "/mnt"]
    run = subprocess.run(probe, capture_output=True, text=True, check=False)
    if run.returncode:
        raise SandboxMissing(f"it may not make namespaces and mounts here: {run.stderr.strip()}")
    sources = sorted(HERE.glob("*.[ch]"))
    key = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:16]
    cache = Path.home() / ".cache" / "dfopt-dryrun"
    cache.mkdir(parents=True, exist_ok=True)
    found = cache / key
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not found.is_dir():
            made = Path(tempfile.mkdtemp(dir=cache))
            for name, files in _SOURCES.items():
                command = ["cc", "-O2", "-static", "-o", str(made / name), *(str(HERE / file) for file in files)]
                run = subprocess.run(command, capture_output=True, text=True, check=False)
                if run.returncode:
                    raise SandboxError(f"{' '.join(command)}:\n{run.stderr}")
            made.replace(found)
    return found


def stand_in(path: Path, text: str = STAND_IN) -> None:
    """Puts a program there: a file of its own, so that what is written to it reaches no other. The directory of the
    process is the sandbox's."""
    if path.parent.name == "bin" and os.path.lexists(f"dry/shells/{path.name}"):  # a shell is a real one
        path.symlink_to(f"/.dry/shells/{path.name}")
        return
    path.write_text(f"#!/.dry/{'sudo' if path.name in ('sudo', 'su') else 'stub'}\n{text}")
    path.chmod(0o755)


class Sandbox:
    """The place of this process. `root` is its tmpfs and becomes the process's directory; names of layers are relative
    to it, so that an overlay of a hundred fits into the kernel's one page of options."""

    def __init__(self, compiled: Path) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._call("unshare", _NEWNS | _NEWUTS | _NEWIPC | _NEWNET)
        self._mount(b"none", b"/", None, _REC | _PRIVATE, None)
        self.root = Path(tempfile.mkdtemp(prefix="dfopt-dryrun-"))
        self._mount(b"tmpfs", str(self.root).encode(), b"tmpfs", 0, b"size=4g,mode=755")
        os.chdir(self.root)
        self._layers = 0
        self._mounts = 0
        for name in ("worlds", "l", "m", "dry/bin", "dry/hints", "dry/refuses", "none"):
            Path(name).mkdir(parents=True)
        for name in ("stub", "enter"):
            shutil.copy(compiled / name, name)
        shutil.copy("stub", "dry/stub")
        shutil.copy("stub", "dry/sudo")
        os.chmod("dry/sudo", 0o4755)
        os.chmod("dry", 0o777)

    def _call(self, name: str, *arguments: object) -> None:
        if getattr(self._libc, name)(*arguments) != 0:
            number = ctypes.get_errno()
            raise SandboxError(f"{name}: {os.strerror(number)}")

    def _mount(self, source: bytes, target: bytes, kind: bytes | None, flags: int, options: bytes | None) -> None:
        if self._libc.mount(source, target, kind, flags, options) != 0:
            number = ctypes.get_errno()
            raise SandboxError(f"mount {target.decode()} {(options or b'').decode()[:200]}: {os.strerror(number)}")

    def protect(self, paths: Sequence[str]) -> None:
        """Makes files and directories read-only: a step that writes through a link to a stand-in changes none."""
        for path in paths:
            self._mount(path.encode(), path.encode(), None, _BIND, None)
            self._mount(path.encode(), path.encode(), None, _BIND | _REMOUNT | _READ_ONLY, None)

    def layer(self) -> str:
        """A new empty layer."""
        self._layers += 1
        name = f"l/{self._layers}"
        os.mkdir(name, 0o755)
        return name

    def clear(self) -> None:
        """Drops all layers, and the stand-ins that a file's world was given."""
        shutil.rmtree("l")
        os.mkdir("l")
        for name in ("dry/bin", "dry/hints", "dry/refuses"):
            shutil.rmtree(name)
            os.mkdir(name)

    @contextmanager
    def mounted(self, state: State, upper: str = "") -> Iterator[Path]:
        """An image's files in one tree: to read, or, with a layer `upper`, to write into that."""
        self._mounts += 1
        target, work = f"m/{self._mounts}", f"l/w{self._mounts}"
        os.mkdir(target)
        below = list(reversed(state)) or ["none"]
        if not upper and len(below) == 1:
            below.append("none")
        options = f"lowerdir={':'.join(below)}"
        if upper:
            os.mkdir(work)
            options += f",upperdir={upper},workdir={work}"
        self._mount(b"overlay", target.encode(), b"overlay", 0, options.encode())
        try:
            yield Path(target)
        finally:
            self._libc.umount2(target.encode(), _DETACH)
            os.rmdir(target)
            if upper:
                shutil.rmtree(work, ignore_errors=True)

    @contextmanager
    def bound(self, source: Path, target: Path) -> Iterator[None]:
        self._mount(str(source).encode(), str(target).encode(), None, _BIND | _REC, None)
        try:
            yield
        finally:
            self._libc.umount2(str(target).encode(), _DETACH)

    def run(
        self,
        root: Path,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        cwd: str,
        uid: int,
        gid: int,
        seconds: int = SECONDS,
    ) -> tuple[int, str]:
        """A command in a tree: its exit status (124: too slow), and the end of what it printed."""
        path = environment.get("PATH", PATH)
        given = {**environment, "PATH": f"{path}:/.dry/bin"}
        with tempfile.TemporaryFile() as output, self.bound(Path("dry"), root / ".dry"):
            status = subprocess.run(
                ["./enter", str(root), cwd, str(uid), str(gid), str(seconds), *arguments],
                env=given, stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False,
            ).returncode  # fmt: skip
            size = output.seek(0, os.SEEK_END)
            output.seek(max(0, size - 6000))
            return status, output.read().decode("utf-8", "replace")
