"""Where texts that may be edited are written in HCL: heredocs and quoted values."""

from __future__ import annotations

from typing import Any

from dfopt.build_definitions.hcl import read_hcl


def heredocs(text: str, attribute: str) -> list[tuple[int, int, bool]]:
    """The spans of the lines in the heredocs that are the values of a block's `attribute`, in the order of the text,
    and whether common indentation is taken from them (`<<-`). Raises DefinitionError."""
    if "\r" in text or text.startswith("\ufeff"):
        return []  # offsets would not be the text's own
    spans: list[tuple[int, int, bool]] = []
    for block in read_hcl(text, "")[0]:
        node = block.attributes.get(attribute)
        if node is None:
            continue
        node = _inner(node)
        if getattr(node, "data", "") in ("heredoc_template", "heredoc_template_trim"):
            token = node.children[0]
            begin = token.start_pos + str(token).index("\n") + 1
            end = token.start_pos + str(token).rindex("\n", 0, len(token) - 1) + 1
            spans.append((begin, end, node.data == "heredoc_template_trim"))
    return sorted(spans)


def quoted_items(text: str, attribute: str) -> list[tuple[int, str]]:
    """The quoted values in the mappings that are a block's `attribute`: where the text behind the first quote begins,
    and that text as it is written. Raises DefinitionError."""
    if "\r" in text or text.startswith("\ufeff"):
        return []  # offsets would not be the text's own
    items: list[tuple[int, str]] = []
    for block in read_hcl(text, "")[0]:
        node = block.attributes.get(attribute)
        for item in node.iter_subtrees_topdown() if node is not None else ():
            string: Any = _inner(item.children[-1]) if item.data == "object_elem" else None
            if getattr(string, "data", "") == "string":
                start = string.children[0].start_pos + 1
                items.append((start, text[start : string.children[-1].start_pos]))
    return sorted(items)


def _inner(node: Any) -> Any:
    """An expression without what only stands around it."""
    while getattr(node, "data", "") == "expr_term" and len(node.children) == 1:
        node = node.children[0]
    return node
