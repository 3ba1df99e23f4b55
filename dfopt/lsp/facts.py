"""Facts for a document that need no network: its build context, the nearest lock file, its profile."""

from __future__ import annotations

import os

from dfopt.workspace.facts import ContextFacts, JoinedFacts
from dfopt.workspace.lock_facts import LockFacts, find_lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.facts import Facts
    from dfopt.source import Source


def facts_for(path: str, root: str, source: Source, context: str | None, *more: Facts) -> Facts:
    """Facts for the Dockerfile at `path`; the search for its build context stays within `root`. `context`: the one set
    in the configuration; `more`: what its profile answers."""
    context_facts = ContextFacts(path, root, source, context)
    return JoinedFacts((context_facts, *locked_facts(path), *more))


def locked_facts(path: str) -> tuple[Facts, ...]:
    """What the lock file nearest to the Dockerfile at `path` knows; nothing where there is none. Raises ConfigError."""
    lock = find_lock(os.path.dirname(path))
    return (LockFacts(lock),) if lock is not None else ()
