"""How large packages of Debian are in an image, by the table `package_sizes`."""

from __future__ import annotations

from dfopt.knowledge import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

SOURCE = "package_sizes.toml"


def installed_bytes(packages: Iterable[str], *, recommends: bool) -> int:
    """The bytes that apt packages bring together on a minimal image, their dependencies included; a package that the
    table does not know counts nothing. `recommends`: with what they recommend."""
    small, large = 0, set[str]()
    for package in packages:
        rest, names = _row(package, recommends)
        small += rest
        large |= names
    sizes: dict[str, int] = table("package_sizes")["large"]
    return (small + sum(sizes[name] for name in large)) * 1000


def recommended_bytes(packages: Iterable[str]) -> int:
    """The bytes that apt packages bring only because others recommend them."""
    listed = list(packages)
    return installed_bytes(listed, recommends=True) - installed_bytes(listed, recommends=False)


def _row(package: str, recommends: bool) -> tuple[int, set[str]]:
    row: list[list[Any]] | None = table("package_sizes")["package"].get(package.partition("=")[0].partition("/")[0])
    if row is None:
        return 0, set()
    columns = row if recommends else row[:1]
    return sum(column[0] for column in columns), {name for column in columns for name in column[1:]}
