"""The version of the installed distribution, and what tells two states of its code apart."""

from __future__ import annotations


def version() -> str:
    """The version from the package's metadata, the one place that holds it ("unknown" when not installed)."""
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as installed

    try:
        return installed("dfopt")
    except PackageNotFoundError:
        return "unknown"


_fingerprint = ""


def fingerprint() -> str:
    """A digest of the version and of all code and tables of the package: what a cached result depends on beside its
    input. Takes some milliseconds, once."""
    global _fingerprint
    if not _fingerprint:
        import os
        from hashlib import sha256

        from dfopt.files import read_regular

        made = sha256(version().encode())
        top = os.path.dirname(__file__)
        for directory, directories, files in os.walk(top):
            directories.sort()
            for name in sorted(files):
                if name.endswith((".py", ".toml", ".j2")):
                    path = os.path.join(directory, name)
                    made.update(os.path.relpath(path, top).replace(os.sep, "/").encode())
                    made.update(sha256(read_regular(path)).digest())
        _fingerprint = made.hexdigest()
    return _fingerprint
