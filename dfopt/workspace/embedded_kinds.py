"""Which files are hosts, by their names; and which YAML and JSON files are Kubernetes manifests, by their texts."""

from __future__ import annotations

import os
import re

from dfopt.build_definitions.model import LARGEST
from dfopt.files import read_regular
from dfopt.knowledge import table
from dfopt.lazy import regex

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

KINDS = ("compose", "bake", "github", "gitlab", "circleci", "python", "template", "helm", "kustomize", "kubernetes")
# what is read of a file for its name alone: no Dockerfile is called so
DEFINITIONS = ("compose", "bake", "github", "gitlab", "circleci", "helm", "kustomize", "kubernetes")
GROUPS = {"ci": ("github", "gitlab", "circleci"), "all": KINDS}

_VERSION = regex(rb"^apiVersion[ \t]*:", re.M)
_KIND = regex(rb"^kind[ \t]*:", re.M)
_JSON_VERSION = regex(rb'"apiVersion"[ \t\r\n]*:[ \t\r\n]*"(?:[a-z0-9.-]+/)?v\d')
_JSON_KIND = regex(rb'"kind"[ \t\r\n]*:[ \t\r\n]*"')
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
    is_json = path.lower().endswith(".json")
    try:
        if is_json and os.path.getsize(path) > LARGEST:
            return False  # it would be refused, and data is often kept so
        text = read_regular(path)
    except OSError:
        return False
    # JSON has these keys in any file of an API, and of Azure's templates: there, the version must look like one
    version, kind = (_JSON_VERSION, _JSON_KIND) if is_json else (_VERSION, _KIND)
    return version.search(text) is not None and kind.search(text) is not None
