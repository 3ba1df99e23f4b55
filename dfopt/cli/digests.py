"""The digests that a run needs: the images that its files name, with the answers of the lock file and of registries."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING

from dfopt.cli import out
from dfopt.cli.errors import UsageError
from dfopt.cli.progress import StatusDisplay, listed, shown
from dfopt.facts import Facts
from dfopt.registry.errors import RegistryError
from dfopt.registry.resolver import DigestResolver
from dfopt.request import read_input
from dfopt.source import Source
from dfopt.workspace.images import ImageUse, uses
from dfopt.workspace.lock_facts import LOCK_NAME, KnownFacts, find_lock, full_name
from dfopt.workspace.settings import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from dfopt.cli.options import Values
    from dfopt.registry.client import RegistryClient
    from dfopt.registry.lock import Lock
    from dfopt.registry.resolver import Mode
    from dfopt.request import Request
    from dfopt.workspace.discovery import InputFile


_ASKING = "asking registries for digests"


def lock_path(values: Values) -> str:
    """The lock file of a run: the one that is named, else the nearest, else a new one in the working directory. Raises
    UsageError."""
    try:
        return values.lock or find_lock(os.getcwd()) or LOCK_NAME
    except ConfigError as failure:
        raise UsageError(str(failure)) from None


def gather(files: Iterable[InputFile], request: Request | None = None) -> list[ImageUse]:
    """The images that the files name; `request` says which files embed Dockerfiles. An unreadable file yields nothing
    here: the run over the files reports it."""
    uses_of_files: list[ImageUse] = []
    for file in files:
        if file.error:
            continue
        try:
            source = Source.from_bytes(read_input(file.path), file.name)
        except OSError:
            continue
        kind = request.host_kind(file) if request is not None else None
        if kind is not None:
            from dfopt.embedded.uses import host_uses

            uses_of_files += host_uses(file.name, source.text, kind)
        else:
            uses_of_files += uses(file.name, source.text)
    return uses_of_files


def ask_online(values: Values, request: Request, files: Iterable[InputFile]) -> tuple[list[InputFile], int]:
    """For `--online`: adds to the request the digests of all images that the files name, or that passes may write in
    them, and the configs of base images. Returns the files and the exit status (2 if the digest of one that a file
    names cannot be had). Raises UsageError."""
    from dfopt.cli.network import client_of
    from dfopt.registry.lock import Lock, LockError, read_lock

    quiet = bool(values.given.get("quiet"))
    input_files = listed(files, quiet)
    path = lock_path(values)
    try:
        lock = read_lock(path) if os.path.exists(path) else Lock(path)
    except LockError as failure:
        raise UsageError(str(failure)) from None
    with client_of(values) as client:
        digests = Digests(lock, gather(input_files, request), "locked", lambda: client, quiet=quiet)
        digests.resolve()
        configs = image_configs(client, digests.images, quiet)
        facts = digests.facts()
        known = KnownFacts(facts.digests, facts.checksums, configs)
        wanted = [name for name in replacements(request, input_files, known, quiet) if name not in digests.failures]
        resolver = DigestResolver(lock, client, "locked", True, _today())
        with StatusDisplay(_ASKING, len(wanted), quiet) as display:
            answers = resolver.resolve_all(wanted, display.advance)
    added = {name: answer.digest for name, answer in answers.items() if answer.digest}
    request.facts = (*request.facts, KnownFacts({**facts.digests, **added}, facts.checksums, configs))
    return input_files, digests.report()


class WantedDigests(Facts):
    """Knows no digest, and keeps the full names of the images that passes ask about."""

    __slots__ = ("names",)

    def __init__(self) -> None:
        self.names: dict[str, None] = {}

    def digest(self, image: str) -> str | None:
        name = full_name(image)
        if name is not None:
            self.names[name] = None
        return None


def replacements(request: Request, files: list[InputFile], known: Facts, quiet: bool = False) -> list[str]:
    """The full names of images that passes ask a digest of and that `known` has none of: those that they would write
    in place of what a file names."""
    from dfopt.pass_selection import chosen

    wanted = WantedDigests()
    for file in shown("looking for images that fixes would write", files, quiet, after=1.0):
        try:
            if file.error or request.host_kind(file) is not None:
                continue
            source = request.read(file)
            options = request.options_for(file, source)
            if not any(entry.by_name for entry in chosen(options)):
                continue  # nothing that restructures stages runs
            optimize = partial(request.optimize_source, file, source, None, (known, wanted))
            if request.searches:
                from dfopt.proof.search import candidates

                candidates(optimize, options)
            else:
                optimize(options)
        except (OSError, ConfigError):
            continue  # the run over the files reports it
    return list(wanted.names)


def image_configs(client: RegistryClient, uses: list[ImageUse], quiet: bool = False) -> dict[str, dict[str, Any]]:
    """The run settings (User, Entrypoint ...) of base images by full name; for a multi-platform image, those of this
    machine's platform. Images that cannot be read are left out: the failure of their digest says why."""
    from concurrent.futures import ThreadPoolExecutor

    from dfopt.image.errors import ImageError
    from dfopt.image.remote import RemoteImages

    references = {_name(use): f"{use.text}@{use.pinned}" if use.pinned else use.text for use in uses if use.base}

    def config_of(reference: str) -> dict[str, Any] | None:
        try:
            return RemoteImages(reference, client=client).image().settings()
        except (ImageError, RegistryError, OSError):
            return None

    pool = ThreadPoolExecutor(8)
    try:
        with StatusDisplay("asking registries for settings of base images", len(references), quiet) as display:
            answers = list(display.over(pool.map(config_of, references.values())))
    finally:
        pool.shutdown(wait=False, cancel_futures=True)  # at an interrupt nobody waits: the client ends its requests
    configs = dict(zip(references, answers, strict=True))
    return {name: settings for name, settings in configs.items() if settings is not None}


class Digests:
    """What is known of the images (and downloads) that `uses` name.

    mode        "locked": the lock file decides; "update": ask registries for everything; "check": as "update", but
                leave the lock file alone
    client      creates the registry client when it is needed; None: offline
    verify      whether manifests are fetched and hashed
    everywhere  whether to look up images even if a pin cannot be written where they are named
    fetch       whether downloads are pinned as well
    quiet       whether nothing is shown while registries are asked
    failures    name or URL -> why there is no answer
    """

    def __init__(
        self,
        lock: Lock,
        uses: list[ImageUse],
        mode: Mode,
        client: Callable[[], RegistryClient] | None,
        *,
        verify: bool = True,
        everywhere: bool = False,
        fetch: bool = False,
        quiet: bool = False,
    ) -> None:
        self.lock = lock
        self.mode = mode
        self.client = client
        self.verify = verify
        self.everywhere = everywhere
        self.quiet = quiet
        self.images = [use for use in uses if not use.download and full_name(use.text) is not None]
        self._named = {use.text for use in uses if use.download}
        self.downloads = [use for use in uses if use.download and fetch]
        self.failures: dict[str, str] = {}
        self._locked = {image.reference: image.digest for image in lock.images}  # as it was before this run
        self._checksums = dict(lock.downloads)
        self._digests: dict[str, str] = {}
        self._fetched: dict[str, str] = {}

    def names(self) -> list[str]:
        """The images by full name, each once."""
        return list(dict.fromkeys(_name(use) for use in self.images))

    def resolve(self) -> None:
        """Asks the lock file, and the registries for the rest, each image once."""
        relevant = [use for use in self.images if self._matters(use)]
        names = list(dict.fromkeys(_name(use) for use in relevant))
        urls = list(dict.fromkeys(use.text for use in self.downloads if self._download_matters(use)))
        client = None
        needs_network = bool(names or urls) if self.mode != "locked" else self._unknown(names) or self._unfetched(urls)
        if self.client is not None and needs_network:
            client = self.client()
        resolver = DigestResolver(self.lock, client, self.mode, self.verify, _today())
        with StatusDisplay(_ASKING, len(names), self.quiet, 0.0 if client is not None else 1.0) as display:
            resolutions = resolver.resolve_all(names, display.advance)
        for name, resolution in resolutions.items():
            if resolution.error is not None:
                self.failures[name] = str(resolution.error)
            elif resolution.digest:
                self._digests[name] = resolution.digest
            elif self.mode != "check":
                self.failures[name] = f"offline, and it is not in {self.lock.path}"
        if client is not None:
            self._fetch(client, urls)
            for problem in client.problems():
                out.note(f"dfopt: warning: {out.printable(problem)}\n")

    def _matters(self, use: ImageUse) -> bool:
        """Whether an answer for this use could change anything: an existing pin needs none."""
        if self.mode == "check":
            return bool(use.pinned or _name(use) in self._locked)
        if self.mode == "update":
            return use.settable or self.everywhere
        return not use.pinned and (use.settable or self.everywhere)

    def _download_matters(self, use: ImageUse) -> bool:
        if self.mode == "check":
            return use.text in self._checksums or bool(use.pinned)
        return self.mode == "update" or not use.pinned

    def _unknown(self, names: list[str]) -> bool:
        return any(self.lock.image(name) is None for name in names)

    def _unfetched(self, urls: list[str]) -> list[str]:
        """The downloads whose checksum is needed."""
        return [url for url in urls if self.mode != "locked" or url not in self._checksums]

    def _fetch(self, client: Any, urls: list[str]) -> None:
        unfetched = self._unfetched(urls)
        if not unfetched:
            return
        with StatusDisplay(f"downloading {len(unfetched)} files for their checksums", quiet=self.quiet):
            checksums = client.checksums(unfetched)
        for url, checksum in checksums.items():
            if isinstance(checksum, RegistryError):
                self.failures[url] = str(checksum)
                continue
            self._fetched[url] = checksum
            if self.mode != "check":
                try:
                    self.lock.set_download(url, checksum)
                except ValueError as failure:
                    self.failures[url] = str(failure)

    def report(self) -> int:
        """Reports each failure with the places it concerns; returns the exit status."""
        for name, why in self.failures.items():
            places = [use for use in (*self.images, *self.downloads) if name in (use.text, _name(use))]
            first = places[0]
            others = f" (and in {len(places) - 1} more places)" if len(places) > 1 else ""
            out.note(f"{out.printable(f'{first.place}: error: {first.text}{others}: {why}')}\n")
        return 2 if self.failures else 0

    def prune(self) -> None:
        """Drops entries that no use names from the lock file."""
        self.lock.keep_only(self.names())
        self.lock.keep_bases({digest for _, digest in self.bases()})
        self.lock.keep_downloads(self._named)

    def bases(self) -> list[tuple[ImageUse, str]]:
        """The base images whose digest is known, each once, with it."""
        found: dict[str, ImageUse] = {}
        for use in self.images:
            digest = self._digests.get(_name(use)) or use.pinned
            if use.base and digest:
                found.setdefault(digest, use)
        return [(use, digest) for digest, use in found.items()]

    def known(self) -> tuple[dict[str, str], dict[str, str]]:
        """(digest by full name, checksum by URL) of the images and downloads that are not pinned in place."""
        images = {
            name: self._digests[name]
            for use in self.images
            if (name := _name(use)) in self._digests and (not use.pinned or self.mode == "update")
        }
        checksums = {url: checksum for url in sorted(self._named) if (checksum := self.lock.checksum(url)) is not None}
        return images, checksums

    def facts(self) -> KnownFacts:
        """The facts for the passes."""
        return KnownFacts(self._digests, dict(self.lock.downloads))

    # -- what moved ------------------------------------------------------------------------------------------------

    def pinned(self) -> list[ImageUse]:
        """The uses with a pin, in place or in the lock file."""
        return [use for use in (*self.images, *self.downloads) if self._pin(use)]

    def unpinned(self) -> list[ImageUse]:
        return [use for use in self.images if not self._pin(use)]

    def moved(self) -> list[tuple[ImageUse, str, str]]:
        """(use, its pin, the current digest or checksum) where the two differ."""
        moves: list[tuple[ImageUse, str, str]] = []
        for use in self.pinned():
            now = self._now(use)
            if now and now != self._pin(use):
                moves.append((use, self._pin(use), now))
        return moves

    def as_json(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        for use in (*self.images, *self.downloads):
            pin, now = self._pin(use), self._now(use)
            name = use.text if use.download else _name(use)
            status = "unknown" if not now else "moved" if pin and pin != now else "same"
            rows.append(
                {
                    "file": use.file, "line": use.line, "column": use.column,
                    "kind": "download" if use.download else "image", "name": use.text,
                    "status": "not pinned" if not pin else "error" if name in self.failures else status,
                    "pinned": pin or None, "now": now or None, "error": self.failures.get(name),
                }
            )  # fmt: skip
        return rows

    def _pin(self, use: ImageUse) -> str:
        if use.pinned:
            return use.pinned
        return self._checksums.get(use.text, "") if use.download else self._locked.get(_name(use), "")

    def _now(self, use: ImageUse) -> str:
        return self._fetched.get(use.text, "") if use.download else self._digests.get(_name(use), "")


def _name(use: ImageUse) -> str:
    return use.text if use.download else full_name(use.text) or use.text


def _today() -> str:
    """The date for new lock entries, in UTC; that of SOURCE_DATE_EPOCH if it is set."""
    import time

    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    return time.strftime("%Y-%m-%d", time.gmtime(int(epoch) if epoch.isdigit() else None))
