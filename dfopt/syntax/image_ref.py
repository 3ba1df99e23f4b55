"""Image names: `registry/repository:tag@digest`, as docker and BuildKit read them.

Rules: github.com/distribution/reference (grammar, normalization to docker.io/library, messages) and
github.com/opencontainers/go-digest (digests).
"""

from __future__ import annotations

from dfopt.lazy import regex
from dfopt.record import Record

DEFAULT_DOMAIN = "docker.io"
DEFAULT_TAG = "latest"
_OFFICIAL = "library/"
_LONGEST_PATH = 255

_COMPONENT = r"[a-zA-Z0-9]+(?:-+[a-zA-Z0-9]+)*"
_HOST = rf"(?:{_COMPONENT}(?:\.{_COMPONENT})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?"
_SEGMENT = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
_TAG = r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}"
_DIGEST = r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}"
_REFERENCE = regex(
    rf"(?:(?P<host>{_HOST})/)?(?P<path>{_SEGMENT}(?:/{_SEGMENT})*)(?::(?P<tag>{_TAG}))?(?:@(?P<digest>{_DIGEST}))?\Z"
)
_TAG_ONLY = regex(rf"{_TAG}\Z")
_IDENTIFIER = regex(r"[a-f0-9]{64}\Z")
_LOWER_HEX = regex(r"[a-f0-9]*\Z")
_DIGEST_LENGTH = {"sha256": 64, "sha384": 96, "sha512": 128}


class ImageRefError(ValueError):
    """Not an image name. The message is the one docker gives."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class ImageRef(Record):
    """An image name, and where its parts stand in `text`.

    text        as written
    registry    the host as written (`ghcr.io`, `localhost:5000`), "" where docker.io is meant without being named
    repository  what follows the host, without tag and digest, as written
    tag,digest  "" where there is none (a digest with its algorithm: `sha256:...`)
    domain,path normalized: `ubuntu` is `docker.io` and `library/ubuntu`. `domain` is "" for the odd name whose first
                segment looks like a host but cannot be one (`foo_bar.com/app`): docker takes it all for a path
    name_end    `text[:name_end]` is registry and repository; a tag would be inserted here
    tag_span    half-open span of the tag in `text`, without its colon; None where there is no tag
    digest_span half-open span of the digest in `text`, without its `@`; None where there is no digest
    """

    text: str
    registry: str
    repository: str
    tag: str
    digest: str
    domain: str
    path: str
    name_end: int
    tag_span: tuple[int, int] | None
    digest_span: tuple[int, int] | None

    @property
    def is_scratch(self) -> bool:
        """Whether this is FROM's empty base image, which is not an image of any registry. Only `scratch` itself is:
        `scratch:latest` and `Scratch` are looked up like any name."""
        return self.text == "scratch"

    @property
    def name(self) -> str:
        """The normalized name without tag and digest: `docker.io/library/ubuntu`."""
        return f"{self.domain}/{self.path}" if self.domain else self.path

    @property
    def normalized(self) -> str:
        """The whole name, normalized; nothing is added where tag and digest are missing."""
        return self.name + self._suffix()

    @property
    def familiar(self) -> str:
        """The whole name in its shortest form: `docker.io/library/ubuntu:24.04` is `ubuntu:24.04`."""
        name = self.name
        if self.domain == DEFAULT_DOMAIN:
            name = self.path
            if name.startswith(_OFFICIAL) and "/" not in name[len(_OFFICIAL) :]:
                name = name[len(_OFFICIAL) :]
        return name + self._suffix()

    @property
    def resolved_tag(self) -> str:
        """The tag that is pulled: `latest` where neither tag nor digest is written, "" where only a digest is."""
        return self.tag or ("" if self.digest else DEFAULT_TAG)

    def _suffix(self) -> str:
        return (f":{self.tag}" if self.tag else "") + (f"@{self.digest}" if self.digest else "")


def parse_image_ref(text: str) -> ImageRef:
    """Takes an image name apart (no variables: expand first). Raises ImageRefError."""
    cached = _known.get(text)
    if cached is None:
        if len(_known) >= _KEPT:
            _known.clear()
        cached = _known[text] = _parse(text)
    return cached


_known: dict[str, ImageRef] = {}
_KEPT = 256  # names that are remembered


def _parse(text: str) -> ImageRef:
    if _IDENTIFIER.match(text):
        raise ImageRefError(f"invalid repository name ({text}), cannot specify 64-byte hexadecimal strings")
    domain, remainder, registry = _split_domain(text)
    remote = remainder.partition(":")[0]
    if remote.lower() != remote:
        raise ImageRefError(f"invalid reference format: repository name ({remote}) must be lowercase")
    full = f"{domain}/{remainder}"
    match = _REFERENCE.match(full)
    if match is None:
        if _REFERENCE.match(full.lower()):
            raise ImageRefError("repository name must be lowercase")
        raise ImageRefError("invalid reference format")
    path = match["path"]
    if len(path) > _LONGEST_PATH:
        raise ImageRefError(f"repository name must not be more than {_LONGEST_PATH} characters")
    tag, digest = match["tag"] or "", match["digest"] or ""
    if digest:
        _check_digest(digest)
    # counted from the end, where normalization changes nothing
    size = len(text)
    digest_span = (size - len(digest), size) if digest else None
    behind = size - len(digest) - 1 if digest else size
    tag_span = (behind - len(tag), behind) if tag else None
    name_end = behind - len(tag) - 1 if tag else behind
    repository = text[len(registry) + 1 : name_end] if registry else text[:name_end]
    return ImageRef(text, registry, repository, tag, digest, match["host"] or "", path, name_end, tag_span, digest_span)


def is_tag(text: str) -> bool:
    """Whether `text` can be a tag."""
    return _TAG_ONLY.match(text) is not None


def _split_domain(text: str) -> tuple[str, str, str]:
    """The domain and the rest of the name, both normalized, and the registry as written ("" if none is)."""
    first, slash, rest = text.partition("/")
    if not slash:
        return DEFAULT_DOMAIN, _OFFICIAL + text, ""
    if first == "localhost" or "." in first or ":" in first or first.lower() != first:
        domain = DEFAULT_DOMAIN if first == "index.docker.io" else first
        if domain == DEFAULT_DOMAIN and "/" not in rest:
            rest = _OFFICIAL + rest
        return domain, rest, first
    return DEFAULT_DOMAIN, text, ""


def _check_digest(digest: str) -> None:
    algorithm, _, encoded = digest.partition(":")
    length = _DIGEST_LENGTH.get(algorithm)
    if length is None:
        if algorithm.lower() != algorithm:  # go-digest's own grammar: no upper case there
            raise ImageRefError("invalid checksum digest format")
        raise ImageRefError("unsupported digest algorithm")
    if len(encoded) != length:
        raise ImageRefError("invalid checksum digest length")
    if not _LOWER_HEX.match(encoded):
        raise ImageRefError("invalid checksum digest format")
