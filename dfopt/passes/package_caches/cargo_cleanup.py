from __future__ import annotations

import re

from dfopt.passes.base import Pass
from dfopt.passes.package_caches.engine import CleanupRow
from dfopt.refusal import Refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.analysis.package_managers import Tool
    from dfopt.analysis.run_steps import RunSite


class CargoCleanup(CleanupRow, Pass):
    """Removes the registry and the sources that Cargo downloaded, in the layer that downloaded them.

    A stage that compiles Rust programs and is shipped itself keeps the index of crates.io and the source and archive of
    every crate under $CARGO_HOME. This pass appends an `rm -rf` of the two directories that hold them, in the RUN's own
    style; installed programs and the target directory stay.

    Why: a compiled program needs none of it.
    """

    family = "cargo"
    cache_name = "Cargo's registry"
    any_use = True
    refuses = "Refuses as well under sudo. Where a later step runs an opaque command, the fix is `unsafe`."
    example = (
        'FROM rust:1.85-slim\nRUN cargo install ripgrep\nCMD ["rg", "--version"]',
        'rm -rf "$CARGO_HOME/registry" "$CARGO_HOME/git"',
    )

    def command(self, site: RunSite, tool: Tool) -> tuple[str, ...]:
        scope = site.program.scope(site.step)
        home = "${CARGO_HOME:-$HOME/.cargo}"
        if "CARGO_HOME" in scope.env or re.match(r"rust(?::|\Z)", scope.image or ""):  # the official image sets it
            home = "$CARGO_HOME"
        elif scope.base is not None and "CARGO_HOME" not in site.program.text:
            return ("rm", "-rf", "~/.cargo/registry", "~/.cargo/git")
        return ("rm", "-rf", f'"{home}/registry"', f'"{home}/git"')

    def check_site(self, site: RunSite, tool: Tool) -> None:
        if tool.invocation.wrappers:
            raise Refusal("under another user, Cargo's home is not known")

    def tier(self, site: RunSite, tool: Tool) -> tuple[str, str]:
        for step in site.later_steps:
            if any(effect.kind == "opaque" for effect in site.program.effects(step)):
                return "unsafe", f"line {step.node.line} runs an opaque command, which might use it"
        return super().tier(site, tool)
