"""Build hook of the wheel.

What a checkout derives at its first run and keeps beside the compiled code (`dfopt.derived`: the index of the passes,
the parsed tables, the fingerprint of the code) goes into the wheel as one file, since an installation may be read-only.
"""

from __future__ import annotations

import marshal
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Built(BuildHookInterface):  # type: ignore[type-arg]
    def initialize(self, target: str, build_data: dict[str, Any]) -> None:
        if target == "editable":
            return
        root = Path(self.root)
        sys.path.insert(0, str(root))
        try:
            from dfopt import derived, knowledge, version
            from dfopt.passes.index import rows
        finally:
            sys.path.remove(str(root))
        values: dict[str, object] = {
            "passes": rows(),
            "version": self.metadata.version,
            "fingerprint": version.compute_fingerprint(version.installed_version()),
        }
        values.update({f"knowledge/{name}": knowledge.parse_table(name) for name in knowledge.names()})
        sections = [(name, None, marshal.dumps(value, derived.FORMAT)) for name, value in values.items()]
        self.folder = tempfile.TemporaryDirectory()
        made = Path(self.folder.name, derived.SHIPPED)
        made.write_bytes(derived.packed(None, sections))
        build_data["force_include"][str(made)] = f"dfopt/{derived.SHIPPED}"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        if version != "editable":
            self.folder.cleanup()
