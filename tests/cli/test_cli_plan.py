"""`dfopt plan`: what each level would bring, in text and JSON; nothing is written."""

from __future__ import annotations

import json
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from engine.fake import Fake

EXAMPLE = Path(__file__).parents[2] / "examples" / "webapp"
WASTEFUL = """\
FROM debian:13-slim
RUN apt-get update
RUN apt-get install -y --no-install-recommends gcc libc6-dev
COPY app.c /srv/
RUN apt-get purge -y gcc libc6-dev && apt-get autoremove -y
CMD ["/srv/app"]
"""
UNKNOWN = "FROM example.org/own/base:1\nRUN apt-get update && apt-get install -y curl\nRUN chown app /srv\n"


def plan(tree: Path, *arguments: str, code: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "dfopt", "plan", *arguments], cwd=tree, text=True, capture_output=True, check=False
    )
    assert done.returncode == code, done.stderr
    return done.stdout


def test_one_file(tmp_path: Path) -> None:
    file = tmp_path / "Dockerfile"
    file.write_text(WASTEFUL.replace("COPY app.c /srv/\n", ""))
    text = plan(tmp_path, "Dockerfile")
    rows = {line.split()[0]: line.split() for line in text.splitlines() if line.split()[:1] and line[:3] == "  -"}
    assert rows["-O1"][1:3] == ["230", "MB"]
    assert rows["-O1"][-4:] == ["1", "11", "root", "yes"]
    assert "merge-run" in text
    assert text.splitlines()[-1].startswith("Next: dfopt fix -O")
    assert file.read_text() == WASTEFUL.replace("COPY app.c /srv/\n", "")


def test_the_searched_level(tmp_path: Path) -> None:
    """Text, JSON and HTML tell the same of -O3: the best estimate of what it would try, for a single file."""
    text = 'FROM python:3.13\nCOPY app.py /app/\nRUN pip install --no-cache-dir flask\nCMD ["python", "/app/app.py"]\n'
    (tmp_path / "Dockerfile").write_text(text)
    (tmp_path / "app.py").write_text("import flask\n")
    told = plan(tmp_path, "--html", "plan.html", "Dockerfile")
    (file,) = json.loads(plan(tmp_path, "--output-format", "json", "Dockerfile"))["files"]
    below, searched = file["levels"][1:]
    assert searched["level"] == 3
    assert searched["bytes"] >= below["bytes"] > 0
    assert file["candidates"] > 1
    (row,) = [line for line in told.splitlines() if line.startswith("  -O3")]
    note = f"-O3 would build {file['candidates']} candidates"
    assert note in told
    page = (tmp_path / "plan.html").read_text()
    assert note in page
    assert "<code>-O3</code>" in page
    size = row.split()[1:3]
    assert " ".join(size) in page
    (tmp_path / "other.Dockerfile").write_text(text)
    files = json.loads(plan(tmp_path, "--output-format", "json", "."))["files"]
    assert [(len(file["levels"]), file["candidates"]) for file in files] == [(2, 0), (2, 0)]


@pytest.mark.parametrize(
    ("text", "more"),
    [
        ('FROM python:3.13\nCOPY app.py /app/\nCMD ["python", "/app/app.py"]\n', True),
        ('FROM example.org/own:1\nENTRYPOINT ["x"]\n', True),
        ('FROM python:3.13 AS base\nCMD ["python"]\nFROM base\nRUN x\n', True),
        ("FROM python:3.13\nRUN x\n", False),
        ('FROM scratch\nCOPY x /\nCMD ["/x"]\n', False),
        ('FROM busybox:1.37\nCMD ["httpd", "-f"]\n', False),
        ('FROM python:3.13\nCMD ["python"]\nFROM alpine:3.22\nCMD ["sh"]\n', False),
    ],
)
def test_what_a_smoke_test_may_show(tmp_path: Path, text: str, more: bool) -> None:
    """It is told in words, with no figure, in every format."""
    (tmp_path / "Dockerfile").write_text(text)
    (tmp_path / "app.py").write_text("print()\n")
    (file,) = json.loads(plan(tmp_path, "--output-format", "json", "Dockerfile"))["files"]
    assert file["evidence"] == more
    words = "With a smoke test (--smoke, --smoke-script)"
    assert (words in plan(tmp_path, "--html", "plan.html", "Dockerfile")) == more
    assert (words in (tmp_path / "plan.html").read_text()) == more
    assert (words in plan(tmp_path, "--output-format", "markdown", "Dockerfile")) == (more and "app.py" in text)


def test_of_near_estimates_that_of_the_level_below_is_told() -> None:
    (file,) = json.loads(plan(EXAMPLE, "--output-format", "json", "Dockerfile"))["files"]
    below, searched = file["levels"][1:]
    assert {**searched, "level": 2} == below
    assert plan(EXAMPLE, "Dockerfile").splitlines()[-1] == "Next: dfopt fix -O1 Dockerfile"


def test_figures_are_those_of_the_table(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(WASTEFUL.replace("COPY app.c /srv/\n", ""))
    (file,) = json.loads(plan(tmp_path, "--output-format", "json", "."))["files"]
    first = file["levels"][0]
    benefits = {fix["pass"]: fix["benefit"] for fix in first["fixes"]}
    assert benefits["merge-run"]["source"] == "package_sizes.toml"
    assert benefits["merge-run"]["layers"] == 2
    assert first["bytes"] == benefits["merge-run"]["bytes"] + benefits["apt-cleanup"]["bytes"]
    assert file["now"] == {"layers": 3, "root": True, "user": "root", "setuid": 11}
    assert first["layers"] == 1


def test_sizes_of_images_that_an_engine_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = Fake(tmp_path / "fake", "docker")
    fake.answer("buildx", "inspect", out="Name: default\nDriver: docker\n")
    fake.answer("history", code=1)
    fake.answer("history", "node:22", out="600000000\n93000000\n")
    fake.answer("history", "node:22-slim", out="283000000\n")
    monkeypatch.setenv("PATH", str(fake.path))
    (tmp_path / "Dockerfile").write_text('FROM node:22\nCOPY a.js /\nCMD ["node", "/a.js"]\n')
    (tmp_path / "a.js").write_text("1\n")
    arguments = ("--output-format=json", "Dockerfile")
    for options, size, origin in (((), 880_000_000, "estimated"), (("--engine=docker",), 410_000_000, "measured")):
        (file,) = json.loads(plan(tmp_path, *options, *arguments))["files"]
        (fix,) = [fix for fix in file["levels"][1]["fixes"] if fix["pass"] == "swap-base"]
        assert fix["benefit"]["bytes"] == size
        assert fix["benefit"]["origin"] == origin
    assert not fake.calls("build")
    assert not fake.calls("pull")
    assert plan(tmp_path, "--engine=podman", *arguments, code=2) == ""


def test_many_files(tmp_path: Path) -> None:
    for name, text in (("a", WASTEFUL), ("b", UNKNOWN), ("c", "FROM scratch\nCOPY a /\n")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "Dockerfile").write_text(text)
    text = plan(tmp_path, ".")
    assert text.startswith("3 files:\n")
    assert "a/Dockerfile" in text
    assert "c/Dockerfile" not in text


def test_what_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FRUM x\n")
    (tmp_path / "other.Dockerfile").write_text(WASTEFUL)
    assert "-O1" in plan(tmp_path, ".", code=2)


def test_a_definition_that_holds_a_dockerfile(tmp_path: Path) -> None:
    """It is no Dockerfile: there is a forecast for those that it names, and none for those that it holds."""
    (tmp_path / "app.Dockerfile").write_text(WASTEFUL)
    text = "services:\n  a: {build: {dockerfile_inline: FROM debian}}\n  b: {build: {dockerfile: app.Dockerfile}}\n"
    (tmp_path / "compose.yaml").write_text(text + "  c: {build: {dockerfile: $X}}\n")
    assert plan(tmp_path, "compose.yaml").startswith("app.Dockerfile\n")
    (tmp_path / "compose.yaml").write_text("services:\n  c: {build: {dockerfile: $X}}\n")
    assert plan(tmp_path, "compose.yaml") == ""


def test_columns(tmp_path: Path) -> None:
    text = "FROM node:22-slim\nWORKDIR /app\nCOPY . .\nRUN npm ci\nUSER node\nCMD node a.js\n"
    (tmp_path / "Dockerfile").write_text(text)
    (tmp_path / "package.json").write_text('{"name": "a", "version": "1.0.0"}\n')
    (tmp_path / "package-lock.json").write_text('{"lockfileVersion": 3, "packages": {}}\n')
    (file,) = json.loads(plan(tmp_path, "--output-format", "json", "."))["files"]
    assert file["now"] == {"layers": 3, "root": False, "user": "node", "setuid": 11}
    first = file["levels"][0]
    assert first["rebuild_seconds"] == 16.9, "by the table of savings: npm install, 17.3 to 0.4 s"
    assert {fix["pass"]: fix["benefit"] for fix in first["fixes"]}["dependency-layers"]["source"] == "savings.toml"
    assert "-17 s" in plan(tmp_path, "Dockerfile")


def monorepo(top: Path) -> None:
    subprocess.run(["git", "init", "-q", str(top)], check=True)
    (top / "CODEOWNERS").write_text("web/ @front\n")
    for name in ("web", "<b>api"):
        (top / name).mkdir()
        (top / name / "Dockerfile").write_text(WASTEFUL.replace("COPY app.c /srv/\n", ""))


def test_by_owner(tmp_path: Path) -> None:
    monorepo(tmp_path)
    text = plan(tmp_path, ".")
    rows = text.partition("By owner:\n")[2].partition("\n\n")[0].splitlines()
    assert [row.split()[-1] for row in rows] == ["@front", "owner"]
    files = json.loads(plan(tmp_path, "--output-format", "json", "."))["files"]
    assert {file["path"]: file["owner"] for file in files} == {"web/Dockerfile": "@front", "<b>api/Dockerfile": ""}


def test_html(tmp_path: Path) -> None:
    monorepo(tmp_path)
    (tmp_path / "web" / "Dockerfile").write_text(UNKNOWN.replace("curl", "'<script>'") + "# \x1b[31m\n")
    plan(tmp_path, "--html", "plan.html", ".")
    page = (tmp_path / "plan.html").read_text()

    class Reader(HTMLParser):
        def __init__(self) -> None:
            super().__init__()
            self.tags: set[str] = set()
            self.text = ""

        def handle_starttag(self, tag: str, attrs: object) -> None:
            self.tags.add(tag)

        def handle_data(self, data: str) -> None:
            self.text += data

    reader = Reader()
    reader.feed(page)
    assert {"table", "details", "summary"} <= reader.tags
    assert not reader.tags & {"script", "b>api", "link", "img", "iframe"}
    assert "http" not in page.replace("http-equiv", ""), "nothing is fetched"
    for words in ("dfopt plan", "<b>api/Dockerfile", "@front", "merge-run", "What saves most", "In the way of more"):
        assert words in reader.text
    assert "\x1b" not in page


def test_html_is_not_written_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(WASTEFUL)
    (tmp_path / "other").write_text("mine")
    (tmp_path / "plan.html").symlink_to(tmp_path / "other")
    plan(tmp_path, "--html", "plan.html", ".", code=2)
    assert (tmp_path / "other").read_text() == "mine"


def test_markdown(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(WASTEFUL)
    (tmp_path / "clean").mkdir()
    (tmp_path / "clean" / "Dockerfile").write_text("FROM scratch\nCOPY a /\n")
    text = plan(tmp_path, "--output-format", "markdown", ".")
    assert text.startswith("### dfopt: ")
    assert " less in 1 of 2 Dockerfiles" in text.splitlines()[0]
    assert "#### `Dockerfile`" in text
    assert "clean/Dockerfile" not in text
    assert "<details><summary>diff</summary>\n\n```diff\n--- a/Dockerfile" in text
    assert "merge-run (safe)" in text


def test_markdown_says_what_others_wrote_as_code(tmp_path: Path) -> None:
    name = "@team <b> `x` |.Dockerfile"
    (tmp_path / name).write_text(WASTEFUL + "# ````\n")
    text = plan(tmp_path, "--output-format", "markdown", ".")
    assert "#### ``@team <b> `x` \\|.Dockerfile``" in text
    fence = next(line for line in text.splitlines() if line.endswith("diff") and line.startswith("`"))
    assert text.count(f"\n{fence.removesuffix('diff')}\n") == 1


def test_markdown_fits_into_a_comment(tmp_path: Path) -> None:
    for number in range(150):
        (tmp_path / f"{number}.Dockerfile").write_text(WASTEFUL)
    text = plan(tmp_path, "--output-format", "markdown", ".")
    assert len(text) < 65_536
    assert "more files are not listed here" in text


def test_markdown_without_findings(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY a /\n")
    assert plan(tmp_path, "--output-format", "markdown", ".").startswith("### dfopt: nothing to do\n")


def test_what_definitions_say_of_a_file(tmp_path: Path) -> None:
    """Every format tells them, with names of arguments alone."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "Dockerfile").write_text(UNKNOWN)
    (tmp_path / "compose.yaml").write_text(
        "services:\n  a<b:\n    build: {context: ., args: {TOKEN: s3cret}}\n    ports: [80]\n    volumes: [/data]\n"
    )
    told = "compose.yaml:3 (a<b): the last stage; arguments TOKEN; ports 80/tcp; mounts /data"
    text = plan(tmp_path, "--html", "plan.html", "Dockerfile")
    assert f"Built by:\n  {told}\n" in text
    markdown = plan(tmp_path, "--output-format", "markdown", "Dockerfile")
    assert told in markdown
    document = plan(tmp_path, "--output-format", "json", "Dockerfile")
    assert json.loads(document)["files"][0]["builds"] == [
        {
            "place": "compose.yaml:3", "name": "a<b", "target": "", "arguments": ["TOKEN"], "user": "",
            "ports": ["80/tcp"], "mounts": ["/data"],
        }
    ]  # fmt: skip
    page = (tmp_path / "plan.html").read_text()
    assert told.replace("<", "&lt;") in page
    assert "s3cret" not in text + markdown + document + page
