"""Images as they are stored: archives read without being unpacked, layers, the ledger of their bytes, comparison.

with open_image("docker://alpine:3") as image:  # or a name of a local engine, an archive, a layout
    contents = image.read()
ledger = make_ledger(contents.layers)
"""

from __future__ import annotations

from dfopt.image.archive import Archive, open_archive
from dfopt.image.compare import Comparison, compare
from dfopt.image.created_by import DockerfileStep
from dfopt.image.dive import DiveFigures, dive_figures
from dfopt.image.dive_ci import RuleVerdict, judge, read_rules
from dfopt.image.errors import ImageError, ReadLimits
from dfopt.image.history import Mapping, Origin, map_history, stage_steps
from dfopt.image.layers import ImageContents, LayerEntry, LayerFiles, iter_entries, read_image
from dfopt.image.ledger import Dead, Duplicate, Ledger, Tally, make_ledger
from dfopt.image.model import Image, Layer, Platform
from dfopt.image.open_image import OpenImage, open_image

__all__ = [
    "Archive",
    "Comparison",
    "Dead",
    "DiveFigures",
    "DockerfileStep",
    "Duplicate",
    "Image",
    "ImageContents",
    "ImageError",
    "Layer",
    "LayerEntry",
    "LayerFiles",
    "Ledger",
    "Mapping",
    "OpenImage",
    "Origin",
    "Platform",
    "ReadLimits",
    "RuleVerdict",
    "Tally",
    "compare",
    "dive_figures",
    "iter_entries",
    "judge",
    "make_ledger",
    "map_history",
    "open_archive",
    "open_image",
    "read_image",
    "read_rules",
    "stage_steps",
]  # fmt: skip
