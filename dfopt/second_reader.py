"""The independent second reader: dockerfile-parse reads what dfopt changed.

It knows no heredocs and expands some words wrongly, so it cannot be asked for the truth; but where it agreed with dfopt
about the original, it must agree about the result. It never writes.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from dfopt.ir.program import Program

_VIEWS = {"parent_images": "FROM", "envs": "ENV", "labels": "LABEL", "cmd": "CMD"}
_INVOLVED = frozenset(("FROM", "ARG", "ENV", "LABEL", "CMD"))


def disagreement(before: Program, after: Program) -> str:
    """Which view of the result the second reader contradicts; "" where it contradicts none."""
    theirs_before, theirs_after = _reader(before.text), _reader(after.text)
    if theirs_before is None:
        return ""
    if theirs_after is None:
        return "dockerfile-parse could read the original, but not the result"
    ours_before, ours_after = _ours(before), _ours(after)
    if ours_before == ours_after and _involved(theirs_before) == _involved(theirs_after):
        return ""  # all that its views are made of is the same, so they are
    for view in _VIEWS:
        agreed = _view(theirs_before, view) == ours_before[view]
        found = _view(theirs_after, view)
        if agreed and ours_after[view] != found:
            return f"dockerfile-parse reads other {view} in the result: {found!r}"
    return ""


def _reader(text: str) -> Any:
    """A reader of the text whose structure is made once; None where it cannot read it (it takes UTF-8 only)."""
    import logging
    from io import BytesIO

    from dockerfile_parse import DockerfileParser

    logging.getLogger("dockerfile_parse").setLevel(logging.CRITICAL)

    class Reader(DockerfileParser):  # type: ignore[misc]
        structure = None  # an attribute in place of the property, which parses anew at each look

    try:
        plain = DockerfileParser(fileobj=BytesIO(text.encode("utf-8")), env_replace=False)
        structure = plain.structure
    except Exception:  # a reader that fails has no opinion
        return None
    reader = Reader(fileobj=BytesIO(b""), env_replace=False)
    reader.structure = structure
    return reader


def _involved(reader: Any) -> list[tuple[str, str]]:
    return [(one["instruction"], one["value"]) for one in reader.structure if one["instruction"] in _INVOLVED]


def _view(reader: Any, view: str) -> Any:
    try:
        return getattr(reader, view)
    except Exception:  # as above
        return None


def _ours(program: Program) -> dict[str, Any]:
    """The same views from dfopt's tree, unexpanded as `env_replace=False` asks."""
    images = [stage.base for stage in program.stages]
    envs: dict[str, str] = {}
    labels: dict[str, str] = {}
    cmd: str | None = None
    if program.final is not None:
        for step in program.final.steps:
            node = step.node
            if node.keyword in ("ENV", "LABEL"):
                into = envs if node.keyword == "ENV" else labels
                into.update({pair.name: pair.value or "" for pair in node.pairs})
            elif node.keyword == "CMD":
                cmd = node.joined.text[node.at : node.stop]
    return {"parent_images": images, "envs": envs, "labels": labels, "cmd": cmd}
