"""Inspects file contents while an image is read once: secrets, and the databases of package managers.

At most `SCANNED` bytes of each text file are searched, and databases are kept up to a limit (packages.py), so that
memory does not grow with the image.
"""

from __future__ import annotations

import re

from dfopt.knowledge import table
from dfopt.record import Record
from dfopt.review import packages

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from dfopt.image.layers import LayerEntry
    from dfopt.image.tar_member import Sink

SCANNED = 1 << 20  # the first bytes of each text file that are searched for secrets
_BINARY = 1024  # a zero among the first bytes: not text
# headers end at a line's end, or at one that is written as an escape; no choice in here has two ways to match a text
_KEY_MATERIAL = re.compile(
    rb"(?:\\[rn]|[\s\\\"',])*"
    rb"(?:[A-Za-z-]+: (?:[^\r\n\\]|\\(?![rn]))*(?:[\r\n]|\\[rn])(?:\s|\\[rn])*){0,20}[A-Za-z0-9+/=\s\\]{64}"
)
# Every token is part of a word of at least so many of these characters: looking for such words first costs two passes
# over a text, and looking for each mark would cost one for each. (A test holds the shapes to this.)
_WORD = 20
_CLASSES = bytes(1 if (chr(code).isalnum() and code < 128) or chr(code) in "_-." else 32 for code in range(256))
_LONG = b"\1" * _WORD
_PRIVATE_KEY = b"PRIVATE KEY"
_EXAMPLE = re.compile(rb"example|(.)\1{9}|0123456789|abcdefghij", re.IGNORECASE)
_TEST_PLACE = re.compile(
    r"/(?:tests?|testing|testdata|test_data|examples?|fixtures|demos?|docs?|samples?|idlelib)/"
    r"|/test_[^/]*$|_test\.[a-z]+$|\.(?:test|spec)\.[a-z]+$",
    re.I,
)


class FoundSecret(Record):
    """A secret in a file of some layer, alive or dead. what: in words; shown: its value, masked; line: in the file,
    from 1, or 0; level: error, warning or note."""

    entry: LayerEntry
    what: str
    shown: str
    line: int
    level: str


def mask(value: str) -> str:
    """A masked secret: at most its first four characters, which show its kind, and its length."""
    start = value[:4] if len(value) >= 20 else ""
    return f"{start}**** ({len(value)} characters)"


class Watch:
    """Pass `visit` to the reader of one image; afterwards `secrets` and `databases` hold the results."""

    def __init__(self, *, secrets: bool = True, databases: bool = True) -> None:
        self.secrets: list[FoundSecret] = []
        self.databases = packages.Databases()
        self.unread = 0  # text files with more than SCANNED bytes
        self._secrets = secrets
        self._databases = databases
        knowledge = table("secrets")
        # A mark leads to the shapes that hold it.
        shapes = {name: re.compile(pattern.encode()) for name, pattern in knowledge["shapes"].items()}
        self._shapes = {
            mark.encode(): [(name, shapes[name]) for name in names] for mark, names in knowledge["leads"].items()
        }
        self._any_mark = re.compile(b"|".join(map(re.escape, self._shapes))).search
        files = knowledge["files"]
        self._containers = tuple(
            suffix for suffix in files["suffixes"] if suffix in (".p12", ".pfx", ".jks", ".keystore")
        )
        self._perhaps = frozenset(files["perhaps"]) | {".netrc", "_netrc", ".pypirc", ".git-credentials", ".pgpass"}
        self._content = re.compile(files["content"].encode(), re.MULTILINE)

    def visit(self, entry: LayerEntry) -> Sink | None:
        """The sink for the bytes of a file; None for files that need no inspection."""
        if self._databases and (limit := self.databases.wanted(entry)):
            return _Collector(entry, min(limit, entry.size), self._database)
        if self._secrets:
            if entry.path.endswith(self._containers):  # binary, and known by their names
                self._add(entry, "a key store", f"{entry.size} bytes", 0, "warning")
            return _Collector(entry, min(SCANNED, entry.size), self._scan, text=True)
        return None

    def _database(self, entry: LayerEntry, content: bytes) -> None:
        self.databases.keep(entry, content)
        if self._secrets and len(content) <= SCANNED:
            self._scan(entry, content)

    def _scan(self, entry: LayerEntry, content: bytes) -> None:
        if entry.size > len(content):
            self.unread += 1
        name = entry.path.rpartition("/")[2]
        for what, value, at in self._tokens(content):
            line = content.count(b"\n", 0, at) + 1
            level = "warning" if what == "a signed token" else "error"
            self._add(entry, what, mask(value.decode("utf-8", "replace")), line, level)
        if name in self._perhaps and (match := self._credential(name, content)):
            line = content.count(b"\n", 0, match.start()) + 1
            self._add(entry, "credentials", mask(match[0].decode("utf-8", "replace").split()[-1]), line, "error")

    def _tokens(self, content: bytes) -> Iterator[tuple[str, bytes, int]]:
        """(what it is, value, offset) of each token and key, each value once."""
        reported: set[bytes] = set()
        if _PRIVATE_KEY in content:
            for what, shape in self._shapes[_PRIVATE_KEY]:
                for match in shape.finditer(content):
                    material = _KEY_MATERIAL.match(content, match.end())
                    if material is not None and material[0] not in reported:  # else a text about keys
                        reported.add(material[0])
                        yield what, match[0], match.start()
        if self._any_mark(_long_text(content)) is None:  # as in nearly all texts
            return
        for start, word in _long_words(content):
            if self._any_mark(word) is None:
                continue
            candidates = dict(pair for mark, pairs in self._shapes.items() if mark in word for pair in pairs)
            for what, shape in candidates.items():
                for match in shape.finditer(word):
                    value = match[0]
                    if value not in reported and not _EXAMPLE.search(value):
                        reported.add(value)
                        yield what, value, start + match.start()

    def _credential(self, name: str, content: bytes) -> re.Match[bytes] | None:
        if name in (".netrc", "_netrc"):
            return re.search(rb"\bpassword[ \t\r\n]+\S+", content)
        if name == ".git-credentials":
            return re.search(rb"^https?://[^:\s]*:[^@\s]+@", content, re.MULTILINE)
        if name == ".pgpass":
            return re.search(rb"^(?!#)[^:\n]*:[^:\n]*:[^:\n]*:[^:\n]*:\S+", content, re.MULTILINE)
        return self._content.search(content)

    def _add(self, entry: LayerEntry, what: str, masked: str, line: int, level: str) -> None:
        if _TEST_PLACE.search(entry.path):
            level = "note"
        self.secrets.append(FoundSecret(entry, what, masked, line, level))


def _long_words(content: bytes) -> Iterator[tuple[int, bytes]]:
    """(offset, word) of the words that are long enough to contain a token."""
    classes = content.translate(_CLASSES)
    start = classes.find(_LONG)
    while start >= 0:
        end = classes.find(b" ", start + _WORD)
        end = len(content) if end < 0 else end
        yield start, content[start:end]
        start = classes.find(_LONG, end)


def _long_text(content: bytes) -> bytes:
    """The same words joined by spaces, for one search over all: most of the cost is in the loop."""
    find = content.translate(_CLASSES).find
    words: list[bytes] = []
    start = find(_LONG)
    while start >= 0:
        end = find(b" ", start + _WORD)
        if end < 0:
            words.append(content[start:])
            break
        words.append(content[start:end])
        start = find(_LONG, end)
    return b" ".join(words)


class _Collector:
    """Collects the first bytes of one file, then hands them over; it ignores the rest."""

    __slots__ = ("done", "entry", "left", "pieces", "text")

    def __init__(
        self, entry: LayerEntry, limit: int, done: Callable[[LayerEntry, bytes], None], *, text: bool = False
    ) -> None:
        self.entry = entry
        self.left = limit
        self.done = done
        self.pieces: list[bytes] = []
        self.text = text

    def __call__(self, piece: memoryview) -> None:
        if self.left <= 0:
            return
        if self.text and not self.pieces and b"\0" in bytes(piece[: min(self.left, _BINARY)]):
            self.left = 0
            return
        taken = bytes(piece[: self.left])
        self.left -= len(taken)
        if self.left:
            self.pieces.append(taken)
            return
        content = b"".join([*self.pieces, taken]) if self.pieces else taken
        self.pieces = []
        self.done(self.entry, content)
