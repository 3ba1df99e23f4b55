"""The version of the installed distribution, and what tells two states of its code apart."""

from __future__ import annotations


def version() -> str:
    """The version from the package's metadata, the one place that holds it ("unknown" when not installed)."""
    from dfopt.derived import derived

    return derived("version", installed_version, state_of_environment)


def installed_version() -> str:
    """As `version`, read anew."""
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as installed

    try:
        return installed("dfopt")
    except PackageNotFoundError:
        return "unknown"


def state_of_environment() -> object:
    """The directories that packages are imported from, with their times of change: whatever is installed, upgraded or
    removed changes one."""
    import os
    import sys

    state = []
    for path in sys.path:
        try:
            state.append((path, os.stat(path or ".").st_mtime_ns))
        except OSError:
            state.append((path, 0))
    return state


def fingerprint() -> str:
    """A digest of the version and of all code and tables of the package: what a cached result depends on beside its
    input. A wheel ships it; in a checkout it takes some milliseconds, once in a process."""
    global _fingerprint
    if not _fingerprint:
        from dfopt.derived import load, shipped

        try:
            _fingerprint = load(shipped(), "fingerprint")
        except KeyError:
            _fingerprint = compute_fingerprint(version())
    return _fingerprint


_fingerprint = ""


def compute_fingerprint(version: str) -> str:
    import os

    from dfopt.files import read_regular
    from dfopt.hashing import sha256

    digest = sha256(version.encode())
    top = os.path.dirname(__file__)
    for directory, directories, files in os.walk(top):
        directories.sort()
        for name in sorted(files):
            if name.endswith((".py", ".toml", ".j2")):
                path = os.path.join(directory, name)
                digest.update(os.path.relpath(path, top).replace(os.sep, "/").encode())
                digest.update(sha256(read_regular(path)).digest())
    return digest.hexdigest()
