"""The independent second reader: dockerfile-parse reads what dfopt changed.

It knows no heredocs and expands some words wrongly, so it cannot be asked for the truth; but where it agreed with dfopt
about the original, it must agree about the result. It never writes.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from dfopt.ir.program import Program

# its views of a file, each with the instructions that it makes it of (others it only looks through)
_VIEWS = {
    "parent_images": frozenset(("FROM", "ARG")),
    "envs": frozenset(("FROM", "ENV")),
    "labels": frozenset(("FROM", "LABEL")),
    "cmd": frozenset(("FROM", "CMD")),
}
_FAILED = object()  # as a view


def disagreement(before: Program, after: Program) -> str:
    """Which view of the result the second reader contradicts; "" where it contradicts none."""
    theirs_before, theirs_after = _reader(before.text), _reader(after.text)
    if theirs_before is None:
        return ""
    if theirs_after is None:
        return "dockerfile-parse could read the original, but not the result"
    structures = theirs_before.structure, theirs_after.structure
    for view, keywords in _VIEWS.items():
        parts = [
            [instruction for instruction in structure if instruction["instruction"] in keywords]
            for structure in structures
        ]
        ours_before, ours_after = _ours(before, view), _ours(after, view)
        if ours_before == ours_after and _values(parts[0]) == _values(parts[1]):
            continue  # all that the view is made of is the same, so it is
        theirs_before.structure, theirs_after.structure = parts
        found = _view(theirs_after, view)
        if found == ours_after:
            continue
        was = _view(theirs_before, view)
        if was == ours_before or (found is _FAILED and was is not _FAILED):
            display = "nothing" if found is _FAILED else repr(found)
            return f"dockerfile-parse reads other {view} in the result: {display}"
    return ""


def _reader(text: str) -> Any:
    """A reader of the text whose structure is made once; None where it cannot read it (it takes UTF-8 only)."""
    global _class
    from io import BytesIO

    if _class is None:
        _class = _reader_class()
    try:
        reader = _class(fileobj=BytesIO(text.encode("utf-8")), env_replace=False)
        reader.structure = _class.parsed.fget(reader)
    except Exception:  # a reader that fails has no opinion
        return None
    return reader


_class: Any = None


def _reader_class() -> Any:
    parser = _imported()

    class SecondReader(parser):  # type: ignore[misc, valid-type]
        parsed = parser.structure
        structure = None  # an attribute in place of the property, which parses anew at each look

    return SecondReader


def _imported() -> Any:
    """dockerfile-parse's class. It imports `logging` and `json`, half of a short run's time, for messages that nobody
    reads and a view that nobody asks for: where no other thread could see it, it is given stand-ins."""
    modules = sys.modules
    absent = [] if "threading" in modules else [name for name in ("logging", "json") if name not in modules]
    for name in absent:
        modules[name] = _StandIn(name)
    try:
        from dockerfile_parse import DockerfileParser
    finally:
        for name in absent:
            if isinstance(modules.get(name), _StandIn):
                del modules[name]
    if "logging" not in absent:
        modules["logging"].getLogger("dockerfile_parse").setLevel("CRITICAL")
    return DockerfileParser


class _StandIn(type(sys)):  # type: ignore[misc]  # the type of modules
    """A module that is imported when something of it is used; as `logging`, a logger that says nothing."""

    def getLogger(self, name: str) -> _StandIn:
        return self

    def debug(self, *_: object) -> None:
        pass

    error = debug

    def __getattr__(self, name: str) -> Any:
        if name[:2] == "__":
            raise AttributeError(name)
        return getattr(__import__(self.__name__), name)


def _values(structure: Any) -> list[tuple[str, str]]:
    return [(instruction["instruction"], instruction["value"]) for instruction in structure]


def _view(reader: Any, view: str) -> Any:
    try:
        return getattr(reader, view)
    except Exception:  # a reader that fails has no opinion
        return _FAILED


def _ours(program: Program, view: str) -> Any:
    """The same view from dfopt's tree, with quotes and escapes as dockerfile-parse takes them, and no variables
    replaced in values (`env_replace=False` asks for that)."""
    if view == "parent_images":
        values = {pair.name: dequoted(pair.value or "") for node in program.meta for pair in node.pairs}
        return [_image(stage.base, values, program.dockerfile.escape) for stage in program.stages]
    if program.final is None:
        return None
    nodes = [step.node for step in program.final.steps]
    if view == "cmd":
        commands = [node.joined.text[node.at : node.stop] for node in nodes if node.keyword == "CMD"]
        return commands[-1] if commands else None
    keyword = "ENV" if view == "envs" else "LABEL"
    return {
        dequoted(pair.name): dequoted(pair.value or "")
        for node in nodes
        if node.keyword == keyword
        for pair in node.pairs
    }


def _image(word: str, values: dict[str, str], escape: str) -> str:
    if "$" not in word:
        return dequoted(word)
    from dfopt.syntax.expand import ExpansionError, expand_word

    try:
        return expand_word(word, values, escape=escape)
    except ExpansionError:
        return word


def dequoted(word: str) -> str:
    """A word as dockerfile-parse takes it: quotes group; a backslash (whatever the escape directive says) makes the
    next character plain, but between double quotes only a double quote, and between single quotes none."""
    if "'" not in word and '"' not in word and "\\" not in word:
        return word
    result: list[str] = []
    quote = ""
    at, size = 0, len(word)
    while at < size:
        char = word[at]
        at += 1
        if char == "\\" and quote != "'":
            if at < size:  # one at the very end is dropped
                if quote and word[at] != '"':
                    result.append(char)
                result.append(word[at])
                at += 1
        elif char == quote:
            quote = ""
        elif not quote and char in "'\"":
            quote = char
        else:
            result.append(char)
    return "".join(result)
