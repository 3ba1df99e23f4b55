"""The packages of an image: what each depends on, its files' bytes, and which were asked for by name.

Sources: deb-control(5) and apt-mark(8) (`/var/lib/apt/extended_states`), the format of apk's database of what is
installed (apk-tools 2 and 3) and of /etc/apk/world.
"""

from __future__ import annotations

import re

from dfopt.image.artifacts import APK_INSTALLED, APK_WORLD, APT_STATES, DPKG_STATUS, PACKAGE_NAME
from dfopt.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from dfopt.image.artifacts import ImageFiles

_FIELD = re.compile(r"^([\w-]+): *(.*)$", re.M)
_NAME = re.compile(r"[\w.+-]+")


class InstalledPackages(Record):
    """`family`: "apt" or "apk", "" for neither; `depends`: package -> packages of the image that it depends on;
    `named`: those that no other brought along; `recommends`: package -> packages of the image that it recommends."""

    family: str
    depends: Mapping[str, tuple[str, ...]]
    named: frozenset[str]
    recommends: Mapping[str, tuple[str, ...]] = {}

    def closure(self, names: Iterable[str]) -> set[str]:
        """The packages with all that they depend on."""
        found: set[str] = set()
        waiting = list(names)
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                waiting += self.depends.get(name, ())
        return found

    def least(self, names: Iterable[str]) -> list[str]:
        """The names without those that another one brings along, in order."""
        kept = sorted(names)
        for name in list(kept):
            others = [other for other in kept if other != name]
            if name in self.closure(others):
                kept = others
        return kept


def installed_packages(image: ImageFiles) -> InstalledPackages:
    status = image.text(DPKG_STATUS)
    if status:
        return _apt(status, image.text(APT_STATES))
    database = next(filter(None, map(image.text, APK_INSTALLED)), "")
    if database:
        return _apk(database, image.text(APK_WORLD))
    return InstalledPackages("", {}, frozenset())


def _apt(status: str, states: str) -> InstalledPackages:
    fields = [dict(_FIELD.findall(paragraph)) for paragraph in status.split("\n\n")]
    there = [row for row in fields if row.get("Status", "").endswith(" installed")]
    rows = {row["Package"]: row for row in there if PACKAGE_NAME.fullmatch(row.get("Package", ""))}
    provides: dict[str, list[str]] = {}
    for name, row in rows.items():
        for virtual in _names(row.get("Provides", "")):
            provides.setdefault(virtual, []).append(name)

    def installed(clauses: str) -> tuple[str, ...]:
        """Of each clause's alternatives, the first that is there, as apt takes it."""
        wanted: dict[str, None] = {}
        for clause in clauses.split(","):
            for other in _names(clause.replace("|", ",")):
                here = [other] if other in rows else provides.get(other, [])[:1]
                if here:
                    wanted[here[0]] = None
                    break
        return tuple(wanted)

    depends = {name: installed(f"{row.get('Pre-Depends', '')},{row.get('Depends', '')}") for name, row in rows.items()}
    recommends = {name: installed(row["Recommends"]) for name, row in rows.items() if "Recommends" in row}
    automatic = {
        row.get("Package", "") for row in (dict(_FIELD.findall(text)) for text in states.split("\n\n"))
        if row.get("Auto-Installed") == "1"
    }  # fmt: skip
    return InstalledPackages("apt", depends, frozenset(set(rows) - automatic), recommends)


def _apk(database: str, world: str) -> InstalledPackages:
    provides: dict[str, str] = {}
    wanted: dict[str, list[str]] = {}
    for paragraph in database.split("\n\n"):
        fields = [line.partition(":")[::2] for line in paragraph.split("\n")]
        name = next((value for key, value in fields if key == "P"), "")
        if not PACKAGE_NAME.fullmatch(name.removeprefix(".")):  # a virtual one's name begins with a dot
            continue
        provides[name] = name
        for key, value in fields:
            if key == "p":
                provides.update({_plain(word): name for word in value.split()})
            elif key == "D":
                wanted[name] = [_plain(word) for word in value.split() if not word.startswith("!")]
    depends = {
        name: tuple(dict.fromkeys(provides[word] for word in wanted.get(name, ()) if word in provides))
        for name in set(provides.values())
    }
    named = {_plain(word) for word in world.split()}
    return InstalledPackages("apk", depends, frozenset(provides[word] for word in named if word in provides))


def _plain(word: str) -> str:
    """A dependency of apk without its version: `so:libc.musl-x86_64.so.1`, `busybox`."""
    return re.split(r"[<>=~@]", word, maxsplit=1)[0]


def _names(text: str) -> Iterator[str]:
    """The package names of a field of dpkg, without versions and architectures."""
    for clause in text.split(","):
        match = _NAME.match(clause.strip())
        if match is not None:
            yield match[0].partition(":")[0]
