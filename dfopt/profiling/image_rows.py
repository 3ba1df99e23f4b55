"""What a profile says of the image that was built: its figures by line, its settings, its system."""

from __future__ import annotations

import re

from dfopt.image import map_history, stage_steps
from dfopt.image.created_by import WEAK
from dfopt.image.merged_tree import METADATA_ONLY
from dfopt.profile.document import faults, schema
from dfopt.review.dockerfile_review import steps_of
from dfopt.review.survey import survey

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from dfopt.image.artifacts import ImageFiles
    from dfopt.proof.image_view import ImageView

_MOST_DEATHS = 500
_OPTION = re.compile(r"--?[A-Za-z-]*")
_WRITING = ("ADD", "COPY", "RUN", "WORKDIR")


def line_rows(view: ImageView, text: str, target: str) -> list[dict[str, Any]]:
    """The rows of a profile's `lines`: what each instruction wrote that the history of the image tells of. `target`:
    the stage that was built, "" for the last."""
    ledger = view.ledger
    steps = stage_steps(steps_of(text), target)
    lines: dict[int, int] = {}  # by layer
    keywords: dict[int, str] = {}
    for origin in map_history(view.contents.image, steps).origins:
        step = origin.step
        if origin.layer is None or step is None or origin.certainty == WEAK or step.keyword.upper() not in _WRITING:
            continue
        lines[origin.layer] = step.line
        keywords[step.line] = step.keyword.upper()
    rows: dict[int, dict[str, Any]] = {
        line: {"line": line, "instruction": keywords[line], "bytes": 0, "dead": 0} for line in sorted(keywords)
    }
    for layer, line in lines.items():
        tally = ledger.layers[layer]
        rows[line]["bytes"] += tally.bytes
        rows[line]["dead"] += tally.dead
    seen = survey(ledger)
    for leftover in seen.leftovers:
        if leftover.layer in lines:
            kinds = rows[lines[leftover.layer]].setdefault("leftovers", {})
            kinds[leftover.kind] = kinds.get(leftover.kind, 0) + leftover.size
    deaths: dict[tuple[int, int, str, bool], int] = {}
    for position, dead in enumerate(ledger.dead):
        if dead.producer in lines:
            kind, again = seen.dead_kinds.get(position, ""), dead.kind == METADATA_ONLY
            key = lines[dead.producer], lines.get(dead.killer, 0), kind, again
            deaths[key] = deaths.get(key, 0) + dead.size
    for (line, killer, kind, again), size in sorted(deaths.items()):
        if len(rows[line].get("deaths", ())) == _MOST_DEATHS:
            continue  # the sum is in "dead"
        death: dict[str, Any] = {"by": killer, "bytes": size}
        if kind:
            death["kind"] = kind
        if again:
            death["again"] = True
        rows[line].setdefault("deaths", []).append(death)
    return list(rows.values())


def image_row(view: ImageView, settings: Mapping[str, Any], files: ImageFiles) -> dict[str, Any]:
    """A profile's `image`. What it cannot say, it leaves empty."""
    ledger = view.ledger
    ports = [f"{protocol}/{port}" for port, protocol in _ports(settings)]
    return {
        "bytes": ledger.total_bytes,
        "dead": ledger.dead_bytes,
        "files": sum(node.inode is not None for _, node in ledger.tree.walk()),
        "layers": len(ledger.layers),
        **settings_row(settings),
        "entrypoint": _sayable(_started(settings.get("Entrypoint")), "started", None),
        "ports": _sayable_items(sorted(ports), schema()["properties"]["image"]["properties"]["ports"]),
        **system_row(files),
    }


def settings_row(settings: Mapping[str, Any]) -> dict[str, Any]:
    """User, shell, working directory and CMD of an image."""
    return {
        "user": _sayable(str(settings.get("User") or ""), "user", ""),
        "shell": _sayable(words_of(settings.get("Shell")), "words", None),
        "workdir": _sayable(str(settings.get("WorkingDir") or ""), "anyPath", ""),
        "cmd": _sayable(_started(settings.get("Cmd")), "started", None),
    }


def system_row(files: ImageFiles) -> dict[str, Any]:
    """Release, accounts and packages of an image."""
    accounts = [
        {"name": account.name, "uid": account.uid, "gid": account.gid, "shell": account.shell}
        for account in files.accounts()
    ]
    definitions = schema()["$defs"]
    return {
        "release": _sayable(list(files.release()), "release", ["", ""]),
        "accounts": _sayable_items(accounts, definitions["accounts"]),
        "packages": _sayable_items(files.packages(), definitions["packages"]),
    }


def words_of(words: object) -> list[str] | None:
    """The words of an ENTRYPOINT or SHELL; None where one behind the first may hold data."""
    texts = [str(word) for word in words] if isinstance(words, list) else []
    return texts if all(map(_OPTION.fullmatch, texts[1:])) else None


def _sayable(value: Any, name: str, otherwise: Any) -> Any:
    """A value, where the definition `name` of the schema takes it."""
    return otherwise if any(faults(value, schema()["$defs"][name])) else value


def _sayable_items(items: list[Any], rule: Mapping[str, Any]) -> list[Any]:
    return [item for item in items if not any(faults(item, rule["items"]))][: rule["maxItems"]]


def _started(words: object) -> dict[str, Any] | None:
    """The first word of an ENTRYPOINT or CMD, and how many there are: the others may hold anything."""
    if not isinstance(words, list) or not words:
        return None
    return {"program": str(words[0]), "words": len(words)}


def _ports(settings: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(port, protocol) of what is EXPOSEd."""
    exposed = settings.get("ExposedPorts")
    names = [str(name).partition("/") for name in (exposed if isinstance(exposed, dict) else ())]
    return [(port, protocol or "tcp") for port, _, protocol in names]
