"""The pages of the passes, docs/passes/, made from their docstrings, and of the classes of refusals, docs/refusals/,
made from `knowledge/refusals.toml` and the golden cases: `python -m tests.tools.pages`.

A test says when they are stale. Nothing else in these directories is kept.
"""

from __future__ import annotations

import re
import sys
from inspect import cleandoc
from pathlib import Path

from dfopt.cli.explain import shown
from dfopt.cli.passes import summary
from dfopt.documentation import refusal_class
from dfopt.knowledge import table
from dfopt.passes.base import GROUPS, Pass, registered
from dfopt.refusal import reason_class

_ROOT = Path(__file__).parent.parent.parent
DIRECTORY = _ROOT / "docs" / "passes"
REFUSALS = _ROOT / "docs" / "refusals"
_REFUSED = re.compile(r"^\d+: ([a-z0-9-]+) \[refused\] (.*)$", re.M)
_MOST = 15  # reasons on a page
_ABOUT = {
    "size": "smaller images",
    "cache": "builds that reuse what they made",
    "security": "less to attack",
    "reproducible": "the same build tomorrow",
    "correct": "files that do what they say",
    "modernize": "today's spelling, which changes nothing in the image; off by default, --modernize adds it",
    "advice": "what some linters ask for, and others do not; off by default",
}


def how(one: type[Pass]) -> str:
    """How a pass is switched on."""
    if one.strategy is not None:
        name, value = one.strategy
        return f"where the setting `{name}` is `{value}`, or by `--select {one.name}`"
    if one.default:
        return "by default"
    return f"by `--select {one.name}`" + ("" if one.by_name else f" or `--select {one.group}`")


def page(one: type[Pass]) -> str:
    """The page of one pass."""
    body = re.sub(
        r"^(Why|Example|Refuses|Declares|Saves|Measured|Suggests):",
        r"**\1:**",
        cleandoc(one.__doc__ or "").replace("\\\\\n", "\\\n"),
        flags=re.M,
    )
    codes = f" Answers {', '.join(f'`{code}`' for code in one.codes)}." if one.codes else ""
    text = f"# {one.name}\n\nGroup `{one.group}`. Runs {how(one)}.{codes}\n\n{body}\n"
    if one.options:
        text += f"\n## Options\n\nIn `[passes.{one.name}]` of `dfopt.toml`.\n\n"
        text += "| option | values | default | |\n|---|---|---|---|\n"
        for option in one.options:
            kind = ", ".join(f'`"{choice}"`' for choice in option.choices) or option.kind
            text += f"| `{option.name}` | {kind} | `{shown(option.default)}` | {option.help} |\n"
    return text


def contents() -> str:
    """The table of contents."""
    text = (
        "# Passes\n\nMade from the passes' docstrings by `python -m tests.tools.pages`; `dfopt explain NAME` prints the"
        " same.\n\n"
        "*on*: runs by default. *off*: runs where it, its group or a code of it is selected. *by name*: runs where its"
        " name or a code\nof it is selected. A pass that suggests changes nothing.\n"
    )
    for group in GROUPS:
        text += f"\n## {group}: {_ABOUT[group]}\n\n| pass | default | codes | |\n|---|---|---|---|\n"
        for one in sorted((one for one in registered().values() if one.group == group), key=lambda one: one.name):
            default = "on" if one.default else "by name" if one.by_name else "off"
            codes = " ".join(f"`{code}`" for code in one.codes)
            text += f"| [{one.name}]({one.name}.md) | {default} | {codes} | {summary(one)} |\n"
    return text


def pages() -> dict[str, str]:
    """All pages: name of the file -> text."""
    return {"README.md": contents(), **{f"{name}.md": page(one) for name, one in registered().items()}}


def golden_refusals() -> list[tuple[str, str]]:
    """Pass, and message with reason and what unblocks it, of every refusal in the golden cases."""
    golden = _ROOT / "golden"
    files = sorted([*golden.glob("*.md"), *golden.glob("*/*/expected.txt")])
    return [match for file in files for match in _REFUSED.findall(file.read_text("utf-8", "replace"))]


def refusals_by_class() -> dict[str, list[tuple[str, str]]]:
    """Pass and reason of each refusal of the golden cases by its class, each kind of reason once; "" for no class."""
    rows: dict[str, dict[tuple[str, str], tuple[str, str]]] = {row["name"]: {} for row in table("refusals")["class"]}
    rows[""] = {}
    for row in table("refusals")["class"]:
        for name, reason in row.get("examples", ()):
            rows[row["name"]][name, reason] = name, reason
    for name, text in golden_refusals():
        reason = text.split(": ", 1)[-1]
        rows[refusal_class(reason)].setdefault((name, reason_class(reason)), (name, reason))
    return {kind: list(found.values()) for kind, found in rows.items()}


def refusal_pages() -> dict[str, str]:
    """The pages of docs/refusals: name of the file -> text."""
    by_class = refusals_by_class()
    made: dict[str, str] = {}
    text = (
        "# Refusals\n\nWhat dfopt could not prove it leaves alone, and says why: `--show-refusals` lists that, and"
        " `dfopt plan` ranks it. Each reason\nbelongs to a class; where `documentation` of `dfopt.toml` names the"
        " address of this site, findings carry the address of\ntheir page. Reasons outside of these classes are"
        " explained by the page of their [pass](../passes/README.md).\n\nMade from `dfopt/knowledge/refusals.toml` and"
        " the golden cases by `python -m tests.tools.pages`.\n\n| what stands in the way | passes |\n|---|---|\n"
    )
    for row in table("refusals")["class"]:
        found = by_class[row["name"]]
        names = sorted({name for name, _ in found if name in registered()})
        links = ", ".join(f"[{name}](../passes/{name}.md)" for name in names)
        text += f"| [{row['title']}]({row['name']}.md) | {links or 'files that hold Dockerfiles'} |\n"
        page = f"# {row['title']}\n\n{row['text'].strip()}\n\n**What you can do:** {row['todo'].strip()}\n"
        page += "\n## Reasons\n\nAs the test cases have them, each kind once.\n\n"
        page += "| pass | reason, and what ends it |\n|---|---|\n"
        step = max(1, -(-len(found) // _MOST))
        for name, reason in found[::step]:
            link = f"[{name}](../passes/{name}.md)" if name in registered() else name
            page += f"| {link} | {_cell(reason)} |\n"
        made[f"{row['name']}.md"] = page
    return {"README.md": text, **made}


def _cell(text: str) -> str:
    """A text as it is, in a cell of a table: code in it stays code."""
    pieces = re.split(r"(`[^`]*`)", text.replace("|", "\\|"))
    return "".join(piece if piece[:1] == "`" else re.sub(r"([*_<>\[\]$])", r"\\\1", piece) for piece in pieces)


def main() -> int:
    number = 0
    for directory, made in ((DIRECTORY, pages()), (REFUSALS, refusal_pages())):
        directory.mkdir(exist_ok=True)
        for path in directory.iterdir():
            if path.name not in made:
                path.unlink()
        for name, text in made.items():
            (directory / name).write_text(text, encoding="utf-8")
        number += len(made)
    print(f"{number} pages", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
