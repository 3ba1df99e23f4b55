"""Golden cases in Markdown: one file for a pass or a recipe, one section for a case.

    ## found

    ```toml
    unsafe = true
    ```

    ```dockerfile
    FROM debian:13
    MAINTAINER someone
    ```

    ```dockerfile
    FROM debian:13
    LABEL org.opencontainers.image.authors="someone"
    ```

    ```text
    @@ -1,2 +1,2 @@ maintainer-to-label [unsafe] MAINTAINER is deprecated
    ```

The first `dockerfile` fence is the Dockerfile, the second one what it must become; `toml` is case.toml; `text` is
expected.txt. A line "`PATH`:" before a fence names any other file: facts.toml, build.toml, files of the build context.
Everything else is prose. A fence holds lines of UTF-8 without control characters other than tabs (`not_shown`): other
bytes need a directory.
"""

from __future__ import annotations

import re

from dfopt.edit import Edit, apply_edits, split_lines
from dfopt.record import Record
from dfopt.testing.case_files import CaseError, CaseFiles, read_case_file, write_case_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_KINDS = {"toml": ("case.toml",), "dockerfile": ("Dockerfile", "expected.Dockerfile"), "text": ("expected.txt",)}
_PATH = re.compile(r"`([^`]+)`:[ \t]*")
_OPEN = re.compile(r"(`{3,})([^`]*)")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ufeff]")


class Fence(Record):
    """A file of a section: its bytes, the line of its opening fence (from 1), and its span in the Markdown text, with
    the line that names it."""

    data: bytes
    line: int
    start: int
    end: int


class CaseSection(CaseFiles):
    """A case that is a section of the Markdown file `path`; `line` is that of its heading, `fences` its files."""

    __slots__ = ("fences", "line", "path")

    keeps_diff = False

    def __init__(self, path: Path, group: str, case: str, line: int) -> None:
        super().__init__(group, case)
        self.path = path
        self.line = line
        self.fences: dict[str, Fence] = {}

    @property
    def file(self) -> Path:
        return self.path

    def where(self, file: str, line: int = 0) -> str:
        fence = self.fences.get(file)
        return f"{self.path}:{fence.line + line if fence else self.line}"

    def names(self) -> Iterable[str]:
        return self.fences

    def read(self, file: str) -> bytes | None:
        fence = self.fences.get(file)
        return fence.data if fence else None

    def write(self, file: str, data: bytes | None) -> None:
        text, newline = _text(self.path)
        (fences,) = [case.fences for case in _sections(self.path, text, self.group) if case.name == self.name]
        edit = _edit(text, fences, file, None if data is None else fenced(file, data, self.where(file)))
        write_case_file(self.path, apply_edits(text, [edit]).replace("\n", newline).encode())
        text, _ = _text(self.path)
        (self.fences,) = [case.fences for case in _sections(self.path, text, self.group) if case.name == self.name]


def read(path: Path, root: Path) -> list[CaseSection]:
    """The cases of a Markdown file below `root`; none where no section has a Dockerfile. Raises CaseError."""
    text, _ = _text(path)
    group = path.relative_to(root).with_suffix("").as_posix()
    return _sections(path, text, group) if re.search(r"^`{3,}dockerfile", text, re.M) else []


def not_shown(data: bytes) -> str:
    """Why a fence cannot hold these bytes; "" where it can."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return "is not UTF-8"
    if _CONTROL.search(text):
        return "has a control character"
    return "does not end in a newline" if text and not text.endswith("\n") else ""


def fenced(file: str, data: bytes, where: str) -> str:
    """The Markdown that holds a file. Raises CaseError where it cannot; the message begins with `where`."""
    reason = not_shown(data)
    if reason:
        raise CaseError(f"{where}: {file} {reason}, which Markdown cannot show: make the case a directory")
    text = data.decode()
    ticks = "`" * max(3, *[len(run) + 1 for run in re.findall(r"^`{3,}", text, re.M)], 3)
    kind = next((kind for kind, files in _KINDS.items() if file in files), None)
    title = "" if kind else f"`{file}`:\n\n"
    if kind is None:
        kind = file.rpartition(".")[2] if re.search(r"\.\w+$", file) else "text"
    return f"{title}{ticks}{kind}\n{text}{ticks}\n"


def _text(path: Path) -> tuple[str, str]:
    """The text of a Markdown file with its newlines as "\\n", and what they are. Raises CaseError."""
    try:
        text = (read_case_file(path) or b"").decode()
    except UnicodeDecodeError:
        raise CaseError(f"{path}: not UTF-8") from None
    newline = "\r\n" if "\r\n" in text else "\n"
    text = text.replace("\r\n", "\n")
    return text if text.endswith("\n") else text + "\n", newline


def _edit(text: str, fences: dict[str, Fence], file: str, block: str | None) -> Edit:
    """What puts `block` in the place of a file's fence, or where a file that is not there yet belongs."""
    there = fences.get(file)
    if there is not None:
        if block is not None:
            return Edit(there.start, there.end, block)
        blank = there.end < len(text) and text[there.end] == "\n"
        return Edit(there.start, there.end + blank, "") if blank else Edit(_blank(text, there.start), there.end, "")
    before = fences.get("expected.Dockerfile", fences["Dockerfile"]) if file == "expected.txt" else fences["Dockerfile"]
    return Edit(before.end, before.end, f"\n{block or ''}")


def _blank(text: str, start: int) -> int:
    return start - 1 if text[:start].endswith("\n\n") else start


def _sections(path: Path, text: str, group: str) -> list[CaseSection]:
    """The sections of a Markdown text. Raises CaseError."""
    found: list[CaseSection] = []
    lines = split_lines(text)
    at = number = 0
    title: tuple[str, int] | None = None  # a line "`PATH`:", and its offset
    while number < len(lines):
        line = lines[number]
        number += 1
        start, at = at, at + len(line)
        if opening := _OPEN.fullmatch(line.rstrip("\n")):
            begin, first = at, number
            while number < len(lines) and lines[number].rstrip("\n") != opening[1]:
                at += len(lines[number])
                number += 1
            if number == len(lines):
                raise CaseError(f"{path}:{first}: the fence has no end")
            data = text[begin:at].encode()
            at += len(lines[number])
            number += 1
            if found:
                file = title[0] if title else _unnamed(opening[2].strip(), found[-1].fences)
                _check(f"{path}:{first}", file, found[-1].fences)
                assert file is not None
                found[-1].fences[file] = Fence(data, first, title[1] if title else start, at)
            title = None
        elif line.startswith("## "):
            case = line[3:].strip()
            if not case or "/" in case or any(one.name == f"{group}/{case}" for one in found):
                raise CaseError(f"{path}:{number}: the heading does not name another case: {case!r}")
            found.append(CaseSection(path, group, case, number))
            title = None
        elif line.strip():
            named = _PATH.fullmatch(line.rstrip("\n"))
            title = (named[1], start) if named else None
    for one in found:
        if "Dockerfile" not in one.fences:
            raise CaseError(f"{path}:{one.line}: the case has no Dockerfile (a fence of the kind `dockerfile`)")
    return found


def _unnamed(kind: str, fences: dict[str, Fence]) -> str | None:
    """The file that a fence without a name holds, by its kind."""
    return next((file for file in _KINDS.get(kind, ()) if file not in fences), None)


def _check(where: str, file: str | None, fences: dict[str, Fence]) -> None:
    if file is None:
        raise CaseError(f"{where}: which file is this? Write a line `PATH`: with a blank one before the fence")
    if file in fences or file == "expected.diff":
        raise CaseError(f"{where}: {file}: {'a second time' if file in fences else 'only directories have it'}")
    if "\\" in file or any(part in ("", ".", "..") for part in file.split("/")):
        raise CaseError(f"{where}: not a path in the build context: {file}")
