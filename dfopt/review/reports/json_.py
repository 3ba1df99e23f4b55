"""json: all that the review holds, version 1. Byte counts are numbers, secrets are masked, layers count from 0."""

from __future__ import annotations

import math

from dfopt.image.errors import printable
from dfopt.messages import json_text
from dfopt.review.disclosure import masked, setting

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from dfopt.image.compare import Comparison
    from dfopt.record import Record
    from dfopt.review.model import Review, Reviewed


def render(reviewed: Reviewed) -> str:
    images = [review for review in (reviewed.before, reviewed.after) if review is not None]
    document: dict[str, Any] = {"version": 1, "images": [_review(review) for review in images]}
    if reviewed.comparison is not None:
        document["comparison"] = _comparison(reviewed.comparison)
    return json_text(document, indent=2) + "\n"


def _plain(value: object) -> Any:
    """Records as objects, tuples as lists; texts that can be written as UTF-8 and read on one line."""
    fields = getattr(type(value), "__fields__", None)
    if fields is not None:
        return {field: _plain(getattr(value, field)) for field in fields}
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return printable(value) if isinstance(value, str) else value


def _review(review: Review) -> dict[str, Any]:
    image, ledger, dive = review.image, review.ledger, review.dive
    document: dict[str, Any] = {
        "name": printable(review.name),
        "names": _plain(image.names),
        "digest": image.digest,
        "config_digest": image.config_digest,
        "platform": printable(str(image.platform)),
        "bytes": ledger.total_bytes,
        "live": ledger.live_bytes,
        "dead": ledger.dead_bytes,
        "stored": review.stored,
        "efficiency": ledger.efficiency(),
        "dive": {
            "efficiency": dive.efficiency,
            "wasted_bytes": dive.wasted_bytes,
            "user_bytes": dive.user_bytes,
            "user_wasted": _plain(dive.user_wasted),
        },
        "dive_ci": _plain(review.verdicts),
        "layers": _plain(review.layers),
        "dead_groups": _plain(review.dead),
        "leftovers": _plain(review.leftovers),
        "privileged": _plain(review.privileged),
        "packages": _plain(review.packages),
        "duplicates": [
            {
                "size": duplicate.size,
                "sha256": duplicate.sha256.hex(),
                "wasted": duplicate.wasted(),
                "paths": _plain(duplicate.paths[:20]),
            }
            for duplicate in review.duplicates[:100]
        ],
        "findings": _plain(review.findings),
        "notes": _plain(review.notes),
    }
    if review.source is not None:
        source: Record = review.source
        document["dockerfile"] = {key: value for key, value in _plain(source).items() if key != "diff"}
        diff = review.source.diff.encode("utf-8", "backslashreplace").decode()
        document["dockerfile"]["diff"] = "\n".join(masked(line) for line in diff.split("\n"))
    return document


def _comparison(comparison: Comparison) -> dict[str, Any]:
    def entry(value: Any) -> Any:
        if value is None:
            return None
        entry_fields = ("kind", "mode", "uid", "gid", "size", "link")
        return {**{key: _plain(getattr(value, key)) for key in entry_fields}, "sha256": value.sha256.hex()}

    def setting_value(key: str, value: Any) -> Any:
        return setting(key, value) if isinstance(value, str) else value

    return {
        "equal": comparison.equal(),
        "shared_layers": comparison.shared,
        "before": _plain(comparison.before),
        "after": _plain(comparison.after),
        "config": [
            {
                "key": printable(change.key),
                "before": setting_value(change.key, change.before),
                "after": setting_value(change.key, change.after),
            }
            for change in comparison.config
        ],
        "files": [
            {
                "path": printable(change.path),
                "kind": change.kind,
                "fields": list(change.fields),
                "before": entry(change.before),
                "after": entry(change.after),
            }
            for change in comparison.files
        ],
    }
