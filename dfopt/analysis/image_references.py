"""Where a file names images, and where the end of each name is written: in FROM itself, or in an ARG's default."""

from __future__ import annotations

from dfopt.ir.model import value_of
from dfopt.record import Record
from dfopt.rewrites.instructions import ChangeComments, SetDirective, SetFlags, SetValue
from dfopt.syntax.expand import ExpansionError, expand_word, variables
from dfopt.syntax.image_ref import ImageRef, ImageRefError, parse_image_ref
from dfopt.syntax.mounts import parse_mount

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage, Step
    from dfopt.rewrites.base import Rewrite
    from dfopt.syntax.expand import Variable
    from dfopt.syntax.tree import Instruction

SYNTAX = -1  # the "instruction" of the syntax directive


class Tail(Record):
    """The literal text that ends an image name.

    index   of its instruction among the file's, or SYNTAX
    slot    which argument, ARG pair or flag of it
    value   the whole text of the slot (a word, an ARG's default, the value of a flag)
    at      the name ends at `value[at]`
    offset  ... which is this offset in the file
    """

    index: int
    slot: int
    value: str
    at: int
    offset: int


class ReferenceSite(Record):
    """One place where the file names an image of a registry (no stage, not scratch).

    kind       "FROM", "COPY --from", "RUN --mount", "syntax"
    ref        the name, with the defaults of the build arguments
    start,end  the span that a finding marks
    tail       where the name's end is written; None where a change there would mean something else, and `why` says what
    """

    kind: str
    ref: ImageRef
    start: int
    end: int
    tail: Tail | None
    why: str


def sites(program: Program) -> list[ReferenceSite]:
    """The images that a file names, in its order."""
    result: list[ReferenceSite] = []
    directive = program.dockerfile.directive("syntax")
    if directive is not None:
        word = directive.value.split(" ", 1)[0]
        tail = Tail(SYNTAX, 0, directive.value, len(word), directive.start + len(word))
        _add(result, "syntax", word, directive.start, directive.start + len(word), tail, "")
    for stage in program.stages:
        node = stage.node
        image = image_of(program, stage)
        if image is not None and image != "scratch":
            argument = node.arguments[0]
            start, end = node.joined.span(argument.at, argument.stop)
            tail_, why = _from_tail(program, stage)
            _add(result, "FROM", image, start, end, tail_, why)
        for step in stage.steps:
            if step.effective.flags and step.effective.keyword in ("COPY", "RUN"):
                for flag, name, tail_ in _in_flags(program, stage, step):
                    start, end = node_span(step.node, flag)
                    kind = "COPY --from" if step.effective.keyword == "COPY" else "RUN --mount"
                    why = "" if tail_ is not None else "quotes in the flag hide where the name ends"
                    _add(result, kind, name, start, end, tail_, why)
    return result


def node_span(node: Instruction, slot: int) -> tuple[int, int]:
    """The span of a flag in the file."""
    flag = (node.nested or node).flags[slot]
    return node.joined.span(flag.at, flag.stop)


def _add(result: list[ReferenceSite], kind: str, name: str, start: int, end: int, tail: Tail | None, why: str) -> None:
    try:
        ref = parse_image_ref(name)
    except ImageRefError:
        return  # a build context's name, or nothing that BuildKit could pull
    result.append(ReferenceSite(kind, ref, start, end, tail, why))


def _in_flags(program: Program, stage: Stage, step: Step) -> Iterator[tuple[int, str, Tail | None]]:
    """(flag, image, where its name ends) of COPY --from= and RUN --mount=from=."""
    node, effective = step.node, step.effective
    for slot, flag in enumerate(effective.flags):
        value = flag.value or ""
        name = ""
        if flag.name == "from" and effective.keyword == "COPY":
            name = value
        elif flag.name == "mount" and "from=" in value.lower():
            name = parse_mount(value).get("from", "")
        if not name or "$" in name or not _is_image(program, stage, node, name):
            continue
        begin = flag.at + 2 + len(flag.name) + 1
        at = value.find(name) + len(name) if flag.name == "from" else _field_end(value, name)
        plain = at > 0 and node.joined.text[begin : flag.stop] == value
        yield slot, name, Tail(step.index, slot, value, at, node.joined.source(begin + at - 1) + 1) if plain else None


def _is_image(program: Program, stage: Stage, node: Instruction, name: str) -> bool:
    """Whether a name is not a stage. Under ONBUILD the stages are those of another file: only `:` and `/`, which no
    stage's name holds, tell an image there."""
    if name.lower() == "scratch" or name.isdigit():
        return False
    if node.keyword == "ONBUILD":
        return ":" in name or "/" in name
    return all(other.name != name.lower() for other in program.stages)


def _field_end(value: str, name: str) -> int:
    """Where the field `from=name` of a mount ends in the flag's value; 0 where it is quoted."""
    at = 0
    for field in value.split(","):
        key, _, setting = field.partition("=")
        if key.lower() == "from" and setting == name:
            return at + len(field)
        at += len(field) + 1
    return 0


def image_of(program: Program, stage: Stage) -> str | None:
    """The image of a FROM with the defaults of the build arguments, also those written in its own word
    (`${BASE:-debian:13}`); None for a stage, and where an argument has no default."""
    return stage.image


# --- FROM words made of build arguments ----------------------------------------------------------------------------


class _Source(Record):
    """A text that image names are made of: a FROM word, or an ARG's default before the first FROM."""

    index: int
    slot: int
    text: str


def _from_tail(program: Program, stage: Stage) -> tuple[Tail | None, str]:
    tail, why, _ = _follow(program, stage)
    if tail is None or tail.index == stage.position:
        return tail, why
    # a default serves every FROM that uses the argument: all of them must end in it, and name one image
    names = {use.name for _, use in _follow(program, stage)[2]}
    reached: set[tuple[int, int, int]] = set()
    for other in program.stages:
        theirs, _, uses = _follow(program, other)
        if theirs is not None and (theirs.index, theirs.slot, theirs.at) == (tail.index, tail.slot, tail.at):
            if image_of(program, other) != image_of(program, stage):
                return None, f"the build argument {min(names)} makes more than one image name"
            reached |= {(source.index, source.slot, use.start) for source, use in uses}
    for source in _sources(program):
        for use in _variables(source.text, program.dockerfile.escape):
            if use.name in names and (source.index, source.slot, use.start) not in reached:
                return None, f"the build argument {use.name} is used for more than this image"
    for other in program.stages:
        for flag in other.node.flags:
            if any(use.name in names for use in _variables(flag.value or "", program.dockerfile.escape)):
                return None, f"a flag of FROM uses the same build argument as the image in line {other.node.line}"
        for step in other.steps:
            if step.effective.keyword == "ARG":
                for pair in step.effective.pairs:
                    if pair.name in names:
                        line = step.node.line
                        return None, f"line {line} declares {pair.name} again, and would see the digest in it"
    return tail, ""


def _follow(program: Program, stage: Stage) -> tuple[Tail | None, str, list[tuple[_Source, Variable]]]:
    """(where the image name of a FROM ends, else why there is no such place, the variables passed on the way)."""
    argument = stage.node.arguments[0]
    source = _Source(stage.position, 0, argument.value)
    start, stop = 0, len(source.text)
    passed: list[tuple[_Source, Variable]] = []
    escape = program.dockerfile.escape
    for _ in range(16):
        part = source.text[start:stop]
        uses = [use for use in _variables(part, escape) if not use.operator or use.operator in (":-", "-")]
        if len(uses) != len(_variables(part, escape)):
            return None, "the image name depends on a build argument by an operator", passed
        outer = [use for use in uses if not any(o is not use and o.start < use.start < o.end for o in uses)]
        if not outer:
            at = stop - (1 if part[-1:] in ("'", '"') else 0)
            return Tail(source.index, source.slot, source.text, at, _offset(program, source, at)), "", passed
        last = outer[-1]
        rest = part[last.end :]
        if len(outer) > 1 or rest.strip("'\"") or (part[: last.start].strip("'\"") or ":")[-1] != ":":
            name = outer[0].name
            if len(outer) > 1 or rest.strip("'\""):
                return None, f"the digest would stay when the build argument {name} is set", passed
            return None, f"the build argument {name} holds a part of the name only", passed
        passed.append((source, _moved(last, start)))
        pairs = [
            (index, slot, pair)
            for index, node in enumerate(program.meta)
            for slot, pair in enumerate(node.pairs)
            if pair.name == last.name
        ]
        given = [reference for reference in pairs if reference[2].value is not None]
        if len(pairs) > 1:
            return None, f"the build argument {last.name} is declared more than once", passed
        if given and not (last.operator == ":-" and not _text(given[0][2].value or "", escape)):
            index, slot, pair = given[0]
            source = _Source(index, slot, pair.value or "")
            start, stop = 0, len(source.text)
        elif last.operator:
            start, stop = start + last.operand_start, start + last.operand_end
        else:
            return None, f"the build argument {last.name} has no default", passed
    return None, "the image name is made of too many build arguments", passed


def _moved(use: Variable, by: int) -> Variable:
    from dfopt.record import replace

    moved: Variable = replace(use, start=use.start + by, end=use.end + by)
    return moved


def _sources(program: Program) -> Iterator[_Source]:
    for index, node in enumerate(program.meta):
        for slot, pair in enumerate(node.pairs):
            yield _Source(index, slot, pair.value or "")
    for stage in program.stages:
        yield _Source(stage.position, 0, stage.base)


def _variables(text: str, escape: str) -> list[Variable]:
    if "$" not in text:
        return []
    try:
        return variables(text, escape)
    except ExpansionError:
        return []


def _text(word: str, escape: str) -> str:
    try:
        return expand_word(word, {}, escape=escape)
    except ExpansionError:
        return ""


def _offset(program: Program, source: _Source, at: int) -> int:
    node = program.dockerfile.instructions[source.index]
    if node.keyword == "FROM":
        begin = node.arguments[0].at
    else:
        begin = node.pairs[source.slot].value_at
    return node.joined.source(begin + at - 1) + 1 if at else node.joined.source(begin)


# --- what a change of such a text declares ---------------------------------------------------------------------------


def declare(program: Program, index: int, values: dict[int, str]) -> tuple[Rewrite, ...]:
    """The rewrites that give slots of one instruction (slot -> value) other texts."""
    if index == SYNTAX:
        return _declare_syntax(program, values[0])
    return (_declare(program, index, values),)


def _declare_syntax(program: Program, value: str) -> tuple[Rewrite, ...]:
    """A directive is a comment too."""
    directive = program.dockerfile.directive("syntax")
    assert directive is not None
    text = program.text
    comment = next(
        line_comment
        for line_comment in program.dockerfile.comments
        if line_comment.start < directive.start < line_comment.end
    )
    old = text[comment.start : comment.end].rstrip()
    new = text[comment.start : directive.start] + value + text[directive.end : comment.end]
    return SetDirective("syntax", value), ChangeComments((old,), (new.rstrip(),))


def _declare(program: Program, index: int, values: dict[int, str]) -> Rewrite:
    node = program.dockerfile.instructions[index]
    if node.keyword == "FROM":
        words = tuple([values.get(slot, argument.value) for slot, argument in enumerate(node.arguments)])
        return SetValue(index, "FROM", (node.form, node.kind.upper(), words))
    if node.keyword == "ARG":
        pairs = tuple([(pair.name, values.get(slot, pair.value)) for slot, pair in enumerate(node.pairs)])
        return SetValue(index, "ARG", ("pairs", pairs))
    inner = node.nested or node
    flags = tuple([(flag.name, values.get(slot, flag.value)) for slot, flag in enumerate(inner.flags)])
    if node.nested is None:
        return SetFlags(index, flags)
    nested = value_of(node, program.text)
    return SetValue(index, "ONBUILD", (nested[0], nested[1], flags, *nested[3:]))
