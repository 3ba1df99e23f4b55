from __future__ import annotations

from dfopt.edit import Edit
from dfopt.editing.json_form import json_string
from dfopt.facts import Facts
from dfopt.findings import Declares, Finding, Fix
from dfopt.lazy import regex
from dfopt.passes.base import Pass
from dfopt.rewrites.instructions import SetValue

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.ir.program import Program

_KEYWORDS = frozenset(("RUN", "CMD", "ENTRYPOINT", "HEALTHCHECK", "VOLUME", "COPY", "ADD"))
_CURLY = "[\u201c\u201d\u2033]"
_ITEM = rf"(?:'[^'\"\\]*'|\"[^\"\\]*\"|{_CURLY}[^\u201c\u201d\u2033\"\\]*{_CURLY}|[\w./:=@+-]+)"
_ARRAY = regex(rf"\[\s*{_ITEM}(?:\s*,\s*{_ITEM})*\s*(?:,\s*)?\]\Z")
_ITEMS = regex(_ITEM)
_QUOTES = "'\"\u201c\u201d\u2033"


class JsonSlip(Pass):
    """Finds what was meant as a JSON array and is none: single quotes, words without quotes, typographic quotes, a
    comma behind the last string.

    Such an array is taken for text: `CMD ['nginx', '-g']` starts `/bin/sh -c "['nginx', '-g']"`, and VOLUME names a
    directory `['/data']`.

    Why: the shell finds no program `[nginx,`; the container ends at once with status 127.

    Example:

    ```dockerfile
    FROM nginx:1.29
    CMD ['nginx', '-g', 'daemon off;']
    ```

    ```dockerfile
    FROM nginx:1.29
    CMD ["nginx", "-g", "daemon off;"]
    ```

    The rewrite writes the strings as JSON. Where they cannot be told for certain, it is reported alone.

    Refuses: nothing. `RUN [ -f file ]` is a command, and left alone.

    Declares: the instruction gets the arguments that it shows. `unsafe`: what the file means, and another image.
    """

    name = "json-slip"
    group = "correct"
    tiers = ("unsafe",)
    phase = "repair"
    triggers = ("[",)
    order = 9
    declares = Declares(files="any", settings=("*",))

    def find(self, program: Program, facts: Facts) -> Iterator[Finding]:
        for stage in program.stages:
            for step in stage.steps:
                node = step.effective
                text = node.body
                if node.form == "json" or node.keyword not in _KEYWORDS or not text.startswith("["):
                    continue
                if not text.endswith("]") or not ("," in text or _ITEMS.match(text, 1)) or text.startswith("[["):
                    continue
                message = "this is no JSON array, though it looks like one: JSON has double quotes and commas"
                yield Finding(self.name, message, step.node.start, step.node.end, self.fix(step.index, program, text))

    def fix(self, index: int, program: Program, text: str) -> Fix | None:
        node = program.dockerfile.instructions[index]
        if node.keyword in ("ONBUILD", "HEALTHCHECK") or node.heredocs or not _ARRAY.match(text):
            return None
        start, end = node.body_span(0, len(text))
        if end - start != len(text):
            return None  # on several lines
        words = [item.strip(_QUOTES) for item in _ITEMS.findall(text)]
        strings = [json_string(word) for word in words]
        if None in strings:
            return None
        edit = Edit(start, end, f"[{', '.join(map(str, strings))}]")
        return Fix((edit,), (SetValue(index, node.keyword, ("json", "", tuple(words))),), "unsafe")
