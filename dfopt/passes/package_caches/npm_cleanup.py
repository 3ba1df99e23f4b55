from __future__ import annotations

from dfopt.findings import Declares
from dfopt.passes.base import STAGES, Pass
from dfopt.passes.package_caches.clean_after import CleanAfter


class NpmCleanup(CleanAfter, Pass):
    """Empties npm's cache in the layer that filled it.

    `npm install` and `npm ci` keep every archive that they download under ~/.npm, beside what they unpack from it. This
    pass appends `npm cache clean --force` in the RUN's own style.

    Why: nothing at run time reads the cache. Measured: 3.3 MB less for express 4 alone.

    Example:

    ```dockerfile
    FROM node:22-slim
    COPY package.json package-lock.json ./
    RUN npm ci --omit=dev
    ```

    ```dockerfile
    FROM node:22-slim
    COPY package.json package-lock.json ./
    RUN npm ci --omit=dev && npm cache clean --force
    ```

    Refuses: where a later step uses the cache (`--offline`, `--prefer-offline`, its path, a copy of it); where npm runs
    on a condition only, in a shell of its own, or is taken away by the end of the RUN; a background job or a comment at
    the end; a heredoc script that is not under `set -e`; ONBUILD. Does nothing where the RUN cleans up in any spelling,
    where a cache mount holds the cache, or with `--cache`.

    Declares: the RUN gains one command at its end.
    """

    name = "npm-cleanup"
    group = "size"
    phase = "caches"
    triggers = ("npm",)
    order = 32
    options = (STAGES,)
    family = "npm"
    words = ("npm",)
    pattern = r"\bnpm\s+(?:-\S+\s+)*(?:install|i|ci)\b"
    what = "npm's cache"
    homes = ("lib/node_modules", "bin/n", ".nvm", "/opt/node", "/usr/local/node")
    declares = Declares(caches=("npm",))
