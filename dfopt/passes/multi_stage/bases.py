"""What the table `runtime_images` knows of a builder's base image."""

from __future__ import annotations

from dfopt.analysis.image_sizes import fitting_row
from dfopt.ir.base_images import mirror_prefix, split_image
from dfopt.knowledge import table
from dfopt.record import Record


class BuilderImage(Record):
    """A row of the table `runtime_images`, filled in. `mb`, `run_mb`: None where they are not known."""

    image: str
    run: str
    release: str
    has: frozenset[str]
    run_has: frozenset[str]
    mb: int | None
    run_mb: int | None
    home: str
    starts: str


def base_of(image: str | None) -> BuilderImage | None:
    """What the table knows of a builder's base image."""
    if image is None:
        return None
    prefix = mirror_prefix(image)
    name, tag = split_image(image.removeprefix(prefix))
    found = fitting_row(name, tag, table("runtime_images")["image"])
    if found is None:
        return None
    row, match = found

    def filled(text: str) -> str:
        text = text.replace("{name}", name)
        for number, group in enumerate(match.groups() if match is not None else (), 1):
            text = text.replace(f"{{{number}}}", group or "")
        return text

    run = image if row["run"] == "=" else prefix + filled(row["run"])
    return BuilderImage(
        image, run, filled(row.get("release", "")), frozenset(filled(feature) for feature in row.get("has", ())),
        frozenset(filled(feature) for feature in row.get("run-has", ())), row.get("mb"), row.get("run-mb"),
        row.get("home", "/"), row.get("starts", ""),
    )  # fmt: skip
