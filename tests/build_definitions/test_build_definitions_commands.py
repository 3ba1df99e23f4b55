"""Commands that build: in shell scripts, Makefiles and CI definitions; Dev Containers and Skaffold."""

from __future__ import annotations

from pathlib import Path

import pytest

from dfopt.build_definitions.formats import format_of, read_definition
from dfopt.build_definitions.model import BuildTarget, DefinitionError, NotLiteral
from dfopt.workspace.definitions import DefinitionFiles


def targets(tmp_path: Path, name: str, text: str, *files: str) -> list[BuildTarget]:
    for file in files:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text("FROM debian\n")
    format = format_of(str(tmp_path / name))
    assert format is not None
    root = str(tmp_path)
    return read_definition(format, text, str(tmp_path / name), DefinitionFiles(root), root)


def places(tmp_path: Path, found: list[BuildTarget]) -> list[tuple[str, str]]:
    """Context and Dockerfile of each target, relative; the reason where they are not known."""

    def shown(value: str | NotLiteral | None) -> str:
        if isinstance(value, NotLiteral):
            return f"? {value.reason}"
        return str(value).removeprefix(f"{tmp_path}/").replace(str(tmp_path), ".")

    return [(shown(target.context), shown(target.dockerfile)) for target in found]


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        pytest.param("docker build .", (".", "Dockerfile"), id="docker"),
        pytest.param("docker build -f deploy/x.build .", (".", "deploy/x.build"), id="file"),
        pytest.param("sudo docker image build --file=x.build app", ("app", "x.build"), id="sudo and equals"),
        pytest.param("docker buildx build --platform linux/amd64 --push -qt a:1 app", ("app", "app/Dockerfile"),
                     id="bundle"),
        pytest.param("docker build --no-cache -t a:1 -fx.build app", ("app", "x.build"), id="joined"),
        pytest.param("podman build pod", ("pod", "pod/Containerfile"), id="containerfile"),
        pytest.param("buildah bud -f x.build", (".", "x.build"), id="buildah without a context"),
        pytest.param("nerdctl build 'app'", ("app", "app/Dockerfile"), id="quoted"),
        pytest.param("cd app && docker build .", ("app", "app/Dockerfile"), id="cd"),
        pytest.param("docker build https://example.org/x.git", ("https://example.org/x.git", "Dockerfile"), id="URL"),
        pytest.param("docker build - < x", ("? it comes from standard input",) * 2, id="stdin"),
        pytest.param("docker build -f 'x\0' .", (".", "x\0"), id="NUL"),
        pytest.param("docker build", ("? no context is named",) * 2, id="no context"),
        pytest.param('docker build "$D"', ('? "$D" is not literal',) * 2, id="variable"),
        pytest.param("docker build $OPTIONS .", (".", "? $OPTIONS is not literal"), id="any options"),
        pytest.param("docker build --new thing .", ("? the option --new is not known",) * 2, id="unknown option"),
        pytest.param("cd $D && docker build .", ("? $D is not literal",) * 2, id="cd to a variable"),
        pytest.param("if x; then cd app; fi; docker build .", ("? which directory it is run in is not known",) * 2,
                     id="cd that may be"),
    ],
)  # fmt: skip
def test_commands(tmp_path: Path, command: str, expected: tuple[str, str]) -> None:
    found = targets(tmp_path, "build.sh", f"#!/bin/sh\nset -e\n{command}\n", "pod/Containerfile")
    assert places(tmp_path, found) == [expected]
    assert found[0].line == 3


@pytest.mark.parametrize("command", ["docker run x", "docker buildx bake", "echo docker build .", "docker", "(docker"])
def test_commands_that_build_nothing(tmp_path: Path, command: str) -> None:
    assert targets(tmp_path, "build.sh", command) == []


def test_the_values_of_a_command(tmp_path: Path) -> None:
    text = 'docker build --build-arg A=1 --build-arg B --build-arg "C=$C" -t a -t "b:$V" .'
    text += " --target t --build-context x=y"
    (target,) = targets(tmp_path, "build.sh", text)
    assert target.args == {"A": "1", "B": None, "C": NotLiteral('"C=$C" is not literal')}
    assert target.target == "t"
    assert target.contexts == {"x": str(tmp_path / "y")}
    assert target.tags == ("a", NotLiteral('"b:$V" is not literal'))


def test_a_script_is_run_where_its_files_are(tmp_path: Path) -> None:
    text = "docker build -f x.build ."
    assert places(tmp_path, targets(tmp_path, "ci/a.sh", text, "ci/x.build")) == [("ci", "ci/x.build")]
    (tmp_path / "ci/x.build").unlink()
    assert places(tmp_path, targets(tmp_path, "ci/a.sh", text, "x.build")) == [(".", "x.build")]
    both = targets(tmp_path, "ci/a.sh", text, "ci/x.build")
    assert places(tmp_path, both) == [("? which directory it is run in is not known",) * 2]
    own = targets(tmp_path, "ci/a.sh", f'cd "$(dirname "${{BASH_SOURCE[0]}}")/.."\n{text}')
    assert places(tmp_path, own) == [(".", "x.build")]


def test_makefiles(tmp_path: Path) -> None:
    text = """IMAGE := org/app
TAG ?= 1 # a default
CHANGED = a
CHANGED = b
all: image
image:
\t@echo docker build
\t@docker build -t $(IMAGE):$(TAG) \\
\t  --build-arg SHA=$(shell git rev-parse $(X)) \\
\t  -f deploy/app.build .
\t-cd app; docker build --target $(CHANGED) .
\tdocker build -t $$HOME $(DIR)
"""
    found = targets(tmp_path, "Makefile", text)
    assert places(tmp_path, found) == [
        (".", "deploy/app.build"), ("app", "app/Dockerfile"), ("? ${DIR} is not literal",) * 2,
    ]  # fmt: skip
    assert [(target.name, target.line) for target in found] == [("image", 8), ("image", 11), ("image", 12)]
    assert found[0].tags == ("org/app:1",)
    assert found[0].args == {"SHA": NotLiteral("SHA=${MAKE_FUNCTION} is not literal")}
    assert found[1].target == NotLiteral("${CHANGED} is not literal")


def test_github_workflows(tmp_path: Path) -> None:
    text = """
jobs:
  image:
    steps:
      - uses: actions/checkout@v4
      - uses: docker/build-push-action@v6
        with:
          context: "{{defaultContext}}:app"
          file: deploy/x.build
          target: prod
          tags: |
            org/app:1,org/app:latest
            org/app:${{ github.sha }}
          build-args: |
            A=1
            B=${{ inputs.b }}
          platforms: linux/amd64,linux/arm64
      - uses: docker/build-push-action@v6
      - run: |
          cd ${{ github.workspace }}/tools
          docker build .
          docker build ${{ matrix.dir }}
      - run: docker build .
        working-directory: sub
      - uses: actions/checkout@v4
        with: {path: other}
      - uses: docker/build-push-action@v6
"""
    found = targets(tmp_path, ".github/workflows/ci.yml", text)
    elsewhere = "? the job checks out another directory or repository"
    assert places(tmp_path, found) == [
        ("app", "deploy/x.build"), (".", "Dockerfile"), ("tools", "tools/Dockerfile"),
        ("? ${GITHUB_EXPRESSION} is not literal",) * 2, ("sub", "sub/Dockerfile"), (elsewhere, elsewhere),
    ]  # fmt: skip
    assert [target.line for target in found] == [6, 18, 21, 22, 23, 27]
    first = found[0]
    assert first.args == {"A": "1", "B": NotLiteral("${{ inputs.b }} is not literal")}
    assert first.target == "prod"
    assert first.platforms == ("linux/amd64", "linux/arm64")
    assert first.tags == ("org/app:1", "org/app:latest", NotLiteral("${{ github.sha }} is not literal"))


def test_gitlab_jobs(tmp_path: Path) -> None:
    text = """
variables: {X: docker build}
image:
  script: docker build .
build:
  before_script:
    - cd app
  script:
    - |
      true
      docker build -t x .
kaniko:
  script:
    - /kaniko/executor --context $CI_PROJECT_DIR/app --dockerfile k.build --destination org/x:1
"""
    found = targets(tmp_path, ".gitlab-ci.yml", text)
    assert places(tmp_path, found) == [("app", "app/Dockerfile"), ("app", "app/k.build")]
    assert [(target.name, target.line) for target in found] == [("build", 11), ("kaniko", 14)]
    assert found[1].tags == ("org/x:1",)


def test_dev_containers(tmp_path: Path) -> None:
    text = """// a comment
{
  "name": "dev", /* another */
  "build": {"dockerfile": "dev.build", "context": "..", "target": "dev", "args": {"V": "1", "W": "${localEnv:W}"}},
  "containerUser": "vscode",
  "forwardPorts": [3000, 5432,],
}
"""
    (target,) = targets(tmp_path, ".devcontainer/devcontainer.json", text)
    assert places(tmp_path, [target]) == [(".", ".devcontainer/dev.build")]
    assert (target.target, target.user, target.ports) == ("dev", "vscode", ("3000/tcp", "5432/tcp"))
    assert target.args == {"V": "1", "W": NotLiteral("${localEnv:W} is not literal")}
    assert targets(tmp_path, ".devcontainer.json", '{"image": "debian"}') == []
    (old,) = targets(tmp_path, ".devcontainer.json", '{"dockerFile": "D", "context": "x"}')
    assert places(tmp_path, [old]) == [("x", "D")]


def test_skaffold(tmp_path: Path) -> None:
    text = """
apiVersion: skaffold/v4beta6
build:
  artifacts:
    - image: org/web
      context: web
      docker: {dockerfile: web.build, target: prod, buildArgs: {A: "1", B: "{{.B}}"}}
    - image: org/api
    - image: org/java
      jib: {}
profiles:
  - name: p
    build: {artifacts: [{image: org/p, kaniko: {}}]}
"""
    found = targets(tmp_path, "skaffold.yaml", text)
    assert places(tmp_path, found) == [("web", "web/web.build"), (".", "Dockerfile"), (".", "Dockerfile")]
    assert [target.tags for target in found] == [("org/web",), ("org/api",), ("org/p",)]
    assert (found[0].target, found[0].args) == ("prod", {"A": "1", "B": NotLiteral("{{.B}} is not literal")})


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (".github/workflows/a.yml", "# docker\njobs: ["), (".gitlab-ci.yml", "# docker\na: [\n"),
        ("skaffold.yaml", "a: ["), (".devcontainer.json", '{"build": '),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_an_error(tmp_path: Path, name: str, text: str) -> None:
    with pytest.raises(DefinitionError):
        targets(tmp_path, name, text)


@pytest.mark.parametrize("name", ["Makefile", "build.sh", ".github/workflows/a.yml", ".gitlab-ci.yml"])
def test_long_and_deep_texts_are_read_in_bounded_time(tmp_path: Path, name: str) -> None:
    for text in ("docker " + "$(" * 50_000, "docker" + "\\\n" * 50_000, "\tdocker build " + "${" * 20_000):
        quoted = f"build: {{script: {text[:20]!r}}}\n" if name.endswith(".yml") else text
        targets(tmp_path, name, quoted)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (".github/workflows/a.yml", 'jobs: {a: {steps: [{run: "docker build . X"}]}}'),
        (
            ".github/workflows/b.yml",
            'jobs: {a: {steps: [{uses: docker/build-push-action@v6, with: {context: "X"}}]}}',
        ),
        (".devcontainer.json", '{"build": {"dockerfile": "X"}}'),
        ("Makefile", "A = X\na:\n\tdocker build .\n"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("opening", ["${{", "{{", "${", "  "])
def test_openings_without_an_end_are_searched_once(tmp_path: Path, name: str, text: str, opening: str) -> None:
    """Each of a hundred thousand, to the end of the text, would take minutes."""
    targets(tmp_path, name, text.replace("X", opening * 100_000 + "x"))
