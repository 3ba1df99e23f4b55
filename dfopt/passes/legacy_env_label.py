from __future__ import annotations

from dfopt.edit import Edit
from dfopt.facts import Facts
from dfopt.findings import Finding, Fix
from dfopt.lazy import regex
from dfopt.passes.base import Pass
from dfopt.rewrites.instructions import RespellPairs
from dfopt.rewrites.respell import same_expansion
from dfopt.syntax.arguments import quoted_words
from dfopt.syntax.expand import ExpansionError, variables

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.ir.program import Program
    from dfopt.syntax.tree import Instruction

# `NAME value OTHER=value`: the words behind the first are no options and no assignments of a command
_PAIR = regex(r"[^\s\"'=-][^\s\"'=]*[ \t]+([A-Z_][A-Z0-9_]*|[a-z][\w-]*(?:\.[\w-]+)+)=\S")
# a line of a quoted value that begins as a pair does
_LINE = regex(r"[\\`][ \t]*\r?\n[ \t]*([A-Z_][A-Z0-9_]*)=")


class LegacyEnvLabel(Pass):
    """Writes `ENV name value` and `LABEL name value` as `name=value`.

    The value gets double quotes where it has blanks, and quotes that it has are resolved: what BuildKit makes of it is
    the same before and after, whatever its variables hold.

    Why: the old form is deprecated; it takes one name only and hides mistakes such as `ENV A 1 B 2`, which sets A to
    `1 B 2`.

    Example:

    ```dockerfile
    FROM debian:13-slim
    ENV LANG C.UTF-8
    ENV OPTIONS -v --color "never mind"
    ```

    ```dockerfile
    FROM debian:13-slim
    ENV LANG=C.UTF-8
    ENV OPTIONS="-v --color never mind"
    ```

    A slip is shown and not carried on: `LABEL a = "b"`, whose value is `= "b"`, or `ENV A b C=d`, which sets A alone.

    Refuses: where no spelling in one line is exactly the same value (quotes inside `${name:-...}`, values with quotes
    over several lines), and where a comment stands between the name and its value. Behind ONBUILD nothing changes.

    Declares: the pair is spelt another way.
    """

    name = "legacy-env-label"
    group = "correct"
    phase = "names"
    codes = ("LegacyKeyValueFormat",)
    triggers = ("env", "label")
    order = 60

    def find(self, program: Program, facts: Facts) -> Iterator[Finding]:
        for index, node in enumerate(program.dockerfile.instructions):
            slip = _slip(program.text, node) if node.keyword in ("ENV", "LABEL") else ""
            if slip:
                yield Finding(self.name, f"{node.keyword} sets what is hardly meant: {slip}", node.start, node.end)
            elif node.form == "legacy":
                pair = node.pairs[0]
                message = f"write {node.keyword} in the form name=value"  # for all alike: titles say it once
                value = spelt(pair.value or "", program.dockerfile.escape)
                reason = "no spelling in the new form is known to be exactly the same value"
                edits = reason if value is None else _edits(program.text, node, value)
                if value is None or isinstance(edits, str):
                    yield Finding(self.name, message, node.start, node.end, None, str(edits))
                else:
                    rewrite = RespellPairs(index, ((pair.name, value),))
                    yield Finding(self.name, message, node.start, node.end, Fix(tuple(edits), (rewrite,), "safe"))


def _slip(text: str, node: Instruction) -> str:
    """An evident slip, which no other spelling may carry on: a second `=`, or a pair that is part of a value; "" for
    none."""
    for pair in node.pairs:
        value = pair.value or ""
        if value.lstrip().startswith("=") and value.strip("= \t\"'"):
            return f"the value of {pair.name} begins with ="
        if node.form == "legacy":
            inner = _PAIR.match(value)
            if inner is not None:
                return f"{inner[1]}= is part of the value of {pair.name}"
        elif value[:1] in ("'", '"') and pair.stop > pair.value_at:
            written = text[node.joined.source(pair.value_at) : node.joined.span(pair.stop - 1, pair.stop)[1]]
            inner = _LINE.search(written)
            if inner is not None:
                return f"{inner[1]}= is part of the value of {pair.name}, whose quotes end behind it"
    return ""


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


def _edits(text: str, node: Instruction, value: str) -> list[Edit] | str:
    """The edits that give the pair its `=` and its quotes, or what stands in the way."""
    pair = node.pairs[0]
    old = pair.value or ""
    start = node.joined.source(pair.at + len(pair.name) - 1) + 1
    begin = node.joined.source(pair.value_at)
    end = node.joined.span(pair.stop - 1, pair.stop)[1]
    if any(start < comment.start < begin for comment in node.comments):
        return "a comment stands between the name and its value"
    if value == old:
        return [Edit(start, begin, "=")]
    if value == f'"{old}"':
        return [Edit(start, begin, '="'), Edit(end, end, '"')]
    if "\n" in text[begin:end]:
        return "the value has quotes of its own and stands on several lines"
    return [Edit(start, end, "=" + value)]
