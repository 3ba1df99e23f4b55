"""From the history of an image to its layers, and to the lines of the Dockerfile that made them.

The Dockerfile's side is a plain list of steps, so that no parser is needed here. Entries and steps are aligned as two
sequences: the alignment that agrees best wins, the latest one where several do, because the base image's entries stand
first. What only the keyword supports is believed after the first entry that is more than that.
"""

from __future__ import annotations

import re

from dfopt.image.created_by import EXACT, LIKELY, WEAK, DockerfileStep, agreement, shells_of, take_apart
from dfopt.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from dfopt.image.created_by import Written
    from dfopt.image.model import HistoryEntry, Image

_WORTH = {"": 0, WEAK: 1, LIKELY: 8, EXACT: 16}
_LONGEST = 300  # entries and steps that are compared; beyond that the last ones count
_CHANGES_FILES = frozenset(("RUN", "COPY", "ADD"))


class Origin(Record):
    """One entry of the history. keyword and body: see `created_by.Written`. layer: the index of the layer that it made,
    or None. step: the Dockerfile instruction, or None; certainty: exact, likely, weak, or "" without a step.

    also: indexes of earlier entries whose changes are in this layer too (buildah without --layers).
    """

    index: int
    entry: HistoryEntry
    keyword: str
    body: str
    layer: int | None
    step: DockerfileStep | None
    certainty: str
    also: tuple[int, ...]


class Mapping(Record):
    """All entries, oldest first. `complete` is False when entries and layers do not add up; `notes` say why."""

    origins: tuple[Origin, ...]
    complete: bool
    notes: tuple[str, ...]

    def of_layer(self, index: int) -> Origin | None:
        """The entry that made a layer; None when the history does not say."""
        return next((origin for origin in self.origins if origin.layer == index), None)


def map_history(image: Image, steps: Sequence[DockerfileStep] = (), base_entries: int = 0) -> Mapping:
    """Maps the history of an image to its layers and to `steps` (of the built stage: see `stage_steps`).

    base_entries: how many of the oldest entries are known to be the base image's; they are given no step.
    """
    entries = [take_apart(entry.created_by) for entry in image.history]
    layers, notes = _layers(image)
    first = max(base_entries, _base_by_comment(image.history))
    aligned = _align(entries, list(steps), first, shells_of(steps, _shell(image)))
    buildah = "io.buildah.version" in (image.settings().get("Labels") or {}) or _base_by_comment(image.history) > 0
    origins = []
    pending: list[int] = []
    for index, entry in enumerate(image.history):
        layer = layers.get(index)
        step, certainty = aligned.get(index, (None, ""))
        also: tuple[int, ...] = ()
        if layer is not None:
            also, pending = tuple(pending), []
        elif buildah and index >= first and entries[index].keyword in _CHANGES_FILES:
            pending.append(index)
        origins.append(Origin(index, entry, entries[index].keyword, entries[index].body, layer, step, certainty, also))
    return Mapping(tuple(origins), not notes, tuple(notes))


def stage_steps(steps: Sequence[DockerfileStep], target: str = "") -> list[DockerfileStep]:
    """Of a whole Dockerfile's steps (FROM among them) those that the target stage's image goes through: its own, after
    those of the stages that it is built FROM. target: a stage's name or number, else the last; an unknown one is the
    last too. ARG before the first FROM is left out, and so is FROM itself: neither leaves an entry."""
    stages: list[tuple[str, str, list[DockerfileStep]]] = []
    for step in steps:
        if step.keyword.upper() == "FROM":
            words = [word for word in step.text.split() if not word.startswith("--")]
            alias = words[2].lower() if len(words) > 2 and words[1].lower() == "as" else ""
            stages.append((words[0].lower() if words else "", alias, []))
        elif stages:
            stages[-1][2].append(step)
    if not stages:
        return list(steps)
    number = _stage(stages, target.lower(), len(stages))
    number = len(stages) - 1 if number is None else number
    chain: list[DockerfileStep] = []
    current: int | None = number
    while current is not None:
        parent, _, stage = stages[current]
        chain[:0] = stage
        # FROM finds earlier stages by name only; a number there is an image's name.
        current = None if parent.isdigit() else _stage(stages, parent, current)
    return chain


def _stage(stages: list[tuple[str, str, list[DockerfileStep]]], name: str, before: int) -> int | None:
    for index in range(before - 1, -1, -1):
        if name and stages[index][1] == name:
            return index
    return int(name) if re.fullmatch("[0-9]{1,6}", name) and int(name) < before else None


def _layers(image: Image) -> tuple[dict[int, int], list[str]]:
    """History index -> layer index. They add up in a sound image; else the newest are paired, as builders append."""
    with_layer = [index for index, entry in enumerate(image.history) if not entry.empty_layer]
    count = len(image.layers)
    notes = []
    if len(with_layer) != count:
        what = f"its history tells of {len(with_layer)} layers" if image.history else "it has no history"
        notes.append(f"{image.name} has {count} layers, {what}: the newest were paired")
    pairs = zip(reversed(with_layer), range(count - 1, -1, -1), strict=False)
    return dict(pairs), notes


def _base_by_comment(history: Sequence[HistoryEntry]) -> int:
    """buildah notes `FROM image` on the first entry of a build; the last such note counts."""
    marked = [index for index, entry in enumerate(history) if entry.comment.startswith("FROM ")]
    return marked[-1] if marked else 0


def _shell(image: Image) -> list[str]:
    value = image.settings().get("Shell")
    return [word for word in value if isinstance(word, str)] if isinstance(value, list) else []


def _align(
    history: list[Written], steps: list[DockerfileStep], first: int, shells: frozenset[str]
) -> dict[int, tuple[DockerfileStep, str]]:
    """The pairs of the best alignment, by history index."""
    skipped = max(first, len(history) - _LONGEST)
    entries, steps = history[skipped:], steps[-_LONGEST:]
    grades = [[agreement(entry, step, shells) for step in steps] for entry in entries]
    height, width = len(entries), len(steps)
    best = [[0] * (width + 1) for _ in range(height + 1)]  # best[i][j]: of the first i entries and j steps
    for i in range(1, height + 1):
        row, above, row_grades = best[i], best[i - 1], grades[i - 1]
        for j in range(1, width + 1):
            row[j] = max(above[j], row[j - 1], above[j - 1] + _WORTH[row_grades[j - 1]])
    pairs: list[tuple[int, int, str]] = []
    i, j = height, width
    while i and j:
        grade = grades[i - 1][j - 1]
        if grade and best[i][j] == best[i - 1][j - 1] + _WORTH[grade]:
            i, j = i - 1, j - 1
            pairs.append((i, j, grade))
        elif best[i][j] == best[i - 1][j]:
            i -= 1
        else:
            j -= 1
    pairs.reverse()
    while pairs and pairs[0][2] == WEAK:  # nothing before it vouches for its place
        del pairs[0]
    return {skipped + i: (steps[j], grade) for i, j, grade in pairs}
