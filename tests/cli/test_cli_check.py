"""`dfopt check` in text and concise form, and the notes beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.running import dfopt

FILE = b"FROM a\nRUN old\nRUN risky\nRUN odd\nRUN never\n"


@pytest.fixture
def one(tmp_path: Path) -> Path:
    (tmp_path / "Dockerfile").write_bytes(FILE)
    return tmp_path


def test_concise(one: Path) -> None:
    done = dfopt("check", "--output-format", "concise", cwd=one)
    assert done.stdout == (
        b"Dockerfile:2:1: apt-cleanup[safe] old is new (about 20.0 MB less)\n"
        b"Dockerfile:3:1: apt-cleanup[unsafe] risky is tame\n"
        b"Dockerfile:4:1: merge-run[suggestion] this is odd\n"
    )
    assert done.stderr == (
        b"dfopt: 3 findings in 1 file: 1 fixable (dfopt fix), 1 fixable with --unsafe, 1 for you to decide; "
        b"1 refusal (--show-refusals lists them)\n"
    )


def test_refusals_on_demand(one: Path) -> None:
    done = dfopt("check", "--show-refusals", "--output-format", "concise", cwd=one)
    assert done.stdout.endswith(b"Dockerfile:5:1: merge-run[refused] joins two: the shell is not known\n")
    assert done.stderr.endswith(b"; 1 refusal\n")


def test_text_shows_the_place(one: Path) -> None:
    done = dfopt("check", "--select", "merge-run", cwd=one)
    assert done.stdout == b"Dockerfile:4:1: merge-run[suggestion] this is odd\n  |\n4 | RUN odd\n  | ^^^^^^^\n\n"


def test_quiet(one: Path) -> None:
    assert dfopt("check", "-q", cwd=one).stderr == b""


def test_nothing_to_say(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_bytes(b"FROM a\n")
    done = dfopt("check", cwd=tmp_path)
    assert (done.stdout, done.stderr) == (b"", b"dfopt: 0 findings in 1 file\n")
    (tmp_path / "Dockerfile").unlink()
    none = dfopt("check", cwd=tmp_path)
    assert none.returncode == 0
    assert none.stderr.startswith(b"dfopt: no Dockerfiles found (in directories: ")


def test_errors_are_on_standard_error(tmp_path: Path) -> None:
    (tmp_path / "a.Dockerfile").write_bytes(b"FROM wrong\n")
    (tmp_path / "b.Dockerfile").write_bytes(b"FROM a\nRUN old\n")
    done = dfopt("check", "--output-format", "concise", cwd=tmp_path)
    assert done.stdout == b"b.Dockerfile:2:1: apt-cleanup[safe] old is new (about 20.0 MB less)\n"
    assert done.stderr.startswith(b"a.Dockerfile:1:6: error: unknown instruction: wrong\n")


def test_writes_nothing(one: Path) -> None:
    dfopt("check", "--unsafe", cwd=one)
    assert (one / "Dockerfile").read_bytes() == FILE


class TestUnusedSuppressions:
    """With the real optimizer."""

    @pytest.mark.parametrize(
        ("comment", "message"),
        [
            pytest.param("# dfopt: ignore=apt-cleanup", "nothing to suppress for apt-cleanup", id="name"),
            pytest.param("# dfopt: ignore=DL3009 reason=x", "nothing to suppress for dl3009", id="code"),
            pytest.param("# dfopt: file-ignore=size", "nothing to suppress for size", id="group"),
            pytest.param("# dfopt: ignore=apt-clanup", 'did you mean "apt-cleanup"?', id="misspelt"),
        ],
    )
    def test_reported(self, tmp_path: Path, comment: str, message: str) -> None:
        (tmp_path / "Dockerfile").write_text(f"FROM debian:12\n{comment}\nRUN true\n")
        done = dfopt("check", "--output-format", "concise", cwd=tmp_path, driven=False)
        (line,) = [line for line in done.stdout.decode().split("\n") if "unused-suppression" in line]
        assert line.startswith("Dockerfile:2:1: unused-suppression[suggestion] ")
        assert message in line
        assert done.returncode == 0  # nothing that `fix` would change

    @pytest.mark.parametrize(
        ("comment", "args"),
        [
            pytest.param("# dfopt: ignore=apt-cleanup", (), id="used"),
            pytest.param("# dfopt: ignore=merge-run", ("--select", "apt-cleanup"), id="pass-did-not-run"),
            pytest.param("# hadolint ignore=DL3008", (), id="other-tool"),
        ],
    )
    def test_not_reported(self, tmp_path: Path, comment: str, args: tuple[str, ...]) -> None:
        run = "RUN apt-get update && apt-get install -y curl"
        (tmp_path / "Dockerfile").write_text(f"FROM debian:12\n{comment}\n{run}\n")
        done = dfopt("check", "--output-format", "concise", *args, cwd=tmp_path, driven=False)
        assert b"unused-suppression" not in done.stdout
