from __future__ import annotations

from dfopt.edit import Edit
from dfopt.facts import Facts
from dfopt.findings import Finding, Fix
from dfopt.passes.base import Option, Pass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.analysis.image_references import ReferenceSite
    from dfopt.ir.program import Program


class PinDigest(Pass):
    """Pins every image to the digest that its tag stands for now.

    All references of a file are pinned: FROM (also where an ARG's default holds the name or the tag), COPY --from=,
    RUN --mount=from=, and the frontend of `# syntax=`, behind ONBUILD too. The tag stays, so that people and update
    bots see what is followed; an untagged name gets the `latest` that it means. The digest is that of the index, which
    serves every platform. Digests are asked of the lock file or the registry; without an answer nothing changes.

    Why: a tag moves. The same Dockerfile builds another image tomorrow, and whoever may push the tag may change it.

    Example:

    ```dockerfile
    ARG TAG=13-slim
    FROM debian:${TAG}
    COPY --from=ghcr.io/astral-sh/uv:0.9 /uv /
    ```

    ```dockerfile
    ARG TAG=13-slim@sha256:1111111111111111111111111111111111111111111111111111111111111111
    FROM debian:${TAG}
    COPY --from=ghcr.io/astral-sh/uv:0.9@sha256:2222222222222222222222222222222222222222222222222222222222222222 /uv /
    ```

    Refuses: names made of build arguments, unless one ARG's default holds the whole name or the whole tag, and nothing
    else uses it: a digest that stays while the tag beside it is set on the command line would win over it. Stages,
    `scratch` and names that are pinned already are left alone (`update` gives those the digest of today).

    Declares: a name gains `@digest`, or gets another one.
    """

    name = "pin-digest"
    group = "reproducible"
    tiers = ("safe",)
    phase = "names"
    order = 80
    options = (Option("update", "bool", False, "replace digests that the tag no longer stands for"),)

    def find(self, program: Program, facts: Facts) -> Iterator[Finding]:
        if not facts.knows("digest"):
            return  # no digests are available: nothing to report
        from dfopt.analysis.image_references import sites

        unknown: list[ReferenceSite] = []
        changes: dict[int, list[tuple[ReferenceSite, str]]] = {}  # instruction -> what to write behind which name
        for site in sites(program):
            if site.ref.digest and not (self.settings["update"] and site.ref.tag):
                continue
            digest = facts.digest(site.ref.text.partition("@")[0])
            if digest is None:
                unknown.append(site)
            elif digest != site.ref.digest:
                if not _is_digest(site, digest):
                    yield self.refuse(site, f"{digest!r} is no digest")
                elif site.tail is None:
                    yield self.refuse(site, site.why)
                else:
                    changes.setdefault(site.tail.index, []).append((site, digest))
        for index, found in changes.items():
            yield self.pinned(program, index, found)
        if unknown:
            names = ", ".join(dict.fromkeys(site.ref.text for site in unknown))
            first = unknown[0]
            reason = "its digest is not known: dfopt pin asks the registry"
            yield Finding(self.name, f"not pinned: {names}", first.start, first.end, None, reason)

    def pinned(self, program: Program, index: int, found: list[tuple[ReferenceSite, str]]) -> Finding:
        """One finding for all names that end in one instruction (several stages may share an ARG's default)."""
        from dfopt.analysis.image_references import declare

        edits: dict[int, Edit] = {}
        values: dict[int, str] = {}
        names: list[str] = []
        for site, digest in found:
            tail, ref = site.tail, site.ref
            assert tail is not None
            old = f"@{ref.digest}" if ref.digest else ""
            new = f"@{digest}" if ref.tag else f":latest@{digest}"
            edit = Edit(tail.offset - len(old), tail.offset, new)
            if not program.text.startswith(old, edit.start):
                return self.refuse(site, "the digest is not written in one piece")
            if tail.offset not in edits:
                edits[tail.offset] = edit
                values[tail.slot] = tail.value[: tail.at - len(old)] + new + tail.value[tail.at :]
                names.append(ref.text.partition("@")[0])
        first = found[0][0]
        shown = ", ".join(names)
        message = f"{shown} stands for another digest now" if first.ref.digest else f"pin {shown} by digest"
        fix = Fix(tuple(edits.values()), declare(program, index, values), "safe")
        return Finding(self.name, message, first.start, max(site.end for site, _ in found), fix)

    def refuse(self, site: ReferenceSite, reason: str) -> Finding:
        return Finding(self.name, f"{site.ref.text} is not pinned", site.start, site.end, None, reason)


def _is_digest(site: ReferenceSite, digest: str) -> bool:
    from dfopt.syntax.image_ref import ImageRefError, parse_image_ref

    try:
        return parse_image_ref(f"{site.ref.text.partition('@')[0]}@{digest}").digest == digest
    except ImageRefError:
        return False
