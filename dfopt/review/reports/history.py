"""The history of an image as a table, with its layers' sizes, and the Dockerfile that was recovered from it."""

from __future__ import annotations

from dfopt.image.errors import printable
from dfopt.messages import json_text
from dfopt.record import Record
from dfopt.review.disclosure import masked
from dfopt.review.reports.text import table
from dfopt.units import human

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from dfopt.image.history import Mapping
    from dfopt.image.layers import ImageContents
    from dfopt.image.ledger import Ledger
    from dfopt.review.recover import Recovered

_STEP = 90


class HistoryReport(Record):
    """What `dfopt history` shows. recovered: None where the Dockerfile was given."""

    name: str
    contents: ImageContents
    ledger: Ledger
    mapping: Mapping
    recovered: Recovered | None
    show_secrets: bool


def render_text(history: HistoryReport, *, everything: bool) -> str:
    contents, ledger = history.contents, history.ledger
    image = contents.image
    lined = any(origin.step is not None for origin in history.mapping.origins)
    rows = []
    with_entry = {origin.layer for origin in history.mapping.origins}
    for index, layer in enumerate(ledger.layers):
        if index not in with_entry:
            cells = ["-", str(index), human(layer.bytes), human(layer.dead), "-"]
            rows.append([*cells, *(["-"] if lined else []), "(no entry tells of this layer)"])
    for origin in history.mapping.origins:
        tally = ledger.layers[origin.layer] if origin.layer is not None else None
        cells = [
            str(origin.index),
            str(origin.layer) if origin.layer is not None else "-",
            human(tally.bytes) if tally is not None else "-",
            human(tally.dead) if tally is not None else "-",
            origin.entry.created[:19].replace("T", " ") or "-",
        ]
        if lined:
            cells.append(str(origin.step.line) if origin.step is not None else "-")
        text = " ".join(_shown(origin.entry.created_by, history).split()) or origin.entry.comment or "(no text)"
        text = printable(text)
        rows.append([*cells, text if everything or len(text) <= _STEP else text[: _STEP - 3] + "..."])
    head = ["entry", "layer", "bytes", "dead", "created", *(["line"] if lined else []), "made by"]
    stored = sum(layer.stored for layer in contents.layers)
    text = (
        f"{printable(history.name)}  {image.platform}  {image.digest or image.config_digest}\n"
        f"  {human(ledger.total_bytes)} in {len(contents.layers)} layers ({human(stored)} stored)\n"
        f"{table('History, oldest first', head, rows)}"
    )
    text += "".join(f"note: {printable(note)}\n" for note in history.mapping.notes)
    if history.recovered is not None:
        places = history.recovered.unknown
        text += f"\nDockerfile, as far as it can be recovered ({places} place{'' if places == 1 else 's'} unknown)\n\n"
        text += "".join(f"  {line}".rstrip() + "\n" for line in history.recovered.text.split("\n")[:-1])
    return text


def render_json(history: HistoryReport) -> str:
    ledger = history.ledger
    entries: list[dict[str, Any]] = []
    for origin in history.mapping.origins:
        tally = ledger.layers[origin.layer] if origin.layer is not None else None
        entries.append(
            {
                "entry": origin.index,
                "layer": origin.layer,
                "bytes": tally.bytes if tally is not None else None,
                "dead": tally.dead if tally is not None else None,
                "created": printable(origin.entry.created),
                "created_by": printable(_shown(origin.entry.created_by, history)),
                "comment": printable(origin.entry.comment),
                "line": origin.step.line if origin.step is not None else None,
                "certainty": origin.certainty or None,
            }
        )
    layers = [
        {
            "layer": layer.layer.index, "digest": layer.layer.digest, "diff_id": layer.layer.diff_id,
            "stored": layer.stored, "bytes": tally.bytes, "live": tally.live, "dead": tally.dead, "files": tally.files,
        }
        for layer, tally in zip(history.contents.layers, ledger.layers, strict=True)
    ]  # fmt: skip
    document: dict[str, Any] = {
        "version": 1,
        "name": printable(history.name),
        "complete": history.mapping.complete,
        "notes": [printable(note) for note in history.mapping.notes],
        "history": entries,
        "layers": layers,
    }
    if history.recovered is not None:
        document["dockerfile"] = _clean(history.recovered.text)
        document["unknown"] = history.recovered.unknown
    return json_text(document, indent=2) + "\n"


def _shown(text: str, history: HistoryReport) -> str:
    return text if history.show_secrets else masked(text)


def _clean(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()
