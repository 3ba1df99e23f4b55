"""Build hook of the wheel.

What a checkout derives at its first run and keeps beside the compiled code (the index of the passes, the parsed
knowledge tables) goes into the wheel as the package `dfopt._built`, since an installation may be read-only.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Built(BuildHookInterface):  # type: ignore[type-arg]
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return
        root = Path(self.root)
        sys.path.insert(0, str(root))
        try:
            from dfopt.knowledge import table
            from dfopt.passes.index import rows
        finally:
            sys.path.remove(str(root))
        self.folder = tempfile.TemporaryDirectory()
        files = {"__init__": "", "passes": f"ROWS = {tuple(rows())!r}\n"}
        for path in sorted((root / "dfopt" / "knowledge").glob("*.toml")):
            files[f"table_{path.stem}"] = f"TABLE = {table(path.stem)!r}\n"
        for name, content in files.items():
            made = Path(self.folder.name, f"{name}.py")
            made.write_text(f'"""Generated when the wheel was built."""\n\n{content}', encoding="utf-8")
            build_data["force_include"][str(made)] = f"dfopt/_built/{name}.py"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        if version != "editable":
            self.folder.cleanup()
