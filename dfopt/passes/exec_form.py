from __future__ import annotations

from dfopt.analysis.base_entrypoints import cannot_start, words_go_elsewhere
from dfopt.edit import Edit
from dfopt.editing.json_form import json_string, json_style
from dfopt.facts import Facts
from dfopt.findings import Declares, Finding, Fix
from dfopt.knowledge import table
from dfopt.passes.base import Pass
from dfopt.rewrites.instructions import SetValue
from dfopt.syntax.shell.nodes import SimpleCommand

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.ir.program import Program
    from dfopt.ir.shell_body import Body
    from dfopt.ir.stages import Step


class ExecForm(Pass):
    """Writes CMD and ENTRYPOINT in exec form, where the shell form uses nothing of the shell.

    Why: a shell in front of the program is process 1 and gets the signals. `docker stop` then waits ten seconds and
    kills, and the program's own shutdown never runs. (Some shells replace themselves by a lone command, others do not.)

    Example:

    ```dockerfile
    FROM python:3.13-slim
    CMD gunicorn --bind 0.0.0.0:8000 app:app
    ```

    ```dockerfile
    FROM python:3.13-slim
    CMD ["gunicorn", "--bind", "0.0.0.0:8000", "app:app"]
    ```

    Refuses: variables, globs, several commands, redirects, assignments, built-ins and all else that needs a shell; a
    CMD whose words an ENTRYPOINT would get as its arguments (but for inits such as tini), or where that is not known of
    the base image; an ENTRYPOINT beside a CMD; a script of which it is not known that it has a `#!` line. Does nothing
    where the file sets SHELL, or in a stage that reaches no image. `exec` in front is left out.

    Declares: the instruction's words. `unsafe`: the image's config changes, the program becomes process 1 (with a
    shell's default handling of signals gone), and arguments of `docker run` reach an ENTRYPOINT.
    """

    name = "exec-form"
    group = "correct"
    tiers = ("unsafe",)
    phase = "repair"
    codes = ("DL3025", "JSONArgsRecommended")
    triggers = ("cmd", "entrypoint")
    order = 62
    declares = Declares(settings=("Cmd", "Entrypoint"))

    def find(self, program: Program, facts: Facts) -> Iterator[Finding]:
        for stage in program.stages:
            last = {step.node.keyword: step for step in stage.steps}
            for step in stage.steps:
                node = step.node
                if node.keyword not in ("CMD", "ENTRYPOINT") or node.form != "shell" or last[node.keyword] is not step:
                    continue
                if stage.index in program.shipped() and not program.scope(step).shell_set:
                    yield self.check(program, step, facts)

    def check(self, program: Program, step: Step, facts: Facts) -> Finding:
        node = step.node
        body = program.body(step)
        message = f"{node.keyword} in exec form: no shell stands between the engine and the program"
        words = _words(body)
        if isinstance(words, str):
            return Finding(self.name, message, node.start, node.end, None, words)
        start = words[0][1]
        reason = words_go_elsewhere(program, step, facts) or cannot_start(program, step, start, facts)
        if reason:
            return Finding(self.name, message, node.start, node.end, None, reason)
        edits = _edits(program, body, words)
        if edits is None:
            return Finding(self.name, message, node.start, node.end, None, "the words cannot be written as JSON")
        values = tuple([value for _, value in words])
        fix = Fix(tuple(edits), (SetValue(step.index, node.keyword, ("json", "", values)),), "unsafe")
        return Finding(self.name, message, node.start, node.end, fix)


def _words(body: Body) -> list[tuple[int, str]] | str:
    """The words that the shell would start, each with its index in the command; or why a shell is needed."""
    if body.program is None:
        return "this is no JSON array, though it looks like one" if body.text.startswith("[") else body.why
    if body.text.startswith("["):
        return "this is no JSON array, though it looks like one: the shell gets it as a command"
    script = body.program.script
    command = script.items[0].command if len(script.items) == 1 and script.items[0].terminator == "" else None
    if script.comments:
        return "a comment of the shell stands in it"
    if not isinstance(command, SimpleCommand):
        return "it is more than one plain command"
    if command.assignments or command.redirects or not command.words:
        return "it sets a variable or redirects"
    words: list[tuple[int, str]] = []
    for index, word in enumerate(command.words):
        if word.value is None:
            return f"the shell expands `{body.text[word.start : word.end]}`"
        words.append((index, word.value))
    if words[0][1] == "exec" and len(words) > 1 and not words[1][1].startswith("-"):
        del words[0]
    shells = table("shells")
    name = words[0][1]
    if name in shells["leaks"] or name in shells["harmless"]["names"] or name == "":
        return f"{name} is a built-in of the shell"
    return words


def _edits(program: Program, body: Body, words: list[tuple[int, str]]) -> list[Edit] | None:
    """Each word becomes a string at its place; what stands between them stays, so that lines and comments do."""
    assert body.program is not None
    command = body.program.script.items[0].command
    assert isinstance(command, SimpleCommand)
    style = json_style(program)
    edits: list[Edit] = []
    at = body.span(command.words[0].start, command.words[0].end)[0]
    for position, (index, value) in enumerate(words):
        word = command.words[index]
        string = json_string(value)
        if string is None:
            return None
        start, end = body.span(word.start, word.end)
        opening = f"[{style.edge}" if position == 0 else ""
        close = f"{style.edge}]" if position == len(words) - 1 else ","
        following = program.text[end : end + 1]
        if close == "," and not style.gap and following in (" ", "\t") and index + 1 < len(command.words):
            close_end = body.span(command.words[index + 1].start, command.words[index + 1].end)[0]
            if "\n" not in program.text[end:close_end]:
                end = close_end
        edits.append(Edit(at if position == 0 else start, end, f"{opening}{string}{close}"))
    return edits
