"""How large images are that others are built on, by the table `runtime_images`."""

from __future__ import annotations

import re

from dfopt.analysis.package_sizes import installed_bytes
from dfopt.findings import Benefit
from dfopt.ir.base_images import mirror_prefix, split_image
from dfopt.knowledge import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SOURCE = "runtime_images.toml"


def image_bytes(image: str) -> int | None:
    """The bytes of an image, uncompressed; None where the table does not know it."""
    if image.lower() == "scratch":
        return 0
    name, tag = split_image(image.removeprefix(mirror_prefix(image)).partition("@")[0])
    for patterns, expression, mb in _rows():
        if not any(re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), name) for pattern in patterns):
            continue
        if expression is None or re.match(expression, tag or ""):
            return mb * 1_000_000
    return None


def base_benefit(image: str, other: str, packages: Iterable[str]) -> Benefit | None:
    """What an image takes off that has `other` for its base in place of `image`, less the packages of apt that are
    added to it; None where the table does not know both."""
    before, after = image_bytes(image), image_bytes(other)
    if before is None or after is None:
        return None
    return Benefit(bytes=before - after - installed_bytes(packages, recommends=False), source=SOURCE)


def _rows() -> Iterator[tuple[list[str], str | None, int]]:
    sizes = table("runtime_images")
    for row in sizes["image"]:
        yield row["match"], row.get("tag"), row["mb"]
    for row in sizes["other"]:
        yield row["match"], row.get("tag"), row["mb"]
