from __future__ import annotations

import re

from dfopt.analysis.cache_readers import empties_cache, is_mounted
from dfopt.analysis.index_at_start import index_reader_at_start
from dfopt.analysis.package_managers import option_edit, tools
from dfopt.analysis.run_steps import edit_obstacle
from dfopt.edit import Edit
from dfopt.editing.chain_edits import remove_command
from dfopt.editing.layout import line_end, line_start
from dfopt.findings import Finding, Fix
from dfopt.ir.commands import SUBSTITUTION
from dfopt.passes.base import Pass
from dfopt.passes.package_caches.apk_index import alpine_release, fetches_index, later_index_reader
from dfopt.passes.package_caches.engine import PackageCache
from dfopt.refusal import Refusal
from dfopt.rewrites.instructions import RemoveStep

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.analysis.run_steps import RunSite
    from dfopt.ir.program import Program
    from dfopt.ir.stages import Step
    from dfopt.rewrites.base import Rewrite


class ApkNoCache(PackageCache, Pass):
    """Gives `apk add` and `apk upgrade` the option `--no-cache`, and removes the `apk update` that it replaces.

    apk keeps the index of every repository, 2 to 3 MB, under /var/cache/apk. With `--no-cache` each command fetches the
    index for itself and leaves nothing.

    Why: nothing at run time reads the index, and it is out of date within days.

    Example:

    ```dockerfile
    FROM alpine:3.22
    RUN apk update && apk add curl
    ```

    ```dockerfile
    FROM alpine:3.22
    RUN apk add --no-cache curl
    ```

    Refuses: Alpine before 3.3, whose apk does not know the option; where a later step needs the index and does not
    fetch it (before Alpine 3.8, and where the release is not known); ONBUILD; an apk in the string of `sh -c`. Does
    nothing where the RUN deletes /var/cache/apk, where a mount covers it, or with `--cache-dir`. Where a later step of
    such a stage runs an opaque command, the fix is `unsafe`.

    Declares: each command gains one word after its subcommand; the `apk update` of the same RUN goes, and a RUN that
    is only an `apk update` goes with it.
    """

    family = "apk"
    suffix = "no-cache"
    codes = ("DL3019", "DS-0025", "DKL-DI-0004")
    order = 35
    cache_name = "apk's index"

    def check(self, site: RunSite) -> Finding | None:
        program, stage, position, step = site.program, site.stage, site.position, site.step
        node, body = step.node, program.body(step)
        if body.program is None:
            if (
                re.search(r"\bapk\s+(?:-\S{1,99}\s{1,20}){0,20}(?:add|update|upgrade)\b", body.text)
                and "--no-cache" not in body.text
            ):
                raise Refusal(body.why)
            return None
        managers = [tool for tool in tools(program, step) if tool.family == "apk"]
        readers = [tool for tool in managers if fetches_index(tool)]
        updates = [tool for tool in managers if tool.does.get("refreshes")]
        if not readers and not updates:
            return None
        last = max([*readers, *updates], key=lambda tool: tool.start)
        if empties_cache(body, managers, last) or is_mounted(
            program, step, ("/var/cache/apk", "/etc/apk/cache"), "apk"
        ):
            return None
        uncached = [tool for tool in readers if not tool.given("no-cache") and not tool.given("offline")]
        if not uncached and not updates:
            return None
        hidden = any(tool.invocation.nested or tool.invocation.where == SUBSTITUTION for tool in (*uncached, *updates))
        reason = edit_obstacle(step, body, not hidden, "apk")
        if reason:
            raise Refusal(reason)
        release = alpine_release(program, step)
        if release is not None and release < (3, 3):
            raise Refusal(f"the apk of Alpine {release[0]}.{release[1]} has no --no-cache")
        edits: list[Edit] = []
        rewrites: list[Rewrite] = []
        for tool in uncached:
            edit, words = option_edit(step, body, tool, "--no-cache")
            edits.append(edit)
            rewrites.append(words)
        message, tier = "keep apk's index out of the layer: --no-cache", "safe"
        if updates:
            reader = opaque = None
            starting = ""
            if (release or (0, 0)) < (3, 8):
                reader, opaque = later_index_reader(program, stage, position)
                starting = index_reader_at_start(program, site.facts, stage, "apk")
                if any(effect.kind == "opaque" and effect.at > updates[0].end for effect in program.effects(step)):
                    opaque = step
            if reader is not None:
                raise Refusal(f"line {reader.node.line} needs the index and does not fetch it")
            if starting:
                raise Refusal(f"the image runs `{starting}` when it starts, and needs the index")
            items = body.program.script.items
            if len(managers) == 1 and len(items) == 1 and items[0].command is managers[0].invocation.node:
                return self.alone(program, step, opaque)
            if any(tool.given("offline") for tool in managers):
                raise Refusal("an apk without network needs the index")
            for tool in updates:
                removed = remove_command(program, step, body, tool.invocation.node)
                if removed is None or tool.invocation.node.redirects:
                    raise Refusal("`apk update` cannot be removed without its neighbours")
                edits += removed[0]
                rewrites.append(removed[1])
            message = "keep apk's index out of the layer: --no-cache in place of apk update"
            if opaque is not None:
                tier = "unsafe"
                message += f" (line {opaque.node.line} runs an opaque command, which might use the index)"
        return Finding(self.name, message, node.start, node.end, Fix(tuple(edits), tuple(rewrites), tier))

    def alone(self, program: Program, step: Step, opaque: Step | None) -> Finding:
        """A RUN that is an `apk update` and nothing else."""
        node, text = step.node, program.text
        if node.above or node.comments:
            raise Refusal("a comment documents this instruction")
        start, end = line_start(text, node.start), line_end(text, node.end)
        end = text.find("\n", end) + 1 or len(text)
        if end == len(text) and not text.endswith("\n"):
            start = max(0, start - (2 if text[start - 2 : start] == "\r\n" else 1))  # no newline is left over
        message, tier = "nothing after it needs this index: every apk command fetches its own", "safe"
        if opaque is not None:
            tier = "unsafe"
            message += f" (but line {opaque.node.line} runs an opaque command)"
        fix = Fix((Edit(start, end, ""),), (RemoveStep(step.index),), tier)
        return Finding(self.name, message, node.start, node.end, fix)
