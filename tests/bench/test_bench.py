"""The comparison itself: what it measures, whom it believes, and that no program leaves the table unseen."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.oracle_client import OracleMissing

from . import __main__ as command
from . import cold
from .helpers import program, sample_of, write
from .measure import Bench, Run, judge, summary
from .report import table
from .sample import Sample, SampleError, dockerfiles, draw, ranked, stopping_screen
from .tool import Tool
from .tools import all_tools, native_tally, readers_of_one_file
from .verdicts import Verdict, verdicts

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the comparison reads Linux's /proc")

MB = 1024  # KiB


HOLD = "x = bytearray(b'a') * (64 << 20); time.sleep(1)"


def test_peak_is_near_a_bare_interpreter_where_nothing_is_held(bench: Bench, sample: Sample) -> None:
    assert bench.run(program("pass"), sample).peak < 40 * MB


def test_peak_counts_what_one_process_holds(bench: Bench, sample: Sample) -> None:
    assert 64 * MB < bench.run(program(HOLD), sample, watch=False).peak < 104 * MB


def test_peak_counts_processes_that_live_at_the_same_time(bench: Bench, sample: Sample) -> None:
    one = f"subprocess.Popen([sys.executable, '-c', {'import time;' + HOLD!r}])"
    assert 128 * MB < bench.run(program(f"p, q = {one}, {one}\np.wait()\nq.wait()"), sample).peak < 208 * MB


def test_cpu_counts_child_processes(bench: Bench, sample: Sample) -> None:
    burn = "import time\nwhile time.process_time() < 0.3: pass"
    assert bench.run(program(f"subprocess.run([sys.executable, '-c', {burn!r}])"), sample).cpu >= 0.3


def test_a_run_past_its_limit_is_killed(bench: Bench, sample: Sample) -> None:
    bench.limit = 0.5
    run = bench.run(program("subprocess.run(['sleep', '600'])"), sample)
    assert (run.failed, run.note) == (True, "killed: it ran past the limit of one run")


def test_files_go_in_as_arguments_or_on_stdin(bench: Bench, sample: Sample) -> None:
    both = "a = sys.argv[1:] or sys.stdin.read().split()\nassert a == ['00000/Dockerfile', '00001/Dockerfile'], a"
    assert [bench.run(program(both, stdin=stdin), sample).note for stdin in (False, True)] == ["", ""]


def test_each_run_edits_copies_of_its_own(bench: Bench, sample: Sample) -> None:
    edit = program(
        "f = open(sys.argv[1], 'r+')\nassert f.read() == 'FROM a\\n'\nf.write('USER 1\\n')\nf.close()", writes=True
    )
    assert [bench.run(edit, sample)[3:] for _ in "ab"] == [(1, "", False)] * 2
    assert sample.originals() == [b"FROM a\n", b"FROM b\n"]


@pytest.mark.parametrize(("fresh", "changed"), [(True, [0, 0]), (False, [0, 2])], ids=["new-home", "kept-home"])
def test_cached_results_are_not_measured(bench: Bench, sample: Sample, fresh: bool, changed: list[int]) -> None:
    code = (
        "mark = os.environ['XDG_CACHE_HOME'] + 'x'\n"
        "if os.path.exists(mark):\n    for name in sys.argv[1:]: open(name, 'w').close()\n"
        "open(mark, 'w').close()"
    )
    tool = program(code, writes=True, fresh_home=fresh)
    assert [bench.run(tool, sample).changed for _ in "ab"] == changed


def test_nothing_is_left_behind(bench: Bench, sample: Sample) -> None:
    bench.run(program("pass", fresh_home=True), sample)
    assert list(bench.scratch.iterdir()) == []


WRITER = Tool("w", ("w",), writes=True, ok=frozenset({0, 1}), partial=frozenset({2}))
READER = Tool("r", ("r",))


@pytest.mark.parametrize(
    ("tool", "code", "changed", "printed", "error", "verdict"),
    [
        pytest.param(READER, 0, 0, 9, "3 findings", ("", False), id="reader-that-printed"),
        pytest.param(WRITER, 0, 5, 0, "", ("", False), id="writer-that-wrote"),
        pytest.param(WRITER, 1, 5, 9, "", ("", False), id="findings"),
        pytest.param(WRITER, 2, 5, 9, "a\nbad x", ("exit 2: bad x", False), id="some-input-left-out"),
        pytest.param(
            WRITER, 2, 0, 0, "usage", ("exit 2, but neither output nor a changed file: usage", True), id="usage"
        ),
        pytest.param(READER, 2, 0, 9, "stop", ("exit 2: stop", True), id="stopped"),
        pytest.param(READER, -11, 0, 9, "", ("exit -11", True), id="signal"),
        pytest.param(READER, 0, 0, 0, "", ("exit 0, but neither output nor a changed file", True), id="no-trace"),
        pytest.param(
            READER, 0, 1, 9, "", ("changed 1 of 7 files though it should only read", True), id="reader-that-wrote"
        ),
        pytest.param(
            WRITER, 1, 5, 9, "Traceback (most recent call last):\nE: x\n", ("exit 1: E: x", True), id="traceback"
        ),
    ],
)
def test_judge(tool: Tool, code: int, changed: int, printed: int, error: str, verdict: tuple[str, bool]) -> None:
    assert judge(tool, {"exit": str(code), "timeout": "0"}, changed, printed, error, 7) == verdict


def test_a_failed_start_fails_the_row() -> None:
    good, bad = Run(2.0, 1.0, 10, 1, "", False), Run(0.1, 0.1, 9, 0, "exit 3", True)
    assert summary([good] * 3, [good]) == (2.0, 1.0, 10, 1, 1.0, 2.0, "", False)
    assert summary([good, bad, good], [good])[-2:] == ("exit 3", True)
    assert summary([good] * 3, [bad])[-2:] == ("exit 3", True)


def test_medians_are_taken_figure_by_figure() -> None:
    runs = [Run(1.0, 9.0, 30, 1, "", False), Run(2.0, 8.0, 10, 1, "", False), Run(3.0, 7.0, 20, 1, "", False)]
    assert summary(runs, runs)[:3] == (2.0, 8.0, 20)


def accept(_root: Path, _names: Sequence[str]) -> dict[str, str]:
    return {}


def test_the_sample_depends_on_the_contents_alone(tmp_path: Path) -> None:
    texts = [f"FROM {c}\n" for c in "abcdefgh"]
    one = write(tmp_path / "1", {f"{i}/Dockerfile": text for i, text in enumerate(texts)})
    two = write(tmp_path / "2", {f"x{9 - i}/a.dockerfile": text for i, text in enumerate(texts)})
    drawn = [draw(root, 5, tmp_path / f"to{root.name}", [accept]) for root in (one, two)]
    assert drawn[0].originals() == drawn[1].originals()
    assert len(set(drawn[0].originals())) == 5
    assert drawn[0].size == 5 * 7


@pytest.mark.parametrize(
    ("name", "taken"),
    [
        pytest.param("Dockerfile", True, id="plain"),
        pytest.param("dockerfile", True, id="lower-case"),
        pytest.param("Dockerfile.alpine", True, id="suffix"),
        pytest.param("web.Dockerfile", True, id="prefix"),
        pytest.param("Containerfile", True, id="containerfile"),
        pytest.param("Dockerfile.j2", False, id="template"),
        pytest.param("Dockerfile.md", False, id="documentation"),
        pytest.param("Dockerfile.dockerignore", False, id="ignore-file"),
        pytest.param("Dockerfiles", False, id="other-name"),
        pytest.param("MyDockerfile", False, id="no-dot"),
    ],
)
def test_names(tmp_path: Path, name: str, taken: bool) -> None:
    write(tmp_path / "in", {name: "FROM a\n"})
    if taken:
        assert len(draw(tmp_path / "in", 1, tmp_path / "out", []).names) == 1
    else:
        with pytest.raises(SampleError, match="no Dockerfile below"):
            draw(tmp_path / "in", 1, tmp_path / "out", [])


def test_links_and_equal_contents_count_once(tmp_path: Path) -> None:
    root = write(tmp_path / "in", {"a/Dockerfile": "FROM a\n", "b/Dockerfile": "FROM a\n"})
    (root / "Dockerfile").symlink_to(root / "a" / "Dockerfile")
    assert [path for _, path in ranked(dockerfiles(root))] == [root / "a/Dockerfile"]
    assert draw(root, 1, tmp_path / "out", []).names == ["00000/Dockerfile"]
    with pytest.raises(SampleError, match="has 1 distinct Dockerfiles"):
        draw(root, 2, tmp_path / "out2", [])


def test_a_refused_file_is_replaced_by_the_next(tmp_path: Path) -> None:
    root = write(tmp_path / "in", {f"{c}/Dockerfile": f"FROM {c}\n" for c in "abcd"})
    order = [path for _, path in ranked(dockerfiles(root))]

    def refuse(folder: Path, names: Sequence[str]) -> dict[str, str]:
        return {name: "why" for name in names if (folder / name).read_bytes() == order[1].read_bytes()}

    drawn = draw(root, 3, tmp_path / "out", [accept, refuse])
    assert drawn.originals() == [order[i].read_bytes() for i in (0, 2, 3)]
    assert drawn.rejected == {str(order[1]): "why"}
    with pytest.raises(SampleError, match="has 3 distinct Dockerfiles that every reader accepts"):
        draw(root, 4, tmp_path / "out2", [refuse])


def test_a_program_that_stops_at_a_file_is_asked_again_without_it(tmp_path: Path) -> None:
    code = (
        "import sys\nfor n in sys.argv[1:]:\n    if 'b' in open(n).read(): sys.exit('failed to lint ' + n + ': no b')"
    )
    sample = sample_of(tmp_path / "s", "a", "b1", "c", "b2")
    screen = stopping_screen("x", [sys.executable, "-c", code], re.compile(r"failed to lint (\S+): (.*)"), {})
    assert screen(sample.root, sample.names) == {"00001/Dockerfile": "x: no b", "00003/Dockerfile": "x: no b"}


def test_a_program_that_fails_otherwise_refuses_no_file(tmp_path: Path) -> None:
    sample = sample_of(tmp_path / "s", "a")
    screen = stopping_screen("x", [sys.executable, "-c", "import sys; sys.exit('boom')"], re.compile("(no)(thing)"), {})
    assert screen(sample.root, sample.names) == {}


PEERS = {
    "dockerfile-doctor --fix": "dockerfile-doctor", "dockerfile-doctor, unsafe too": "dockerfile-doctor",
    "dockerfile-hardener fix": "dockerfile-hardener", "docktor optimize": "docktor", "dokter -w": "dokter",
    "dockerfmt -w": "dockerfmt",
}  # fmt: skip


def test_every_program_keeps_its_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    tools = all_tools(["dfopt"], None, None, "no Go here")
    rows = {"dfopt fix": summary([Run(0.5, 0.4, 2048, 0, "", False)], [Run(0.02, 0.01, 9, 0, "", False)])}
    rows["dfopt check"] = summary([Run(0.5, 0.4, 2048, 0, "exit 3", True)], [Run(0.02, 0.01, 9, 0, "", False)])
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table(tools, rows, 100).split("\n")[2:]]
    assert [(row[0], row[1], row[-1]) for row in cells] == [
        ("dfopt fix", "200", ""),
        ("dfopt fix --write", "-", "not selected"),
        ("dfopt check", "-", "failed: exit 3"),
        ("hadolint", "-", "not installed: hadolint in --peers-bin or on PATH"),
        ("tally --fix", "-", "not installed: tally in --peers-bin or on PATH"),
        ("tally --fix, no ShellCheck", "-", "not installed: tally in --peers-bin or on PATH"),
        *((name, "-", f"not installed: {program} in --peers-bin or on PATH") for name, program in PEERS.items()),
        ("BuildKit's parser (Go)", "-", "not installed: no Go here"),
    ]
    assert cells[0][2:9] == ["250", "0.50", "0.40", "2", "10", "20", "reads only"]


def test_tally_is_started_without_its_python_script(tmp_path: Path) -> None:
    inner = "lib/python3.11/site-packages/tally_cli/bin/tally-linux-x86_64/tally"
    root = write(tmp_path, {"bin/tally": "#!/usr/bin/python3\n", inner: "\x7fELF", "alone/bin/tally": "#!/bin/sh\n"})
    assert native_tally(str(root / "bin/tally")) == str(root / inner)
    assert native_tally(str(root / inner)) == str(root / inner)
    assert native_tally(str(root / "alone/bin/tally")) == str(root / "alone/bin/tally")


@pytest.mark.parametrize(
    ("modes", "name", "mode"),
    [
        pytest.param("parse|parsequiet", "BuildKit's parser (Go)", "parsequiet", id="parser-alone"),
        pytest.param("parse", "BuildKit's parser (Go) and its JSON", "parse", id="with-output"),
    ],
)
def test_the_row_of_buildkit_says_what_it_measures(tmp_path: Path, modes: str, name: str, mode: str) -> None:
    oracle = tmp_path / "oracle"
    oracle.write_text(f'#!/bin/sh\ncase "$1" in {modes}) cat;; *) exit 2;; esac\n')
    oracle.chmod(0o755)
    tool = all_tools(["dfopt"], None, oracle, "")[-1]
    assert (tool.name, tool.command) == (name, (str(oracle), mode, "-"))


FAKE = """
import sys
if "--version" in sys.argv: sys.exit(print("fake 1"))
if "--write" in sys.argv:
    for name in sys.argv[3:]: open(name, "a").write("# x")
print("+ x")
sys.exit(1)
"""


def test_one_command_both_tables(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    second: list[str] = []

    def cold_main(argv: Sequence[str]) -> int:
        second.extend(argv)
        return 0

    monkeypatch.setattr(cold, "main", cold_main)  # which test_cold.py tests
    root = write(tmp_path / "in", {f"{c}/Dockerfile": f"FROM {c}\n" for c in "abc"})
    (tmp_path / "fake.py").write_text(FAKE)
    argv = [str(root), "--files", "3", "--repeat", "2", "--cold", "1", "--only", "dfopt"]
    assert command.main([*argv, "--dfopt", f"{sys.executable} {tmp_path}/fake.py", "--oracle", "/no/oracle"]) == 0
    out = capsys.readouterr().out
    assert out.startswith(f"3 files, 21 bytes, from {root} (0 others left out")
    lines = {line.split("|")[1].strip(): line for line in out.split("\n") if line.startswith("|")}
    assert [name for name in lines if name.startswith("dfopt") and "failed" not in lines[name]] == [
        "dfopt fix",
        "dfopt fix --write",
        "dfopt check",
    ]
    assert re.search(r"\| +3 \|", lines["dfopt fix --write"])
    assert "not installed: /no/oracle" in lines["BuildKit's parser (Go)"]
    assert f"{sys.executable} {tmp_path}/fake.py: fake 1" in out
    assert second[:3] == [str(root), "--dfopt", f"{sys.executable} {tmp_path}/fake.py"]
    assert [word.partition("=")[0] for word in second[4::2]] == [
        "hadolint",
        "tally, no ShellCheck",
        "dockerfile-doctor",
    ]


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        pytest.param(["--files", "4", "--only", "dfopt"], "has 1 distinct Dockerfiles", id="too-few"),
        pytest.param(["--only", "no-such-row"], "no chosen program is installed", id="nothing-chosen"),
        pytest.param(["--files", "9999999"], "more names than one command line holds", id="too-many"),
    ],
)
def test_errors(tmp_path: Path, capsys: pytest.CaptureFixture[str], argv: list[str], message: str) -> None:
    root = write(tmp_path / "in", {"Dockerfile": "FROM a\n"})
    assert command.main([str(root), "--dfopt", sys.executable, "--oracle", "/no/oracle", *argv]) == 2
    assert message in capsys.readouterr().err


SPOIL = """
for name in sys.argv[1:]:
    text = open(name).read()
    if "b" in text:
        text = text.replace("# gone\\n", "")
        open(name, "w").write(text + ("RUN fixed\\n" if "break" not in text else "NO SUCH INSTRUCTION\\n"))
"""


@pytest.mark.parametrize("first", [0, 5], ids=["one-start", "a-start-each"])
def test_what_a_program_breaks_and_changes_again_is_counted(bench: Bench, tmp_path: Path, first: int) -> None:
    tool = program(SPOIL, writes=True)._replace(first=first)
    texts = "FROM a\n", "# gone\nFROM b\n", "# kept\nFROM break\n", "break no Dockerfile\n", "# gone\nFROM a\n"
    sample = sample_of(tmp_path / "s", *texts, *["FROM b\n"] * bool(first))
    try:
        found = verdicts(bench, [tool, program("pass")], sample)
    except OracleMissing as missing:
        pytest.skip(str(missing))
    assert found == {"fake": Verdict(broken=1, again=3, lost=1)}
    assert list(bench.scratch.glob("judge-*")) == []
    rows = {"fake": summary([Run(1, 1, 1, 3, "", False)], [Run(1, 1, 1, 0, "", False)])}
    cells = [cell.strip() for cell in table([tool], rows, 5, found).split("\n")[2].split("|")]
    assert cells[9:14] == ["3", "1", "3", "1", "first 5 files, a start each" if first else ""]


def test_a_program_that_hangs_is_not_judged(bench: Bench, sample: Sample) -> None:
    bench.limit = 0.5
    tool = program("subprocess.run(['sleep', '600'])", writes=True)._replace(first=2)
    try:
        assert verdicts(bench, [tool], sample) == {}
    except OracleMissing as missing:
        pytest.skip(str(missing))


def test_peers_of_short_runs_only_read() -> None:
    tools = [
        Tool("dockerfile-doctor --fix", ("doctor", "--fix", "--no-color"), writes=True),
        Tool("tally --fix, no ShellCheck", None, "tally"),
        Tool("hadolint", ("hadolint", "--no-fail")),
    ]
    assert readers_of_one_file(tools) == {
        "hadolint": ["hadolint", "--no-fail"], "tally, no ShellCheck": [], "dockerfile-doctor": ["doctor", "--no-color"]
    }  # fmt: skip
