"""The base images of the dry run: one per family, in which nothing is real but shells and file commands.

Which family an image has is told by its name, and by the package managers that the RUNs on top of it call: not by dfopt's
own table of images, whose errors would be the judge's as well.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from . import effects
from .sandbox import Sandbox, SandboxError
from .tree import Hashes

DEBIAN, ALPINE, RHEL = "debian", "alpine", "rhel"
_NAMES = (
    (ALPINE, re.compile(r"alpine|busybox|cgr\.dev|wolfi|linuxkit|bash:|/bash@")),
    (RHEL, re.compile(r"centos|fedora|rhel|ubi\d|/ubi|rocky|alma|amazonlinux|oraclelinux|openeuler|scientific|photon|"
                      r"opensuse|suse|azurelinux|mariner|amazoncorretto|manylinux")),
)  # fmt: skip
_MANAGERS = (
    (ALPINE, re.compile(r"\bapk\s+(?:-\S+\s+)*(?:add|update|del|upgrade)\b")),
    (DEBIAN, re.compile(r"\bapt(?:-get|itude)?\s+(?:-\S+\s+)*(?:install|update|upgrade)\b")),
    (RHEL, re.compile(r"\b(?:yum|dnf|microdnf|tdnf|zypper)\s+(?:-\S+\s+)*(?:install|in|update|makecache|refresh|clean)\b")),
)  # fmt: skip


def family(image: str, bodies: str) -> str:
    """The family of an image, by the text of the RUNs on top of it, else by its name."""
    found = [name for name, manager in _MANAGERS if manager.search(bodies)]
    if len(found) == 1:
        return found[0]
    return next((name for name, pattern in _NAMES if pattern.search(image)), DEBIAN)


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
_MORE_USERS = {
    DEBIAN: "www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin\nbackup:x:34:34::/var/backups:/usr/sbin/nologin\n_apt:x:42:65534::/nonexistent:/usr/sbin/nologin\n",
    ALPINE: "guest:x:405:100:guest:/dev/null:/sbin/nologin\n",
    RHEL: "adm:x:3:4:adm:/var/adm:/sbin/nologin\n",
}
_MORE_GROUPS = {
    DEBIAN: "www-data:x:33:\nnogroup:x:65534:\n",
    ALPINE: "nogroup:x:65533:\nnobody:x:65534:\n",
    RHEL: "nobody:x:65534:\n",
}
_DIRECTORIES = (
    "etc root home opt srv mnt media run dev proc sys tmp .dry usr/bin usr/sbin usr/lib usr/lib64 usr/local/bin usr/local/sbin "
    "usr/local/lib usr/local/share usr/local/etc usr/local/include usr/local/src usr/share/man usr/share/keyrings "
    "usr/share/zoneinfo usr/share/ca-certificates usr/include usr/src var/lib var/log var/tmp var/cache var/spool var/mail "
    "etc/ssl/certs etc/profile.d etc/skel etc/init.d etc/cron.d etc/default etc/security etc/logrotate.d var/spool/cron"
)
_FAMILY_DIRECTORIES = {
    DEBIAN: "var/lib/apt/lists/partial var/cache/apt/archives/partial var/lib/dpkg/info etc/apt/apt.conf.d "
    "etc/apt/sources.list.d etc/apt/preferences.d etc/apt/keyrings etc/apt/trusted.gpg.d usr/share/doc usr/share/locale "
    "etc/dpkg/dpkg.cfg.d etc/update-motd.d",
    ALPINE: "var/cache/apk lib/apk/db etc/apk/keys bin sbin lib var/www",
    RHEL: "var/cache/yum var/cache/dnf var/lib/rpm etc/yum.repos.d etc/pki/rpm-gpg etc/sysconfig etc/yum etc/dnf usr/share/doc",
}
_FILES = {
    "etc/profile": "", "root/.bashrc": "", "root/.profile": "", "etc/hosts": "127.0.0.1 localhost\n", "etc/resolv.conf": "",
    "etc/shadow": "root:*::0:::::\n", "etc/shells": "/bin/sh\n", "etc/hostname": "dry\n",
    "etc/environment": "", "etc/timezone": "Etc/UTC\n", "usr/share/zoneinfo/UTC": "UTC",
    "usr/share/zoneinfo/Etc/UTC": "UTC", "usr/share/zoneinfo/Europe/Berlin": "CET", "usr/share/zoneinfo/Asia/Shanghai": "CST",
    "usr/share/zoneinfo/America/New_York": "EST", "etc/sudoers": "", "etc/inputrc": "",
}  # fmt: skip
_FAMILY_FILES = {
    DEBIAN: {
        "etc/os-release": 'ID=debian\nNAME="Debian GNU/Linux"\nVERSION_CODENAME=trixie\nVERSION_ID="13"\nPRETTY_NAME="Debian GNU/Linux 13 (trixie)"\n',
        "etc/debian_version": "13.0\n", "etc/bash.bashrc": "", "etc/apt/sources.list": "deb http://deb.debian.org/debian trixie main\n",
        "etc/apt/sources.list.d/debian.sources": "Types: deb\nURIs: http://deb.debian.org/debian\nSuites: trixie\nComponents: main\n",
        "etc/apt/apt.conf.d/docker-clean": "", "etc/lsb-release": "DISTRIB_CODENAME=trixie\nDISTRIB_RELEASE=13\n", "etc/locale.gen": "# en_US.UTF-8 UTF-8\n",
    },
    ALPINE: {
        "etc/os-release": 'ID=alpine\nNAME="Alpine Linux"\nVERSION_ID=3.22.1\nPRETTY_NAME="Alpine Linux v3.22"\n', "etc/alpine-release": "3.22.1\n",
        "etc/ssl/certs/ca-certificates.crt": "", "etc/apk/repositories": "https://dl-cdn.alpinelinux.org/alpine/v3.22/main\n", "etc/apk/world": "",
    },
    RHEL: {
        "etc/os-release": 'ID="rocky"\nID_LIKE="rhel centos fedora"\nNAME="Rocky Linux"\nVERSION_ID="9.4"\nVERSION="9.4"\nPRETTY_NAME="Rocky Linux 9.4"\n',
        "etc/ssl/certs/ca-certificates.crt": "", "etc/redhat-release": "Rocky Linux release 9.4\n", "etc/yum.conf": "", "etc/dnf/dnf.conf": "[main]\n", "etc/system-release": "Rocky Linux release 9.4\n",
        "etc/bashrc": "", "etc/yum.repos.d/rocky.repo": "[baseos]\nenabled=0\n",
    },
}  # fmt: skip
# Real programs do what stand-ins would have to invent; these are left to stand-ins all the same: they would speak to the
# machine, need content that no stand-in has, or are packages' and accounts' own.
_LEFT_OUT = frozenset(
    [
        "mount",
        "umount",
        "reboot",
        "halt",
        "poweroff",
        "init",
        "insmod",
        "modprobe",
        "rmmod",
        "depmod",
        "lsmod",
        "mknod",
        "chroot",
        "nsenter",
        "unshare",
        "sysctl",
        "swapon",
        "swapoff",
        "hwclock",
        "losetup",
        "switch_root",
        "pivot_root",
        "ifconfig",
        "ip",
        "route",
        "wget",
        "tar",
        "unzip",
        "gunzip",
        "gzip",
        "zcat",
        "bunzip2",
        "bzcat",
        "bzip2",
        "xz",
        "xzcat",
        "unxz",
        "lzma",
        "unlzma",
        "lzcat",
        "su",
        "sulogin",
        "adduser",
        "addgroup",
        "deluser",
        "delgroup",
        "passwd",
        "chpasswd",
        "dpkg",
        "dpkg-deb",
        "rpm",
        "rpm2cpio",
        "ping",
        "ping6",
        "telnet",
        "nc",
        "ftpget",
        "ftpput",
        "httpd",
        "udhcpc",
        "syslogd",
        "klogd",
        "crond",
        "crontab",
        "getty",
        "login",
        "vi",
        "less",
        "more",
        "watch",
        "top",
        "patch",
        "md5sum",
        "sha1sum",
        "sha224sum",
        "sha256sum",
        "sha384sum",
        "sha512sum",
        "b2sum",
        "sha3sum",
        "cpio",
        "ar",
        "run-parts",
        "start-stop-daemon",
        "service",
        "update-alternatives",
        "ssl_client",
        "ldconfig",
        "busybox",
        "arch",
        "hostname",
        "find",
        "dnsdomainname",
        "loadkmap",
        "setfont",
        "chvt",
        "openvt",
        "acpid",
        "blkdiscard",
        "mkfs.ext2",
    ]
)
_CHECKSUMS = ("sha1sum", "sha224sum", "sha256sum", "sha384sum", "sha512sum", "md5sum", "b2sum")
_GNU = "coreutils findutils grep sed mawk diffutils debianutils bsdutils libc-bin util-linux-extra"
_MANAGERS_OF = {
    DEBIAN: ("apt-get", "apt", "apt-cache", "apt-key", "dpkg", "useradd", "groupadd", "usermod", "adduser", "addgroup",
             "update-alternatives", "dpkg-query", "dpkg-divert", "apt-mark", "apt-config", "dpkg-reconfigure"),
    ALPINE: ("apk", "adduser", "addgroup", "deluser", "delgroup", "wget"),
    RHEL: ("yum", "dnf", "microdnf", "rpm", "useradd", "groupadd", "usermod", "curl"),
}  # fmt: skip
_ALWAYS = ("tar", "gzip", "gunzip", "zcat", "bzip2", "xz", "su", "chpasswd", "passwd", "ldconfig", "arch", "hostname",
           "service", "run-parts", *_CHECKSUMS)  # fmt: skip


def _libraries(programs: list[str]) -> set[str]:
    shown = subprocess.run(["ldd", *programs], capture_output=True, text=True, check=False).stdout
    return set(re.findall(r"^\t(?:\S+ => )?(/\S+) \(", shown, re.MULTILINE))


def _applets() -> list[str]:
    return subprocess.run(["busybox", "--list"], capture_output=True, text=True, check=True).stdout.split()


def _without(busybox: bytes, applets: list[str], left_out: frozenset[str]) -> bytes:
    """busybox without some applets: Debian's shell runs its own before it looks into PATH, where stand-ins are.

    Its table of names is sorted and searched by halves; a name gives way to another of its length that keeps the order."""
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
    shown = subprocess.run(["dpkg-query", "-L", *_GNU.split()], capture_output=True, text=True, check=False).stdout
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
        for directory in (*_DIRECTORIES.split(), *_FAMILY_DIRECTORIES[name].split()):
            (root / directory).mkdir(parents=True, exist_ok=True)
        for link in ("bin", "sbin", "lib", "lib64") if merged else ():
            os.symlink(f"usr/{link}", root / link)
        for path in ("tmp", "var/tmp"):
            (root / path).chmod(0o1777)
        (root / "root").chmod(0o700)
        (root / "var/run").symlink_to("/run")
        if name == DEBIAN:
            (root / "etc/localtime").symlink_to("/usr/share/zoneinfo/Etc/UTC")
        shell = "/bin/ash" if name == ALPINE else "/bin/bash"
        texts = {
            **_FILES, **_FAMILY_FILES[name],
            "etc/passwd": _PASSWD.format(shell=shell, more=_MORE_USERS[name]), "etc/group": _GROUP.format(more=_MORE_GROUPS[name]),
        }  # fmt: skip
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
        sh = {DEBIAN: "dash", ALPINE: "/.dry/busybox", RHEL: "bash"}[name]
        for shell in ("bash", "dash"):
            (root / "bin" / shell).unlink(missing_ok=True)
        for shell in {DEBIAN: ("bash", "dash"), RHEL: ("bash",), ALPINE: ()}[name]:
            shutil.copy(shutil.which(shell) or shell, root / "bin" / shell)
        (root / "bin/sh").symlink_to(sh)
        for program in (*_ALWAYS, *_MANAGERS_OF[name]):
            target = root / "usr/bin" / program
            if not target.exists() and not target.is_symlink():
                target.symlink_to("/.dry/sudo" if program == "su" else "/.dry/stub")
