"""`python -m tests.tools.new_pass NAME --group GROUP` creates a pass that works, its golden cases and its page.

The pass adds an option to a program; replace what it looks for and what it rewrites (docs/own-pass.md). It is
off by default, so that no other golden case changes before it is done.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path

from dfopt.passes.base import GROUPS, PHASES, registered

ROOT = Path(__file__).parents[2]

PASS = '''\
from __future__ import annotations

from dfopt.analysis.run_steps import edit_obstacle, shipped_runs
from dfopt.edit import Edit
from dfopt.facts import Facts
from dfopt.findings import Finding, Fix
from dfopt.ir.commands import SUBSTITUTION
from dfopt.passes.base import Pass
from dfopt.rewrites.commands import EditWords

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from dfopt.ir.program import Program


class <class>(Pass):
    """Gives `<program>` the option `<option>`.

    Why: TODO: what this changes for the image, the build or its users.

    Example:

    ```dockerfile
    FROM debian:13
    RUN <program> a
    ```

    ```dockerfile
    FROM debian:13
    RUN <program> <option> a
    ```

    Refuses: ONBUILD; a `<program>` in a string of `sh -c`. Does nothing where the option is given.

    Declares: the command gains one word.
    """

    name = "<name>"
    group = "<group>"
    phase = "<phase>"
    default = False
    triggers = ("<program>",)

    def find(self, program: Program, facts: Facts) -> Iterator[Finding]:
        for _, _, step in shipped_runs(program, "all", "<program>"):
            for invocation in program.commands(step).invocations:
                if invocation.program != "<program>" or invocation.has_option("<option>"):
                    continue
                body, node = program.body(step), step.node
                message = "TODO: what the option is good for, in one line"
                reachable = not invocation.nested and invocation.where != SUBSTITUTION
                reason = edit_obstacle(step, body, reachable, "<program>")
                if reason:
                    yield Finding(self.name, message, node.start, node.end, None, reason)
                    continue
                # The text: a span of the file, and what replaces it.
                words = invocation.node.words
                arguments = len(words) - len(invocation.words)
                end = body.span(words[arguments - 1].start, words[arguments - 1].end)[1]
                edit = Edit(end, end, " <option>")
                # The meaning, stated independently: this command gains a word.
                rewrite = EditWords(step.index, invocation.node.start, arguments, 0, ("<option>",))
                yield Finding(self.name, message, node.start, node.end, Fix((edit,), (rewrite,), "safe"))
'''

CASES = {
    "plain": "FROM debian:13\nRUN <program> a\n",
    "chain": "FROM debian:13\nRUN echo a && <program> a && <program> <option> b\n",
    "comment-in-continuation": "FROM debian:13\nRUN <program> \\\n# a comment\n    a\n",
    "escape-directive": "# escape=`\nFROM debian:13\nRUN <program> `\n    a\n",
    "heredoc": "FROM debian:13\nRUN <<EOF\n<program> a\nEOF\n",
    "no-op-option": "FROM debian:13\nRUN <program> <option> a\n",
    "no-op-other-program": "FROM debian:13\nRUN other a\n",
    "refused-onbuild": "FROM debian:13\nONBUILD RUN <program> a\n",
    "refused-string": "FROM debian:13\nRUN sh -c '<program> a'\n",
    "suppressed": "FROM debian:13\n# dfopt: ignore=<name> reason=golden\nRUN <program> a\n",
}
GOLDEN = """\
# <name>

Golden cases of the pass [<name>](../docs/passes/<name>.md); [README.md](README.md) says how to read them.
"""


def problem(name: str, program: str, option: str) -> str:
    """Why such a pass cannot be created, or ""."""
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name):
        return f"the name of a pass is like merge-run, not {name}"
    if name in registered():
        return f"there is a pass {name} already"
    if not re.fullmatch(r"[a-z][\w.-]*", program):
        return f"not the name of a program in lower case: {program}"
    if not re.fullmatch(r"--?\w[\w=-]*", option):
        return f"not an option: {option}"
    return ""


def create(values: dict[str, str], root: Path) -> list[Path]:
    """Writes the pass and the inputs of its golden cases; returns their paths. `values`: name, class, group, phase,
    program, option. Raises FileExistsError, and then writes nothing."""

    def filled(text: str) -> str:
        return re.sub("|".join(f"<{key}>" for key in values), lambda found: values[found[0][1:-1]], text)

    module = root / "dfopt" / "passes" / f"{values['name'].replace('-', '_')}.py"
    golden = root / "golden" / f"{values['name']}.md"
    for path in (module, golden):
        if path.exists():
            raise FileExistsError(path)
    sections = [filled(GOLDEN), *(f"## {case}\n\n```dockerfile\n{filled(text)}```\n" for case, text in CASES.items())]
    module.write_text(filled(PASS), encoding="utf-8")
    golden.write_text("\n".join(sections), encoding="utf-8")
    return [module, golden]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.tools.new_pass", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("name", metavar="NAME", help="such as merge-run")
    parser.add_argument("--group", required=True, choices=GROUPS)
    parser.add_argument("--phase", default="runtime", choices=PHASES, help="when it runs [default: runtime]")
    parser.add_argument("--program", default="example", help="the program that gets an option [default: example]")
    parser.add_argument("--option", default="--quiet", help="that option, as --option=--quiet [default: --quiet]")
    given = parser.parse_args()
    if reason := problem(given.name, given.program, given.option):
        parser.error(reason)
    values = {**vars(given), "class": given.name.title().replace("-", "")}
    try:
        paths = create(values, ROOT)
    except FileExistsError as failure:
        parser.error(f"{failure} exists")
    python = [sys.executable, "-m"]
    golden = ["pytest", "tests/test_golden.py", "-q", "-k", f"{given.name}/"]
    subprocess.run([*python, *golden, "--update-golden", given.name], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    subprocess.run([*python, "tests.tools.pages"], cwd=ROOT, check=True)
    for path in (*paths, ROOT / "docs" / "passes" / f"{given.name}.md"):
        print(path.relative_to(ROOT))
    print(f"next: edit the pass, then run: make golden PASS={given.name} docs")


if __name__ == "__main__":
    main()
