"""What Maven reads of the project whose dependencies it fetches."""

from __future__ import annotations

import re

from dfopt.knowledge import table
from dfopt.refusal import Refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.passes.dependency_layers.command import Command


def fetch(command: Command) -> None:
    facts = table("dependency_files")["mvn"]
    command.operands(facts, command.values)
    command.environment(facts)
    command.manifests(facts)
    if command.holds(".mvn"):
        raise Refusal(".mvn configures Maven")
    text = command.text("pom.xml")
    for tag in ("modules", "systemPath", "relativePath", "extensions", "exists", "missing"):
        if re.search(rf"<{tag}\s*>", text):
            raise Refusal(f"<{tag}> in pom.xml leads to other files")
    if re.search(r"file:|\$\{(?:project\.)?basedir\}", text):
        raise Refusal("pom.xml names local files")


def profiles(words: list[str]) -> list[str]:
    """The words of a build that choose profiles, for another command of the same project. Raises Refusal for an option
    that may change what Maven reads."""
    plain = table("dependency_files")["added"]["mvn"]["plain"]
    chosen: list[str] = []
    takes = False
    for word in words:
        if takes:
            chosen.append(word)
            takes = False
        elif re.fullmatch(r"-P[\w.,-]*|--activate-profiles", word):
            chosen.append(word)
            takes = word in ("-P", "--activate-profiles")
        elif word.startswith("-") and word.partition("=")[0] not in plain:
            raise Refusal(f"`mvn {word}` may change what Maven reads")
    if any(
        re.fullmatch(r"-P|--activate-profiles|[\w.,-]+", word) is None and not word.startswith("-P") for word in chosen
    ):
        raise Refusal("the names of the profiles cannot be written plainly")
    return chosen
