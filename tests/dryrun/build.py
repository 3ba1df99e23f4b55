"""Runs an LLB graph in a world of stand-ins: what each step makes, calls, and how it fails."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from .calls import Call, ordered
from .graph import Graph, root_input
from .images import StepError
from .lacks import hint_key
from .sandbox import Sandbox, State
from .steps import ROUNDS, Fault, Step, Steps, has_caches
from .world import Worlds

SECONDS = 60  # of learning what a world lacks


@dataclass
class Built:
    """One build. `error`: how the step failed that ended it, "" where the image was built."""

    graph: Graph
    steps: dict[str, Step] = field(default_factory=dict)
    error: str = ""

    @property
    def state(self) -> State | None:
        if self.error:
            return None
        if self.graph.result is None:
            return ()
        digest, output = self.graph.result
        return self.steps[digest].outputs[output]

    def calls(self) -> Iterator[Call]:
        for step in self.steps.values():
            yield from step.calls

    def chains(self) -> list[list[Call]]:
        """The calls in their order: a list for each line of steps from a base image to its last step."""
        below: dict[str, str] = {}
        for op in self.graph.operations:
            root = root_input(op)
            if root is not None:
                below[op.digest] = op.inputs[root][0]
        leaves = [
            op.digest
            for op in self.graph.operations
            if op.digest in self.steps and op.digest not in set(below.values())
        ]
        found: list[list[Call]] = []
        for leaf in leaves:
            line: list[str] = []
            current: str | None = leaf
            while current is not None:
                line.append(current)
                current = below.get(current)
            calls = [call for digest in reversed(line) for call in ordered(self.steps[digest].calls)]
            if calls:
                found.append(calls)
        return found


def _alike(built: Built, last: Call | None) -> Iterator[str]:
    """The operations with a call that leaves what `last` leaves."""
    if last is not None:
        for digest, step in built.steps.items():
            if any(hint_key(call) == hint_key(last) for call in step.calls):
                yield digest


class Builder(Steps):
    """Builds the files of one trial; what it built of one is taken for the other."""

    def __init__(
        self, sandbox: Sandbox, worlds: Worlds, graphs: list[Graph], context: str = "", fill: bool = False
    ) -> None:
        super().__init__(sandbox, worlds, graphs, context, fill)
        self.memo: dict[str, Step] = {}
        self.settled = False  # whether no more is to be learnt of what the world lacks

    def forget(self) -> None:
        super().forget()
        self.memo.clear()

    def settle(self, graph: Graph) -> Built:
        """A build whose world has what it was found to lack."""
        built, reuse = Built(graph), dict[str, Step]()
        changed: set[str] = set()
        started = time.monotonic()
        self._settling = True
        self.settled = False
        for _ in range(ROUNDS):
            if time.monotonic() - started > SECONDS:
                break
            built = Built(graph)
            try:
                self._operations(built, Counter(), None, reuse, True, False, changed)
            except StepError as error:
                built.error = f"{error}: {error.output[-400:].strip()}"
                maker, last = self._last(built, error)
                found = self.lacks.learn(error.output, error.cwd, last, error.body)
                if not found and "ermission denied" in error.output and not self.executable:
                    self.executable = True
                    found = "base"
                if found == "base":
                    self.forget()
                    reuse, changed = {}, set()
                elif found:
                    reuse, changed = {} if has_caches(graph) else dict(built.steps), {maker, *_alike(built, last)}
                if found or error.unheard:
                    self.lacks.write_hints(Path("dry/hints"))
                    continue
            self.settled = True
            break
        self._settling = False
        return built

    def _last(self, built: Built, error: StepError) -> tuple[str, Call | None]:
        """The last call before a step failed, and the operation that made it; "" for the step itself."""
        stays = [call for call in error.calls if self.stays(call)]
        if error.made_before:
            last = stays[-1] if stays else None
            makers = [digest for digest, step in built.steps.items() if last in step.calls]
            return (makers[-1] if makers else ""), last
        if stays:
            return "", stays[-1]
        for digest, step in reversed(built.steps.items()):
            stays = [call for call in step.calls if self.stays(call)]
            if stays:
                return digest, stays[-1]
        return "", None

    def build(self, graph: Graph, learn_programs: bool = False, lose_caches: bool = False, share: bool = True) -> Built:
        """A build in the world as it is. `lose_caches`: cache mounts are empty at each step; `share`: steps that
        another build of the trial has made are taken from it."""
        built = Built(graph)
        try:
            reuse = self.memo if share and not has_caches(graph) else {}
            self._operations(built, Counter(), None, reuse, learn_programs, lose_caches)
        except StepError as error:
            built.error = f"{error}: {error.output[-400:].strip()}"
        return built

    def fault(self, plain: Built, fault: Fault) -> Built:
        """The build `plain` once more, with one call failing."""
        built = Built(plain.graph)
        reuse = {} if has_caches(plain.graph) else plain.steps
        try:
            self._operations(
                built,
                Counter({d: sum(c.key == fault.key for c in s.calls) for d, s in plain.steps.items()}),
                fault,
                reuse,
                False,
                False,
            )
        except StepError as error:
            built.error = f"{error}: {error.output[-400:].strip()}"
        return built

    def _operations(
        self,
        built: Built,
        counts: Counter[str],
        fault: Fault | None,
        reuse: dict[str, Step],
        learn: bool,
        lose: bool,
        dirty: Collection[str] = (),
    ) -> None:
        caches: dict[str, str] = {}
        changed = set(dirty)
        waiting = fault.number if fault else -1
        for op in built.graph.operations:
            here: Fault | None = None
            if fault and waiting >= 0:
                if waiting < counts[op.digest]:
                    here = Fault(fault.kind, fault.key, waiting)
                    changed.add(op.digest)
                waiting -= counts[op.digest]
            if any(digest in changed for digest, _ in op.inputs):
                changed.add(op.digest)
            known = reuse.get(op.digest) if op.digest not in changed else None
            if known is None:
                inputs = [built.steps[digest].outputs[output] for digest, output in op.inputs]
                known = self._operation(op, inputs, built.graph, here, caches, learn, lose)
                if not fault and not lose and not has_caches(built.graph):
                    self.memo[op.digest] = known
            built.steps[op.digest] = known
