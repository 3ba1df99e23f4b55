"""The version of the installed distribution."""

from __future__ import annotations


def version() -> str:
    """The version from the package's metadata, the one place that holds it ("unknown" when not installed)."""
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as installed

    try:
        return installed("dfopt")
    except PackageNotFoundError:
        return "unknown"
