"""How dfopt's time grows: with the build context, with the children of a file, with the instructions of one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from .cold import Clock


class Sizes(NamedTuple):
    """How large the cases are."""

    contexts: tuple[int, int] = (200, 40_000)  # Dockerfiles of one directory, files beside them
    children: int = 800
    instructions: tuple[int, ...] = (100, 1_000, 10_000)


QUICK = Sizes((5, 50), 5, (10, 100))

LONG: dict[str, Callable[[int], str]] = {
    "pip": lambda number: f"RUN pip install package-{number}==1.{number}\n",
    "npm and apt": lambda number: (
        f"RUN npm install -g package-{number}\n"
        if number % 2
        else f"RUN apt-get update && apt-get install -y package-{number}\n"
    ),
    "COPY and chmod": lambda number: (
        f"COPY file-{number // 2} /srv/file-{number // 2}\n"
        if number % 2 == 0
        else f"RUN chmod 755 /srv/file-{number // 2}\n"
    ),
    "ENV": lambda number: f"ENV NAME_{number}=value-{number}\n",
}


def long_file(kind: str, instructions: int) -> str:
    """A Dockerfile of so many instructions after its FROM."""
    return "FROM debian:13\n" + "".join(map(LONG[kind], range(instructions)))


def large_context(place: Path, dockerfiles: int, files: int) -> Path:
    """A directory with Dockerfiles that share it as their build context."""
    for number in range(files):
        directory = place / f"{number // 200:03}"
        directory.mkdir(parents=True, exist_ok=True)
        (directory / f"{number % 200:03}.txt").touch()
    for number in range(dockerfiles):
        install = f"RUN apt-get update && apt-get install -y package-{number}\n"
        (place / f"Dockerfile.{number:03}").write_text(f"FROM debian:13\nCOPY 000 /srv\nCOPY . /app\n{install}")
    return place


def families(place: Path, number: int) -> Path:
    """Directories, each with a Dockerfile in `base`, and one that is built on an image `base`."""
    for family in range(number):
        directory = place / f"{family:03}"
        (directory / "base").mkdir(parents=True)
        (directory / "base" / "Dockerfile").write_text(
            "FROM debian:13\nRUN apt-get update && apt-get install -y curl\n"
        )
        (directory / "Dockerfile").write_text(f"FROM org-{family}/base\nRUN apt-get install -y git\n")
    return place


def rows(clock: Clock, dfopt: Sequence[str], place: Path, sizes: Sizes) -> Iterator[tuple[str, str]]:
    """The lines of the table: what was measured, and the CPU time."""
    fix = [*dfopt, "fix", "-q", "-j1", "--no-cache"]
    dockerfiles, files = sizes.contexts
    context = large_context(place / "context", dockerfiles, files)
    tree = families(place / "families", sizes.children)
    shared, related = (clock.once([*fix, "."], directory) for directory in (context, tree))
    yield f"{dockerfiles} Dockerfiles of one directory, a context of {files:,} files", f"{shared:,.0f} ms"
    yield f"{sizes.children} `*/base/Dockerfile`, each with a child", f"{related:,.0f} ms"
    for kind in LONG:
        directory = place / "long" / kind.replace(" ", "-")
        directory.mkdir(parents=True)
        for number in sizes.instructions:
            (directory / f"{number}.Dockerfile").write_text(long_file(kind, number))
        clock.once([*fix, f"{sizes.instructions[0]}.Dockerfile"], directory)  # what the kind needs is imported
        taken = [clock.once([*fix, f"{number}.Dockerfile"], directory) for number in sizes.instructions]
        figures = ", ".join(f"{value:,.0f}" for value in taken)
        growth = ", ".join(f"{after / before:.1f}" for before, after in pairwise(taken))
        numbers = ", ".join(f"{number:,}" for number in sizes.instructions)
        yield f"{numbers} instructions: {kind}", f"{figures} ms (growth {growth})"
