"""`--show-refusals`: one file's one by one, those of many by what unblocks them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.running import dfopt
from dfopt.cli.refusals import RefusalGroups
from dfopt.refusal import reason_class

NEVER = b"FROM a\nRUN never\n"


def test_a_file_that_is_named_alone_lists_them_in_place(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_bytes(NEVER)
    done = dfopt("check", "--show-refusals", "--output-format", "concise", "Dockerfile", cwd=tmp_path)
    assert done.stdout == b"Dockerfile:2:1: merge-run[refused] joins two: the shell is not known\n"


def test_a_directory_with_one_lists_them_too(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_bytes(NEVER)
    done = dfopt("check", "--show-refusals", cwd=tmp_path)
    assert done.stdout == b"Dockerfile:2:1: merge-run[refused] joins two: the shell is not known\n"


@pytest.mark.parametrize(("command", "stream"), [("check", "stdout"), ("fix", "stderr")])
def test_of_several_files_they_are_grouped(tmp_path: Path, command: str, stream: str) -> None:
    for name in "abc":
        (tmp_path / f"{name}.Dockerfile").write_bytes(NEVER)
    for _ in range(2):  # the second time from the cache, where there is one
        done = dfopt(command, "--show-refusals", cwd=tmp_path)
        assert done.returncode == 0
        shown = getattr(done, stream).decode()
        assert "3 refusals in 3 files, by what unblocks them:\n" in shown
        assert "      3  nothing is known to unblock these\n" in shown
        assert "             3  merge-run: the shell is not known (a.Dockerfile:2:1)\n" in shown


def test_programs_get_each(tmp_path: Path) -> None:
    for name in "ab":
        (tmp_path / f"{name}.Dockerfile").write_bytes(NEVER)
    found = json.loads(dfopt("check", "--show-refusals", "--output-format", "json", cwd=tmp_path).stdout)
    assert [len(file["findings"]) for file in found["files"]] == [1, 1]


def test_of_many_files_they_come_back_from_the_cache(tmp_path: Path) -> None:
    for number in range(20):
        (tmp_path / f"{number}.Dockerfile").write_bytes(NEVER + b"# %d\n" % number)
    texts = [dfopt("check", "--show-refusals", cwd=tmp_path).stdout for _ in range(2)]
    assert texts[0] == texts[1]
    assert texts[0].startswith(b"20 refusals in 20 files")


def test_groups_are_ranked_and_nothing_comes_last() -> None:
    groups = RefusalGroups()
    for number in range(5):
        groups.add(((f"f{number}:1:1", "a-pass", "m", f"line {number} is odd", ""),))
    for number in range(2):
        reason = f"whether example/{number}:1 has it is not known"
        groups.add(((f"g{number}:1:1", "b-pass", "m", reason, "use --online"),))
    assert groups.text().splitlines() == [
        "7 refusals in 7 files, by what unblocks them:",
        "      2  use --online",
        "             2  b-pass: whether X has it is not known (g0:1:1)",
        "      5  nothing is known to unblock these",
        "             5  a-pass: line N is odd (f0:1:1)",
    ]


def test_a_group_lists_its_most_frequent_reasons() -> None:
    groups = RefusalGroups()
    for number, reason in enumerate(["one", "one", "two", "three", "four", "five"]):
        groups.add(((f"f{number}", "a-pass", "m", reason, "do it"),))
    lines = groups.text().splitlines()
    assert lines[2].endswith("2  a-pass: one (f0)")
    assert lines[-1].endswith("2  for other reasons: a-pass")


@pytest.mark.parametrize(
    ("reason", "wanted"),
    [
        pytest.param("lines 3, 4 and 5 use it", "line N use it", id="lines"),
        pytest.param("the shell expands `$A`", 'the shell expands "…"', id="quoted"),
        pytest.param("what entrypoint.sh does is not known", "what X does is not known", id="file"),
        pytest.param("/opt/a.tgz is deleted", "X is deleted", id="path"),
        pytest.param("whether alpine:3 has find", "whether X has find", id="image"),
    ],
)
def test_what_differs_from_file_to_file_is_left_out(reason: str, wanted: str) -> None:
    assert reason_class(reason) == wanted


def test_only_of_passes_whose_tier_was_asked_for(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM example.org/own:1\nRUN a | b\n")

    def passes(*args: str) -> set[str]:
        done = dfopt("check", "--show-refusals", "--output-format", "json", *args, cwd=tmp_path, driven=False)
        findings = json.loads(done.stdout)["files"][0]["findings"]
        return {finding["pass"] for finding in findings if finding["kind"] == "refusal"}

    assert passes() == set()
    assert {"pipefail", "add-user"} <= passes("--unsafe")
    assert passes("--select", "pipefail") == {"pipefail"}
    done = dfopt("check", cwd=tmp_path, driven=False)
    assert b"refusal" not in done.stderr
