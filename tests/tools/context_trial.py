"""What passes that look into the build context do to real repositories. Nothing is run and nothing is written.

    python tests/tools/context_trial.py DIR [--select PASS,...] [--set PASS.OPTION=VALUE] [--examples N]

Every Dockerfile below DIR is optimized with its build context as `dfopt fix` finds it, with the safe tier and again
with the unsafe one. Printed are, for the selected passes: files with a context that is known, files changed by tier,
refusals by reason, and what must be 0: files that a second run changes, that BuildKit no longer reads, and tracebacks.
"""

from __future__ import annotations

import argparse
import re
import sys
import traceback
from collections import Counter, defaultdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from oracle_client import Oracle

from dfopt.optimizer import optimize
from dfopt.pass_selection import Options
from dfopt.source import Source, encode
from dfopt.testing import laws
from dfopt.workspace.config import ConfigLookup
from dfopt.workspace.discovery import discover
from dfopt.workspace.facts import ContextFacts

MUST_BE_ZERO = ("second run changes", "not read by BuildKit", "traceback")


def reason_of(text: str) -> str:
    """A refusal's reason without the names of this very file."""
    return re.sub(r"`[^`]*`|\"[^\"]*\"|\S*/\S*|[\w.-]+\.(?:txt|json|toml|lock|yml|xml)\b", "...", text)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("directory")
    parser.add_argument("--select", default="dependency-layers")
    parser.add_argument("--examples", type=int, default=1)
    parser.add_argument("--set", action="append", default=[], help="an option of a pass, as PASS.OPTION=VALUE")
    given = parser.parse_args()
    select = tuple(given.select.split(","))
    settings: dict[str, dict[str, object]] = {}
    for said in given.set:
        name, _, value = said.partition("=")
        settings.setdefault(name.partition(".")[0], {})[name.partition(".")[2]] = value
    counts: Counter[str] = Counter()
    examples: dict[str, list[str]] = defaultdict(list)

    def count(what: str, name: str) -> None:
        counts[what] += 1
        examples[what].append(name)

    with Oracle() as oracle:
        for file in discover((given.directory,), ConfigLookup(isolated=True), ignore_files=False):
            try:
                source = Source.from_bytes(Path(file.path).read_bytes(), file.name)
                facts = ContextFacts(file.path, file.root, source)
                counts["files"] += 1
                for tier, tiers in (("safe", ("safe",)), ("unsafe", ("safe", "unsafe"))):
                    options = Options(select, (), tiers, settings)
                    result = optimize(source, options, facts)
                    if result.problem is not None:
                        counts["unreadable"] += tier == "safe"
                        continue
                    if result.changed:
                        count(f"changed, {tier} tier", file.name)
                        if laws.settled(result, options, facts):
                            count("second run changes", file.name)
                        if "err" in oracle.parse(encode(result.output)):
                            count("not read by BuildKit", file.name)
                    if tier == "safe":
                        counts["context known"] += facts.build_context() is not None
                        for one in result.reported:
                            kind = "refused" if one.reason else "open to unsafe" if one.fixable else "suggested"
                            said = reason_of(one.reason or one.message)
                            count(f"{one.name}: {kind}: {said}", file.name)
            except Exception:
                count("traceback", file.name)
                traceback.print_exc()
    for what, number in sorted(counts.items(), key=lambda item: -item[1]):
        print(f"{number:6} {what}")
        for name in examples[what][: given.examples]:
            print(f"           {name}")
    return 1 if any(counts[what] for what in MUST_BE_ZERO) else 0


if __name__ == "__main__":
    raise SystemExit(main())
