"""The pages of the passes, docs/passes/, made from their docstrings: `python -m tests.tools.pages`.

A test says when they are stale. Nothing else in that directory is kept.
"""

from __future__ import annotations

import re
import sys
from inspect import cleandoc
from pathlib import Path

from dfopt.cli.explain import shown
from dfopt.cli.passes import summary
from dfopt.passes.base import GROUPS, Pass, registered

DIRECTORY = Path(__file__).parent.parent.parent / "docs" / "passes"
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


def main() -> int:
    made = pages()
    DIRECTORY.mkdir(exist_ok=True)
    for path in DIRECTORY.iterdir():
        if path.name not in made:
            path.unlink()
    for name, text in made.items():
        (DIRECTORY / name).write_text(text, encoding="utf-8")
    print(f"{len(made)} pages", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
