"""What an image starts, and where its programs, their libraries and the links to them are."""

from __future__ import annotations

import posixpath
import re

from dfopt.analysis.system_paths import SYSTEM
from dfopt.facts import SEARCH_PATH
from dfopt.image.layers import SYMLINK
from dfopt.proof.observed.places import files_below, is_development
from dfopt.refusal import Refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from dfopt.image.artifacts import ImageFiles

_WORD = re.compile(r"[\w@./+-]+")


class StartedPrograms:
    """`settings`: of the image; `bare`: whether all of it is to be copied to an empty one."""

    def __init__(self, image: ImageFiles, settings: Mapping[str, Any], *, bare: bool) -> None:
        self.image = image
        self.settings = settings
        self.bare = bare
        env = dict(pair.partition("=")[::2] for pair in image.env)
        path = env.get("PATH")
        self.search = SEARCH_PATH if path is None else tuple(part for part in path.split(":") if part.startswith("/"))
        self.workdir = str(settings.get("WorkingDir") or "/")

    def started(self) -> tuple[list[str], set[str]]:
        """(paths of files that the start names, the program first; names of programs). Raises Refusal."""
        settings = self.settings
        words = [str(word) for word in (*(settings.get("Entrypoint") or ()), *(settings.get("Cmd") or ()))]
        health = settings.get("Healthcheck")
        more = [str(word) for word in health.get("Test") or ()][1:] if isinstance(health, dict) else []
        if not words:
            raise Refusal("the image starts nothing", "add CMD or ENTRYPOINT")
        paths, names = [], set()
        for number, word in enumerate((*words, *more)):
            for part in _WORD.findall(word) if " " in word else (word,):
                path = self.program(part) or self.file(part)
                if path:
                    paths.append(path)
                elif not number:
                    raise Refusal(f"the program that the image starts, {part}, is not in it")
                names.add(part)
        return paths, names

    def program(self, name: str) -> str:
        """Where a program of this name is; "" for nowhere."""
        if "/" in name:
            return self.file(name)
        for directory in self.search:
            path = f"{directory}/{name}"
            if self.image.artifact(path).kind in ("elf", "script", "file"):
                return path
        return ""

    def file(self, word: str) -> str:
        path = posixpath.normpath(posixpath.join(self.workdir, word))
        return path if path != "/" and self.image.artifact(path).kind not in ("", "directory") else ""

    def directory_link(self, path: str) -> str | None:
        """The link to a directory, such as /opt/java, through which a path leads; None without one, and for those that
        many paths lead through (/bin)."""
        above = posixpath.dirname(path)
        while above not in SYSTEM:
            node = self.image.tree.find(above)
            if node is not None and node.entry.kind == SYMLINK:
                return above
            above = posixpath.dirname(above)
        return None

    def is_link(self, path: str) -> bool:
        """Whether a path is a symbolic link, or leads through one."""
        return self.image.resolved(path) != path

    def led_to(self, kept: set[str]) -> set[str]:
        """The files of the directories to which links among these paths lead."""
        nodes = ((path, self.image.tree.find(path)) for path in kept)
        links = [path for path, node in nodes if node is not None and node.entry.kind == SYMLINK]
        found = set[str]()
        for place in {self.image.resolved(path) for path in links} - SYSTEM:
            top = self.image.tree.find(place)
            if top is not None and top.children is not None:
                found.update(path for path, _ in files_below(top, place) if not is_development(path))
        return found

    def libraries(self, program: str) -> list[str]:
        """The libraries that an ELF file is linked with; on an empty image, by the names by which they are sought."""
        found: list[str] = []
        for name, library in self.image.needs_below(program).items():
            path = posixpath.join(posixpath.dirname(library.path), name)
            if library.path:
                found.append(path if self.bare and self.image.tree.find(path) is not None else library.path)
        return found
