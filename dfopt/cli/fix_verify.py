"""`dfopt fix --verify`: `fix`, but each file is built before and after, and only the fixes that pass are kept."""

from __future__ import annotations

import os
import threading
from functools import partial
from queue import SimpleQueue

from dfopt.cli import out
from dfopt.cli.command_request import request_of
from dfopt.cli.errors import UsageError
from dfopt.cli.progress import build_log
from dfopt.cli.proving import engines_of, figures_json, figures_line, interruptible, plan_of
from dfopt.cli.report.base import clean, position
from dfopt.cli.run_files import run_task, task_of
from dfopt.cli.tasks import FixTask
from dfopt.engine import EngineError
from dfopt.engine.facts import EngineFacts
from dfopt.image import ImageError
from dfopt.proof import Lab, ProofError, ProofSettings, prove_fixes
from dfopt.proof.image_view import ImageReader
from dfopt.proof.stage_builds import BuildFacts
from dfopt.record import Record, replace
from dfopt.request import NO_PROFILE, STDIN
from dfopt.source import LineIndex
from dfopt.workspace.facts import ContextFacts
from dfopt.workspace.run import guarded

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Mapping
    from concurrent.futures import Future

    from dfopt.cli.options import Values
    from dfopt.engine import Engine
    from dfopt.facts import Facts
    from dfopt.proof import Proof
    from dfopt.results import Result
    from dfopt.source import Source
    from dfopt.workspace.discovery import InputFile
    from dfopt.workspace.run import FileOutcome


class Bench(Record):
    """What a worker needs: an engine, and the layers already read from its images."""

    engine: Engine
    reader: ImageReader


class Shop:
    """What all files share. `plan`: how to build, from the command line; `free`: idle benches; `proofs`: results by
    file path, `facts`: what their builds showed; `lock`: guards the creation of passes, which all threads share."""

    def __init__(self, plan: ProofSettings) -> None:
        self.plan = plan
        self.free: SimpleQueue[Bench] = SimpleQueue()
        self.proofs: dict[str, Proof] = {}
        self.facts: dict[str, BuildFacts] = {}
        self.lock = threading.Lock()


class VerifiedFix(FixTask):
    """The work on one file."""

    shop: Shop = Shop(ProofSettings())

    @property
    def cacheable(self) -> bool:
        return False  # its outcomes depend on builds

    def __call__(self, file: InputFile) -> FileOutcome:
        try:
            return super().__call__(file)
        except (EngineError, ImageError, ProofError) as failure:
            return self.failed(file, f"not verified: {failure}")

    def optimized(self, file: InputFile) -> Result:
        source = self.request.read(file)
        plan = replace(self.shop.plan, context=self.context(file, source))
        bench = self.shop.free.get()
        try:
            lab = Lab(bench.engine, plan, partial(build_log, about=out.printable(file.name)), bench.reader)
            facts = BuildFacts(source, judged=bool(plan.smoke or plan.smoke_script))
            proof = self.prove(lab, file, source, facts)
        finally:
            self.shop.free.put(bench)
        self.shop.proofs[file.path] = proof
        self.shop.facts[file.path] = facts
        return proof.result

    def prove(self, lab: Lab, file: InputFile, source: Source, facts: BuildFacts) -> Proof:
        """The proof of a file's fixes. Raises ProofError, EngineError, ImageError, ConfigError."""

        def apply(only: frozenset[tuple[str, int]] | None) -> Result:
            with self.shop.lock:
                return self.request.optimize_source(file, source, only, (facts,))

        return prove_fixes(lab, apply, build_path(file), facts)

    def context(self, file: InputFile, source: Source) -> str:
        """The build context: the one detected for passes, else the file's directory."""
        facts = ContextFacts(file.path, file.root, source, self.request.context_of(file))
        context = facts.build_context()
        return context.root if context is not None else os.path.dirname(file.path) or "."

    def notes(self, file: InputFile, result: Result, written: bool) -> str:
        proof = self.shop.proofs.get(file.path)
        lines_of_fix = super().notes(file, result, written)
        if proof is None or self.quiet or proof.before is None:
            return lines_of_fix
        name = out.printable(file.name)
        index = LineIndex(result.source.text)
        lines = []
        for drop in proof.dropped:
            line, column = position(index, drop.fix.start)
            text = out.printable(f"{' '.join(drop.fix.message.split())}: {' '.join(drop.reason.split())}")
            lines.append(f"{name}:{line}:{column}: {drop.fix.name}[dropped] {text}\n")
        lines.append(
            f"{name}: {len(result.applied)} fixes hold, {len(proof.dropped)} dropped ({proof.builds} builds)\n"
        )
        lines.append(f"{name}: before: {figures_line(proof.before)}\n")
        if proof.verdict is not None and proof.verdict.after is not None:
            lines.append(f"{name}: after:  {figures_line(proof.verdict.after)}\n")
        return lines_of_fix + "".join(lines)

    def more_facts(self, file: InputFile) -> tuple[Facts, ...]:
        facts = self.shop.facts.get(file.path)
        return (facts,) if facts is not None else ()

    def proof(self, file: InputFile) -> Mapping[str, object] | None:
        proof = self.shop.proofs.get(file.path)
        if proof is None or proof.before is None:
            return None
        return {
            "before": figures_json(proof.before),
            "after": figures_json(proof.verdict.after if proof.verdict is not None else None),
            "builds": proof.builds,
            "dropped": [
                {"pass": drop.fix.name, "tier": drop.fix.tier, "reason": clean(drop.reason)} for drop in proof.dropped
            ],
        }


def build_path(file: InputFile) -> str:
    """The path of a file as builds need it: next to it may be an ignore file."""
    return "" if file.path == STDIN else file.path


def run(values: Values) -> int:
    """Runs the command. Raises UsageError."""
    return run_proofs(values, VerifiedFix, Shop(plan_of(values, None)), "--verify")


def run_proofs(values: Values, kind: type[VerifiedFix], shop: Shop, flag: str) -> int:
    """Runs the command with tasks of a kind, asked for by `flag`. Raises UsageError."""
    if values.hosts:
        raise UsageError(f"{flag} builds Dockerfiles: it cannot be combined with --hosts")
    request = request_of(values)
    request.profile = NO_PROFILE  # builds tell what it says, and more
    if request.unsafe is None:
        request.unsafe = True  # the proof decides
    task: VerifiedFix = replace(task_of(values, kind, request), shop=shop)
    with interruptible():
        try:
            engines = engines_of(values)
        except EngineError as failure:
            out.error(f"{flag} needs an engine: {failure}" if flag != "--verify" else str(failure))
            return 2
        try:
            request.facts = (*request.facts, EngineFacts(engines[0]))
            for engine in engines:
                task.shop.free.put(Bench(engine, ImageReader()))
            return run_task(values, task, _serial if len(engines) == 1 else _Spread(engines))
        finally:
            _close(engines)


def _close(engines: list[Engine]) -> None:
    """Closes every engine, even if closing one fails. Raises the first EngineError."""
    failures: list[EngineError] = []
    for engine in engines:
        try:
            engine.close()
        except EngineError as failure:
            failures.append(failure)
    if failures:
        out.error(str(failures[0]))


def _serial(
    files: Iterable[InputFile],
    task: Callable[[InputFile], FileOutcome],
    failed: Callable[[InputFile, str], FileOutcome],
    _: int | None,
) -> Generator[FileOutcome, None, None]:
    for file in files:
        yield guarded(task, failed, file)


class _Spread:
    """Files over several engines: one thread for each, outcomes in the order of the files."""

    def __init__(self, engines: list[Engine]) -> None:
        self.engines = engines

    def __call__(
        self,
        files: Iterable[InputFile],
        task: Callable[[InputFile], FileOutcome],
        failed: Callable[[InputFile, str], FileOutcome],
        _: int | None,
    ) -> Generator[FileOutcome, None, None]:
        from concurrent.futures import ThreadPoolExecutor

        executor = ThreadPoolExecutor(len(self.engines))
        try:
            waiting: list[Future[FileOutcome]] = [executor.submit(guarded, task, failed, file) for file in files]
            for future in waiting:
                yield future.result()
        except BaseException:
            for engine in self.engines:
                engine.cancel()
            raise
        finally:
            executor.shutdown(wait=True, cancel_futures=True)
