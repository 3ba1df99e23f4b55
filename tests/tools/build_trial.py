"""Builds real Dockerfiles before and after dfopt, and holds the images against each other.

    DOCKER_HOST=ADDRESS python tests/tools/build_trial.py DIR [--limit N] [--seed N] [--timeout S]
                        [--select PASS,...] [--unsafe] [--without EXPRESSION] [--examples N]

DIR holds repositories. A Dockerfile is tried when `dfopt fix` changes it and every image that it builds on has a
stand-in among the engine's own (STAND_INS: the same distribution and language, another release). Its context is the
one that `dfopt fix` finds, else its own directory. What does not build as it is tells nothing; of the others, what
must be 0 is printed first: files that no longer build, and images that differ in what no fix declared. Where they
differ, the file is built a second time as it is, and what differs there, too, is left out.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
import time
from collections import Counter, defaultdict
from itertools import chain
from pathlib import Path

from dfopt.engine import EngineError
from dfopt.engine.find import find_engine
from dfopt.ir.base_images import split_image
from dfopt.ir.program import Program
from dfopt.ir.stages import SCRATCH
from dfopt.optimizer import optimize
from dfopt.pass_selection import Options
from dfopt.proof import Lab, ProofError, ProofSettings
from dfopt.proof.differences import declarations_of
from dfopt.proof.verdict import OriginalImage, build_original, compare_with_original, noise_of
from dfopt.record import replace
from dfopt.results import Result
from dfopt.source import Source, encode
from dfopt.syntax.dockerfile import parse
from dfopt.workspace.config import ConfigLookup
from dfopt.workspace.discovery import discover
from dfopt.workspace.facts import ContextFacts

# (repository, tag): the first pattern that matches a reference `repository:tag` names its stand-in.
STAND_INS = (
    (r"(debian|ubuntu|buildpack-deps):.*slim.*", "debian:13-slim"),
    (r"(debian|ubuntu|buildpack-deps):.*", "debian:13"),
    (r"python:.*alpine.*", "python:3.12-alpine"),
    (r"python:.*slim.*", "python:3.13-slim"),
    (r"python:.*", "python:3.13"),
    (r"node:.*alpine.*", "node:22-alpine"),
    (r"node:.*slim.*", "node:22-slim"),
    (r"node:.*", "node:22"),
    (r"golang:(?!.*alpine).*", "golang:1"),
    (r"ruby:.*slim.*", "ruby:3-slim"),
    (r"ruby:(?!.*alpine).*", "ruby:3"),
    (r"rust:(?!.*alpine).*", "rust:1"),
    (r"php:(?!.*(alpine|apache|fpm)).*", "php:8-cli"),
    (r"nginx:(?!.*alpine).*", "nginx:1"),
    (r"gcc:.*", "gcc:14"),
    (r"maven:(?!.*alpine).*", "maven:3"),
    (r"(openjdk|eclipse-temurin):(?!.*alpine).*jre.*", "eclipse-temurin:21-jre"),
    (r"(openjdk|eclipse-temurin):(?!.*alpine).*", "eclipse-temurin:21"),
    (r"alpine:.*", "alpine:3.22"),
    (r"busybox:.*", "busybox:1.37"),
)
MUST_BE_ZERO = ("no longer builds", "differs undeclared")


def stand_ins(*programs: Program) -> tuple[str, ...] | None:
    """`--build-context` values for the images that the files build on; None where one has no stand-in."""
    found: dict[str, str] = {}
    for stage in chain.from_iterable(program.stages for program in programs):
        if stage.parent is not None or stage.image == SCRATCH:
            continue
        if stage.image is None:
            return None
        name, tag = split_image(stage.image)
        full = f"{name}:{tag or 'latest'}"
        stand_in = next((image for pattern, image in STAND_INS if re.fullmatch(pattern, full)), None)
        if stand_in is None:
            return None
        found[stage.image] = stand_in
    return tuple(f"{name}=docker-image://{image}" for name, image in sorted(found.items()))


class Trial:
    def __init__(self, options: Options, timeout: float) -> None:
        self.options = options
        self.timeout = timeout
        self.counts: Counter[str] = Counter()
        self.examples: dict[str, list[str]] = defaultdict(list)
        self.saved = 0
        self.engine = find_engine("docker")

    def count(self, what: str, name: str) -> str:
        self.counts[what] += 1
        self.examples[what].append(name)
        return what

    def file(self, path: str, name: str, root: str) -> str:
        """Tries one file. Returns what came of it, "" where nothing was built."""
        source = Source.from_bytes(Path(path).read_bytes(), name)
        facts = ContextFacts(path, root, source)
        result = optimize(source, self.options, facts)
        if result.problem is not None or not result.changed:
            self.count("not readable" if result.problem else "not changed", name)
            return ""
        contexts = stand_ins(Program(parse(source.text)), Program(parse(result.output)))
        if contexts is None:
            self.count("changed, but an image that it builds on has no stand-in", name)
            return ""
        found = facts.build_context()
        plan = ProofSettings(
            found.root if found else str(Path(path).parent), contexts=contexts, network="host", timeout=self.timeout,
            drop_syntax=True,
        )  # fmt: skip
        lab = Lab(self.engine, plan)
        try:
            before = build_original(lab, source.to_bytes(), path)
        except ProofError as error:
            self.count("changed, but does not build here as it is", name)
            return str(error)
        except EngineError as error:
            return self.count("the engine failed", f"{name}: {error}")
        try:
            return self.hold(lab, before, result, path, name)
        except EngineError as error:
            return self.count("the engine failed", f"{name}: {error}")
        finally:
            self.engine.remove(before.built.image)

    def hold(self, lab: Lab, before: OriginalImage, result: Result, path: str, name: str) -> str:
        declared = declarations_of(result.applied)
        output = encode(result.output)
        verdict = compare_with_original(lab, before, output, path, declared, measure=False)
        if not verdict.holds and verdict.after is not None:
            noise = noise_of(lab, before.built, result.source.to_bytes(), path)
            verdict = compare_with_original(lab, replace(before, noise=noise), output, path, declared, measure=False)
        if verdict.after is None:
            return self.count("no longer builds", f"{name}: {verdict.failure}")
        if not verdict.holds:
            return self.count("differs undeclared", f"{name}: {verdict.failure}")
        self.saved += verdict.before.total - verdict.after.total
        for pass_name in sorted({fix.name for fix in result.applied}):
            self.count(f"built before and after, with {pass_name}", name)
        return self.count("built before and after: equal but for what is declared", name)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("directory")
    parser.add_argument("--select", default="")
    parser.add_argument("--unsafe", action="store_true")
    parser.add_argument("--without", default="", help="leave out files that hold this expression")
    parser.add_argument("--limit", type=int, default=100, help="files to build")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--timeout", type=float, default=120, help="seconds for each build")
    parser.add_argument("--examples", type=int, default=5)
    given = parser.parse_args()
    tiers = ("safe", "unsafe") if given.unsafe else ("safe",)
    trial = Trial(Options(tuple(filter(None, given.select.split(","))), (), tiers), given.timeout)
    files = sorted(
        discover((given.directory,), ConfigLookup(isolated=True), ignore_files=False), key=lambda one: one.path
    )
    random.Random(given.seed).shuffle(files)
    built = 0
    try:
        for file in files:
            if built >= given.limit:
                break
            if given.without and re.search(given.without, Path(file.path).read_text(errors="replace")):
                trial.count("left out by --without", file.name)
                continue
            start = time.monotonic()
            if what := trial.file(file.path, file.name, file.root):
                built += 1
                print(f"{built}: {time.monotonic() - start:.0f} s: {file.name}: {what}", file=sys.stderr, flush=True)
    finally:
        trial.engine.close()
    for what in (*MUST_BE_ZERO, *sorted(set(trial.counts) - set(MUST_BE_ZERO))):
        print(f"{trial.counts[what]:6} {what}")
        for name in trial.examples[what][: len(trial.examples[what]) if what in MUST_BE_ZERO else given.examples]:
            print(f"           {name}")
    print(f"{trial.saved:,} bytes of layers less")
    return 1 if any(trial.counts[what] for what in MUST_BE_ZERO) else 0


if __name__ == "__main__":
    raise SystemExit(main())
