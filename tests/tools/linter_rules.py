"""docs/coverage.md: which rules of other linters dfopt answers, made by running it on a sample of each:
`python -m tests.tools.linter_rules`. With `--checkov PROGRAM` it asks that program about the samples of Checkov's
rules as well, and prints where it finds nothing. A test says when the page is stale, and asks hadolint and tally.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

from dfopt.knowledge import load_toml
from dfopt.optimizer import optimize
from dfopt.pass_selection import Options
from dfopt.passes.base import registered
from dfopt.source import Source
from dfopt.workspace.facts import ContextFacts

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "coverage.md"
RULES: dict[str, Any] = load_toml((ROOT / "tests" / "linters" / "rules.toml").read_bytes())
TOOLS = ("hadolint", "BuildKit", "Checkov", "Trivy", "CIS")
_ABOUT = {
    "hadolint": "hadolint 2.15, its DL rules. Its SC rules are ShellCheck's, which dfopt has not",
    "BuildKit": "`docker build --check`",
    "Checkov": "Checkov 3.3",
    "Trivy": "Trivy; also written `DS002` and `AVD-DS-0002`",
    "CIS": "CIS Docker Benchmark, in the numbers of dockle",
}


class Rule(NamedTuple):
    """A row of rules.toml, with what `like` takes from another."""

    tool: str
    code: str
    row: dict[str, Any]


class Answer(NamedTuple):
    """What dfopt makes of a rule's sample. `status`: "safe" or "unsafe" (it fixes it), "found", "error" (it refuses the
    file, as BuildKit does), "out", or "missed"; `passes`: those that answer the code."""

    status: str
    passes: tuple[str, ...]


def rules() -> list[Rule]:
    """Every rule of every tool."""
    found: list[Rule] = []
    for tool in TOOLS:
        for code, row in RULES[tool].items():
            other_tool, _, other = row.get("like", "").partition(".")
            found.append(Rule(tool, code, {**RULES[other_tool][other], **row} if other else row))
    return found


def put(rule: Rule, place: Path) -> Path:
    """Writes the sample of a rule and its files into a directory; the path of the Dockerfile."""
    for name, text in {"Dockerfile": rule.row["sample"], **rule.row.get("files", {})}.items():
        (place / name).write_text(text, encoding="utf-8")
    return place / "Dockerfile"


def answer(rule: Rule) -> Answer:
    """What dfopt makes of a rule."""
    passes = tuple([name for name, cls in registered().items() if rule.code in cls.codes])
    if "sample" not in rule.row:
        return Answer("out" if rule.row.get("out") in RULES["reasons"] else "missed", passes)
    with tempfile.TemporaryDirectory() as place:
        path = put(rule, Path(place))
        source = Source(str(path), rule.row["sample"])
        facts = ContextFacts(str(path), place, source, place)
        settings = rule.row.get("settings", {})
        select = (rule.code,) if passes else ("all",)
        result = optimize(source, Options(select, (), ("safe", "unsafe"), settings), facts)
    if result.problem is not None:
        return Answer("error" if rule.row.get("error", "-") in result.problem.message else "missed", passes)
    tiers = {one.tier for one in result.applied}
    if not passes or not (tiers or result.reported):
        return Answer("missed", passes)
    return Answer("unsafe" if "unsafe" in tiers else "safe" if tiers else "found", passes)


_SHOWN = {"safe": "fixed, safe", "unsafe": "fixed, `unsafe`", "found": "found", "error": "an error", "out": "no"}

_INTRODUCTION = """\
Made by `python -m tests.tools.linter_rules`, which runs dfopt on a sample of each rule; a test asks hadolint, and tally
for BuildKit's checks, whether they find the rule in the same sample. Every code selects the passes that answer it
(`--select DL3009`) and suppresses them, in the comments of its own tool too.

*fixed, safe*: rewritten by `dfopt fix`; *fixed, unsafe*: by `dfopt fix --unsafe`, or with `--verify`, which builds;
*found*: reported, as the file does not say what to write; *an error*: dfopt refuses the file, as the builder does.
Passes that are off by default are in italics: their code, or their group, selects them.

| tool | rules | fixed | found | not answered |
|---|---|---|---|---|
"""


def page() -> str:
    """The page."""
    answers = [(rule, answer(rule)) for rule in rules()]
    text = "# Rules of other linters\n\n"
    text += _INTRODUCTION
    for tool in TOOLS:
        count = Counter(made.status for rule, made in answers if rule.tool == tool)
        fixed, found = count["safe"] + count["unsafe"], count["found"] + count["error"]
        total = fixed + found + count["out"]
        about = _ABOUT[tool].partition(";")[0].partition(",")[0]
        text += f"| {about} | {total} | {fixed} | {found} | {count['out']} |\n"
    for tool in TOOLS:
        text += f"\n## {tool}\n\n{_ABOUT[tool]}.\n\n| rule | about | dfopt | pass |\n|---|---|---|---|\n"
        for rule, made in answers:
            if rule.tool == tool:
                names = [(f"[{name}](passes/{name}.md)", registered()[name].default) for name in made.passes]
                shown = " ".join([link if default else f"*{link}*" for link, default in names])
                why = RULES["reasons"][rule.row["out"]] if made.status == "out" else shown
                text += f"| `{rule.code}` | {rule.row['title']} | {_SHOWN[made.status]} | {why} |\n"
    return text


def checkov(program: str) -> list[str]:
    """The codes of Checkov's rules that Checkov does not find in their samples."""
    silent: list[str] = []
    for rule in rules():
        if rule.tool == "Checkov":
            with tempfile.TemporaryDirectory() as place:
                command = [program, "-f", str(put(rule, Path(place))), "--framework", "dockerfile", "-o", "json"]
                done = subprocess.run(command, capture_output=True, timeout=300)
            checks = json.loads(done.stdout)["results"]["failed_checks"]
            if rule.code not in {check["check_id"] for check in checks}:
                silent.append(rule.code)
    return silent


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--checkov", metavar="PROGRAM", help="ask Checkov about its samples, too")
    given = parser.parse_args()
    PAGE.write_text(page(), encoding="utf-8")
    silent = checkov(given.checkov) if given.checkov else []
    for code in silent:
        print(f"Checkov does not find {code} in its sample", file=sys.stderr)
    return 1 if silent else 0


if __name__ == "__main__":
    sys.exit(main())
