"""What a run needs, as a row of a profile: names of files, packages, owners and modes."""

from __future__ import annotations

from dfopt.facts import RunEvidence

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


def evidence_row(evidence: RunEvidence) -> dict[str, Any]:
    """The row, without reasons, which those on an empty image alone have."""
    return {
        "family": evidence.family,
        "packages": list(evidence.packages),
        "files": list(evidence.files),
        "trees": dict(evidence.trees),
        "links": dict(evidence.links),
        "directories": {path: {"mode": mode, "owner": owner} for path, mode, owner in evidence.directories},
        "libraries": evidence.libraries,
        "bytes": evidence.bytes,
        "saved": evidence.saved,
        "removed": list(evidence.removed),
    }


def evidence_of(row: Mapping[str, Any]) -> RunEvidence:
    """The evidence of a row that the schema allows."""
    return RunEvidence(
        row["family"], tuple(row["packages"]), tuple(row["files"]), tuple(row["trees"].items()),
        tuple(row["links"].items()), tuple((path, at["mode"], at["owner"]) for path, at in row["directories"].items()),
        row["libraries"], row["bytes"], row["saved"], tuple(row["removed"]),
    )  # fmt: skip
