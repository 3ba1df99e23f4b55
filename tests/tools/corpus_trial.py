"""What dfopt does to real Dockerfiles, judged by BuildKit, bash and shfmt. Nothing is run and nothing is written.

    python tests/tools/corpus_trial.py DIR [--limit N] [--select PASS,...] [--pins] [--buildkit] [--examples N]
                                        [--output FILE]

Every file below DIR (each different content once) is read, optimized with the safe tier and again with the unsafe one.
Printed are: agreement with BuildKit about which files are valid, lost bytes, files changed, broken files (BuildKit or
the shell accepted the original and refuses the result), files that a second run changes, differences that nothing
declared (BuildKit's view of instructions outside the changes; the sequence of shell commands by shfmt), refusals by
reason, and tracebacks. With --pins, every image has a digest and every download a checksum, made up of its name, so
that pin-digest and add-checksum have work. Exit status 1 where a number that must be 0 is not. Takes the oracle of
tests/oracle (Go).
"""

from __future__ import annotations

import argparse
import difflib
import json
import re
import subprocess
import sys
import time
import traceback
from collections import Counter, defaultdict
from hashlib import sha256
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from oracle_client import Oracle
from syntax.shell.shell_oracles import shfmt_program

from dfopt.facts import NO_FACTS, Facts
from dfopt.optimizer import optimize
from dfopt.pass_selection import Options
from dfopt.results import Result
from dfopt.source import Source
from dfopt.testing import laws

MUST_BE_ZERO = ("broken", "second run changes", "undeclared", "traceback", "round trip", "law")

# Commands that a pass may add to or take from the sequence that shfmt sees; others are not judged command by command.
ADDED = {
    "merge-run": re.compile(r"set [-+]e\Z"),  # of a list of subshells
    "apt-cleanup": re.compile(r"(sudo )?rm -rf /var/lib/apt/lists/\*\Z"),
}


class MadeUp(Facts):
    """A digest for every image and a checksum for every download, by its name."""

    def digest(self, image: str) -> str:
        return f"sha256:{sha256(image.encode('utf-8', 'surrogateescape')).hexdigest()}"

    checksum = digest


class Trial:
    """The counters of one trial, and examples for each."""

    def __init__(self, oracle: Oracle, examples: int, facts: Facts = NO_FACTS, engine: str = "any") -> None:
        self.oracle = oracle
        self.settings = {"*": {"engine": engine}}
        self.facts = facts
        self.counts: Counter[str] = Counter()
        self.examples: dict[str, list[str]] = defaultdict(list)
        self.wanted = examples
        self.shfmt = shfmt_program()

    def count(self, key: str, name: str, detail: str = "") -> None:
        self.counts[key] += 1
        if len(self.examples[key]) < self.wanted:
            self.examples[key].append(f"{name}{': ' + detail if detail else ''}")

    def file(self, name: str, data: bytes, select: tuple[str, ...]) -> None:
        self.counts["files"] += 1
        broken = laws.round_trip(data)
        if broken:
            self.count("round trip", name, broken)
        seen = self.oracle.parse(data)
        valid = not seen.get("err") and not seen.get("inst_err")
        for tier, tiers in (("fix", ("safe",)), ("fix --unsafe", ("safe", "unsafe"))):
            options = Options(select, (), tiers, self.settings)
            try:
                result = optimize(Source.from_bytes(data, name), options, self.facts)
            except Exception:
                self.count("traceback", name, traceback.format_exc().strip().rpartition("\n")[2])
                return
            if tier == "fix":
                ours = result.problem is None
                if ours != valid:
                    detail = result.problem.message if result.problem else f"{seen.get('err') or seen.get('inst_err')}"
                    self.count("parse disagreement", name, detail)
                else:
                    self.counts["parse agreement"] += 1
                for one in result.reported:
                    if one.reason:
                        self.count(f"refused: {one.name}: {_shape(one.reason)}", name)
            if result.changed:
                self.count(f"changed by {tier}", name)
                for pass_name in sorted({one.name for one in result.applied}):
                    self.counts[f"changed by {tier}: {pass_name}"] += 1
                self.judge(tier, name, result, options, seen if valid else None)

    def judge(self, tier: str, name: str, result: Result, options: Options, seen: dict[str, Any] | None) -> None:
        for law in (laws.result_parses(result), laws.edits_are_all(result)):
            if law:
                self.count("law", name, law)
        again = optimize(Source(name, result.output), options, self.facts)
        if again.changed:
            self.count("second run changes", name, ", ".join(one.name for one in again.applied))
        if seen is None:
            return
        output = result.output.encode("utf-8", "surrogateescape")
        after = self.oracle.parse(output)
        if after.get("err") or after.get("inst_err"):
            self.count("broken", name, f"{tier}: {after.get('err') or after.get('inst_err')}")
            return
        before_llb, after_llb = self.oracle.llb(result.source.to_bytes()), self.oracle.llb(output)
        if "err" in after_llb and "err" not in before_llb:
            self.count("broken", name, f"{tier}: {after_llb['err']}")
        self.compare(tier, name, result, seen["ast"], after["ast"])

    def compare(self, tier: str, name: str, result: Result, before: list[Any], after: list[Any]) -> None:
        """BuildKit's instructions before and after: those outside the changes must be the same, in order."""
        keys = [[json.dumps(_view(node), sort_keys=True) for node in nodes] for nodes in (before, after)]
        passes = {one.name for one in result.applied}
        touched = _touched(result)
        for op, a, b, c, d in difflib.SequenceMatcher(None, *keys, autojunk=False).get_opcodes():
            if op == "equal":
                continue
            for node in before[a:b]:
                if not any(node["start"] <= line <= node["end"] for line in touched):
                    self.count("undeclared", name, f"{tier}: line {node['start']} differs but was not changed")
            olds, news = _bodies(before[a:b]), _bodies(after[c:d])
            for body in news:
                if not self.shell_accepts(body) and all(self.shell_accepts(old) for old in olds):
                    self.count("broken", name, f"{tier}: the shell refuses {body[:60]!r}")
            if passes <= set(ADDED):
                self.commands(tier, name, olds, news, passes)
            else:
                self.counts["not judged command by command"] += 1

    def commands(self, tier: str, name: str, olds: list[str], news: list[str], passes: set[str]) -> None:
        want = [command for body in olds for command in self.sequence(body)]
        got = [command for body in news for command in self.sequence(body)]
        for op, a, b, c, d in difflib.SequenceMatcher(None, want, got, autojunk=False).get_opcodes():
            if op == "equal":
                continue
            added = got[c:d]
            if want[a:b] or not all(any(ADDED[one].match(command) for one in passes) for command in added):
                self.count("undeclared", name, f"{tier}: commands {want[a:b]} became {added}")

    def sequence(self, body: str) -> list[str]:
        """The simple commands of a body in order, as shfmt reads them."""
        run = subprocess.run([self.shfmt, "-ln", "bash", "--to-json"], input=body.encode(), capture_output=True)
        if run.returncode:
            return [body]
        return [*_calls(json.loads(run.stdout), body.encode())]

    @staticmethod
    def shell_accepts(body: str) -> bool:
        return subprocess.run(["bash", "-n"], input=body.encode(), capture_output=True).returncode == 0


def _view(node: dict[str, Any]) -> dict[str, Any]:
    """What a builder sees of an instruction: not its lines, its comments or how blanks lie around it."""
    kept = {key: node.get(key) for key in ("value", "flags", "attrs", "heredocs", "args", "children", "original")}
    kept["value"] = str(kept["value"]).lower()
    return kept


def _touched(result: Result) -> set[int]:
    """The lines (from 1) of the original that a change touches."""
    text = result.source.text
    found: set[int] = set()
    for change in result.changes:
        first = text.count("\n", 0, change.start) + 1
        found.update(range(first, first + text.count("\n", change.start, change.end) + 1))
    return found


def _bodies(nodes: list[dict[str, Any]]) -> list[str]:
    result: list[str] = []
    for node in nodes:
        if str(node["value"]).lower() == "run" and not (node.get("attrs") or {}).get("json"):
            docs = node.get("heredocs") or []
            body = node["args"][0]["value"] if node.get("args") else ""
            if docs and re.fullmatch(r"<<-?\S+", body):
                body = docs[0]["Content"]
            elif docs:
                body += "".join(f"\n{doc['Content']}{doc['Name']}" for doc in docs)
            result.append(body)
    return result


def _calls(node: Any, body: bytes) -> list[str]:
    found: list[str] = []
    if isinstance(node, dict):
        if node.get("Type") == "CallExpr":
            start, end = node["Pos"]["Offset"], node["End"]["Offset"]
            found.append(re.sub(rb"\s+", b" ", body[start:end]).decode("utf-8", "replace").strip())
            return found
        for value in node.values():
            found += _calls(value, body)
    elif isinstance(node, list):
        for value in node:
            found += _calls(value, body)
    return found


def _shape(reason: str) -> str:
    """A reason without its particulars, so that like ones are counted together."""
    reason = re.sub(r"\('.*'\)", "(...)", re.sub(r"\d+", "N", reason))
    return re.sub(r"(the (?:loop )?variable|the function|export|under) \S+", r"\1 ...", reason)[:100]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("directory", type=Path)
    parser.add_argument("--limit", type=int, default=0, help="take this many files, spread evenly")
    parser.add_argument("--select", default="", help="passes to run, separated by commas")
    parser.add_argument("--pins", action="store_true", help="make digests and checksums up")
    parser.add_argument("--buildkit", action="store_true", help="BuildKit builds the files (the setting engine)")
    parser.add_argument("--examples", type=int, default=3)
    parser.add_argument("--output", type=Path, help="the figures as JSON")
    given = parser.parse_args()
    files = sorted(
        path for path in given.directory.rglob("*") if path.is_file() and path.suffix not in (".txt", ".json")
    )
    contents: dict[bytes, Path] = {}
    for path in files:
        contents.setdefault(path.read_bytes(), path)
    chosen = list(contents.items())
    if given.limit and given.limit < len(chosen):
        step = len(chosen) / given.limit
        chosen = [chosen[int(number * step)] for number in range(given.limit)]
    select = tuple(name for name in given.select.split(",") if name)
    began = time.monotonic()
    with Oracle() as oracle:
        facts, engine = MadeUp() if given.pins else NO_FACTS, "buildkit" if given.buildkit else "any"
        trial = Trial(oracle, given.examples, facts, engine)
        for data, path in chosen:
            trial.file(str(path.relative_to(given.directory)), data, select)
    trial.counts["repositories"] = len({path.relative_to(given.directory).parts[0] for _, path in chosen})
    print(f"{len(chosen)} files in {time.monotonic() - began:.0f} s")
    for key in MUST_BE_ZERO:
        trial.counts.setdefault(key, 0)
    for key, number in sorted(
        trial.counts.items(), key=lambda pair: (pair[0].startswith("refused"), -pair[1], pair[0])
    ):
        print(f"{number:8} {key}")
        if key in MUST_BE_ZERO or key == "parse disagreement":
            for example in trial.examples[key]:
                print(f"         - {example}")
    if given.output:
        given.output.write_text(json.dumps({"counts": trial.counts, "examples": trial.examples}, indent=1))
    return 1 if any(trial.counts[key] for key in MUST_BE_ZERO) else 0


if __name__ == "__main__":
    sys.exit(main())
