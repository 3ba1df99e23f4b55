"""How large images are that others are built on, by the table `runtime_images`."""

from __future__ import annotations

import re

from dfopt.analysis.package_sizes import installed_bytes
from dfopt.findings import Benefit
from dfopt.ir.base_images import mirror_prefix, split_image
from dfopt.knowledge import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

SOURCE = "runtime_images.toml"


def fitting_row(
    name: str, tag: str | None, rows: Iterable[Mapping[str, Any]]
) -> tuple[Mapping[str, Any], re.Match[str] | None] | None:
    """The first row of the table that an image fits, by its name and tag (as `split_image` gives them), and the match
    of its `tag`; None where none does."""
    for row in rows:
        if any(re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), name) for pattern in row["match"]):
            match = re.match(row["tag"], tag or "") if "tag" in row else None
            if match is not None or "tag" not in row:
                return row, match
    return None


def image_bytes(image: str) -> int | None:
    """The bytes of an image, uncompressed; None where the table does not know it."""
    if image.lower() == "scratch":
        return 0
    name, tag = split_image(image.removeprefix(mirror_prefix(image)).partition("@")[0])
    sizes = table("runtime_images")
    found = fitting_row(name, tag, (*sizes["image"], *sizes["other"]))
    return None if found is None else int(found[0]["mb"]) * 1_000_000


def base_benefit(image: str, other: str, packages: Iterable[str]) -> Benefit | None:
    """What an image takes off that has `other` for its base in place of `image`, less the packages of apt that are
    added to it; None where the table does not know both."""
    before, after = image_bytes(image), image_bytes(other)
    if before is None or after is None:
        return None
    return Benefit(bytes=before - after - installed_bytes(packages, recommends=False), source=SOURCE)
