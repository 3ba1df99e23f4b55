"""What the table `runtime_images` knows of a builder's base image."""

from __future__ import annotations

import re

from dfopt.ir.base_images import mirror_prefix, split_image
from dfopt.knowledge import table
from dfopt.record import Record


class BuilderImage(Record):
    """A row of the table `runtime_images`, filled in."""

    image: str
    run: str
    release: str
    has: frozenset[str]
    run_has: frozenset[str]
    mb: int
    run_mb: int
    home: str
    starts: str


def base_of(image: str | None) -> BuilderImage | None:
    """What the table knows of a builder's base image."""
    if image is None:
        return None
    prefix = mirror_prefix(image)
    name, tag = split_image(image.removeprefix(prefix))
    for row in table("runtime_images")["image"]:
        if not any(re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), name) for pattern in row["match"]):
            continue
        match = re.match(row["tag"], tag or "") if "tag" in row else True
        if not match:
            continue

        def filled(text: str, match: re.Match[str] | bool = match) -> str:
            text = text.replace("{name}", name)
            if isinstance(match, re.Match):
                for number, group in enumerate(match.groups(), 1):
                    text = text.replace(f"{{{number}}}", group or "")
            return text

        run = image if row["run"] == "=" else prefix + filled(row["run"])
        return BuilderImage(
            image, run, filled(row.get("release", "")), frozenset(filled(feature) for feature in row.get("has", ())),
            frozenset(filled(feature) for feature in row.get("run-has", ())), row["mb"], row["run-mb"],
            row.get("home", "/"), row.get("starts", ""),
        )  # fmt: skip
    return None
