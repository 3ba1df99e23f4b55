"""Whether the images that passes name are published: the tables against the tag lists of Docker's official images.

    python tests/tools/image_tags.py DIR

DIR is a checkout of github.com/docker-library/official-images. Every tag of the images that the tables `swaps` and
`runtime_images` know is given to `swap-base` and `multi-stage`; printed are, for each image, how many other images they
would name for its tags, and those of them that no tag list has. Images of other registries are not looked at.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from pathlib import Path

from dfopt.knowledge import table
from dfopt.passes.multi_stage.bases import base_of
from dfopt.passes.swap_base.target import ReplacementBase, target_of


def published(folder: Path, name: str) -> set[str]:
    """The tags of an official image; none where it is not one."""
    try:
        text = (folder / "library" / name).read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return set()
    lists = re.findall(r"(?m)^(?:Shared)?Tags: (.*)$", text)
    return {tag.strip() for one in lists for tag in one.split(",")}


def successors(image: str) -> Iterator[str]:
    """The images that passes put in the place of `image`."""
    for to in ("slim", "alpine", "busybox"):
        target = target_of(image, to, ())
        if isinstance(target, ReplacementBase):
            yield target.image
    base = base_of(image)
    if base is not None:
        yield base.run


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("directory", type=Path)
    folder: Path = parser.parse_args().directory
    rows = (*table("swaps")["image"], *table("runtime_images")["image"])
    faults = 0
    for name in sorted({one for row in rows for one in row["match"] if published(folder, one)}):
        named = {
            (tag, other) for tag in published(folder, name) for other in successors(f"{name}:{tag}")
            if published(folder, other.partition(":")[0])
        }  # fmt: skip
        missing = sorted(
            (tag, other) for tag, other in named
            if (other.partition(":")[2] or "latest") not in published(folder, other.partition(":")[0])
        )  # fmt: skip
        faults += len(missing)
        print(f"{len(named):6} {name}" + "".join(f"\n       missing: {other} for {tag}" for tag, other in missing))
    return 1 if faults else 0


if __name__ == "__main__":
    raise SystemExit(main())
