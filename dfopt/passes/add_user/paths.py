"""Which directories may belong to a user."""

from __future__ import annotations

# Where every user may write
SHARED = ("/tmp", "/dev", "/proc/self", "/var/tmp", "/run/lock", "/dev/shm")
_SYSTEM = frozenset(
    ("/", "/bin", "/boot", "/dev", "/etc", "/home", "/lib", "/lib64", "/media", "/mnt", "/opt", "/proc", "/root",
     "/run", "/sbin", "/srv", "/sys", "/tmp", "/usr", "/usr/bin", "/usr/lib", "/usr/local", "/usr/local/bin",
     "/usr/local/lib", "/usr/local/sbin", "/usr/local/share", "/usr/sbin", "/usr/share", "/usr/src", "/var",
     "/var/cache", "/var/lib", "/var/log", "/var/run", "/var/tmp", "/var/www")
)  # fmt: skip
_BELOW = (
    "/bin/", "/sbin/", "/etc/", "/lib/", "/proc/", "/sys/", "/dev/", "/root/", "/usr/bin/", "/usr/sbin/", "/usr/lib/",
)  # fmt: skip


def may_own(path: str) -> bool:
    """Whether a directory can be given to a user without giving away a part of the system."""
    return path not in _SYSTEM and not below_system(path)


def below_system(path: str) -> bool:
    """Whether a directory lies among the system's own files."""
    return path not in _SYSTEM and path.startswith(_BELOW)
