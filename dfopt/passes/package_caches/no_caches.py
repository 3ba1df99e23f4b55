"""Package managers that have an option against caching: a row each (see `engine`)."""

from __future__ import annotations

from dfopt.analysis.package_managers import variable
from dfopt.passes.base import Pass
from dfopt.passes.package_caches.engine import NoCacheRow
from dfopt.refusal import Refusal
from dfopt.syntax.expand import Unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.analysis.package_managers import Tool
    from dfopt.analysis.run_steps import RunSite


class PipNoCache(NoCacheRow, Pass):
    """Gives `pip install` the option `--no-cache-dir`.

    pip keeps every wheel that it downloads or builds under ~/.cache/pip, where a layer carries it for ever. The option
    goes to each `pip install`, `pip wheel` and `pip download` of a stage that reaches an image, and to `python -m pip`.

    Why: nothing at run time reads the cache, which holds a copy of every archive. Measured: 29 MB less for pandas,
    requests and flask, 0.6 MB for flask alone.
    """

    family = "pip"
    codes = ("DL3042",)
    false_counts = True
    refuses = (
        "`PIP_NO_CACHE_DIR` turns it off with any value: pip takes 0 and false for off, too. Bases whose own pip is "
        "older than 6.0, which does not know the option, are refused; `--no-index` needs nothing."
    )
    example = (
        "FROM python:3.13-slim\nCOPY requirements.txt .\nRUN pip install -r requirements.txt",
        "pip install --no-cache-dir -r requirements.txt",
    )


class UvNoCache(NoCacheRow, Pass):
    """Gives `uv sync`, `uv pip install` and their like the option `--no-cache`.

    uv then works in a temporary directory and leaves nothing under ~/.cache/uv: neither the registry's answers nor the
    packages that it built. (Installed files themselves are hard links of the cached ones, and cost nothing twice.)

    Why: nothing at run time reads the cache. Measured: 1.3 MB less for flask and requests.
    """

    family = "uv"
    started_again = r"\buvx?\b"
    refuses = "Refuses as well where packages are symbolic links into the cache (`UV_LINK_MODE=symlink`)."
    example = (
        "FROM python:3.13-slim\nRUN pip install --no-cache-dir uv\nRUN uv pip install --system flask",
        "uv pip install --no-cache --system flask",
    )

    def check_site(self, site: RunSite, tool: Tool) -> None:
        mode = variable(site.program, site.step, site.facts, "UV_LINK_MODE", tool.invocation)
        if isinstance(mode, Unknown) or mode == "symlink" or "=symlink" in site.body.text:
            raise Refusal("the installed packages are symbolic links into the cache")


class ComposerNoCache(NoCacheRow, Pass):
    """Gives `composer install` and its like the option `--no-cache`.

    Composer keeps every archive that it downloads, beside what it unpacks from it into vendor/.

    Why: nothing at run time reads the cache, which holds a copy of every archive.
    """

    family = "composer"
    refuses = "Refuses as well a Composer older than 1.9, which does not know the option."
    example = (
        "FROM php:8.4-cli\nCOPY --from=composer:2 /usr/bin/composer /usr/bin/composer\nRUN composer install --no-dev",
        "composer install --no-cache --no-dev",
    )
