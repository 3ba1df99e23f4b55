"""The independent second reader: dockerfile-parse reads what dfopt changed.

It knows no heredocs and expands some words wrongly, so it cannot be asked for the truth; but where it agreed with dfopt
about the original, it must agree about the result. It never writes.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from dfopt.ir.program import Program

_VIEWS = ("parent_images", "envs", "labels", "cmd")


def disagreement(before: Program, after: Program) -> str:
    """Which view of the result the second reader contradicts; "" where it contradicts none."""
    theirs_before, theirs_after = _theirs(before.text), _theirs(after.text)
    if theirs_before is None:
        return ""
    if theirs_after is None:
        return "dockerfile-parse could read the original, but not the result"
    ours_before, ours_after = _ours(before), _ours(after)
    for view in _VIEWS:
        agreed = view in theirs_before and ours_before[view] == theirs_before[view]
        if agreed and ours_after[view] != theirs_after.get(view):
            return f"dockerfile-parse reads other {view} in the result: {theirs_after.get(view)!r}"
    return ""


def _theirs(text: str) -> dict[str, Any] | None:
    import logging
    from io import BytesIO

    from dockerfile_parse import DockerfileParser

    logging.getLogger("dockerfile_parse").setLevel(logging.CRITICAL)
    found: dict[str, Any] = {}
    try:
        data = text.encode("utf-8")
    except UnicodeEncodeError:
        return None  # it reads UTF-8 only
    for view in _VIEWS:
        try:
            parser = DockerfileParser(fileobj=BytesIO(data), env_replace=False)
            found[view] = getattr(parser, view)
        except Exception:  # a reader that fails has no opinion
            continue
    return found or None


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
