"""The laws: what must hold for every input that dfopt ever sees. Each returns what is broken, "" if nothing is.

Law 2's other half (BuildKit reads the result too) and law 6 (the images are equal) need an engine; they are tests of
the project itself.
"""

from __future__ import annotations

from dfopt.edit import Edit, apply_edits, split_lines, unified_diff
from dfopt.optimizer import Optimizer, optimize
from dfopt.pass_selection import Options
from dfopt.passes.index import entries
from dfopt.record import replace
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
    if not result.changed:  # then the second run is the first one
        return ""
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
    edits = [change.edit for change in result.changes]
    if apply_edits(result.source.text, edits) != result.output:
        return "the listed changes do not make the output"
    numbers = {fix.number for fix in result.applied}
    if any(not change.authors or not change.authors <= numbers for change in result.changes):
        return "a change has no author"
    return ""


def diff_is_true(result: Result) -> str:
    """Law 4, too: the diff that a person reads, applied to the original, gives the output."""
    source = result.source.text
    diff = split_lines(unified_diff(source, result.changes, "Dockerfile", [""] * (len(result.applied) + 1)))
    old, new, at = split_lines(source), [""], 0
    for number, line in enumerate(diff[2:], 2):
        text = line[1:-1] if number + 1 < len(diff) and diff[number + 1].startswith("\\") else line[1:]
        if line.startswith("@@"):
            start, _, count = line.split()[1][1:].partition(",")
            upto = int(start) if count == "0" else int(start) - 1
            new += old[at:upto]
            at = upto
        elif line.startswith("+"):
            new.append(text)
        elif line[0] in " -":
            if at >= len(old) or old[at] != text:
                return f"the diff shows as line {at + 1} of the original what it is not"
            new += [text] * (line[0] == " ")
            at += 1
    return "" if "".join(new + old[at:]) == result.output else "the diff does not make the output"


def tiers_are_declared(result: Result) -> str:
    """Law 5: a fix has one of the tiers that its pass declares. `fix` relies on it when it leaves passes out."""
    tiers = {entry.name: entry.tiers for entry in entries()}
    fixes = [(fix.name, fix.tier) for fix in result.applied]
    fixes += [(finding.name, finding.tier) for finding in result.reported if finding.fixable]
    wrong = sorted({f"{name} ({tier})" for name, tier in fixes if tier not in tiers[name]})
    return f"tiers that the passes do not declare: {', '.join(wrong)}" if wrong else ""


def reports_change_nothing(source: Source, options: Options, facts: Facts, result: Result) -> str:
    """Law 5, too: the output is the same where nobody asks what else was found."""
    other = optimize(source, replace(options, report=False), facts)
    return "the output depends on what is reported" if other.output != result.output else ""


def all_laws(source: Source, options: Options, facts: Facts, result: Result | None = None) -> list[str]:
    """Every law for one input under one set of options. `result`: what `optimize` makes of them, if it is known."""
    result = optimize(source, options, facts) if result is None else result
    broken = [
        round_trip(source.to_bytes()), result_parses(result), settled(result, options, facts),
        order_is_free(source, options, facts, result), edits_are_all(result), diff_is_true(result),
        tiers_are_declared(result), reports_change_nothing(source, options, facts, result),
    ]  # fmt: skip
    return [law for law in broken if law]


def broken_with_twins(source: Source, options: Options, facts: Facts) -> list[str]:
    """Every law for an input, for the input with CRLF newlines, and for it behind ONBUILD."""
    result = optimize(source, options, facts)
    broken = all_laws(source, options, facts, result)
    twins = {"with CRLF newlines": crlf_twin(source.text)}
    onbuild = onbuild_twin(source.text) if result.problem is None else None
    if onbuild is not None:
        twins["behind ONBUILD"] = onbuild
    for name, text in twins.items():
        broken += [f"{name}: {law}" for law in all_laws(Source(source.name, text), options, facts)]
    return broken


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
