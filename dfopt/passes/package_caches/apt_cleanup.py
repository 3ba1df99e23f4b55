from __future__ import annotations

import re

from dfopt.analysis.apt_index import LISTS, only_updates
from dfopt.analysis.cache_readers import index_reader, is_mounted
from dfopt.analysis.child_images import index_reader_outside
from dfopt.analysis.index_at_start import index_reader_at_start
from dfopt.cost import SOURCE, mends
from dfopt.findings import Benefit, Declares, Finding, Fix
from dfopt.ir.commands import SUBSTITUTION
from dfopt.ir.effects import manager, subcommand
from dfopt.passes.base import Pass
from dfopt.passes.package_caches.cleanup_command import append_cleanup
from dfopt.passes.package_caches.engine import PackageCache
from dfopt.passes.package_caches.index_renewal import hidden_reader, renewal
from dfopt.refusal import Refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.analysis.run_steps import RunSite
    from dfopt.ir.commands import Invocation

_CLEANUP = ("rm", "-rf", f"{LISTS}/*")


class AptCleanup(PackageCache, Pass):
    """Removes apt's package index in the layer that downloaded it.

    `apt-get update` leaves 20 to 50 MB under /var/lib/apt/lists. A later RUN cannot take them back: they stay in the
    layer. This pass appends `rm -rf /var/lib/apt/lists/*` to the RUN that refreshed the index, in that RUN's own style.
    A later RUN that installs from that index gains an `apt-get update` of its own.

    Why: nothing at run time reads the index, and it is out of date within days.

    Example:

    ```dockerfile
    FROM debian:13-slim
    RUN apt-get update && apt-get install -y curl
    ```

    ```dockerfile
    FROM debian:13-slim
    RUN apt-get update && apt-get install -y curl && rm -rf /var/lib/apt/lists/*
    ```

    Refuses: where a later step of this stage reads the index without refreshing it, and cannot fetch it anew as it is
    (a step between may change the package sources, or the installation runs on a condition), or where a step of a stage
    built FROM it does, or a step of another file in the tree whose FROM may mean this image by the name of the file or
    of its directory, or the image itself when it starts (CMD, ENTRYPOINT, and their scripts in the build context); a
    background job or a comment at the end; a heredoc script that is not under `set -e`; ONBUILD. Does nothing where the
    RUN cleans up in any spelling, or where a cache mount holds the index. Where a later step runs an opaque script, the
    fix is `unsafe`, also where it would keep the index that a later RUN fetches for itself. An image that is built on
    this one elsewhere, or under another name, is not seen: one that installs needs an `apt-get update` of its own.

    Declares: the RUN gains one command at its end; a RUN that installs from its index gains one in front of its first
    apt command.
    """

    family = "apt"
    suffix = "cleanup"
    codes = ("DL3009", "DKL-DI-0005")
    order = 30
    cache_name = "apt's package index"
    declares = Declares(paths=("/var/lib/apt/lists/**",))

    def check(self, site: RunSite) -> Finding | None:
        program, step, body = site.program, site.step, site.body
        if body.program is None:
            if (
                re.search(r"\bapt(-get|itude)?\s+(?:\S{1,99}\s{1,20}){0,20}update\b", body.text)
                and LISTS not in body.text
            ):
                raise Refusal(body.why)
            return None
        invocations = list(program.commands(step).invocations)
        refresh = _last_refresh(invocations)
        if refresh is None or _cleans(body.text, invocations, refresh) or is_mounted(program, step, (LISTS,)):
            return None
        reader, opaque = index_reader(program, site.stage, site.position, "apt")
        if only_updates(program, step):  # update-with-install moves it, or takes the whole RUN out
            if reader is not None:
                raise Refusal(f"line {reader.node.line} installs from it", "run update-with-install too")
            if not (step.node.above or step.node.comments):
                return None
        edits, rewrites = zip(append_cleanup(site, refresh, _CLEANUP), *renewal(site, reader), strict=True)
        opaque = opaque or hidden_reader(site, reader, _CLEANUP)
        call = index_reader_at_start(program, site.facts, site.stage, "apt")
        if call:
            raise Refusal(f"the image runs `{call}` when it starts, and needs the index", "run `apt-get update` there")
        outside = index_reader_outside(program, site.facts, site.stage, "apt")
        if outside:
            raise Refusal(
                f"{outside} may be built on this image, and installs without refreshing the index",
                "give that file an `apt-get update` of its own",
            )
        message, tier = "delete apt's package index in the layer that downloaded it", "safe"
        if reader is not None:
            message += f"; line {reader.node.line} fetches its own"
        if opaque:
            tier = "unsafe"
            message += f" (line {opaque.node.line} runs an opaque command, which might use the index)"
        # what is fetched again is deleted where that is, which is then a fix of its own
        benefit = Benefit(mends=mends("update-with-install"), source=SOURCE) if reader is not None else None
        return Finding(self.name, message, step.node.start, step.node.end, Fix(edits, rewrites, tier), benefit=benefit)


def _last_refresh(invocations: list[Invocation]) -> Invocation | None:
    """The last command that downloads the index."""
    result = None
    for invocation in invocations:
        facts = manager(invocation.program)
        if (
            facts is not None
            and facts["family"] == "apt"
            and invocation.where != SUBSTITUTION
            and not invocation.nested
        ):
            name, _ = subcommand(invocation, facts)
            if name is not None and facts["commands"].get(name, {}).get("refreshes"):
                result = invocation
    return result


def _cleans(text: str, invocations: list[Invocation], refresh: Invocation) -> bool:
    """Whether the step already deletes the index after the refresh, in any spelling."""
    tail = text[refresh.node.end :]
    if re.search(r"apt/lists|lib/apt(?=[\s/*;&|)}]|$)|/var/lib/\{[^}]{0,200}apt|/var/lib/apt\b(?!/)", tail):
        return any(word in tail for word in ("rm ", "find ", "rmdir", "truncate", "unlink", "mv "))
    for invocation in invocations:
        if invocation.node.start > refresh.node.start:
            facts = manager(invocation.program)
            if facts is not None and facts["family"] == "apt":
                name, _ = subcommand(invocation, facts)
                if name is not None and "index" in facts["commands"].get(name, {}).get("cleans", ()):
                    return True
            if invocation.program == "rm" and any(
                value in ("/var/lib/*", "/var/lib", "/var/*") for value in invocation.values
            ):
                return True
    return False
