"""sarif: SARIF 2.1.0, one run for each image. A finding stands at the line of the Dockerfile that brought it; where no
line is known, at the image, with the path inside it as a logical location."""

from __future__ import annotations

import hashlib

from dfopt import sarif
from dfopt.image.errors import printable
from dfopt.knowledge import table
from dfopt.messages import json_text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from dfopt.review.model import ImageFinding, Review, Reviewed


def render(reviewed: Reviewed) -> str:
    runs = [_run(review) for review in (reviewed.before, reviewed.after) if review is not None]
    return json_text({"$schema": sarif.SCHEMA, "version": sarif.VERSION, "runs": runs}, indent=1) + "\n"


def _run(review: Review) -> dict[str, Any]:
    from importlib.metadata import version

    rules = [
        {
            "id": name,
            "shortDescription": {"text": rule["title"]},
            "help": {"text": rule["help"]},
            "defaultConfiguration": {"level": rule["level"]},
        }
        for name, rule in table("review_rules").items()
    ]
    return {
        "tool": sarif.tool("dfopt review", version("dfopt"), rules),
        "automationDetails": {"id": f"dfopt-review/{printable(review.name)}/"},
        "columnKind": sarif.COLUMNS,
        "results": [_result(review, finding) for finding in review.findings],
        "invocations": [{"executionSuccessful": True}],
    }


def _result(review: Review, finding: ImageFinding) -> dict[str, Any]:
    if review.source is not None:
        location = sarif.location(review.source.name, {"startLine": finding.line or 1})
    else:
        location = sarif.location(review.name.replace("://", "/"), None)
    if finding.path:
        location["logicalLocations"] = [{"fullyQualifiedName": finding.path, "kind": "resource"}]
    properties: dict[str, Any] = {"bytes": finding.size, "passes": list(finding.passes)}
    if finding.layer >= 0:
        properties["layer"] = finding.layer
    # The path and the rule, not the text: sizes change from build to build.
    key = f"{finding.rule}\0{finding.path or finding.message}".encode("utf-8", "surrogateescape")
    return {
        **sarif.result(finding.rule, finding.level, printable(finding.message), location),
        "partialFingerprints": {"dfoptReview/v1": hashlib.sha256(key).hexdigest()[:32]},
        "properties": properties,
    }
