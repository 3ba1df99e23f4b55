"""Inputs of the readers of build definitions: each format, with the Dockerfiles that it names."""

from __future__ import annotations

import random

from tests.tools.fuzz import seeds
from tests.tools.fuzz.model import Input

COMPOSE = b"""\
x-common: &common
  restart: always
  environment: {A: "1", B: "${B:-x}"}
include: [other.yaml]
services:
  web:
    <<: *common
    image: org/web:${TAG:-1}
    build: {context: ., dockerfile: Dockerfile, target: prod, args: [A=1, "B=${B:?none}"], tags: [org/web:2], platforms: [linux/amd64], secrets: [s]}
    read_only: true
    user: "1000:1000"
    command: ["sh", "-c", "run"]
    entrypoint: /start.sh
    ports: ["8080-8081:80-81/tcp", "127.0.0.1:443:443", {target: 90, published: "91"}]
    volumes: [".:/app", "data:/var/lib/data:ro", {type: bind, source: ./a, target: /b}]
    tmpfs: [/tmp]
    cap_drop: [ALL]
    healthcheck: {test: [CMD, curl, localhost], interval: 30s}
  api:
    extends: {file: other.yaml, service: base}
    build:
      context: a
      dockerfile_inline: |
        FROM debian:13
        RUN apt-get update && apt-get install -y curl
      additional_contexts: [base=./b, up=docker-image://debian:13]
secrets: {s: {file: ./s}}
"""
OTHER = b"services:\n  base:\n    build: {context: ., dockerfile: Dockerfile}\n    extends: {service: more}\n  more: {image: debian:13}\n"
BAKE = b"""\
variable "TAG" { default = "2" }
variable "LIST" { default = ["a", "b"] }
function "tag" {
  params = [name]
  variadic_params = more
  result = "org/${name}:${TAG}"
}
group "default" { targets = ["web", "matrix"] }
target "_common" {
  args = { A = "x-${TAG}", B = TAG, C = 3, D = null, E = upper(trimspace(" e ")) }
  labels = { "a.b" = <<EOT
    text ${TAG}
  EOT
  }
}
target "web" {
  inherits = ["_common"]
  context = "."
  dockerfile = "Dockerfile"
  contexts = { base = "./a", up = "docker-image://debian:13", lib = "target:lib" }
  tags = [tag("web"), TAG != "" ? "org/web:latest" : "", join("-", [for x in LIST : "${x}${index(LIST, 0)}"])]
  platforms = flatten([["linux/amd64"], concat(["linux/arm64"], [])])
}
target "matrix" {
  name = "m-${item.n}"
  matrix = { item = [{ n = "1", v = 2 * (3 + 1) }, { n = "2", v = -1 }] }
  dockerfile-inline = "FROM debian:13\\nRUN apt-get install -y ${item.n}\\n"
  args = { V = item.v >= 2 && !false ? "y" : format("%s-%d", "n", item.v), R = regex_replace("a1", "[0-9]+", "$${TAG}") }
}
target "lib" { context = "a" }
"""
BAKE_JSON = b'{"variable": {"T": {"default": "1"}}, "group": {"default": {"targets": ["a"]}}, "target": {"a": {"context": ".", "dockerfile": "Dockerfile", "args": {"X": "${T}"}, "tags": ["o/a:${T}"], "inherits": ["b"]}, "b": {"matrix": {"i": ["1", "2"]}, "name": "b${i}", "dockerfile-inline": "FROM a"}}}'
DEVCONTAINER = b'{\n  // a comment\n  "name": "x",\n  "build": {"dockerfile": "../Dockerfile", "context": "..", "args": {"A": "1"}, "target": "t"},\n  "dockerComposeFile": ["../compose.yaml"], "service": "web",\n  "forwardPorts": [80], /* more */\n  "postCreateCommand": "make",\n}\n'
SKAFFOLD = b"""\
apiVersion: skaffold/v4beta6
kind: Config
build:
  artifacts:
    - image: org/web
      context: .
      docker: {dockerfile: Dockerfile, target: prod, buildArgs: {A: "1"}}
    - image: org/kaniko
      context: a
      kaniko: {dockerfile: Dockerfile}
profiles:
  - name: p
    build: {artifacts: [{image: org/other, docker: {dockerfile: a/Dockerfile}}]}
"""
GITHUB = b"""\
on: push
env: {IMAGE: org/web, FILE: Dockerfile}
jobs:
  a:
    runs-on: ubuntu-latest
    strategy: {matrix: {include: [{file: Dockerfile, context: .}, {file: a/Dockerfile, context: a}]}}
    steps:
      - uses: docker/build-push-action@v6
        with:
          context: ${{ matrix.context }}
          file: ${{ matrix.file }}
          build-args: |
            A=1
            B=${{ github.sha }}
          tags: org/web:1,org/web:2
          target: prod
      - run: |
          cd a && docker build -f "$FILE" -t $IMAGE . && cd ..
          docker buildx bake -f docker-bake.hcl
        working-directory: .
"""
GITLAB = b"""\
variables: {TAG: "1", DIR: a}
.build: &build
  script:
    - docker build --pull -t org/web:$TAG -f $DIR/Dockerfile --build-arg A=1 $DIR
a:
  <<: *build
  extends: .other
  image: {name: gcr.io/kaniko-project/executor:debug, entrypoint: [""]}
  script: [[cd a, !reference [.build, script]], "/kaniko/executor --context . --dockerfile Dockerfile --destination org/x"]
.other: {before_script: ["export X=1"]}
"""
MAKE = b"""\
DIR ?= a
FILE := $(DIR)/Dockerfile
TAG = org/web:$(shell git describe)
define build
docker build -t $(TAG) -f $(1) $(2)
endef
ifeq ($(A),b)
include other.mk
endif
all: $(FILE)
\t@cd a && docker build -f $(FILE) \\
\t  --build-arg A="1 2" -t $(TAG) .
\t$(call build,Dockerfile,.)
$(DIR)/%: ; podman build $< -t $@ $(@D)
"""
SHELL = b"""\
#!/bin/bash
set -eu
cd "$(dirname "$0")"
FILE=${1:-Dockerfile}
export DIR="a"
for d in a b; do
  docker build -t "org/$d:${TAG:-1}" -f "$d/Dockerfile" "$d"
done
if [ -n "$X" ]; then pushd a; buildah bud --file=../Dockerfile . ; popd; fi
docker build - <<EOF
FROM debian:13
RUN apt-get update && apt-get install -y curl
EOF
args=(--target prod); docker buildx build "${args[@]}" -t org/x . || exit 1
"""
FORMATS = {
    "compose.yaml": COMPOSE, "docker-compose.override.yml": COMPOSE, "docker-bake.hcl": BAKE, "docker-bake.json": BAKE_JSON,
    ".devcontainer/devcontainer.json": DEVCONTAINER, "skaffold.yaml": SKAFFOLD, ".github/workflows/a.yaml": GITHUB,
    ".gitlab-ci.yml": GITLAB, "Makefile": MAKE, "build.sh": SHELL,
}  # fmt: skip


def definition(chance: random.Random) -> Input:
    path = chance.choice((*FORMATS, "docker-bake.hcl", "compose.yaml"))
    files = {
        "Dockerfile": seeds.GOOD,
        "a/Dockerfile": seeds.GOOD,
        "b/Dockerfile": seeds.GOOD,
        "other.yaml": OTHER,
        "a/x": b"",
        "other.mk": b"X = 1\n",
    }
    if chance.random() < 0.2:
        files.update(FORMATS)  # several that name one Dockerfile
    files[path] = FORMATS[path]
    argv = chance.choice((("check", path), ("check", "."), ("fix", "--check", path), ("fix", "--write", "--unsafe", path), ("plan", path), ("fix", "--check", "-O2", "Dockerfile", "a"),
                          ("fix", "--hosts", "all", "--check", path), ("check", "--select", "all", "--unsafe", "--show-refusals", "."), ("pin", "--offline", path), ("migrate", "plan", ".")))  # fmt: skip
    targets = (path, "other.yaml") if b"other.yaml" in files[path] else (path,)
    return Input("definition", files, argv, targets, writes="--write" in argv)
