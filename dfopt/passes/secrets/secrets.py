from __future__ import annotations

from dfopt.analysis.secrets import may_hold_shapes, secret_file, secret_name, secret_value, shapes, urls
from dfopt.facts import Facts
from dfopt.findings import Finding
from dfopt.lazy import regex
from dfopt.passes.base import Pass
from dfopt.passes.secrets.secret_mounts import argument_mount, argument_of, file_mount, secret_id

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.ir.program import Program
    from dfopt.ir.stages import Stage, Step
    from dfopt.syntax.tree import Instruction, Pair

_CHPASSWD = regex(r"echo\s+(?:-\w{1,20}\s{1,20}){0,20}[\"']?[\w-]+:[^\s\"'$|]+[\"']?\s*\|\s*(?:sudo\s+)?chpasswd\b")
_ENV_SECRETS = (1, 10)


class Secrets(Pass):
    """Finds secrets that stay in the image or its history: passwords and tokens in ENV and ARG (by name and by the
    shape of the value), key files in COPY and ADD, credentials in URLs, fixed passwords for `chpasswd`.

    Where a build argument serves one RUN and nothing else, the rewrite turns it into a secret mount, which reaches
    neither a layer nor the history. The build is then started with `--secret id=NAME,env=NAME` in place of
    `--build-arg`. A key file that is copied, used by one RUN and deleted again is mounted for that RUN instead, and
    given by `--secret id=NAME,src=FILE`. Everything else is a suggestion: what to put in its place is not written in
    the file.

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
    named; a key file that several steps may read, that a step changes, or that other copies may bring again.

    Declares: ARG or COPY goes, the RUN gains a mount, and the command that deletes the file goes. `unsafe`: the build
    must be given the secret in another way.
    """

    name = "secrets"
    group = "security"
    tiers = ("unsafe",)
    phase = "repair"
    codes = ("SecretsUsedInArgOrEnv", "DL3064", "CIS-DI-0010", "DS-0031", "CKV2_DOCKER_17")
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
                            yield self.copied(program, stage, step, argument.value, start, end)
                yield from self.in_text(program, step, step.node)

    def copied(self, program: Program, stage: Stage, step: Step, name: str, start: int, end: int) -> Finding:
        """The finding of a key file that a COPY or ADD brings."""
        fix, reason = file_mount(program, stage, step, self.shared["engine"])
        if fix is not None:
            id, source = secret_id(name), name.removeprefix("/")
            message = f"mount {name} for the step that needs it (--secret id={id},src={source}): no layer holds it then"
            return Finding(self.name, message, start, end, fix)
        message = f"{name} stays in a layer, even where a later step deletes it"
        message += "" if reason else ": mount it for the step that needs it (RUN --mount=type=secret)"
        return Finding(self.name, message, start, end, None, reason)

    def in_pair(self, program: Program, stage: Stage, step: Step, pair: Pair) -> Finding | None:
        keyword = step.effective.keyword
        if keyword == "ENV":
            if not secret_value(pair.value or ""):
                used = argument_of(program, step, pair.value or "")
                if not used:
                    return None
                return self.named(step.effective, pair, f"keeps the build argument {used} in the image")
            return self.named(step.effective, pair, "is in the environment of the image, for everybody to read")
        if pair.value is not None:
            if secret_value(pair.value):
                return self.named(step.effective, pair, "stands in the file and in the image's history")
            return None
        finding = self.named(step.effective, pair, "is a build argument: its value stays in the image's history")
        fix, reason = argument_mount(program, stage, step, pair)
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
                used = argument_of(program, step, secret) if step is not None else ""
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


def _in_comment(node: Instruction, at: int) -> bool:
    return any(comment.start <= at < comment.end for comment in node.comments)
