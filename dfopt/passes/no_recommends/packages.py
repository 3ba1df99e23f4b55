"""How much leaving out recommended packages saves."""

from __future__ import annotations

from dfopt.analysis.package_managers import package_name, tools
from dfopt.analysis.package_sizes import SOURCE, installed_bytes, recommended_bytes
from dfopt.findings import Benefit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from dfopt.analysis.package_managers import Tool
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Step


def left_out(
    program: Program, step: Step, installs: list[Tool], kept: Iterable[str], before: list[str], *, some: bool
) -> Benefit | None:
    """What the packages that `installs` bring, and that the step does not remove, recommend beyond those that are
    `kept` and those of earlier findings (`before`, to which they come); None where the table knows none of them, nor of
    those of the other findings (`some`): so that it counts the same whether they are installed together or apart."""
    gone = removed(program, step)
    packages = [package for package in (*named(installs), *kept) if package_name(package) not in gone]
    if not installed_bytes(packages, recommends=True):
        return Benefit(source=SOURCE) if some else None
    saved = recommended_bytes([*before, *packages]) - recommended_bytes(before)
    before += packages
    return Benefit(bytes=saved, source=SOURCE)


def named(installs: Iterable[Tool]) -> list[str]:
    """The packages that commands install."""
    return [package for tool in installs for package in tool.packages]


def known(installs: Iterable[Tool]) -> bool:
    """Whether the table knows any of the packages that commands install."""
    return installed_bytes(named(installs), recommends=True) > 0


def removed(program: Program, step: Step) -> set[str]:
    """The packages that a step removes: what they recommend goes with them, by autoremove as a rule."""
    removals = [tool for tool in tools(program, step) if tool.family == "apt" and tool.does.get("removes")]
    return {package_name(package) for tool in removals for package in tool.packages}
