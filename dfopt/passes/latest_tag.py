from __future__ import annotations

from dfopt.analysis.image_references import sites
from dfopt.facts import Facts
from dfopt.findings import Finding
from dfopt.passes.base import Pass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.ir.program import Program


class LatestTag(Pass):
    """Reports images that are named without a tag, or with the tag `latest`.

    Which version is meant is not written down, so that there is nothing to put in its place: this is a suggestion.
    Names with a digest are left alone, and so are stages, `scratch` and the frontend of `# syntax=`.

    Why: `latest` is whatever was pushed last. A build that works today meets another major version tomorrow.

    Example:

    ```dockerfile
    FROM python
    ```

    Refuses: nothing; it changes nothing.

    Declares: nothing.
    """

    name = "latest-tag"
    group = "reproducible"
    tiers = ()
    phase = "names"
    codes = ("DL3006", "DL3007", "CKV_DOCKER_7", "DS-0001", "DKL-DI-0006")
    order = 81

    def find(self, program: Program, facts: Facts) -> Iterator[Finding]:
        for site in sites(program):
            if site.kind == "syntax" or site.ref.resolved_tag != "latest" or site.ref.digest:
                continue
            name = site.ref.text
            message = f"{name} follows whatever is newest" if site.ref.tag else f"{name} has no tag: it means latest"
            yield Finding(self.name, f"{message}; name a version", site.start, site.end)
