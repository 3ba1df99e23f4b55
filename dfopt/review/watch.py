"""Looks at the content of files while an image is read, once: secrets, and the databases of package managers.

Of each text file at most `SCANNED` bytes are searched, and databases are kept up to a limit (packages.py), so that
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

    from dfopt.image.layers import Entry
    from dfopt.image.tar import Sink

SCANNED = 1 << 20  # the first bytes of each text file that are searched for secrets
_BINARY = 1024  # a zero among the first bytes: not a text
_KEY_MATERIAL = re.compile(rb"[\s\\rn\"',]*(?:[A-Za-z-]+: [^\r\n]*[\s\\rn]+)*[A-Za-z0-9+/=\s\\]{64}")
_EXAMPLE = re.compile(rb"example|(.)\1{9}|0123456789|abcdefghij", re.IGNORECASE)
_TEST_PLACE = re.compile(
    r"/(?:tests?|testing|testdata|test_data|examples?|fixtures|demos?|docs?|samples?|idlelib)/", re.I
)


class FoundSecret(Record):
    """A secret in a file of some layer, alive or dead. what: in words; shown: its value, masked; line: in the file,
    from 1, or 0; level: error, warning or note."""

    entry: Entry
    what: str
    shown: str
    line: int
    level: str


def mask(value: str) -> str:
    """A secret made fit to be shown: at most its first four characters, which tell its kind, and its length."""
    kept = value[:4] if len(value) >= 20 else ""
    return f"{kept}**** ({len(value)} characters)"


class Watch:
    """Hand `visit` to the reading of one image; then `secrets` and `databases` hold what was seen."""

    def __init__(self, *, secrets: bool = True, databases: bool = True) -> None:
        self.secrets: list[FoundSecret] = []
        self.databases = packages.Databases()
        self.unread = 0  # files longer than what is searched
        self._secrets = secrets
        self._databases = databases
        known = table("secrets")
        # A mark leads to the shapes that hold it, so that one common mark does not start the search for all.
        shapes = {name: re.compile(pattern.encode()) for name, pattern in known["shapes"].items()}
        self._shapes = {
            mark.encode(): [(name, shapes[name]) for name in names] for mark, names in known["leads"].items()
        }
        self._marks = list(self._shapes)
        files = known["files"]
        self._containers = tuple(
            suffix for suffix in files["suffixes"] if suffix in (".p12", ".pfx", ".jks", ".keystore")
        )
        self._perhaps = frozenset(files["perhaps"]) | {".netrc", "_netrc", ".pypirc", ".git-credentials", ".pgpass"}
        self._content = re.compile(files["content"].encode(), re.MULTILINE)

    def visit(self, entry: Entry) -> Sink | None:
        """Where the bytes of a file are to go; None for files that nobody needs to look into."""
        if self._databases and (limit := self.databases.wanted(entry)):
            return _Collector(entry, min(limit, entry.size), self._database)
        if self._secrets:
            if entry.size > SCANNED:
                self.unread += 1
            if entry.path.endswith(self._containers):  # binary, and known by their names
                self._add(entry, "a key store", f"{entry.size} bytes", 0, "warning")
            return _Collector(entry, min(SCANNED, entry.size), self._scan, text=True)
        return None

    def _database(self, entry: Entry, content: bytes) -> None:
        self.databases.keep(entry, content)
        if self._secrets and len(content) <= SCANNED:
            self._scan(entry, content)

    def _scan(self, entry: Entry, content: bytes) -> None:
        name = entry.path.rpartition("/")[2]
        marks = [mark for mark in self._marks if mark in content]
        if marks:
            for what, value, at in self._tokens(content, marks):
                line = content.count(b"\n", 0, at) + 1
                level = "warning" if what in ("a signed token",) else "error"
                self._add(entry, what, mask(value.decode("utf-8", "replace")), line, level)
        if name in self._perhaps and (match := self._credential(name, content)):
            line = content.count(b"\n", 0, match.start()) + 1
            self._add(entry, "credentials", mask(match[0].decode("utf-8", "replace").split()[-1]), line, "error")

    def _tokens(self, content: bytes, marks: list[bytes]) -> Iterator[tuple[str, bytes, int]]:
        wanted = dict(pair for mark in marks for pair in self._shapes[mark])
        seen: set[bytes] = set()
        for match, what in [(match, what) for what, shape in wanted.items() for match in shape.finditer(content)]:
            value = match[0]
            if what == "a private key":
                material = _KEY_MATERIAL.match(content, match.end())
                if material is None:  # text about keys
                    continue
                value = material[0]
            elif _EXAMPLE.search(value):
                continue
            if value not in seen:
                seen.add(value)
                yield what, value if what != "a private key" else match[0], match.start()

    def _credential(self, name: str, content: bytes) -> re.Match[bytes] | None:
        if name in (".netrc", "_netrc"):
            return re.search(rb"\bpassword[ \t\r\n]+\S+", content)
        if name == ".git-credentials":
            return re.search(rb"^https?://[^:\s]*:[^@\s]+@", content, re.MULTILINE)
        if name == ".pgpass":
            return re.search(rb"^(?!#)[^:\n]*:[^:\n]*:[^:\n]*:[^:\n]*:\S+", content, re.MULTILINE)
        return self._content.search(content)

    def _add(self, entry: Entry, what: str, shown: str, line: int, level: str) -> None:
        if _TEST_PLACE.search(entry.path):
            level = "note"
        self.secrets.append(FoundSecret(entry, what, shown, line, level))


class _Collector:
    """Gathers the first bytes of one file, then hands them on; what comes behind them is let by."""

    __slots__ = ("done", "entry", "left", "pieces", "text")

    def __init__(self, entry: Entry, wanted: int, done: Callable[[Entry, bytes], None], *, text: bool = False) -> None:
        self.entry = entry
        self.left = wanted
        self.done = done
        self.pieces: list[bytes] = []
        self.text = text

    def __call__(self, piece: memoryview) -> None:
        if self.left <= 0:
            return
        taken = bytes(piece[: self.left])
        if self.text and not self.pieces and b"\0" in taken[:_BINARY]:
            self.left = 0
            return
        self.left -= len(taken)
        if self.left:
            self.pieces.append(taken)
            return
        content = b"".join([*self.pieces, taken]) if self.pieces else taken
        self.pieces = []
        self.done(self.entry, content)
