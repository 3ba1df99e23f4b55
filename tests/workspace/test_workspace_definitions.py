"""Build definitions on the command line: the Dockerfiles that they name."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from cli.running import dfopt

from dfopt.request import Request
from dfopt.source import Source
from dfopt.workspace import children, image_builds, parent_files, stated_builds
from dfopt.workspace.config import ConfigLookup
from dfopt.workspace.discovery import InputFile, discover
from dfopt.workspace.facts import ContextFacts

BLOATED = "FROM debian:13\nRUN apt-get update && apt-get install -y curl\n"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository, the working directory."""
    inside = tmp_path / "inside"
    (inside / ".git").mkdir(parents=True)
    monkeypatch.chdir(inside)
    return inside


def put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def named(definition: str, hosts: tuple[str, ...] = ()) -> list[InputFile]:
    return list(discover([definition], ConfigLookup(), hosts=hosts))


def test_the_dockerfiles_of_a_compose_file_have_their_contexts(here: Path) -> None:
    for name in ("deploy/web.build", "api/Dockerfile"):
        put(here / name, BLOATED)
    services = "  a: {build: api}\n  w: {build: {context: ., dockerfile: deploy/web.build}}\n"
    put(here / "compose.yaml", f"services:\n{services}")
    files = named("compose.yaml")
    assert [(file.name, file.context, file.error) for file in files] == [
        ("api/Dockerfile", str(here / "api"), ""),
        ("deploy/web.build", str(here), ""),
    ]
    request = Request(ConfigLookup())
    assert [request.context_of(file) for file in files] == [str(here / "api"), str(here)]
    assert Request(ConfigLookup(), context="x").context_of(files[0]) == "x"


def test_a_dockerfile_of_several_builds_is_taken_once(here: Path) -> None:
    put(here / "Dockerfile", BLOATED)
    put(here / "x/y", "")
    put(here / "docker-bake.hcl", 'target "a" {}\ntarget "b" { target = "s" }\n')
    assert [(file.name, file.context) for file in named("docker-bake.hcl")] == [("Dockerfile", str(here))]
    put(here / "docker-bake.hcl", 'target "a" {}\ntarget "b" {\n context = "x"\n dockerfile = "../Dockerfile"\n}\n')
    assert [(file.name, file.context) for file in named("docker-bake.hcl")] == [("Dockerfile", None)]


@pytest.mark.parametrize(
    ("build", "error"),
    [
        pytest.param("{build: nowhere}", "w: no such file: nowhere/Dockerfile", id="missing"),
        pytest.param("{build: ..}", "w: ../Dockerfile lies outside of the repository", id="outside"),
        pytest.param("{build: link}", "w: link/Dockerfile lies outside of the repository", id="by a link"),
    ],
)
def test_what_cannot_be_followed_is_an_error_of_the_definition(here: Path, build: str, error: str) -> None:
    put(here.parent / "Dockerfile", BLOATED)
    os.symlink(here.parent, here / "link")
    put(here / "compose.yaml", f"services:\n  w: {build}\n")
    (file,) = named("compose.yaml")
    outside = str(here.parent / "Dockerfile")
    assert (file.name, file.error.replace(outside, "../Dockerfile"), file.place[0]) == ("compose.yaml", error, 2)


def test_an_error_stands_in_the_file_that_makes_it(here: Path) -> None:
    put(here / "other.yaml", "services:\n\n  base: {build: nowhere}\n")
    put(here / "compose.yaml", "include: [other.yaml]\n")
    (file,) = named("compose.yaml")
    assert (file.name, file.error, file.place[0]) == ("other.yaml", "base: no such file: nowhere/Dockerfile", 3)


def test_remote_contexts_are_not_followed(here: Path) -> None:
    put(here / "compose.yaml", 'services:\n  w: {build: "https://example.org/x.git#main"}\n')
    assert named("compose.yaml") == []


def test_fix_writes_the_dockerfiles_that_a_definition_names(here: Path) -> None:
    put(here / "web.build", BLOATED)
    put(here / "compose.yaml", "services:\n  w: {build: {dockerfile: web.build}}\n  x: {build: $X}\n")
    before = (here / "compose.yaml").read_bytes()
    done = dfopt("fix", "--write", "--show-refusals", "compose.yaml", cwd=here, driven=False)
    assert done.returncode == 0, done.stderr
    assert "rm -rf /var/lib/apt/lists" in (here / "web.build").read_text()
    assert (here / "compose.yaml").read_bytes() == before
    assert b"the Dockerfile of x is not known: $X has no default" in done.stderr


INLINE = """target "x" {{
  tags = ["a"] # kept
  dockerfile-inline = <<{dash}EOT
{margin}FROM debian:13
{margin}ENV A=$${{B}}
{margin}RUN apt-get update && apt-get install -y curl{end}
{margin}CMD ["x"]
  EOT
}}
"""


@pytest.mark.parametrize(("dash", "margin"), [("", ""), ("-", "    ")], ids=["plain", "indented"])
def test_inline_dockerfiles_of_bake_files_are_fixed_in_place(here: Path, dash: str, margin: str) -> None:
    text = INLINE.format(dash=dash, margin=margin, end="")
    put(here / "docker-bake.hcl", text)
    done = dfopt("fix", "--write", "docker-bake.hcl", cwd=here, driven=False)
    assert done.returncode == 0, done.stderr
    end = " && rm -rf /var/lib/apt/lists/*"
    assert (here / "docker-bake.hcl").read_text() == INLINE.format(dash=dash, margin=margin, end=end)
    assert dfopt("fix", "docker-bake.hcl", cwd=here, driven=False).stdout == b""


def test_dollars_of_inline_dockerfiles_stay_as_they_are(here: Path) -> None:
    lines = ["FROM debian:13", "RUN date >$(x) $$HOME", "RUN apt-get update && apt-get install -y curl"]
    text = "services:\n  w:\n    build:\n      dockerfile_inline: |\n" + "".join(f"        {line}\n" for line in lines)
    put(here / "compose.yaml", text)
    done = dfopt("fix", "--select", "apt-cleanup", "--write", "compose.yaml", cwd=here, driven=False)
    assert done.returncode == 0, done.stderr
    expected = text[:-1] + " && rm -rf /var/lib/apt/lists/*\n"
    assert (here / "compose.yaml").read_text() == expected
    put(here / "compose.yaml", text.replace("$$HOME", "$HOME"))
    done = dfopt("fix", "--select", "apt-cleanup", "--show-refusals", "compose.yaml", cwd=here, driven=False)
    assert b"Compose fills in variables" in done.stderr


def test_inline_dockerfiles_of_compose_files_are_fixed_and_images_are_not(here: Path) -> None:
    text = "services:\n  w:\n    image: a\n    build:\n      dockerfile_inline: |\n        FROM debian:13\n"
    text += "        RUN apt-get update && apt-get install -y curl"
    put(here / "compose.yaml", text + "\n")
    done = dfopt("fix", "--select", "apt-cleanup,latest-tag", "--write", "compose.yaml", cwd=here, driven=False)
    assert done.returncode == 0, done.stderr
    assert (here / "compose.yaml").read_text() == text + " && rm -rf /var/lib/apt/lists/*\n"
    assert b"suggestion" not in done.stderr


@pytest.mark.parametrize(
    ("name", "text", "error"),
    [
        pytest.param("compose.yaml", "services: [\n", "compose.yaml:2:1: error: not YAML", id="compose"),
        pytest.param("docker-bake.hcl", "target {{\n", "docker-bake.hcl:1:9: error: not HCL", id="bake"),
        pytest.param("docker-bake.json", '{"target"}\n', "docker-bake.json:1:10: error: not JSON", id="json"),
    ],
)
@pytest.mark.parametrize("command", ["check", "fix", "plan"])
def test_bad_definitions_are_an_error_with_a_place(here: Path, name: str, text: str, error: str, command: str) -> None:
    put(here / name, text)
    put(here / "Dockerfile", BLOATED)
    done = dfopt(command, name, "Dockerfile", cwd=here, driven=False)
    assert done.returncode == 2
    assert error in done.stderr.decode()
    assert b"apt-cleanup" in done.stdout


def test_a_definition_in_a_definition_has_the_place_of_the_inner_one(here: Path) -> None:
    put(here / "parts/db.yaml", "services:\n  db: {ports: [x]}\n")
    put(here / "compose.yaml", "include: [parts/db.yaml]\n")
    done = dfopt("check", "compose.yaml", cwd=here, driven=False)
    assert done.stderr.decode().startswith('parts/db.yaml:2:16: error: "x" is no port')


def test_large_definitions_are_refused(here: Path) -> None:
    put(here / "compose.yaml", "#" * (513 << 10))
    done = dfopt("check", "compose.yaml", cwd=here, driven=False)
    assert (done.returncode, "larger than" in done.stderr.decode()) == (2, True)


def context_of(path: str) -> str | None:
    """The build context that is found for a Dockerfile of the working directory, relative to it."""
    stated_builds._directories.clear()
    source = Source.from_bytes(Path(path).read_bytes(), path)
    context = ContextFacts(path, os.getcwd(), source).build_context()
    return None if context is None else os.path.relpath(context.root)


@pytest.mark.parametrize(
    ("definition", "text"),
    [
        pytest.param(
            "compose.yaml", "services:\n  a: {build: {context: ., dockerfile: app/Dockerfile}}\n", id="compose"
        ),
        pytest.param("docker-bake.hcl", 'target "a" { dockerfile = "app/Dockerfile" }\n', id="bake"),
        pytest.param("Makefile", "image:\n\tdocker build -f app/Dockerfile .\n", id="make"),
        pytest.param("app/build.sh", 'cd "$(dirname "$0")/.."\ndocker build -f app/Dockerfile .\n', id="script"),
        pytest.param(
            ".github/workflows/ci.yml",
            "jobs: {a: {steps: [{uses: docker/build-push-action@v6, with: {file: app/Dockerfile}}]}}\n",
            id="workflow",
        ),
    ],
)
def test_a_definition_decides_between_contexts_that_fit(here: Path, definition: str, text: str) -> None:
    put(here / "app/Dockerfile", "FROM debian\nCOPY package.json /\n")
    for name in ("package.json", "app/package.json"):
        put(here / name, "{}")
    assert context_of("app/Dockerfile") == "app"
    put(here / definition, text)
    assert context_of("app/Dockerfile") == "."


def test_a_context_beside_the_file_is_found_by_its_definition_alone(here: Path) -> None:
    put(here / "images/x/Dockerfile", "FROM debian\nCOPY main.c /\n")
    put(here / "src/main.c", "")
    assert context_of("images/x/Dockerfile") is None
    put(here / "compose.yaml", "services:\n  x: {build: {context: src, dockerfile: ../images/x/Dockerfile}}\n")
    assert context_of("images/x/Dockerfile") == "src"


def test_the_only_context_that_fits_needs_no_definition(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(here / "app/Dockerfile", "FROM debian\nCOPY main.c /\n")
    put(here / "app/main.c", "")
    put(here / "compose.yaml", "services: [\n")
    monkeypatch.setattr(stated_builds, "_definitions", None)  # nothing is read
    assert context_of("app/Dockerfile") == "app"


def test_definitions_that_differ_or_cannot_be_read_state_nothing(here: Path) -> None:
    put(here / "app/Dockerfile", "FROM debian\nCOPY . /\n")
    put(here / "compose.yaml", "services: [\n")
    put(here / "Makefile", "a:\n\tdocker build -f app/Dockerfile .\n")
    assert context_of("app/Dockerfile") == "."
    put(here / "compose.yaml", "services:\n  a: {build: app}\n")
    assert context_of("app/Dockerfile") == "app"  # its own, as without a definition


def test_a_search_finds_files_under_any_name_that_definitions_give(here: Path) -> None:
    for name in ("deploy/web.build", "tools/ignored.build", "left/out.build", "a/Dockerfile"):
        put(here / name, BLOATED)
    services = "".join(
        f"  s{number}: {{build: {{dockerfile: {name}}}}}\n"
        for number, name in enumerate(
            ("deploy/web.build", "tools/ignored.build", "left/out.build", "a/Dockerfile", "no.build", "../out.build")
        )
    )
    put(here.parent / "out.build", BLOATED)
    put(here / "compose.yaml", f"services:\n{services}")
    put(here / "docker-bake.hcl", 'target "web" { dockerfile = "deploy/web.build" }\n')
    put(here / ".gitignore", "ignored.build\n")
    files = list(discover(["."], ConfigLookup(), exclude=("left",)))
    assert [(file.name, file.context) for file in files] == [("a/Dockerfile", None), ("deploy/web.build", str(here))]
    as_hosts = discover(["."], ConfigLookup(), exclude=("left",), hosts=("compose",))
    assert [file.name for file in as_hosts] == ["a/Dockerfile", "compose.yaml", "deploy/web.build"]


def test_a_search_parses_no_definition_that_names_dockerfiles_by_their_usual_names(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(here / "compose.yaml", "services:\n  a: {build: {context: ., dockerfile: x/a.Dockerfile}}\n  b: {build: b}\n")
    monkeypatch.setattr("dfopt.workspace.definitions.targets_of", None)
    assert list(discover(["."], ConfigLookup())) == []


def clear() -> None:
    for module in (stated_builds, image_builds, children, parent_files):
        module._trees.clear() if hasattr(module, "_trees") else module._directories.clear()


@pytest.mark.parametrize(
    ("definition", "text"),
    [
        pytest.param("compose.yaml", "services: {a: {image: 'org/runtime:2', build: images/one}}\n", id="compose"),
        pytest.param("ci/docker-bake.hcl", 'target "a" {\n context = "../images/one"\n tags = ["org/runtime:2"]\n}\n',
                     id="bake"),
        pytest.param("images/Makefile", "a:\n\tdocker build -t org/runtime:2 one\n", id="make"),
    ],
)  # fmt: skip
def test_the_parent_is_what_a_definition_builds_under_its_name(here: Path, definition: str, text: str) -> None:
    put(here / "images/one/Dockerfile", BLOATED)
    put(here / "images/two/Dockerfile", BLOATED)
    put(here / "app/Dockerfile", "FROM org/runtime:2\n")
    app = str(here / "app/Dockerfile")
    clear()
    assert parent_files.parent_of(app, str(here), "org/runtime:2") is None
    put(here / definition, text)
    clear()
    parent = parent_files.parent_of(app, str(here), "org/runtime:2")
    assert parent is not None
    assert parent.name == "images/one/Dockerfile"
    assert parent_files.parent_of(app, str(here), "other/runtime:2") is None
    assert parent_files.parent_of(str(here / "images/one/Dockerfile"), str(here), "org/runtime:2") is None


def test_two_builds_under_a_name_differ_by_tag_or_are_none(here: Path) -> None:
    for name in ("one", "two"):
        put(here / name / "Dockerfile", BLOATED)
    services = "services: {{a: {{image: 'org/x:1', build: one}}, b: {{image: 'org/x:{}', build: two}}}}\n"
    put(here / "app/Dockerfile", "FROM org/x\n")
    app = str(here / "app/Dockerfile")
    put(here / "compose.yaml", services.format(2))
    clear()
    parents = {tag: parent_files.parent_of(app, str(here), f"org/x:{tag}") for tag in ("1", "2", "3")}
    assert [parent and parent.name for parent in parents.values()] == ["one/Dockerfile", "two/Dockerfile", None]


def test_children_are_known_by_the_names_that_definitions_give(here: Path) -> None:
    put(here / "build/Dockerfile", BLOATED)
    put(here / "app/Dockerfile", "FROM org/runtime:2\n")
    put(here / "db/Dockerfile", "FROM postgres\n")
    base = str(here / "build/Dockerfile")
    clear()
    assert children.children_of(base, str(here)) is None
    put(here / "compose.yaml", "services: {a: {image: 'org/runtime', build: build}}\n")
    clear()
    found = children.children_of(base, str(here))
    assert found is not None
    assert [child.name for child in found] == ["app/Dockerfile"]
    put(here / "compose.yaml", "services: {a: {image: postgres, build: build}, b: {image: org/y}}\n")
    clear()
    assert children.children_of(base, str(here)) is None


def test_a_definition_without_names_is_not_parsed_for_them(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(here / "build/Dockerfile", BLOATED)
    put(here / "compose.yaml", "services: {a: {build: build}, db: {image: postgres}}\n")
    monkeypatch.setattr("dfopt.workspace.definitions.targets_of", None)
    clear()
    assert children.children_of(str(here / "build/Dockerfile"), str(here)) is None


def test_a_workflow_is_parsed_for_what_it_may_build(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("base/Dockerfile", "deep/down/Dockerfile", "Dockerfile", "other/Dockerfile"):
        put(here / name, BLOATED)
    step = "      - uses: docker/build-push-action@v6\n        with: {context: %s, tags: 'org/%s:1'}\n"
    steps = [("base", "platform"), ("./deep/down", "lower"), (".", "top")]
    jobs = "jobs:\n  all:\n    steps:\n" + "".join(step % pair for pair in steps)
    script = "      - run: |\n          cd deep\n          cd down && docker build -t org/script .\n"
    put(here / ".github/workflows/ci.yml", jobs + script)
    clear()
    names = {name: image_builds.stated_names(str(here / name / "Dockerfile")) for name in ("base", "deep/down", ".")}
    assert names == {"base": {"platform"}, "deep/down": {"lower", "script"}, ".": {"top"}}
    clear()
    monkeypatch.setattr("dfopt.workspace.definitions.targets_of", None)
    assert image_builds.stated_names(str(here / "other/Dockerfile")) == frozenset()
