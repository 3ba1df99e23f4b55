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

    from dfopt.facts import Facts

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
    return None if found is None or "mb" not in found[0] else int(found[0]["mb"]) * 1_000_000


def image_has(image: str) -> frozenset[str]:
    """What an image brings, by the table's `has`; nothing where the table does not know it."""
    name, tag = split_image(image.removeprefix(mirror_prefix(image)).partition("@")[0])
    found = fitting_row(name, tag, table("runtime_images")["image"])
    return frozenset() if found is None else frozenset(found[0].get("has", ()))


def measured_bytes(image: str, facts: Facts) -> int | None:
    """The bytes of an image, uncompressed, as facts tell them: of that name, or of the name without a digest that a fix
    may have added; None where they do not."""
    if image.lower() == "scratch":
        return 0
    plain = image.partition("@")[0]
    size = facts.image_bytes(image)
    return facts.image_bytes(plain) if size is None and plain != image else size


def known_bytes(image: str, mb: int | None, facts: Facts) -> int | None:
    """The bytes of an image as facts tell them; else `mb`, by the table, which may not know them either."""
    measured = measured_bytes(image, facts)
    return mb * 1_000_000 if measured is None and mb is not None else measured


def base_benefit(image: str, other: str, packages: Iterable[str], facts: Facts) -> Benefit | None:
    """What an image takes off that has `other` for its base in place of `image`, less the packages of apt that are
    added to it; None where neither facts nor the table know both."""
    added = installed_bytes(packages, recommends=False)
    measured = [measured_bytes(name, facts) for name in (image, other)]
    sizes = [image_bytes(name) if size is None else size for name, size in zip((image, other), measured, strict=True)]
    before, after = sizes
    if before is None or after is None:
        return None
    if added or None in measured:
        return Benefit(bytes=before - after - added, source=SOURCE)
    return Benefit(bytes=before - after, origin="measured", source="base images")
