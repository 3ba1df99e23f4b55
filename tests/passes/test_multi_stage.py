"""multi-stage: what its tables say, and which missing fact a refusal names."""

from __future__ import annotations

import re

import pytest
from given import Given

from dfopt.edit import apply_edits
from dfopt.ir.program import Program
from dfopt.passes.multi_stage.bases import base_of
from dfopt.passes.multi_stage.language import _satisfied
from dfopt.passes.multi_stage.multi_stage import MultiStage
from dfopt.passes.multi_stage.packages import install_command, libraries
from dfopt.stage_templates.stage_recipes import stage_recipes
from dfopt.syntax.dockerfile import parse

# --- tables ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("image", "run", "release"),
    [
        ("golang:1.24", "debian:trixie-slim", "trixie"),
        ("golang:1.22-alpine3.20", "alpine:3", "alpine"),
        ("docker.io/library/golang:1.23-bookworm", "docker.io/library/debian:bookworm-slim", "bookworm"),
        ("python:3.12", "python:3.12-slim", ""),
        ("python:3.11-bullseye", "python:3.11-slim-bullseye", "bullseye"),
        ("node", "node:slim", ""),
        ("node:20-bookworm", "node:20-bookworm-slim", "bookworm"),
        ("debian:12.5", "debian:12.5-slim", "bookworm"),
        ("gcc:13", "debian:trixie-slim", ""),
        ("maven:3.8-openjdk-17-slim", "eclipse-temurin:17-jre", ""),
        ("gradle:8-jdk21", "eclipse-temurin:21-jre", ""),
        ("openjdk:8-jdk-alpine", "eclipse-temurin:8-jre-alpine", "alpine"),
        ("mcr.microsoft.com/dotnet/sdk:8.0-alpine", "mcr.microsoft.com/dotnet/aspnet:8.0-alpine", ""),
        ("ubuntu:22.04", "ubuntu:22.04", "jammy"),
        ("buildpack-deps:jammy", "ubuntu:jammy", "jammy"),
        ("mirror.gcr.io/library/golang:1.24", "mirror.gcr.io/library/debian:trixie-slim", "trixie"),
        ("public.ecr.aws/docker/library/python:3.12", "public.ecr.aws/docker/library/python:3.12-slim", ""),
        ("arm64v8/golang:1.24-bookworm", "arm64v8/debian:bookworm-slim", "bookworm"),
        ("mcr.microsoft.com/dotnet/sdk:9.0-noble-amd64", "mcr.microsoft.com/dotnet/aspnet:9.0-noble-amd64", ""),
        ("mcr.microsoft.com/dotnet/aspnet:9.0", "mcr.microsoft.com/dotnet/aspnet:9.0", ""),
    ],
)  # fmt: skip
def test_image_for_the_run(image: str, run: str, release: str) -> None:
    base = base_of(image)
    assert base is not None
    assert (base.run, base.release) == (run, release)


@pytest.mark.parametrize(
    ("text", "pattern", "found"),
    [
        ('subprocess.run(["ls"])', "any-program", False),
        ('subprocess.run(\n    [ "ls", "-l"])', "any-program", False),
        ("subprocess.run([sys.executable, path])", "any-program", False),
        ("subprocess.run([name])", "any-program", True),
        ("subprocess.run(name, shell=True)", "any-program", True),
        ('subprocess.check_output([ "git", "log"])', "programs", True),
    ],
)
def test_programs_that_python_starts(text: str, pattern: str, found: bool) -> None:
    recipe = next(one for one in stage_recipes() if one.name == "python")
    assert any(re.search(expression, text) for expression in recipe.scan[pattern]) is found


@pytest.mark.parametrize(
    ("wanted", "image", "satisfied"),
    [
        (">=3.9", "python:3.12", True),
        (">=3.9,<4", "python:3.12-bookworm", True),
        (">=3.13", "python:3.12", False),
        (">=3.8,<3.12", "python:3.12", False),
        (">=3.9,==3.12.1", "python:3.12", True),
        (">=3.9,==3.11", "python:3.12", False),
        ("!=3.9", "python:3.12", False),
        (">=3.9", "python:3", False),
    ],
)
def test_python_of_uv(wanted: str, image: str, satisfied: bool) -> None:
    assert _satisfied(wanted, image) is satisfied


@pytest.mark.parametrize(
    "image",
    [
        "gcc:15", "openjdk:13", "maven:3-jdk-14", "eclipse-temurin:16", "centos:7", "example.com/team/golang:1.24",
        "golang:windowsservercore",
    ],
)  # fmt: skip
def test_no_image_for_the_run(image: str) -> None:
    assert base_of(image) is None


def test_packages() -> None:
    assert libraries("libssl-dev", "bookworm") == ("libssl3",)
    assert libraries("libssl-dev", "bullseye") == ("libssl1.1",)
    assert libraries("libicu-dev", "") is None
    assert libraries("postgresql-dev", "alpine") == ("libpq",)
    assert install_command("apk", ["a", "b"], True, True) == "apk add --no-cache a b"


# --- refusals --------------------------------------------------------------------------------------------------------


MOD = {"go.mod": "module example.com/app\n", "main.go": "package main\n\nfunc main() {}\n"}
GO = "FROM golang:1.24\nWORKDIR /src\nCOPY . .\n"
PIP = "FROM python:3.12\nWORKDIR /app\nCOPY . .\nRUN pip install -r requirements.txt\n"
APP = {"app.py": "print()\n", "requirements.txt": "flask\n"}


def outcome(text: str, files: dict[str, str]) -> str:
    program = Program(parse(text))
    findings = list(MultiStage().find(program, Given(files)))
    if not findings:
        return ""
    if findings[0].fix is None:
        return findings[0].reason
    return apply_edits(text, findings[0].fix.edits)


@pytest.mark.parametrize(
    ("text", "files", "reason"),
    [
        pytest.param(
            GO + 'RUN ./tool\nRUN go build -o /a\nCMD ["/a"]\n',
            MOD,
            "what `tool` in line 4 writes",
            id="unknown command",
        ),
        pytest.param(
            GO + 'RUN go generate ./... && go build -o /a\nCMD ["/a"]\n',
            {**MOD, "main.go": "package main\n\n//go:generate go run ./tables\nfunc main() {}\n"},
            "which go generate runs in line 4, is not known",
            id="go generate",
        ),
        pytest.param(
            GO + 'RUN go build -buildmode=plugin -o /a.so\nCMD ["/a"]\n', MOD, "line 4 builds a library", id="plugin"
        ),
        pytest.param(GO + 'RUN go build -o $OUT\nCMD ["/a"]\n', MOD, "behind -o in line 4", id="unknown output"),
        pytest.param(
            GO + 'RUN go build -o /usr/bin/ ./...\nCMD ["app"]\n',
            {"go.mod": "module example.com/app\n", "main.go": "//go:build linux\n\npackage main\n"},
            "whether line 4 builds /src depends on build constraints",
            id="build constraints",
        ),
        pytest.param(
            GO + 'RUN go build -o /usr/bin/ ./...\nCMD ["inner"]\n',
            {**MOD, "inner/go.mod": "module example.com/inner\n", "inner/main.go": "package main\n"},
            "no recipe knows",
            id="a module in the module",
        ),
        pytest.param(
            GO + 'COPY start /usr/bin/app\nRUN go build -o /usr/bin/ ./...\nCMD ["app"]\n',
            {"go.mod": "module example.com/lib\n", "start": "#!/bin/sh\nfrobnicate\n", "lib.go": "package lib\n"},
            "no recipe knows",
            id="no main package",
        ),
        pytest.param(GO + "RUN go build -o /a\n", MOD, "does not say what the image starts", id="no command"),
        pytest.param(GO + 'RUN go build -o /a\nCMD ["/b"]\n', MOD, "no recipe knows", id="not what was built"),
        pytest.param(
            GO + "RUN go build -o /a\nCMD $APP\n",
            MOD,
            "a variable names|is not known|no recipe",
            id="command by variable",
        ),
        pytest.param(
            GO + 'RUN go build -o /a\nCMD ["/a"]\n',
            {**MOD, "p.go": 'import "plugin"'},
            r"by name \(p.go:1\)",
            id="loads by name",
        ),
        pytest.param(
            GO + 'RUN go build -o /a\nCMD ["/a"]\n',
            {**MOD, "p.go": 'exec.Command("frob")'},
            r"where frob, .* \(p.go:1\)",
            id="calls what is nowhere",
        ),
        pytest.param(
            GO + 'COPY x.deb /\nRUN apt-get install -y /x.deb && go build -o /a\nCMD ["/a"]\n',
            {**MOD, "x.deb": ""},
            "installs a package file",
            id="package file",
        ),
        pytest.param(
            GO + 'COPY nowhere /x\nRUN go build -o /a\nCMD ["/a"]\n',
            MOD,
            "does not have what line 4 copies",
            id="not in the context",
        ),
        pytest.param(
            GO + 'RUN go build -o /a\nONBUILD RUN true\nCMD ["/a"]\n', MOD, "line 5 is a trigger", id="ONBUILD"
        ),
        pytest.param(
            'FROM gcc:14\nRUN git clone https://example.com/x.git /x && gcc -o /a /x/a.c\nCMD ["/a"]\n',
            {},
            "line 2's download",
            id="fetched sources",
        ),
        pytest.param(
            'FROM debian:12\nRUN apt-get install -y gcc\nCOPY . /s\nRUN gcc -shared -o /usr/lib/x.so /s/a.c && gcc -o /a /s/a.c\nCMD ["/a"]\n',  # noqa: E501
            {"a.c": "int main;"},
            "line 4 builds",
            id="shared library",
        ),
        pytest.param(
            'FROM gcc:14\nCOPY . /s\nRUN gcc -o /a /s/a.c -lfrob\nCMD ["/a"]\n',
            {"a.c": "int main;"},
            "the library frob, linked in line 3",
            id="unknown library",
        ),
        pytest.param(
            'FROM gcc:14\nCOPY . /s\nWORKDIR /s\nRUN sh ./configure && make install\nCMD ["frob"]\n',
            {"configure": "#!/bin/sh\ncc -o /frob a.c\n", "a.c": ""},
            "what `make` in line 4 writes is not known",
            id="make",
        ),
        pytest.param(
            'FROM gcc:14\nCOPY . /s\nWORKDIR /s\nRUN ./configure --prefix=/opt/frob\nCMD ["/opt/frob/bin/frob"]\n',
            {"configure": "#!/bin/sh\ntouch Makefile\n", "a.c": ""},
            "what `configure` in line 4 writes is not known",
            id="configure",
        ),
        pytest.param(
            'FROM debian:13\nRUN apt-get install -y cmake\nCOPY . /s\nRUN cmake -S /s -B /b\nCMD ["/b/frob"]\n',
            {"CMakeLists.txt": "add_executable(frob a.c)\n", "a.c": ""},
            "what `cmake` in line 4 writes is not known",
            id="cmake",
        ),
        pytest.param(
            PIP + 'CMD ["python", "app.py"]\n',
            {**APP, "requirements.txt": "some-binding\n"},
            "the distribution some-binding needs",
            id="unknown distribution",
        ),
        pytest.param(
            PIP + 'CMD ["python", "app.py"]\n',
            {**APP, "app.py": "import subprocess\nsubprocess.run(args)\n"},
            r"not fixed \(app.py:2\)",
            id="calls anything",
        ),
        pytest.param(
            PIP + 'RUN python -c "import x; x.load()"\nCMD ["python", "app.py"]\n',
            APP,
            "the Python program in line 5",
            id="inline program",
        ),
        pytest.param(
            PIP + 'RUN python app.py\nCMD ["python", "app.py"]\n',
            {**APP, "app.py": "import os; os.path.expanduser('~')\n"},
            r"home directory \(app.py:1\)",
            id="writes at home",
        ),
        pytest.param(
            'FROM node:22\nWORKDIR /a\nCOPY . .\nRUN npm install\nCMD ["node", "a.js"]\n',
            {"package.json": '{"dependencies": {"x": "1"}}', "a.js": ""},
            "there is no lock file",
            id="no lock file",
        ),
        pytest.param(
            'FROM centos:7\nRUN yum install -y gcc\nCOPY a.c /\nRUN gcc -o /a /a.c\nCMD ["/a"]\n',
            {"a.c": ""},
            "which image runs what centos:7 builds",
            id="unknown base",
        ),
    ],
)
def test_refused(text: str, files: dict[str, str], reason: str) -> None:
    import re

    found = outcome(text, files)
    assert re.search(reason, found), found
    assert not found.startswith("FROM")


@pytest.mark.parametrize(
    ("text", "files"),
    [
        pytest.param(
            'FROM debian:12\nRUN apt-get update && apt-get install -y curl\nCMD ["curl"]\n', {}, id="no build tools"
        ),
        pytest.param(
            'FROM python:3.12-slim\nWORKDIR /app\nCOPY . .\nRUN pip install flask\nCMD ["python", "app.py"]\n',
            APP,
            id="nothing to leave behind",
        ),
        pytest.param('FROM scratch\nCOPY a /a\nCMD ["/a"]\n', {"a": ""}, id="empty base"),
        pytest.param(
            'FROM golang:1.24 AS b\nRUN go build -o /a\nFROM debian:12-slim\nCOPY --from=b /a /a\nCMD ["/a"]\n',
            MOD,
            id="split already",
        ),
    ],
)
def test_no_work(text: str, files: dict[str, str]) -> None:
    assert outcome(text, files) == ""


def test_tools_stay_where_something_unread_may_call_them() -> None:
    text = (
        PIP.replace("python:3.12\n", "python:3.12-slim\n")
        + 'RUN apt-get update && apt-get install -y gcc git\n{}CMD ["python", "app.py"]\n'
    )
    assert "install -y git" not in outcome(text.format(""), APP).rpartition("FROM")[2]
    fetched = "RUN git clone --branch v1 --depth 1 https://example.com/more.git /app/more\n"
    assert "install -y git" in outcome(text.format(fetched), APP).rpartition("FROM")[2]
