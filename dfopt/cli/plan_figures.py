"""The figures of a plan that its text and its page share."""

from __future__ import annotations

from dfopt.campaign.groups import NOBODY
from dfopt.cli.stream import count
from dfopt.units import human

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dfopt.facts import StatedBuild
    from dfopt.forecast import Forecast, InstallHistory, Level, Shape

_NOT_KNOWN = "not known"
_EVIDENCE = (
    "With a smoke test (--smoke, --smoke-script) it also tries images with only what the run was seen to need; what "
    "those save, builds tell, and no figure here counts it."
)
_NO_WAY = "no way around it is known"


def by_owner(forecasts: Sequence[Forecast]) -> list[tuple[str, int, int]]:
    """Owner, files, and bytes that the best levels save, the most first; nothing where no file has an owner."""
    if not any(prediction.owner for prediction in forecasts):
        return []
    sums: dict[str, list[int]] = {}
    for prediction in forecasts:
        row = sums.setdefault(prediction.owner or NOBODY, [0, 0])
        row[0] += 1
        row[1] += prediction.best
    return sorted(((name, row[0], row[1]) for name, row in sums.items()), key=lambda row: (-row[2], row[0]))


def obstacles(forecasts: Sequence[Forecast]) -> list[tuple[tuple[str, str], int]]:
    """Pass and what unblocks it, with the number of refusals, the most first."""
    numbers: dict[tuple[str, str], int] = {}
    for prediction in forecasts:
        for step in prediction.refusals:
            key = (step.name, step.unblock or _NO_WAY)
            numbers[key] = numbers.get(key, 0) + 1
    return sorted(numbers.items(), key=lambda item: (item[0][1] == _NO_WAY, -item[1], item[0]))


def build_text(build: StatedBuild) -> str:
    """How a build definition builds the file and runs its image: names of arguments alone, for values may be secret."""
    parts = [_NOT_KNOWN if build.target is None else build.target or "the last stage"]
    parts += [f"{what} {', '.join(names)}" for what, names in (
        ("arguments", list(build.arguments)), ("ports", _known(build.ports)), ("mounts", _known(build.mounts)),
        ("user", _known((build.user,))),
    ) if names]  # fmt: skip
    return f"{build.place} ({build.name}): {'; '.join(parts)}"


def _known(values: Iterable[str | None]) -> list[str]:
    return [_NOT_KNOWN if value is None else value for value in values if value != ""]


def note_on_search(prediction: Forecast) -> str:
    """What the row of -O3 is."""
    number = prediction.candidates
    text = f"-O3 would build {number} candidates, and keep the smallest that holds: its row is the best estimate."
    if number == 1:
        text = "-O3 has nothing else to try: it would build the file with the fixes that it names, and drop what fails."
        if prediction.evidence:
            text = text.replace("else to try", "else to try without a smoke test")
    return f"{text} {_EVIDENCE}" if prediction.evidence else text


def history_text(history: InstallHistory) -> str:
    """How often installs run anew, by git history, as a sentence."""
    said = f"Of the last {count(history.commits, 'commit')} to the build context,"
    levels = ["now", *(f"with -O{level}" for level in history.levels)]
    parts = [
        f"{name} {numbers[0]} now and at every level"
        if len(set(numbers)) == 1
        else f"{name} {', '.join(f'{number} {level}' for number, level in zip(numbers, levels, strict=True))}"
        for name, numbers in history.installers
    ]
    if not parts:
        return f"{said} none makes an install run anew."
    return f"{said} so many make installs run anew: {'; '.join(parts)}."


def saves(level: Level) -> str:
    if not level.fixes:
        return "nothing"
    saving = human(level.bytes) if level.bytes else "0 bytes"
    return f"{saving}{' and more' if level.unknown else ''} ({'measured' if level.measured else 'estimated'})"


def rebuild_text(seconds: float) -> str:
    """What a rebuild takes less; "" where that is nothing, or not known."""
    return f"-{seconds:.0f} s" if seconds else ""


def shape_texts(shape: Shape) -> tuple[str, str, str, str]:
    """Layers, setuid files of the base, user, and whether it is root."""
    setuid = _NOT_KNOWN if shape.setuid is None else str(shape.setuid)
    root = {True: "yes", False: "no", None: _NOT_KNOWN}[shape.root]
    return str(shape.layers), setuid, shape.user or _NOT_KNOWN, root
