"""The only function that writes a Dockerfile: it takes a gated result, and writes all of it or nothing."""

from __future__ import annotations

import os
from stat import S_ISREG

from dfopt.files import is_inside
from dfopt.source import encode
from dfopt.writing import WriteRefused, replace_file

TYPE_CHECKING = False
if TYPE_CHECKING:
    from dfopt.results import Result


def write_result(result: Result, path: str, root: str) -> None:
    """Puts `result.output` in the place of the file at `path`, which must still hold `result.source`.

    A reader sees the old file or the new one (`writing.Replacement`). A symbolic link is resolved, and its target
    replaced; it may not lead out of `root`. Hard links to the old file keep the old content. Raises WriteRefused
    (changed meanwhile, no regular file, out of the tree) and OSError; the file is as it was then.
    """
    if result.problem is not None or not result.changed:
        raise WriteRefused("there is nothing to write")
    target = resolve(path, root)
    replace_file(target, encode(result.output), result.source.to_bytes(), root)


def resolve(path: str, root: str) -> str:
    """The real path of the file to replace. Raises WriteRefused where it lies outside `root`, is not a regular file, or
    may not be written."""
    target = os.path.realpath(path)
    if not is_inside(target, root):
        raise WriteRefused(f"a symbolic link leads out of the tree, to {target}")
    if not S_ISREG(os.stat(target).st_mode):
        raise WriteRefused("not a regular file")
    return target
