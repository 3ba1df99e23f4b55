#!/bin/sh
# Builds the oracle: BuildKit's own Dockerfile parser, instruction parser, word expansion and LLB converter, as a program
# that prints JSON (usage: head of main.go). It compiles against the BuildKit source that Debian packages, and nothing
# else:
#   apt-get install -y --no-install-recommends golang-go golang-github-docker-docker-dev golang-github-docker-buildx-dev
# Debian 13: BuildKit 0.13 = Dockerfile syntax 1.7. About 30 s the first time, 3 s after. Usage: build.sh [OUTPUT]
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=${1:-$HOME/.cache/dfopt-oracle/oracle}
mkdir -p "$(dirname "$out")"
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
mkdir -p "$work/src/oracle"
cp "$here"/*.go "$work/src/oracle/"
cd "$work/src/oracle"
version=$(dpkg-query -W -f '${Version}' golang-github-docker-docker-dev 2>/dev/null || echo unknown)
GO111MODULE=off GOPATH="$work:/usr/share/gocode" CGO_ENABLED=0 GOFLAGS= \
    go build -ldflags "-X main.packaged=$version" -o "$out" .
echo "$out"
