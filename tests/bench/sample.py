"""Which files are measured: a deterministic sample of a directory's Dockerfiles, copied under even names."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

MAX_BYTES = 1 << 20
_NAME = re.compile(r"(dockerfile|containerfile)(\..+)?|.+\.(dockerfile|containerfile)", re.IGNORECASE)
_NOT = re.compile(
    r"\.(j2|jinja2?|tmpl|tpl|template|erb|in|mustache|hbs|md|rst|txt|sh|ps1|py|json|ya?ml|(docker|git)ignore|diff|orig)",
    re.IGNORECASE,
)

# Names of rejected files among those given, each with the reason.
Screen = Callable[[Path, Sequence[str]], dict[str, str]]


class SampleError(Exception):
    """The directory cannot give the sample; the message says why."""


class Sample(NamedTuple):
    root: Path
    names: list[str]  # relative to root: "00000/Dockerfile", ...; every file is the only one of its folder
    size: int  # bytes of all files together
    rejected: dict[str, str]  # original path -> which reader refused it, and why

    def originals(self) -> list[bytes]:
        return [(self.root / name).read_bytes() for name in self.names]


def dockerfiles(directory: Path) -> Iterator[Path]:
    """Regular files below `directory` that are named like a Dockerfile and are no template; links are not followed."""
    for folder, below, files in os.walk(directory):
        below.sort()
        for name in files:
            path = Path(folder, name)
            if (
                _NAME.fullmatch(name)
                and not _NOT.fullmatch(path.suffix)
                and not path.is_symlink()
                and path.is_file()
                and path.stat().st_size <= MAX_BYTES
            ):
                yield path


def ranked(paths: Iterable[Path]) -> list[tuple[str, Path]]:
    """Distinct contents in the order of their SHA-256, each with the first path that has it.

    The order depends on nothing but the contents, so every machine with the same files takes the same sample.
    """
    first: dict[str, Path] = {}
    for path in sorted(paths):
        first.setdefault(hashlib.sha256(path.read_bytes()).hexdigest(), path)
    return sorted(first.items())


def draw(directory: Path, count: int, root: Path, screens: Sequence[Screen]) -> Sample:
    """Copy the first `count` files, by content hash, that no screen rejects to `root`.

    A file that one reader refuses is left out for all: some of the programs stop a whole run at the first such file.
    Raises SampleError if `directory` has no Dockerfile or fewer than `count` acceptable ones.
    """
    pool = ranked(dockerfiles(directory))
    if not pool:
        raise SampleError(f"no Dockerfile below {directory}")
    rejected: dict[str, str] = {}
    names: list[str] = []
    size = at = 0
    while len(names) < count and at < len(pool):
        batch: dict[str, Path] = {}
        for _, path in pool[at : at + count - len(names)]:
            name = f"{len(names) + len(batch) + len(rejected):05}/Dockerfile"
            (root / name).parent.mkdir(parents=True)
            (root / name).write_bytes(path.read_bytes())
            batch[name] = path
        at += len(batch)
        refused: dict[str, str] = {}
        for screen in screens:
            refused.update(screen(root, [name for name in batch if name not in refused]))
        for name, path in batch.items():
            if name in refused:
                (root / name).unlink()
                (root / name).parent.rmdir()
                rejected[str(path)] = refused[name]
            else:
                names.append(name)
                size += (root / name).stat().st_size
    if len(names) < count:
        raise SampleError(
            f"{directory} has {len(names)} distinct Dockerfiles that every reader accepts, and --files asks for {count}"
        )
    return Sample(root, names, size, rejected)


def oracle_screen(oracle: Path) -> Screen:
    """Refuses what BuildKit's own parsers refuse."""

    def screen(root: Path, names: Sequence[str]) -> dict[str, str]:
        run = subprocess.run(
            [oracle, "parse", "-"], input="".join(f"{n}\n" for n in names), cwd=root, stdout=subprocess.PIPE,
            check=True, encoding="utf-8", errors="surrogateescape",
        )  # fmt: skip
        refused: dict[str, str] = {}
        for line in run.stdout.split("\n")[:-1]:
            answer = json.loads(line)
            reason = answer.get("err") or answer.get("inst_err")
            if reason:
                refused[answer["path"]] = f"BuildKit: {reason}"
        return refused

    return screen


def stopping_screen(label: str, command: Sequence[str], error: re.Pattern[str], env: dict[str, str]) -> Screen:
    """For a program that stops at the first file it cannot read: run it, leave that file out, run it again.

    `error` finds the file's name (group 1) and the reason (group 2) in what the program prints to stderr.
    """

    def screen(root: Path, names: Sequence[str]) -> dict[str, str]:
        refused: dict[str, str] = {}
        while True:
            rest = [name for name in names if name not in refused]
            run = subprocess.run(
                [*command, *rest], cwd=root, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                check=False, encoding="utf-8", errors="replace",
            )  # fmt: skip
            found = error.search(run.stderr) if run.returncode else None
            if found is None or found[1] not in rest:
                return refused  # any other failure shows in the measured run
            refused[found[1]] = f"{label}: {found[2]}"

    return screen
