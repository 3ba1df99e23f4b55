"""Exit codes: 0 nothing to do or all written, 1 findings or it would change, 2 what went wrong; 2 wins over 1."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.running import dfopt

GOOD = b"FROM a\nRUN true\n"
OLD = b"FROM a\nRUN old\n"
RISKY = b"FROM a\nRUN risky\n"
ODD = b"FROM a\nRUN odd\n"
NEVER = b"FROM a\nRUN never\n"
WRONG = b"FROM wrong\n"
BOOM = b"FROM a\nRUN boom\n"


@pytest.mark.parametrize(
    ("files", "args", "code"),
    [
        pytest.param({}, "fix", 0, id="no-files"),
        pytest.param({"a": GOOD}, "fix", 0, id="nothing-to-do"),
        pytest.param({"a": RISKY}, "fix", 0, id="unsafe-not-asked-for"),
        pytest.param({"a": ODD}, "fix", 0, id="suggestion"),
        pytest.param({"a": NEVER}, "fix", 0, id="refusal"),
        pytest.param({"a": OLD}, "fix", 1, id="would-change"),
        pytest.param({"a": RISKY}, "fix --unsafe", 1, id="would-change-unsafe"),
        pytest.param({"a": OLD}, "fix --check", 1, id="check-would-change"),
        pytest.param({"a": GOOD}, "fix --check", 0, id="check-nothing"),
        pytest.param({"a": OLD}, "fix --patch p", 1, id="patch-would-change"),
        pytest.param({"a": OLD}, "fix --output-format json", 1, id="report-would-change"),
        pytest.param({"a": OLD}, "fix --write", 0, id="written"),
        pytest.param({"a": OLD}, "fix --write --diff", 0, id="written-with-diff"),
        pytest.param({"a": OLD}, "fix --ignore apt-cleanup", 0, id="ignored"),
        pytest.param({"a": WRONG}, "fix", 2, id="unparsable"),
        pytest.param({"a": WRONG, "b": OLD}, "fix", 2, id="unparsable-wins-over-would-change"),
        pytest.param({"a": WRONG, "b": OLD}, "fix --write", 2, id="unparsable-wins-over-written"),
        pytest.param({"a": BOOM}, "fix", 2, id="defect"),
        pytest.param({"a": GOOD}, "check", 0, id="check-clean"),
        pytest.param({"a": OLD}, "check", 1, id="check-fixable"),
        pytest.param({"a": RISKY}, "check", 0, id="check-unsafe"),
        pytest.param({"a": RISKY}, "check --unsafe", 1, id="check-unsafe-asked-for"),
        pytest.param({"a": RISKY}, "check --fail-on unsafe", 1, id="check-fail-on-unsafe"),
        pytest.param({"a": RISKY}, "check --fail-on suggestion", 1, id="check-fail-on-suggestion-unsafe"),
        pytest.param({"a": ODD}, "check", 0, id="check-suggestion"),
        pytest.param({"a": ODD}, "check --fail-on unsafe", 0, id="check-fail-on-unsafe-suggestion"),
        pytest.param({"a": ODD}, "check --fail-on suggestion", 1, id="check-fail-on-suggestion"),
        pytest.param({"a": OLD}, "check --fail-on unsafe", 1, id="check-fail-on-unsafe-safe"),
        pytest.param({"a": OLD}, "check --fail-on never", 0, id="check-fail-on-never"),
        pytest.param({"a": OLD}, "check --fail-on-saving 20MB", 1, id="check-saving"),
        pytest.param({"a": OLD}, "check --fail-on-saving 20.1MB", 0, id="check-saving-less"),
        pytest.param({"a": OLD, "b": OLD}, "check --fail-on-saving 30MB", 0, id="check-saving-in-one-file"),
        pytest.param({"a": OLD + b"RUN old\n"}, "check --fail-on-saving 30MB", 1, id="check-saving-together"),
        pytest.param({"a": OLD}, "check --fail-on never --fail-on-saving 1MB", 0, id="check-saving-never"),
        pytest.param({"a": RISKY}, "check --fail-on unsafe --fail-on-saving 1", 0, id="check-saving-unknown"),
        pytest.param({"a": OLD}, "check --fail-on-saving lots", 2, id="check-saving-no-size"),
        pytest.param({"a": OLD}, "check --fail-on always", 2, id="check-fail-on-unknown"),
        pytest.param({"a": OLD}, "fix --fail-on never", 0, id="fix-fail-on-never"),
        pytest.param({"a": OLD}, "fix --check --fail-on-saving 1GB", 0, id="fix-saving-less"),
        pytest.param({"a": RISKY}, "fix --fail-on unsafe", 1, id="fix-fail-on-unsafe"),
        pytest.param({"a": OLD}, "fix --write --fail-on suggestion", 0, id="fix-written-fail-on"),
        pytest.param({"a": OLD + b"RUN odd\n"}, "fix --write --fail-on suggestion", 1, id="fix-written-rest"),
        pytest.param({"a": WRONG}, "check --fail-on never", 2, id="check-unparsable-never"),
        pytest.param({"a": NEVER}, "check", 0, id="check-refusal"),
        pytest.param({"a": NEVER}, "check --show-refusals", 0, id="check-shown-refusal"),
        pytest.param({"a": b"FROM a\nRUN unused\n"}, "check --fail-on suggestion", 1, id="check-unused-suppression"),
        pytest.param({"a": WRONG}, "check", 2, id="check-unparsable"),
        pytest.param({"a": WRONG, "b": OLD}, "check", 2, id="check-unparsable-wins"),
        pytest.param({"a": GOOD}, "fix missing.Dockerfile", 2, id="missing-file"),
        pytest.param({"a": OLD}, "fix missing a.Dockerfile", 2, id="missing-wins"),
        pytest.param({"a": GOOD}, "fix --nope", 2, id="unknown-option"),
        pytest.param({"a": GOOD}, "fix --jobs 0", 2, id="bad-value"),
        pytest.param({"a": GOOD}, "fix --output-format xml", 2, id="bad-choice"),
        pytest.param({"a": GOOD}, "fix --select nope", 2, id="unknown-pass"),
        pytest.param({"a": GOOD}, "check --ignore nope", 2, id="unknown-pass-ignored"),
        pytest.param({"a": GOOD}, "fix --write --check", 2, id="write-and-check"),
        pytest.param({"a": GOOD}, "fix --diff --output-format json", 2, id="diff-and-report"),
        pytest.param({"a": GOOD}, "fix --config none.toml", 2, id="missing-config"),
        pytest.param({"a": GOOD}, "fix --config x --isolated", 2, id="config-and-isolated"),
        pytest.param({"a": GOOD}, "fix - a.Dockerfile", 2, id="stdin-and-file"),
        pytest.param({"a": GOOD}, "fix --write -", 2, id="write-stdin"),
        pytest.param({"a": GOOD}, "fix --stdin-filename x", 2, id="stdin-name-without-stdin"),
        pytest.param({"a": GOOD}, "fix --patch no/such/dir/p", 2, id="patch-nowhere"),
        pytest.param({"a": GOOD}, "nope", 2, id="unknown-command"),
        pytest.param({}, "", 2, id="no-command"),
        pytest.param({}, "--help", 0, id="help"),
        pytest.param({}, "fix --help", 0, id="command-help"),
        pytest.param({}, "--version", 0, id="version"),
        pytest.param({}, "passes", 0, id="passes"),
        pytest.param({}, "explain merge-run", 0, id="explain"),
        pytest.param({}, "explain nope", 2, id="explain-unknown"),
        pytest.param({}, "explain", 2, id="explain-nothing"),
        pytest.param({}, "config show", 0, id="config-show"),
        pytest.param({}, "config show nowhere", 2, id="config-show-missing"),
    ],
)
def test_exit_code(tmp_path: Path, files: dict[str, bytes], args: str, code: int) -> None:
    for name, content in files.items():
        (tmp_path / f"{name}.Dockerfile").write_bytes(content)
    done = dfopt(*args.split(), cwd=tmp_path)
    assert done.returncode == code, done.stderr
    if code == 2 and args:  # without arguments, help is printed
        assert done.stderr.strip()


@pytest.mark.parametrize(
    ("content", "args", "code"),
    [
        pytest.param(GOOD, "fix -", 0, id="nothing"),
        pytest.param(OLD, "fix -", 0, id="delivered"),
        pytest.param(OLD, "fix - --diff", 1, id="diff"),
        pytest.param(OLD, "fix - --check", 1, id="check"),
        pytest.param(OLD, "fix - --output-format json", 1, id="report"),
        pytest.param(WRONG, "fix -", 2, id="unparsable"),
        pytest.param(OLD, "check -", 1, id="findings"),
    ],
)
def test_exit_code_of_standard_input(tmp_path: Path, content: bytes, args: str, code: int) -> None:
    assert dfopt(*args.split(), cwd=tmp_path, stdin=content).returncode == code


@pytest.mark.parametrize("args", ["fix", "check", "fix --write", "config show", "fix -"])
def test_broken_configuration(tmp_path: Path, args: str) -> None:
    (tmp_path / "Dockerfile").write_bytes(OLD)
    (tmp_path / "dfopt.toml").write_bytes(b'unsafe = true\nselec = ["size"]\n')
    done = dfopt(*args.split(), cwd=tmp_path, stdin=OLD)
    assert done.returncode == 2
    assert done.stdout == b""
    assert b'dfopt.toml:2:1: selec: unknown key "selec"; did you mean "select"?' in done.stderr
    assert (tmp_path / "Dockerfile").read_bytes() == OLD


def test_error_names_the_place(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_bytes(WRONG)
    done = dfopt("fix", cwd=tmp_path)
    assert done.stderr.startswith(b"Dockerfile:1:6: error: unknown instruction: wrong\n")
    assert done.stdout == b""


def test_one_bad_file_does_not_stop_the_run(tmp_path: Path) -> None:
    for name, content in {"a": WRONG, "b": OLD, "c": BOOM, "d": OLD}.items():
        (tmp_path / f"{name}.Dockerfile").write_bytes(content)
    done = dfopt("fix", "--write", cwd=tmp_path)
    assert done.returncode == 2
    assert [(tmp_path / f"{name}.Dockerfile").read_bytes() for name in "abcd"] == [
        WRONG, OLD.replace(b"old", b"new"), BOOM, OLD.replace(b"old", b"new"),
    ]  # fmt: skip
    assert b"c.Dockerfile: error: internal error: KeyError" in done.stderr


def test_a_configuration_error_below_is_told_once(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "dfopt.toml").write_bytes(b"nope = 1\n")
    for name in ("sub/a.Dockerfile", "sub/b.Dockerfile", "z.Dockerfile"):
        (tmp_path / name).write_bytes(OLD)
    done = dfopt("fix", "--check", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stdout == b"z.Dockerfile\n"
    assert done.stderr.count(b"sub/dfopt.toml:1:1: nope: unknown key") == 1
    assert b"sub/a.Dockerfile" not in done.stderr


@pytest.mark.parametrize("target", ["Dockerfile", "gone"], ids=["circle", "dangling"])
def test_unreadable_file(tmp_path: Path, target: str) -> None:
    (tmp_path / "Dockerfile").symlink_to(target)
    done = dfopt("fix", "Dockerfile", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith(b"Dockerfile: error: ")


def test_directory_given_that_is_a_file_name(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").mkdir()
    (tmp_path / "Dockerfile" / "Dockerfile").write_bytes(OLD)
    assert dfopt("fix", "--check", cwd=tmp_path).stdout == b"Dockerfile/Dockerfile\n"


def test_a_file_that_is_no_dockerfile_is_named_in_a_short_line(tmp_path: Path) -> None:
    (tmp_path / "data").write_bytes(b"\x7fELF\x02\x01" + b"\x00" * 5000)
    done = dfopt("fix", "data", cwd=tmp_path, driven=False)
    assert done.returncode == 2
    assert done.stderr.startswith(b"data:1:1: error: unknown instruction: \\x7fELF\\x02")
    assert len(done.stderr) < 300
