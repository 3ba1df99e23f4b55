"""What Go reads of a module whose dependencies it downloads."""

from __future__ import annotations

import re

from dfopt.ir.base_images import split_image
from dfopt.knowledge import table
from dfopt.refusal import Refusal
from dfopt.units import whole_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.passes.dependency_layers.command import Command


def download(command: Command) -> None:
    facts = table("dependency_files")["go"]
    command.operands(facts, command.values)
    command.environment(facts)
    flags = command.scope.env.get("GOFLAGS")
    if flags is not None and not (isinstance(flags, str) and re.search(r"-mod(?:file)?\b", flags) is None):
        raise Refusal("GOFLAGS may lead go to other files")
    command.manifests(facts)
    if command.holds("go.work"):
        raise Refusal("go.work names other modules")
    for line in command.text("go.mod").splitlines():
        if re.search(r"=>\s*(?:\"?\.{0,2}/|`?\.{0,2}/)", line.partition("//")[0]):
            raise Refusal("go.mod replaces a module by a local one")
    release = _go_release(command.scope.image)
    if release is None or release < 18:  # before, a download could add to go.sum
        command.doubts.append("go.sum stays as it is in the context, where go before 1.18 may add to it")
    if not command.holds("go.sum") and re.search(
        r"^[^\S\n]*(?:require[^\S\n]+)?[\w.-]+\.[a-z]+/\S+\s+v", command.text("go.mod"), re.M
    ):
        raise Refusal("there is no go.sum")


def _go_release(image: str | None) -> int | None:
    """The minor version of Go 1 that an official image brings; a tag without a number is a current one."""
    name, tag = split_image(image or "")
    if name != "golang" or tag is None:
        return None
    match = re.match(r"1\.(\d+)", tag)
    return whole_number(match[1]) if match is not None else None if re.match(r"\d", tag) else 99
