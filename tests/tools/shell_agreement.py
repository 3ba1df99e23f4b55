"""How far the shell parser agrees with bash and shfmt on the RUN bodies of real Dockerfiles, or on broken ones.

    python tests/tools/shell_agreement.py DIR                  # validity: bash -n; spans: shfmt
    python tests/tools/shell_agreement.py DIR --mutations 5000 # the same bodies with characters lost, put in, swapped

Every file below DIR that dfopt reads as a Dockerfile gives its RUN bodies (each different one once). Nothing is run:
bash is called with -n only. Each class of difference is named and counted, with examples under --examples.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from syntax.shell.shell_oracles import (
    ShfmtError,
    accepted,
    inside,
    mutated,
    own_spans,
    parsed,
    shfmt_program,
    shfmt_spans,
)

from dfopt.source import decode
from dfopt.syntax.dockerfile import parse
from dfopt.syntax.shell import ShellProgram, ShellSyntaxError
from dfopt.syntax.tree import DockerfileError, Instruction


def bodies(folder: Path) -> Iterator[str]:
    """The shell text of every RUN below `folder`."""
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        text = decode(path.read_bytes())
        try:
            program = parse(text)
        except DockerfileError:
            continue
        for instruction in program.instructions:
            body = _body(text, instruction)
            if body:
                yield body


def _body(text: str, instruction: Instruction) -> str:
    node = instruction.nested or instruction
    if node.keyword != "RUN" or node.form != "shell":
        return ""
    line = node.joined.text[node.at : node.stop]
    documents = instruction.heredocs
    if not documents:
        return line
    if len(documents) == 1 and re.fullmatch(r"<<-?\s*['\"]?\w+['\"]?", line):
        script = text[documents[0].start : documents[0].end]
        return "" if script.startswith("#!") else script  # another interpreter's
    return "\n".join([line, *(text[document.start : document.close] for document in documents), ""])


class Report:
    """Counts by class, with some examples of each."""

    def __init__(self, examples: int) -> None:
        self.counts: Counter[str] = Counter()
        self.shown: defaultdict[str, list[str]] = defaultdict(list)
        self.examples = examples

    def add(self, name: str, body: str) -> None:
        self.counts[name] += 1
        if len(self.shown[name]) < self.examples:
            self.shown[name].append(body)

    def print(self) -> None:
        for name, count in self.counts.most_common():
            print(f"  {count:7}  {name}")
            for body in self.shown[name]:
                print(f"             {body[:1500]!r}")


def rejected_class(body: str, error: ShellSyntaxError) -> str:
    """The kind of a refusal: its message without what it quotes of the body, unless it lies where bash -n looks at
    nothing but the end."""
    without = re.sub(r"`(?:[^`\\]|\\[\s\S])*`", "x", body)
    if without != body and isinstance(parsed(without), ShellProgram):
        return "what stands in backquotes is not understood"
    if body.rfind("$((", 0, error.offset + 3) >= 0 and not error.message.startswith("bad substitution"):
        return "what stands in $(( )) is neither arithmetic nor a command"
    return re.sub(r"unexpected .*?, expected", "unexpected ..., expected", re.sub(r"'[^']*'", "...", error.message))


def validity(found: list[tuple[str, ShellProgram | ShellSyntaxError]], examples: int) -> None:
    texts = [body for body, _ in found]
    bash = accepted(["bash"], texts)
    report = Report(examples)
    both = neither = 0
    doubtful = []
    for (body, tree), judged in zip(found, bash, strict=True):
        if isinstance(tree, ShellProgram) == judged:
            both += judged
            neither += not judged
        elif judged:
            assert isinstance(tree, ShellSyntaxError)
            report.add(f"only bash accepts: {rejected_class(body, tree)}", body)
        else:
            doubtful.append(body)
    for body, judged in zip(doubtful, accepted(["bash", "-O", "extglob"], doubtful), strict=True):
        report.add("only dfopt accepts: " + ("extended globs, which bash -n has off" if judged else "no reason"), body)
    print(f"bash -n: {both + neither} of {len(found)} bodies agree ({both} valid, {neither} not)")
    report.print()
    report = Report(examples)
    posix = [body for body, tree in found if isinstance(tree, ShellProgram) and not tree.bashisms]
    refused = [body for body, judged in zip(posix, accepted(["dash"], posix), strict=True) if not judged]
    for body in refused:
        report.add("no bashism is reported, dash does not accept", body)
    print(f"dash -n: {len(posix) - len(refused)} of {len(posix)} bodies without bashisms are accepted")
    report.print()


def spans(found: list[tuple[str, ShellProgram | ShellSyntaxError]], shfmt: str, examples: int) -> None:
    report = Report(examples)
    equal = total = commands = words = 0
    for body, tree in found:
        if isinstance(tree, ShellSyntaxError):
            continue
        total += 1
        try:
            theirs = shfmt_spans(shfmt, body)
        except ShfmtError as error:
            message = re.sub(r"^\S*?\d+:\d+: ", "", str(error).partition("\n")[0])
            report.add("shfmt rejects: " + re.sub("[`\"'][^`\"']*[`\"']", "...", message), body)
            continue
        ours, opaque = own_spans(tree)
        wanted_commands = [span for span in theirs.commands if not inside(span, opaque)]
        wanted_words = [span for span in theirs.words if not inside(span, opaque)]
        if ours.commands == wanted_commands and ours.words == wanted_words:
            equal += 1
            commands += len(ours.commands)
            words += len(ours.words)
            continue
        what = "commands" if ours.commands != wanted_commands else "words"
        one = ours.commands if what == "commands" else ours.words
        other = wanted_commands if what == "commands" else wanted_words
        missing = [body[a:b] for a, b in other if (a, b) not in one]
        extra = [body[a:b] for a, b in one if (a, b) not in other]
        report.add(f"{what} differ", f"shfmt: {missing[:3]} dfopt: {extra[:3]} in {body}")
    print(f"shfmt: {equal} of {total} bodies have equal spans ({commands} simple commands, {words} words)")
    report.print()


def main(arguments: Iterable[str] | None = None) -> int:
    options = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    options.add_argument("folder", type=Path)
    options.add_argument("--mutations", type=int, default=0, metavar="N", help="judge N broken bodies instead")
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--limit", type=int, default=0, metavar="N", help="a random choice of N bodies")
    options.add_argument("--examples", type=int, default=0, metavar="N", help="show N bodies of each class")
    options.add_argument("--no-spans", action="store_true", help="leave shfmt out")
    given = options.parse_args(None if arguments is None else list(arguments))
    whole = sorted(set(bodies(given.folder)))
    if not whole:
        print(f"no RUN bodies below {given.folder}", file=sys.stderr)
        return 2
    if given.limit and given.limit < len(whole):
        whole = random.Random(given.seed).sample(whole, given.limit)
    if given.mutations:
        usable = [body for body in whole if len(body) < 2000]
        whole = list(mutated(usable, given.mutations, random.Random(given.seed)))
    begun = time.process_time()
    found = [(body, parsed(body)) for body in whole]
    spent = time.process_time() - begun
    characters = sum(map(len, whole))
    print(f"{len(whole)} bodies, {characters} characters: {spent:.2f} s CPU, {spent / len(whole) * 1e3:.3f} ms a body")
    validity(found, given.examples)
    shfmt = shfmt_program()
    if not given.no_spans:
        if shfmt is None:
            print("shfmt is missing: pip install shfmt-py", file=sys.stderr)
            return 2
        spans(found, shfmt, given.examples)
    return 0


if __name__ == "__main__":
    sys.exit(main())
