"""Which packages the run needs of those that the build installs, and what it needs besides."""

from __future__ import annotations

import re

from dfopt.analysis.package_managers import package_name
from dfopt.analysis.package_sizes import installed_bytes, recommended_bytes
from dfopt.knowledge import table
from dfopt.record import Record
from dfopt.refusal import Refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dfopt.passes.multi_stage.flow import Flow, InstalledPackage

_LIBRARY = 5  # MB of headers, or of a package that no row names
_JDK = 150  # MB that a JDK has more than its JRE
# Packages that are called like their program
_CALLED = ("cargo", "rustc", "golang", "gcc", "g++", "make")
_compiled: dict[str, list[tuple[re.Pattern[str], int]]] = {}


class RunPackages(Record):
    """`names` for the run, in the order in which the build names them; `lean`: without what they only recommend;
    `left`: MB that stay behind with the others."""

    names: tuple[str, ...]
    lean: bool
    left: int


def _sort(kind: str, name: str) -> int | None:
    """The MB of a package of [build] or [tools]; None for others."""
    if kind not in _compiled:
        rows = table("split_packages")[kind]
        _compiled[kind] = [(re.compile(rf"(?:{text})\Z"), mb) for text, mb in rows.items()]
    return next((mb for pattern, mb in _compiled[kind] if pattern.match(name)), None)


def is_build(name: str) -> bool:
    """Whether a package serves builds alone."""
    return _sort("build", package_name(name)) is not None or package_name(name).endswith("-dev")


def is_tool(name: str) -> bool:
    """Whether a package serves builds as a rule, and now and then a run."""
    return _sort("tools", package_name(name)) is not None


def libraries(name: str, release: str) -> tuple[str, ...] | None:
    """The libraries behind a -dev package of a release (or of Alpine); None where they are not known."""
    facts = table("split_packages")
    if release == "alpine":
        packages = facts["apk"].get(name)
    else:
        packages = facts["dev"].get(release, {}).get(name)
        if packages is None:
            general = facts["dev"].get(name)
            packages = general if isinstance(general, list) else None
    return None if packages is None else tuple(packages)


def providers(family: str) -> dict[str, str]:
    """Program -> package, where the image for the run time lacks the program."""
    packages: dict[str, str] = table("split_programs")["packages"]["alpine" if family == "apk" else "debian"]
    return packages


def partition(
    flow: Flow, release: str, needed: Iterable[str], language: str, seen: bool, has: frozenset[str]
) -> RunPackages:
    """The packages for the run. `needed`: base names of programs that it calls; `seen`: nothing else can call any, as
    all that runs was read; `has`: what the base image brings. Raises Refusal."""
    family = flow.packages[0].family if flow.packages else ""
    brings = providers(family)
    wanted = {brings[name] for name in needed if name in brings} | set(needed)
    names: dict[str, None] = {}
    left = sum([_sort("build", package_name(package.name)) or _LIBRARY for package in flow.buried])
    together = 0
    lean = True
    for package in flow.packages:
        if package_name(package.name) in _CALLED and package_name(package.name) in needed:
            line = package.step.node.line
            raise Refusal(f"the program calls {package_name(package.name)}, which line {line} installs")
        kept, mb, lives = _fate(package, flow, release, language, seen and package_name(package.name) not in wanted)
        names.update(dict.fromkeys(kept))
        there = "cc" in has and package_name(package.name) in table("split_packages")["brought"]["cc"]
        mb = 0 if there or package.step.index in flow.swept else mb
        if package_name(package.name) in table("split_packages")["brought"]["together"]:
            together, mb = max(together, mb), 0
        left += mb
        lean = lean and (package.lean or not lives)
    return RunPackages(tuple(names), lean, max(left + together, _left_by_size(flow, names, lean, has)))


def _left_by_size(flow: Flow, names: Iterable[str], lean: bool, has: frozenset[str]) -> int:
    """The MB that stay behind of apt's packages, their dependencies included, as far as their sizes are known: what
    the build installs less what the run installs. A base image with a compiler has most of them already, but not what
    they recommend."""
    installed = [package for package in flow.packages if package.family == "apt"]
    if any(package.step.index in flow.swept for package in installed):
        return 0
    builds = [package_name(package.name) for package in installed]
    all_lean = all(package.lean for package in installed)
    if "cc" in has:
        kept = 0 if lean else recommended_bytes(names)
        return 0 if all_lean else -((kept - recommended_bytes(builds)) // 1_000_000)
    kept = installed_bytes(names, recommends=not lean)
    return (installed_bytes(builds, recommends=not all_lean) - kept) // 1_000_000


def _fate(
    package: InstalledPackage, flow: Flow, release: str, language: str, free: bool
) -> tuple[Iterable[str], int, bool]:
    """What stands for a package in the run, the MB that stay behind, and whether it is there itself (or what it becomes
    for the run). `free`: no program calls one of its programs."""
    name = package_name(package.name)
    tables = table("split_packages")
    if language == "java" and name in tables["run"]:
        return tables["run"][name], _JDK, True
    known = libraries(name, release)
    mb = _sort("build", name)
    if mb is not None and (language == "python" or not name.startswith("python3")):
        return known or (), mb, False
    if known is not None:
        return known, _LIBRARY, False
    makes = tables["makes"].get(name)
    if makes is not None and any(entry.path == makes["path"] for entry in flow.paths):
        return (), makes["mb"], False
    mb = _sort("tools", name)
    if mb is not None and free:
        return (), mb, False
    return (package.name,), 0, True


def language_package(language: str, family: str, installed: Iterable[str], names: Iterable[str]) -> list[str] | None:
    """What is to be installed besides `names` so that a language is there, as it is with what is `installed`: the
    language itself is often there only because its tools depend on it. None where nothing installed brings it."""
    row = table("split_packages")["language"][language]
    if any(re.fullmatch(row["is"], package_name(name)) for name in names):
        return []
    if any(re.fullmatch(row["from"], name) for name in installed) and family in row:
        return [row[family]]
    return None


def install_command(family: str, names: Sequence[str], lean: bool, quiet: bool, slim: bool = False) -> str:
    """The shell command that installs packages and leaves no index behind; `quiet`: and asks nothing; `slim`: on an
    image without manuals."""
    words = " ".join(names)
    if family == "apk":
        return f"apk add --no-cache {words}"
    option = "--no-install-recommends " if lean else ""
    asks = "DEBIAN_FRONTEND=noninteractive " if quiet else ""
    manuals = table("swaps")["needs-manuals"]["directories"] if slim else {}
    directories: dict[str, None] = {}
    for pattern, needed in manuals.items():
        if any(re.fullmatch(pattern, package_name(name)) for name in names):
            directories.update(dict.fromkeys(needed))
    makes = f"mkdir -p {' '.join(directories)} && " if directories else ""
    return f"{makes}apt-get update && {asks}apt-get install -y {option}{words} && rm -rf /var/lib/apt/lists/*"
