"""What a built image says of its files: static and dynamic programs, the libraries they need, interpreters, packages.

ELF files are read by pyelftools (the extra `verify`). Sources of the rest: dpkg's info lists (dpkg(1)), apk's database
of what is installed (apk-tools 2 and 3), the dynamic linkers' search order (ld.so(8), musl's ldso).
"""

from __future__ import annotations

import io
import posixpath

from dfopt.image.layers import DIRECTORY, FILE, SYMLINK, read_image
from dfopt.image.tree import Tree
from dfopt.passes.base import Artifact, Facts
from dfopt.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from dfopt.image.layers import Entry
    from dfopt.image.model import Image
    from dfopt.image.tar import Sink

_LARGEST = 256 << 20  # bytes of one file that are held to read its headers
_LISTS = "/var/lib/dpkg/info/"
_APK = ("/lib/apk/db/installed", "/usr/lib/apk/db/installed")
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
    """The dynamic side of an ELF file; None where the bytes are none. Raises ImportError without pyelftools."""
    from elftools.common.exceptions import ELFError
    from elftools.elf.dynamic import DynamicSegment
    from elftools.elf.elffile import ELFFile
    from elftools.elf.segments import InterpSegment

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


class ImageFacts(Facts):
    """`artifact` and `needs_below` of one image, which was built from the file in question up to its last stage. The
    image is read once; of what is in its files only headers and package lists are kept. Raises ImageError."""

    __slots__ = ("elves", "owners", "scripts", "tree")

    def __init__(self, image: Image) -> None:
        self.elves: dict[str, Elf] = {}
        self.scripts: dict[str, str] = {}
        self.owners: dict[str, str] = {}
        self.tree = Tree()
        contents = read_image(image, hashes=False, visit=self._visit)
        for layer in contents.layers:
            self.tree.apply(layer.entries, image.name)

    def _visit(self, entry: Entry) -> Sink | None:
        path = entry.path
        listed = (path.startswith(_LISTS) and path.endswith(".list")) or path in _APK
        self.elves.pop(path, None)  # a lower layer's
        self.scripts.pop(path, None)
        if entry.size > _LARGEST or not (listed or entry.mode & 0o111 or ".so" in path or path.endswith(".node")):
            return None
        held = bytearray()
        seen = 0

        def take(piece: memoryview) -> None:
            nonlocal seen
            seen += len(piece)
            if listed or not held or held[:4] == b"\x7fELF":
                held.extend(piece)
            if seen >= entry.size:
                self._keep(path, bytes(held), listed)
                held.clear()

        return take

    def _keep(self, path: str, data: bytes, listed: bool) -> None:
        if listed:
            self._list(path, data.decode("utf-8", "surrogateescape"))
        elif data[:4] == b"\x7fELF":
            found = read_elf(data)
            if found is not None:
                self.elves[path] = found
        elif data[:2] == b"#!":
            self.scripts[path] = data[2:].split(b"\n", 1)[0].decode("utf-8", "replace").strip()

    def _list(self, path: str, text: str) -> None:
        if path.startswith(_LISTS):
            package = posixpath.basename(path).removesuffix(".list").partition(":")[0]
            for line in text.split("\n"):
                self.owners[line] = package
            return
        package = directory = ""
        for line in text.split("\n"):
            key, _, value = line.partition(":")
            if key == "P":
                package = value
            elif key == "F":
                directory = value
            elif key == "R":
                self.owners[f"/{directory}/{value}"] = package

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

    def _owner(self, path: str) -> str | None:
        """The package of a file, whichever of the names before and after /usr was merged it is listed by."""
        names = (path, path.removeprefix("/usr")) if path.startswith("/usr/") else (path, "/usr" + path)
        return next((self.owners[name] for name in names if name in self.owners), None)

    def artifact(self, path: str) -> Artifact | None:
        place = self.resolved(path)
        node = self.tree.find(place)
        if node is None:
            return Artifact("", False, (), "", None)
        owner = self._owner(place)
        if place in self.elves:
            found = self.elves[place]
            return Artifact("elf", found.static, found.needs, found.interpreter, owner)
        if place in self.scripts:
            return Artifact("script", False, (), self.scripts[place], owner)
        kind = {FILE: "file", DIRECTORY: "directory"}.get(node.entry.kind, "other")
        return Artifact(kind, False, (), "", owner)

    def needs_below(self, path: str) -> Mapping[str, str | None] | None:
        root = self.resolved(path)
        below = root.rstrip("/") + "/"
        inside = {n for n in self.elves if (n == root or n.startswith(below)) and self.tree.find(n) is not None}
        own = {posixpath.basename(name) for name in inside}
        found: dict[str, str | None] = {}
        waiting = [(name, need) for name in sorted(inside) for need in self.elves[name].needs]
        for name, need in waiting:
            if need not in own and need not in found:
                found[need] = self._library(need, self.elves[name], name)
        return found

    def _library(self, name: str, elf: Elf, program: str) -> str | None:
        """The package of the library that the dynamic linker would take."""
        origin = posixpath.dirname(program)
        search = [part.replace("$ORIGIN", origin).replace("${ORIGIN}", origin) for part in elf.path]
        for place in _LIBRARIES:
            search.append(place)
            search += [f"{place}/{one}" for one in ("x86_64-linux-gnu", "aarch64-linux-gnu", "arm-linux-gnueabihf")]
        for directory in search:
            path = self.resolved(posixpath.normpath(f"{directory}/{name}"))
            if self.tree.find(path) is not None:
                return self._owner(path)
        return None
