"""The split by evidence: the plan of a new stage from what a build of the file and its smoke test showed."""

from __future__ import annotations

from dfopt.facts import LAYOUT, RunEvidence
from dfopt.ir.base_images import split_image
from dfopt.ir.effects import covers
from dfopt.ir.liveness import layer_steps
from dfopt.passes.multi_stage.base_settings import ends_as_root, inherited_settings
from dfopt.passes.multi_stage.bases import base_of
from dfopt.passes.multi_stage.copy_selection import StageCopy, check_paths
from dfopt.passes.multi_stage.packages import install_command
from dfopt.passes.multi_stage.plan import SplitPlan
from dfopt.passes.multi_stage.stage_settings import inherited_workdir, settings
from dfopt.record import replace
from dfopt.refusal import Refusal
from dfopt.syntax.expand import Unknown
from dfopt.units import human

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.facts import Facts
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage

NAME = "observed"  # of the recipe
_LEAST = 5_000_000  # bytes that a split must save
_SHARE = 0.05  # ... and of the image
_MOST_COPIES = 30  # of an empty image: more, nobody reviews
_NOTE = "by what a build and its smoke test showed: what no test reaches may be missing"
_LAID_OUT = StageCopy((f"{LAYOUT}/",), "/", None, "directories with a mode or an owner of their own")


class SavesLittle(Refusal):
    """The run needs nearly all that the image holds."""


def observed_plan(
    program: Program, stage: Stage, facts: Facts, keep: tuple[str, ...] = (), *, bare: bool = False
) -> SplitPlan | None:
    """The plan for a stage; None where nothing was built. `keep`: paths that are copied besides; `bare`: on an empty
    image. Raises SavesLittle, Refusal."""
    from dfopt.stage_templates.stage_recipes import stage_recipes

    root = program.root(stage)
    if not root.image or root.image == "scratch" or root.node.flags or stage.node.flags:
        return None
    base = base_of(root.image)
    image = "scratch" if bare else base.run if base is not None else root.image
    says = any(step.node.keyword in ("CMD", "ENTRYPOINT") for step in layer_steps(program, stage))
    if not (bare or says) and split_image(image)[0] != split_image(root.image)[0]:
        raise Refusal("the file does not say what the image starts", "add CMD or ENTRYPOINT")
    found = facts.run_evidence(stage.index, stage.base, image)
    if isinstance(found, Refusal):
        raise found
    if found is None:
        return None
    if found.saved < max(_LEAST, _SHARE * (found.bytes + found.saved)):
        on = "an empty image" if bare else image
        reason = f"a stage of its own on {on} would save {human(max(found.saved, 0))} alone"
        raise SavesLittle(reason, "nothing to do: the run needs nearly all that the image holds")
    known = {*found.files, *(path for path, _ in found.trees)}
    found = replace(found, trees=(*found.trees, *((path, "") for path in keep if path not in known)))
    check_paths([*found.files, *(str(row[0]) for row in (*found.trees, *found.links, *found.directories))])
    check_paths([f"/{target}" for _, target in found.links])  # which stand in a command
    recipe = next(one for one in stage_recipes() if one.name == NAME)
    if bare:
        workdir = program.end_scope(stage).workdir
        owned = isinstance(workdir, Unknown) or _changes(workdir, found)
        if not (isinstance(workdir, Unknown) or owned):  # WORKDIR makes the directories that lead there
            found = replace(found, directories=tuple(row for row in found.directories if not covers(row[0], workdir)))
        split = settings(program, stage, recipe.environment, recipe.stays, owned)
        inherited = inherited_settings(program, stage, facts, found)
        layout = _layout(found)
        as_root = bool(layout) and not ends_as_root(program, stage, split, inherited)
        copies = (*([_LAID_OUT] if layout else []), *_copies(found))
        if len(copies) > _MOST_COPIES:
            raise Refusal(f"an empty image would take {len(copies)} COPYs, more than anybody reviews")
        return SplitPlan(
            recipe, image, "", (), (), copies, split, 0, 0, 0, last=layout, as_root=as_root, inherited=inherited.first,
            behind=inherited.behind, starts=inherited.starts, saved=found.saved, note=_NOTE,
        )  # fmt: skip
    owned = any(owner != "0:0" for _, _, owner in found.directories) or any(owner for _, owner in found.trees)
    split = settings(program, stage, recipe.environment, recipe.stays, owned)
    return SplitPlan(
        recipe, image, _packages(program, found, image), _commands(found), (), tuple(_copies(found)), split, 0, 0, 0,
        inherited=inherited_workdir(program, stage, image, base), saved=found.saved, note=_NOTE,
    )  # fmt: skip


def _changes(workdir: str, found: RunEvidence) -> bool:
    """Whether a WORKDIR in front of the copies of an empty image changes what they bring: it makes root's directories,
    of mode 755, where they have another owner or mode, or a link."""
    places = [path for path, mode, owner in found.directories if (mode, owner) != (0o755, "0:0")]
    places += [path for path, owner in found.trees if owner]
    return any(covers(path, workdir) for path in (*places, *(path for path, _ in found.links)))


def _packages(program: Program, found: RunEvidence, image: str) -> str:
    if not found.packages:
        return ""
    quiet = "tzdata" in found.packages or "DEBIAN_FRONTEND" in program.text
    return install_command(found.family, found.packages, True, quiet, "slim" in image)


def _copies(found: RunEvidence) -> list[StageCopy]:
    """Files of one directory in one COPY; first what no step wrote, with the reasons."""
    groups: dict[tuple[bool, str], list[str]] = {}
    for path in found.files:
        groups.setdefault((path in found.reasons, path.rpartition("/")[0] + "/"), []).append(path)
    copies = [
        StageCopy(
            tuple(paths), directory if len(paths) > 1 else paths[0], None,
            "; ".join(sorted({found.reasons.get(path, "") for path in paths})),
        )
        for (_, directory), paths in groups.items()
    ]  # fmt: skip
    copies += [StageCopy((path,), path, owner or None, found.reasons.get(path, "")) for path, owner in found.trees]
    copies.sort(key=lambda copy: (not copy.comment, copy.comment, copy.target))
    said = set[str]()
    for number, copy in enumerate(copies):
        if copy.comment in said:
            copies[number] = replace(copy, comment="")
        said.add(copy.comment)
    return copies


def _commands(found: RunEvidence) -> tuple[str, ...]:
    """What the new stage runs behind its copies."""
    words = [f"rm -f {' '.join(found.removed)}"] if found.removed else []
    copied = [*found.files, *(path for path, _ in found.trees)]
    for path, mode, owner in found.directories:
        if not any(covers(path, place) for place in copied):
            words.append(f"mkdir -p {path}")
        words += [f"chown {owner} {path}"] if owner != "0:0" else []
        words += [f"chmod {mode:o} {path}"] if mode != 0o755 else []
    words += [f"ln -sf {target} {path}" for path, target in found.links]
    commands = (" && ".join(words),) if words else ()
    return (*commands, "ldconfig") if found.libraries and found.family == "apt" else commands


def _layout(found: RunEvidence) -> str:
    """The command that makes directories for an empty image, each behind those above it, and links that lead out of it;
    "" for none."""
    alike: dict[str, list[str]] = {}
    known = {path for path, _, _ in found.directories}
    homes = {path.rpartition("/")[0] for path, _ in found.links} - known
    for path, mode, owner in (*found.directories, *((path, 0o755, "0:0") for path in sorted(homes))):
        options = f" -m {mode:o}" if mode != 0o755 else ""
        options += " -o {} -g {}".format(*owner.split(":")) if owner != "0:0" else ""
        alike.setdefault(options, []).append(LAYOUT + path)
    words = [f"install -d{options} {' '.join(paths)}" for options, paths in alike.items()]
    return " && ".join([*words, *(f"ln -s {target} {LAYOUT}{path}" for path, target in found.links)])
