from __future__ import annotations

import re

from dfopt.edit import Edit
from dfopt.facts import Facts
from dfopt.findings import Finding, Fix
from dfopt.lazy import regex
from dfopt.passes.base import Pass
from dfopt.rewrites.instructions import SetFlags, SetValue
from dfopt.syntax.mounts import parse_mount

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage
    from dfopt.rewrites.base import Rewrite
    from dfopt.syntax.tree import Flag

_FROM = regex(r"((?:^|,)from=)([^,\"]+)", re.I)


class StageNameCase(Pass):
    """Writes stage names in lower case, in their FROM and wherever the file refers to them.

    Why: BuildKit keeps stage names in lower case and finds them in any case, but for a FROM, which must give the name
    in lower case; other builders compare them as they are written. `docker build --check` warns of capitals.

    Example:

    ```dockerfile
    FROM golang:1.24 AS Build
    RUN go build -o /app .

    FROM scratch
    COPY --from=Build /app /app
    ```

    ```dockerfile
    FROM golang:1.24 AS build
    RUN go build -o /app .

    FROM scratch
    COPY --from=build /app /app
    ```

    Refuses: where another stage has the same name but for its case, and where a FROM reaches the stage through a
    variable. Behind ONBUILD, names are left as they are.

    Declares: one word of the FROMs and flags concerned. A `--target` is found in any case by BuildKit.
    """

    name = "stage-name-case"
    group = "modernize"
    tiers = ("safe",)
    phase = "names"
    codes = ("StageNameCasing",)
    default = False
    triggers = (" as ", "\tas ", " as\t", "\tas\t")
    order = 82

    def find(self, program: Program, facts: Facts) -> Iterator[Finding]:
        for stage in program.stages:
            node = stage.node
            if len(node.arguments) != 3:
                continue
            written = node.arguments[2].value
            name = written.lower()
            if written == name:
                continue
            message = f"write the stage name {written} as {name}"
            reason = _obstacle(program, stage)
            fix = None if reason else Fix(*_rename(program, stage, name), "safe")
            yield Finding(self.name, message, node.start, node.end, fix, reason)


def _obstacle(program: Program, stage: Stage) -> str:
    for other in program.stages:
        if other is not stage and other.name == stage.name:
            return f"line {other.node.line} names a stage alike"
        if other.parent == stage.index and other.base.lower() != stage.name:
            return f"line {other.node.line} names it through a variable"
    return ""


def _rename(program: Program, stage: Stage, name: str) -> tuple[tuple[Edit, ...], tuple[Rewrite, ...]]:
    edits: list[Edit] = []
    rewrites: list[Rewrite] = []
    for other in program.stages[stage.index :]:
        node = other.node
        words = [argument.value for argument in node.arguments]
        place = 2 if other is stage else 0
        if (other is stage or other.parent == stage.index) and words[place] != name:
            edits.append(Edit(*node.joined.span(node.arguments[place].at, node.arguments[place].stop), name))
            words[place] = name
            rewrites.append(SetValue(other.position, "FROM", (node.form, "", tuple(words))))
        if other is stage:
            continue
        for step in other.steps:
            flags = [(flag.name, flag.value) for flag in step.node.flags]
            for index, flag in enumerate(step.node.flags):
                reference = _reference(flag)
                if reference.lower() != name or reference == name:
                    continue
                if program.stage_named(reference, other.index) != stage.index:
                    continue
                start, end = step.node.joined.span(flag.at, flag.stop)
                found = re.search(rf"(from=[\"']?){re.escape(reference)}", program.text[start:end], re.I)
                if found is None:  # broken by a continuation, or with escapes in it: BuildKit finds it as it is
                    continue
                edits.append(Edit(start + found.end(1), start + found.end(), name))
                new = name if flag.name == "from" else _FROM.sub(lambda match: match[1] + name, flag.value or "")
                flags[index] = (flag.name, new)
                if rewrites and isinstance(rewrites[-1], SetFlags) and rewrites[-1].step == step.index:
                    rewrites.pop()
                rewrites.append(SetFlags(step.index, tuple(flags)))
    return tuple(edits), tuple(rewrites)


def _reference(flag: Flag) -> str:
    """What a COPY's `--from` or a RUN's `--mount=from=` refers to; "" for any other flag."""
    if flag.name == "from":
        return flag.value or ""
    return parse_mount(flag.value).get("from", "") if flag.name == "mount" and flag.value else ""
