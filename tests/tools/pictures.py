"""Makes the pictures of the documentation: what a terminal shows, as SVG, from the commands themselves.

python -m tests.tools.pictures
"""

from __future__ import annotations

import io
import re
import subprocess
import sys
from html import unescape
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PICTURES = ROOT / "docs" / "pictures"
COMMANDS = {"plan": ("plan", "examples/webapp/Dockerfile")}
_WIDTH = 118  # columns
_FONT_OF_ANOTHER_HOST = re.compile(r"\s*@font-face \{.*?\}", re.DOTALL)
_TEXT = re.compile(r"<text[^>]*>([^<]*)</text>")


def printed(name: str) -> str:
    """What the command of a picture prints."""
    command = [sys.executable, "-m", "dfopt", *COMMANDS[name]]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout


def words(svg: str) -> list[str]:
    """The words in a picture, in their order."""
    return " ".join(map(unescape, _TEXT.findall(svg))).split()


def picture(name: str) -> str:
    from rich.console import Console
    from rich.text import Text

    console = Console(record=True, width=_WIDTH, file=io.StringIO(), force_terminal=True, legacy_windows=False)
    console.print(Text(f"$ dfopt {' '.join(COMMANDS[name])}\n{printed(name)}"))
    svg = console.export_svg(title=f"dfopt {COMMANDS[name][0]}", unique_id=name)
    return _FONT_OF_ANOTHER_HOST.sub("", svg)


def main() -> None:
    PICTURES.mkdir(exist_ok=True)
    for name in COMMANDS:
        (PICTURES / f"{name}.svg").write_text(picture(name), encoding="utf-8")


if __name__ == "__main__":
    main()
