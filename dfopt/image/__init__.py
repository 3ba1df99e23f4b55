"""Images as they are stored: archives read without being unpacked, layers, the ledger of their bytes, comparison.

with open_archive("image.tar") as archive:
    contents = read_image(archive.image("app:1"))
ledger = make_ledger(contents.layers)
"""

from __future__ import annotations

from dfopt.image.archive import Archive, open_archive
from dfopt.image.compare import Comparison, compare
from dfopt.image.created_by import Step
from dfopt.image.dive import DiveFigures, dive_figures
from dfopt.image.dive_ci import Verdict, judge, read_rules
from dfopt.image.errors import ImageError, Limits
from dfopt.image.history import Mapping, Origin, map_history, stage_steps
from dfopt.image.layers import Contents, Entry, LayerFiles, iter_entries, read_image
from dfopt.image.ledger import Dead, Duplicate, Ledger, Tally, make_ledger
from dfopt.image.model import Image, Layer, Platform

__all__ = [
    "Archive", "Comparison", "Contents", "Dead", "DiveFigures", "Duplicate", "Entry", "Image", "ImageError", "Layer",
    "LayerFiles", "Ledger", "Limits", "Mapping", "Origin", "Platform", "Step", "Tally", "Verdict", "compare",
    "dive_figures", "iter_entries", "judge", "make_ledger", "map_history", "open_archive", "read_image", "read_rules",
    "stage_steps",
]  # fmt: skip
