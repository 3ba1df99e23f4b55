"""`dfopt init` and `dfopt config import`: what they write, what they leave alone, and what they say of bad input."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cli.running import dfopt
from dfopt.knowledge import load_toml
from dfopt.workspace.config import load

HADOLINT = """\
ignored: [DL3008, dl3009]
override:
  error: [DL3002]
  style:
    - DL3057
trustedRegistries:
  - docker.io
  - "*.example.org"
failure-threshold: warning
format: sarif
strict-labels: true
"""
DOCKERFILE = "FROM debian\nRUN apt-get update && apt-get install -y curl\n"


def everything(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


class TestConfigImport:
    def test_all_keys(self, tmp_path: Path) -> None:
        (tmp_path / ".hadolint.yaml").write_text(HADOLINT)
        done = dfopt("config", "import", cwd=tmp_path, driven=False)
        assert (done.returncode, done.stdout) == (0, b"")
        assert done.stderr.decode().splitlines() == [
            "wrote dfopt.toml, from .hadolint.yaml",
            "ignored: DL3008: dfopt does not report it",
            "ignored: DL3009: turns off apt-cleanup",
            'failure-threshold: warning: fail-on = "unsafe" goes by what a fix changes',
            "override.error: DL3002: dfopt has no severities of rules",
            "override.style: DL3057: dfopt has no severities of rules",
            "strict-labels: dfopt has nothing like it",
        ]
        assert load_toml((tmp_path / "dfopt.toml").read_bytes()) == {
            "ignore": ["DL3009"],
            "fail-on": "unsafe",
            "output-format": "sarif",
            "passes": {"trusted-registry": {"registries": ["docker.io", "*.example.org"]}},
        }
        config = load(str(tmp_path / "dfopt.toml"))
        assert config is not None
        assert list(config.get("ignore")) == ["DL3009"]

    def test_trusted_registries_are_in_force(self, tmp_path: Path) -> None:
        (tmp_path / "lint.yml").write_text("trustedRegistries: [docker.io]\n")
        (tmp_path / "Dockerfile").write_text("FROM quay.io/team/base:1\n")
        assert dfopt("config", "import", "lint.yml", cwd=tmp_path, driven=False).returncode == 0
        done = dfopt("check", "--select", "DL3026", cwd=tmp_path, driven=False)
        assert b"quay.io/team/base:1 comes from quay.io" in done.stdout

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("", {}),
            ("# nothing\n", {}),
            ("ignored: []\n", {}),
            ("no-fail: true\nfailure-threshold: error\n", {"fail-on": "never"}),
            ("failure-threshold: none\n", {"fail-on": "never"}),
            ("failure-threshold: style\n", {"fail-on": "suggestion"}),
            ("format: gitlab_codeclimate\n", {"output-format": "gitlab"}),
            ("format: codacy\n", {}),
            ('trustedRegistries: ["a\\"b\\u007f"]\n', {"passes": {"trusted-registry": {"registries": ['a"b\x7f']}}}),
        ],
    )
    def test_values(self, tmp_path: Path, text: str, expected: dict[str, object]) -> None:
        (tmp_path / ".hadolint.yml").write_text(text)
        done = dfopt("config", "import", "--output", "-", cwd=tmp_path, driven=False)
        assert done.returncode == 0
        assert load_toml(done.stdout) == expected
        assert list(everything(tmp_path)) == [".hadolint.yml"]

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("ignored: DL3008\n", ".hadolint.yaml:1:10: ignored must be a list"),
            ("ignored:\n  - [DL3008]\n", ".hadolint.yaml:2:5: an item of ignored must be a string"),
            ("ignore: [DL3008]\n", '.hadolint.yaml:1:1: unknown key "ignore"; did you mean "ignored"?'),
            ("override: [x]\n", ".hadolint.yaml:1:11: override must be a mapping"),
            ("override:\n  eror: []\n", '.hadolint.yaml:2:3: unknown severity "eror"; did you mean "error"?'),
            ("failure-threshold: high\n", '.hadolint.yaml:1:20: "high" is none of error, warning, info, style, '),
            ("- a\n", ".hadolint.yaml:1:1: the file must be a mapping"),
            ("? [a]\n: b\n", ".hadolint.yaml:1:3: a key must be a string"),
            ("a: [\n", ".hadolint.yaml:2:1: not YAML: "),
            ("a: b\n---\na: b\n", ".hadolint.yaml:2:1: not YAML: "),
            ("ignored: " + "[" * 20000, ".hadolint.yaml:1:74: not YAML: nested too deeply"),
        ],
    )
    def test_bad_input(self, tmp_path: Path, text: str, message: str) -> None:
        (tmp_path / ".hadolint.yaml").write_text(text)
        done = dfopt("config", "import", cwd=tmp_path, driven=False)
        assert done.returncode == 2
        assert done.stderr.decode().startswith(f"dfopt: error: {message}")
        assert done.stderr.count(b"\n") == 1
        assert list(everything(tmp_path)) == [".hadolint.yaml"]

    def test_not_utf_8(self, tmp_path: Path) -> None:
        (tmp_path / ".hadolint.yaml").write_bytes(b"ignored: [\xff]\n")
        done = dfopt("config", "import", cwd=tmp_path, driven=False)
        assert (done.returncode, done.stderr) == (2, b"dfopt: error: .hadolint.yaml: not UTF-8\n")

    @pytest.mark.parametrize(
        "text", ["ignored: [" + "x, " * 90000 + "x]\n", "a: &a [x]\nb: [*a, *a]\n", "a: !!python/x y\n"]
    )
    def test_hostile_files(self, tmp_path: Path, text: str) -> None:
        """Too large, aliases, tags: one line, and nothing written."""
        (tmp_path / ".hadolint.yaml").write_text(text)
        done = dfopt("config", "import", cwd=tmp_path, driven=False)
        assert (done.returncode, done.stderr.count(b"\n")) == (2, 1)
        assert list(everything(tmp_path)) == [".hadolint.yaml"]

    def test_nothing_is_overwritten(self, tmp_path: Path) -> None:
        (tmp_path / ".hadolint.yaml").write_text(HADOLINT)
        (tmp_path / "dfopt.toml").write_text("level = 2\n")
        before = everything(tmp_path)
        done = dfopt("config", "import", cwd=tmp_path, driven=False)
        assert (done.returncode, done.stderr) == (
            2, b"dfopt: error: dfopt.toml is there already; --force overwrites it\n"
        )  # fmt: skip
        assert everything(tmp_path) == before
        assert dfopt("config", "import", "--force", cwd=tmp_path, driven=False).returncode == 0
        assert b"ignore = " in (tmp_path / "dfopt.toml").read_bytes()

    def test_a_link_is_not_followed(self, tmp_path: Path) -> None:
        (tmp_path / ".hadolint.yaml").write_text(HADOLINT)
        (tmp_path / "target").write_text("precious")
        (tmp_path / "dfopt.toml").symlink_to("target")
        done = dfopt("config", "import", "--force", cwd=tmp_path, driven=False)
        assert (done.returncode, done.stderr.decode().strip()) == (
            2, "dfopt: error: dfopt.toml: it is a symbolic link"
        )  # fmt: skip
        assert (tmp_path / "target").read_text() == "precious"

    def test_no_file(self, tmp_path: Path) -> None:
        done = dfopt("config", "import", cwd=tmp_path, driven=False)
        assert (done.returncode, done.stderr.decode().strip()) == (
            2, "dfopt: error: no .hadolint.yaml or .hadolint.yml here: name the file"
        )  # fmt: skip
        done = dfopt("config", "import", "nowhere.yaml", cwd=tmp_path, driven=False)
        assert done.returncode == 2
        assert b"nowhere.yaml: No such file or directory" in done.stderr


class TestInit:
    def test_writes_two_files(self, tmp_path: Path) -> None:
        (tmp_path / "web").mkdir()
        (tmp_path / "web" / "Dockerfile").write_text(DOCKERFILE)
        before = everything(tmp_path)
        done = dfopt("init", cwd=tmp_path, driven=False)
        assert done.returncode == 0
        written = everything(tmp_path)
        assert {name for name in written if name not in before} == {"dfopt.toml", "dfopt-baseline.json"}
        assert {name: written[name] for name in before} == before
        assert load_toml(written["dfopt.toml"]) == {}
        baseline = json.loads(written["dfopt-baseline.json"])
        assert baseline["files"]["web/Dockerfile"]["apt-cleanup"] == 1
        shown = done.stdout.decode()
        assert shown.startswith("1 Dockerfile in .\nwrote dfopt.toml\n")
        assert "      1  apt-cleanup\n" in shown
        again = dfopt("check", "--baseline", "dfopt-baseline.json", cwd=tmp_path, driven=False)
        assert (again.returncode, again.stdout) == (0, b"")

    def test_the_suggested_settings_are_settings(self, tmp_path: Path) -> None:
        (tmp_path / "Dockerfile").write_text(DOCKERFILE)
        dfopt("init", cwd=tmp_path, driven=False)
        text = (tmp_path / "dfopt.toml").read_text()
        lines = [line.removeprefix("# ") for line in text.splitlines() if line.startswith("# ") and " = " in line]
        assert len(lines) == 5
        (tmp_path / "dfopt.toml").write_text("\n".join(lines) + "\n")
        config = load(str(tmp_path / "dfopt.toml"))
        assert config is not None
        assert len(config.settings) == 5

    def test_takes_over_hadolint(self, tmp_path: Path) -> None:
        (tmp_path / "Dockerfile").write_text(DOCKERFILE)
        (tmp_path / ".hadolint.yaml").write_text("ignored: [DL3009]\n")
        done = dfopt("init", cwd=tmp_path, driven=False)
        assert b"wrote dfopt.toml, from .hadolint.yaml\n  ignored: DL3009: turns off apt-cleanup\n" in done.stdout
        assert load_toml((tmp_path / "dfopt.toml").read_bytes()) == {"ignore": ["DL3009"]}
        assert "apt-cleanup" not in (tmp_path / "dfopt-baseline.json").read_text()

    @pytest.mark.parametrize(
        ("name", "text"),
        [("dfopt.toml", ""), ("dfopt-baseline.json", "x"), (".dfopt.toml", ""), ("pyproject.toml", "[tool.dfopt]\n")],
    )
    def test_nothing_is_overwritten(self, tmp_path: Path, name: str, text: str) -> None:
        (tmp_path / "Dockerfile").write_text(DOCKERFILE)
        (tmp_path / name).write_text(text)
        before = everything(tmp_path)
        done = dfopt("init", cwd=tmp_path, driven=False)
        assert done.returncode == 2
        assert done.stderr.decode().startswith(f"dfopt: error: {name} ")
        assert everything(tmp_path) == before
        assert dfopt("init", "--force", cwd=tmp_path, driven=False).returncode == 0
        assert json.loads((tmp_path / "dfopt-baseline.json").read_text())["files"]

    def test_no_dockerfiles(self, tmp_path: Path) -> None:
        done = dfopt("init", cwd=tmp_path, driven=False)
        assert done.returncode == 0
        assert b"no Dockerfiles found" in done.stderr
        assert everything(tmp_path) == {}

    def test_a_file_that_is_none(self, tmp_path: Path) -> None:
        """The rest of the run is carried on, and the exit status says so."""
        (tmp_path / "Dockerfile").write_text(DOCKERFILE)
        (tmp_path / "Dockerfile.bad").write_text("FROM debian\nNOTHING\n")
        done = dfopt("init", cwd=tmp_path, driven=False)
        assert done.returncode == 2
        assert b"Dockerfile.bad:2:1: error: unknown instruction: NOTHING" in done.stderr
        assert "Dockerfile" in json.loads((tmp_path / "dfopt-baseline.json").read_text())["files"]

    def test_no_directory(self, tmp_path: Path) -> None:
        done = dfopt("init", "nowhere", cwd=tmp_path, driven=False)
        assert (done.returncode, done.stderr) == (2, b"dfopt: error: nowhere: no such directory\n")
