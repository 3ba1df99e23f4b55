"""What the records of package managers in a layer tell of installs: the packages that somebody asked for.

Sources: dpkg's status file (deb-control(5)), apt's extended_states (apt-mark(8)) and history.log; apk's world and
installed (apk(5)); pip's INSTALLER and REQUESTED (Python's "Recording installed projects"), which says that a user
named the project.
"""

from __future__ import annotations

import re

from dfopt.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    # The text of a record after so many layers, "" where there is none.
    ReadRecord = Callable[[str, int], str]

STATUS, STATES = "/var/lib/dpkg/status", "/var/lib/apt/extended_states"
WORLD = "/etc/apk/world"
APK = ("/lib/apk/db/installed", "/usr/lib/apk/db/installed")
HISTORY = "/var/log/apt/history.log"
DATABASES = (STATUS, STATES, WORLD, *APK)
_DEB = re.compile(r"[a-z0-9][a-z0-9+.-]{1,99}")
_APK_NAME = re.compile(r"[a-z0-9][a-z0-9+._-]{0,99}")
_DIST_INFO = re.compile(r"(/.+/(?:site|dist)-packages)/([A-Za-z0-9][\w.]{0,99})-([0-9][\w.!+]{0,99})\.dist-info")
_AUTOMATIC = re.compile(r"[ ,]([a-z0-9][a-z0-9+.-]{1,99})(?::[a-z0-9-]{1,20})? \([^(),]{1,200}, automatic\)")
_MOST = 500  # packages of one command


class ProposedInstall(Record):
    """An install that may stand for files of a step. `manager`: apt, apk or pip; `command`: for a shell; `versions`:
    name -> version of what it asks for; `leftovers`: what is emptied after it where the image has nothing there."""

    manager: str
    command: str
    versions: dict[str, str]
    leftovers: tuple[str, ...] = ()


def proposals(
    read: ReadRecord, before: int, after: int, installed_by_pip: list[str], externally_managed: bool
) -> list[ProposedInstall]:
    """The installs of the layers from `before` (so many are below) to `after`. installed_by_pip: the directories
    `NAME-VERSION.dist-info` that these layers bring, with pip's records that the user asked for them;
    externally_managed: the distribution's Python wants to be told that pip may (PEP 668)."""
    proposed = [_apt(read, before, after), _apk(read, before, after), _pip(installed_by_pip, externally_managed)]
    return [install for install in proposed if install is not None and len(install.versions) <= _MOST]


def _apt(read: ReadRecord, before: int, after: int) -> ProposedInstall | None:
    old, new = _stanzas(read(STATUS, before)), _stanzas(read(STATUS, after))
    if not old or any(name not in new or new[name].get("Version") != old[name].get("Version") for name in old):
        return None  # without a database below, or with packages that were removed or upgraded
    added = {name: fields for name, fields in new.items() if name not in old}
    automatic = {name for name, fields in _stanzas(read(STATES, after)).items() if fields.get("Auto-Installed") == "1"}
    automatic = automatic or _automatic_by_log(read(HISTORY, after))
    asked = sorted(name for name in added if name not in automatic and _DEB.fullmatch(name))
    if not asked:
        return None
    needed = {
        name for fields in added.values() for key in ("Depends", "Pre-Depends") for name in _first(fields.get(key))
    }
    recommended = {name for fields in added.values() for name in _first(fields.get("Recommends"))}
    without = (
        "" if any(name in recommended - needed for name in automatic & added.keys()) else " --no-install-recommends"
    )
    command = f"apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y{without} {' '.join(asked)}"
    versions = {name: added[name].get("Version", "") for name in asked}
    return ProposedInstall("apt", command, versions, ("/var/lib/apt/lists", "/var/cache/apt"))


def _automatic_by_log(text: str) -> set[str]:
    """The packages that apt's log says it took in for others: `Install: a:amd64 (1), b:amd64 (2, automatic)`."""
    lines = [line for line in text.split("\n") if line.startswith("Install: ")]
    return {name for line in lines for name in _AUTOMATIC.findall(line)}


def _stanzas(text: str) -> dict[str, dict[str, str]]:
    """Package -> fields of the paragraphs of a control file; fields of several lines by their first."""
    found: dict[str, dict[str, str]] = {}
    for paragraph in text.split("\n\n"):
        fields: dict[str, str] = {}
        for line in paragraph.split("\n"):
            key, colon, value = line.partition(":")
            if colon and key[:1] not in (" ", "\t"):
                fields[key] = value.strip()
        if "Package" in fields and "deinstall" not in fields.get("Status", ""):
            found[fields["Package"]] = fields
    return found


def _first(relation: str | None) -> Iterator[str]:
    """The names of the first alternatives of a relation field."""
    for part in (relation or "").split(","):
        name = part.split("|")[0].split("(")[0].strip().partition(":")[0]
        if name:
            yield name


def _apk(read: ReadRecord, before: int, after: int) -> ProposedInstall | None:
    old, new = read(WORLD, before).split(), read(WORLD, after).split()
    asked = [name for name in new if name not in old]
    if not asked or any(name not in new for name in old) or not all(map(_APK_NAME.fullmatch, asked)):
        return None
    database = next((text for path in APK if (text := read(path, after))), "")
    versions: dict[str, str] = {}
    name = ""
    for line in database.split("\n"):
        if line.startswith("P:"):
            name = line[2:]
        elif line.startswith("V:") and name in asked:
            versions[name] = line[2:]
    return ProposedInstall("apk", f"apk add --no-cache {' '.join(sorted(asked))}", versions, ("/var/cache/apk",))


def _pip(directories: list[str], externally_managed: bool) -> ProposedInstall | None:
    versions: dict[str, str] = {}
    for directory in directories:
        match = _DIST_INFO.fullmatch(directory)
        if match is not None:
            versions[match[2]] = match[3]
    if not versions:
        return None
    names = " ".join(f"{name}=={version}" for name, version in sorted(versions.items()))
    flags = " --break-system-packages" if externally_managed else ""
    return ProposedInstall("pip", f"pip install --no-cache-dir{flags} {names}", versions)
