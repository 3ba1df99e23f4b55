"""Which passes run: names, groups and codes resolved to passes, in running order."""

from __future__ import annotations

from dfopt.passes.index import entries
from dfopt.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from dfopt.findings import Finding
    from dfopt.passes.base import Pass
    from dfopt.passes.index import PassEntry


class Options(Record):
    """What to run.

    select     names, groups ("size") or codes ("DL3009") to run; empty means every pass that is on by default
    ignore     the same, taken away
    tiers      the tiers whose fixes are applied
    settings   pass name -> its options; "*" -> the settings that all passes see (`passes.base.SHARED`)
    level      where nothing is selected: 1, the passes that are on by default; 2, those that restructure, too; 3, also
               those of which only a build tells whether they save anything. From 2 on, no fix that is known to make the
               image larger is applied
    modernize  whether the passes of that group run beside what is selected
    report     whether findings that change nothing are wanted, too; False: a pass none of whose fixes has one of
               `tiers` does not run, and `Result.reported` is empty
    """

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    tiers: tuple[str, ...] = ("safe",)
    settings: Mapping[str, Mapping[str, object]] = {}
    level: int = 1
    modernize: bool = False
    report: bool = True


class UnknownNameError(ValueError):
    """`select` or `ignore` names no pass, group or code. `names` are the ones in question."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(", ".join(names))
        self.names = names


def chosen(options: Options) -> list[PassEntry]:
    """The passes that the options ask for, in running order, none of them imported. Raises UnknownNameError."""
    all_passes = entries()
    wanted, unwanted = ([word.lower() for word in words] for words in (options.select, options.ignore))
    unknown = [
        word
        for word in (*options.select, *options.ignore)
        if not any(entry.named(word.lower()) for entry in all_passes)
    ]
    if unknown:
        raise UnknownNameError(unknown)
    shared = options.settings.get("*", {})
    selected: list[PassEntry] = []
    for entry in all_passes:
        runs = (
            any(map(entry.named, wanted))
            if wanted
            else entry.default or (entry.by_name and entry.level <= options.level)
        )
        runs = runs or (options.modernize and entry.group == "modernize")
        if entry.strategy is not None and entry.name not in wanted:
            setting, value = entry.strategy
            runs = shared.get(setting) == value and (runs or not wanted)
        if runs and not any(map(entry.named, unwanted)):
            selected.append(entry)
    return selected


def enlarges(finding: Finding, options: Options) -> int:
    """The bytes by which a fix makes the image larger, where that keeps it from being applied: nobody who asks for a
    level expects it, whoever selects the pass does. 0: it is applied."""
    benefit = finding.benefit
    if benefit is None or finding.fix is None or options.select or options.level < 2:
        return 0
    return max(0, -benefit.bytes)


def select_passes(options: Options) -> list[Pass]:
    """The passes that the options ask for, in running order. Raises UnknownNameError."""
    return [entry.load()(options.settings.get(entry.name), options.settings.get("*")) for entry in chosen(options)]


def unasked(options: Options) -> frozenset[str]:
    """The passes whose refusals nobody asks for: those that can make no fix of the tiers in force. Whoever selects
    passes asks for all that these say."""
    if options.select:
        return frozenset()
    return frozenset(entry.name for entry in entries() if entry.tiers and set(entry.tiers).isdisjoint(options.tiers))
