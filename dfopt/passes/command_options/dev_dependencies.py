from __future__ import annotations

from dfopt.findings import Declares
from dfopt.lazy import regex
from dfopt.passes.base import Pass
from dfopt.passes.command_options.engine import CommandOption

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage, Step

# what a stage does with packages that are for development alone
_USES = regex(
    r"\b(?:npm|pnpm|yarn|composer)\s+(?:-\S{1,99}\s{1,20}){0,20}(?:run|test|exec|build|dlx|start)\b|\bnpx\b|\b(?:poetry|uv)\s+run\b"
    r"|\bpytest\b|\bphpunit\b|\b(?:tsc|webpack|vite|ng|gulp|grunt)\b|\bnode\s|\bmake\b"
)


class DevDependencies(CommandOption, Pass):
    """Leaves packages for development out of the image that is shipped: `npm ci --omit=dev`, `pnpm install --prod`,
    `composer install --no-dev`, `uv sync --no-dev`, `poetry install --only=main`.

    Why: test runners, compilers and linters make the image larger, and are programs that nobody looks after there.

    Example:

    ```dockerfile
    FROM node:22-slim
    WORKDIR /app
    COPY package.json package-lock.json ./
    RUN npm ci
    CMD ["node", "server.js"]
    ```

    ```dockerfile
    FROM node:22-slim
    WORKDIR /app
    COPY package.json package-lock.json ./
    RUN npm ci --omit=dev
    CMD ["node", "server.js"]
    ```

    Does nothing in stages that run scripts or tests, which may need the packages, where a variable says the same
    (`NODE_ENV=production`), and in builder stages.

    Refuses: ONBUILD, and commands in strings and substitutions.

    Declares: any file may go. `unsafe`: the program may need a package that its author filed wrongly; `--verify` builds
    the image, and starts it.
    """

    name = "dev-dependencies"
    group = "advice"
    phase = "caches"
    triggers = ("npm", "composer", "uv sync", "poetry")
    default = False
    order = 30
    declares = Declares(files="any")
    which = "shipped"
    fix_tier = "unsafe"
    message = "{program} installs packages for development into the image: {option}"

    def applies(self, program: Program, stage: Stage, step: Step) -> bool:
        runs = [text for _, _, other, text in program.run_steps() if other.stage == stage.index]
        return not program.children(stage) and not any(_USES.search(text) for text in runs)
