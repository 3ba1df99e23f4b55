"""Which files are hosts, by their names."""

from __future__ import annotations

import re

from dfopt.knowledge import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

KINDS = ("compose", "github", "gitlab", "circleci", "python", "template")
GROUPS = {"ci": ("github", "gitlab", "circleci"), "all": KINDS}

_patterns: dict[str, re.Pattern[str]] = {}


def expand(words: Iterable[str]) -> tuple[str, ...]:
    """Kinds and groups of kinds as kinds, in the order of KINDS. Raises KeyError for a word that is neither."""
    kinds: set[str] = set()
    for word in words:
        if word in GROUPS:
            kinds.update(GROUPS[word])
        elif word in KINDS:
            kinds.add(word)
        else:
            raise KeyError(word)
    return tuple(kind for kind in KINDS if kind in kinds)


def kind_of(path: str, kinds: Iterable[str]) -> str | None:
    """Which of `kinds` a file is, by its path ("/" between the parts), or None."""
    low = path.lower()
    for kind in kinds:
        pattern = _patterns.get(kind)
        if pattern is None:
            words = [re.escape(word).replace(r"\*", "[^/]*") for word in table("hosts")["files"][kind]]
            pattern = _patterns[kind] = re.compile(rf"(?:^|/)(?:{'|'.join(words)})\Z")
        if pattern.search(low):
            return kind
    return None
