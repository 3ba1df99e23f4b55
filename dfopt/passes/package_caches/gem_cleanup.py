from __future__ import annotations

import re

from dfopt.ir.commands import TOP
from dfopt.passes.base import Pass
from dfopt.passes.package_caches.engine import CleanupRow
from dfopt.refusal import Refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.analysis.package_managers import Tool
    from dfopt.analysis.run_steps import RunSite


class GemCleanup(CleanupRow, Pass):
    """Removes the archives of gems that `gem install` and `bundle install` unpacked, in the layer that downloaded them.

    Both keep the .gem file of every gem in the directory cache/ beside the unpacked ones. This pass appends an `rm -f`
    of those files, in the RUN's own style; where they are, it asks RubyGems itself: `gem env gemdir`, after `bundle
    exec` for a bundle.

    Why: nothing but `gem pristine` reads the archives. Measured: the layer gets smaller by their size to the byte, with
    a gem of the system, with a bundle among those, and with one under vendor/bundle.
    """

    family = "gem"
    words = ("gem", "bundle")
    cache_name = "RubyGems' cache"
    own_paths = ("ruby", "bin/gem", "bin/bundle")
    refuses = "Refuses as well a later `gem pristine`, sudo, and a `cd` after the installation of a bundle."
    example = (
        "FROM ruby:3.4-slim\nCOPY Gemfile Gemfile.lock ./\nRUN bundle install",
        'rm -f "$(bundle exec gem env gemdir)"/cache/*.gem',
    )

    def command(self, site: RunSite, tool: Tool) -> tuple[str, ...]:
        gem = "bundle exec gem" if tool.invocation.program != "gem" else tool.invocation.path
        return ("rm", "-f", f'"$({gem} env gemdir)"/cache/*.gem')

    def check_site(self, site: RunSite, tool: Tool) -> None:
        if tool.invocation.wrappers:
            raise Refusal("under another user, the directory of the gems is not known")
        tail = site.body.text[tool.end :]
        if tool.invocation.program != "gem" and (
            tool.invocation.where != TOP or re.search(r"\b(?:cd|pushd|popd)\b", tail)
        ):
            raise Refusal("the RUN ends in another directory than the bundle's")
