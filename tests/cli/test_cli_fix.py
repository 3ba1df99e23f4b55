"""`dfopt fix`: what it prints, and what it writes."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from cli.running import dfopt

OLD = b"FROM a\nRUN old\n"
NEW = b"FROM a\nRUN new\n"
DIFF = (
    b"--- a/Dockerfile\n+++ b/Dockerfile\n@@ -1,2 +1,2 @@ apt-cleanup\n FROM a\n-RUN old\n+RUN new\n"
    b"# line 2: apt-cleanup: old is new\n"
)
ODD_BYTES = b"\xef\xbb\xbf# caf\xe9 \xff\x00\x0c\xe2\x80\xa8\r\nFROM a\r\nRUN old \xf0\x9f\x90\xb3\r\nRUN x\rRUN y"


@pytest.fixture
def one(tmp_path: Path) -> Path:
    (tmp_path / "Dockerfile").write_bytes(OLD)
    return tmp_path


def test_prints_the_diff_and_writes_nothing(one: Path) -> None:
    done = dfopt("fix", cwd=one)
    assert done.stdout == DIFF
    assert done.stderr == b"dfopt: 1 of 1 file would change (1 fix); dfopt check lists what else there is\n"
    assert (one / "Dockerfile").read_bytes() == OLD


def test_quiet(one: Path) -> None:
    done = dfopt("fix", "-q", cwd=one)
    assert (done.stdout, done.stderr) == (DIFF, b"")


def test_unsafe_fixes_are_named_so(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_bytes(b"FROM a\nRUN old\nRUN risky\n")
    assert b"-RUN risky" not in dfopt("fix", cwd=tmp_path).stdout
    done = dfopt("fix", "--unsafe", cwd=tmp_path)
    assert b"@@ apt-cleanup, apt-cleanup [unsafe]\n" in done.stdout
    (tmp_path / "dfopt.toml").write_bytes(b"unsafe = true\n")
    assert b"+RUN tame" in dfopt("fix", cwd=tmp_path).stdout
    assert b"+RUN tame" not in dfopt("fix", "--no-unsafe", cwd=tmp_path).stdout


def test_write(one: Path) -> None:
    done = dfopt("fix", "--write", cwd=one)
    assert (one / "Dockerfile").read_bytes() == NEW
    assert done.stdout == b""
    summary = b"dfopt: 1 of 1 file changed (1 fix); dfopt check lists what else there is\n"
    assert done.stderr == b"fixed Dockerfile (apt-cleanup)\n" + summary


def test_write_with_diff(one: Path) -> None:
    assert dfopt("fix", "--write", "--diff", cwd=one).stdout == DIFF


def test_check_prints_names(tmp_path: Path) -> None:
    for name, content in {"b.Dockerfile": OLD, "a.Dockerfile": OLD, "c.Dockerfile": NEW}.items():
        (tmp_path / name).write_bytes(content)
    assert dfopt("fix", "--check", cwd=tmp_path).stdout == b"a.Dockerfile\nb.Dockerfile\n"


def test_bytes_stay(tmp_path: Path) -> None:
    file = tmp_path / "Dockerfile"
    file.write_bytes(ODD_BYTES)
    expected = ODD_BYTES.replace(b"old", b"new")
    done = dfopt("fix", "-", cwd=tmp_path, stdin=ODD_BYTES)
    assert done.stdout == expected
    diff = dfopt("fix", cwd=tmp_path).stdout
    assert b"-RUN old \xf0\x9f\x90\xb3\r\n+RUN new \xf0\x9f\x90\xb3\r\n" in diff
    assert dfopt("fix", "--write", cwd=tmp_path).returncode == 0
    assert file.read_bytes() == expected


def test_bytes_stay_in_an_ascii_locale(tmp_path: Path) -> None:
    env = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": "ascii"}
    done = dfopt("fix", "-", cwd=tmp_path, stdin=ODD_BYTES, env=env)
    assert done.stdout == ODD_BYTES.replace(b"old", b"new")


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
@pytest.mark.parametrize("where", [".", "sub"], ids=["top", "subdirectory"])
def test_patch_is_for_git_apply(tmp_path: Path, where: str) -> None:
    names = ["Dockerfile", "with space/Dockerfile", 'quo"te.Dockerfile', "caf\u00e9.Dockerfile", "crlf.Dockerfile"]
    here = tmp_path / where
    (here / "with space").mkdir(parents=True)
    for name in names:
        (here / name).write_bytes(ODD_BYTES if name.startswith("crlf") else OLD)
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    done = dfopt("fix", "--patch", "fixes.patch", cwd=here)
    assert done.returncode == 1
    assert done.stdout == b""
    subprocess.run(["git", "apply", "fixes.patch"], cwd=here, check=True)
    for name in names:
        before = ODD_BYTES if name.startswith("crlf") else OLD
        assert (here / name).read_bytes() == before.replace(b"old", b"new"), name


def test_patch_of_nothing_replaces_an_old_one(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_bytes(NEW)
    (tmp_path / "p").write_bytes(b"stale")
    assert dfopt("fix", "--patch", "p", cwd=tmp_path).returncode == 0
    assert (tmp_path / "p").read_bytes() == b""
    assert sorted(path.name for path in tmp_path.iterdir()) == ["Dockerfile", "p"]


def test_patch_with_write(one: Path) -> None:
    assert dfopt("fix", "--patch", "p", "--write", cwd=one).returncode == 0
    assert (one / "p").read_bytes() == DIFF
    assert (one / "Dockerfile").read_bytes() == NEW


def test_absolute_names_are_shown_relative(one: Path) -> None:
    assert dfopt("fix", str(one / "Dockerfile"), cwd=one).stdout == DIFF
    assert dfopt("fix", str(one), cwd=one).stdout == DIFF


def test_absolute_names_elsewhere(one: Path) -> None:
    (one / "sub").mkdir()
    header = f"--- a{one}/Dockerfile\n".encode()
    assert dfopt("fix", str(one / "Dockerfile"), cwd=one / "sub").stdout.startswith(header)


class TestStandardInput:
    def test_result(self, tmp_path: Path) -> None:
        assert dfopt("fix", "-", cwd=tmp_path, stdin=OLD).stdout == NEW
        assert dfopt("fix", "-", cwd=tmp_path, stdin=NEW).stdout == NEW

    def test_unparsable_gives_nothing(self, tmp_path: Path) -> None:
        done = dfopt("fix", "-", cwd=tmp_path, stdin=b"FROM wrong\n")
        assert done.stdout == b""
        assert done.stderr.startswith(b"<stdin>:1:6: error: ")

    def test_name(self, tmp_path: Path) -> None:
        done = dfopt("fix", "-", "--diff", "--stdin-filename", "x/Dockerfile", cwd=tmp_path, stdin=OLD)
        assert done.stdout == DIFF.replace(b"/Dockerfile", b"/x/Dockerfile")
        assert dfopt("fix", "-", "--check", cwd=tmp_path, stdin=OLD).stdout == b"<stdin>\n"

    def test_configuration_is_that_of_the_name(self, tmp_path: Path) -> None:
        (tmp_path / "x").mkdir()
        (tmp_path / "x" / "dfopt.toml").write_bytes(b'ignore = ["apt-cleanup"]\n')
        assert dfopt("fix", "-", cwd=tmp_path, stdin=OLD).stdout == NEW
        done = dfopt("fix", "-", "--stdin-filename", "x/Dockerfile", cwd=tmp_path, stdin=OLD)
        assert done.stdout == OLD


class TestSelection:
    @pytest.mark.parametrize(
        ("args", "changed"),
        [
            pytest.param([], True, id="default"),
            pytest.param(["--select", "merge-run"], False, id="other-pass"),
            pytest.param(["--select", "merge-run,apt-cleanup"], True, id="list"),
            pytest.param(["--select", "merge-run", "--select", "apt-cleanup"], True, id="repeated"),
            pytest.param(["--select", "size"], True, id="group"),
            pytest.param(["--select", "dl3009"], True, id="code-any-case"),
            pytest.param(["--select", "all"], True, id="all"),
            pytest.param(["--ignore", "DL3009"], False, id="ignored-code"),
            pytest.param(["--select", "size", "--ignore", "apt-cleanup"], False, id="ignore-wins"),
        ],
    )
    def test_command_line(self, one: Path, args: list[str], changed: bool) -> None:
        assert dfopt("fix", *args, cwd=one).returncode == int(changed)

    @pytest.mark.parametrize(
        ("config", "args", "changed"),
        [
            pytest.param('select = ["merge-run"]', [], False, id="config-select"),
            pytest.param('select = ["merge-run"]', ["--select", "apt-cleanup"], True, id="select-replaces-select"),
            pytest.param('ignore = ["apt-cleanup"]', [], False, id="config-ignore"),
            pytest.param('ignore = ["apt-cleanup"]', ["--select", "size"], True, id="select-replaces-ignore"),
            pytest.param('ignore = ["apt-cleanup"]', ["--ignore", "merge-run"], False, id="ignore-adds"),
            pytest.param('ignore = ["apt-cleanup"]', ["--isolated"], True, id="isolated"),
            pytest.param("", ["--config", "other.toml"], False, id="other-file"),
            pytest.param('ignore = ["apt-cleanup"]', ["--config", "third.toml"], True, id="other-file-alone"),
        ],
    )
    def test_configuration(self, one: Path, config: str, args: list[str], changed: bool) -> None:
        (one / "dfopt.toml").write_text(config)
        (one / "other.toml").write_text('ignore = ["apt-cleanup"]')
        (one / "third.toml").write_text("")
        assert dfopt("fix", *args, cwd=one).returncode == int(changed)

    @pytest.mark.parametrize(
        ("word", "hint"),
        [("merge-rum", "merge-run"), ("DL3009x", "DL3009"), ("siz", "size")],
        ids=["name", "code", "group"],
    )
    def test_unknown_words_get_a_suggestion(self, one: Path, word: str, hint: str) -> None:
        done = dfopt("fix", "--select", word, cwd=one)
        assert f'--select: unknown pass, group or code "{word}"; did you mean "{hint}"?' in done.stderr.decode()


class TestRefusals:
    def test_are_counted(self, tmp_path: Path) -> None:
        (tmp_path / "Dockerfile").write_bytes(b"FROM a\nRUN never\nRUN odd\nRUN risky\n")
        found = b"1 more fix with --unsafe; 1 suggestion (dfopt check); 1 refusal"
        done = dfopt("fix", "--select", "all", cwd=tmp_path)
        assert done.stderr == b"dfopt: 0 of 1 file would change; " + found + b" (--show-refusals lists them)\n"
        done = dfopt("fix", "--show-refusals", cwd=tmp_path)
        assert done.stderr.endswith(b"dfopt: 0 of 1 file would change; " + found + b"\n")

    def test_are_not_looked_for_unasked(self, tmp_path: Path) -> None:
        (tmp_path / "Dockerfile").write_bytes(b"FROM a\nRUN never\nRUN odd\nRUN risky\n")
        said = b"dfopt: 0 of 1 file would change; dfopt check lists what else there is\n"
        assert dfopt("fix", cwd=tmp_path).stderr == said
        done = dfopt("fix", "--output-format", "json", cwd=tmp_path)
        assert json.loads(done.stdout)["totals"] == {"files": 1, "errors": 0, "changed": 0, "fixes": 0}

    def test_are_listed(self, tmp_path: Path) -> None:
        (tmp_path / "Dockerfile").write_bytes(b"FROM a\nRUN never\n")
        done = dfopt("fix", "--show-refusals", cwd=tmp_path)
        assert done.stdout == b""
        assert done.stderr.startswith(b"Dockerfile:2:1: merge-run[refused] joins two: the shell is not known\n")


class TestReports:
    def test_json(self, one: Path) -> None:
        found = json.loads(dfopt("fix", "--output-format", "json", cwd=one).stdout)
        (file,) = found["files"]
        assert (file["changed"], file["written"]) == (True, False)
        assert [item["kind"] for item in file["findings"]] == ["fix"]
        assert found["totals"]["changed"] == 1

    def test_written(self, one: Path) -> None:
        found = json.loads(dfopt("fix", "--write", "--output-format", "json", cwd=one).stdout)
        assert found["files"][0]["written"] is True
        assert (one / "Dockerfile").read_bytes() == NEW

    def test_concise_lists_fixes_alone(self, tmp_path: Path) -> None:
        (tmp_path / "Dockerfile").write_bytes(b"FROM a\nRUN old\nRUN risky\nRUN odd\nRUN never\n")
        done = dfopt("fix", "--output-format", "concise", cwd=tmp_path)
        assert done.stdout == b"Dockerfile:2:1: apt-cleanup[safe] old is new (about 20.0 MB less)\n"

    def test_the_format_of_the_configuration_is_for_check(self, one: Path) -> None:
        (one / "dfopt.toml").write_bytes(b'output-format = "json"\n')
        assert dfopt("fix", cwd=one).stdout == DIFF
        assert json.loads(dfopt("check", cwd=one).stdout)["version"] == 1
        assert dfopt("check", "--output-format", "concise", cwd=one).stdout.startswith(b"Dockerfile:2:1: ")


class TestColor:
    def test_diff(self, one: Path) -> None:
        done = dfopt("fix", "--color", "always", cwd=one)
        assert b"\x1b[31m-RUN old\x1b[0m\n\x1b[32m+RUN new\x1b[0m\n" in done.stdout
        import re

        assert re.sub(rb"\x1b\[[0-9]*m", b"", done.stdout) == DIFF

    def test_patch_has_none(self, one: Path) -> None:
        dfopt("fix", "--color", "always", "--patch", "p", cwd=one)
        assert (one / "p").read_bytes() == DIFF

    @pytest.mark.parametrize(
        ("args", "env", "colored"),
        [
            ([], {}, False),
            ([], {"FORCE_COLOR": "1"}, True),
            ([], {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
            (["--color", "never"], {"FORCE_COLOR": "1"}, False),
            (["--color", "always"], {"NO_COLOR": "1"}, True),
        ],
        ids=["pipe", "forced", "no-wins", "never", "always"],
    )
    def test_when(self, one: Path, args: list[str], env: dict[str, str], colored: bool) -> None:
        assert (b"\x1b[" in dfopt("fix", *args, cwd=one, env=env).stdout) is colored


def test_the_real_optimizer(tmp_path: Path) -> None:
    file = tmp_path / "Dockerfile"
    file.write_bytes(b"FROM debian:12\r\nRUN apt-get update && apt-get install -y curl\r\n")
    fixed = b"FROM debian:12\r\nRUN apt-get update && apt-get install -y curl && rm -rf /var/lib/apt/lists/*\r\n"
    only = ("--select", "apt-cleanup")
    assert dfopt("fix", *only, "-", cwd=tmp_path, stdin=file.read_bytes(), driven=False).stdout == fixed
    assert dfopt("fix", *only, "--write", cwd=tmp_path, driven=False).returncode == 0
    assert file.read_bytes() == fixed
    assert dfopt("fix", *only, cwd=tmp_path, driven=False).returncode == 0


PIP = "FROM python:3.13-slim\nRUN pip install flask\n"
MOUNTED = b"+RUN --mount=type=cache,target=/root/.cache/pip pip install flask\n"
CLEANED = b"+RUN pip install --no-cache-dir flask\n"


def fixed(directory: Path, *options: str, command: str = "fix") -> bytes:
    return dfopt(command, "--package-cache=mount", *options, cwd=directory, driven=False).stdout


@pytest.mark.parametrize("passes", [(), ("--select", "cache,size"), ("--recipe", "small")])
def test_package_cache(tmp_path: Path, passes: tuple[str, ...]) -> None:
    (tmp_path / "Dockerfile").write_text(PIP)
    assert MOUNTED in fixed(tmp_path, "--buildkit", *passes)
    assert MOUNTED not in fixed(tmp_path, *passes)  # nothing shows that BuildKit reads the file
    (tmp_path / "dfopt.toml").write_text('package-cache = "clean"\nengine = "buildkit"\n')
    assert MOUNTED in fixed(tmp_path, *passes)
    assert MOUNTED not in fixed(tmp_path, "--no-buildkit", *passes)
    assert CLEANED in fixed(tmp_path, "--package-cache=clean", *passes)


def test_package_cache_is_part_of_what_is_known(tmp_path: Path) -> None:
    """The cache of results keeps the two apart, in many processes too."""
    for number in range(8):
        (tmp_path / f"{number}.Dockerfile").write_text(PIP)
    assert fixed(tmp_path, "--package-cache=clean", "--jobs=2").count(CLEANED) == 8
    assert fixed(tmp_path, "--buildkit", "--jobs=2").count(MOUNTED) == 8
    assert b"cache-mounts[safe]" in fixed(tmp_path, "--buildkit", "--output-format=concise", command="check")


def test_package_cache_has_two_values(tmp_path: Path) -> None:
    done = dfopt("fix", "--package-cache=both", cwd=tmp_path)
    assert done.returncode == 2
    assert b"clean" in done.stderr
