from __future__ import annotations

from dfopt.analysis.near_names import near_name
from dfopt.editing.argument_edits import replace_arguments
from dfopt.facts import Facts
from dfopt.findings import Declares, Finding
from dfopt.knowledge import table
from dfopt.lazy import regex
from dfopt.passes.base import Pass
from dfopt.syntax.expand import Unknown
from dfopt.units import whole_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.ir.program import Program

_NUMBER = regex(r"[+-]?\d+\Z")
_REAL_TIME = regex(r"(?:RTMIN\+|RTMAX-)(?:[1-9]|1[0-5])\Z")


class StopSignal(Pass):
    """Finds a STOPSIGNAL that is no signal.

    Why: the build fails, or the container is killed where it was to end in order.

    Example:

    ```dockerfile
    FROM nginx:1.29
    STOPSIGNAL SIGTREM
    ```

    ```dockerfile
    FROM nginx:1.29
    STOPSIGNAL SIGTERM
    ```

    Where one signal is a slip of the keys away, the rewrite names it.

    Refuses: nothing. A signal in a variable is left alone.

    Declares: the image's stop signal. `unsafe`: which one is meant is a guess.
    """

    name = "stop-signal"
    group = "correct"
    tiers = ("unsafe",)
    phase = "repair"
    triggers = ("stopsignal",)
    order = 26
    declares = Declares(settings=("StopSignal",))

    def find(self, program: Program, facts: Facts) -> Iterator[Finding]:
        for stage in program.stages:
            for step in stage.steps:
                node = step.node
                if node.keyword != "STOPSIGNAL":
                    continue
                value = program.scope(step).expand(node.arguments[0].value, program.dockerfile.escape)
                if isinstance(value, Unknown) or _signal(value):
                    continue
                names = [f"SIG{name}" for name in table("signals")["names"]]
                meant = near_name(value, names)
                message = f"{value} is no signal" + (f": {meant} is meant" if meant else "")
                fix = replace_arguments(step.index, node, {0: meant}, "unsafe") if meant else None
                yield Finding(self.name, message, node.start, node.end, fix)


def _signal(value: str) -> bool:
    if _NUMBER.match(value):
        return whole_number(value) != 0
    name = value.upper().removeprefix("SIG")
    return name in table("signals")["names"] or _REAL_TIME.match(name) is not None
