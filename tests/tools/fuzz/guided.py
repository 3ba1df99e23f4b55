"""The fuzzer guided by coverage: atheris (libFuzzer) keeps the inputs that reach code which none before reached.

Each reader gets a process, one after the other, for its share of the time; one that is killed or waits for too long is
started again. The mutations are those of `readers`; libFuzzer chooses from what. Such a process writes what it ran to
the file `runs` of the session's directory, failures to `failures`, and the input that it runs to `current-input`.
"""

from __future__ import annotations

import io
import json
import os
import random
import signal
import sys
import time
import traceback
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.tools.fuzz.execution import Execution
from tests.tools.fuzz.model import Input, Outcome
from tests.tools.fuzz.readers import READERS, mutated
from tests.tools.fuzz.session import TOGETHER

if TYPE_CHECKING:
    from tests.tools.fuzz.__main__ import Campaign

START = 60  # inputs of a reader that a corpus starts from
LARGEST = 2_000_000  # bytes of a packed input
WALL = 90.0  # seconds for one input
BROKEN = (ValueError, KeyError, TypeError, AttributeError)  # of what is no packed input


def fuzz(reader: str, seconds: int, seed: int, work: Path, registry: str) -> None:
    """In a child process: never returns, libFuzzer ends it."""
    import atheris

    corpus, current = work / "corpus" / reader, work / "current-input"
    corpus.mkdir(parents=True, exist_ok=True)
    chance = random.Random(seed)
    for number in range(START):
        (corpus / f"start-{number}").write_bytes(READERS[reader][1](chance).pack())
    runs, failures = io.FileIO(work / "runs", "a"), io.FileIO(work / "failures", "a")
    execution = Execution(work, registry, work / "trace")

    def test_one(data: bytes) -> None:
        try:
            given = Input.unpack(data)
        except BROKEN:
            return
        try:
            run_one(given, data)
        except BaseException:  # a defect of the fuzzer
            (work / "log").write_text(traceback.format_exc())
            raise

    def run_one(given: Input, data: bytes) -> None:
        current.write_bytes(data)
        outcome = execution.run(given)
        runs.write(json.dumps([outcome.status, round(outcome.cpu, 2)]).encode() + b"\n")
        if outcome.failure:
            failures.write(json.dumps([outcome.failure, outcome.details, data.decode()]).encode() + b"\n")

    def mutate(data: bytes, max_size: int, number: int) -> bytes:
        chance = random.Random(number)
        try:
            given = Input.unpack(data) if chance.random() < 0.8 else READERS[reader][1](chance)
        except BROKEN:
            given = READERS[reader][1](chance)
        try:
            made = mutated(given, chance).pack()
        except BaseException:  # of a library that packs or unpacks
            (work / "log").write_text(traceback.format_exc())
            return data
        return made if len(made) <= max_size else data

    flags = [f"-max_total_time={seconds}", f"-seed={seed + 1}", f"-max_len={LARGEST}", "-len_control=0", "-rss_limit_mb=0", "-timeout=0",
             "-detect_leaks=0", f"-artifact_prefix={work}/"]  # fmt: skip
    atheris.Setup([sys.argv[0], str(corpus), *flags], test_one, custom_mutator=mutate)
    atheris.Fuzz()


def run(campaign: Campaign, names: list[str], minutes: float) -> None:
    """Fuzzes the readers, each by its weight."""
    work, seed = campaign.session.work, campaign.seed
    whole = sum(READERS[name][0] for name in names)
    for name in names:
        end = time.monotonic() + minutes * 60 * READERS[name][0] / whole
        while (left := int(end - time.monotonic())) > 0:
            if name == "lsp":  # an event loop and threads of its own: not in libFuzzer's process
                campaign.batch(campaign.inputs(left, [name], TOGETHER))
                continue
            for file in ("runs", "failures", "current-input", "trace"):
                (work / file).unlink(missing_ok=True)
            seed += 1
            status = _process(name, left, seed, work, campaign.session.registry)
            _collect(campaign, work, name, status)
        corpus = max(0, len(list((work / "corpus" / name).glob("*"))) - START)
        print(f"{name}: {campaign.runs[name]} inputs, of which {corpus} reached something new", flush=True)


def _process(name: str, seconds: int, seed: int, work: Path, registry: str) -> int:
    """Runs `fuzz` in a process of its own. Returns its status; a negative number: the signal that ended it."""
    child = os.fork()
    if child == 0:
        try:
            os.setsid()
            log = os.open(work / "log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            for descriptor in (1, 2):
                os.dup2(log, descriptor)
            fuzz(name, seconds, seed, work, registry)
        finally:
            os._exit(3)
    begun = time.time()
    try:
        while True:
            pid, status = os.waitpid(child, os.WNOHANG)
            if pid:
                return os.waitstatus_to_exitcode(status)
            with suppress(OSError):
                begun = max(begun, (work / "current-input").stat().st_mtime)
            if time.time() - begun > WALL:
                os.kill(child, signal.SIGABRT)
                begun = time.time()
            time.sleep(0.2)
    except BaseException:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        raise


def _lines(file: Path) -> list[Any]:
    """The JSON lines of a file; the last may be cut off, where the process was killed."""
    found: list[Any] = []
    for line in file.read_bytes().splitlines() if file.exists() else ():
        with suppress(ValueError):
            found.append(json.loads(line))
    return found


def _collect(campaign: Campaign, work: Path, name: str, status: int) -> None:
    """Counts what a process ran, and notes its failures."""
    for code, cpu in _lines(work / "runs"):
        campaign.runs[name] += 1
        campaign.statuses[name][code] += 1
        campaign.slowest[name] = max(campaign.slowest[name], cpu)
    for failure, details, data in _lines(work / "failures"):
        campaign.failed(Input.unpack(data.encode()), Outcome(0, failure, details))
    if status and (work / "current-input").exists():
        given = Input.unpack((work / "current-input").read_bytes())
        campaign.runs[name] += 1
        outcome = next(iter(campaign.session.run([given])))  # alone, to tell what it is
        if not outcome.failure and status in (1, 77):  # libFuzzer's own: an exception in its hooks
            print(f"{name}: libFuzzer's process ended with {status}, and is started again", flush=True)
            return
        failure = outcome.failure or f"the process ended with {status}"
        log = (work / "log").read_text(errors="replace")[-2000:]
        campaign.failed(given, Outcome(status, failure, f"{outcome.details}\n{log}"))
