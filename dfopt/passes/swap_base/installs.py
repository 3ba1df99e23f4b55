"""What a stage needs on its new base, installed, and what a message says of what nothing proves."""

from __future__ import annotations

from dfopt.editing.instruction_insert import insert_steps
from dfopt.passes.swap_base.joined_install import joined_install
from dfopt.passes.swap_base.survey import packages_of
from dfopt.passes.swap_base.target import ALPINE, RHEL, SLIM
from dfopt.passes.swap_base.words import alpine_release, translated
from dfopt.record import Record
from dfopt.refusal import Refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.edit import Edit
    from dfopt.passes.swap_base.survey import StageSurvey
    from dfopt.passes.swap_base.target import ReplacementBase
    from dfopt.rewrites.base import Rewrite


def install_command(target: ReplacementBase, needs: dict[str, int]) -> str:
    """The command that installs packages, which are named as Debian names them. Raises Refusal."""
    if target.kind == SLIM:
        words = packages_of(needs)
        if target.microdnf:
            return f"microdnf install -y {words} && microdnf clean all"
        return f"apt-get update && apt-get install -y --no-install-recommends {words} && rm -rf /var/lib/apt/lists/*"
    found: list[str] = []
    for package, line in needs.items():
        names = translated(package, "debian", target.kind, alpine_release(target.image))
        if names is None or target.kind not in (ALPINE, RHEL):
            raise Refusal(f"line {line}: {package} is needed, and not in {target.image}")
        found += names
    return ("apk add --no-cache " if target.kind == ALPINE else "dnf install -y ") + packages_of(found)


class Preparation(Record):
    """What has the new base bring what a stage needs, and what a message says of it."""

    edits: tuple[Edit, ...]
    rewrites: tuple[Rewrite, ...]
    message: str


def preparation(needs: StageSurvey) -> Preparation:
    """The RUN behind FROM that brings what a stage needs, or an addition to the one that is there. What trials lacked
    is noted as needed. Raises Refusal, also where a trial gave the base up."""
    lacking = needs.facts.lacking(needs.stage.index, needs.stage.base, needs.target.image)
    if isinstance(lacking, Refusal):
        raise Refusal(lacking.reason, "the base that is there serves as well")
    for package in lacking:
        needs.need(package, needs.stage.node.line)
    lacked = f" (a trial lacked {', '.join(sorted(set(lacking.values())))})" if lacking else ""
    message = f"; {packages_of(needs.packages)} added{lacked}" if needs.packages else ""
    if lacking and needs.target.kind == SLIM and not (needs.target.microdnf or needs.places):
        joined = joined_install(needs, sorted(needs.packages))
        if joined is not None:
            return Preparation(joined[:1], joined[1:], message)
    commands = [f"mkdir -p {packages_of(needs.places)}"] if needs.places else []
    if needs.packages:
        commands.append(install_command(needs.target, needs.packages))
    if not commands:
        return Preparation((), (), message)
    edit, rewrites = insert_steps(needs.program, needs.stage.position + 1, ("RUN", " && ".join(commands)))
    return Preparation((edit,), tuple(rewrites), message)


def unproved(doubts: list[str]) -> str:
    """What a message says of what a trial decided."""
    different = list(dict.fromkeys(doubts))
    if not different:
        return ""
    more = f" (and {len(different) - 1} more)" if len(different) > 1 else ""
    return f"; the smoke test decided: {different[0]}{more}; what no test reaches may be missing"
