"""`dfopt migrate plan` and `apply`, as they are called."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from campaign.conftest import AFTER, BEFORE, BROKEN, CLEAN, Run, git, make_repository

Contents = Callable[[], "dict[str, bytes]"]


def report(done: subprocess.CompletedProcess[str]) -> dict[str, object]:
    value: dict[str, object] = json.loads(done.stdout)
    return value


def states(done: subprocess.CompletedProcess[str]) -> dict[str, str]:
    files = report(done)["files"]
    assert isinstance(files, list)
    return {row["name"]: row["state"] for row in files}


def test_plan_counts_and_writes_nothing(migrate: Run, contents: Contents, tmp_path: Path) -> None:
    before = contents()
    done = migrate("plan", "--output-format", "json", "--report", str(tmp_path / "r.md"))
    assert done.returncode == 2  # one file is broken
    assert contents() == before
    assert states(done) == {
        "broken/Dockerfile": "failed", "clean/Dockerfile": "unchanged", "data/Dockerfile": "changed",
        "web/Dockerfile": "changed", "web/api/Dockerfile": "changed",
    }  # fmt: skip
    totals = report(done)["totals"]
    assert isinstance(totals, dict)
    assert totals["changed"] == 3
    assert totals["fixes"] == {"apt-cleanup": 3}
    assert totals["predicted_saving"] > 3_000_000
    assert "broken/Dockerfile: error: 2:1: " in done.stderr
    assert "| would change | 3 |" in (tmp_path / "r.md").read_text()


def test_reports_do_not_depend_on_each_other(migrate: Run, tmp_path: Path) -> None:
    """What one format shows of the files is kept whatever the others need."""
    names = ("r.md", "r.json")
    for number, formats in enumerate((names[:1], names[1:], names)):
        reports = [str(tmp_path / f"{number}-{name}") for name in formats]
        migrate("plan", *(word for path in reports for word in ("--report", path)))
    for number, name in enumerate(names):
        alone = (tmp_path / f"{number}-{name}").read_text()
        assert alone == (tmp_path / f"2-{name}").read_text()
        assert "data/Dockerfile" in alone
        assert "broken/Dockerfile" in alone


def test_plan_in_text(migrate: Run) -> None:
    done = migrate("plan", "web", "clean")
    assert done.returncode == 1
    assert done.stdout.startswith("3 files\n       2  would change\n       1  unchanged\n")


def test_apply_writes_and_a_second_run_finds_nothing(migrate: Run, contents: Contents) -> None:
    done = migrate("apply", "web", "data", "clean")
    assert done.returncode == 0, done.stderr
    found = contents()
    assert {found[name] for name in ("web/Dockerfile", "web/api/Dockerfile", "data/Dockerfile")} == {AFTER}
    assert (found["clean/Dockerfile"], found["broken/Dockerfile"]) == (CLEAN, BROKEN)
    assert "0  changed" in migrate("apply", "web", "data", "clean").stdout


def test_one_bad_file_does_not_stop_the_run(migrate: Run, contents: Contents) -> None:
    done = migrate("apply")
    assert done.returncode == 2
    assert contents()["data/Dockerfile"] == contents()["web/Dockerfile"] == AFTER
    assert contents()["broken/Dockerfile"] == BROKEN


def test_portions_by_number(migrate: Run, contents: Contents) -> None:
    counts = []
    for _ in range(3):
        done = migrate("apply", "web", "data", "--max-files", "2")
        counts.append((done.returncode, sum(content == AFTER for content in contents().values())))
    assert counts == [(1, 2), (0, 3), (0, 3)]


@pytest.mark.parametrize(
    ("by", "names"),
    [
        (("all",), {"all.patch"}),
        (("owner",), {"org-all.patch", "alice-org-web.patch"}),
        (("directory",), {"web.patch", "data.patch"}),
        (("directory", "--depth", "2"), {"web.patch", "web-api.patch", "data.patch"}),
        (("file",), {"web-Dockerfile.patch", "web-api-Dockerfile.patch", "data-Dockerfile.patch"}),
    ],
    ids=lambda value: value[-1] if isinstance(value, tuple) else "",
)
def test_patches(
    migrate: Run, repository: Path, contents: Contents, tmp_path: Path, by: tuple[str, ...], names: set[str]
) -> None:
    before = contents()
    done = migrate("apply", "web", "data", "--patch", str(tmp_path / "patches"), "--by", *by)
    assert done.returncode == 0, done.stderr
    assert contents() == before
    assert {path.name for path in (tmp_path / "patches").iterdir()} == names
    for path in (tmp_path / "patches").iterdir():
        git(repository, "apply", str(path))
    assert {name for name, content in contents().items() if content == AFTER} == {
        "web/Dockerfile", "web/api/Dockerfile", "data/Dockerfile"
    }  # fmt: skip


def test_branches_by_owner(migrate: Run, repository: Path, contents: Contents) -> None:
    status = git(repository, "status", "--porcelain")
    done = migrate("apply", "web", "data", "--branch", "dfopt", "--by", "owner")
    assert done.returncode == 0, done.stderr
    assert git(repository, "status", "--porcelain") == status == ""
    assert git(repository, "branch", "--format", "%(refname:short)").split() == [
        "dfopt/alice-org-web", "dfopt/org-all", "main"
    ]  # fmt: skip
    assert git(repository, "diff", "--name-only", "main", "dfopt/org-all").split() == ["data/Dockerfile"]
    assert git(repository, "show", "dfopt/alice-org-web:web/api/Dockerfile").encode() == AFTER
    message = git(repository, "log", "-1", "--format=%B", "dfopt/alice-org-web")
    assert message.startswith("Dockerfiles: apt-cleanup\n")
    assert "web/api/Dockerfile\n- apt-cleanup: delete apt's package index" in message
    again = migrate("apply", "web", "data", "--branch", "dfopt", "--by", "owner")
    assert again.returncode == 0, again.stderr  # the same branches: nothing to do


def test_branches_of_several_checkouts(migrate: Run, repository: Path, tmp_path: Path) -> None:
    other = make_repository(tmp_path / "other")
    done = migrate("apply", str(repository / "web"), str(other / "data"), "--branch", "dfopt", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert git(repository, "diff", "--name-only", "main", "dfopt/repo-all").split() == [
        "web/Dockerfile", "web/api/Dockerfile"
    ]  # fmt: skip
    assert git(other, "diff", "--name-only", "main", "dfopt/other-all").split() == ["data/Dockerfile"]


def test_a_branch_never_takes_what_is_not_committed(migrate: Run, repository: Path) -> None:
    (repository / "data" / "Dockerfile").write_bytes(BEFORE + b"# mine\n")
    (repository / "new").mkdir()
    (repository / "new" / "Dockerfile").write_bytes(BEFORE)
    done = migrate("apply", "data", "new", "web", "--branch", "dfopt", "--by", "directory")
    assert done.returncode == 2
    assert "data/Dockerfile has uncommitted changes" in done.stderr
    assert "new/Dockerfile is not committed" in done.stderr
    assert git(repository, "branch", "--list", "dfopt/*").split() == ["dfopt/web"]


def test_a_branch_that_is_there_stays(migrate: Run, repository: Path) -> None:
    git(repository, "branch", "dfopt/all")
    done = migrate("apply", "web", "--branch", "dfopt")
    assert done.returncode == 2
    assert "the branch dfopt/all already exists with different content" in done.stderr
    assert git(repository, "rev-parse", "dfopt/all") == git(repository, "rev-parse", "main")


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("{{ label }}: {{ passes | join(' ') }}, {{ files | length }} files", "all: apt-cleanup, 2 files"),
        ("{% if %}", "message.j2:1: "),
        ("{{ " + "[" * 5000 + "]" * 5000 + " }}", "message.j2: nested too deeply"),
        ("{{ " + "1" * 5000 + " }}", "message.j2: Exceeds the limit"),
        ("{{ nothing }}", "'nothing' is undefined"),
        ("{{ ''.__class__.__mro__ }}", "unsafe"),
        ("  ", "is empty"),
    ],
    ids=["good", "syntax", "deep", "digits", "undefined", "sandbox", "empty"],
)
def test_message_templates(migrate: Run, repository: Path, tmp_path: Path, template: str, message: str) -> None:
    path = tmp_path / "message.j2"
    path.write_text(template)
    done = migrate("apply", "web", "--branch", "dfopt", "--message", str(path))
    if done.returncode == 0:
        assert git(repository, "log", "-1", "--format=%B", "dfopt/all").strip() == message
    else:
        assert done.returncode == 2
        assert message in done.stderr
        assert git(repository, "branch", "--list", "dfopt/*") == ""


def test_journal_goes_on(migrate: Run, contents: Contents, repository: Path, tmp_path: Path) -> None:
    journal = tmp_path / "journal.jsonl"
    first = migrate("apply", "web", "data", "clean", "--max-files", "1", "--journal", str(journal))
    assert first.returncode == 1
    lines = journal.read_text().splitlines()
    assert len(lines) == 2  # the written one and the clean one
    journal.write_text("\n".join(lines) + '\n{"name": "cut o')  # the run was killed in the middle of a line
    second = migrate("apply", "web", "data", "clean", "--journal", str(journal), "--output-format", "json")
    assert second.returncode == 0, second.stderr
    assert states(second) == {
        "clean/Dockerfile": "unchanged", "data/Dockerfile": "changed", "web/Dockerfile": "changed",
        "web/api/Dockerfile": "changed",
    }  # fmt: skip
    assert len(journal.read_text().splitlines()) == 4
    (repository / "data" / "Dockerfile").write_bytes(BEFORE)  # somebody took the change back: it counts as new
    assert migrate("apply", "data", "--journal", str(journal)).returncode == 0
    assert contents()["data/Dockerfile"] == AFTER


def test_a_foreign_journal_is_no_journal(migrate: Run, contents: Contents, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("my notes\n")
    before = contents()
    done = migrate("apply", "web", "--journal", str(tmp_path / "notes.txt"))
    assert done.returncode == 2
    assert "notes.txt:1: not a line of a campaign's journal" in done.stderr
    assert contents() == before


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("apply", "--patch", "x", "--branch", "y"), "--patch and --branch exclude each other"),
        (("apply", "--by", "owner"), "--by needs --patch or --branch"),
        (("apply", "--patch", "x", "--depth", "2"), "--depth needs --by directory"),
        (("apply", "--message", "x"), "--message needs --branch"),
        (("plan", "-"), "a campaign works on files"),
        (("plan", "--executor", "dask"), "--executor dask needs --scheduler"),
        (("plan", "--scheduler", "tcp://x:1"), "--scheduler needs --executor dask"),
    ],
)
def test_usage(migrate: Run, contents: Contents, words: tuple[str, ...], message: str) -> None:
    before = contents()
    done = migrate(*words)
    assert done.returncode == 2
    assert message in done.stderr
    assert contents() == before
