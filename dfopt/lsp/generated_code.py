"""The methods of the protocol's classes, compiled once.

lsprotocol has some 500 classes of attrs, which writes the methods of each as a text and compiles it: half of the time
until the server answers. The compiled code depends on that text and on the version of Python alone, so it is kept
(`derived`), by a digest of the text.
"""

from __future__ import annotations

from hashlib import sha256

from dfopt.derived import put, stored

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType
    from typing import Any

_SECTION = "methods by attrs"


class KeptMethods:
    """While it is entered, attrs compiles no text that it compiled in an earlier run."""

    def __init__(self) -> None:
        self.kept: dict[bytes, CodeType] = stored(_SECTION) or {}
        self.new: dict[bytes, CodeType] = {}

    def __enter__(self) -> KeptMethods:
        """Raises ModuleNotFoundError where there is no attrs."""
        from attr import _make

        self.module: Any = _make
        if "compile" not in vars(_make):  # it takes Python's own by its name
            setattr(self.module, "compile", self.compile)  # noqa: B010  # a name that the module does not have
        return self

    def __exit__(self, *_: object) -> None:
        if vars(self.module).get("compile") == self.compile:
            del self.module.compile
        if self.new:
            put(_SECTION, None, {**self.kept, **self.new})

    def compile(self, text: Any, file: Any, mode: str, *more: Any, **options: Any) -> Any:
        """As Python's own."""
        if more or options or not isinstance(text, str):
            return compile(text, file, mode, *more, **options)
        key = sha256(repr((text, file, mode)).encode("utf-8", "surrogatepass")).digest()
        code = self.kept.get(key)
        if code is None:
            code = self.new[key] = compile(text, file, mode)
        return code
