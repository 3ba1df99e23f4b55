"""What is measured of an image and of a Dockerfile: bytes, layers, user, setuid files, findings of two linters."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

from realbuild.engine import Engine, EngineError

from dfopt.image import Archive, make_ledger, open_archive, read_image
from dfopt.image.layers import FILE
from dfopt.record import Record

_SETUID = 0o6000


class Figures(Record):
    """One image. docker_bytes: as `docker image inspect` says; live, dead: bytes of files by our ledger, of all layers.
    `layers`: bytes of files of each, lowest first.

    `setuid`: files with a setuid or setgid bit. `user`: as the configuration has it; "" is root.
    """

    docker_bytes: int
    live: int
    dead: int
    layers: tuple[int, ...]
    layer_ids: tuple[str, ...]
    user: str
    setuid: tuple[str, ...]


def figures(engine: Engine, *images: str) -> list[Figures]:
    """The figures of images, whose common layers are read from the engine once. Raises EngineError, ImageError."""
    saved = engine.save(*dict.fromkeys(images))
    try:
        with open_archive(saved) as archive:
            return [_figures(engine, image, archive) for image in images]
    finally:
        saved.unlink()


def _figures(engine: Engine, image: str, archive: Archive) -> Figures:
    inspected = engine.call(["image", "inspect", image], timeout=60)
    if inspected.returncode != 0:
        raise EngineError(inspected.stderr.decode(errors="backslashreplace"))
    facts = json.loads(inspected.stdout)[0]
    ledger = make_ledger(read_image(archive.image(image)).layers)
    special = tuple(path for path, node in ledger.files() if node.entry.kind == FILE and node.entry.mode & _SETUID)
    return Figures(
        facts["Size"],
        ledger.live_bytes,
        ledger.dead_bytes,
        tuple(tally.bytes for tally in ledger.layers),
        tuple(facts["RootFS"]["Layers"]),
        facts["Config"].get("User") or "",
        special,
    )


def hadolint(dockerfile: Path) -> dict[str, int] | None:
    """hadolint's findings by code, without what stands in comments; None where it is not installed."""
    program = _program("hadolint")
    if program is None:
        return None
    done = subprocess.run(
        [program, "--no-fail", "--format", "json", "--config", "/dev/null", str(dockerfile)],
        capture_output=True,
        timeout=60,
        check=True,
    )
    return dict(sorted(Counter(finding["code"] for finding in json.loads(done.stdout)).items()))


def tally(dockerfile: Path) -> dict[str, int] | None:
    """tally's findings by rule; None where it is not installed. Checks that ask a registry are left out."""
    program = _program("tally")
    if program is None:
        return None
    command = [program, "lint", "--format", "json", "--slow-checks=off", "--fail-level=none", str(dockerfile)]
    done = subprocess.run(command, capture_output=True, timeout=60)
    try:
        files = json.loads(done.stdout)["files"] or []
    except (ValueError, KeyError) as error:
        raise RuntimeError(f"tally on {dockerfile}: {done.stderr.decode(errors='backslashreplace')}") from error
    return dict(sorted(Counter(one["rule"] for file in files for one in file["violations"]).items()))


def _program(name: str) -> str | None:
    beside = Path(sys.executable).with_name(name)
    return str(beside) if beside.exists() else shutil.which(name)
