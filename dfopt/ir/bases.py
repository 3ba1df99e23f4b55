"""What the table `base_images` knows of an image reference."""

from __future__ import annotations

import re

from dfopt.knowledge import table
from dfopt.record import Record


class BaseFacts(Record):
    """See knowledge/base_images.toml for the fields; `None` is not known."""

    family: str
    packages: str | None
    sh: str | None
    bash: bool | None
    user: str | None
    shell: tuple[str, ...] | None
    libc: str | None


_compiled: list[tuple[re.Pattern[str], re.Pattern[str] | None, BaseFacts]] = []


def _entries() -> list[tuple[re.Pattern[str], re.Pattern[str] | None, BaseFacts]]:
    if not _compiled:
        for row in table("base_images")["image"]:
            names = "|".join(re.escape(name).replace(r"\*", ".*") for name in row["match"])
            facts = BaseFacts(
                row["family"], row.get("packages"), row.get("sh"), row.get("bash"), row.get("user", "root"),
                tuple(row["shell"]) if "shell" in row else None, row.get("libc"),
            )  # fmt: skip
            tag = re.compile(row["tag"]) if "tag" in row else None
            _compiled.append((re.compile(f"(?:{names})\\Z"), tag, facts))
    return _compiled


def split_image(image: str) -> tuple[str, str | None]:
    """(familiar repository, tag) of a reference: no docker.io/, no library/; "latest" without tag and digest."""
    name, _, digest = image.partition("@")
    tag: str | None = None
    colon = name.rfind(":")
    if colon > name.rfind("/"):
        name, tag = name[:colon], name[colon + 1 :]
    elif not digest:
        tag = "latest"
    for prefix in ("docker.io/", "index.docker.io/", "registry-1.docker.io/", "library/"):
        name = name.removeprefix(prefix)
    return name, tag


def base_facts(image: str | None) -> BaseFacts | None:
    """The facts of a base image, or None where the table has no entry."""
    if image is None:
        return None
    repository, tag = split_image(image)
    for names, wanted, facts in _entries():
        if names.match(repository) and (wanted is None or (tag is not None and wanted.search(tag))):
            return facts
    return None
