"""Dockerfiles and image names in other files."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli.running import dfopt

from dfopt.embedded.optimize import optimize_host
from dfopt.embedded.yaml_file import YamlReader
from dfopt.facts import Facts
from dfopt.pass_selection import Options
from dfopt.results import Result
from dfopt.source import Source
from dfopt.workspace.embedded_kinds import KINDS, expand, kind_of

DIGEST = "sha256:" + "1" * 64
APT = "RUN apt-get update && apt-get install -y --no-install-recommends curl"
CLEAN = APT + " && rm -rf /var/lib/apt/lists/*"


class Digests(Facts):
    def digest(self, image: str) -> str | None:
        return DIGEST


def run(kind: str, text: str, *select: str, tiers: tuple[str, ...] = ("safe",)) -> Result:
    return optimize_host(Source("host", text), kind, Options(select, (), tiers, {}), Digests())


IMAGES = [
    pytest.param("compose", "services:\n  a:\n    image: nginx:1\n", id="compose-plain"),
    pytest.param("compose", 'services:\n  a: {image: "nginx:1"} # c\n', id="compose-flow-quoted"),
    pytest.param("compose", "services:\r\n  a:\r\n    image: 'nginx:1'\r\n", id="compose-crlf"),
    pytest.param("compose", "\ufeffservices:\n  \u00e9\U0001f680:\n    image: nginx:1", id="compose-bom-emoji"),
    pytest.param("github", "jobs:\n  a:\n    container: nginx:1\n", id="github-container"),
    pytest.param("github", "jobs:\n  a:\n    container:\n      image: nginx:1\n", id="github-container-image"),
    pytest.param("github", "jobs:\n  a:\n    services:\n      x:\n        image: nginx:1\n", id="github-service"),
    pytest.param("github", "jobs:\n  a:\n    steps:\n    - uses: docker://nginx:1\n", id="github-docker-url"),
    pytest.param("github", "runs:\n  using: docker\n  image: docker://nginx:1\n", id="github-action"),
    pytest.param("gitlab", "image: nginx:1\n", id="gitlab-default"),
    pytest.param("gitlab", "job:\n  image:\n    name: nginx:1\n", id="gitlab-name"),
    pytest.param("gitlab", "job:\n  services:\n  - nginx:1\n", id="gitlab-service"),
    pytest.param(
        "compose",
        "services:\n  a:\n    build:\n      additional_contexts: {x: 'docker-image://nginx:1', y: ../y}\n",
        id="compose-context",
    ),
    pytest.param(
        "compose",
        "services:\n  a:\n    build:\n      additional_contexts:\n      - x=docker-image://nginx:1 # c\n",
        id="compose-context-list",
    ),
    pytest.param(
        "bake",
        'target "a" {\n  contexts = {\n    "x.y" = "docker-image://nginx:1" # c\n    z = "."\n  }\n}\n',
        id="bake",
    ),
    pytest.param(
        "bake", '{"target": {"a": {"contexts": {\n  "x": "docker-image://nginx:1", "y": "."}}}}\n', id="bake-json"
    ),
    pytest.param("circleci", "jobs:\n  a:\n    docker:\n    - image: nginx:1\n", id="circleci"),
    pytest.param("python", 'import docker\ndocker.from_env().containers.run("nginx:1")\n', id="docker-sdk"),
    pytest.param(
        "python", "import docker as d\nc = d.from_env()\nc.images.pull('nginx:1')\n", id="docker-sdk-variable"
    ),
    pytest.param(
        "python", "from docker import DockerClient\nwith DockerClient() as c:\n  c.images.get('nginx:1')\n", id="with"
    ),
    pytest.param(
        "python", "from testcontainers.redis import RedisContainer as R\nR(image='nginx:1')\n", id="testcontainers"
    ),
    pytest.param("python", "import modal\nmodal.Image.from_registry('nginx:1')\n", id="modal"),
    pytest.param(
        "python",
        "from airflow.providers.docker.operators.docker import DockerOperator\nDockerOperator(image=u'nginx:1')\n",
        id="airflow",
    ),
    pytest.param("python", "from kfp import dsl\n@dsl.component(base_image=r'nginx:1')\ndef f(): ...\n", id="kfp"),
    pytest.param(
        "python",
        "\ufeff# \u00e9\U0001f680\r\nimport docker\r\ndocker.from_env().images.pull('nginx:1')\r\n",
        id="python-bom-crlf",
    ),
]


@pytest.mark.parametrize(("kind", "text"), IMAGES)
def test_images_are_pinned_and_nothing_else_moves(kind: str, text: str) -> None:
    result = run(kind, text, "pin-digest")
    assert result.output == text.replace("nginx:1", f"nginx:1@{DIGEST}")
    assert [one.name for one in result.applied] == ["pin-digest"]
    assert not run(kind, result.output, "pin-digest").changed


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        pytest.param("compose", "services:\n  a:\n    image: nginx:${TAG}\n", id="compose-variable"),
        pytest.param("compose", "services:\n  a:\n    image: >-\n      nginx:1\n", id="compose-folded"),
        pytest.param("compose", 'services:\n  a:\n    image: "nginx\\x3a1"\n', id="compose-escape"),
        pytest.param("compose", "services:\n  a:\n    image: nginx:1\n    build: .\n", id="compose-built"),
        pytest.param("compose", "x: &x {build: .}\nservices: {a: {<<: *x, image: 'nginx:1'}}\n", id="compose-merged"),
        pytest.param(
            "compose", "services:\n  a:\n    extends: {service: b}\n    image: nginx:1\n", id="compose-extends"
        ),
        pytest.param(
            "compose", "services:\n  build:\n    build: {context: .}\n    image: nginx:1\n", id="compose-named"
        ),
        pytest.param("compose", "x-image: nginx:1\nservices:\n  a:\n    command: nginx:1\n", id="compose-elsewhere"),
        pytest.param("compose", "services:\n  a:\n    image: {a: nginx:1}\n", id="compose-mapping"),
        pytest.param("github", "jobs:\n  a:\n    container: ${{ matrix.image }}\n", id="github-expression"),
        pytest.param("github", "jobs:\n  a:\n    steps:\n    - uses: actions/checkout@v4\n", id="github-action"),
        pytest.param("gitlab", "image: $IMAGE\n", id="gitlab-variable"),
        pytest.param("bake", 'target "a" {\n  contexts = { x = "docker-image://nginx:${T}" }\n}\n', id="bake-variable"),
        pytest.param("bake", 'target "a" {\n  args = { x = "docker-image://nginx:1" }\n}\n', id="bake-argument"),
        pytest.param("bake", '{"target": {"a": {"contexts": {"x": "docker-image:\\/\\/nginx:1"}}}}', id="bake-escape"),
        pytest.param("python", "x = 'nginx:1'\n", id="python-no-call"),
        pytest.param("python", "import docker\nt=1\ndocker.from_env().images.pull(f'nginx:{t}')\n", id="f-string"),
        pytest.param("python", "import docker\ndocker.from_env().images.pull('nginx' ':1')\n", id="concatenation"),
        pytest.param("python", "import docker\ndocker.from_env().images.pull('nginx:%s' % 1)\n", id="percent"),
        pytest.param("python", "def run(x): ...\nclass docker: ...\nrun('nginx:1')\n", id="own-names"),
        pytest.param(
            "python",
            "import docker\nc = docker.from_env()\nc = other()\nc.images.pull('nginx:1')\n",
            id="two",
        ),
        pytest.param("python", "import docker\ndocker.from_env().images.pull(*a, 'nginx:1')\n", id="star"),
    ],
)
def test_what_is_not_known_is_left_alone(kind: str, text: str) -> None:
    assert run(kind, text, "pin-digest").output == text


def block(*lines: str, indent: int = 8, newline: str = "\n", style: str = "|") -> str:
    body = newline.join(" " * indent + line if line else "" for line in lines)
    head = f"# top\nservices:\n  a:\n    build:\n      dockerfile_inline: {style}\n".replace("\n", newline)
    return f"{head}{body}{newline}      context: .{newline}"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(block("FROM debian:13-slim", APT), block("FROM debian:13-slim", CLEAN), id="plain"),
        pytest.param(
            block("FROM debian:13-slim", APT, newline="\r\n"),
            block("FROM debian:13-slim", CLEAN, newline="\r\n"),
            id="crlf",
        ),
        pytest.param(
            block("FROM debian:13-slim", "", APT, "", "CMD echo $$HOME"),
            block("FROM debian:13-slim", "", CLEAN, "", "CMD echo $$HOME"),
            id="empty-lines-and-dollars",
        ),
        pytest.param(
            block("FROM debian:13-slim", APT, style="|-"), block("FROM debian:13-slim", CLEAN, style="|-"), id="strip"
        ),
        pytest.param(
            block("FROM debian:13-slim", APT, "", style="|+"),
            block("FROM debian:13-slim", CLEAN, "", style="|+"),
            id="keep",
        ),
        pytest.param(
            block("FROM debian:13-slim", APT.replace("&&", "&& \\\n       "), indent=8),
            block(
                "FROM debian:13-slim",
                CLEAN.replace("&& apt-get", "&& \\\n        apt-get").replace("&& rm", "&& \\\n        rm"),
            ),
            id="lines-are-added",
        ),
    ],
)
def test_a_dockerfile_in_compose(before: str, after: str) -> None:
    assert run("compose", before, "apt-cleanup").output == after


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param(block("FROM debian:$TAG", APT), "Compose fills in variables", id="variable"),
        pytest.param(block("FROM debian", APT, style=">"), "it is not a literal block (|)", id="folded"),
        pytest.param(block("FROM debian", "RUM x"), "unknown instruction: RUM", id="broken"),
    ],
)
def test_a_dockerfile_in_compose_that_is_left_alone(text: str, reason: str) -> None:
    result = run("compose", text, "apt-cleanup")
    assert result.output == text
    assert any(reason in one.reason for one in result.reported)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(
            f'from pathlib import Path\nPath("a/Dockerfile").write_text("FROM debian:13-slim\\n{APT}\\n")\n',
            f'from pathlib import Path\nPath("a/Dockerfile").write_text("FROM debian:13-slim\\n{CLEAN}\\n")\n',
            id="one-line",
        ),
        pytest.param(
            f'(tmp_path / "x.Dockerfile").write_text("""\\\nFROM debian:13-slim\n{APT}\n""")\n',
            f'(tmp_path / "x.Dockerfile").write_text("""\\\nFROM debian:13-slim\n{CLEAN}\n""")\n',
            id="triple",
        ),
        pytest.param(
            f'(t / "Dockerfile").write_bytes(b"""FROM debian:13-slim\r\n{APT}\r\n""")\r\n',
            f'(t / "Dockerfile").write_bytes(b"""FROM debian:13-slim\r\n{CLEAN}\r\n""")\r\n',
            id="bytes-crlf",
        ),
        pytest.param(
            f"with open('Dockerfile', 'w') as f:\n    f.write(r'''FROM debian:13-slim\n{APT}\n''')\n",
            f"with open('Dockerfile', 'w') as f:\n    f.write(r'''FROM debian:13-slim\n{CLEAN}\n''')\n",
            id="raw-with-open",
        ),
        pytest.param(
            '(t / "Dockerfile").write_text("""FROM debian:13-slim\nRUN apt-get update \\\\\n && apt-get install -y '
            '--no-install-recommends curl\n""")\n',
            '(t / "Dockerfile").write_text("""FROM debian:13-slim\nRUN apt-get update \\\\\n && apt-get install -y '
            '--no-install-recommends curl \\\\\n && rm -rf /var/lib/apt/lists/*\n""")\n',
            id="continuations-are-escaped",
        ),
    ],
)
def test_a_dockerfile_in_python(before: str, after: str) -> None:
    assert run("python", before, "apt-cleanup").output == after


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f'(t / "notes.txt").write_text("FROM debian:13-slim\\n{APT}\\n")\n', id="no-dockerfile"),
        pytest.param(f'(t / "Dockerfile").write_text(f"FROM debian:13-slim\\n{APT}\\n")\n', id="f-string"),
        pytest.param(f'(t / "Dockerfile").write_text("FROM debian:13-slim\\n{APT}\\n".format(1))\n', id="format"),
        pytest.param(f'f.write("FROM debian:13-slim\\n{APT}\\n") # Dockerfile\n', id="unknown-file"),
    ],
)
def test_python_that_is_left_alone(text: str) -> None:
    assert run("python", text, "apt-cleanup").output == text


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        pytest.param(f"FROM debian:13-slim\n{APT}\n", True, id="no-marker"),
        pytest.param(f"FROM debian:13-slim AS a\n{APT}\nFROM scratch\nCOPY {{{{ x }}}} /\n", True, id="another-stage"),
        pytest.param(f"FROM debian:13-slim\n{APT}\nCOPY {{{{ x }}}} /\n", False, id="same-stage"),
        pytest.param(f"FROM {{{{ base }}}}\n{APT}\n", False, id="base"),
        pytest.param(f"FROM debian:13-slim\n{{% if x %}}\n{APT}\n{{% endif %}}\n", False, id="inside"),
        pytest.param(f"{{# note #}}\nFROM debian:13-slim\n{APT}\n", False, id="before-everything"),
        pytest.param(
            f"FROM {{{{ x }}}} AS a\nFROM a\n{APT}\nFROM debian:13-slim\n{APT.replace('curl', 'git')}\n",
            True,
            id="children-too",
        ),
    ],
)
def test_templates(text: str, changed: bool) -> None:
    result = run("template", text, "apt-cleanup")
    assert result.changed == changed
    if changed:
        assert result.output.count("rm -rf") == 1
        assert result.output.replace(" && rm -rf /var/lib/apt/lists/*", "") == text


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("FROM x\n{% raw %}\n", "it has raw blocks"),
        (
            "{{ base() }}\n\nRUN x\n",
            "without what its markers say it is no Dockerfile: no build stage in current context",
        ),
    ],
)
def test_templates_that_are_left_alone(text: str, reason: str) -> None:
    result = run("template", text, "apt-cleanup")
    assert result.problem is None
    assert result.output == text
    assert [one.reason for one in result.reported] == [reason]


@pytest.mark.parametrize(
    ("kind", "text", "place"),
    [
        ("compose", "services:\n  a: [\n", (3, 1)),
        ("python", "import docker\ndef f(:\n", (2, 7)),
        ("template", "FROM x\nRUN {{ y\n", (2, 5)),
        ("template", "FROM x\nRUM y\n", (2, 1)),
    ],
)
def test_what_cannot_be_read_is_a_problem(kind: str, text: str, place: tuple[int, int]) -> None:
    result = run(kind, text, "apt-cleanup")
    assert result.problem is not None
    assert (result.problem.line, result.problem.column) == place
    assert not result.changed


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/a/compose.yaml", "compose"), ("/a/docker-compose.prod.yml", "compose"), ("/a/Compose.x.yaml", "compose"),
        ("/a/.github/workflows/x.yml", "github"), ("/a/workflows/x.yml", "kubernetes"), ("/a/action.yml", "github"),
        ("/a/.gitlab-ci.yml", "gitlab"), ("/a/x.gitlab-ci.yml", "gitlab"), ("/a/.circleci/config.yml", "circleci"),
        ("/a/x.yml.bak", None), ("/a/x.py", "python"), ("/a/Dockerfile.j2", "template"), ("/a/Dockerfile", None),
        ("/a/decompose.yaml", "kubernetes"), ("/a/values.yaml", "helm"), ("/a/values-prod.yml", "helm"),
        ("/a/my.values.yaml", "helm"), ("/a/myvalues.yaml", "kubernetes"), ("/a/docker-bake.json", "bake"),
    ],
)  # fmt: skip
def test_kinds(path: str, kind: str | None) -> None:
    assert kind_of(path, KINDS) == kind


def test_groups_of_kinds() -> None:
    assert expand(["ci", "python"]) == ("github", "gitlab", "circleci", "python")
    assert expand(["all"]) == KINDS
    with pytest.raises(KeyError):
        expand(["yaml"])


def test_command(tmp_path: Path) -> None:
    (tmp_path / "compose.yaml").write_text(block("FROM debian:13-slim", APT))
    (tmp_path / "app.py").write_text("import docker\n")
    (tmp_path / "Dockerfile").write_text(f"FROM debian:13-slim\n{APT}\n")
    select = ("--select", "apt-cleanup")
    done = dfopt("fix", "--hosts", "all", "--write", *select, cwd=tmp_path, driven=False)
    assert done.returncode == 0, done.stderr
    assert b"2 of 3 files changed (2 fixes)" in done.stderr
    assert (tmp_path / "compose.yaml").read_text() == block("FROM debian:13-slim", CLEAN)
    assert dfopt("fix", "--check", "--hosts", "all", *select, cwd=tmp_path, driven=False).returncode == 0
    done = dfopt("fix", "--hosts", "yaml", cwd=tmp_path, driven=False)
    assert done.returncode == 2
    assert b'--hosts: unknown kind "yaml"' in done.stderr


def test_one_digest_for_an_image_everywhere(tmp_path: Path) -> None:
    (tmp_path / "dfopt.lock").write_text(
        f'version = 1\n[[image]]\nreference = "docker.io/library/nginx:1"\ndigest = "{DIGEST}"\n'
        'media-type = "application/vnd.oci.image.index.v1+json"\n'
    )
    files = {
        "Dockerfile": "FROM nginx:1\n", "compose.yaml": "services:\n  a:\n    image: docker.io/library/nginx:1\n",
        ".gitlab-ci.yml": "image: nginx:1\n", "a.py": "import docker\ndocker.from_env().images.pull('nginx:1')\n",
    }  # fmt: skip
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    done = dfopt("pin", "--hosts", "all", "--offline", "--write", cwd=tmp_path, driven=False)
    assert done.returncode == 0, done.stderr
    for name, text in files.items():
        assert (tmp_path / name).read_text() == text.replace("nginx:1", f"nginx:1@{DIGEST}")


def test_anchors_that_are_used_again_are_no_warning(recwarn: pytest.WarningsRecorder) -> None:
    text = "services:\n  a: &x\n    image: debian:13\n  b: &x\n    image: redis:7\n"
    assert [part.text for part in YamlReader("compose").parts(text)] == ["debian:13", "redis:7"]
    assert not list(recwarn)
