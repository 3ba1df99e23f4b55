from __future__ import annotations

import re

from dfopt.edit import Edit
from dfopt.ir.rewrite import RemoveStep, SetFlags
from dfopt.lazy import regex
from dfopt.passes._layout import line_start
from dfopt.passes._runs import run_text
from dfopt.passes._secrets import may_hold_shapes, secret_file, secret_name, secret_value, shapes, urls
from dfopt.passes.base import Facts, Finding, Fix, Pass
from dfopt.syntax.directives import syntax_level
from dfopt.syntax.expand import ExpansionError, variables
from dfopt.syntax.shell.nodes import Parameter
from dfopt.syntax.shell.walk import iter_nodes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.ir.program import Program, Stage, Step
    from dfopt.syntax.tree import Instruction, Pair

_CHPASSWD = regex(r"echo\s+(?:-\w+\s+)*[\"']?[\w-]+:[^\s\"'$|]+[\"']?\s*\|\s*(?:sudo\s+)?chpasswd\b")
_ENV_SECRETS = (1, 10)


class Secrets(Pass):
    """Finds secrets that stay in the image or its history: passwords and tokens in ENV and ARG (by name and by the
    shape of the value), key files in COPY and ADD, credentials in URLs, fixed passwords for `chpasswd`.

    Where a build argument serves one RUN and nothing else, the rewrite turns it into a secret mount, which reaches
    neither a layer nor the history. The build is then started with `--secret id=NAME,env=NAME` in place of
    `--build-arg`. Everything else is a suggestion: what to put in its place is not written in the file.

    Why: whoever can pull the image can read its history, its environment, and every file of every layer, deleted ones
    too.

    Example:

    ```dockerfile
    # syntax=docker/dockerfile:1
    FROM node:22
    COPY . .
    ARG NPM_TOKEN
    RUN npm config set //npm.example.com/:_authToken $NPM_TOKEN && npm ci
    ```

    ```dockerfile
    # syntax=docker/dockerfile:1
    FROM node:22
    COPY . .
    RUN --mount=type=secret,id=NPM_TOKEN,env=NPM_TOKEN npm config set //npm.example.com/:_authToken $NPM_TOKEN && npm ci
    ```

    Refuses: a build argument with a default, one that several instructions use, or a text for a later program
    (`'${NPM_TOKEN}'` in quotes); a Dockerfile syntax before 1.10, which has no `env=` for secrets, or none that is
    named.

    Declares: ARG goes, and the RUN gains a mount. `unsafe`: the build must be given the secret in another way.
    """

    name = "secrets"
    group = "security"
    codes = ("SecretsUsedInArgOrEnv", "CIS-DI-0010", "DS-0031", "AVD-DS-0031", "CKV2_DOCKER_17")
    order = 12
    shapes = True  # whether the file at hand may hold tokens of a known shape

    def find(self, program: Program, facts: Facts) -> Iterator[Finding]:
        self.shapes = may_hold_shapes(program.text)
        for node in program.meta:
            for pair in node.pairs:
                if pair.value is not None and secret_name(pair.name) and secret_value(pair.value):
                    yield self.named(node, pair, "stands in the file for everybody to read")
            yield from self.in_text(program, None, node)
        for stage in program.stages:
            for step in stage.steps:
                node = step.effective
                if node.keyword in ("ARG", "ENV"):
                    for pair in node.pairs:
                        if secret_name(pair.name):
                            finding = self.in_pair(program, stage, step, pair)
                            if finding is not None:
                                yield finding
                elif node.keyword in ("COPY", "ADD") and node.flag("from") is None:
                    for argument in node.arguments[:-1]:
                        if secret_file(argument.value.strip("\"'"), facts):
                            start, end = node.joined.span(argument.at, argument.stop)
                            message = (
                                f"{argument.value} stays in a layer, even where a later step deletes it: "
                                "mount it for the step that needs it (RUN --mount=type=secret)"
                            )
                            yield Finding(self.name, message, start, end)
                yield from self.in_text(program, step, step.node)

    def in_pair(self, program: Program, stage: Stage, step: Step, pair: Pair) -> Finding | None:
        keyword = step.effective.keyword
        if keyword == "ENV":
            if not secret_value(pair.value or ""):
                used = _argument(program, step, pair.value or "")
                if not used:
                    return None
                return self.named(step.effective, pair, f"keeps the build argument {used} in the image")
            return self.named(step.effective, pair, "is in the environment of the image, for everybody to read")
        if pair.value is not None:
            if secret_value(pair.value):
                return self.named(step.effective, pair, "stands in the file and in the image's history")
            return None
        finding = self.named(step.effective, pair, "is a build argument: its value stays in the image's history")
        fix, reason = self.mounted(program, stage, step, pair)
        if fix is not None:
            message = f"pass {pair.name} as a secret (--secret id={pair.name},env={pair.name}), which leaves no trace"
            return Finding(self.name, message, finding.start, finding.end, fix)
        return Finding(self.name, finding.message, finding.start, finding.end, None, reason)

    def in_text(self, program: Program, step: Step | None, node: Instruction) -> Iterator[Finding]:
        """Tokens by shape and URLs with credentials, in the whole text of an instruction, heredocs included."""
        text = program.text
        for what, start, end in shapes(text, node.start, node.end) if self.shapes else ():
            if not _in_comment(node, start):
                yield Finding(self.name, f"{what} stands in the file and in the image", start, end)
        for secret, host, start, end in urls(text, node.start, node.end):
            if _in_comment(node, start):
                continue
            if "$" in secret:
                used = _argument(program, step, secret) if step is not None else ""
                if used and not secret_name(used) and "user" not in used.lower():
                    message = f"the build argument {used} is a password for {host}: its value stays in the history"
                    yield Finding(self.name, message, start, end)
            else:
                yield Finding(self.name, f"credentials for {host} stand in a URL", start, end)
        if step is not None and step.effective.keyword == "RUN" and "chpasswd" in text[node.start : node.end]:
            match = _CHPASSWD.search(node.joined.text)
            if match is not None:
                start, end = node.joined.span(match.start(), match.end())
                yield Finding(self.name, "a fixed password: every container of the image has it", start, end)

    def named(self, node: Instruction, pair: Pair, what: str) -> Finding:
        start, end = node.joined.span(pair.at, pair.stop)
        return Finding(self.name, f"{pair.name} {what}", start, end)

    def mounted(self, program: Program, stage: Stage, step: Step, pair: Pair) -> tuple[Fix | None, str]:
        """The fix that turns `ARG NAME` into a secret mount of the one RUN that uses it; else why there is none."""
        node, name = step.node, pair.name
        if node.keyword == "ONBUILD" or len(node.pairs) != 1:
            return None, "it is declared behind ONBUILD" if node.keyword == "ONBUILD" else "the ARG declares several"
        word = re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")
        if any(word.search(meta.joined.text) for meta in program.meta):
            return None, f"{name} is a build argument before the first FROM too"
        later = [one for one in stage.steps if one.index > step.index and word.search(run_text(program, one))]
        others = [
            one for child in program.children(stage) for one in child.steps if word.search(run_text(program, one))
        ]
        if others:
            return None, f"line {others[0].node.line}, in a stage built on this one, uses it too"
        if len(later) != 1:
            if not later:
                return None, "no instruction names it: which step reads it is not known"
            return None, f"lines {', '.join(str(one.node.line) for one in later)} use it"
        user = later[0]
        run = user.node
        if run.keyword != "RUN":
            return None, f"line {run.line} ({run.keyword}) uses it, and mounts are for RUN"
        body = program.body(user)
        if body.program is None:
            return None, body.why
        inner = [one for one in iter_nodes(body.program.script) if isinstance(one, Parameter) and one.name == name]
        if len(inner) != len(word.findall(run_text(program, user))):
            return None, f"line {run.line} names it in a text that a later program may expand"
        level = syntax_level(program.dockerfile.directive("syntax"))
        if level is None or level < _ENV_SECRETS:
            return None, "secrets as variables need `# syntax=docker/dockerfile:1` (1.10 or newer)"
        value = f"type=secret,id={name},env={name}"
        flags = (("mount", value), *[(flag.name, flag.value) for flag in run.flags])
        first = run.flags[0].at if run.flags else run.at
        at = run.joined.source(first)
        end = program.text.find("\n", node.end) + 1
        if not end:
            return None, "the ARG is the file's last instruction"
        edits = (Edit(line_start(program.text, node.start), end, ""), Edit(at, at, f"--mount={value} "))
        return Fix(edits, (RemoveStep(step.index), SetFlags(user.index, flags)), "unsafe"), ""


def _in_comment(node: Instruction, at: int) -> bool:
    return any(comment.start <= at < comment.end for comment in node.comments)


def _argument(program: Program, step: Step | None, value: str) -> str:
    """The build argument that a value takes its secret from; "" where it takes it from none."""
    if step is None or "$" not in value:
        return ""
    scope = program.scope(step)
    try:
        names = [use.name for use in variables(value, program.dockerfile.escape)]
    except ExpansionError:
        return ""
    return next((name for name in names if name in scope.args and name not in scope.env), "")
