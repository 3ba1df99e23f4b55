"""The optimizer: passes to a fix-point, every fix through the gate. A pure function of source, options and facts."""

from __future__ import annotations

from dfopt.edit import Patchwork, touching
from dfopt.facts import NO_FACTS
from dfopt.gate import admit
from dfopt.ir.program import Program
from dfopt.passes.index import entries
from dfopt.record import Record
from dfopt.second_reader import disagreement
from dfopt.source import LineIndex
from dfopt.suppress import rules
from dfopt.syntax.dockerfile import parse
from dfopt.syntax.tree import DockerfileError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Mapping

    from dfopt.edit import Change, Edit
    from dfopt.facts import Facts
    from dfopt.findings import Declares, Finding, Fix
    from dfopt.passes.base import Pass
    from dfopt.passes.index import Entry
    from dfopt.rewrites.base import Claim
    from dfopt.source import Source


class Options(Record):
    """What to run.

    select    names, groups ("size") or codes ("DL3009") to run; empty means every pass that is on by default
    ignore    the same, taken away
    tiers     the tiers whose fixes are applied
    settings  pass name -> its options; "*" -> the settings that all passes see (`passes.base.SHARED`)
    """

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    tiers: tuple[str, ...] = ("safe",)
    settings: Mapping[str, Mapping[str, object]] = {}


class Applied(Record):
    """A fix that passed the gate. Offsets are in the original text; `number` is its author number in the changes.

    `declares`: what it may change in the image; None: what its pass declares.
    """

    number: int
    name: str
    tier: str
    message: str
    start: int
    end: int
    round: int
    declares: Declares | None = None

    @property
    def identity(self) -> tuple[str, int]:
        """Pass and place: by this `optimize` can be told to apply this fix again, among fewer others."""
        return self.name, self.start


class Reported(Record):
    """A finding that changed nothing: a fix of a tier that was not asked for (`fixable`), a suggestion, or, with
    `reason`, a refusal (by the pass, or by the gate). Offsets are in the original text."""

    name: str
    tier: str
    message: str
    start: int
    end: int
    fixable: bool = False
    reason: str = ""
    by_gate: bool = False


class Suppression(Record):
    """A suppression comment: `names` as written, and whether any finding was held back by it."""

    names: tuple[str, ...]
    start: int
    end: int
    used: bool


class Problem(Record):
    """Why a file could not be read as a Dockerfile. `line` and `column` count from 1."""

    message: str
    line: int
    column: int


class Result(Record):
    """What became of one file. `output` equals the source's text where nothing was applied, and always where there is
    a `problem`."""

    source: Source
    output: str
    changes: tuple[Change, ...] = ()
    applied: tuple[Applied, ...] = ()
    reported: tuple[Reported, ...] = ()
    suppressions: tuple[Suppression, ...] = ()
    rounds: int = 0
    problem: Problem | None = None

    @property
    def changed(self) -> bool:
        return self.output != self.source.text


_ROUNDS = 10


class UnknownNameError(ValueError):
    """`select` or `ignore` names no pass, group or code. `names` are the ones in question."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(", ".join(names))
        self.names = names


def chosen(options: Options) -> list[Entry]:
    """The passes that the options ask for, in running order, none of them imported. Raises UnknownNameError."""
    known = entries()
    wanted, unwanted = ([word.lower() for word in words] for words in (options.select, options.ignore))
    unknown = [word for word in (*options.select, *options.ignore) if not any(one.named(word.lower()) for one in known)]
    if unknown:
        raise UnknownNameError(unknown)
    shared = options.settings.get("*", {})
    found: list[Entry] = []
    for one in known:
        runs = any(map(one.named, wanted)) if wanted else one.default
        if one.strategy is not None and one.name not in wanted:
            setting, value = one.strategy
            runs = shared.get(setting) == value and (runs or not wanted)
        if runs and not any(map(one.named, unwanted)):
            found.append(one)
    return found


def select_passes(options: Options) -> list[Pass]:
    """The passes that the options ask for, in running order. Raises UnknownNameError."""
    return [one.load()(options.settings.get(one.name), options.settings.get("*")) for one in chosen(options)]


class _Prepared:
    """The passes of some options, each imported and made when the first file that it may have work for comes."""

    __slots__ = ("entries", "made", "options", "words")

    def __init__(self, options: Options) -> None:
        self.options = options
        self.entries = chosen(options)
        self.words = sorted({word for one in self.entries for word in one.triggers})
        self.made: dict[str, Pass] = {}

    def passes(self, text: str) -> list[Pass]:
        """Those that may have work in this text."""
        lower = text.lower()
        there = {word for word in self.words if word in lower}
        found: list[Pass] = []
        for one in self.entries:
            if one.triggers and there.isdisjoint(one.triggers):
                continue
            made = self.made.get(one.name)
            if made is None:
                settings = self.options.settings
                made = self.made[one.name] = one.load()(settings.get(one.name), settings.get("*"))
            found.append(made)
        return found


_prepared: _Prepared | None = None


def optimize(
    source: Source, options: Options, facts: Facts | None = None, only: Container[tuple[str, int]] | None = None
) -> Result:
    """Optimizes one file. Never raises for bad input: `Result.problem` tells of a file that BuildKit would refuse.

    `only`: apply no other fixes than those of these identities (`Applied.identity` of an earlier run); the rest is
    reported as if its tier had not been asked for.
    Raises UnknownNameError where `options` names a pass that does not exist.
    """
    global _prepared
    if _prepared is None or _prepared.options is not options:
        _prepared = _Prepared(options)
    passes = _prepared
    try:
        program = Program(parse(source.text))
    except DockerfileError as error:
        line, column = LineIndex(source.text).position(min(error.offset, len(source.text)))
        return Result(source, source.text, problem=Problem(error.message, line + 1, column + 1))
    run = _Run(source, program, passes, options, facts or NO_FACTS, only)
    result = run.result()
    if result.changed and disagreement(program, run.program):
        # the second reader objects to something: admit fixes only with its consent, one by one where need be
        result = _Run(source, program, passes, options, facts or NO_FACTS, only, strict=True).result()
    return result


class _Run:
    """One file on its way to the fix-point."""

    def __init__(
        self,
        source: Source,
        program: Program,
        passes: _Prepared,
        options: Options,
        facts: Facts,
        only: Container[tuple[str, int]] | None = None,
        *,
        strict: bool = False,
    ) -> None:
        self.source = source
        self.program = program
        self.passes = passes
        self.tiers = frozenset(options.tiers)
        self.facts = facts
        self.only = only
        self.strict = strict
        self.patch = Patchwork(source.text)
        self.applied: list[Applied] = []
        self.refused: dict[tuple[str, int, int, str], str] = {}  # of the current round's text
        self.used: set[int] = set()
        self.last: list[Finding] = []

    def result(self) -> Result:
        rounds = 0
        while rounds < _ROUNDS:
            rounds += 1
            self.refused = {}
            self.last = self.find()
            if not self.advance(rounds):
                break
        else:
            return self.unsettled()
        reported = [self.report(finding) for finding in self.last]
        reported += self.not_understood()
        suppressions = tuple(
            Suppression(tuple(sorted(rule.names)), start, start + rule.end - rule.start, rule.start in self.used)
            for rule in rules(self.program.dockerfile)
            if rule.own
            for start in [self.patch.original_offset(rule.start)]
        )
        return Result(
            self.source, self.patch.text, tuple(self.patch.changes()), tuple(self.applied), tuple(reported),
            suppressions, rounds,
        )  # fmt: skip

    def unsettled(self) -> Result:
        """The result where no fix-point was reached: nothing is changed, and every pass involved says so."""
        reason = f"the passes did not settle within {_ROUNDS} rounds"
        reported = [
            Reported(one.name, one.tier, one.message, one.start, one.end, False, reason, True) for one in self.applied
        ]
        return Result(self.source, self.source.text, reported=tuple(reported), rounds=_ROUNDS)

    def find(self) -> list[Finding]:
        """All findings of this round that no comment holds back."""
        held = rules(self.program.dockerfile)
        self.used = set()
        passes = self.passes.passes(self.program.text)
        if not held:
            return [finding for one in passes for finding in one.find(self.program, self.facts)]
        index = LineIndex(self.program.text)
        nodes = self.program.dockerfile.instructions
        result: list[Finding] = []
        for one in passes:
            for finding in one.find(self.program, self.facts):
                spans = [(index.line(finding.start) + 1, index.line(finding.end) + 1)]
                if finding.fix is not None:
                    for rewrite in finding.fix.rewrites:
                        spans += [(nodes[i].line, nodes[i].last) for i in rewrite.claim().steps if i < len(nodes)]
                holding = [rule for rule in held if any(rule.covers(one, *span) for span in spans)]
                self.used.update(rule.start for rule in holding)
                if not holding:
                    result.append(finding)
        return result

    def advance(self, number: int) -> bool:
        """Applies what this round may apply; False where that is nothing."""
        chosen: list[Finding] = []
        for finding in self.last:
            fix = finding.fix
            if fix is None or fix.tier not in self.tiers or not fix.edits:
                continue
            if self.only is not None and (finding.name, self.patch.original_offset(finding.start)) not in self.only:
                continue
            if not any(_conflict(fix, other.fix) for other in chosen if other.fix is not None):
                chosen.append(finding)
        if not chosen:
            return False
        program = self.admit(chosen)
        if program is None:
            accepted: list[Finding] = []
            for finding in chosen:
                made = self.admit([*accepted, finding])
                if made is not None:
                    accepted.append(finding)
                    program = made
            chosen = accepted
        if program is None:
            return False
        pairs: list[tuple[Edit, int]] = []
        for finding in chosen:
            fix = finding.fix
            assert fix is not None
            author = len(self.applied)
            self.applied.append(
                Applied(
                    author, finding.name, fix.tier, finding.message, self.patch.original_offset(finding.start),
                    self.patch.original_offset(finding.end), number, fix.declares,
                )
            )  # fmt: skip
            pairs += [(edit, author) for edit in fix.edits]
        self.patch.apply(pairs)
        if self.patch.text != program.text:
            raise AssertionError("the text that the gate saw is not the text that was made")
        self.program = program
        return True

    def admit(self, findings: list[Finding]) -> Program | None:
        """The program after these findings' fixes, or None; a lone finding's refusal is remembered."""
        verdict = admit(self.program, [finding.fix for finding in findings if finding.fix is not None])
        reason = verdict.reason
        if verdict.program is not None and self.strict:
            reason = disagreement(self.program, verdict.program)
        if verdict.program is not None and not reason:
            return verdict.program
        self.refused[_key(findings[-1])] = reason
        return None

    def not_understood(self) -> list[Reported]:
        """What no pass could look into, where no finding says so already."""
        result: list[Reported] = []
        for step, why in self.program.not_understood():
            if not any(f.reason == why and f.start <= step.node.start <= f.end for f in self.last):
                start, end = (self.patch.original_offset(at) for at in (step.node.start, step.node.end))
                message = f"this {step.effective.keyword} is left alone"
                result.append(Reported("shell-syntax", "suggestion", message, start, end, False, why))
        return result

    def report(self, finding: Finding) -> Reported:
        start, end = self.patch.original_offset(finding.start), self.patch.original_offset(finding.end)
        refusal = self.refused.get(_key(finding)) if finding.fix is not None else None
        if refusal is not None:
            return Reported(finding.name, finding.tier, finding.message, start, end, False, refusal, True)
        fixable = finding.fix is not None
        return Reported(finding.name, finding.tier, finding.message, start, end, fixable, finding.reason)


def _key(finding: Finding) -> tuple[str, int, int, str]:
    return finding.name, finding.start, finding.end, finding.message


def _conflict(one: Fix, other: Fix) -> bool:
    """Whether two fixes cannot go into one round: their edits meet, or one claims what the other changes."""
    if touching(one.edits, other.edits):
        return True
    claims = [rewrite.claim() for rewrite in one.rewrites]
    return any(_meet(claim, rewrite.claim()) for rewrite in other.rewrites for claim in claims)


def _meet(one: Claim, other: Claim) -> bool:
    if one.steps & other.steps and (one.whole or other.whole):
        return True
    return one.command is not None and one.command == other.command
