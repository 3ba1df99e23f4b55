"""What the inputs of each reader start from: the project's own cases and recipes, and small documents of each kind."""

from __future__ import annotations

import json
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dfopt.testing.case_files import CaseFiles

ROOT = Path(__file__).parents[3]
GOOD = b"FROM debian:13\nRUN apt-get update && apt-get install -y curl\nCOPY . /app\n"
LARGEST = 60_000  # bytes of a context's file
CONTEXT = 40  # files of a context

CONFIG = b"""\
level = 2
select = ["size", "merge-run", "DL3009"]
ignore = ["pin-digest"]
unsafe = true
modernize = true
exclude = ["vendor/", "*.old", "!keep"]
output-format = "text"
context = "."
extend = "base.toml"
package-cache = "clean"
engine = "buildkit"

[passes.merge-run]
when = "all"

[recipes]
path = "own"
"""
LOCK = b"""\
version = 1

[[image]]
reference = "docker.io/library/debian:13"
digest = "sha256:%s"
media-type = "application/vnd.oci.image.index.v1+json"

[[image]]
reference = "docker.io/library/python:3.13-slim"
digest = "sha256:%s"
media-type = "application/vnd.oci.image.manifest.v1+json"

[[download]]
url = "https://example.org/a.tar.gz"
checksum = "sha256:%s"
""" % (b"a" * 64, b"b" * 64, b"c" * 64)
BASELINE = json.dumps(
    {"version": 1, "files": {"Dockerfile": {"merge-run": 1, "apt-cleanup": 2}, "a/Dockerfile": {"user": 1}}}
).encode()
DOCKERIGNORE = b"# what no image needs\n**/*.pyc\n*\n!src\n!src/**/*.[ch]\n/node_modules/\n.git\n\\!odd\nfoo?bar\n[a-z]*\n**\n a \n"
GITIGNORE = b"*.log\n!keep.log\n/build/\n**/cache/**\na/**/b\n\\#x\nd[!a-c]e\n*.[oa]\ntrailing\\ \nDockerfile.*\n"
CODEOWNERS = b"* @org/all\n/web/ @org/web @alice a@example.org\n*.dockerfile @bob\n/docs/**/x @c # why\n[Section][2] @d\n^[Other]\n/a\\ b @e\n"
COMPOSE = b"""\
services:
  web:
    image: debian:13
    build:
      context: .
      dockerfile_inline: |
        FROM debian:13
        RUN apt-get update && apt-get install -y curl
      args: {A: "1"}
  db: &db
    image: "postgres:16"
  other:
    <<: *db
    image: 'redis:7'
x-more: !!str |
  text
"""
GITHUB = b"""\
on: push
jobs:
  test:
    runs-on: ubuntu-latest
    container: node:22
    services:
      db: {image: postgres:16, ports: ["5432:5432"]}
    steps:
      - uses: docker://alpine:3.20
      - run: |
          docker build .
"""
GITLAB = b"image: python:3.13\nservices:\n  - name: postgres:16\n    alias: db\n  - redis\nbuild:\n  image:\n    name: node:22\n    entrypoint: ['']\n  script: [make]\n"
CIRCLE = b"version: 2.1\njobs:\n  build:\n    docker:\n      - image: cimg/node:22.1\n      - image: postgres:16\n    steps: [checkout]\n"
PYTHON = b'''\
# -*- coding: utf-8 -*-
"""Builds images."""
import docker
import testcontainers
from testcontainers.postgres import PostgresContainer

BASE = "debian:13"
DOCKERFILE = """\\
FROM debian:13
RUN apt-get update && apt-get install -y curl
RUN pip install flask
"""
OTHER = f"""FROM {BASE}
RUN apt-get install -y git
"""
client = docker.from_env()
client.images.build(fileobj=DOCKERFILE, tag="x")
client.containers.run("alpine:3.20", ["echo", "x"], detach=True)
with PostgresContainer("postgres:16") as postgres:
    pass
RAW = r"FROM debian:13\\nRUN x" + 'FROM a\\n' "RUN b\\n"
'''
TEMPLATE = b"""\
{# a comment #}
FROM {{ base }}:{{ tag|default("13") }}
{% if apt %}
RUN apt-get update && apt-get install -y {% for p in packages %}{{ p }} {% endfor %}
{% endif %}
RUN pip install flask
{%- raw %}
ENV A={{ x }}
{% endraw -%}
CMD ["x"]
"""
ERB = b"FROM <%= base %>\n<% packages.each do |p| %>\nRUN apt-get install -y <%= p %>\n<% end %>\nRUN pip install a\n"
MESSAGE = b"{{ label }}: {{ counts|length }} fixes\n\n{% for file in files %}- {{ file.name }}{% for fix in file.fixes %} {{ fix.name }}{% endfor %}\n{% endfor %}{{ saving }} {{ owners|join(', ') }}\n"
DIVE = b"rules:\n  lowestEfficiency: 0.95\n  highestWastedBytes: 20MB\n  highestUserWastedPercent: 0.20\n"
MIRRORS = b"""\
unqualified-search-registries = ["docker.io"]
[[registry]]
prefix = "docker.io"
location = "docker.io"
insecure = false
blocked = false
[[registry.mirror]]
location = "127.0.0.1:1/proxy"
insecure = true
"""
AUTH = json.dumps({"auths": {"docker.io": {"auth": "YTpi"}, "https://index.docker.io/v1/": {"identitytoken": "x"}},
                   "credHelpers": {"example.org": "none"}, "credsStore": "none"}).encode()  # fmt: skip
JOURNAL = json.dumps({"name": "Dockerfile", "path": "/x/Dockerfile", "root": "/x", "state": "changed", "available": 0, "suggestions": 0,
                      "error": "", "digest": "a" * 64, "settings": "b", "delivered": "", "fixes": [["merge-run", "safe", 2, "x"]],
                      "refusals": []}).encode() + b"\n"  # fmt: skip
FACTS = b'[image]\nuser = "root"\nentrypoint = ["/x"]\n[digests]\n"debian:13" = "sha256:%s"\n' % (b"d" * 64)
# small files of projects, beside those of the golden cases
PROJECT = {
    "package.json": b'{"name": "x", "scripts": {"build": "tsc -p .", "start": "node dist/a.js"}, "dependencies": {"a": "^1.0.0"}, "devDependencies": {"typescript": "5"}, "workspaces": ["packages/*"], "bin": {"x": "./a.js"}, "engines": {"node": ">=20"}}',
    "package-lock.json": b'{"lockfileVersion": 3, "packages": {"": {"name": "x"}, "node_modules/a": {"version": "1.0.0", "hasInstallScript": true, "resolved": "https://example.org/a.tgz"}}}',
    "pom.xml": b'<?xml version="1.0"?>\n<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion><groupId>a</groupId><artifactId>b</artifactId><version>1</version><packaging>jar</packaging><modules><module>m</module></modules><properties><java.version>21</java.version></properties><build><finalName>${project.artifactId}</finalName><plugins><plugin><artifactId>spring-boot-maven-plugin</artifactId><configuration><x>1</x></configuration></plugin></plugins></build></project>',
    "go.mod": b"module example.org/x\n\ngo 1.22\n\nrequire (\n\tgithub.com/a/b v1.2.3 // indirect\n)\n\nreplace github.com/a/b => ./b\n",
    "main.go": b'//go:build linux && !cgo\n\npackage main\n\nimport (\n\t"embed"\n\t"net/http"\n\t_ "time/tzdata"\n)\n\n//go:embed static/*\nvar files embed.FS\n\nfunc main() { http.ListenAndServe(":80", nil) }\n',
    "Makefile": b"CC ?= gcc\nOBJ := $(patsubst %.c,%.o,$(wildcard *.c))\nifeq ($(A),b)\nX = 1\nelse\nX = 2\nendif\nall: $(OBJ)\n\t$(CC) -o app $(OBJ) -lm\n%.o: %.c\n\t$(CC) -c $<\ninstall: all\n\tcp app /usr/local/bin\ninclude other.mk\n",
    "CMakeLists.txt": b'cmake_minimum_required(VERSION 3.10)\nproject(x C)\nset(A "b")\nadd_executable(app main.c ${A})\ntarget_link_libraries(app PRIVATE m)\nadd_subdirectory(lib)\ninstall(TARGETS app DESTINATION bin)\n',
    "Cargo.toml": b'[package]\nname = "x"\nversion = "0.1.0"\nedition = "2021"\n[dependencies]\nserde = { version = "1", features = ["derive"] }\n[[bin]]\nname = "y"\npath = "src/main.rs"\n[workspace]\nmembers = ["a", "b/*"]\n[profile.release]\nstrip = true\n',
    "requirements.txt": b"flask==3.0.0 --hash=sha256:aa\n-r other.txt\n-e .\ngit+https://example.org/a@v1#egg=a\nnumpy>=1; python_version<'3.12'\n# note\n--index-url https://example.org\n",
    "pyproject.toml": b'[build-system]\nrequires = ["hatchling"]\n[project]\nname = "x"\nversion = "1"\ndependencies = ["a>=1"]\n[project.scripts]\nx = "x:main"\n[tool.poetry.dependencies]\npython = "^3.12"\n[tool.uv]\npackage = true\n',
    "setup.cfg": b"[metadata]\nname = x\n[options]\ninstall_requires =\n    a\n    b>=1\n[options.entry_points]\nconsole_scripts =\n    x = x:main\n",
    "composer.json": b'{"name": "a/b", "require": {"php": ">=8.2", "ext-gd": "*"}, "autoload": {"psr-4": {"A\\\\": "src/", "B\\\\": ["b/"]}}, "scripts": {"post-install-cmd": ["x"]}}',
    "Gemfile": b"source 'https://rubygems.org'\ngem 'rails', '~> 7.1'\ngroup :test do\n  gem 'rspec', path: '../x'\nend\n",
    "Gemfile.lock": b"GEM\n  remote: https://rubygems.org/\n  specs:\n    rails (7.1.0)\n      actionpack (= 7.1.0)\n\nPLATFORMS\n  ruby\n\nDEPENDENCIES\n  rails\n\nBUNDLED WITH\n   2.5.0\n",
    "nginx.conf": b"events {}\nhttp { server { listen 80; root /usr/share/nginx/html; location / { try_files $uri /index.html; } include conf.d/*.conf; } }\n",
    "next.config.js": b"module.exports = { output: 'standalone', distDir: 'build' };\n",
    "angular.json": b'{"projects": {"x": {"architect": {"build": {"options": {"outputPath": "dist/x"}}}}}}',
    "vite.config.js": b"export default { build: { outDir: 'out' } }\n",
    "x.csproj": b'<Project Sdk="Microsoft.NET.Sdk.Web"><PropertyGroup><TargetFramework>net8.0</TargetFramework><AssemblyName>y</AssemblyName></PropertyGroup><ItemGroup><ProjectReference Include="..\\a\\a.csproj" /></ItemGroup></Project>',
    "pnpm-workspace.yaml": b"packages:\n  - 'packages/*'\n",
    "yarn.lock": b'# yarn lockfile v1\n\na@^1.0.0:\n  version "1.0.1"\n  resolved "https://example.org/a.tgz#x"\n',
    ".yarnrc.yml": b"nodeLinker: node-modules\nyarnPath: .yarn/releases/yarn-4.0.0.cjs\n",
    "wsgi.py": b"from flask import Flask\nimport os, sys\napp = Flask(__name__)\n@app.route('/')\ndef x(): return open('a').read()\n",
    "entrypoint.sh": b"#!/bin/bash\nset -e\nif [ \"$1\" = x ]; then exec gosu app \"$@\"; fi\ncat <<EOF\n$A\nEOF\nexec \"$@\"\n",
}  # fmt: skip
FINAL = {
    "node": b'FROM node:22\nWORKDIR /app\nCOPY . .\nRUN npm ci && npm run build\nCMD ["npm", "start"]\n',
    "java": b'FROM maven:3-eclipse-temurin-21\nWORKDIR /app\nCOPY . .\nRUN mvn -q package\nCMD ["java", "-jar", "target/b.jar"]\n',
    "go": b'FROM golang:1.22\nWORKDIR /app\nCOPY . .\nRUN go build -o /app/x .\nCMD ["/app/x"]\n',
    "c": b'FROM gcc:14\nWORKDIR /app\nCOPY . .\nRUN make && make install\nCMD ["app"]\n',
    "cmake": b'FROM debian:13\nRUN apt-get update && apt-get install -y cmake g++\nWORKDIR /app\nCOPY . .\nRUN cmake . && make\nCMD ["./app"]\n',
    "rust": b'FROM rust:1\nWORKDIR /app\nCOPY . .\nRUN cargo build --release\nCMD ["./target/release/y"]\n',
    "python": b'FROM python:3.13\nWORKDIR /app\nCOPY . .\nRUN pip install -r requirements.txt && pip install .\nCMD ["gunicorn", "wsgi:app"]\n',
    "php": b'FROM php:8.3-apache\nCOPY . /var/www/html\nRUN composer install --no-dev\n',
    "ruby": b'FROM ruby:3.3\nWORKDIR /app\nCOPY . .\nRUN bundle install\nCMD ["bundle", "exec", "rails", "server"]\n',
    "site": b'FROM nginx:1\nCOPY nginx.conf /etc/nginx/nginx.conf\nCOPY . /usr/share/nginx/html\n',
    "dotnet": b'FROM mcr.microsoft.com/dotnet/sdk:8.0\nWORKDIR /app\nCOPY . .\nRUN dotnet publish -c Release -o out\nENTRYPOINT ["dotnet", "out/y.dll"]\n',
    "sh": b'FROM debian:13\nCOPY entrypoint.sh /\nENTRYPOINT ["/entrypoint.sh"]\nCMD ["x"]\n',
}  # fmt: skip


@cache
def _cases() -> list[CaseFiles]:
    from dfopt.testing.discovery import find  # later than the instrumentation of dfopt

    return find(ROOT / "golden")


@cache
def dockerfiles() -> tuple[bytes, ...]:
    """The Dockerfiles of all golden cases, and of the trials that the suite keeps."""
    return tuple(dict.fromkeys(content for case in _cases() if (content := case.read("Dockerfile"))))


@cache
def contexts() -> tuple[dict[str, bytes], ...]:
    """Golden cases with a build context: path -> content."""
    from dfopt.testing.case_files import OWN

    found: list[dict[str, bytes]] = []
    for case in _cases():
        names = [name for name in case.context() if name not in OWN]
        files = {
            name: content
            for name in names[:CONTEXT]
            if (content := case.read(name)) is not None and len(content) < LARGEST
        }
        if files:
            found.append({"Dockerfile": case.read("Dockerfile") or b"", **files})
    return tuple(found)


@cache
def recipes() -> tuple[tuple[str, bytes], ...]:
    """The recipes that are shipped: path below a directory of recipes, and content."""
    top = ROOT / "recipes"
    return tuple((path.relative_to(top).as_posix(), path.read_bytes()) for path in sorted(top.rglob("*.toml")))


@cache
def git_repository() -> dict[str, bytes]:
    """The files of a checkout with one commit."""
    with tempfile.TemporaryDirectory(prefix="dfopt-fuzz-git-") as name:
        place = Path(name)
        (place / "Dockerfile").write_bytes(GOOD)
        settings = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "core.hooksPath=/dev/null")
        for words in (("init", "-q", "-b", "main"), ("add", "-A"), ("commit", "-q", "-m", "x")):
            subprocess.run(["git", *settings, *words], cwd=place, check=True, capture_output=True)
        with open(place / ".git/config", "a") as file:
            file.write("[user]\n\tname = a\n\temail = a@example.org\n")
        skipped = ("hooks", "info", "logs", "description")
        return {path.relative_to(place).as_posix(): path.read_bytes() for path in place.rglob("*")
                if path.is_file() and not set(path.relative_to(place).parts) & set(skipped)}  # fmt: skip


@cache
def pages() -> tuple[tuple[str, bytes], ...]:
    """Small pages of golden cases."""
    found = [
        (path.name, path.read_bytes()) for path in sorted((ROOT / "golden").glob("*.md")) if path.name != "README.md"
    ]
    return tuple((name, content[:6000].rpartition(b"\n## ")[0] or content[:6000]) for name, content in found)
