"""BuildKit source policies: pins that leave the Dockerfile as it is.

Sources: BuildKit's sourcepolicy/pb/policy.proto (version 1), its engine and matcher, and docs/build-repro.md. The match
is BuildKit's default, WILDCARD, which takes an identifier without `*` as it is; its EXACT never rewrites anything
(formatter.go gives back the identifier that was matched).
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


def source_policy(digests: Mapping[str, str], checksums: Mapping[str, str]) -> str:
    """The policy (JSON) that pins images, by full name (`docker.io/library/debian:12`), to digests, and downloads, by
    URL, to checksums ("sha256:..."). What a wildcard could misread is left out: see `fits`."""
    import json

    rules: list[dict[str, Any]] = []
    for name, digest in sorted(digests.items()):
        identifier = f"docker-image://{name}"
        updates: dict[str, Any] = {"identifier": f"{identifier}@{digest}"}
        rules.append({"action": "CONVERT", "selector": {"identifier": identifier}, "updates": updates})
    for url, checksum in sorted(checksums.items()):
        if fits(url):
            updates = {"attrs": {"http.checksum": checksum}}
            rules.append({"action": "CONVERT", "selector": {"identifier": url}, "updates": updates})
    return json.dumps({"version": 1, "rules": rules}, indent=2) + "\n"


def fits(url: str) -> bool:
    """Whether a policy can name this URL: `*` is a wildcard there, and `$` names what one has matched."""
    return "*" not in url and "$" not in url
