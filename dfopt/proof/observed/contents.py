"""What the files of an image say: which programs they call, and which of some words they hold."""

from __future__ import annotations

import fnmatch
import re

from dfopt.image.errors import Budget, ReadLimits
from dfopt.image.layers import read_layer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from dfopt.image.layers import LayerEntry
    from dfopt.image.model import Image
    from dfopt.image.tar_member import Sink
    from dfopt.stage_templates.stage_recipes import StageRecipe

_LARGEST_TEXT = 1 << 20  # bytes of a source, or of a script
_LARGEST = 64 << 20  # bytes of any file
_VENDORED = re.compile(r"/(?:node_modules|site-packages|dist-packages|gems|vendor|\.git)/")
_SHELL_WORD = re.compile(r"[\w./+-]+")


class FileContents:
    """Reads layers of an image once. `words`: what is looked for in every file, as whole words; `places`: the same, but
    not in programs, whose compilers noted where the sources were. `of`: path -> those it holds; `called`: source ->
    names of programs that it calls; `scripts`: shell script -> its words."""

    def __init__(self, words: Collection[str], places: Collection[str], recipes: Iterable[StageRecipe]) -> None:
        either = "|".join(map(re.escape, sorted({*words, *places}, key=len, reverse=True)))
        self._words = re.compile(rf"(?<![\w.-])(?:{either})(?![\w-])".encode())
        self._places = frozenset(places).difference(words)
        self._calls = [
            (tuple(recipe.scan["files"]), [re.compile(text) for text in recipe.scan.get("programs", ())])
            for recipe in recipes
        ]
        self.of: dict[str, set[str]] = {}
        self.called: dict[str, set[str]] = {}
        self.scripts: dict[str, set[str]] = {}

    def read(self, image: Image, layers: Iterable[int], paths: Collection[str]) -> None:
        """Reads the files `paths` of these layers. Raises ImageError."""
        budget = Budget(ReadLimits())

        def visit(entry: LayerEntry) -> Sink | None:
            if entry.path not in paths or entry.size > _LARGEST:
                return None
            content = bytearray()

            def take(piece: memoryview) -> None:
                content.extend(piece)
                if len(content) >= entry.size:
                    self._look(entry, bytes(content))

            return take

        for number in layers:
            read_layer(image.layers[number], budget, hashes=False, visit=visit)

    def _look(self, entry: LayerEntry, data: bytes) -> None:
        path = entry.path
        is_program = data[:4] == b"\x7fELF"
        if found := {word.decode() for word in set(self._words.findall(data))}:
            self.of[path] = found - self._places if is_program else found
        if len(data) > _LARGEST_TEXT or is_program:
            return
        name = path.rpartition("/")[2]
        text = ""
        if _is_shell(name, data):
            text = data.decode("utf-8", "replace")
            self.scripts[path] = set(_SHELL_WORD.findall(text))
        if _VENDORED.search(path):
            return
        for patterns, expressions in self._calls:
            if any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns):
                text = text or data.decode("utf-8", "replace")
                for expression in expressions:
                    calls = {match[1].split()[0] for match in expression.finditer(text) if match[1].split()}
                    self.called.setdefault(path, set()).update(calls)


def _is_shell(name: str, data: bytes) -> bool:
    first = data[:200].split(b"\n", 1)[0]
    return (
        name.endswith((".sh", ".bash"))
        or re.match(rb"#!\s*/(?:usr/)?bin/(?:env +)?(?:ba|da|a)?sh\b", first) is not None
    )


def union(said: Mapping[str, set[str]], paths: Collection[str]) -> set[str]:
    """What these paths say together."""
    found: set[str] = set()
    for path in paths:
        found |= said.get(path, set())
    return found
