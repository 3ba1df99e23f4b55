from __future__ import annotations

from fnmatch import fnmatchcase

from dfopt.analysis.image_references import sites
from dfopt.facts import Facts
from dfopt.findings import Finding
from dfopt.passes.base import Option, Pass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.ir.program import Program


class TrustedRegistry(Pass):
    """Finds images of other registries than those of the option `registries`. Without it, all are allowed.

    Why: whoever runs a registry decides what is in the images that are built on its own.

    Example:

    ```dockerfile
    FROM registry.example.com/team/base:1
    RUN true
    ```

    With `registries = ["docker.io", "*.example.org"]`, this is reported. An image without a registry is one of
    docker.io; `*` stands for any text.

    Refuses: nothing; it changes nothing.

    Declares: nothing; it is a suggestion.
    """

    name = "trusted-registry"
    group = "security"
    tiers = ()
    phase = "repair"
    codes = ("DL3026", "CIS-DI-0002")
    order = 94
    options = (Option("registries", "strings", (), "the registries that images may come from, `*` for any text"),)

    def find(self, program: Program, facts: Facts) -> Iterator[Finding]:
        registries: tuple[str, ...] = tuple(self.settings["registries"])
        if not registries:
            return
        for site in sites(program):
            if site.kind != "syntax" and not any(fnmatchcase(site.ref.domain, pattern) for pattern in registries):
                message = f"{site.ref.text} comes from {site.ref.domain}, which is none of the trusted registries"
                yield Finding(self.name, message, site.start, site.end)
