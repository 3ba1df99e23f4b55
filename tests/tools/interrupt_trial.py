"""How long Ctrl-C takes while an engine builds and while a smoke test runs, and what is left then. By hand, with an
engine that has the image busybox:1.37 (DOCKER_HOST; tests/realbuild/start-dockerd.sh starts one):

    python -m tests.tools.interrupt_trial [--count N] [--trace]

Interrupts `fix --verify` and `fix -O3`, each --count times, in a RUN and in a smoke test that both sleep. A row holds
the seconds from the signal to dfopt's end, what dfopt said last, and what is left: processes of the build and of the
container, the guard, containers and images with dfopt's label, temporary files. --trace says which commands of docker
ran after the signal, with their seconds.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from dfopt.engine import marks

from .process_table import PARENT, living

ROOT = Path(__file__).parents[2]
FILE = "FROM busybox:1.37\nENV A 1\nRUN echo big >/big\nRUN rm /big && mkdir /data\n{}CMD sleep 5\n"
COMMANDS = (("fix", "--verify"), ("fix", "-O3"))
LIMIT = 120.0  # seconds until the moment, and until the end
DOCKER = """#!/bin/sh
begun=$(date +%s.%N)
"$REAL" "$@"
code=$?
echo "$(date +%s.%N) $begun $*" >>"$TRACE"
exit $code
"""


def running(words: bytes) -> Iterator[int]:
    """Processes with that command line, of containers too: they show in the engine's machine."""
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                if Path("/proc", entry, "cmdline").read_bytes().startswith(words):
                    yield int(entry)
            except OSError:
                continue


def docker(*words: str) -> str:
    return subprocess.run(["docker", *words], capture_output=True, text=True, timeout=60, check=False).stdout


def marked(pid: int) -> list[str]:
    """Containers and images that a process marked."""
    found: list[str] = []
    for kind in ("container", "image"):
        names = docker(kind, "ls", "-a", "-q", "--no-trunc", "--filter", f"label={marks.LABEL}").split()
        form = f'{{{{index .Config.Labels "{marks.LABEL}"}}}}'
        found += [kind for name in set(names) if f"-{pid}-" in docker(kind, "inspect", "--format", form, name)]
    return found


def trial(number: int, words: tuple[str, ...], at_build: bool, trace: bool) -> float:
    sleep = f"sleep {61000 + number}"
    with tempfile.TemporaryDirectory(dir="/var/tmp") as place:
        context, temporary, tools = Path(place, "c"), Path(place, "t"), Path(place, "bin")
        for path in (context, temporary, tools):
            path.mkdir()
        (context / "Dockerfile").write_text(FILE.format(f"RUN {sleep}\n" if at_build else ""))
        smoke = ("--smoke", "true" if at_build else sleep)
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(temporary), "DFOPT_CACHE_DIR": f"{place}/k"}
        if trace:
            real = subprocess.run(["which", "docker"], capture_output=True, text=True, check=True).stdout.strip()
            (tools / "docker").write_text(DOCKER)
            (tools / "docker").chmod(0o755)
            environment |= {"PATH": f"{tools}:{environment['PATH']}", "REAL": real, "TRACE": f"{place}/trace"}
        process = subprocess.Popen(
            [sys.executable, "-m", "dfopt", *words, "--network", "host", *smoke, "Dockerfile"], cwd=context,
            env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip
        end = time.monotonic() + LIMIT
        program = sleep.replace(" ", "\0").encode()
        while not any(running(program)):
            if process.poll() is not None or time.monotonic() > end:
                process.kill()
                raise SystemExit(f"the moment did not come: {process.communicate()[1]}")
            time.sleep(0.02)
        time.sleep(0.5)
        children = living(PARENT, process.pid)
        wall = time.time()
        begun = time.monotonic()
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=LIMIT)
        seconds = time.monotonic() - begun
        left = [f"process {pid}" for pid in running(program)]
        left += [f"child {pid}" for pid in children if Path("/proc", pid).exists()]
        left += marked(process.pid) + [path.name for path in temporary.iterdir()]
        last = said.strip().rpartition("\n")[2]
        moment = "build" if at_build else "smoke test"
        ended = f"{seconds:.2f} s, status {process.returncode}: {last}; left: {left}"
        print(f"{' '.join(words)}, {moment}: {ended}", flush=True)
        if trace:
            for row in Path(place, "trace").read_text().split("\n"):
                ended, _, rest = row.partition(" ")
                if rest and float(ended) > wall:
                    started, _, call = rest.partition(" ")
                    print(f"   {float(started) - wall:6.2f} to {float(ended) - wall:.2f}: {call[:100]}")
        return seconds


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=5)
    parser.add_argument("--trace", action="store_true")
    options = parser.parse_args()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job would have dfopt ignore it
    for at_build in (True, False):
        for words in COMMANDS:
            times = sorted(trial(number, words, at_build, options.trace) for number in range(options.count))
            print(f"{' '.join(words)}: median {times[len(times) // 2]:.2f} s, longest {times[-1]:.2f} s", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
