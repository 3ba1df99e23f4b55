"""Builds what `history --rebuild` wrote, without an engine: each instruction becomes a layer of an archive, by the
rules that BuildKit has for it, so that the ledger can compare the result with the image that it was made from.

It understands no more of a Dockerfile than such a file holds, reads tars with Python's own tarfile, and fails on
anything else.
"""

from __future__ import annotations

import json
import os
import re
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from image.builders import TarEntry, contents_of, docker_archive, file, folder, layer, whiteout

from dfopt.image import Comparison, ImageContents, compare, make_ledger, open_archive
from dfopt.rebuild.rebuilding import Rebuilt, rebuild
from dfopt.writing import NewDirectory


def instructions(text: str) -> list[tuple[str, str]]:
    """(keyword, rest) of a Dockerfile with comments of whole lines and continued lines of JSON."""
    lines = [line for line in text.split("\n") if not line.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", "")
    pairs = [line.partition(" ") for line in joined.split("\n") if line]
    return [(keyword, rest) for keyword, _, rest in pairs]


class Simulation:
    """The layers that the instructions of a directory make on those of a base."""

    def __init__(self, directory: Path, base: Sequence[bytes]) -> None:
        self.directory = directory
        self.base = list(base)
        self.layers: list[bytes] = []
        self.present: set[str] = set()
        for keyword, rest in instructions((directory / "Dockerfile").read_text(encoding="utf-8")):
            if keyword == "FROM":
                assert re.fullmatch(r"(?:--platform=\S+ )?[\w.:/@-]+", rest)
            elif keyword == "RUN":
                self.layers.append(layer(*self.removed(json.loads(rest))))
            elif keyword == "ADD":
                self.layers.append(layer(*self.extracted(rest)))
            elif keyword == "COPY":
                self.layers.append(layer(*self.copied(rest)))
            else:
                assert keyword in ("ENV", "LABEL", "USER", "WORKDIR", "ENTRYPOINT", "CMD", "SHELL", "STOPSIGNAL",
                                   "EXPOSE", "VOLUME", "HEALTHCHECK", "ONBUILD"), keyword  # fmt: skip

    def removed(self, words: list[str]) -> Iterator[TarEntry]:
        assert words[0] in ("/bin/rm", "/usr/bin/rm")
        assert words[1:3] == ["-rf", "--"]
        for path in words[3:]:
            assert path.startswith("/")
            yield whiteout(path[1:])

    def extracted(self, rest: str) -> Iterator[TarEntry]:
        name, target = rest.split(" ")
        assert (target, Path(name).name) == ("/", name)
        with tarfile.open(self.directory / name, errors="surrogateescape", encoding="utf-8") as tar:
            for member in tar:
                content = tar.extractfile(member) if member.isreg() else None
                yield member, content.read() if content is not None else b""
                self.present.add(f"/{member.name}")

    def copied(self, rest: str) -> Iterator[TarEntry]:
        owner = (0, 0)
        if match := re.match(r"--chown=(\d+):(\d+) ", rest):
            owner, rest = (int(match[1]), int(match[2])), rest[match.end() :]
        *sources, target = rest.split(" ")
        assert target.endswith("/")
        for source in sources:
            place = self.directory / source
            assert not place.is_symlink()
            if place.is_file():
                yield self._file(place, target[1:] + place.name, owner)
                continue
            assert len(sources) == 1
            for above, _, names in os.walk(place):
                relative = (Path(target[1:]) / Path(above).relative_to(place)).as_posix()
                yield folder(relative, os.stat(above).st_mode & 0o7777, owner)
                for name in names:
                    yield self._file(Path(above, name), f"{relative}/{name}", owner)

    def _file(self, place: Path, target: str, owner: tuple[int, int]) -> TarEntry:
        status = place.lstat()
        return file(target, place.read_bytes(), status.st_mode & 0o7777, owner, mtime=int(status.st_mtime))

    def image(self, path: Path) -> ImageContents:
        return contents_of(docker_archive(path, [*self.base, *self.layers]))


def rebuilt(path: Path, directory: Path, base: str | None = "scratch", **more: Any) -> Rebuilt:
    """The rebuild of the archive at `path`, written to `directory`."""
    with open_archive(path) as archive, NewDirectory(os.fspath(directory)) as place:
        result = rebuild(archive.image(), base, **more)
        result.write(place)
    return result


def round_trip(
    tmp_path: Path, layers: Sequence[bytes], settings: dict[str, Any] | None = None, **more: Any
) -> Comparison:
    """How the simulated build of the rebuild differs from the image of these layers. The config is left to BuildKit."""
    original = docker_archive(tmp_path / "original.tar", layers, config=settings or {})
    result = rebuilt(original, tmp_path / "rebuilt", **more)
    built = Simulation(tmp_path / "rebuilt", layers[: result.plan.base.layers]).image(tmp_path / "built.tar")
    before = contents_of(original)
    return compare(before, make_ledger(before.layers), built, make_ledger(built.layers))
