"""Where an image's manifests are asked for: mirrors before the registry itself, as containers-registries.conf(5) says.

A rule has a prefix ("docker.io", "registry.example/team"), where that prefix really lives (`location`), and mirrors to
ask before it. The longest prefix that holds the repository decides. `unqualified-search-registries` and short-name
aliases mean nothing to a Dockerfile, which docker's rules complete, and are not read.
"""

from __future__ import annotations

import os

from dfopt.files import read_regular
from dfopt.record import Record
from dfopt.registry.errors import BlockedError, SettingsError
from dfopt.toml import TomlError, parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


class Endpoint(Record):
    """A registry ("host[:port]", as an image name spells it) and a repository there."""

    host: str
    path: str

    def __str__(self) -> str:
        return f"{self.host}/{self.path}"


class MirrorRule(Record):
    """One `[[registry]]` table. `mirrors`: (location, "all" | "digest-only" | "tag-only") each.

    Locations are "host[:port][/path]". `insecure`: hosts that the table calls so. `origin`: the file, for messages.
    """

    prefix: str
    location: str
    mirrors: tuple[tuple[str, str], ...] = ()
    insecure: tuple[str, ...] = ()
    blocked: bool = False
    origin: str = ""


class Mirrors:
    """The rules that hold for a run; later rules of the same prefix replace earlier ones."""

    def __init__(self, rules: tuple[MirrorRule, ...] | list[MirrorRule] = ()) -> None:
        self.rules = {rule.prefix.lower(): rule for rule in rules}

    @classmethod
    def of(cls, mirrors: Mapping[str, list[str] | tuple[str, ...]]) -> Mirrors:
        """Rules from an option: registry (or prefix) -> locations, each "host[:port][/path]"."""
        return cls(
            [
                MirrorRule(_clean(prefix), _clean(prefix), tuple((_clean(m), "all") for m in locations))
                for prefix, locations in mirrors.items()
            ]
        )

    def endpoints(self, host: str, path: str, by_digest: bool = False) -> list[Endpoint]:
        """What to ask, in order, for repository `path` of `host`; the registry itself stands last.

        `by_digest`: the request names a digest; mirrors may be limited to these, or to tags. Raises BlockedError.
        """
        full = f"{host.lower()}/{path}"
        best: MirrorRule | None = None
        for prefix, rule in self.rules.items():
            if _holds(prefix, full) and (best is None or len(prefix) > len(best.prefix)):
                best = rule
        if best is None:
            return [Endpoint(host, path)]
        if best.blocked:
            where = f" in {best.origin}" if best.origin else ""
            raise BlockedError(f"registry {best.prefix} is blocked{where}", "remove `blocked = true` there", host)
        suffix = full[len(host) :] if best.prefix.startswith("*.") else full[len(best.prefix) :]
        skip = "digest-only" if not by_digest else "tag-only"
        endpoints = [_endpoint(location + suffix) for location, pulls in best.mirrors if pulls != skip]
        endpoints.append(_endpoint(best.location + suffix) if best.location else Endpoint(host, path))
        return list(dict.fromkeys(endpoints))

    def insecure_hosts(self) -> tuple[str, ...]:
        """Hosts for which plain http, or an unverified certificate, is allowed by a rule."""
        return tuple(sorted({host for rule in self.rules.values() for host in rule.insecure}))


def _holds(prefix: str, full: str) -> bool:
    if prefix.startswith("*."):
        return full.partition("/")[0].partition(":")[0].endswith(prefix[1:])
    return full.startswith(prefix) and full[len(prefix) : len(prefix) + 1] in ("/", "")


def _endpoint(location: str) -> Endpoint:
    host, _, path = location.partition("/")
    return Endpoint(host, path)


def _clean(location: str) -> str:
    """A location without scheme and outer slashes; the scheme is decided by `insecure`, as for every registry."""
    bare = location.strip()
    for prefix in ("https://", "http://"):
        if bare.lower().startswith(prefix):
            bare = bare[len(prefix) :]
    bare = bare.strip("/")
    if not bare or "@" in bare or any(c.isspace() or c in "?#" for c in bare):
        raise SettingsError("a mirror's location must be HOST[:PORT][/PATH], without user, query or blanks")
    return bare


# -- registries.conf ---------------------------------------------------------------------------------------------------


def standard_files(env: Mapping[str, str]) -> list[str]:
    """The registries.conf files that the containers tools would read: one main file, then its drop-ins in order."""
    home = env.get("HOME") or os.path.expanduser("~")
    user = os.path.join(env.get("XDG_CONFIG_HOME") or os.path.join(home, ".config"), "containers")
    named = env.get("CONTAINERS_REGISTRIES_CONF")
    mains = [named] if named else [os.path.join(d, "registries.conf") for d in (user, "/etc/containers")]
    files = [path for path in mains if os.path.isfile(path)][:1] or ([named] if named else [])
    if not named:
        for folder in ("/etc/containers/registries.conf.d", os.path.join(user, "registries.conf.d")):
            names = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
            files += [os.path.join(folder, name) for name in names if name.endswith(".conf")]
    return files


def read_registries_conf(paths: list[str]) -> Mirrors:
    """Mirrors and locations of registries.conf files (version 2). Raises SettingsError with file and reason."""
    rules: list[MirrorRule] = []
    for path in paths:
        try:
            content = parse(read_regular(path))[1]
        except OSError as error:
            raise SettingsError(f"{path} cannot be read: {error.strerror}") from None
        except TomlError as error:
            place = f" (line {error.line})" if error.line else ""
            raise SettingsError(f"{path} is not TOML: {error.message}{place}") from None
        tables = content.get("registry", [])
        if not isinstance(tables, list):
            raise SettingsError(f"{path}: [[registry]] must be a list of tables")
        try:
            rules += [_rule(table, path) for table in tables]
        except SettingsError as error:
            raise SettingsError(f"{path}: {error.what}") from None
    return Mirrors(rules)


def _rule(table: Any, path: str) -> MirrorRule:
    if not isinstance(table, dict):
        raise SettingsError("[[registry]] must be a list of tables")
    location = _text(table, "location")
    prefix = _text(table, "prefix") or location
    if not prefix:
        raise SettingsError("a [[registry]] table needs `prefix` or `location`")
    if not location and not prefix.startswith("*."):
        location = prefix
    mirrors: list[tuple[str, str]] = []
    insecure: list[str] = []
    if _flag(table, "insecure") and (location or not prefix.startswith("*.")):
        insecure.append(_clean(location or prefix).partition("/")[0])
    entries = table.get("mirror", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise SettingsError("[[registry.mirror]] must be a list of tables")
    for entry in entries:
        pulls = _text(entry, "pull-from-mirror") or "all"
        if pulls not in ("all", "digest-only", "tag-only"):
            raise SettingsError("`pull-from-mirror` must be all, digest-only or tag-only")
        if table.get("mirror-by-digest-only") is True:
            pulls = "digest-only"
        mirror = _clean(_text(entry, "location"))
        mirrors.append((mirror, pulls))
        if _flag(entry, "insecure"):
            insecure.append(mirror.partition("/")[0])
    return MirrorRule(
        prefix if prefix.startswith("*.") else _clean(prefix),
        _clean(location) if location else "",
        tuple(mirrors),
        tuple(insecure),
        _flag(table, "blocked"),
        path,
    )


def _text(table: dict[str, Any], key: str) -> str:
    value = table.get(key, "")
    if not isinstance(value, str):
        raise SettingsError(f"`{key}` must be a string")
    return value


def _flag(table: dict[str, Any], key: str) -> bool:
    value = table.get(key, False)
    if not isinstance(value, bool):
        raise SettingsError(f"`{key}` must be true or false")
    return value
