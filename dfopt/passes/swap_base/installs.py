"""The command that installs what a stage needs on its new base, and what a message says of what nothing proves."""

from __future__ import annotations

from dfopt.passes.swap_base.survey import packages_of
from dfopt.passes.swap_base.target import ALPINE, RHEL, SLIM
from dfopt.passes.swap_base.words import alpine_release, translated
from dfopt.refusal import Refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.passes.swap_base.target import ReplacementBase


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


def unproved(doubts: list[str]) -> str:
    """What a message says of what a trial decided."""
    different = list(dict.fromkeys(doubts))
    if not different:
        return ""
    more = f" (and {len(different) - 1} more)" if len(different) > 1 else ""
    return f"; the smoke test decided: {different[0]}{more}"
