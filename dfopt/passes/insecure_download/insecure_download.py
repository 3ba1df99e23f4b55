from __future__ import annotations

import re

from dfopt.analysis.package_managers import tools
from dfopt.analysis.run_steps import invocations, span_in_file
from dfopt.facts import Facts
from dfopt.findings import Finding
from dfopt.knowledge import table
from dfopt.lazy import regex
from dfopt.passes.base import Pass
from dfopt.passes.insecure_download.options import WORDS, assigned, suspect, turns_off, unchecked
from dfopt.syntax.expand import Unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from dfopt.ir.program import Program

_LOCAL = regex(r"https?://(?:localhost|127\.|\[::1\])")
_TRUSTED = regex(r"\bdeb(?:-src)?\s+\[[^\]]{0,400}\btrusted\s*=\s*yes\b[^\]]{0,400}\]\s*(?!file:|copy:)\S")
_KEYS = regex(r"\bapt-key\s+add\b|\bgpg\b[^|;&]{0,400}--(?:dearmor|import|fetch-keys)|\brpm\s+--import\b")


class InsecureDownload(Pass):
    """Reports downloads whose origin is not checked: `curl -k`, `wget --no-check-certificate`, `pip --trusted-host`,
    `apt-get --allow-unauthenticated`, `apk --allow-untrusted`, `dnf --nogpgcheck`, `[trusted=yes]`, settings such as
    `strict-ssl false`, variables such as NODE_TLS_REJECT_UNAUTHORIZED=0, and signing keys over plain http.

    A suggestion: without the option a download from a server with a certificate of its own fails, and which
    certificate to trust is not written in the file.

    Why: without the check, anyone on the way to the server can put another file in place of the one that is wanted.
    An ENV that turns it off does so in every container of the image, too.

    Example:

    ```dockerfile
    FROM debian:13
    RUN curl -k -O https://example.com/tool
    ENV NODE_TLS_REJECT_UNAUTHORIZED=0
    ```

    Refuses: nothing; it changes nothing. A download from the machine itself (localhost) is left alone.

    Declares: nothing.
    """

    name = "insecure-download"
    group = "security"
    tiers = ()
    phase = "repair"
    triggers = (*WORDS, "curl", "apt-key", "dearmor", "--import", "--fetch-keys")
    codes = (
        "CKV2_DOCKER_2", "CKV2_DOCKER_3", "CKV2_DOCKER_4", "CKV2_DOCKER_5", "CKV2_DOCKER_6", "CKV2_DOCKER_7",
        "CKV2_DOCKER_8", "CKV2_DOCKER_9", "CKV2_DOCKER_10", "CKV2_DOCKER_11", "CKV2_DOCKER_12", "CKV2_DOCKER_13",
        "CKV2_DOCKER_14", "CKV2_DOCKER_15", "CKV2_DOCKER_16", "CIS-DI-0011",
    )  # fmt: skip
    order = 91

    def find(self, program: Program, facts: Facts) -> Iterator[Finding]:
        found = [*self.in_variables(program), *self.in_commands(program), *self.in_texts(program)]
        yield from sorted(found, key=lambda one: one.start)

    def in_variables(self, program: Program) -> Iterator[Finding]:
        for stage in program.stages:
            for step in stage.steps:
                node = step.effective
                if node.keyword in ("ENV", "ARG") and suspect(node.body):
                    scope = program.scope(step)
                    for pair in node.pairs:
                        value = scope.expand(pair.value or "", program.dockerfile.escape)
                        if not isinstance(value, Unknown) and turns_off(pair.name, value):
                            yield self.report(
                                f"{pair.name}={value}", "certificates", *node.joined.span(pair.at, pair.stop)
                            )

    def in_commands(self, program: Program) -> Iterator[Finding]:
        programs: dict[str, Any] = table("insecure")["programs"]
        for step, body, one in invocations(program, suspect):
            span = span_in_file(step, body, one.node.start, one.node.end, one.nested)
            for name, value in assigned(one.node, one):
                if turns_off(name, value):
                    yield self.report(f"{name}={value}", "certificates", *span)
            rule = programs.get(one.program or "")
            if rule is None:
                continue
            word = unchecked(one, rule)
            if word and not _LOCAL.search(body.text, one.node.start, one.node.end):
                yield self.report(f"{one.program} {word}", rule["what"], *span)
        for _, _, step, text in program.run_steps():
            if "trusted-host" in text:
                for tool in tools(program, step):  # `python -m pip`
                    if " -m " in tool.label and tool.family == "pip" and tool.invocation.has_option("--trusted-host"):
                        body = program.body(step)
                        span = span_in_file(step, body, tool.start, tool.end, tool.invocation.nested)
                        yield self.report(f"{tool.label} --trusted-host", programs["pip"]["what"], *span)

    def in_texts(self, program: Program) -> Iterator[Finding]:
        """What only the text of a RUN tells: lines of sources.list, keys over plain http."""
        for _, _, step, text in program.run_steps():
            start, end = step.node.start, step.node.end
            if "trusted" in text and _TRUSTED.search(text):
                yield self.report("[trusted=yes]", "the archive's signature", start, end)
            if "http://" in text and _KEYS.search(text):
                for line in re.split(r"&&|;|\n", text):
                    if _KEYS.search(line) and "http://" in line:
                        message = (
                            "a signing key comes over plain http, where anyone on the way can replace it: use https"
                        )
                        yield Finding(self.name, message, start, end)
                        break

    def report(self, what: str, unchecked: str, start: int, end: int) -> Finding:
        verb = "are" if unchecked.endswith("s") and not unchecked.startswith("the server") else "is"
        return Finding(self.name, f"{what}: {unchecked} {verb} not checked", start, end)
