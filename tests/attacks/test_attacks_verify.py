"""What a repository brings along never widens what `--verify` builds: its context, its ignore file, its engine.

The engine is a stand-in in PATH. It notes each command line, its environment and what a build could read, and hands
over an image, so that files are really verified: built before and after, compared, and written.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from cli.running import dfopt
from engine.fake import Fake
from realbuild.synthetic import archive, entry

SECRET = "TOP-SECRET-KEY"
# with a fix to be proved: without one nothing is built
DOCKERFILE = "FROM debian:13\nRUN apt-get update && apt-get install -y curl\nCOPY {source} /k\n"
FIX = "rm -rf /var/lib/apt/lists"
BAKE = """target "default" {{
  context = "{0}"
  dockerfile = "{1}"
  contexts = {{ more = "{2}" }}
  secret = ["id=s,src={2}/key"]
  network = "host"
  ssh = ["default"]
}}
"""
COMPOSE = """services:
  a:
    build:
      context: {0}
      dockerfile: {1}
      additional_contexts: {{more: {2}}}
      network: host
      privileged: true
      entitlements: [security.insecure, network.host]
      extra_hosts: ["registry.example=127.0.0.1"]
      secrets: [s]
      ssh: [default]
secrets:
  s: {{file: {2}/key}}
"""
WORKFLOW = """on: push
jobs:
  a:
    runs-on: x
    steps:
      - run: docker build -f Dockerfile ..
      - uses: docker/build-push-action@v6
        with: {context: .., file: Dockerfile, allow: network.host}
"""


class Home:
    """`path` is a home directory with a secret, `repository` a checkout in it."""

    def __init__(self, folder: Path, is_git: bool) -> None:
        self.path = folder / "home"
        self.repository = self.path / "repository"
        self.repository.mkdir(parents=True)
        (self.path / "key").write_text(SECRET)
        (self.path / "other").mkdir()
        (self.path / "other" / "key").write_text(SECRET)
        if is_git:
            (self.repository / ".git").mkdir()
        self.engine = Fake(folder / "fake", "docker", "podman", "buildah")
        self.engine.answer("buildx", "inspect", out="Name: default\nDriver: docker\n")
        self.engine.answer("image", "inspect", out="{}")
        image = archive(folder / "image.tar", [entry("k", b"1")], config={"config": {"Cmd": ["sh"]}})
        self.engine.answer("save", archive=str(image))
        (folder / "tmp").mkdir()
        self.environment = {
            "PATH": f"{self.engine.path}{os.pathsep}{os.environ['PATH']}", "HOME": str(self.path),
            "TMPDIR": str(folder / "tmp"), "DOCKER_HOST": "tcp://127.0.0.1:1",
        }  # fmt: skip

    def write(self, path: str, text: str) -> None:
        file = self.repository / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def write_all(self, files: dict[str, str]) -> None:
        for path, text in files.items():
            if text.startswith("-> "):
                (self.repository / path).symlink_to(text[3:])
            else:
                self.write(path, text.replace("@HOME", str(self.path)) + "\n")

    def verify(self, *words: str) -> tuple[int, str]:
        done = dfopt("fix", "--verify", "--write", *words, cwd=self.repository, driven=False, env=self.environment)
        return done.returncode, done.stderr.decode()

    def contexts(self) -> set[str]:
        """The build contexts so far, links resolved; the command lines must name nothing else to read or to ask."""
        found: set[str] = set()
        for call in self.engine.calls("build", "buildx"):
            *options, context = call
            assert os.path.isabs(context), call  # else it may be an option, or the address of a remote repository
            assert not {"--secret", "--ssh", "--build-context", "--builder", "--allow", "--add-host", "--network"} & {
                option.partition("=")[0] for option in options
            }
            found.add(os.path.realpath(context))
        return found


@pytest.fixture(params=["git", "no-git"])
def home(tmp_path: Path, request: pytest.FixtureRequest) -> Home:
    return Home(tmp_path, request.param == "git")


def test_a_file_is_built_before_and_after_in_the_repository(home: Home) -> None:
    """That the stand-in is enough for a fix to be proved: otherwise the tests below would hold for nothing."""
    home.write("Dockerfile", DOCKERFILE.format(source="here"))
    home.write("here", "x")
    status, errors = home.verify("Dockerfile")
    assert (status, "fixes hold" in errors) == (0, True), errors
    assert len(home.engine.calls("buildx", "build")) > 1
    assert home.contexts() == {str(home.repository)}
    assert FIX in (home.repository / "Dockerfile").read_text()


# path in the repository -> text; "-> PATH" is a link; @HOME is the home directory
SETTINGS: dict[str, dict[str, str]] = {
    "context": {"dfopt.toml": 'context = ".."'},
    "context-absolute": {"dfopt.toml": 'context = "@HOME"'},
    "context-hidden": {".dfopt.toml": 'context = "./a/../.."'},
    "context-pyproject": {"pyproject.toml": '[tool.dfopt]\ncontext = ".."'},
    "context-link": {"dfopt.toml": 'context = "up"', "up": "-> .."},
    "context-below": {"svc/dfopt.toml": 'context = "../.."'},
    "extend": {"dfopt.toml": 'extend = "../more.toml"', "../more.toml": 'context = "@HOME"'},
    "host": {"dfopt.toml": 'host = "tcp://198.51.100.1:2375"'},
    "helper": {"dfopt.toml": 'credential-helper = "./run"'},
    "builder": {"dfopt.toml": 'builder = "tcp://198.51.100.1:1234"'},
    "engine": {"dfopt.toml": 'engine = "./run"'},
    "smoke": {"dfopt.toml": 'smoke-script = "./run"'},
}


@pytest.mark.parametrize("case", SETTINGS)
def test_settings_are_refused_before_anything_is_built(home: Home, case: str) -> None:
    path = "svc/Dockerfile" if case == "context-below" else "Dockerfile"
    home.write(path, DOCKERFILE.format(source="key"))
    home.write("run", "#!/bin/sh\ntouch ran\n")
    (home.repository / "run").chmod(0o755)
    home.write_all(SETTINGS[case])
    for words in ((path,), (".",)):
        status, errors = home.verify(*words)
        assert status == 2
        assert ".toml" in errors
        assert SECRET not in errors
    assert not home.engine.calls("buildx", "build")
    assert not (home.repository / "ran").exists()
    assert FIX not in (home.repository / path).read_text()


DEFINITIONS: dict[str, dict[str, str]] = {
    "compose": {"compose.yaml": COMPOSE.format("..", "repository/Dockerfile", "..")},
    "compose-absolute": {"compose.yaml": COMPOSE.format("@HOME", "@HOME/repository/Dockerfile", "@HOME")},
    "compose-link": {"compose.yaml": COMPOSE.format("up", "../Dockerfile", "up"), "up": "-> .."},
    "compose-remote": {"compose.yaml": COMPOSE.format("https://example.org/a.git", "Dockerfile", "docker-image://a")},
    "compose-include": {
        "compose.yaml": "include: [../more.yaml]",
        "../more.yaml": COMPOSE.format(".", "repository/Dockerfile", "."),
    },
    "bake": {"docker-bake.hcl": BAKE.format("..", "repository/Dockerfile", "..")},
    "bake-absolute": {"docker-bake.hcl": BAKE.format("@HOME", "@HOME/repository/Dockerfile", "@HOME")},
    "workflow": {".github/workflows/a.yaml": WORKFLOW},
    "devcontainer": {
        ".devcontainer/devcontainer.json": '{"build": {"dockerfile": "../Dockerfile", "context": "../.."}}'
    },
    "script": {"build.sh": "docker build --secret id=s,src=../key -f Dockerfile .."},
}


@pytest.mark.parametrize("case", DEFINITIONS)
def test_definitions_lead_nowhere_outside(home: Home, case: str) -> None:
    home.write("Dockerfile", DOCKERFILE.format(source="key"))
    home.write_all(DEFINITIONS[case])
    names = [str(path.relative_to(home.repository)) for path in home.repository.rglob("*") if path.is_file()]
    for words in (("Dockerfile",), (".",), tuple(names)):
        _, errors = home.verify(*words)
        assert SECRET not in errors
    assert home.contexts() == {str(home.repository)}


@pytest.mark.parametrize("name", ["github.com", "https:", "git@github.com:a", "--secret=id=s,src=..", "-"])
def test_no_directory_is_taken_for_an_address_or_an_option(home: Home, name: str) -> None:
    home.write(f"{name}/a/Dockerfile", DOCKERFILE.format(source="here"))
    home.write(f"{name}/a/here", "x")
    assert home.verify(".")[0] == 0
    assert home.contexts() == {str(home.repository / name / "a")}
    home.write(f"{name}/a/Dockerfile", DOCKERFILE.format(source="nothing-there"))
    assert home.verify(".")[0] == 0
    assert home.contexts() == {str(home.repository / name / "a")}


def test_ignore_files_that_are_links_are_not_handed_over(home: Home) -> None:
    home.write("Dockerfile", DOCKERFILE.format(source="here"))
    home.write("here", "x")
    (home.repository / "Dockerfile.dockerignore").symlink_to("../key")
    home.verify("Dockerfile")
    assert SECRET not in home.engine.read()


@pytest.mark.parametrize("way", ["file", "file-absolute", "directory", "directory-absolute"])
def test_what_is_touched_for_a_rebuild_is_no_link(home: Home, way: str) -> None:
    """Its content would be copied into a build context, and the copy of the link followed."""
    home.write("Dockerfile", DOCKERFILE.format(source="src"))
    target = home.path / "other" if way.endswith("absolute") else Path("..", "other")
    if way.startswith("file"):
        (home.repository / "src").mkdir()
        (home.repository / "src" / "key").symlink_to(
            home.path / "other/key" if target.is_absolute() else "../../other/key"
        )
    else:
        (home.repository / "src").symlink_to(target)
    _, errors = home.verify("--touch", "src/key", "Dockerfile")
    assert "--touch" in errors
    assert SECRET not in home.engine.read()
    assert (home.path / "other" / "key").read_text() == SECRET


def test_a_dockerfile_that_is_a_link_out_of_the_repository_is_not_built(home: Home) -> None:
    (home.path / "other" / "Dockerfile").write_text(DOCKERFILE.format(source="key"))
    (home.repository / "Dockerfile").symlink_to("../other/Dockerfile")
    (home.repository / "svc").symlink_to("../other")
    home.verify(".")
    assert str(home.path / "other") not in home.contexts()


def test_the_engine_is_asked_as_the_user_said(home: Home) -> None:
    home.write("Dockerfile", DOCKERFILE.format(source="here"))
    home.write("here", "x")
    home.write(".env", "DOCKER_HOST=tcp://198.51.100.1:2375\nBUILDX_BUILDER=x\n")
    home.write(".docker/config.json", '{"credsStore": "x", "currentContext": "x"}')
    home.write("docker", "#!/bin/sh\ntouch ran\n")
    (home.repository / "docker").chmod(0o755)
    home.verify("Dockerfile")
    assert not (home.repository / "ran").exists()
    environments = home.engine.environments()
    assert environments
    for environment in environments:
        assert environment["DOCKER_HOST"] == "tcp://127.0.0.1:1"
        assert {"DOCKER_CONFIG", "DOCKER_CONTEXT", "BUILDX_BUILDER", "BUILDX_CONFIG"}.isdisjoint(environment)
