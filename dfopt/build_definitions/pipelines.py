"""CI definitions: GitHub workflows (docker/build-push-action, `run` steps) and GitLab CI jobs (scripts).

Sources: the inputs in build-push-action's action.yml (v6), GitHub's "Workflow syntax", GitLab's "CI/CD YAML syntax".
"""

from __future__ import annotations

import re
from bisect import bisect_right
from itertools import accumulate

from dfopt.build_definitions.command_line import read_commands
from dfopt.build_definitions.model import MOST_SCRIPT, BuildTarget, DefinitionError, NotLiteral, dockerfile_in, resolved
from dfopt.build_definitions.scripts import BUILDS
from dfopt.build_definitions.yaml_nodes import read_yaml

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.build_definitions.located import LocatedValue
    from dfopt.build_definitions.model import DefinitionTree, Value

_ACTION = re.compile(r"docker/build-push-action(?:@|\Z)")
_DEFAULT_CONTEXT = re.compile(r"\{\{\s*defaultContext\s*\}\}(?::(.+))?\Z")
_EXPRESSION = re.compile(r"\$\{\{.*?(?:\}\}|\Z)", re.S)  # one without an end reaches to the end of the text
_WORKSPACE = re.compile(r"\$\{\{\s*github\.workspace\s*\}\}|\$\{?(?:GITHUB_WORKSPACE|CI_PROJECT_DIR)\b\}?")


def read_github(text: str, file: str, tree: DefinitionTree, root: str) -> list[BuildTarget]:
    """The builds of a workflow; its jobs run at the top of the checkout. Raises DefinitionError."""
    if not BUILDS.search(text):
        return []
    targets: list[BuildTarget] = []
    length = 0
    for document in read_yaml(text, file):
        jobs = document.get("jobs")
        for name, job in jobs.items() if jobs is not None else ():
            steps = job.get("steps")
            top: Value = root
            directory = _working_directory(job) or _working_directory(document)
            for step in steps.sequence() if steps is not None else ():
                uses, inputs, run = (step.get(key) for key in ("uses", "with", "run"))
                length += 20 + len((run.scalar() or "") if run is not None else "")  # each counts a line at least
                _check_length(length, file, step)
                action = (uses.scalar() or "") if uses is not None else ""
                if action.startswith("actions/checkout") and inputs is not None:
                    elsewhere = [key for key in ("path", "repository") if inputs.get(key) is not None]
                    if elsewhere:
                        top = NotLiteral("the job checks out another directory or repository")
                elif _ACTION.match(action):
                    targets.append(_of_action(name, step, inputs, file, top))
                elif run is not None and isinstance(top, str):
                    where = step.get("working-directory") or directory
                    targets += _script(name, run, file, top, where, tree)
    return targets


def _check_length(length: int, file: str, node: LocatedValue) -> None:
    """Raises DefinitionError where aliases repeat commands too often."""
    if length > MOST_SCRIPT:
        raise DefinitionError(f"its commands have more than {MOST_SCRIPT:,} characters", file, node.line, node.column)


def _working_directory(node: LocatedValue) -> LocatedValue | None:
    defaults = node.get("defaults")
    run = defaults.get("run") if defaults is not None else None
    return run.get("working-directory") if run is not None else None


def _of_action(name: str, step: LocatedValue, inputs: LocatedValue | None, file: str, top: Value) -> BuildTarget:
    def value(key: str) -> Value | None:
        node = inputs.get(key) if inputs is not None else None
        text = node.scalar() if node is not None else None
        return None if not text else _literal(text)

    def placed(path: Value) -> Value:
        if isinstance(path, NotLiteral):
            return path
        return top if isinstance(top, NotLiteral) else resolved(top, path)

    written = value("context")
    if isinstance(written, str):
        default = _DEFAULT_CONTEXT.match(written)
        written = (default[1] or ".") if default is not None else written
    context = placed("." if written is None else written)  # without one, Git's: what was checked out
    path = value("file")
    dockerfile = dockerfile_in(context, None) if path is None else placed(path)

    def values(key: str, separator: str = "") -> list[Value]:
        node = inputs.get(key) if inputs is not None else None
        text = (node.scalar() or "") if node is not None else ""
        words = [word.strip() for word in re.split(rf"[{separator}\n]", text)]
        return [_literal(word) for word in words if word]

    pairs = [pair for pair in values("build-contexts") if isinstance(pair, str) and "=" in pair]
    contexts = dict(pair.split("=", 1) for pair in pairs)
    return BuildTarget(
        name, file, step.line, step.column, context, dockerfile, None, value("target"),
        dict(_arguments(inputs.get("build-args") if inputs is not None else None)),
        {key: placed(where) for key, where in contexts.items()}, tuple(values("tags", ",")),
        platforms=tuple(values("platforms", ",")),
    )  # fmt: skip


def _literal(text: str) -> Value:
    """An input, or why it is not known."""
    text = _WORKSPACE.sub(".", text)
    expression = _EXPRESSION.search(text)
    return NotLiteral(f"{expression[0]} is not literal") if expression is not None else text


def _arguments(node: LocatedValue | None) -> Iterator[tuple[str, Value | None]]:
    for line in (node.scalar() or "").split("\n") if node is not None else ():
        name, equals, text = line.strip().partition("=")
        if name and "$" not in name:
            yield name, _literal(text) if equals else None


def _script(
    name: str, node: LocatedValue, file: str, top: str, where: LocatedValue | None, tree: DefinitionTree
) -> Iterator[BuildTarget]:
    text = node.scalar() or ""
    if not BUILDS.search(text):
        return
    directory = _literal(where.scalar() or ".") if where is not None else "."
    text = _WORKSPACE.sub(lambda _: top, text)
    # what the server fills in is a variable of the shell to us
    text = _EXPRESSION.sub("${GITHUB_EXPRESSION}", text)
    if isinstance(directory, NotLiteral):
        text, directory = f"cd $directory; {text}", "."
    base = resolved(top, directory)
    assert isinstance(base, str)
    yield from read_commands(text, file, _first_line(node), (base,), tree, name)


def _first_line(node: LocatedValue) -> int:
    """Where the text of a scalar begins; a block of several lines stands below its indicator."""
    return node.line + ("\n" in (node.scalar() or ""))


_KEYWORDS = frozenset((
    "default", "include", "stages", "variables", "workflow", "image", "services", "cache", "spec", "before_script",
    "after_script",
))  # fmt: skip


def read_gitlab(text: str, file: str, tree: DefinitionTree, root: str) -> list[BuildTarget]:
    """The builds of GitLab CI's jobs; they run at the top of the checkout. Raises DefinitionError."""
    if not BUILDS.search(text):
        return []
    targets: list[BuildTarget] = []
    length = 0
    for document in read_yaml(text, file):
        for name, job in document.items():
            if name in _KEYWORDS:
                continue
            scripts = [job.get("before_script"), job.get("script")]
            lines: list[LocatedValue] = []
            for line in (line for script in scripts if script is not None for line in _script_lines(script, 0)):
                length += 1 + len(line.scalar() or "")
                _check_length(length, file, job)
                lines.append(line)
            if not any(BUILDS.search(line.scalar() or "") for line in lines):
                continue
            # the lines of a job are one script; each is placed by itself
            texts = [_WORKSPACE.sub(lambda _: root, line.scalar() or "").rstrip("\n") + "\n" for line in lines]
            starts = list(accumulate((text.count("\n") for text in texts), initial=1))
            for target in read_commands("".join(texts), file, 1, (root,), tree, name):
                at = bisect_right(starts, target.line, hi=len(lines)) - 1
                first, node = starts[at], lines[at]
                targets.append(_moved(target, _first_line(node) + target.line - first, node.column))
    return targets


def _script_lines(node: LocatedValue, depth: int) -> Iterator[LocatedValue]:
    if node.scalar() is not None:
        yield node
    elif depth < 3:  # nested lists are flattened
        for item in node.sequence():
            yield from _script_lines(item, depth + 1)


def _moved(target: BuildTarget, line: int, column: int) -> BuildTarget:
    from dfopt.record import replace

    moved: BuildTarget = replace(target, line=line, column=column)
    return moved
