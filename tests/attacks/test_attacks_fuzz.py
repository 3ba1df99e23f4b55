"""The fuzzer over all readers, from a fixed seed; and that it sees what it looks for."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tools.fuzz.model import Input
from tests.tools.fuzz.readers import READERS

ROOT = Path(__file__).parents[2]
COUNT = 1800  # inputs; two minutes on a machine that does nothing else

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits of processes, /proc")


def fuzz(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.tools.fuzz", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env={**os.environ})


def test_mutated_inputs_of_all_readers(tmp_path: Path) -> None:
    done = fuzz("--count", str(COUNT), "--seed", "17", "--keep", str(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    runs = dict(re.findall(r"^(\w+) +(\d+) ", done.stdout, re.M))
    assert set(READERS) <= set(runs), done.stdout
    assert int(runs["all"]) >= COUNT


# what a run does instead of dfopt's work -> what the fuzzer says of it
DEFECTS = {
    "raise ZeroDivisionError": "traceback: ZeroDivisionError",
    "return 3": "exit status 3",
    "while True: pass": "hang",
    "bytearray(3 << 30)": "memory",
    "import os; os.kill(os.getpid(), 9)": "ended by -9",
    "open('Dockerfile', 'a').write('x'); return 0": "a command that only reads changed files",
    "open('.Dockerfile.dfopt-0.tmp', 'w'); return 0": "a temporary file stays",
    "import subprocess; subprocess.Popen(['/bin/sleep', '60']); return 0": "a process stays",
    "import sys; sys.stderr.write('\\x1b[2J'); return 2": "a raw control character",
    "print('{'); return 0": "json that no reader takes",
}


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_defect_is_seen(tmp_path: Path, defect: str) -> None:
    given = Input("dockerfile", {"Dockerfile": b"FROM a\n"}, ("check", "--output-format", "json", "."), ("Dockerfile",))
    (tmp_path / "input.json").write_bytes(given.pack())
    code = f"""
import sys
from tests.tools.fuzz import __main__ as fuzz, execution
from dfopt.cli import entry
def main(argv):
    {defect}
entry.main = main
execution.SECONDS = 2
fuzz.preload = lambda: None
sys.argv = ["fuzz", "--replay", {str(tmp_path)!r}]
sys.exit(fuzz.main())
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    assert DEFECTS[defect] in done.stdout
