"""Whether busybox' version of a common program knows the options that it is given."""

from __future__ import annotations

import posixpath
import re

from dfopt.knowledge import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from dfopt.ir.commands import Invocation

# Where an option exists in both, and means something else
_DATE = re.compile(r"@?\d[\d :.-]*\Z")
# GNU's own in a sed script: an address 0,/re/, the commands e F z, flags M m e behind s///
_SED = re.compile(r"(?:^|[;{\s])0,/|(?:^|[;{]\s*)[eFz](?:\s|;|$)|/[gip\d]*[Mme][gip\d]*(?:;|\s|$)")
_TAR_LETTERS = re.compile(r"[A-Za-z]+\Z")
# letters whose value is the rest of the bundle, or the next word
_TAKING = {
    "cut": "bcdf", "head": "nc", "tail": "nc", "grep": "efmABC", "egrep": "efmABC", "fgrep": "efmABC", "sort": "kot",
    "xargs": "nPEIsa", "sed": "efi", "mkdir": "m", "install": "mogt", "tar": "fCTX", "wget": "OPTSUYo", "awk": "Ffv",
    "date": "dDIr", "touch": "drt", "cp": "t", "mv": "t", "split": "abl", "fold": "w", "seq": "s",
    "patch": "pi", "ping": "cwWsitI", "watch": "n", "top": "dn", "mknod": "m", "crontab": "uc", "shred": "ns",
    "logger": "tp", "hexdump": "nsef", "mount": "tO", "umount": "tO", "unexpand": "t", "dmesg": "ns",
}  # fmt: skip


def option_fault(name: str, values: Sequence[str | None]) -> str:
    """The word of a command that busybox would not take as GNU's program does; "" where there is none. `values`: the
    words behind the program's name, None for one that is not fixed."""
    if name == "find":
        return _find(values)
    if name == "echo":  # dash reads backslashes without -e, busybox only with it
        odd = (value for value in values if value is not None and ("\\" in value or value in ("-e", "-E")))
        return next(odd, "")
    known = table("base_programs")["options"].get(name)
    if known is None:
        return next((value for value in values if value and len(value) > 1 and value[0] == "-"), "")
    letters, longs = (known, ()) if isinstance(known, str) else (known[0], known[1:])
    for index, value in enumerate(values):
        if value is None:
            if index == 0 and name == "tar":
                return "a variable"
            continue
        if value == "--":
            break
        if name == "tar" and index == 0 and _TAR_LETTERS.match(value) and not value.startswith("-"):
            value = "-" + value
        if value.startswith("--"):
            if value[2:].partition("=")[0] not in longs:
                return value
        elif value.startswith("-") and len(value) > 1 and not value[1:].isdigit():
            fault = _letters(name, value, letters)
            if fault:
                return fault
    return _meaning(name, values)


def wrapper_fault(invocation: Invocation) -> str:
    """The same for what stands before the program (`xargs -r`, `timeout -s KILL`)."""
    known = table("base_programs")["options"]
    for word in invocation.node.words[: len(invocation.node.words) - len(invocation.words)]:
        value = word.value or ""
        if value.startswith("--") and value != "--":
            return value
        if value.startswith("-") and not value[1:].isdigit():
            letters = "".join(known[name] for name in invocation.wrappers if isinstance(known.get(name), str))
            fault = _letters(invocation.wrappers[-1], value, letters)
            if fault:
                return fault
    return ""


def _letters(name: str, value: str, letters: str) -> str:
    """A bundle of letters, up to one that takes the rest as its value."""
    taking = _TAKING.get(name, "")
    for letter in value[1:]:
        if letter not in letters:
            return value
        if letter in taking:
            break
    return ""


def _meaning(name: str, values: Sequence[str | None]) -> str:
    for index, value in enumerate(values):
        following = values[index + 1] if index + 1 < len(values) else None
        if name == "date" and value in ("-d", "--date") and (following is None or not _DATE.match(following)):
            return "-d"
        if name == "sed" and value and not value.startswith("-") and _SED.search(value):
            return value
        if name == "grep" and value and "P" in value and value.startswith("-") and not value.startswith("--"):
            return value
    return ""


def _find(values: Sequence[str | None]) -> str:
    known = table("base_programs")["find"]
    quoted = False  # behind -exec, up to its ;
    for index, value in enumerate(values):
        if value in (";", "+"):
            quoted = False
        elif quoted or value is None:
            continue
        elif value in ("-exec", "-ok", "-execdir"):
            if value != "-exec":
                return value
            quoted = True
        elif value.startswith("-") and value not in known and not value[1:].isdigit():
            return value
        elif value == "-perm":
            following = values[index + 1] if index + 1 < len(values) else None
            if following is None or following.startswith("/"):
                return "-perm /"
    return ""


_COMPRESSORS = {"z": "gzip", "j": "bzip2", "J": "xz"}
_ENDINGS = {
    ".gz": "gzip",
    ".tgz": "gzip",
    ".bz2": "bzip2",
    ".tbz": "bzip2",
    ".tbz2": "bzip2",
    ".xz": "xz",
    ".txz": "xz",
}
_LONGS = {"--gzip": "gzip", "--bzip2": "bzip2", "--xz": "xz", "--zstd": "zstd", "--lzip": "lzip", "--lzma": "xz"}


def compressors(words: Sequence[str | None]) -> set[str]:
    """The programs that GNU tar starts: by its letters, by names of archives; any of them where a word is not fixed."""
    found: set[str] = set()
    for index, word in enumerate(words):
        if word is None:
            found |= set(_COMPRESSORS.values())
        elif word.startswith("--"):
            found |= {_LONGS[word]} if word in _LONGS else set()
        elif (word.startswith("-") and "/" not in word) or (index == 0 and _TAR_LETTERS.match(word)):
            found |= {_COMPRESSORS[letter] for letter in word.partition("f")[0] if letter in _COMPRESSORS}
        ending = next((program for end, program in _ENDINGS.items() if word and word.endswith(end)), "")
        found |= {ending} - {""}
        if word and word.endswith((".zst", ".lz", ".lzo", ".Z")):
            found.add({".zst": "zstd", ".lz": "lzip"}.get(posixpath.splitext(word)[1], "lzop"))
    return found
