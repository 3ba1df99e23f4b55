"""The laws: what must hold for every input that dfopt ever sees. Each returns what is broken, "" if nothing is.

Law 2's other half (BuildKit reads the result too) and law 6 (the images are equal) need an engine; they are tests of
the project itself.
"""

from __future__ import annotations

from dfopt.edit import Edit, apply_edits
from dfopt.optimizer import Optimizer, optimize
from dfopt.pass_selection import Options
from dfopt.results import Result
from dfopt.source import Source, decode, encode
from dfopt.syntax.dockerfile import parse
from dfopt.syntax.tree import Dockerfile, DockerfileError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.facts import Facts
    from dfopt.findings import Finding


def round_trip(data: bytes) -> str:
    """Law 1: bytes come back, and every character of every joined line is the one that its map points to."""
    text = decode(data)
    if encode(text) != data:
        return "decoding and encoding loses bytes"
    try:
        dockerfile = parse(text)
    except DockerfileError:
        return ""
    return _map_is_true(dockerfile)


def _map_is_true(dockerfile: Dockerfile) -> str:
    at = 0
    for node in dockerfile.instructions:
        if node.start < at or node.end < node.start:
            return f"line {node.line}: instructions overlap"
        at = node.end
        for index, char in enumerate(node.joined.text):
            if dockerfile.text[node.joined.source(index)] != char:
                return f"line {node.line}: the map of the joined line is wrong at {index}"
        for doc in node.heredocs:
            if not node.start < doc.start <= doc.end <= doc.close <= node.end:
                return f"line {node.line}: a heredoc lies outside its instruction"
    return ""


def result_parses(result: Result) -> str:
    """Law 2: what dfopt wrote, dfopt reads; an unparsable file is untouched."""
    if result.problem is not None:
        return "" if not result.changed else "an unparsable file was changed"
    try:
        parse(result.output)
    except DockerfileError as error:
        return f"the result does not parse: {error.message}"
    return ""


def settled(result: Result, options: Options, facts: Facts) -> str:
    """Law 3, first half: a second run changes nothing."""
    again = optimize(Source(result.source.name, result.output), options, facts)
    return "a second run changes the file again" if again.changed else ""


def order_is_free(source: Source, options: Options, facts: Facts, result: Result) -> str:
    """Law 3, second half: the order in which passes list their findings changes nothing."""

    def backward(findings: list[Finding]) -> list[Finding]:
        by_pass: dict[str, list[Finding]] = {}
        for finding in findings:
            by_pass.setdefault(finding.name, []).append(finding)
        return [finding for listed in by_pass.values() for finding in reversed(listed)]

    other = Optimizer(options, arrange=backward).run(source, facts)
    return "the order of the findings changes the result" if other.output != result.output else ""


def edits_are_all(result: Result) -> str:
    """Law 4: the changes, applied to the original, are the output; each has its author, who passed the gate."""
    edits = [Edit(change.start, change.end, change.text) for change in result.changes]
    if apply_edits(result.source.text, edits) != result.output:
        return "the listed changes do not make the output"
    known = {one.number for one in result.applied}
    if any(not change.authors or not change.authors <= known for change in result.changes):
        return "a change has no author"
    return ""


def all_laws(source: Source, options: Options, facts: Facts) -> list[str]:
    """Every law for one input under one set of options."""
    result = optimize(source, options, facts)
    found = [
        round_trip(source.to_bytes()), result_parses(result), settled(result, options, facts),
        order_is_free(source, options, facts, result), edits_are_all(result),
    ]  # fmt: skip
    return [law for law in found if law]


def crlf_twin(text: str) -> str:
    """The same file with CRLF newlines."""
    return text.replace("\r\n", "\n").replace("\n", "\r\n")


def onbuild_twin(text: str) -> str | None:
    """The same file with every instruction of a stage behind ONBUILD; None where that is not possible."""
    dockerfile = parse(text)
    edits: list[Edit] = []
    stage = False
    for node in dockerfile.instructions:
        if node.keyword == "FROM":
            stage = True
        elif stage and node.keyword not in ("ONBUILD", "MAINTAINER"):
            edits.append(Edit(node.start, node.start, "ONBUILD "))
    return apply_edits(text, edits) if edits else None
