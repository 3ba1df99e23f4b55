"""`dfopt fix -i`: asks about each hunk, as `git add -p` does, and writes what was accepted."""

from __future__ import annotations

import os
import sys

from dfopt.cli import out, style
from dfopt.cli.command_request import files_of, request_of
from dfopt.cli.errors import UsageError
from dfopt.cli.stream import count
from dfopt.edit import apply_edits, hunks
from dfopt.editing.suppression import suppression
from dfopt.gate import admit
from dfopt.ir.program import Program
from dfopt.record import Record, replace
from dfopt.refusal import Refusal
from dfopt.request import STDIN
from dfopt.second_reader import disagreement
from dfopt.source import Source
from dfopt.syntax.dockerfile import parse
from dfopt.workspace.patches import patch_of
from dfopt.workspace.settings import ConfigError
from dfopt.workspace.undo import UndoJournal, undo_line
from dfopt.workspace.writer import write_result

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dfopt.cli.options import Values
    from dfopt.edit import Change
    from dfopt.request import Request
    from dfopt.results import Applied, Result
    from dfopt.workspace.discovery import InputFile

_EXCLUDED = (
    ("check", "--check"), ("diff", "--diff"), ("patch", "--patch"), ("verify", "--verify"),
    ("output_format", "--output-format"),
)  # fmt: skip
_HELP = """\
y  apply this hunk
n  do not apply it
d  do not apply it, and never offer it again: writes a suppression comment
e  explain the passes behind it
a  apply this hunk and all later ones of the file
q  quit: apply neither this hunk nor any later one; what was accepted before is written
?  this help
"""


class Choice(Record):
    """What can be accepted or rejected by itself: hunks that share a fix belong together."""

    changes: tuple[Change, ...]
    fixes: tuple[Applied, ...]


def choices_of(result: Result) -> list[Choice]:
    """The choices of a result, in the order of the file."""
    together: list[set[int]] = []
    for group in hunks(result.source.text, result.changes):
        authors = set().union(*[hunk.authors for hunk in group])
        sharing = [other for other in together if other & authors]
        together = [other for other in together if other not in sharing]
        together.append(authors.union(*sharing))
    choices = [
        Choice(
            tuple(change for change in result.changes if change.authors & authors),
            tuple(fix for fix in result.applied if fix.number in authors),
        )
        for authors in together
    ]
    return sorted(choices, key=lambda choice: choice.changes[0].start)


class Quit(Exception):
    """The rest of the run is not wanted."""


class Session:
    """One run. `written`: how many files it wrote."""

    def __init__(self, request: Request, color: bool) -> None:
        self.request = request
        self.color = color
        self.journal = UndoJournal()
        self.written = 0

    def file(self, file: InputFile, result: Result) -> None:
        """Asks about one file, and writes what was accepted. Raises Quit, after that, where no more is wanted; OSError
        and ConfigError."""
        choices = choices_of(result)
        accepted: list[Choice] = []
        suppressed: list[Applied] = []
        leave = False
        for number, choice in enumerate(choices):
            out.data(self.diff(file, result, choice))
            answer = self.ask(choice, f"({number + 1}/{len(choices)}) {file.name}: apply this hunk")
            if answer == "d" and self.request.host_kind(file) is not None:
                out.data("No suppression comment can stand here; the hunk is rejected.\n")
            elif answer == "d":
                suppressed += choice.fixes
            elif answer == "y":
                accepted.append(choice)
            elif answer == "a":
                accepted += choices[number:]
                break
            elif answer == "q":
                leave = True
                break
        final = self.made(file, result, accepted, suppressed)
        if final is not None:
            write_result(final, file.path, file.root)
            self.written += 1
            self.journal.add(undo_line(final, file.path, file.root))
        if leave:
            raise Quit

    def diff(self, file: InputFile, result: Result, choice: Choice) -> str:
        """The hunk alone, with what its fixes do."""
        text = apply_edits(result.source.text, [change.edit for change in choice.changes])
        part: Result = replace(result, output=text, changes=choice.changes, applied=choice.fixes)
        return style.diff(patch_of(part, file.name), self.color, True)

    def ask(self, choice: Choice, question: str, keys: str = "yndeaq?") -> str:
        """One of the keys, typed; the end of the input is `q`."""
        while True:
            out.data(style.paint(f"{out.printable(question)} [{','.join(keys)}]? ", style.BOLD, self.color))
            out.flush()
            line = sys.stdin.readline()
            if not line:
                out.data("\n")
                return "q" if "q" in keys else "n"
            word = line.strip().lower()[:1]
            if word == "e" and word in keys:
                self.explain(choice)
            elif word and word in keys.replace("?", ""):
                return word
            else:
                out.data(_HELP if "?" in keys else "")

    def explain(self, choice: Choice) -> None:
        from dfopt.cli.explain import document
        from dfopt.passes.base import registered

        passes = registered()
        for name in dict.fromkeys(fix.name for fix in choice.fixes):
            out.text(document(passes[name]) if name in passes else f"{name}: a pass of this run alone\n")

    def made(
        self, file: InputFile, result: Result, accepted: Sequence[Choice], suppressed: Sequence[Applied]
    ) -> Result | None:
        """The result with the accepted hunks and the comments of the suppressed ones alone; None where that changes
        nothing. Raises ConfigError."""
        source = result.source
        wanted = frozenset(fix.identity for choice in accepted for fix in choice.fixes)
        made = self.request.optimize_source(file, source, wanted)
        shown = apply_edits(source.text, [change.edit for choice in accepted for change in choice.changes])
        if made.output != shown and wanted:
            out.data("Without the rejected hunks, this is what is left:\n")
            out.data(style.diff(patch_of(made, file.name), self.color, True))
            if self.ask(Choice((), ()), f"{file.name}: write it", "yn") == "n":
                made, wanted = self.request.optimize_source(file, source, ()), frozenset()
        if suppressed:
            text, moved = commented(source.text, suppressed)
            identities = frozenset((name, moved(start)) for name, start in wanted)
            again = self.request.optimize_source(file, Source(source.name, text), identities)
            made = replace(again, source=source)
        return made if made.changed else None


def commented(text: str, fixes: Sequence[Applied]) -> tuple[str, Callable[[int], int]]:
    """The text with a comment that suppresses each of these fixes, through the gate, and where an offset of the
    original is now. A fix that no comment can suppress is left out."""
    inserted: list[tuple[int, int]] = []  # (offset in the text of its time, width)

    def moved(offset: int) -> int:
        for at, width in inserted:
            offset += width if at <= offset else 0
        return offset

    for name, start in dict.fromkeys(fix.identity for fix in fixes):
        program = Program(parse(text))
        try:
            fix = suppression(program, name, moved(start))
        except Refusal:
            continue
        verdict = admit(program, [fix])
        if verdict.program is None or disagreement(program, verdict.program):
            continue
        (edit,) = fix.edits
        inserted.append((edit.start, len(edit.text)))
        text = verdict.program.text
    return text, moved


def run(values: Values) -> int:
    """Runs the command. Raises UsageError."""
    for name, option in _EXCLUDED:
        if getattr(values, name):
            raise UsageError(f"-i and {option} exclude each other")
    if STDIN in values.paths:
        raise UsageError("-i cannot be combined with '-': it asks on standard input")
    if sys.stdin is None or not sys.stdin.isatty() or not out.is_terminal():
        raise UsageError("-i needs a terminal")
    request = request_of(values)
    session = Session(request, style.use_color(values.color, os.environ, True))
    status = 0
    try:
        for file in files_of(values, request.lookup):
            try:
                result = request.optimize(file)
                if result.problem is not None:
                    problem = result.problem
                    status = 2
                    place = f"{out.printable(file.name)}:{problem.line}:{problem.column}"
                    out.note(f"{place}: error: {out.printable(problem.message)}\n")
                elif result.changed:
                    profile = request.profile_of(file, result.source)
                    if profile is not None:
                        out.note(profile.told(file.name))
                    session.file(file, result)
            except ConfigError as failure:
                status = 2
                out.note(f"{out.printable(file.name)}: error: {out.printable(str(failure))}\n")
            except OSError as failure:
                status = 2
                reason = failure.strerror or str(failure)
                out.note(f"{out.printable(file.name)}: error: not written: {out.printable(reason)}\n")
    except Quit:
        pass
    finally:
        session.journal.close()
    if not values.quiet:
        out.note(f"dfopt: {count(session.written, 'file')} written\n")
    return status
