"""The passes: one file each. A new file here is found by itself; `base` and names with a leading "_" are none."""

from __future__ import annotations

import os

_loaded = False


def load() -> None:
    """Imports every pass beside this file, once."""
    global _loaded
    if _loaded:
        return
    _loaded = True
    for entry in sorted(os.listdir(os.path.dirname(__file__))):
        stem, _, suffix = entry.partition(".")
        if suffix == "py" and stem != "base" and not stem.startswith("_"):
            __import__(f"dfopt.passes.{stem}")
