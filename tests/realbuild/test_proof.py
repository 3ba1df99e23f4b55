"""`dfopt verify` and `dfopt fix --verify` over an engine: what does not hold is found, and dropped alone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from dfopt.cli.entry import main
from dfopt.engine import find_engine
from dfopt.optimizer import optimize
from dfopt.pass_selection import Options
from dfopt.proof import Lab, Proof, ProofError, ProofSettings, prove_fixes
from dfopt.results import Result
from dfopt.source import Source

from .engine import Engine
from .leftovers import leftovers, set_apart
from .planted import BreaksBuild, BreaksProgram, LosesFile, plant

ROOT = Path(__file__).resolve().parents[2]
TEN_GOOD = """FROM busybox:1.37 as build
MAINTAINER somebody
ENV A 1
ENV B 2
LABEL c d
ADD a.txt /a.txt
ADD b.txt /b.txt
RUN echo big >/big
RUN rm /big && mkdir /data
RUN touch /data/kept
run touch /data/two
RUN touch /data/three
CMD ls /data
CMD sleep 5
"""


@pytest.fixture
def temporary(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """TMPDIR; dfopt works with the tests' engine."""
    return set_apart(engine, tmp_path, monkeypatch)


@pytest.fixture
def context(tmp_path: Path) -> Path:
    folder = tmp_path / "context"
    folder.mkdir()
    (folder / "a.txt").write_text("a")
    (folder / "b.txt").write_text("b")
    (folder / "Dockerfile").write_text(TEN_GOOD)
    return folder


def prove(context: Path, **plan: object) -> tuple[Result, Proof]:
    """All fixes of the Dockerfile, and the proof of them."""
    source = Source.from_bytes((context / "Dockerfile").read_bytes())
    options = Options(("all",), (), ("safe", "unsafe"))  # new ones: passes are made once for each

    def apply(only: frozenset[tuple[str, int]] | None) -> Result:
        return optimize(source, options, None, only)

    with find_engine("docker") as engine:
        settings = {"network": "host", "timeout": 120.0, **plan}
        lab = Lab(engine, ProofSettings(str(context), **settings))  # type: ignore[arg-type]
        return apply(None), prove_fixes(lab, apply, str(context / "Dockerfile"))


def test_ten_good_fixes_hold(temporary: Path, context: Path) -> None:
    full, proof = prove(context, smoke="test -e /data/kept")
    assert len(full.applied) >= 10
    assert proof.dropped == ()
    assert proof.result.output == full.output
    assert proof.verdict is not None
    assert proof.verdict.after is not None
    assert proof.builds == 3  # as it is; with what declares little; with all
    assert leftovers(temporary) == []


def test_planted_bad_fix_among_ten_good_ones_is_dropped_alone(
    temporary: Path, context: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch, LosesFile)
    full, proof = prove(context)
    assert len(full.applied) >= 11
    (dropped,) = proof.dropped
    assert dropped.fix.name == "planted-loss"
    assert "/data/kept: path: file" in dropped.reason
    kept = {fix.identity for fix in proof.result.applied}
    assert kept == {fix.identity for fix in full.applied} - {dropped.fix.identity}
    assert "touch /data/kept" in proof.result.output
    assert any(one.reason == dropped.reason for one in proof.result.reported)
    assert leftovers(temporary) == []


def test_three_bad_fixes_each_of_another_kind(temporary: Path, context: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plant(monkeypatch, LosesFile, BreaksBuild, BreaksProgram)
    full, proof = prove(context, smoke="test -e /data/three")
    reasons = {one.fix.name: one.reason for one in proof.dropped}
    assert set(reasons) == {"planted-loss", "planted-break", "planted-smoke"}
    assert "does not build" in reasons["planted-break"]
    assert "smoke test fails: status 1" in reasons["planted-smoke"]
    assert len(proof.result.applied) == len(full.applied) - 3
    assert leftovers(temporary) == []


def test_file_that_does_not_build_proves_nothing(temporary: Path, context: Path) -> None:
    with (context / "Dockerfile").open("a") as file:
        file.write("RUN exit 3\n")
    with pytest.raises(ProofError, match="the original file does not build: ERROR"):
        prove(context)
    assert leftovers(temporary) == []


def test_smoke_test_that_fails_from_the_start_proves_nothing(temporary: Path, context: Path) -> None:
    with pytest.raises(ProofError, match="the original file fails the smoke test: status 9"):
        prove(context, smoke="exit 9")
    assert leftovers(temporary) == []


def test_fix_verify_writes_what_holds(
    temporary: Path, context: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(monkeypatch, LosesFile)
    script = context.parent / "smoke"
    script.write_text('#!/bin/sh\ntest "$1" = 127.0.0.1 && test -n "$DFOPT_CONTAINER" && touch "$0.ran"\n')
    script.chmod(0o755)
    file = context / "Dockerfile"
    words = ["fix", "--verify", "--write", "--select", "all", "--network", "host", "--smoke-script", str(script)]
    status = main([*words, "--touch", "a.txt", "--output-format", "json", "--show-refusals", str(file)])
    said = capsys.readouterr()
    assert status == 0, said.err
    document = json.loads(said.out)["files"][0]
    assert document["written"]
    (dropped,) = document["proof"]["dropped"]
    assert dropped["pass"] == "planted-loss"
    for side in ("before", "after"):
        assert document["proof"][side]["build_seconds"] > 0
        assert document["proof"][side]["rebuild_seconds"] > 0
    assert document["proof"]["after"]["layer_bytes"] > 0
    text = file.read_text()
    assert "COPY a.txt" in text
    assert "/data/kept" in text
    assert (context / "a.txt").read_text() == "a"
    assert Path(f"{script}.ran").exists()
    assert "planted-loss[dropped]" in said.err
    assert leftovers(temporary) == []


def test_verify_two_files(temporary: Path, context: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = context / "Other"
    other.write_text(TEN_GOOD.replace("/data/two", "/data/zwei") + "USER 5\n")
    words = ["verify", str(context / "Dockerfile"), str(other), "--network", "host", "--output-format", "json"]
    assert main(words) == 1
    document = json.loads(capsys.readouterr().out)
    assert [one["where"] for one in document["differences"]] == ["/data/two", "/data/zwei", "config.User"]
    allowed = ["--allow", "/data/*", "--allow", "config:User"]
    assert main([*words, *allowed]) == 0
    assert json.loads(capsys.readouterr().out)["allowed"] == 3
    assert leftovers(temporary) == []


def test_verify_local_images(
    temporary: Path, engine: Engine, context: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = engine.build(context, b"FROM busybox:1.37\nRUN echo 1 >/a\n")
    two = engine.build(context, b"FROM busybox:1.37\nRUN echo 2 >/a\n")
    try:
        assert main(["verify", one, one]) == 0
        assert main(["verify", one, two, "--smoke", "test -e /a"]) == 1
        assert "/a: content" in capsys.readouterr().out
        assert main(["verify", one, two, "--allow", "/a", "--smoke", "grep -q 2 /a"]) == 2
        assert "fails the smoke test" in capsys.readouterr().err
        assert main(["verify", two, one, "--allow", "/a", "--smoke", "grep -q 2 /a"]) == 1
        assert main(["verify", "no-such-image-of-dfopt", one]) == 2
    finally:
        engine.remove(one, two)
    assert leftovers(temporary) == []


def runs(words: bytes) -> Iterator[bool]:
    """Whether each process of the machine is called so: a RUN's, too."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            yield path.read_bytes() == words


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "terminated"])
def test_interrupt_leaves_nothing(temporary: Path, context: Path, number: signal.Signals) -> None:
    (context / "Dockerfile").write_text(TEN_GOOD + "RUN sleep 617\n")
    before = (context / "Dockerfile").read_bytes()
    words = [sys.executable, "-m", "dfopt", "fix", "--verify", "--write", "--network", "host", "Dockerfile"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(words, cwd=context, env=environment, stderr=subprocess.DEVNULL) as process:
        for _ in range(1200):
            if process.poll() is not None or any(runs(b"sleep\x00617\x00")):
                break
            time.sleep(0.1)
        process.send_signal(number)
        assert process.wait(60) == 130
    assert (context / "Dockerfile").read_bytes() == before
    assert leftovers(temporary) == []


def test_files_are_spread_over_builders(temporary: Path, context: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (context / "Dockerfile").write_text("FROM busybox:1.37\nENV A 1\n")
    (context / "Dockerfile.broken").write_text("FROM busybox:1.37\nENV A 1\nRUN exit 3\n")
    (context / "Dockerfile.other").write_text("FROM busybox:1.37\nRUN echo 1 >/a\nRUN rm /a\n")
    words = ["fix", "--verify", "--builder", "default", "--builder", "default", "--network", "host", "--no-unsafe"]
    status = main([*words, "--modernize", "--output-format", "json", str(context)])
    said = capsys.readouterr()
    files = json.loads(said.out)["files"]
    assert [Path(one["path"]).name for one in files] == ["Dockerfile", "Dockerfile.broken", "Dockerfile.other"]
    assert [one["changed"] for one in files] == [True, False, True]
    assert "not verified: the original file does not build" in files[1]["error"]["message"]
    assert status == 2
    assert leftovers(temporary) == []


def test_what_differs_from_build_to_build(temporary: Path, context: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = "FROM busybox:1.37\nRUN cat /proc/sys/kernel/random/uuid >/stamp\n"
    (context / "Dockerfile").write_text(text)
    (context / "Other").write_text(text + "ENV A=1\n")
    words = [
        "verify",
        str(context / "Dockerfile"),
        str(context / "Other"),
        "--network",
        "host",
        "--allow",
        "config:Env.A",
    ]
    assert main(words) == 1
    assert "differs: /stamp: content" in capsys.readouterr().out
    assert main([*words, "--repeat"]) == 0
    assert leftovers(temporary) == []


def test_frontend_that_cannot_be_had(temporary: Path, context: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = context / "Dockerfile"
    file.write_text("# syntax=127.0.0.1:9/no/frontend:1\nFROM busybox:1.37\n")
    words = ["verify", str(file), str(file), "--network", "host"]
    assert main(words) == 2
    assert "127.0.0.1:9/no/frontend:1 cannot be had (--drop-syntax builds without it)" in capsys.readouterr().err
    assert main([*words, "--drop-syntax"]) == 0
    assert leftovers(temporary) == []
