"""The small applications of this suite: a build context each, and what the running container must answer.

Each set of SETS is a folder; `<set>/<name>/` holds a context with a Dockerfile and `smoke.toml` (which is no part of
the context):

    about = "one line"
    touch = "src/main.c"              the source file that changes before the build that is timed with the cache
    append = "\\n"                     what is appended to it (default: an empty line)
    args = {VERSION = "1"}            build arguments
    serve = "MIRROR"                  the build argument that gets the address of a file server of `served/`
    port = 8080                       a server: the port that it listens on, in its own network
    words = ["--verbose"]             a server's words after the image's name
    env = {DEBUG = "1"}               set by whoever starts the container

    [[ask]]                           what a server is asked; at least two, one of which reads files at run time
    path = "/"
    status = 200                      (default)
    body = "all of it"                or: contains = "a part of it"

    [[call]]                          how a command is called, each time in a new container
    words = ["--help"]                (default: none, so that CMD decides)
    entrypoint = "/bin/sh"            instead of the image's own
    input = "text"                    on standard input
    code = 0                          (default)
    stdout = "all of it"              or: contains = "a part of it"
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from dfopt.record import Record

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

HERE = Path(__file__).resolve().parent
# The known ones, then sets that whoever wrote the passes had not seen. A set is unseen until its results were worked
# on: then a newer one is due, and stands last.
SETS = ("apps", "unseen", "unseen2", "unseen3")
NEWEST = SETS[-1]
_ANY = object()


class AppError(Exception):
    """A smoke.toml that says nothing usable; the message names the file and the key."""


class Ask(Record):
    path: str
    status: int
    body: str | None
    contains: str | None


class Call(Record):
    words: tuple[str, ...]
    entrypoint: str | None
    input: str
    code: int
    stdout: str | None
    contains: str | None


class App(Record):
    """One application. `port` 0: it has no server, and `calls`; else it has `asks`."""

    name: str
    directory: Path
    about: str
    touch: str
    append: str
    args: dict[str, str]
    serve: str | None
    port: int
    words: tuple[str, ...]
    env: dict[str, str]
    asks: tuple[Ask, ...]
    calls: tuple[Call, ...]


def find_apps(group: str, names: list[str] | None = None) -> list[App]:
    """The applications of a set of SETS, by name; `names`: only these. Raises AppError, also for unknown names."""
    root = HERE / group
    known = sorted(file.parent.name for file in root.glob("*/smoke.toml"))
    unknown = set(names or ()) - set(known)
    if unknown:
        raise AppError(f"no application {', '.join(sorted(unknown))} in {root}; there are: {', '.join(known)}")
    return [load_app(root / name) for name in known if not names or name in names]


def load_app(directory: Path) -> App:
    """Reads one application. Raises AppError."""
    file = directory / "smoke.toml"
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise AppError(f"{file}: {error}") from error
    keys = _Keys(file, table)
    asks = tuple(_ask(_Keys(file, each)) for each in keys.take("ask", list, []))
    calls = tuple(_call(_Keys(file, each)) for each in keys.take("call", list, []))
    app = App(
        directory.name,
        directory,
        keys.take("about", str),
        keys.take("touch", str),
        keys.take("append", str, "\n"),
        keys.take("args", dict, {}),
        keys.take("serve", str, None),
        keys.take("port", int, 0),
        tuple(keys.take("words", list, [])),
        keys.take("env", dict, {}),
        asks,
        calls,
    )
    keys.end()
    if not (directory / app.touch).is_file():
        raise AppError(f"{file}: touch: there is no {app.touch}")
    if app.serve is not None and not (directory / "served").is_dir():
        raise AppError(f"{file}: serve: there is no directory served/")
    if bool(app.port) == bool(app.calls) or bool(app.port) != bool(app.asks):
        raise AppError(f"{file}: either port and [[ask]], or [[call]]")
    if len(asks) + len(calls) < 2:
        raise AppError(f"{file}: one request tells too little: give a second one, which reads files at run time")
    return app


class _Keys:
    """The keys of one table, each of which must be taken."""

    def __init__(self, file: Path, table: dict[str, Any]) -> None:
        self.file, self.table = file, table

    def take(self, key: str, kind: type, default: Any = _ANY) -> Any:
        value = self.table.pop(key, default)
        if value is _ANY:
            raise AppError(f"{self.file}: {key} is missing")
        if value is not default and not isinstance(value, kind):
            raise AppError(f"{self.file}: {key} must be a {kind.__name__}, not {value!r}")
        return value

    def end(self) -> None:
        if self.table:
            raise AppError(f"{self.file}: unknown keys: {', '.join(sorted(self.table))}")

    def one_of(self, whole: str, part: str, needed: bool) -> tuple[str | None, str | None]:
        found = self.take(whole, str, None), self.take(part, str, None)
        if found.count(None) == 0 or (needed and found.count(None) == 2):
            raise AppError(f"{self.file}: give one of {whole} and {part}")
        return found


def _ask(keys: _Keys) -> Ask:
    path, status = keys.take("path", str), keys.take("status", int, 200)
    ask = Ask(path, status, *keys.one_of("body", "contains", status == 200))
    keys.end()
    return ask


def _call(keys: _Keys) -> Call:
    words, entrypoint = tuple(keys.take("words", list, [])), keys.take("entrypoint", str, None)
    given, code = keys.take("input", str, ""), keys.take("code", int, 0)
    call = Call(words, entrypoint, given, code, *keys.one_of("stdout", "contains", code == 0))
    keys.end()
    return call
