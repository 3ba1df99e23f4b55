"""Whether ADD would unpack a source of the build context, or fetch it: the difference between ADD and COPY."""

from __future__ import annotations

import posixpath
import re

from dfopt.analysis.context_tree import directories
from dfopt.knowledge import table
from dfopt.lazy import regex

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.facts import Facts

PLAIN, SPECIAL, OPEN = "plain", "special", "open"  # copied as it is; fetched or unpacked; not known
_REMOTE = regex(r"[a-zA-Z][a-zA-Z0-9+.-]*://|git@|github\.com/")
_MAGIC = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd")  # gzip, bzip2, xz, zstd
_SKIPPABLE = regex(rb"[\x50-\x5f]\x2a\x4d\x18")  # a zstd frame that holds no data may come first


def source_kind(source: str, facts: Facts) -> str:
    """What ADD does with a source (expanded, without variables): PLAIN, SPECIAL or OPEN."""
    if _REMOTE.match(source) or source.endswith(".git"):
        return SPECIAL
    path = posixpath.normpath(source.lstrip("/"))
    if source.endswith(("/", "/.")) or path in (".", ".."):
        return PLAIN  # written as a directory
    kind = _in_context(path, facts)
    return kind if kind else _by_name(posixpath.basename(path))


def _in_context(path: str, facts: Facts) -> str:
    """The kind by the files of the build context; "" where it is not there, or a wildcard stands for it."""
    paths = facts.context_paths()
    if paths is None:
        return ""
    if path in paths:
        matches = [path]
    elif path in directories(paths):
        return PLAIN
    elif any(char in path for char in "*?") and "[" not in path:
        matches = []
        parts = [re.escape(part).replace(r"\*", "[^/]*").replace(r"\?", "[^/]") for part in path.split("/")]
        pattern = re.compile("/".join(parts) + r"(/|\Z)")
        for other in paths:
            match = pattern.match(other)
            if match is not None and not match[1]:  # a match that goes on is a directory
                matches.append(other)
        if not matches and not any(pattern.match(other) for other in paths):
            return ""
    else:
        return ""
    for context_path in matches:
        content = facts.context_file(context_path)
        if content is None:
            return ""
        if is_archive(content):
            return SPECIAL
    return PLAIN


def is_archive(content: bytes) -> bool:
    """Whether content is, or is compressed like, what ADD unpacks. What a compressed file holds is not looked at."""
    if content.startswith(_MAGIC) or _SKIPPABLE.match(content):
        return True
    header = content[:512]
    if len(header) < 512:
        return False
    field = header[148:156].strip(b" \x00")  # the header's checksum, counted with blanks in its own place
    if not re.fullmatch(rb"[0-7]+", field):
        return False
    unsigned = sum(header[:148]) + 8 * 32 + sum(header[156:])
    signed = unsigned - 256 * sum(byte > 127 for byte in header[:148] + header[156:])
    return int(field, 8) in (unsigned, signed)


def _by_name(name: str) -> str:
    archives = table("archives")
    stem, dot, suffix = name.rpartition(".")
    suffix = suffix.lower()
    if (dot and suffix in archives["tar"]) or ".tar." in name.lower():
        return SPECIAL
    if (dot and stem and suffix in archives["other"]) or name.lstrip(".") in archives["names"]:
        return PLAIN
    return OPEN
