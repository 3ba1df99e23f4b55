"""Ends dfopt at random moments, and looks at what is left: `python -m tests.tools.kill_trial [--count N] [--seed N]`.

These runs are ended, each --count times by SIGKILL and by SIGTERM: `fix --write` and `check` over many files with two
workers, `plan`, `migrate apply` (a patch, and a branch of a checkout), and the language server in the middle of its
answers. What must
be 0: files that hold neither what was there nor what a run that is not disturbed makes of it, processes of the run that
still live some seconds later, checkouts that `git fsck` complains of, and temporary files that the next run leaves.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from .process_table import SESSION, living

ROOT = Path(__file__).parents[2]
BEFORE = "FROM debian:13\nRUN apt-get update && apt-get install -y curl\nCOPY . /app\nRUN pip install flask\n" * 4
FILES = 320  # a pool is started for 300 or more
PATIENCE = 15.0  # seconds for processes to end


def environment(place: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "DFOPT_CACHE_DIR": str(place / "cache"), "HOME": str(place)}


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "dfopt", *words]


def git(place: Path, *words: str) -> str:
    settings = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    return subprocess.run(["git", *settings, *words], cwd=place, check=True, capture_output=True, text=True).stdout


class Trial:
    """A tree, the command that is ended, and what is found afterwards."""

    def __init__(self, work: Path, name: str, words: list[str], stdin: bytes = b"", count: int = FILES) -> None:
        self.name, self.words, self.stdin, self.count = name, words, stdin, count
        self.tree, self.home = work / "tree", work / "home"
        self.home.mkdir(exist_ok=True)
        self.counts: Counter[str] = Counter()
        self.after = ""

    def names(self) -> list[Path]:
        return [self.tree / f"d{number % 20}" / f"{number}.dockerfile" for number in range(self.count)]

    def make(self) -> None:
        shutil.rmtree(self.tree, ignore_errors=True)
        for path in self.names():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(BEFORE)
        if "--branch" in self.words:
            git(self.tree, "init", "-q", "-b", "main")
            git(self.tree, "config", "user.name", "a")
            git(self.tree, "config", "user.email", "a@example.org")
            git(self.tree, "add", "-A")
            git(self.tree, "commit", "-q", "-m", "x")

    def start(self) -> subprocess.Popen[bytes]:
        stdin = subprocess.PIPE if self.stdin else subprocess.DEVNULL
        process = subprocess.Popen(
            self.words, cwd=self.tree, env=environment(self.home), stdin=stdin, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        if process.stdin is not None:
            process.stdin.write(self.stdin)
            process.stdin.flush()
        return process

    def whole(self) -> float:
        """Runs undisturbed; returns the seconds that it takes."""
        self.make()
        begun = time.monotonic()
        process = self.start()
        if process.stdin is not None:
            process.stdin.close()
        process.wait()
        self.after = self.names()[0].read_text()
        return time.monotonic() - begun

    def once(self, number: signal.Signals, delay: float) -> None:
        self.make()
        process = self.start()
        try:
            process.wait(delay)
            self.counts["ended before the signal"] += 1
        except subprocess.TimeoutExpired:
            process.send_signal(number)
            process.wait()
        if process.stdin is not None:
            process.stdin.close()
        end = time.monotonic() + PATIENCE
        while (left := living(SESSION, process.pid)) and time.monotonic() < end:
            time.sleep(0.05)
        self.counts["trials"] += 1
        self.counts["PROCESSES LEFT"] += len(left)
        for pid in left:
            os.kill(int(pid), signal.SIGKILL)
        texts = Counter(path.read_text() for path in self.names())
        self.counts["files written"] += texts[self.after] if self.after != BEFORE else 0
        self.counts["FILES HALF WRITTEN"] += (
            sum(texts.values()) - texts[BEFORE] - (texts[self.after] if self.after != BEFORE else 0)
        )
        self.counts["temporary files after the signal"] += len(self.leftovers())
        if "--branch" in self.words:
            self.check_references()
        if self.counts["temporary files after the signal"] and self.leftovers():
            next_run = self.start()
            if next_run.stdin is not None:
                next_run.stdin.close()
            next_run.wait()
            self.counts["TEMPORARY FILES AFTER THE NEXT RUN"] += len(self.leftovers())

    def leftovers(self) -> list[Path]:
        return [path for path in self.tree.rglob("*") if ".dfopt-" in path.name or path.name.endswith(".tmp")]

    def check_references(self) -> None:
        broken = subprocess.run(["git", "fsck", "--strict"], cwd=self.tree, capture_output=True, check=False).returncode
        self.counts["BROKEN CHECKOUTS"] += broken != 0
        self.counts["branches made"] += len(git(self.tree, "branch", "--list", "fixes/*").split())
        self.counts["CHANGED WORKING TREES"] += bool(git(self.tree, "status", "--porcelain", "-uno").strip())


def conversation() -> bytes:
    """What a client says to the language server: a document, changed and asked about again and again."""
    uri = "file:///x/Dockerfile"
    place = {"start": {"line": 0, "character": 0}, "end": {"line": 9, "character": 0}}
    messages: list[dict[str, object]] = [
        {"id": 0, "method": "initialize", "params": {"processId": None, "rootUri": None, "capabilities": {}}},
        {"method": "initialized", "params": {}},
        {
            "method": "textDocument/didOpen",
            "params": {"textDocument": {"uri": uri, "languageId": "dockerfile", "version": 1, "text": BEFORE}},
        },
    ]
    for number in range(1, 200):
        text = BEFORE + f"RUN make a{number}\n"
        messages.append(
            {
                "method": "textDocument/didChange",
                "params": {"textDocument": {"uri": uri, "version": number + 1}, "contentChanges": [{"text": text}]},
            }
        )
        messages.append(
            {
                "id": number,
                "method": "textDocument/codeAction",
                "params": {"textDocument": {"uri": uri}, "range": place, "context": {"diagnostics": []}},
            }
        )
    bodies = [json.dumps({"jsonrpc": "2.0", **message}).encode() for message in messages]
    return b"".join(b"Content-Length: %d\r\n\r\n%s" % (len(body), body) for body in bodies)


def trials(work: Path) -> list[Callable[[], Trial]]:
    apply = ("migrate", "apply", "--by", "directory")
    return [
        lambda: Trial(work, "fix --write -j 2", command("fix", "--write", "-q", "-j", "2", "--no-cache", ".")),
        lambda: Trial(work, "migrate apply --patch", command(*apply, "--patch", "out", "."), count=40),
        lambda: Trial(work, "migrate apply --branch", command(*apply, "--branch", "fixes", "."), count=40),
        lambda: Trial(work, "check -j 2", command("check", "-q", "-j", "2", "--no-cache", ".")),
        lambda: Trial(work, "plan", command("plan", "."), count=40),
        lambda: Trial(work, "lsp", command("lsp"), conversation(), count=1),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.tools.kill_trial", description=__doc__)
    parser.add_argument("--count", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", action="append")
    given = parser.parse_args()
    chance, bad = random.Random(given.seed), 0
    with tempfile.TemporaryDirectory(prefix="dfopt-kill-") as name:
        for make in trials(Path(name)):
            for number in (signal.SIGKILL, signal.SIGTERM):
                trial = make()
                if given.only and not any(text in trial.name for text in given.only):
                    continue
                seconds = 3.0 if trial.stdin else trial.whole()
                for _ in range(given.count):
                    trial.once(number, chance.uniform(0.02, seconds))
                found = ", ".join(f"{count} {what}" for what, count in sorted(trial.counts.items()))
                print(f"{trial.name}, {number.name} within {seconds:.1f} s: {found}", flush=True)
                bad += sum(count for what, count in trial.counts.items() if what.isupper())
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
