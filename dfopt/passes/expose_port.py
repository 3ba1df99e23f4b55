from __future__ import annotations

from dfopt.editing.argument_edits import replace_arguments
from dfopt.facts import Facts
from dfopt.findings import Finding
from dfopt.lazy import regex
from dfopt.passes.base import Pass
from dfopt.units import whole_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.ir.program import Program

_PORT = regex(r"(?P<outside>.*:)?(?P<first>\d+)(?:-(?P<last>\d+))?(?:/(?P<protocol>[^/]*))?\Z")
_PROTOCOLS = ("tcp", "udp", "sctp")
_HIGHEST = 65535


class ExposePort(Pass):
    """Finds what is no port in EXPOSE: numbers above 65535, ranges that run backwards, protocols other than tcp, udp
    and sctp, an address or a port of the host (`8080:80`, which is for `docker run -p`), and protocols in capitals.

    Why: the build fails, or the image says less than its author thinks: `EXPOSE 8080:80` exposes 80 and nothing else.

    Example:

    ```dockerfile
    FROM nginx:1.29
    EXPOSE 8080:80 443/TCP
    ```

    ```dockerfile
    FROM nginx:1.29
    EXPOSE 80 443/tcp
    ```

    What is no port in any reading is reported, and not changed.

    Refuses: nothing. Ports in variables are left alone.

    Declares: EXPOSE is written another way; the image exposes the same ports.
    """

    name = "expose-port"
    group = "correct"
    tiers = ("safe",)
    phase = "repair"
    codes = ("DL3011", "ExposeInvalidFormat", "ExposeProtoCasing", "DS-0008")
    triggers = ("expose",)
    order = 27

    def find(self, program: Program, facts: Facts) -> Iterator[Finding]:
        for stage in program.stages:
            for step in stage.steps:
                node = step.effective
                if node.keyword != "EXPOSE":
                    continue
                rewritten: dict[int, str] = {}
                for index, argument in enumerate(node.arguments):
                    word = argument.value
                    if "$" in word or '"' in word or "'" in word:
                        continue
                    fault, port = _checked(word)
                    start, end = node.joined.span(argument.at, argument.stop)
                    if fault:
                        yield Finding(self.name, f"EXPOSE {word}: {fault}", start, end)
                    elif port != word:
                        rewritten[index] = port
                if rewritten:
                    old = " ".join([node.arguments[index].value for index in rewritten])
                    message = f"EXPOSE {old} means {' '.join(rewritten.values())}: the image exposes its own ports"
                    fix = replace_arguments(step.index, step.node, rewritten, "safe")
                    yield Finding(self.name, message, step.node.start, step.node.end, fix)


def _checked(word: str) -> tuple[str, str]:
    """(what is wrong with a port, how the same one is written)."""
    match = _PORT.match(word)
    if match is None:
        return "this is no port", word
    first, last, protocol = match["first"], match["last"] or match["first"], match["protocol"]
    if whole_number(first) > _HIGHEST or whole_number(last) > _HIGHEST:
        return f"the highest port is {_HIGHEST}", word
    if whole_number(first) > whole_number(last):
        return "the range runs backwards", word
    if protocol is not None and protocol.lower() not in _PROTOCOLS:
        return "a protocol is tcp, udp or sctp", word
    outside = match["outside"] or ""
    return "", word[len(outside) :].lower() if match["last"] is None or not outside else word
