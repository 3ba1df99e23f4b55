from __future__ import annotations

from dfopt.edit import Edit
from dfopt.facts import Facts
from dfopt.findings import Finding, Fix
from dfopt.passes.base import Pass
from dfopt.passes.legacy_env_label.slips import slip
from dfopt.passes.legacy_env_label.spelling import spelt
from dfopt.rewrites.instructions import RespellPairs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.ir.program import Program
    from dfopt.syntax.tree import Instruction


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
    group = "modernize"
    tiers = ("safe",)
    phase = "names"
    default = False
    codes = ("LegacyKeyValueFormat",)
    triggers = ("env", "label")
    order = 60

    def find(self, program: Program, facts: Facts) -> Iterator[Finding]:
        for index, node in enumerate(program.dockerfile.instructions):
            mistake = slip(program.text, node) if node.keyword in ("ENV", "LABEL") else ""
            if mistake:
                yield Finding(self.name, f"{node.keyword} sets what is hardly meant: {mistake}", node.start, node.end)
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
