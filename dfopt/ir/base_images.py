"""What the tables `base_images`, `image_users` and `maker_images` know of an image reference."""

from __future__ import annotations

from dfopt.knowledge import table
from dfopt.lazy import regex
from dfopt.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class BaseFacts(Record):
    """See knowledge/base_images.toml for the fields; `None` is not known."""

    family: str
    packages: str | None
    sh: str | None
    bash: bool | None
    user: str | None
    shell: tuple[str, ...] | None
    libc: str | None


# An image that no table knows, and that is one for Windows
WINDOWS = BaseFacts("windows", "", "cmd", None, None, None, None)

# Namespaces of the official images for one architecture each (docker-library/official-images, README)
ARCHITECTURES = frozenset(
    ("amd64", "arm32v5", "arm32v6", "arm32v7", "arm64v8", "i386", "mips64le", "ppc64le", "riscv64", "s390x")
)
_KEPT = 256  # images whose row is remembered


class ImageRows:
    """Rows of a table by image: each has `match` (repositories as `split_image` gives them, `*` for any text) and may
    have `tag` (an expression to be found in the tag)."""

    __slots__ = ("exact", "found", "globs", "rows")

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self.rows = rows
        self.exact: dict[str, list[int]] = {}
        self.globs: list[tuple[list[str], int]] = []
        self.found: dict[str, dict[str, Any] | None] = {}
        for number, row in enumerate(rows):
            for name in row["match"]:
                if "*" in name:
                    self.globs.append((name.split("*"), number))
                else:
                    self.exact.setdefault(name, []).append(number)

    def find(self, image: str) -> dict[str, Any] | None:
        """The first row that an image reference fits; None where none does."""
        if image in self.found:
            return self.found[image]
        if len(self.found) >= _KEPT:
            self.found.clear()
        row = self.found[image] = self._find(image)
        return row

    def _find(self, image: str) -> dict[str, Any] | None:
        repository, tag = split_image(image)
        namespace, _, official = repository.partition("/")
        if namespace in ARCHITECTURES:
            repository = official
        numbers = [number for parts, number in self.globs if _fits(repository, parts)]
        numbers += self.exact.get(repository, ())
        for number in sorted(numbers):
            tag_pattern = self.rows[number].get("tag")
            if tag_pattern is None or (tag is not None and regex(tag_pattern).search(tag)):
                return self.rows[number]
        return None


def _fits(name: str, parts: list[str]) -> bool:
    """Whether `name` is the parts with any text between each two."""
    first, *middle, last = parts
    if not name.startswith(first) or not name.endswith(last) or len(name) < len(first) + len(last):
        return False
    at, stop = len(first), len(name) - len(last)
    for part in middle:
        index = name.find(part, at, stop)
        if index < 0:
            return False
        at = index + len(part)
    return True


_rows: ImageRows | None = None
_makers: ImageRows | None = None
_users: ImageRows | None = None


def maker_image(image: str | None) -> dict[str, Any]:
    """The row of the table `maker_images` for an image; empty where there is none."""
    global _makers
    if image is None:
        return {}
    if _makers is None:
        _makers = ImageRows(table("maker_images")["image"])
    return _makers.find(image) or {}


def image_user(image: str | None) -> dict[str, Any]:
    """Who an image runs as, by the tables `image_users` and `maker_images`: `user`, who is not root; else `root`, or
    `own` or `why`, which mean it. Empty where neither has a row."""
    global _users
    if image is None:
        return {}
    if _users is None:
        _users = ImageRows(table("image_users")["image"])
    made = maker_image(image)
    return _users.find(image) or ({"root": "user" not in made, **made} if made else {})


def split_image(image: str) -> tuple[str, str | None]:
    """(familiar repository, tag) of a reference: without docker.io/ and library/, and without the prefix under which a
    mirror serves Docker Hub's images (table `mirrors`); "latest" without tag and digest."""
    name, _, digest = image.partition("@")
    tag: str | None = None
    colon = name.rfind(":")
    if colon > name.rfind("/"):
        name, tag = name[:colon], name[colon + 1 :]
    elif not digest:
        tag = "latest"
    if "/" in name:
        mirrors = table("mirrors")
        for prefix in (*mirrors["hub"], *mirrors["official"]):
            name = name.removeprefix(prefix)
    return name, tag


_workdirs: ImageRows | None = None


def base_workdir(image: str | None) -> str | None:
    """The working directory that an image starts in; None where the table does not know it."""
    global _workdirs
    if image is None:
        return None
    if _workdirs is None:
        _workdirs = ImageRows(table("base_images")["workdir"])
    row = _workdirs.find(image)
    return row["path"] if row is not None else None


def mirror_prefix(image: str) -> str:
    """What stands before an official image's own name: `docker.io/library/`, a mirror's, an architecture's; ""."""
    name = split_image(image)[0]
    namespace, _, official = name.partition("/")
    name = official if namespace in ARCHITECTURES else name
    return image[: image.index(name)] if name and "/" not in name else ""


def base_facts(image: str | None) -> BaseFacts | None:
    """The facts of a base image, or None where the table has no entry."""
    global _rows
    if image is None:
        return None
    if _rows is None:
        _rows = ImageRows(table("base_images")["image"])
    row = _rows.find(image)
    made = maker_image(image)
    if "family" in made:
        row = {**table("maker_images")["family"][made["family"]], **made}
    if row is None:
        return None
    known = image_user(image)
    user = known.get("user") or ("root" if known.keys() & {"root", "own", "why"} else row.get("user", "root") or None)
    return BaseFacts(
        row["family"], row.get("packages"), row.get("sh"), row.get("bash"), user,
        tuple(row["shell"]) if "shell" in row else None, row.get("libc"),
    )  # fmt: skip
