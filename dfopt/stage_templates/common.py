"""The keys of every kind of recipe."""

from __future__ import annotations

from dfopt.stage_templates.shape import Field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

WHEN: Mapping[str, Field] = {
    "family": Field("strings", "the base image of the last stage is of one of these families (debian, alpine ...)"),
    "image": Field("strings", "the base image of the last stage has one of these names (* stands for any characters)"),
    "min-stages": Field("int", "the file has at least this many stages"),
    "max-stages": Field("int", "the file has at most this many stages"),
    "context": Field("strings", "the build context holds a file of each of these patterns"),
    "instructions": Field("strings", "the file has each of these instructions"),
    "without": Field("strings", "the file has none of these instructions"),
}

COMMON: Mapping[str, Field] = {
    "kind": Field("string", "which of the shapes the file has"),
    "description": Field("string", "what it is for, in one line", required=True),
    "when": Field("table", "preconditions", fields=WHEN),
}
