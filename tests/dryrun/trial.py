"""One file before and after a rewrite, built both ways: the verdict."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

from . import modes
from .allowed import Allowed
from .build import Builder, Built
from .calls import Call
from .compare import call_difference, config_difference, file_differences
from .graph import Graph, GraphError, read
from .sandbox import Sandbox
from .steps import Fault, has_caches
from .tree import Entry
from .world import Worlds

if TYPE_CHECKING:
    from oracle_client import Oracle

KINDS = ("exit", "signal", "full")
# verdicts that are differences; the others: "same", "unchanged", "both fail", "no build" (BuildKit converts it not)
DIFFERENCES = ("broken", "fails", "calls", "files", "config", "fault", "cache lost", "start", "split", "error")
_WINDOWS = ("windows", "nanoserver", "servercore")
_OUTPUT = re.compile(r"^COPY (/(?!home/|root/)\S+): not found")
_NO_INDEX = "apt-get: no package index"  # as packages.c says it
_FROM = re.compile(rb"(?im)^[ \t]*FROM[ \t][^\n#\\]*?(?:[ \t]AS[ \t]+([\w.-]+))?[ \t]*\r?$")
_BACKGROUND = re.compile(r"(?<![&>|<0-9])&(?![&0-9])")
_LARGEST = 4 << 20  # bytes of a context's file that is taken as it is


@dataclass(frozen=True)
class Verdict:
    """`kind`: one of DIFFERENCES, or what is none; `detail`: the first difference; `calls`, `faults`: how many were
    compared."""

    kind: str
    detail: str = ""
    calls: int = 0
    faults: int = 0

    @property
    def differs(self) -> bool:
        return self.kind in DIFFERENCES


@dataclass(frozen=True)
class Checks:
    """How much is compared: `faults` a file (-1: each call), and the modes beyond equality."""

    faults: int = 0
    cache_lost: bool = False
    start: bool = False
    split: bool = False


class Bench:
    """One worker's sandbox, worlds and oracle."""

    def __init__(self, oracle: Oracle, compiled: Path) -> None:
        oracle.graph(b"FROM scratch")  # its process starts outside of the sandbox
        oracle.ignore(b"", ())
        self.oracle = oracle
        self.sandbox = Sandbox(compiled)
        self.worlds = Worlds(self.sandbox)

    def compare(
        self,
        before: bytes,
        after: bytes,
        allowed: Allowed,
        context: Path | None = None,
        checks: Checks | None = None,
        fill: bool = False,
    ) -> Verdict:
        """Builds both, and says how they differ in what is not allowed to."""
        try:
            one, child = read(self.oracle.graph(before)), with_child(before)
        except GraphError as error:
            return Verdict("no build", str(error))
        if child != before:
            with suppress(GraphError):  # triggers may want what no stage of this file has
                one, after = read(self.oracle.graph(child)), with_child(after)
        try:
            two = read(self.oracle.graph(after))
        except GraphError as error:
            return Verdict("broken", str(error))
        if any(word in image.lower() for image in one.images() for word in _WINDOWS):
            return Verdict("no build", "Windows")
        self.sandbox.clear()
        layer = self._context(context) if context is not None else ""
        builder = Builder(self.sandbox, self.worlds, [one, two], layer, fill)
        builder.strict = allowed.stricter
        builder.stays = lambda call: allowed.call(call) is not None
        return _Trial(builder, one, two, allowed, checks or Checks()).verdict()

    def _context(self, directory: Path) -> str:
        """A layer with the files of a build context, less what its .dockerignore names."""
        layer = Path(self.sandbox.layer())
        files: dict[str, Path] = {}
        for above, directories, names in os.walk(directory):
            directories[:] = sorted(name for name in directories if name != ".git")
            for name in (*names, *(name for name in directories if Path(above, name).is_symlink())):
                files[os.path.relpath(Path(above, name), directory)] = Path(above, name)
        ignore = directory / ".dockerignore"
        left = set(files)
        if ignore.is_file():
            left = set(self.oracle.ignore(ignore.read_bytes(), sorted(files)).get("left") or files)
        for name, path in sorted(files.items()):
            if name not in left:
                continue
            target = layer / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if path.is_symlink():
                target.symlink_to(os.readlink(path))
                continue
            mode = path.stat().st_mode & 0o777
            with path.open("rb") as file:
                program = file.read(4) == b"\x7fELF"
            if program or path.stat().st_size > _LARGEST:  # not to be run here; nor to be carried around
                target.write_text(f"#!/.dry/stub\n# {name}\n")
            else:
                shutil.copyfile(path, target)
            target.chmod(mode)
        return str(layer)


def with_child(text: bytes) -> bytes:
    """A Dockerfile whose last stage has ONBUILD triggers, with a stage built on that one, which runs them."""
    lines = list(_FROM.finditer(text))
    if not lines or re.search(rb"(?im)^[ \t]*ONBUILD[ \t]", text[lines[-1].end() :]) is None:
        return text
    last = lines[-1]
    name = last[1] or b"onbuild-base"
    named = last[0].rstrip() if last[1] else last[0].rstrip() + b" AS " + name
    return text[: last.start()] + named + text[last.end() :].rstrip() + b"\nFROM " + name + b"\n"


def _has_background_job(graph: Graph) -> bool:
    """Whether a RUN starts a background job: what it has called when the step ends is chance. (dash takes `&>` so.)"""
    return any(_BACKGROUND.search(" ".join(op.data["meta"]["args"])) for op in graph.operations if op.kind == "exec")


class _Trial:
    def __init__(self, builder: Builder, before: Graph, after: Graph, allowed: Allowed, checks: Checks) -> None:
        self.builder, self.graphs, self.allowed, self.checks = builder, (before, after), allowed, checks

    def verdict(self) -> Verdict:
        builder, (one, two) = self.builder, self.graphs
        before = builder.settle(one)
        # another base image may lack what the first one had; a rewrite of the same images may not
        after = builder.build(two, learn_programs=set(two.images()) - set(one.images()) != set())
        for _ in range(20):
            missing = _OUTPUT.search(after.error) if self.allowed.files == "any" else None
            if missing is None or before.error or missing[1] in builder.lacks.copied:
                break
            builder.lacks.copied.add(missing[1])  # what compilers make, which no stand-in does
            after = builder.build(two, learn_programs=True)
        if before.error and not builder.settled:
            return Verdict("both fail", f"no world was found in time: {before.error}")
        if _NO_INDEX in before.error and not after.error:
            return Verdict("same")  # a rewrite fetches the index for a step that had none
        if before.error:
            return Verdict(
                "both fail" if after.error else "fails",
                f"before: {before.error}" + ("" if after.error else "; builds after"),
            )
        if "cd: too many arguments" in after.error:  # bash says what dash does not: `cd name*` has one match in truth
            return Verdict("both fail", f"no world was found: {after.error}")
        if after.error:
            return Verdict("fails", f"after: {after.error}")
        calls = sum(1 for _ in before.calls())
        found = self.difference(before, after)
        if found.differs:
            return found
        config = config_difference(one.config, two.config, self.allowed)
        if config:
            return Verdict("config", config, calls)
        faults = 0
        for fault in self.faults(before):
            found = self.fault(before, after, fault)
            if found.differs:
                return found
            faults += 1
        for kind, detail in self.modes(before, after):
            if detail:
                return Verdict(kind, detail, calls, faults)
        return Verdict("same", "", calls, faults)

    def difference(self, before: Built, after: Built) -> Verdict:
        calls = "" if _has_background_job(before.graph) else call_difference(before, after, self.allowed)
        files = self._files(before, after)
        if not calls and not files:
            return Verdict("same")
        # what two builds of one file do not share is no difference
        again = self.builder.build(before.graph, share=False)
        if not again.error:
            noise = {
                path
                for path, _, _ in file_differences(
                    self.builder.files(before.state), self.builder.files(again.state), Allowed()
                )
            }
            files = [file for file in files if file[0] not in noise]
            if calls and call_difference(before, again, Allowed()):
                calls = call_difference(before, after, self.allowed, ordered=False)
            elif calls and not call_difference(before, after, self.allowed, ordered=False):
                calls = self._order(before, after, calls)
        if calls:
            return Verdict("calls", calls)
        if files:
            path, one, two = files[0]
            more = f" and {len(files) - 1} more" if len(files) > 1 else ""
            return Verdict("files", f"{path}: {one or 'absent'} became {two or 'absent'}{more}")
        return Verdict("same")

    def _order(self, before: Built, after: Built, calls: str) -> str:
        """The difference where it is one of order alone: substitutions inside of pipelines run as they will."""
        befores, afters = [before], [after]
        for _ in range(4):
            befores.append(self.builder.build(before.graph, share=False))
            afters.append(self.builder.build(after.graph, share=False))
            for one, two in product(befores, afters):
                if one.error or two.error or not call_difference(one, two, self.allowed):
                    return ""
        return calls

    def _files(self, before: Built, after: Built) -> list[tuple[str, Entry | None, Entry | None]]:
        if before.state == after.state or self.allowed.files == "any":
            return []
        return list(file_differences(self.builder.files(before.state), self.builder.files(after.state), self.allowed))

    # --- faults

    def faults(self, before: Built) -> Iterable[Fault]:
        """Calls that fail, spread over the build, each by another kind of failure."""
        calls: list[Fault] = []
        count: dict[str, int] = {}
        for call in before.calls():
            number = count.get(call.key, 0)
            count[call.key] = number + 1
            if self.allowed.call(call) is not None:
                calls.append(Fault(KINDS[len(calls) % len(KINDS)], call.key, number))
        wanted = self.checks.faults if self.checks.faults >= 0 else len(calls)
        if not wanted or self.allowed.files == "any":
            return []
        step = max(1, len(calls) / wanted)
        return [calls[int(number * step)] for number in range(min(wanted, len(calls)))]

    def fault(self, before: Built, after: Built, fault: Fault) -> Verdict:
        mates = self._mates(before, after, fault)
        if not mates:
            return Verdict("same")
        one = self.builder.fault(before, fault)
        found = Verdict("same")
        for mate in mates[:4]:
            found = self._after_fault(one, self.builder.fault(after, mate))
            if not found.differs:
                return found
        # the same fault may end in two ways (a pipeline's writer, killed or not)
        if self._after_fault(one, self.builder.fault(before, fault)).differs:
            return Verdict("same")
        return Verdict("fault", f"{fault}: {found.kind}: {found.detail}")

    def _after_fault(self, one: Built, two: Built) -> Verdict:
        if bool(one.error) != bool(two.error):
            if two.error and self.allowed.stricter:
                return Verdict("same")
            return Verdict("fails", f"before {one.error or 'builds'}; after {two.error or 'builds'}")
        return Verdict("same") if one.error else self.difference(one, two)

    def _mates(self, before: Built, after: Built, fault: Fault) -> list[Fault]:
        """The same failure in the other build: the call of the same rank first, then others that look the same."""
        wanted: Call | None = None
        rank = 0
        number = 0
        for call in before.calls():
            if call.key == fault.key:
                if number == fault.number:
                    wanted = self.allowed.call(call)
                    break
                number += 1
        if wanted is None:
            return []
        number = 0
        for call in before.calls():
            if call.key == fault.key:
                if number == fault.number:
                    break
                number += 1
            rank += self.allowed.call(call) == wanted
        found: list[Fault] = []
        counts: dict[str, int] = {}
        for call in after.calls():
            order = counts.get(call.key, 0)
            counts[call.key] = order + 1
            if self.allowed.call(call) == wanted:
                found.append(Fault(fault.kind, call.key, order))
        return found[rank : rank + 1] + found[:rank] + found[rank + 1 :]

    # --- modes

    def modes(self, before: Built, after: Built) -> Iterable[tuple[str, str]]:
        if self.checks.cache_lost and has_caches(after.graph):
            lost = self.builder.build(after.graph, lose_caches=True)
            was = self.builder.build(before.graph, lose_caches=True)
            yield "cache lost", lost.error if not was.error else ""
        if self.checks.split and self.allowed.files == "any":
            yield "split", modes.split(self.builder, before, after, self.allowed)
        if self.checks.start:
            yield "start", modes.start(self.builder, before, after)
