"""What Maven reads of the project whose dependencies it fetches."""

from __future__ import annotations

import re

from dfopt.knowledge import table
from dfopt.passes._dependencies.sources import Reads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.passes._dependencies.command import Command


def fetch(command: Command) -> None:
    facts = table("dependency_files")["mvn"]
    command.known(facts, command.values)
    command.environment(facts)
    command.manifests(facts)
    if command.holds(".mvn"):
        raise Reads(".mvn configures Maven")
    text = command.text("pom.xml")
    for tag in ("modules", "systemPath", "relativePath", "extensions"):
        if re.search(rf"<{tag}\s*>", text):
            raise Reads(f"<{tag}> in pom.xml leads to other files")
    if re.search(r"file:|\$\{(?:project\.)?basedir\}", text):
        raise Reads("pom.xml names local files")
