from __future__ import annotations

from dfopt.findings import Declares
from dfopt.lazy import regex
from dfopt.passes.base import STAGES, Pass
from dfopt.passes.package_caches.no_cache import NoCache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.analysis.package_managers import Tool
    from dfopt.facts import Facts
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage, Step

_OLD = regex(r"composer(?:/composer|/releases/download)?[:/]1\.[0-8](?!\d)|--version[= ]1\.[0-8]\.")


class ComposerNoCache(NoCache, Pass):
    """Gives `composer install` and its like the option `--no-cache`.

    Composer keeps every archive that it downloads, beside what it unpacks from it into vendor/.

    Why: nothing at run time reads the cache, which holds a copy of every archive.

    Example:

    ```dockerfile
    FROM php:8.4-cli
    COPY --from=composer:2 /usr/bin/composer /usr/bin/composer
    RUN composer install --no-dev
    ```

    ```dockerfile
    FROM php:8.4-cli
    COPY --from=composer:2 /usr/bin/composer /usr/bin/composer
    RUN composer install --no-cache --no-dev
    ```

    Refuses: where a later step uses the cache (names its path, copies it out of the stage); a Composer older than 1.9,
    which does not know the option; ONBUILD. Does nothing where `COMPOSER_CACHE_DIR` is set, where a mount covers the
    cache, or where the RUN deletes it.

    Declares: each command gains one word behind its subcommand.
    """

    name = "composer-no-cache"
    group = "size"
    phase = "caches"
    triggers = ("composer",)
    order = 40
    options = (STAGES,)
    family = "composer"
    declares = Declares(caches=("composer",))

    def veto(self, program: Program, facts: Facts, stage: Stage, position: int, step: Step, tool: Tool) -> str:
        return "Composer is older than 1.9 and has no --no-cache" if _OLD.search(program.text) else ""
