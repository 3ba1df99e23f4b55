"""The package managers of test_cache_mounts.py: a Dockerfile each, and the package that it installs.

NAME stands for the package's name, URL for the registry's address.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from dfopt.record import Record

from . import local_packages as packages

# What `gem` asks of a registry beside the index, in Ruby's own format
GEM_SPECIFICATION = """\
FROM ruby:3.3-slim
RUN mkdir -p /repo/quick/Marshal.4.8 && cd /repo/quick/Marshal.4.8 && ruby -r zlib -e ' \
    one = Gem::Specification.new("NAME", "1.0.0") { |it| it.summary = "A package"; it.authors = ["Nobody"] }; \
    File.binwrite("NAME-1.0.0.gemspec.rz", Zlib.deflate(Marshal.dump(one)))'
"""
# Maven's plugins and their libraries, as Debian's packages have them
MAVEN_PLUGINS = "FROM maven:3.9\nRUN cp -rL /usr/share/maven-repo /repo\n"
DEB = """\
FROM debian:13-slim
COPY control /deb/DEBIAN/
COPY payload /deb/usr/share/NAME/
RUN echo NAME >/deb/usr/share/NAME/name && mkdir /repo && dpkg-deb --root-owner-group --build /deb /repo/NAME.deb && \
    { cat /deb/DEBIAN/control; echo "Filename: ./NAME.deb"; stat -c 'Size: %s' /repo/NAME.deb; \
      sha256sum /repo/NAME.deb | sed 's/ .*//; s/^/SHA256: /'; } >/repo/Packages
"""
RPM = """\
FROM dfopt/dnf:4
COPY NAME.spec payload /
RUN rpmbuild -bb --define '_rpmdir /repo' --define '_topdir /tmp' NAME.spec && createrepo_c /repo
"""
SPEC = """\
Name: NAME
Version: 1.0.0
Release: 1
Summary: A package of a test
License: MIT
BuildArch: noarch
%description
A package of a test.
%install
install -D -m 644 /payload %{buildroot}/usr/share/NAME/payload
echo NAME >%{buildroot}/usr/share/NAME/name
%files
/usr/share/NAME
"""
POM = """\
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>com.example</groupId>
  <artifactId>app</artifactId>
  <version>1.0.0</version>
  <properties>
    <maven.compiler.release>21</maven.compiler.release>
    <project.build.sourceEncoding>UTF-8</project.build.sourceEncoding>
    <project.build.outputTimestamp>2020-01-01T00:00:00Z</project.build.outputTimestamp>
  </properties>
  <dependencies>
    <dependency><groupId>com.example</groupId><artifactId>NAME</artifactId><version>1.0.0</version></dependency>
  </dependencies>
</project>
"""
MAIN = """\
package com.example;

public class Main {
    public static void main(String[] words) {
        System.out.println("NAME");
    }
}
"""
SETTINGS = """\
<settings>
  <mirrors><mirror><id>own</id><mirrorOf>*</mirrorOf><url>URL/repo</url></mirror></mirrors>
</settings>
"""
GRADLE = """\
repositories { maven { url 'URL/repo' } }
configurations { app }
dependencies { app 'com.example:NAME:1.0.0' }
task fetch(type: Copy) {
    from configurations.app
    into 'lib'
}
"""
NOTHING: Mapping[str, str] = MappingProxyType({})


class Case(Record):
    """`dockerfile`: its last instruction is the RUN that installs; `stamp`, which it copies before, is another file in
    the last build. `run`: what is asked of the images about the package; the answer is its name.

    `bases`: of make-bases.sh. `stand_ins`: FROM word -> Dockerfile of what is taken for it.
    `package`: what the registry has, and `artefact`, the path there of the package itself.
    `served`: Dockerfile of an image whose files below /repo the registry has too, at the same paths.
    `mounts`: their targets. `keeps`: the manager leaves its cache in the layer of the file as it was;
    `saves`: which makes the image larger by the package at least (pnpm and uv link what they install to their cache).
    """

    dockerfile: str
    run: str
    bases: tuple[str, ...]
    package: Callable[[str, bytes], packages.Files]
    artefact: str
    mounts: tuple[str, ...]
    files: Mapping[str, str] = NOTHING
    stand_ins: Mapping[str, str] = NOTHING
    served: str = ""
    keeps: bool = True
    saves: bool = True


def no_package(name: str, payload: bytes) -> packages.Files:
    """All that the registry has comes out of the image `served`."""
    return {}


def node(install: str, *mounts: str, saves: bool = True, stand_ins: Mapping[str, str] = NOTHING) -> Case:
    head = "FROM node:22-slim\nENV npm_config_registry=URL/npm/\nWORKDIR /app\nCOPY stamp package.json ./\n"
    package = '{"name": "app", "version": "1.0.0", "dependencies": {"NAME": "1.0.0"}}\n'
    return Case(
        f"{head}RUN {install}\n", "cd /app && node -p 'require(\"NAME\")'", ("node-slim",),
        packages.npm, "/npm/NAME/-/NAME-1.0.0.tgz", mounts, {"package.json": package}, stand_ins, saves=saves,
    )  # fmt: skip


CASES = {
    "apt": Case(
        "FROM debian:13-slim\nCOPY stamp /\nCOPY own.sources /etc/apt/sources.list.d/debian.sources\n"
        "COPY own.conf /etc/apt/apt.conf.d/\n"
        "RUN apt-get update && apt-get install -y NAME && rm -rf /var/lib/apt/lists/*\n",
        "cat /usr/share/NAME/name", ("debian-slim",),
        no_package, "/repo/NAME.deb", ("/var/cache/apt", "/var/lib/apt/lists"),
        {
            "own.sources": "Types: deb\nURIs: URL/repo\nSuites: ./\nTrusted: yes\n",
            "own.conf": 'Acquire::http::Proxy::127.0.0.1 "DIRECT";\n',
            "control": "Package: NAME\nVersion: 1.0.0\nArchitecture: all\nMaintainer: Nobody <nobody@example.com>\n"
            "Description: A package of a test\n",
        },
        served=DEB, saves=False,
    ),
    "pip": Case(
        "FROM python:3.13-slim\nCOPY stamp /\nRUN pip install --trusted-host 127.0.0.1 --index-url URL/simple NAME\n",
        "python3 -c 'import NAME; print(NAME.TEXT)'", ("python",),
        packages.wheel, "/files/NAME-1.0.0-py3-none-any.whl", ("/root/.cache/pip",),
    ),
    "npm": node("npm install", "/root/.npm"),
    "yarn": node("yarn install --registry URL/npm/", "/usr/local/share/.cache/yarn"),
    "pnpm": node(
        "pnpm install", "/root/.local/share/pnpm/store", "/root/.cache/pnpm", saves=False,
        stand_ins={"node:22-slim": "FROM node:22-slim\nRUN npm install -g pnpm@10 && npm cache clean --force\n"},
    ),
    "uv": Case(
        "FROM python:3.13-slim\nCOPY stamp /\nRUN uv pip install --system --index-url URL/simple NAME\n",
        "python3 -c 'import NAME; print(NAME.TEXT)'", ("python",),
        packages.wheel, "/files/NAME-1.0.0-py3-none-any.whl", ("/root/.cache/uv",),
        stand_ins={"python:3.13-slim": "FROM python:3.13-slim\nRUN pip install --no-cache-dir uv\n"}, saves=False,
    ),
    "go": Case(
        "FROM golang:1.24\nENV GOPROXY=URL/go GOSUMDB=off GOFLAGS=-mod=mod CGO_ENABLED=0\nWORKDIR /src\n"
        "COPY stamp go.mod main.go ./\nRUN go build -o /usr/local/bin/show .\n",
        "show 2>&1", ("golang",),
        packages.module, "/go/example.com/NAME/@v/v1.0.0.zip", ("/go/pkg/mod", "/root/.cache/go-build"),
        {
            "go.mod": "module example.com/show\n\ngo 1.20\n\nrequire example.com/NAME v1.0.0\n",
            "main.go": 'package main\n\nimport "example.com/NAME"\n\nfunc main() { print(NAME.Name, "\\n") }\n',
        },
    ),
    "cargo": Case(
        "FROM rust:1.85-slim\nENV CARGO_NET_OFFLINE=false\nWORKDIR /src\nCOPY stamp Cargo.toml ./\n"
        "COPY config.toml .cargo/\nCOPY main.rs src/\n"
        "RUN cargo build --release && cp target/release/show /usr/local/bin/ && rm -rf target\n",
        "show", ("rust",),
        packages.crate, "/crates/files/NAME/1.0.0/download", ("/usr/local/cargo/registry", "/usr/local/cargo/git/db"),
        {
            "Cargo.toml": '[package]\nname = "show"\nversion = "1.0.0"\nedition = "2021"\n[dependencies]\nNAME = "1"\n',
            "config.toml": '[source.crates-io]\nreplace-with = "own"\n[source.own]\nregistry = "sparse+URL/crates/"\n',
            "main.rs": 'fn main() { println!("{}", NAME::TEXT) }\n',
        },
    ),
    "bundler": Case(
        "FROM ruby:3.3-slim\nWORKDIR /app\nCOPY stamp Gemfile ./\nRUN bundle install\n",
        "cd /app && bundle exec ruby -r NAME -e 'puts TEXT'", ("ruby-slim",),
        packages.gem, "/repo/gems/NAME-1.0.0.gem", ("/usr/local/bundle/cache",),
        {"Gemfile": 'source "URL/repo/"\ngem "NAME"\n'},
    ),
    "gem": Case(
        "FROM ruby:3.3-slim\nENV GEM_HOME=/opt/gems\nCOPY stamp /\n"
        "RUN gem install --clear-sources --source URL/repo/ NAME\n",
        "ruby -r NAME -e 'puts TEXT'", ("ruby-slim",),
        packages.gem, "/repo/gems/NAME-1.0.0.gem", ("/opt/gems/cache",),
        served=GEM_SPECIFICATION,
    ),
    "composer": Case(
        "FROM composer:2\nWORKDIR /app\nCOPY stamp composer.json ./\nRUN composer install --no-interaction\n",
        "php -r 'require \"/app/vendor/autoload.php\"; echo TEXT, \"\\n\";'", ("composer",),
        packages.composer, "/composer/files/NAME.zip", ("/tmp/cache",),
        {
            "composer.json": '{"require": {"example/NAME": "1.0.0"}, "config": {"secure-http": false}, '
            '"repositories": [{"type": "composer", "url": "URL/composer"}, {"packagist.org": false}]}\n'
        },
    ),
    "apk": Case(
        "FROM alpine:3.22\nCOPY stamp /\nCOPY repositories /etc/apk/\nRUN apk add --no-cache --allow-untrusted NAME\n",
        "cat /usr/share/NAME/name && echo", ("alpine",),
        packages.apk, "/apk/x86_64/NAME-1.0.0-r0.apk", ("/etc/apk/cache",),
        {"repositories": "URL/apk\n"}, keeps=False, saves=False,
    ),
    "dnf": Case(
        "FROM rockylinux:9\nCOPY stamp /\nCOPY own.repo /etc/yum.repos.d/\nRUN dnf install -y NAME && dnf clean all\n",
        "cat /usr/share/NAME/name", ("dnf",),
        no_package, "/repo/noarch/NAME-1.0.0-1.noarch.rpm", ("/var/cache/dnf",),
        {"own.repo": "[own]\nname=own\nbaseurl=URL/repo\nenabled=1\ngpgcheck=0\n", "NAME.spec": SPEC},
        {"rockylinux:9": "FROM dfopt/dnf:4\n"}, RPM, saves=False,
    ),
    "maven": Case(
        "FROM maven:3.9\nWORKDIR /src\nCOPY stamp pom.xml ./\nCOPY Main.java src/main/java/com/example/\n"
        "RUN mvn -q compile\n",
        "java -cp /src/target/classes com.example.Main", ("maven",),
        packages.artifact, "/repo/com/example/NAME/1.0.0/NAME-1.0.0.jar", ("/root/.m2/repository",),
        {"pom.xml": POM, "Main.java": MAIN, "settings.xml": SETTINGS},
        {"maven:3.9": "FROM maven:3.9\nCOPY settings.xml /root/.m2/\n"}, MAVEN_PLUGINS,
    ),
    "gradle": Case(
        "FROM gradle:8-jdk21\nWORKDIR /src\nCOPY stamp build.gradle ./\n"
        "RUN gradle --no-daemon fetch && rm -rf .gradle\n",
        "cd /tmp && jar xf /src/lib/NAME-1.0.0.jar name && cat name && echo", ("gradle",),
        packages.artifact, "/repo/com/example/NAME/1.0.0/NAME-1.0.0.jar", ("/root/.gradle/caches",),
        {"build.gradle": GRADLE},
    ),
}  # fmt: skip
