"""What is gained where one RUN takes the place of several."""

from __future__ import annotations

import re

from dfopt.analysis.cache_readers import index_reader, is_mounted
from dfopt.analysis.joined_layers import family_of_path, leaves_little
from dfopt.editing.run_joining import description
from dfopt.ir.effects import covers, killers, manager
from dfopt.ir.liveness import Layers
from dfopt.knowledge import table
from dfopt.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from dfopt.ir.effects import Effect
    from dfopt.ir.liveness import Death
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Step


class Reason(Record):
    """Steps `first` to `last` of a group belong in one layer, because `text`. `costly`: the line of a step that would
    be built again whenever a later one of them changes, where that is too high a price; 0: none. `small`: next to
    nothing is gained but a layer."""

    first: int
    last: int
    text: str
    costly: int = 0
    small: bool = False


def reasons(program: Program, group: Sequence[Step]) -> list[Reason]:
    """What joining steps of a group of neighbouring RUNs gains, in order."""
    if not killers().search(program.text, group[0].node.start, group[-1].node.end):
        return []
    gains = {(reason.first, reason.last, reason.text): reason for reason in _of_indexes(program, group)}
    layers = Layers()
    for last, step in enumerate(group):
        for death in layers.feed(last, program.effects(step)):
            family = family_of_path(death.path, program.effects(group[death.writer]))
            if not family or _cleanup_alone(program, step, family, death):
                small = not family and leaves_little(death.path, program.effects(group[death.writer]))
                costly = 0
                if family:
                    costly = _costly(program, group[death.writer + 1 : last])
                elif small:
                    costly = _costly(program, group[death.writer : last], installs=True)
                reason = Reason(death.writer, last, description(death), costly, small)
                gains.setdefault((reason.first, reason.last, reason.text), reason)
    return [gains[key] for key in sorted(gains)]


class _Index(Record):
    """A package index in the layer of step `fetched`, and the later steps that install from it."""

    family: str
    fetched: int
    readers: tuple[int, ...]


def _of_indexes(program: Program, group: Sequence[Step]) -> Iterator[Reason]:
    """The steps that install from a package index which an earlier one of them fetched: it stays in that layer, since
    they need it, and goes stale there."""
    stage = program.stages[group[0].stage]
    for index in _indexes(program, group):
        fetching = group[index.fetched]
        names = [effect.program for effect in program.effects(fetching) if effect.kind == "refreshes"]
        if not any(effect.kind == "reads-index" for effect in program.effects(fetching)):
            text = f"`{names[-1]} update` alone in a layer goes stale"
            for reader in index.readers:
                yield Reason(index.fetched, reader, text, _costly(program, group[index.fetched + 1 : reader]))
            continue
        last = index.readers[-1]
        later, opaque = index_reader(program, stage, group[last].index - stage.steps[0].index, index.family)
        if later is None and opaque is None:  # else it could not be deleted behind the last of them
            needing = ", ".join([str(group[reader].node.line) for reader in index.readers])
            lines = f"line {needing} needs" if len(index.readers) == 1 else f"lines {needing} need"
            text = f"{lines} the package index of line {fetching.node.line}, which stays in its layer"
            yield Reason(index.fetched, last, text, _costly(program, group[index.fetched + 1 : last]))


def _indexes(program: Program, group: Sequence[Step]) -> list[_Index]:
    """The indexes that steps of the group fetch, and others of them read as they find them."""
    indexes: list[_Index] = []
    current: dict[str, _Index] = {}  # package family -> the index that is there
    for place, step in enumerate(group):
        for effect in program.effects(step):
            index = current.get(effect.path)
            if effect.kind == "refreshes":
                current.pop(effect.path, None)
                if not is_mounted(program, step, _facts(effect.path).get("index", ())):
                    current[effect.path] = _Index(effect.path, place, ())
            elif effect.kind == "reads-index" and index is not None and place not in (index.fetched, *index.readers):
                if index in indexes:
                    indexes.remove(index)
                index = current[effect.path] = _Index(index.family, index.fetched, (*index.readers, place))
                indexes.append(index)
            elif effect.kind == "opaque":
                current.clear()  # it may fetch an index of its own
            elif effect.kind == "deletes":
                for family in [family for family in current if _empties(effect, _facts(family).get("index", ()))]:
                    del current[family]
    return indexes


def _empties(effect: Effect, paths: Sequence[str]) -> bool:
    return any(covers(effect.path, path) for path in paths)


def _facts(family: str) -> dict[str, Any]:
    """The facts of a family of package managers."""
    names = (name for name, facts in table("package_managers").items() if facts.get("family") == family)
    for name in names:
        facts: dict[str, Any] | None = manager(name)
        if facts is not None and ("index" in facts or "cache" in facts):
            return facts
    return {}


def _cleanup_alone(program: Program, step: Step, family: str, death: Death) -> bool:
    """Whether a step deletes an index or a cache of earlier layers, rather than what it brought itself; and whether
    there is anything to delete."""
    facts = _facts(family)
    if any(effect.path == family and effect.kind in ("refreshes", "installs") for effect in program.effects(step)):
        return False
    cache = any(covers(path, death.path) for path in facts.get("cache", ()))
    keeps = facts.get("keeps-cache")
    return not cache or keeps is None or re.search(keeps, program.text) is not None


def _costly(program: Program, steps: Sequence[Step], *, installs: bool = False) -> int:
    """The line of the first step that does more than to install packages and to arrange files; with `installs`, more
    than to arrange files; 0 where none does."""
    for step in steps:
        if program.once(("costly", step.index), _does_more, program, step)[installs]:
            return step.node.line
    return 0


def _does_more(program: Program, step: Step) -> tuple[bool, bool]:
    """Whether a step does more than to install packages and to arrange files; more than to arrange files."""
    shells, files = table("shells"), table("programs")["files"]
    cheap = {*files, *shells["leaks"], *shells["harmless"]["names"], *shells["command-paths"]["system"]}
    found = [
        (invocation.program in cheap, manager(invocation.program)) for invocation in program.commands(step).invocations
    ]
    other = any(not arranges and (facts is None or "index" not in facts) for arranges, facts in found)
    return other, other or any(facts is not None for _, facts in found)
