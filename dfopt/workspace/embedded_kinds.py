"""Which files are hosts, by their names; and which YAML files are Kubernetes manifests, by their texts."""

from __future__ import annotations

import re

from dfopt.files import read_regular
from dfopt.knowledge import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

KINDS = ("compose", "bake", "github", "gitlab", "circleci", "python", "template", "helm", "kubernetes")
# what is read of a file for its name alone: no Dockerfile is called so
DEFINITIONS = ("compose", "bake", "github", "gitlab", "circleci", "helm", "kubernetes")
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


def is_manifest(path: str) -> bool:
    """Whether a document of the file at `path` says that it is an object of Kubernetes; what cannot be read is none."""
    try:
        text = read_regular(path)
    except OSError:
        return False
    return (
        re.search(rb"^apiVersion[ \t]*:", text, re.M) is not None
        and re.search(rb"^kind[ \t]*:", text, re.M) is not None
    )
