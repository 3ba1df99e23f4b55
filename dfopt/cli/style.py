"""Color on a terminal."""

from __future__ import annotations

from dfopt.messages import printable_lines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

RED, GREEN, YELLOW, CYAN, BOLD = "31", "32", "33", "36", "1"
TIERS = {"safe": GREEN, "unsafe": YELLOW, "suggestion": CYAN, "refused": BOLD}


def use_color(choice: str, environ: Mapping[str, str], terminal: bool) -> bool:
    """Whether to color: `choice` is "always", "never" or "auto" (https://no-color.org, https://force-color.org)."""
    if choice != "auto":
        return choice == "always"
    if environ.get("NO_COLOR"):
        return False
    return bool(environ.get("FORCE_COLOR")) or (terminal and environ.get("TERM") != "dumb")


def paint(text: str, code: str, on: bool) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if on and code else text


def diff(text: str, on: bool, terminal: bool) -> str:
    """A unified diff: as it is for `git apply`; for a terminal, or coloured (`on`), with control characters as escapes.
    Counts the lines of each hunk, so that a removed line `-- x` is taken for no header."""
    if on or terminal:
        text = printable_lines(text)
    if not on:
        return text
    result: list[str] = []
    old = new = 0
    for line in text.split("\n"):
        code = ""
        if line.startswith("@@ ") and old <= 0 and new <= 0:
            code = CYAN
            sizes = line.split(" @@")[0].split(" ")[1:3]
            old, new = [int(size.partition(",")[2] or "1") for size in sizes]
        elif old <= 0 and new <= 0:
            code = BOLD if line.startswith(("--- ", "+++ ")) else CYAN if line.startswith("# ") else ""
        elif line.startswith("-"):
            code, old = RED, old - 1
        elif line.startswith("+"):
            code, new = GREEN, new - 1
        elif not line.startswith("\\"):
            old, new = old - 1, new - 1
        result.append(paint(line, code, bool(line)))
    return "\n".join(result)
