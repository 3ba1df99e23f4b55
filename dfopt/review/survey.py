"""One walk over the merged file system: leftovers by kind, privileged files, and the kinds of dead bytes.

File capabilities: capabilities(7) and the kernel's include/uapi/linux/capability.h (struct vfs_ns_cap_data).
"""

from __future__ import annotations

import re
import struct

from dfopt.image.errors import printable
from dfopt.image.layers import DIRECTORY, FILE
from dfopt.knowledge import table
from dfopt.record import Record
from dfopt.review.model import DeadGroup, Leftover, Privileged

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.image.ledger import Dead, Ledger

_EXAMPLES = 5
_SETUID, _SETGID, _STICKY, _ALL_WRITE, _GROUP_RUN = 0o4000, 0o2000, 0o1000, 0o002, 0o010
_CAPABILITIES = (
    "chown", "dac_override", "dac_read_search", "fowner", "fsetid", "kill", "setgid", "setuid", "setpcap",
    "linux_immutable", "net_bind_service", "net_broadcast", "net_admin", "net_raw", "ipc_lock", "ipc_owner",
    "sys_module", "sys_rawio", "sys_chroot", "sys_ptrace", "sys_pacct", "sys_admin", "sys_boot", "sys_nice",
    "sys_resource", "sys_time", "sys_tty_config", "mknod", "lease", "audit_write", "audit_control", "setfcap",
    "mac_override", "mac_admin", "syslog", "wake_alarm", "block_suspend", "audit_read", "perfmon", "bpf",
    "checkpoint_restore",
)  # fmt: skip


class ImageSurvey(Record):
    """leftovers and privileged of the merged file system; dead_kinds: by position in the ledger's `dead`, the leftover
    kind that the dead file was."""

    leftovers: tuple[Leftover, ...]
    privileged: tuple[Privileged, ...]
    dead_kinds: dict[int, str]


class Kinds:
    """The kinds of knowledge/leftovers.toml: `of(path)` is the name of the first that fits, or ""."""

    def __init__(self) -> None:
        self.kinds = table("leftovers")["kind"]
        self._names = list(self.kinds)
        groups = [f"({'|'.join(kind['paths'])})" for kind in self.kinds.values()]
        self._pattern = re.compile("|".join(groups), re.DOTALL)

    def of(self, path: str) -> str:
        match = self._pattern.fullmatch(path)
        return self._names[(match.lastindex or 1) - 1] if match is not None else ""


def survey(ledger: Ledger) -> ImageSurvey:
    kinds = Kinds()
    sums: dict[tuple[str, int], list[tuple[int, str]]] = {}
    privileged: list[Privileged] = []
    counted: set[int] = set()
    for path, node in ledger.files():
        entry, inode = node.entry, node.inode
        if entry.mode & (_SETUID | _SETGID | _ALL_WRITE) or entry.xattrs:
            privileged += _rights(path, entry.kind, entry.mode, f"{entry.uid}:{entry.gid}", entry.xattrs, node.layer)
        if inode is None or not inode.entry.size:
            continue
        if inode.links > 1:
            if id(inode) in counted:
                continue
            counted.add(id(inode))
        if kind := kinds.of(path):
            sums.setdefault((kind, inode.layer), []).append((inode.entry.size, path))
    order = list(kinds.kinds)
    leftovers = [
        _leftover(kind, layer, files, kinds.kinds[kind])
        for (kind, layer), files in sorted(sums.items(), key=lambda item: (order.index(item[0][0]), item[0][1]))
    ]
    dead_kinds = {number: kind for number, dead in enumerate(ledger.dead) if (kind := kinds.of(dead.path))}
    return ImageSurvey(tuple(leftovers), tuple(privileged), dead_kinds)


def _leftover(kind: str, layer: int, files: list[tuple[int, str]], row: dict[str, object]) -> Leftover:
    passes, advice = row["passes"], row["advice"]
    assert isinstance(passes, list)
    return Leftover(
        kind, str(row["title"]), str(row["level"]), layer, sum(size for size, _ in files), len(files),
        _largest(files), tuple(passes), str(advice),
    )  # fmt: skip


def _largest(files: list[tuple[int, str]]) -> tuple[str, ...]:
    return tuple(printable(path) for _, path in sorted(files, key=lambda file: (-file[0], file[1]))[:_EXAMPLES])


def _rights(
    path: str, kind: str, mode: int, owner: str, xattrs: dict[str, bytes] | None, layer: int
) -> list[Privileged]:
    privileged = []
    octal = f"{mode:04o}"
    if kind == FILE:
        if mode & _SETUID:
            privileged.append(Privileged("setuid", path, octal, owner, layer))
        if mode & _SETGID and mode & _GROUP_RUN:  # without group execute it used to mean mandatory locking
            privileged.append(Privileged("setgid", path, octal, owner, layer))
        if mode & _ALL_WRITE:
            privileged.append(Privileged("world-writable", path, octal, owner, layer))
        raw = (xattrs or {}).get("security.capability")
        if raw is not None:
            privileged.append(Privileged("capability", path, capabilities(raw), owner, layer))
    elif kind == DIRECTORY and mode & _ALL_WRITE and not mode & _STICKY:
        privileged.append(Privileged("world-writable", path, octal, owner, layer))
    return privileged


def capabilities(raw: bytes) -> str:
    """A value of security.capability in the words of getcap(8): `cap_net_raw=ep`; "unreadable" for another format."""
    if len(raw) < 12:
        return "unreadable"
    magic = struct.unpack_from("<I", raw)[0]
    pairs = {0x01000000: 1, 0x02000000: 2, 0x03000000: 2}.get(magic & 0xFF000000, 0)
    if not pairs or len(raw) < 4 + 8 * pairs:
        return "unreadable"
    permitted = inheritable = 0
    for number in range(pairs):
        low, high = struct.unpack_from("<II", raw, 4 + 8 * number)
        permitted |= low << (32 * number)
        inheritable |= high << (32 * number)
    by_flags: dict[str, list[str]] = {}
    for bit in range(64):
        flags = ""
        if permitted >> bit & 1:
            flags = ("e" if magic & 1 else "") + ("i" if inheritable >> bit & 1 else "") + "p"
        elif inheritable >> bit & 1:
            flags = "i"
        if flags:
            name = f"cap_{_CAPABILITIES[bit]}" if bit < len(_CAPABILITIES) else f"cap_{bit}"
            by_flags.setdefault(flags, []).append(name)
    text = " ".join(f"{','.join(names)}={flags}" for flags, names in by_flags.items())
    if magic & 0xFF000000 == 0x03000000 and len(raw) >= 24 and (root := struct.unpack_from("<I", raw, 20)[0]):
        text += f" [root user {root}]"
    return text or "none"


def dead_groups(ledger: Ledger) -> tuple[DeadGroup, ...]:
    """The dead bytes by storing layer, killing layer and cause, largest first."""
    groups: dict[tuple[int, int, str], list[Dead]] = {}
    for dead in ledger.dead:
        groups.setdefault((dead.producer, dead.killer, dead.kind), []).append(dead)
    dead_groups = [
        DeadGroup(
            *key, sum(file.size for file in files), len(files), _largest([(file.size, file.path) for file in files])
        )
        for key, files in groups.items()
    ]
    return tuple(sorted(dead_groups, key=lambda group: (-group.size, group.producer, group.killer, group.kind)))
