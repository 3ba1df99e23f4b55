"""Facts for a document that need no network: its build context and the nearest lock file."""

from __future__ import annotations

import os

from dfopt.workspace.facts import ContextFacts, JoinedFacts
from dfopt.workspace.lock_facts import LockFacts, find_lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.facts import Facts
    from dfopt.source import Source


def facts_for(path: str, root: str, source: Source, context: str | None) -> Facts:
    """Facts for the Dockerfile at `path`; the search for its build context stays within `root`. `context`: the one set
    in the configuration."""
    context_facts = ContextFacts(path, root, source, context)
    lock = find_lock(os.path.dirname(path))
    return JoinedFacts((context_facts, LockFacts(lock))) if lock is not None else context_facts
