"""`dfopt.lock`: the digests of image references and the checksums of downloads, for review and for offline runs.

TOML, one table per reference in the order of their names, so that two branches that pin different images merge:

    version = 1

    [[image]]
    reference = "docker.io/library/debian:12"
    digest = "sha256:..."
    media-type = "application/vnd.oci.image.index.v1+json"
    platforms = ["linux/amd64", "linux/arm64"]
    resolved = "2026-11-03"

    [[download]]
    url = "https://example.com/tool.tar.gz"
    checksum = "sha256:..."

and a [[base]] for each base image that `dfopt pin --facts` asked about (`registry.locked_base`). `platforms` and
`resolved` are optional. The same lock always makes the same bytes.
"""

from __future__ import annotations

import re

from dfopt.files import read_regular, tree_of
from dfopt.record import Record
from dfopt.registry.locked_base import KEYS, LockedBase, read, rows
from dfopt.registry.manifests import ACCEPTED_TYPES, is_digest
from dfopt.toml import TomlError, parse
from dfopt.writing import replace_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Container, Iterable
    from typing import Any

VERSION = 1
_HEAD = "# Written by `dfopt pin`; change it by `dfopt pin --update`.\n"
_TABLE = re.compile(r"^[ \t]*\[\[[ \t]*(image|download|base)[ \t]*\]\]")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_REFERENCE = re.compile(r"[a-z0-9A-Z.\-]+(:\d+)?|\[[0-9a-fA-F:]+\](:\d+)?")
_CONFLICT = re.compile(r"^(<{7}|={7}|>{7}|\|{7})(?: |$)", re.MULTILINE)
_KEYS = {
    "image": {"reference", "digest", "media-type", "platforms", "resolved"},
    "download": {"url", "checksum"},
    "base": KEYS,
}


class LockError(Exception):
    """The lock file cannot be read or written. `line` counts from 1; 0 where no line is to blame."""

    def __init__(self, path: str, line: int, what: str, hint: str = "") -> None:
        super().__init__(path, line, what, hint)
        self.path = path
        self.line = line
        self.what = what
        self.hint = hint

    def __str__(self) -> str:
        place = f"{self.path}:{self.line}" if self.line else self.path
        return f"{place}: {self.what}" + (f"; {self.hint}" if self.hint else "")


class LockedImage(Record):
    """One image: `reference` in full ("docker.io/library/debian:12"), `resolved` a date ("2026-11-03") or empty."""

    reference: str
    digest: str
    media_type: str
    platforms: tuple[str, ...] | None = None
    resolved: str = ""


class Lock:
    """The entries of a lock file, in memory: made by `read_lock`, or empty; `write` saves it."""

    def __init__(
        self,
        path: str,
        images: Iterable[LockedImage] = (),
        downloads: dict[str, str] | None = None,
        bases: Iterable[LockedBase] = (),
    ) -> None:
        self.path = path
        self._images = {image.reference: image for image in images}
        self._downloads = dict(downloads or {})
        self._bases = {base.digest: base for base in bases}
        self._read: bytes | None = None

    @property
    def images(self) -> list[LockedImage]:
        """All images, by reference."""
        return [self._images[key] for key in sorted(self._images)]

    @property
    def downloads(self) -> list[tuple[str, str]]:
        """URL and checksum of all downloads, by URL."""
        return sorted(self._downloads.items())

    def image(self, reference: str) -> LockedImage | None:
        """The entry of a reference in full, as `str(Target)` spells it."""
        return self._images.get(reference)

    def checksum(self, url: str) -> str | None:
        """The checksum ("sha256:...") of a download."""
        return self._downloads.get(url)

    def base(self, digest: str) -> LockedBase | None:
        """What is known of the base image of a digest."""
        return self._bases.get(digest)

    def set_base(self, base: LockedBase) -> None:
        """Adds or replaces."""
        self._bases[base.digest] = base

    def keep_bases(self, digests: Container[str]) -> None:
        """Drops base images that nothing names any more."""
        self._bases = {digest: base for digest, base in self._bases.items() if digest in digests}

    def set_image(self, image: LockedImage) -> None:
        """Adds or replaces; an entry of the same digest keeps its date and platforms, so that re-runs change nothing.

        Raises ValueError for what `read_lock` would not take.
        """
        _check_image(image)
        old = self._images.get(image.reference)
        if old is not None and old.digest == image.digest:
            platforms = image.platforms if old.platforms is None else old.platforms
            image = LockedImage(old.reference, old.digest, old.media_type, platforms, old.resolved or image.resolved)
        self._images[image.reference] = image

    def set_download(self, url: str, checksum: str) -> None:
        """Adds or replaces. Raises ValueError for a malformed checksum or a URL with a user part."""
        _check_download(url, checksum)
        self._downloads[url] = checksum

    def keep_only(self, references: Iterable[str]) -> list[str]:
        """Drops images that no reference names any more; returns what was dropped."""
        retained = set(references)
        dropped = sorted(key for key in self._images if key not in retained)
        for key in dropped:
            del self._images[key]
        return dropped

    def keep_downloads(self, urls: Iterable[str]) -> list[str]:
        """Drops downloads that nothing names any more; returns what was dropped."""
        retained = set(urls)
        dropped = sorted(url for url in self._downloads if url not in retained)
        for url in dropped:
            del self._downloads[url]
        return dropped

    def text(self) -> str:
        """The file's content."""
        parts = [_HEAD, f"version = {VERSION}\n"]
        for image in self.images:
            parts.append(f"\n[[image]]\nreference = {_quoted(image.reference)}\ndigest = {_quoted(image.digest)}\n")
            parts.append(f"media-type = {_quoted(image.media_type)}\n")
            if image.platforms is not None:
                parts.append(f"platforms = [{', '.join(map(_quoted, sorted(set(image.platforms))))}]\n")
            if image.resolved:
                parts.append(f"resolved = {_quoted(image.resolved)}\n")
        for url, checksum in self.downloads:
            parts.append(f"\n[[download]]\nurl = {_quoted(url)}\nchecksum = {_quoted(checksum)}\n")
        for _, base in sorted(self._bases.items()):
            parts.append("\n[[base]]\n")
            for key, value in rows(base):
                if isinstance(value, list):
                    text = f"[{', '.join(map(_quoted, value))}]"
                else:
                    text = _quoted(value) if isinstance(value, str) else str(value)
                parts.append(f"{key} = {text}\n")
        return "".join(parts)

    def write(self) -> bool:
        """Saves when something changed; whether it did. Whole or not at all; an existing file keeps its mode.

        Raises LockError: the file changed since it was read, is a link or no plain file, or the disk says no.
        """
        data = self.text().encode("utf-8")
        try:
            now = _read_bytes(self.path)
            if now != self._read:
                raise LockError(self.path, 0, "was changed by someone else meanwhile", "run again")
            if now is not None and now.replace(b"\r\n", b"\n") == data:
                return False
            replace_file(self.path, data, now, tree_of(self.path))
        except OSError as error:
            raise LockError(self.path, 0, f"cannot be written: {error.strerror or error}") from None
        self._read = data
        return True


def read_lock(path: str) -> Lock:
    """The lock file at `path`; an empty lock when there is no such file. Raises LockError, with the line at fault."""
    try:
        data = _read_bytes(path)
    except OSError as error:
        raise LockError(path, 0, f"cannot be read: {error.strerror or error}") from None
    if data is None:
        return Lock(path)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise LockError(path, data.count(b"\n", 0, error.start) + 1, "is not UTF-8") from None
    lock = _parse(path, text.replace("\r\n", "\n"))
    lock._read = data
    return lock


def _parse(path: str, text: str) -> Lock:
    if conflict := _CONFLICT.search(text):
        line = text.count("\n", 0, conflict.start()) + 1
        raise LockError(path, line, "holds the marks of a merge conflict", "keep either side, then run `dfopt pin`")
    try:
        content = parse(text.encode())[1]
    except TomlError as error:
        raise LockError(path, error.line, f"is not TOML: {error.message}") from None
    version = content.pop("version", None)
    if version != VERSION or isinstance(version, bool):
        stated = "no `version`" if version is None else f"version {version!r}"
        raise LockError(path, _line_of(text, "version"), f"has {stated}; this dfopt reads version {VERSION}")
    for key in content:
        if key not in _KEYS:
            raise LockError(path, _line_of(text, key), f"unknown key {key!r}", "was it written by a newer dfopt?")
    images: dict[str, LockedImage] = {}
    downloads: dict[str, str] = {}
    bases: dict[str, LockedBase] = {}
    for kind in _KEYS:
        entries = content.get(kind, [])
        if not isinstance(entries, list):
            raise LockError(path, _line_of(text, kind), f"{kind} must be written as [[{kind}]] tables")
        lines = [n for n, line in enumerate(text.split("\n"), 1) if (m := _TABLE.match(line)) and m[1] == kind]
        for index, entry in enumerate(entries):
            line = lines[index] if len(lines) == len(entries) else 0
            try:
                if kind == "image":
                    image = _read_image(entry)
                    if image.reference in images:
                        raise ValueError(f"{image.reference} is listed twice")
                    images[image.reference] = image
                elif kind == "base":
                    base = read(_checked_table(entry, "base"))
                    bases[base.digest] = base
                else:
                    url, checksum = _read_download(entry)
                    if url in downloads:
                        raise ValueError("this URL is listed twice")
                    downloads[url] = checksum
            except ValueError as error:
                raise LockError(path, line, str(error)) from None
    return Lock(path, images.values(), downloads, bases.values())


def _read_image(entry: Any) -> LockedImage:
    table = _checked_table(entry, "image")
    platforms = table.get("platforms")
    if platforms is not None and not (isinstance(platforms, list) and all(isinstance(p, str) for p in platforms)):
        raise ValueError("`platforms` must be a list of strings")
    resolved = table.get("resolved", "")
    image = LockedImage(
        _string(table, "reference"),
        _string(table, "digest"),
        _string(table, "media-type"),
        None if platforms is None else tuple(platforms),
        resolved if isinstance(resolved, str) else str(resolved),  # a TOML date spells itself the same way
    )
    _check_image(image)
    return image


def _read_download(entry: Any) -> tuple[str, str]:
    table = _checked_table(entry, "download")
    url, checksum = _string(table, "url"), _string(table, "checksum")
    _check_download(url, checksum)
    return url, checksum


def _checked_table(entry: Any, kind: str) -> dict[str, Any]:
    if not isinstance(entry, dict):
        raise ValueError(f"{kind} must be written as [[{kind}]] tables")
    for key in entry:
        if key not in _KEYS[kind]:
            raise ValueError(f"unknown key {key!r} in [[{kind}]]")
    return entry


def _string(table: dict[str, Any], key: str) -> str:
    value = table.get(key)
    if not isinstance(value, str) or not value:
        raise ValueError(f"`{key}` is missing" if value is None else f"`{key}` must be a string")
    return value


def _check_image(image: LockedImage) -> None:
    host, slash, path = image.reference.partition("/")
    if not slash or not _REFERENCE.fullmatch(host) or not re.fullmatch(r"[^\s@]+", path):
        raise ValueError(f"{image.reference!r} is no image reference in full, as docker.io/library/debian:12 is")
    if not is_digest(image.digest):
        raise ValueError(f"`digest` of {image.reference} is not `sha256:` and 64 lower-case hex digits")
    if image.media_type not in ACCEPTED_TYPES:
        raise ValueError(f"`media-type` of {image.reference} is not that of an image index or manifest")
    if image.resolved and not _DATE.fullmatch(image.resolved):
        raise ValueError(f"`resolved` of {image.reference} must be a date, as 2026-11-03 is")


def _check_download(url: str, checksum: str) -> None:
    if not re.fullmatch(r"https?://[^/\s@]+(/\S*)?", url) or not url.isprintable():
        raise ValueError("a download's `url` must be an http or https URL without user and password")
    if not is_digest(checksum):
        raise ValueError("a download's `checksum` is not `sha256:` and 64 lower-case hex digits")


def _line_of(text: str, key: str) -> int:
    """The line on which a top-level key or its table stands; 0 when it is not found."""
    spelled = re.compile(rf"^[ \t]*(?:\[+[ \t]*)?[\"']?{re.escape(key)}\b")
    return next((n for n, line in enumerate(text.split("\n"), 1) if spelled.match(line)), 0)


def _quoted(text: str) -> str:
    """A TOML basic string."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + re.sub(r"[\x00-\x1f\x7f]", lambda m: f"\\u{ord(m[0]):04x}", escaped) + '"'


def _read_bytes(path: str) -> bytes | None:
    try:
        return read_regular(path)
    except FileNotFoundError:
        return None
