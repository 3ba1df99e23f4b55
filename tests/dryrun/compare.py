"""Two builds of one file, before and after: the first way in which they differ and should not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from .allowed import Allowed
from .build import Built
from .calls import Call
from .tree import Entry

_NAMED = ("Env", "Labels")  # settings that are many
_IGNORED = ("ArgsEscaped", "OnBuild")  # OnBuild holds instructions, which any fix may rewrite


def settings(config: Mapping[str, Any]) -> dict[str, object]:
    """An image's config, flat: "User", "Env.PATH", "Labels.version"."""
    found: dict[str, object] = {}
    for key, value in config.items():
        if key == "Env":
            found.update({f"Env.{name}": text for name, _, text in (pair.partition("=") for pair in value or ())})
        elif key == "Labels":
            found.update({f"Labels.{name}": text for name, text in (value or {}).items()})
        elif key not in _IGNORED and value not in (None, "", [], {}):
            found[key] = value
    if found.get("WorkingDir") == "/":
        del found["WorkingDir"]
    return found


def config_difference(before: Mapping[str, Any], after: Mapping[str, Any], allowed: Allowed) -> str:
    one, two = settings(before), settings(after)
    for key in sorted(one.keys() | two.keys()):
        if one.get(key) != two.get(key) and not allowed.setting(key):
            return f"{key}: {one.get(key)!r} became {two.get(key)!r}"
    return ""


def _told(before: tuple[Call, ...], after: tuple[Call, ...]) -> str:
    """What differs first between two lists of calls."""
    for one, two in zip(before, after, strict=False):
        if one == two:
            continue
        if one.words != two.words:
            return f"{str(one)[:160]!r} became {str(two)[:160]!r}"
        for name in ("cwd", "uid", "gid", "umask"):
            if getattr(one, name) != getattr(two, name):
                return f"{str(one)[:120]!r}: {name} {getattr(one, name)} became {getattr(two, name)}"
        gone, come = set(one.env) - set(two.env), set(two.env) - set(one.env)
        return f"{str(one)[:120]!r}: environment {sorted(gone)[:3]} became {sorted(come)[:3]}"
    if len(before) > len(after):
        return f"{str(before[len(after)])[:160]!r} is gone"
    return f"{str(after[len(before)])[:160]!r} has come" if len(after) > len(before) else ""


def call_difference(before: Built, after: Built, allowed: Allowed, ordered: bool = True) -> str:
    """How the calls differ; `ordered`: their order counts."""
    if allowed.files == "any":
        return ""
    one = Counter(allowed.chain(chain) for chain in before.chains())
    two = Counter(allowed.chain(chain) for chain in after.chains())
    if one == two:
        return ""
    if not ordered:
        flat = [
            Counter(call for chain, count in side.items() for call in chain for _ in range(count))
            for side in (one, two)
        ]
        if flat[0] == flat[1]:
            return ""
    gone, come = (one - two) - Counter([()]), (two - one) - Counter([()])
    first = next(iter(gone), ())
    # the chain that has most in common
    near = max(come, key=lambda chain: len(set(chain) & set(first)), default=())
    return _told(first, near)


def file_differences(
    before: Mapping[str, Entry], after: Mapping[str, Entry], allowed: Allowed
) -> Iterator[tuple[str, Entry | None, Entry | None]]:
    for path in sorted(before.keys() | after.keys()):
        one, two = before.get(path), after.get(path)
        if one != two and not allowed.path(path, one, two):
            yield path, one, two
