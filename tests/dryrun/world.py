"""The base images of the dry run: one per family, in which nothing is real but shells and file commands.

Which family an image has is told by its name, and by the package managers that the RUNs on top of it call: not by
dfopt's own table of images, whose errors would be the judge's as well."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

from dfopt.knowledge import load_toml

from . import effects
from .sandbox import Sandbox, SandboxError, stand_in
from .tree import Hashes

DEBIAN, ALPINE, RHEL = "debian", "alpine", "rhel"
TABLE: dict[str, Any] = load_toml((Path(__file__).parent / "worlds.toml").read_bytes())
_FAMILIES = (ALPINE, RHEL, DEBIAN)  # in the order in which names are tried
_LEFT_OUT = frozenset(TABLE["left-out"].split())
_CHECKSUMS: list[str] = TABLE["checksums"]


def family(image: str, bodies: str) -> str:
    """The family of an image, by a row of the table, the text of the RUNs on top of it, else by its name."""
    for known in _brought(image, "families"):
        return known
    found = [name for name in _FAMILIES if re.search(TABLE[name]["manager"], bodies)]
    if len(found) == 1:
        return found[0]
    return next(name for name in _FAMILIES if re.search(TABLE[name]["names"], image))


def image_programs(image: str) -> tuple[str, ...]:
    """The paths of the programs that an image of a name brings."""
    return _brought(image, "programs")


def open_directories(image: str) -> tuple[str, ...]:
    """The directories that an image of a name has for anybody to write in."""
    return _brought(image, "open")


def absent_paths(image: str) -> tuple[str, ...]:
    """The paths of its family's base that an image of a name has not."""
    return _brought(image, "absent")


def _brought(image: str, key: str) -> tuple[str, ...]:
    return tuple(path for row in TABLE["images"] if re.search(row["names"], image) for path in row.get(key, ()))


_PASSWD = """root:x:0:0:root:/root:{shell}
daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
bin:x:2:2:bin:/bin:/usr/sbin/nologin
sys:x:3:3:sys:/dev:/usr/sbin/nologin
games:x:5:60:games:/usr/games:/usr/sbin/nologin
man:x:6:12:man:/var/cache/man:/usr/sbin/nologin
mail:x:8:8:mail:/var/mail:/usr/sbin/nologin
{more}nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
"""
_GROUP = """root:x:0:
daemon:x:1:
bin:x:2:
sys:x:3:
adm:x:4:
tty:x:5:
mail:x:8:
wheel:x:10:
sudo:x:27:
audio:x:29:
video:x:44:
staff:x:50:
users:x:100:
{more}"""


def _libraries(programs: list[str]) -> set[str]:
    shown = subprocess.run(["ldd", *programs], capture_output=True, text=True, check=False).stdout
    return set(re.findall(r"^\t(?:\S+ => )?(/\S+) \(", shown, re.MULTILINE))


def _applets() -> list[str]:
    return subprocess.run(["busybox", "--list"], capture_output=True, text=True, check=True).stdout.split()


def _without(busybox: bytes, applets: list[str], left_out: frozenset[str]) -> bytes:
    """busybox without some applets: Debian's shell runs its own before it looks into PATH, where stand-ins are.

    Its table of names is sorted and searched by halves; a name gives way to another of its length that keeps the
    order."""
    table = b"\0".join(name.encode() for name in applets)
    if busybox.count(table) != 1:
        raise SandboxError("busybox has no table of applets where one is expected")
    names = [*applets, "\x7f"]
    for number, name in enumerate(applets):
        low = names[number - 1] if number else ""
        others = (name[:-1] + chr(code) for code in range(33, 127))
        if name in left_out:
            names[number] = next((other for other in others if low < other < names[number + 1] and other != name), name)
    return busybox.replace(table, b"\0".join(name.encode() for name in names[:-1]))


def _gnu_programs() -> list[str]:
    """The paths of this machine's own file commands, where it is a Debian one; else none, and busybox serves."""
    if shutil.which("dpkg-query") is None:
        return []
    shown = subprocess.run(["dpkg-query", "-L", *TABLE["gnu"]], capture_output=True, text=True, check=False).stdout
    paths = [path for path in shown.split("\n") if re.fullmatch(r"(/usr)?/s?bin/[^/]+", path)]
    found: dict[str, str] = {}
    for path in paths:
        name = os.path.basename(path)
        if name not in _LEFT_OUT - {"find"} and os.path.isfile(path):
            found[name] = path
    return sorted(found.values())


class Worlds:
    """The base images of one sandbox, made when they are first asked for."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.hashes: Hashes = {}
        self._made: dict[str, str] = {}
        effects.write(Path("dry/effects"))
        self._shells()
        sandbox.protect([f"dry/{name}" for name in ("stub", "sudo", "busybox", "shells", "real", "effects")])

    def _shells(self) -> None:
        """Real shells and checksum programs, which every world may use, at /.dry."""
        Path("dry/shells").mkdir()
        Path("dry/real").mkdir()
        for name in ("bash", "dash"):
            shutil.copy(shutil.which(name) or name, f"dry/shells/{name}")
        plain = Path(shutil.which("busybox") or "busybox").read_bytes()
        Path("dry/busybox").write_bytes(_without(plain, _applets(), _LEFT_OUT))
        Path("dry/busybox").chmod(0o755)
        for name in ("ash", "zsh"):  # no zsh here: ash comes nearest
            os.symlink("/.dry/busybox", f"dry/shells/{name}")
        shutil.copy(shutil.which("find") or "find", "dry/real/find")  # Debian's busybox has a lesser one than Alpine's
        for name in _CHECKSUMS:
            os.symlink("/.dry/busybox", f"dry/real/{name}")

    def base(self, family_name: str) -> str:
        """The layer of a family's base image."""
        if family_name not in self._made:
            name = f"worlds/{family_name}"
            self._build(Path(name), family_name)
            self._made[family_name] = name
        return self._made[family_name]

    def _build(self, root: Path, name: str) -> None:
        merged = name != ALPINE
        row = TABLE[name]
        for directory in (*TABLE["all"]["directories"].split(), *row["directories"].split()):
            (root / directory).mkdir(parents=True, exist_ok=True)
        for link in ("bin", "sbin", "lib", "lib64") if merged else ():
            os.symlink(f"usr/{link}", root / link)
        for path in ("tmp", "var/tmp"):
            (root / path).chmod(0o1777)
        (root / "root").chmod(0o700)
        (root / "var/run").symlink_to("/run")
        if name == DEBIAN:
            (root / "etc/localtime").symlink_to("/usr/share/zoneinfo/Etc/UTC")
        texts = {
            **TABLE["all"]["files"],
            **row["files"],
            "etc/passwd": _PASSWD.format(shell=row["root-shell"], more=row["users"].lstrip()),
            "etc/group": _GROUP.format(more=row["groups"]),
        }
        for path, text in texts.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text)
        for path, number in (("null", 3), ("zero", 5), ("full", 7), ("random", 8), ("urandom", 9)):
            os.mknod(root / "dev" / path, 0o20666, os.makedev(1, number))
            os.chmod(root / "dev" / path, 0o666)
        for path, target in (
            ("fd", "/proc/self/fd"),
            ("stdin", "/proc/self/fd/0"),
            ("stdout", "/proc/self/fd/1"),
            ("stderr", "/proc/self/fd/2"),
        ):
            (root / "dev" / path).symlink_to(target)
        self._programs(root, name)

    def _programs(self, root: Path, name: str) -> None:
        gnu = [] if name == ALPINE else _gnu_programs()
        for path in gnu:
            target = root / "usr/bin" / os.path.basename(path)
            shutil.copy(path, target)
        real = [shutil.which(program) or program for program in ("bash", "dash", "find")]
        for library in _libraries([*gnu, *real]):
            target = root / library[1:]
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(library, target)
        for applet in _applets():
            target = root / "bin" / applet
            if applet not in _LEFT_OUT and not target.exists() and not target.is_symlink():
                target.symlink_to("/.dry/busybox")
        if name == ALPINE:
            (root / "bin/find").symlink_to("/.dry/real/find")
        (root / "bin/sh").unlink()
        for shell in ("bash", "dash"):
            (root / "bin" / shell).unlink(missing_ok=True)
        for shell in TABLE[name]["shells"]:
            shutil.copy(shutil.which(shell) or shell, root / "bin" / shell)
        (root / "bin/sh").symlink_to(TABLE[name]["sh"])
        for program in (*TABLE["all"]["programs"], *_CHECKSUMS, *TABLE[name]["programs"]):
            target = root / "usr/bin" / program
            if not target.exists() and not target.is_symlink():
                stand_in(target)
