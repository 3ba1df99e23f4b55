from __future__ import annotations

import re

from dfopt.findings import Declares
from dfopt.passes.base import STAGES, Pass
from dfopt.passes.package_caches.clean_after import CleanAfter, starts
from dfopt.refusal import Refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.analysis.package_managers import Tool
    from dfopt.facts import Facts
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage, Step


class CargoCleanup(CleanAfter, Pass):
    """Removes the registry and the sources that Cargo downloaded, in the layer that downloaded them.

    A stage that compiles Rust programs and is shipped itself keeps the index of crates.io and the source and archive of
    every crate under $CARGO_HOME. This pass appends an `rm -rf` of the two directories that hold them, in the RUN's own
    style; installed programs and the target directory stay.

    Why: a compiled program needs none of it.

    Example:

    ```dockerfile
    FROM rust:1.85-slim
    RUN cargo install ripgrep
    CMD ["rg", "--version"]
    ```

    ```dockerfile
    FROM rust:1.85-slim
    RUN cargo install ripgrep && rm -rf "$CARGO_HOME/registry" "$CARGO_HOME/git"
    CMD ["rg", "--version"]
    ```

    Refuses: where a later step or the image's command calls Cargo; sudo; where Cargo runs on a condition only or in a
    shell of its own; a background job or a comment at the end; a heredoc script that is not under `set -e`; ONBUILD.
    Does nothing in stages that only build for others, where the RUN cleans up in any spelling, or where a cache mount
    holds the registry. Where a later step cannot be seen into, and in an image without CMD and ENTRYPOINT, the fix is
    `unsafe`.

    Declares: the RUN gains one command at its end.
    """

    name = "cargo-cleanup"
    group = "size"
    phase = "caches"
    triggers = ("cargo",)
    order = 32
    options = (STAGES,)
    family = "cargo"
    words = ("cargo",)
    pattern = r"\bcargo\s+(?:build|install|fetch)\b"
    what = "Cargo's registry"
    any_use = True
    declares = Declares(caches=("cargo",))

    def command(self, program: Program, stage: Stage, position: int, tool: Tool) -> tuple[str, ...]:
        step = stage.steps[position]
        scope = program.scope(step)
        home = "${CARGO_HOME:-$HOME/.cargo}"
        if "CARGO_HOME" in scope.env or re.match(r"rust(?::|\Z)", scope.image or ""):  # the official image sets it
            home = "$CARGO_HOME"
        elif scope.base is not None and "CARGO_HOME" not in program.text:
            return ("rm", "-rf", "~/.cargo/registry", "~/.cargo/git")
        return ("rm", "-rf", f'"{home}/registry"', f'"{home}/git"')

    def veto(self, program: Program, facts: Facts, stage: Stage, position: int, step: Step, tool: Tool) -> None:
        if tool.one.wrappers:
            raise Refusal("under another user, Cargo's home is not known")

    def tier(
        self, program: Program, facts: Facts, stage: Stage, position: int, step: Step, tool: Tool
    ) -> tuple[str, str]:
        for later in stage.steps[position + 1 :]:
            if any(effect.kind == "opaque" for effect in program.effects(later)):
                return "unsafe", f"line {later.node.line} runs what cannot be seen into, and might use it"
        return (
            ("safe", "") if starts(program, stage) else ("unsafe", "the image starts nothing: it may be there to build")
        )
