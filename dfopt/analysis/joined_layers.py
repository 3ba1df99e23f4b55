"""What joining RUNs takes off an image."""

from __future__ import annotations

from dfopt.analysis.package_sizes import SOURCE as PACKAGE_SIZES
from dfopt.analysis.package_sizes import installed_bytes
from dfopt.cost import SOURCE as SAVINGS
from dfopt.cost import bytes_by_table, cache_bytes
from dfopt.findings import Benefit
from dfopt.ir.effects import covers, manager, overlap
from dfopt.ir.liveness import Layers

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from dfopt.ir.effects import Effect
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Step


# programs that write a line, or change modes and owners
_SMALL = frozenset(("echo", "printf", "touch", "mkdir", "chmod", "chown", "chgrp"))


def joining_benefit(program: Program, steps: Sequence[Step]) -> Benefit:
    """What joining steps brings: fewer layers, and the bytes that no longer lie in a layer below: of packages that one
    step installs and another one removes, of indexes and caches that another one cleans up or fetches again."""
    layers = Layers()
    gone: list[str] = []
    recommends = True
    caches: list[str] = []  # family of each index or cache that one layer less has
    fetched: set[str] = set()
    files = False  # whether files go that are no package manager's
    for position, step in enumerate(steps):
        effects = program.effects(step)
        for death in layers.feed(position, effects):
            family, _, package = death.path.partition(":")
            if death.writer == position:
                continue
            if family == "apt" and package:
                gone.append(package)
                recommends = recommends and "no-install-recommends" not in program.body(steps[death.writer]).text
            else:
                written = program.effects(steps[death.writer])
                cache = family_of_path(death.path, written)
                caches += [cache]
                files = files or (not cache and death.kind == "deleted" and not leaves_little(death.path, written))
        for family in {effect.path for effect in effects if effect.kind == "refreshes"}:
            caches += [family] if family in fetched else []
            fetched.add(family)
    cleaned = sum(map(cache_bytes, set(caches))) + (bytes_by_table("dead-files") if files else 0)
    freed = installed_bytes(gone, recommends=recommends)
    source = PACKAGE_SIZES if freed else SAVINGS if cleaned else ""
    return Benefit(bytes=freed + cleaned, layers=len(steps) - 1, source=source)


def family_of_path(path: str, effects: Sequence[Effect]) -> str:
    """The package family whose index or cache a path is, as a step wrote it; "" where it is none."""
    for effect in effects:
        facts = manager(effect.program) if effect.kind == "creates" and effect.path.startswith("/") else None
        if facts is not None and overlap(effect.path, path):
            return str(facts["family"])
    return ""


def leaves_little(path: str, effects: Sequence[Effect]) -> bool:
    """Whether what a step leaves at a path is a line of text, or nothing."""
    writers = [e.program for e in effects if e.kind in ("creates", "changes") and covers(path, e.path)]
    return bool(writers) and all(name in _SMALL for name in writers)
