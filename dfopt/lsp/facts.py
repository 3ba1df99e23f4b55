"""Facts for a document that need no network."""

from __future__ import annotations

from dfopt.passes.base import Facts


def facts_for(path: str) -> Facts | None:
    """Facts for the Dockerfile at `path`."""
    return None
