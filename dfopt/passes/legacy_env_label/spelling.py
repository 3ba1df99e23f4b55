"""Values of the old form as words of the new one."""

from __future__ import annotations

from dfopt.rewrites.respell import same_expansion
from dfopt.syntax.arguments import quoted_words
from dfopt.syntax.expand import ExpansionError, variables


def spelt(value: str, escape: str) -> str | None:
    """An old-form value as one word of the new form that expands alike; None where none is found."""
    words = quoted_words(value, 0, len(value), escape)
    if len(words) == 1 and words[0].value == value:
        word: str | None = value
    elif not any(char in value for char in ("'", '"', escape)):
        word = f'"{value}"'
    else:
        word = _requoted(value, escape)
    if word is None or not same_expansion(value, word, escape):
        return None
    again = quoted_words(word, 0, len(word), escape)
    return word if len(again) == 1 and again[0].value == word else None


def _requoted(value: str, escape: str) -> str | None:
    """A value with quotes and escapes of its own as one double-quoted string."""
    try:
        uses = {use.start: use for use in reversed(variables(value, escape))}
    except ExpansionError:
        return None
    special = ("'", '"', escape)
    out: list[str] = []
    at = 0
    inside = False  # double quotes
    while at < len(value):
        char = value[at]
        if char == "'" and not inside:
            end = value.find("'", at + 1)
            out.append(_escaped(value[at + 1 : end], escape))
            at = end + 1
        elif char == '"':
            inside = not inside
            at += 1
        elif char == escape:
            following = value[at + 1 : at + 2]
            kept = char if inside and following not in ('"', "$", escape) else ""
            out.append(_escaped(kept + following, escape))
            at += 2
        elif char == "$" and at in uses:
            use = uses[at]
            if any(char in value[use.operand_start : use.operand_end] for char in special):
                return None
            text = value[use.start : use.end]
            # what follows could join the name once the quotes between them are gone
            out.append(
                f"${{{use.name}}}" if text == f"${use.name}" and value[use.end : use.end + 1] in special else text
            )
            at = use.end
        else:
            out.append(_escaped(char, escape))
            at += 1
    return '"' + "".join(out) + '"'


def _escaped(text: str, escape: str) -> str:
    """Literal text for the inside of double quotes."""
    return "".join([escape + char if char in ('"', "$", escape) else char for char in text])
