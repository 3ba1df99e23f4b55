from __future__ import annotations

from dfopt.analysis.run_steps import edit_obstacle, shipped_runs
from dfopt.edit import Edit
from dfopt.facts import Facts
from dfopt.findings import Benefit, Declares, Finding, Fix
from dfopt.ir.commands import SUBSTITUTION, Invocation
from dfopt.lazy import regex
from dfopt.passes.base import Pass
from dfopt.rewrites.commands import EditWords
from dfopt.units import whole_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.ir.program import Program
    from dfopt.ir.shell_body import Body
    from dfopt.ir.stages import Step

_HIGH = 100_000
_RECORD = 292  # bytes of a user in /var/log/lastlog
_KEEPS_NONE = regex(r"debian:(?:1[3-9]|trixie|forky|sid|testing)")


class UseraddNoLogInit(Pass):
    """Gives `useradd` with a high user id the option `--no-log-init`.

    useradd writes a record for the new user into /var/log/lastlog and /var/log/faillog, at the place that the id gives:
    292 bytes times the id is the length of the first. With id 1000650000 that is a sparse file of 272 GiB, and layers
    know no sparse files.

    Why: such a layer is as large as its files claim, or the build ends for want of space. (The useradd of Debian 13
    writes no such records any more, as a build with and without the option shows; those of Debian 12, Ubuntu 24.04 and
    RHEL 9 do.)

    Example:

    ```dockerfile
    FROM ubuntu:22.04
    RUN useradd --uid 1000650000 app
    ```

    ```dockerfile
    FROM ubuntu:22.04
    RUN useradd -l --uid 1000650000 app
    ```

    Refuses: ONBUILD; a useradd in the string of `sh -c`. Does nothing below user id 100000, where the id is not a fixed
    number, and on Debian 13 and Alpine, which keep no such files.

    Declares: the command gains one word. The two files, which nothing needs, may differ.
    """

    name = "useradd-no-log-init"
    group = "size"
    tiers = ("safe",)
    phase = "caches"
    codes = ("DL3046",)
    triggers = ("useradd",)
    order = 44
    declares = Declares(paths=("/var/log/lastlog", "/var/log/faillog"))

    def find(self, program: Program, facts: Facts) -> Iterator[Finding]:
        for _, _, step in shipped_runs(program, "all", "useradd"):
            body = program.body(step)
            found = [
                (invocation, user)
                for invocation in program.commands(step).invocations
                if invocation.program == "useradd" and (user := _high(program, step, invocation))
            ]
            if found:
                yield self.found(step, body, [one for one, _ in found], max(user for _, user in found))

    def found(self, step: Step, body: Body, found: list[Invocation], highest: int) -> Finding:
        node = step.node
        message = "the login records of a user with a high id are huge sparse files"
        reachable = [one for one in found if not one.nested and one.where != SUBSTITUTION]
        reason = edit_obstacle(step, body, bool(reachable), "useradd")
        if reason:
            return Finding(self.name, message, node.start, node.end, None, reason)
        edits: list[Edit] = []
        rewrites: list[EditWords] = []
        for one in reachable:
            words = one.node.words
            index = len(words) - len(one.words)
            end = body.span(words[index - 1].start, words[index - 1].end)[1]
            edits.append(Edit(end, end, " -l"))
            rewrites.append(EditWords(step.index, one.node.start, index, 0, ("-l",)))
        fix = Fix(tuple(edits), tuple(rewrites), "safe")
        benefit = Benefit(bytes=_RECORD * highest, source="useradd(8)")
        return Finding(self.name, f"{message}: write none", node.start, node.end, fix, benefit=benefit)


def _high(program: Program, step: Step, invocation: Invocation) -> int:
    """The high user id that a useradd gives; 0 where it gives none, or keeps no records."""
    if invocation.has_option("-l", "--no-log-init"):
        return 0
    scope = program.scope(step)
    if _KEEPS_NONE.search(scope.image or "") or (scope.base is not None and scope.base.family == "alpine"):
        return 0
    values = invocation.values
    for index, value in enumerate(values):
        if value is None:
            continue
        number: str | None = None
        if value in ("-u", "--uid") or (value[:1] == "-" and value[1:2] != "-" and value.endswith("u")):
            number = values[index + 1] if index + 1 < len(values) else None
        elif value.startswith("--uid="):
            number = value[6:]
        elif value.startswith("-u"):
            number = value[2:]
        if number is not None and number.isdigit() and number.isascii():
            return whole_number(number) if whole_number(number) >= _HIGH else 0
    return 0
