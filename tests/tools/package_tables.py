"""The tables of packages against the package index of the Debian machine that runs this.

    python tests/tools/package_tables.py

`apt-cache dumpavail` is asked; the release is the one of /etc/os-release. Faults, of which there must be none: a
library that `split_packages` puts behind a -dev package of this release, which the -dev package does not depend on, or
which there is not; a -dev package or package for programs that the tables of libraries and programs name, which there
is not. Printed only: names of `package_names` that this release does not have.
"""

from __future__ import annotations

import re
import subprocess
from collections import defaultdict
from pathlib import Path

from dfopt.knowledge import table
from dfopt.passes.multi_stage.packages import libraries

DEPTH = 3  # how far behind a -dev package its library may be: default-libmysqlclient-dev has it at 3


class Index:
    """What apt knows: real packages with what they depend on, and what they provide."""

    def __init__(self, text: str) -> None:
        self.depends: dict[str, set[str]] = {}
        self.providers: defaultdict[str, set[str]] = defaultdict(set)
        for record in re.split(r"\n\n+", text):
            fields = dict(re.findall(r"(?m)^(Package|Depends|Pre-Depends|Provides): (.*)$", record))
            name = fields.get("Package", "")
            if name:
                needs = f"{fields.get('Depends', '')},{fields.get('Pre-Depends', '')}"
                self.depends.setdefault(name, set()).update(_names(needs))
                for other in _names(fields.get("Provides", "")):
                    self.providers[other].add(name)

    def real(self, name: str) -> set[str]:
        """The packages that a name stands for; none where there are none."""
        return ({name} if name in self.depends else set()) | self.providers[name]

    def behind(self, name: str) -> set[str]:
        """What a package depends on, down to `DEPTH`, and itself."""
        found = set(self.real(name))
        for _ in range(DEPTH):
            found |= {one for each in found for need in self.depends.get(each, ()) for one in self.real(need)}
        return found


def _names(text: str) -> set[str]:
    return {re.split(r"[ (:|]", part.strip())[0] for part in re.split(r"[,|]", text) if part.strip()}


def faults(index: Index, release: str) -> list[str]:
    packages, linked = table("split_packages"), table("split_libraries")
    found = []
    names = {*packages["dev"].get(release, {}), *(key for key, row in packages["dev"].items() if isinstance(row, list))}
    for name in sorted(names):
        behind = index.behind(name)
        for library in (libraries(name, release) or ()) if behind else ():
            if not index.real(library) & behind:
                found.append(f"split_packages: {library} is not behind {name}")
    named = {
        "links": {*linked["links"].values()},
        "gems": {*linked["gems"].values()},
        "pypi": {one for row in linked["pypi"].values() for one in row},
        "programs": {*table("split_programs")["packages"]["debian"].values()},
    }
    found += [f"{kind}: no {one}" for kind, ones in named.items() for one in sorted(ones - {""}) if not index.real(one)]
    return found


def main() -> int:
    dump = subprocess.run(("apt-cache", "dumpavail"), capture_output=True, check=True, text=True).stdout
    index = Index(dump)
    codename = re.search(r"(?m)^VERSION_CODENAME=(\w+)", Path("/etc/os-release").read_text(encoding="utf-8"))
    release = codename[1] if codename else ""
    known = table("package_names")
    names = {*known["same"], *(one for row in known["package"] for one in row.get("debian", ()))}
    print(f"{len(index.depends)} packages of {release}; {len(names)} names, not here:")
    print("   ", " ".join(sorted(name for name in names if not index.real(name))) or "none")
    wrong = faults(index, release)
    print("\n".join([f"{len(wrong)} faults", *wrong]))
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
