from __future__ import annotations

import re

from dfopt.findings import Declares
from dfopt.passes.base import STAGES, Pass
from dfopt.passes.package_caches.clean_after import CleanAfter
from dfopt.refusal import Refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.analysis.package_managers import Tool
    from dfopt.facts import Facts
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage, Step


class GemCleanup(CleanAfter, Pass):
    """Removes the archives of gems that `gem install` and `bundle install` unpacked, in the layer that downloaded them.

    Both keep the .gem file of every gem in the directory cache/ beside the unpacked ones. This pass appends an `rm -f`
    of those files, in the RUN's own style; where they are, it asks RubyGems itself: `gem env gemdir`, behind `bundle
    exec` for a bundle.

    Why: nothing but `gem pristine` reads the archives. Measured: the layer gets smaller by their size to the byte, with
    a gem of the system, with a bundle among those, and with one under vendor/bundle.

    Example:

    ```dockerfile
    FROM ruby:3.4-slim
    COPY Gemfile Gemfile.lock ./
    RUN bundle install
    ```

    ```dockerfile
    FROM ruby:3.4-slim
    COPY Gemfile Gemfile.lock ./
    RUN bundle install && rm -f "$(bundle exec gem env gemdir)"/cache/*.gem
    ```

    Refuses: where a later step uses the archives (`gem pristine`, `--local`, their path, a copy of them); sudo; a `cd`
    behind the installation of a bundle; where it runs on a condition only, in a shell of its own, or Ruby is taken away
    by the end of the RUN; a background job or a comment at the end; a heredoc script that is not under `set -e`;
    ONBUILD. Does nothing where the RUN cleans up in any spelling, where a cache mount holds the archives, and with
    `--install-dir` or `--gemfile`.

    Declares: the RUN gains one command at its end.
    """

    name = "gem-cleanup"
    group = "size"
    phase = "caches"
    triggers = ("gem", "bundle")
    order = 32
    options = (STAGES,)
    family = "gem"
    words = ("gem", "bundle")
    pattern = r"\b(?:gem|bundle)\s+install\b"
    what = "RubyGems' cache"
    homes = ("ruby", "bin/gem", "bin/bundle")
    declares = Declares(caches=("gem",))

    def command(self, program: Program, stage: Stage, position: int, tool: Tool) -> tuple[str, ...]:
        gem = "bundle exec gem" if tool.one.program != "gem" else tool.one.path
        return ("rm", "-f", f'"$({gem} env gemdir)"/cache/*.gem')

    def veto(self, program: Program, facts: Facts, stage: Stage, position: int, step: Step, tool: Tool) -> None:
        if tool.one.wrappers:
            raise Refusal("under another user, the directory of the gems is not known")
        tail = program.body(step).text[tool.end :]
        if tool.one.program != "gem" and (tool.one.where != "top" or re.search(r"\b(?:cd|pushd|popd)\b", tail)):
            raise Refusal("the RUN ends in another directory than the bundle's")
