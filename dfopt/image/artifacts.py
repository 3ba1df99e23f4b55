"""What a built image says of its files: static and dynamic programs, the libraries they need, interpreters, packages.

ELF files are read by pyelftools. Sources of the rest: dpkg's info lists (dpkg(1)), apk's database
of what is installed (apk-tools 2 and 3), rpm's (see `rpm`), os-release(5), the dynamic linkers' search order (ld.so(8),
musl's ldso).
"""

from __future__ import annotations

import io
import posixpath

from dfopt.facts import Artifact, BuiltImage, SharedLibrary
from dfopt.image.errors import ImageError
from dfopt.image.layers import DIRECTORY, FILE, SYMLINK, read_image
from dfopt.image.merged_tree import Tree
from dfopt.lazy import regex
from dfopt.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dfopt.image.layers import LayerEntry
    from dfopt.image.merged_tree import PathNode
    from dfopt.image.model import Image
    from dfopt.image.tar_member import Sink

_LARGEST = 256 << 20  # bytes of one file that are held to read its headers
_LISTS = "/var/lib/dpkg/info/"
PACKAGE_NAME = regex(r"[A-Za-z0-9][A-Za-z0-9.+_~-]*")
APK_INSTALLED = ("/lib/apk/db/installed", "/usr/lib/apk/db/installed")
_RPM = ("/var/lib/rpm/rpmdb.sqlite", "/usr/lib/sysimage/rpm/rpmdb.sqlite")
_RELEASES = ("/etc/os-release", "/usr/lib/os-release")
_PASSWD = "/etc/passwd"
DPKG_STATUS = "/var/lib/dpkg/status"
APT_STATES = "/var/lib/apt/extended_states"
APK_WORLD = "/etc/apk/world"
_READ = frozenset((*APK_INSTALLED, DPKG_STATUS, APT_STATES, APK_WORLD, *_RPM, *_RELEASES, _PASSWD))
_SCRIPT = 256 << 10  # bytes of a script that are held
_LIBRARIES = ("/usr/local/lib", "/lib", "/usr/lib", "/lib64", "/usr/lib64")


class Elf(Record):
    """The dynamic side of an ELF file: the libraries it names (DT_NEEDED), its interpreter (PT_INTERP; "" without one),
    its search path (DT_RUNPATH or DT_RPATH, split), and whether it is loaded as it stands, without both.
    """

    needs: tuple[str, ...]
    interpreter: str
    path: tuple[str, ...]

    @property
    def static(self) -> bool:
        return not self.interpreter and not self.needs


def read_elf(data: bytes) -> Elf | None:
    """The dynamic side of an ELF file; None where the bytes are none. Raises ImageError without pyelftools."""
    try:
        from elftools.common.exceptions import ELFError
        from elftools.elf.dynamic import DynamicSegment
        from elftools.elf.elffile import ELFFile
        from elftools.elf.segments import InterpSegment
    except ImportError:
        raise ImageError("to read programs takes the Python package pyelftools") from None

    needs: list[str] = []
    path: list[str] = []
    interpreter = ""
    try:
        for segment in ELFFile(io.BytesIO(data)).iter_segments():
            if isinstance(segment, InterpSegment):
                interpreter = segment.get_interp_name()
            elif isinstance(segment, DynamicSegment):
                for tag in segment.iter_tags():
                    kind = tag.entry.d_tag
                    if kind == "DT_NEEDED":
                        needs.append(str(getattr(tag, "needed", "")))
                    elif kind in ("DT_RUNPATH", "DT_RPATH"):  # pyelftools names the attribute after the tag
                        text = str(getattr(tag, kind.removeprefix("DT_").lower(), ""))
                        path += [part for part in text.split(":") if part]
    except (ELFError, ValueError, KeyError, UnicodeDecodeError, AttributeError):
        return None
    return Elf(tuple(needs), interpreter, tuple(path))


class Account(Record):
    """A row of /etc/passwd (passwd(5)), without what says nothing of rights: password, comment, home directory."""

    name: str
    uid: int
    gid: int
    shell: str


class ImageFiles(BuiltImage):
    """What one image says. It is read once; of what is in its files only headers, scripts and package lists are kept.
    Raises ImageError."""

    __slots__ = ("elves", "env", "layers", "owners", "scripts", "texts", "tree")

    def __init__(self, image: Image) -> None:
        self.elves: dict[int, Elf] = {}  # by the identity of the entry in the tree
        self.scripts: dict[int, bytes] = {}
        self.texts: dict[int, bytes] = {}
        self.tree = Tree()
        self.env = [str(pair) for pair in image.settings().get("Env") or ()]
        self.layers = read_image(image, hashes=False, visit=self._visit).layers
        for layer in self.layers:
            self.tree.apply(layer.entries, image.name)
        self.owners = dict(self._owned())

    @classmethod
    def nothing(cls) -> ImageFiles:
        """What an empty image says."""
        empty = cls.__new__(cls)
        empty.elves, empty.scripts, empty.texts, empty.owners = {}, {}, {}, {}
        empty.env, empty.layers, empty.tree = [], (), Tree()
        return empty

    def below(self, count: int) -> ImageFiles:
        """What the image of the first `count` layers alone says. Its environment is taken for that of the whole."""
        lower = ImageFiles.__new__(ImageFiles)
        lower.elves, lower.scripts, lower.texts, lower.env = self.elves, self.scripts, self.texts, self.env
        lower.layers, lower.tree = self.layers[:count], Tree()
        for layer in lower.layers:
            lower.tree.apply(layer.entries, layer.layer.where())
        lower.owners = dict(lower._owned())
        return lower

    def _visit(self, entry: LayerEntry) -> Sink | None:
        path = entry.path
        is_database = (path.startswith(_LISTS) and path.endswith(".list")) or path in _READ
        program = entry.mode & 0o111 or ".so" in path or path.endswith((".node", ".sh", ".bash"))
        if entry.size > _LARGEST or not (is_database or program):
            return None
        content = bytearray()
        received = 0

        def take(piece: memoryview) -> None:
            nonlocal received
            received += len(piece)
            if (
                is_database
                or not content
                or content[:4] == b"\x7fELF"
                or (content[:2] == b"#!" and entry.size <= _SCRIPT)
            ):
                content.extend(piece)
            if received >= entry.size:
                self._keep(entry, bytes(content), is_database)
                content.clear()

        return take

    def _keep(self, entry: LayerEntry, data: bytes, is_database: bool) -> None:
        if is_database:
            self.texts[id(entry)] = data
        elif data[:4] == b"\x7fELF":
            elf = read_elf(data)
            if elf is not None:
                self.elves[id(entry)] = elf
        elif data[:2] == b"#!" or (entry.path.endswith((".sh", ".bash")) and len(data) == entry.size):
            self.scripts[id(entry)] = data

    def _at(self, path: str) -> PathNode | None:
        return self.tree.find(self.resolved(path))

    def text(self, path: str) -> str:
        """What a database of the system says, of those that are kept; "" for another file."""
        data = self.texts.get(_key(self._at(path)), b"")
        return data.decode("utf-8", "surrogateescape")

    def _owned(self) -> Iterator[tuple[str, str]]:
        """(path, package) of all that the databases list, but of packages whose names no distribution allows: the names
        go into commands."""
        lists = self.tree.find(_LISTS.rstrip("/"))
        for name in (lists.children or ()) if lists is not None else ():
            package = name.removesuffix(".list").partition(":")[0]
            if package != name and PACKAGE_NAME.fullmatch(package):
                for line in self.text(_LISTS + name).split("\n"):
                    yield line, package
        for path in APK_INSTALLED:
            package = directory = ""
            for line in self.text(path).split("\n"):
                key, _, value = line.partition(":")
                if key == "P":
                    package = value if PACKAGE_NAME.fullmatch(value) else ""
                elif key == "F":
                    directory = value
                elif key == "R" and package:
                    yield posixpath.join("/", directory, value), package
        for path in _RPM:
            data = self.texts.get(_key(self._at(path)))
            if data is not None:
                from dfopt.image.rpm import installed

                for package, _, _, paths in installed(data):
                    if PACKAGE_NAME.fullmatch(package):
                        for one in paths:
                            yield one, package

    def resolved(self, path: str) -> str:
        """`path` with the links on the way followed; it need not exist."""
        for _ in range(40):
            parts = path.strip("/").split("/")
            for count in range(1, len(parts) + 1):
                place = "/" + "/".join(parts[:count])
                node = self.tree.find(place)
                if node is not None and node.entry.kind == SYMLINK:
                    target = posixpath.join(posixpath.dirname(place), node.entry.link)
                    path = posixpath.normpath("/".join((target, *parts[count:])))
                    break
            else:
                return path
        return path

    def owner(self, path: str) -> str | None:
        """The package of a file, whichever of the names before and after /usr was merged it is listed by."""
        names = (path, path.removeprefix("/usr")) if path.startswith("/usr/") else (path, "/usr" + path)
        return next((self.owners[name] for name in names if name in self.owners), None)

    def artifact(self, path: str) -> Artifact:
        place = self.resolved(path)
        node = self.tree.find(place)
        if node is None:
            return Artifact("")
        owner, mode, key = self.owner(place), node.entry.mode, _key(node)
        if key in self.elves:
            elf = self.elves[key]
            return Artifact("elf", elf.static, elf.needs, elf.interpreter, owner, place, mode)
        script = self.scripts.get(key, b"")
        if script[:2] == b"#!":
            first = script[2:].split(b"\n", 1)[0].decode("utf-8", "replace").strip()
            return Artifact("script", False, (), first, owner, place, mode)
        kind = {FILE: "file", DIRECTORY: "directory"}.get(node.entry.kind, "other")
        return Artifact(kind, False, (), "", owner, place, mode)

    def script(self, path: str) -> str | None:
        node = self._at(path)
        data = self.scripts.get(_key(node))
        if data is None or node is None or len(data) != node.entry.size:
            return None
        return data.decode("utf-8", "surrogateescape")

    def release(self) -> tuple[str, str]:
        text = next((text for path in _RELEASES if (text := self.text(path))), "")
        pairs = (line.partition("=") for line in text.split("\n"))
        fields = {key: value.strip().strip("\"'") for key, _, value in pairs}
        return fields.get("ID", ""), fields.get("VERSION_CODENAME") or fields.get("VERSION_ID", "")

    def accounts(self) -> list[Account]:
        """The rows of /etc/passwd that are well formed, in their order."""
        rows = [line.split(":") for line in self.text(_PASSWD).split("\n")]
        return [
            Account(row[0], int(row[2]), int(row[3]), row[6])
            for row in rows
            if len(row) == 7 and all(number.isascii() and number.isdigit() and len(number) < 11 for number in row[2:4])
        ]

    def packages(self) -> list[str]:
        """The names of the packages that own files, in order."""
        return sorted(set(self.owners.values()))

    def _below(self, path: str) -> Iterator[tuple[str, PathNode]]:
        root = self.resolved(path)
        node = self.tree.find(root)
        waiting = [(root, node)] if node is not None else []
        while waiting:
            place, at = waiting.pop()
            yield place, at
            waiting += [(f"{place.rstrip('/')}/{name}", child) for name, child in (at.children or {}).items()]

    def programs_below(self, path: str) -> Mapping[str, Artifact]:
        artifacts: dict[str, Artifact] = {}
        for place, node in self._below(path):
            key = _key(node)
            if node.inode is not None and (key in self.elves or self.scripts.get(key, b"")[:2] == b"#!"):
                artifacts[place] = self.artifact(place)
        return dict(sorted(artifacts.items()))

    def set_id(self, path: str = "/") -> Mapping[str, int]:
        marked = {
            place: node for place, node in self._below(path) if node.inode is not None and node.entry.mode & 0o6000
        }
        return {place: node.entry.size for place, node in sorted(marked.items())}

    def needs_below(self, path: str) -> Mapping[str, SharedLibrary]:
        inside = sorted(
            (place, self.elves[_key(node)]) for place, node in self._below(path) if _key(node) in self.elves
        )
        provided = {posixpath.basename(place) for place, _ in inside}
        libraries: dict[str, SharedLibrary] = {}
        for place, elf in inside:
            for need in elf.needs:
                if need not in provided and need not in libraries:
                    libraries[need] = self._library(need, elf, place)
        return libraries

    def _library(self, name: str, elf: Elf, program: str) -> SharedLibrary:
        """The library that the dynamic linker would take."""
        origin = posixpath.dirname(self.resolved(program))
        search_path = next((pair.partition("=")[2] for pair in self.env if pair.startswith("LD_LIBRARY_PATH=")), "")
        search = [part.replace("$ORIGIN", origin).replace("${ORIGIN}", origin) for part in elf.path]
        search += [part for part in search_path.split(":") if part.startswith("/")]
        for place in _LIBRARIES:
            search.append(place)
            search += [
                f"{place}/{triplet}" for triplet in ("x86_64-linux-gnu", "aarch64-linux-gnu", "arm-linux-gnueabihf")
            ]
        for directory in search:
            path = self.resolved(posixpath.normpath(f"{directory}/{name}"))
            if self.tree.find(path) is not None:
                return SharedLibrary(path, self.owner(path))
        return SharedLibrary("")


def _key(node: PathNode | None) -> int:
    """The identity of the entry that holds a node's content (of a hard link, its target's)."""
    if node is None:
        return 0
    return id(node.inode.entry if node.inode is not None else node.entry)
