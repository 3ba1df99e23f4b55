"""How setuid bits are taken: the command, where it may stand, and what it costs."""

from __future__ import annotations

from dfopt.analysis.build_facts import ASK, base_image, built_image, with_reason
from dfopt.analysis.startup import started
from dfopt.analysis.users import base_users, runs_as_root
from dfopt.cost import mends
from dfopt.editing.layout import append_edit
from dfopt.facts import Facts
from dfopt.findings import Benefit, Fix
from dfopt.ir.liveness import layer_steps
from dfopt.ir.shell_body import shell_kind
from dfopt.knowledge import table
from dfopt.lazy import regex
from dfopt.passes.strip_suid.sources import has_find, needed, sets
from dfopt.record import Record
from dfopt.refusal import Refusal
from dfopt.rewrites.append_checks import append_operator, check_append
from dfopt.rewrites.commands import AppendCommand
from dfopt.units import human

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dfopt.ir.program import Program
    from dfopt.ir.scopes import Scope
    from dfopt.ir.stages import Stage, Step

_SOURCE = "suid.toml"
_NAMED = 6  # names of files that a message lists
_NAME = regex(r"[\w.+-]+\Z")
_DIRECTORY = regex(r"/[\w./-]*\Z")


class Price(Record):
    """What the command stores a second time, since the layers below have it already: in words, "" for nothing; and
    with what it is paid for."""

    text: str
    benefit: Benefit


def price_by_table(family: str | None) -> Price:
    """The price where the base is one of a family. A base that was not counted is taken for Debian's."""
    bases = table("suid")["base"]
    own = bases.get(family or "", {})
    if "files" not in own:
        size = bases["debian"]["bytes"]
        text = f"the base's files with such bits are stored again: about {human(size)}, if they are like Debian's"
        return Price(text, Benefit(bytes=-size, source=_SOURCE, mends=mends("strip-suid")))
    text = f"the base's {own['files']} files are stored again: about {human(own['bytes'])}" if own["files"] else ""
    return Price(text, Benefit(bytes=-own["bytes"], setuid=own["files"], source=_SOURCE, mends=mends("strip-suid")))


def check_place(program: Program, stage: Stage, last: Step | None, facts: Facts) -> None:
    """Raises Refusal where no find may be put behind `last` (None: the beginning of the stage)."""
    scope = program.scope(last) if last is not None else program.end_scope(stage)
    root = _root_behind(program, stage, last, facts)
    image = scope.image or "the base image"
    if root is None:
        raise Refusal(with_reason(f"whether {image} runs as root is not known", facts), ASK)
    if root is False:
        raise Refusal("the step that would do it runs as another user than root")
    for step in layer_steps(program, stage):
        if step.node.keyword == "ONBUILD":
            raise Refusal(f"line {step.node.line}: steps of ONBUILD come behind it")
        if sets(program, step):
            raise Refusal(f"line {step.node.line} sets such a bit itself")
    if not has_find(program, stage, facts):
        raise Refusal(with_reason(f"whether {image} has find is not known", facts), "install findutils")
    first = program.scope(stage.steps[0]) if stage.steps else scope
    if not shell_kind(scope if last is not None else first, program.dockerfile.escape).posix:
        raise Refusal("the shell is not known to read POSIX syntax")
    reason = needed(program, program.stages[-1]) or needed(program, stage)
    if reason:
        raise Refusal(reason, "write `# dfopt: ignore=strip-suid` above the line if it is meant")


def check_copy(program: Program, source: Stage, step: Step, facts: Facts) -> None:
    """Raises Refusal where no find may be put at the end of the stage that a COPY takes from."""
    check_place(program, source, None, facts)
    if len(step.node.arguments) != 2 or not _DIRECTORY.match(step.node.arguments[0].value):
        raise Refusal("several sources, or one that is not plainly written", "copy one directory a line")
    scope = program.end_scope(source)
    if scope.user is not None and scope.root is not True:
        raise Refusal(f"stage {source.name or source.index} ends as another user than root")


def _root_behind(program: Program, stage: Stage, last: Step | None, facts: Facts) -> bool | None:
    """Whether a step behind `last` (None: at the beginning of the stage) runs as root; None where that is not known."""
    if last is not None:
        before: Scope | None = program.scope(last)
    else:
        before = program.end_scope(program.stages[stage.parent]) if stage.parent is not None else None
    if before is not None and before.user is not None:
        return before.root
    return base_users(program, stage, facts).root


def seen_files(program: Program, facts: Facts, keep: Sequence[str]) -> dict[str, int] | None:
    """The setuid files of the image that is shipped, but for those that keep their bits, as a build showed it: path ->
    bytes. None where there is none."""
    final = program.stages[-1]
    image = built_image(program, final, facts)
    if image is None:
        return None
    kept = kept_names(program, facts, keep)
    return {path: size for path, size in image.set_id().items() if path.rpartition("/")[2] not in kept}


def told(files: Mapping[str, int]) -> str:
    """`4 files, 0.3 MB: mount, passwd, su, umount`."""
    names = sorted({path.rpartition("/")[2] for path in files})
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    size = sum(files.values()) / 1e6
    return f"{len(files)} {'file' if len(files) == 1 else 'files'}, {size:.1f} MB: {', '.join(names[:_NAMED])}{more}"


def of_base(program: Program, facts: Facts, keep: Sequence[str]) -> list[int] | None:
    """The bytes of the base's files that would lose a bit, where its registry was asked."""
    base = base_image(program, program.stages[-1], facts)
    if base is None:
        return None
    kept = kept_names(program, facts, keep)
    return [size for path, size in base.set_id().items() if path.rpartition("/")[2] not in kept]


def price_of(program: Program, facts: Facts, keep: Sequence[str], family: str | None) -> Price | None:
    """The price as the base's registry or the table tells it, else as a build showed it; None where that showed no file
    that would lose a bit."""
    again = of_base(program, facts, keep)
    if again is not None:
        text = f"setuid files of the base are stored again: {len(again)}, {human(sum(again))}" if again else ""
        benefit = Benefit(
            bytes=-sum(again), setuid=len(again), origin="measured", source="registry", mends=mends("strip-suid")
        )
        return Price(text, benefit)
    seen = None if "files" in table("suid")["base"].get(family or "", {}) else seen_files(program, facts, keep)
    if seen is None:
        return price_by_table(family)
    benefit = Benefit(bytes=-sum(seen.values()), setuid=len(seen), origin="measured", source="build")
    return Price(told(seen), benefit) if seen else None


def kept_names(program: Program, facts: Facts, keep: Sequence[str]) -> list[str]:
    """Names of programs that keep their bits: `keep`, and those that the image's command names where it runs as another
    user than root."""
    kept = [name for name in keep if _NAME.match(name)]
    final = program.stages[-1]
    scope = program.end_scope(final)
    if runs_as_root(program, final, scope, facts) is not True:
        named = {name for run in started(program, final, facts).runs for name in run.names}
        kept += [name for name in table("suid")["programs"] if name in named]
    return sorted(set(kept))


def words(program: Program, facts: Facts, path: str, keep: Sequence[str]) -> tuple[str, ...]:
    """The command that takes the bits from what lies at `path`. `keep`: names of programs that are left alone."""
    names = [part for name in kept_names(program, facts, keep) for part in ("!", "-name", name)]
    return ("find", path, "-xdev", "-perm", "/6000", "-type", "f", *names, "-exec", "chmod", "a-s", "{}", "+")


def family_of(program: Program, stage: Stage) -> str | None:
    base = program.end_scope(stage).base
    return base.family if base is not None else None


def alone(program: Program, stage: Stage) -> bool:
    """Whether the stage that this one builds on serves nothing else."""
    parent = stage.parent
    if parent is None or len(program.children(program.stages[parent])) != 1:
        return False
    return parent not in program.once("copied stages", _copied_stages, program)


def _copied_stages(program: Program) -> set[int]:
    return set().union(*map(program.copies_from, program.stages))


def appended(program: Program, step: Step, words: tuple[str, ...]) -> Fix | None:
    """The fix that puts the command at the end of a RUN; None where that would change what the RUN does."""
    if step.node.keyword != "RUN":
        return None
    body = program.body(step)
    if body.program is None or body.form not in ("line", "script"):
        return None
    operator = append_operator(body)
    try:
        check_append(body, operator)
    except Refusal:
        return None
    edit = append_edit(program, step, body, " ".join(words), operator)
    return Fix((edit,), (AppendCommand(step.index, words, operator),), "unsafe")
