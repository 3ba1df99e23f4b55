from __future__ import annotations

import re

from dfopt.lazy import regex
from dfopt.passes.base import Pass
from dfopt.passes.package_caches.engine import CleanupRow
from dfopt.refusal import Refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.analysis.package_managers import Tool
    from dfopt.analysis.run_steps import RunSite
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage

# how a file shows that it uses Yarn 2 or later, and the options that only Yarn 1 takes
_LATER = (
    r"\.yarnrc\.yml|\byarn\s+set\s+version|--immutable|\byarn\s+workspaces\s+focus|\bcorepack\b|\.pnp\."
    r"|\.yarn/(?:releases|cache|plugins)|\byarn@(?:[2-9]|berry|stable)"
)
_LATER_MANIFEST = regex(rb'"packageManager"\s*:\s*"yarn@[2-9]')
_LATER_REASON = "Yarn 2 and later run programs from their cache"
_CLASSIC = ("--pure-lockfile", "--no-lockfile", "--ignore-optional", "--ignore-scripts", "--flat", "--modules-folder",
            "--link-duplicates", "--ignore-platform")  # fmt: skip
_MANIFEST = regex(r"(?:.*/)?(?:package[\w.*-]*\.json|yarn[\w.*-]*|\.npmrc|\.yarnrc|lerna\.json)\Z")


class YarnCleanup(CleanupRow, Pass):
    """Empties Yarn 1's cache in the layer that filled it.

    `yarn install` keeps an unpacked copy of every package in its cache, beside the one in node_modules. This pass
    appends `yarn cache clean` in the RUN's own style.

    Why: nothing at run time reads the cache. Measured: 3.6 MB less for express 4 alone.
    """

    family = "yarn"
    codes = ("DL3060",)
    cache_name = "Yarn's cache"
    own_paths = ("lib/node_modules", "bin/n", "bin/yarn", ".nvm", "/opt/yarn")
    unless = (_LATER, _LATER_REASON)
    refuses = (
        "Refuses as well Yarn 2 and later, whose programs may run from the cache. Where nothing shows that it is "
        "Yarn 1, the fix is `unsafe`."
    )
    example = (
        "FROM node:22-slim\nCOPY package.json yarn.lock ./\nRUN yarn install --frozen-lockfile",
        "yarn cache clean",
    )

    def check_site(self, site: RunSite, tool: Tool) -> None:
        manifest = site.facts.context_file("package.json") or b""
        paths = site.facts.context_paths() or ()
        if _LATER_MANIFEST.search(manifest) or any(path.endswith(".yarnrc.yml") for path in paths):
            raise Refusal(_LATER_REASON)

    def tier(self, site: RunSite, tool: Tool) -> tuple[str, str]:
        lock_file = site.facts.context_file("yarn.lock") or b""
        if (
            b"yarn lockfile v1" in lock_file[:200]
            or (tool.name or "").startswith("global")
            or tool.invocation.has_option(*_CLASSIC)
            or _only_manifests(site.program, site.stage, site.position)
        ):
            return "safe", ""
        return "unsafe", "if this is Yarn 1"


def _only_manifests(program: Program, stage: Stage, position: int) -> bool:
    """Whether nothing came into the stage that could choose another Yarn: only manifests and lock files, copied by
    name, and no downloads but the package manager's."""
    if stage.parent is not None:
        parent = program.stages[stage.parent]
        if not _only_manifests(program, parent, len(parent.steps)):
            return False
    for step in stage.steps[:position]:
        node = step.effective
        if node.keyword in ("COPY", "ADD"):
            sources = [argument.value for argument in node.arguments[:-1]]
            if node.flag("from") or not all(_MANIFEST.match(source) for source in sources):
                return False
        elif node.keyword == "RUN" and re.search(r"\b(?:git|tar|unzip|curl|wget|npm|npx)\b", node.joined.text):
            return False
    return stage.parent is not None or re.match(r"node(?::|\Z)", stage.image or "") is not None
