"""Digests for a run: what the lock file knows, what the registries say, and what cannot be known offline.

A resolver answers one of five statuses for a reference:

    pinned           the digest is known: by the reference itself, the lock, or the registry
    moved            the tag names another digest than the one that it was pinned to
    missing          the registry answers that there is no such image or tag
    offline-unknown  offline, and the lock does not know the reference
    error            no answer, and why
"""

from __future__ import annotations

from dfopt.record import Record
from dfopt.registry.errors import NotFoundError, RegistryError
from dfopt.registry.lock import LockedImage
from dfopt.registry.reference import spelled, target_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Literal

    from dfopt.registry.client import RegistryClient
    from dfopt.registry.lock import Lock
    from dfopt.registry.manifests import Digest
    from dfopt.registry.reference import Target
    from dfopt.syntax.image_ref import ImageRef

    Status = Literal["pinned", "moved", "missing", "offline-unknown", "error"]
    Mode = Literal["locked", "update", "check"]


class Resolution(Record):
    """The answer for one reference.

    `reference`: in full ("docker.io/library/debian:12"), or as written when that cannot be read. `digest`: to pin to;
    for `moved` the new one; empty without one. `previous`: what the reference or, without a pin, the lock says; empty
    for neither. `source`: who gave the digest. `error`: set for `missing` and `error`.
    """

    reference: str
    status: Status
    digest: str = ""
    previous: str = ""
    source: Literal["", "reference", "lock", "registry"] = ""
    media_type: str = ""
    platforms: tuple[str, ...] | None = None
    error: RegistryError | None = None


class DigestResolver:
    """Combines a lock, a client and the offline switch; keeps the lock in memory up to date, and never writes it.

    `client` None means offline. `mode`:

    - "locked": a pin in the reference stands, then the lock's; the registry is asked for the rest. Reproducible.
    - "update": the registry is asked for everything; `moved` where that differs from the pin. The lock takes the new.
    - "check": as "update", but the lock stays as it is. Offline, pins are compared with the lock.

    `verify`: contents are fetched and hashed. `today` ("2026-11-03") dates new lock entries; empty: no dates.
    """

    def __init__(
        self,
        lock: Lock,
        client: RegistryClient | None = None,
        mode: Mode = "locked",
        verify: bool = False,
        today: str = "",
    ) -> None:
        self.lock = lock
        self._client = client
        self._mode = mode
        self._verify = verify
        self._today = today

    def resolve(self, ref: str | ImageRef) -> Resolution:
        """The answer for one reference; never raises RegistryError."""
        return next(iter(self.resolve_all([ref]).values()))

    def resolve_all(
        self, refs: Iterable[str | ImageRef], on_result: Callable[[str, Digest | RegistryError], None] | None = None
    ) -> dict[str, Resolution]:
        """The answer for each reference, keyed by its text as given, in the order given; one round of requests.
        `on_result` as in `RegistryClient.resolve_all`."""
        answers: dict[str, Resolution | None] = {}
        targets: dict[str, Target] = {}
        for ref in refs:
            text = spelled(ref)
            if text in answers:
                continue
            try:
                target = target_of(ref)
            except RegistryError as error:
                answers[text] = Resolution(text, "error", error=error)
                continue
            answers[text] = self._without_network(target)
            if answers[text] is None:
                targets[text] = target
        if targets and self._client is not None:
            # Before the first entry changes: two spellings of one name shall both learn that it moved.
            pins = {text: target.digest or self._locked_digest(target) for text, target in targets.items()}
            outcomes = self._client.resolve_all(targets, self._verify, on_result)
            for text, target in targets.items():
                answers[text] = self._from_registry(target, outcomes[text], pins[text])
        return {text: answer for text, answer in answers.items() if answer is not None}

    def _without_network(self, target: Target) -> Resolution | None:
        """The answer that needs no registry; None when the registry has to be asked."""
        name = str(target)
        locked = self.lock.image(name)
        locked_digest = locked.digest if locked is not None else ""
        if self._mode == "locked" and target.digest:
            return Resolution(name, "pinned", target.digest, target.digest, "reference")
        if locked is not None and (self._mode == "locked" or self._client is None):
            moved = bool(target.digest) and target.digest != locked_digest
            previous = target.digest or locked_digest
            return Resolution(
                name,
                "moved" if moved else "pinned",
                locked_digest,
                previous,
                "lock",
                locked.media_type,
                locked.platforms,
            )
        if self._client is not None:
            return None
        if target.digest and not target.tag:  # a bare digest cannot move
            return Resolution(name, "pinned", target.digest, target.digest, "reference")
        return Resolution(name, "offline-unknown", "", target.digest)

    def _locked_digest(self, target: Target) -> str:
        locked = self.lock.image(str(target))
        return locked.digest if locked is not None else ""

    def _from_registry(self, target: Target, outcome: Digest | RegistryError, previous: str) -> Resolution:
        name = str(target)
        if isinstance(outcome, RegistryError):
            status: Status = "missing" if isinstance(outcome, NotFoundError) else "error"
            return Resolution(name, status, "", previous, error=outcome)
        if self._mode != "check" and target.tag:
            self.lock.set_image(LockedImage(name, outcome.value, outcome.media_type, outcome.platforms, self._today))
        return Resolution(
            name,
            "moved" if previous and previous != outcome.value else "pinned",
            outcome.value,
            previous,
            "registry",
            outcome.media_type,
            outcome.platforms,
        )
