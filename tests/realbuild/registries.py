"""Package registries of one tiny package, `greet` 1.0.0, as static files: what Go, cargo, Bundler, Composer, uv, pip,
npm and Yarn ask of a registry, so that an install downloads something and no registry elsewhere is needed.

Formats: go.dev/ref/mod#goproxy-protocol and golang.org/x/mod/sumdb/dirhash; The Cargo Book, Registry Index;
guides.rubygems.org/rubygems-org-compact-index-api; getcomposer.org/doc/05-repositories.md; PEP 503 and PEP 427;
docs.npmjs.com/cli, package metadata.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from .archives import tar, tar_gz, zipped

WORD = "hello from greet"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def go_sum(files: Mapping[str, bytes]) -> str:
    """The "h1:" sum of a module's files."""
    lines = "".join(f"{sha256(data)}  {name}\n" for name, data in sorted(files.items()))
    return "h1:" + base64.b64encode(hashlib.sha256(lines.encode()).digest()).decode()


def go_module() -> tuple[dict[str, bytes], str]:
    """The files that a Go proxy serves, and the go.sum of who needs the module."""
    root = "example.test/greet@v1.0.0"
    mod = b"module example.test/greet\n\ngo 1.24\n"
    source = f'package greet\n\nfunc Word() string {{ return "{WORD}" }}\n'.encode()
    files = {f"{root}/go.mod": mod, f"{root}/greet.go": source}
    at = "go/example.test/greet/@v/"
    served = {
        at + "list": b"v1.0.0\n",
        at + "v1.0.0.info": b'{"Version": "v1.0.0", "Time": "2024-01-01T00:00:00Z"}',
        at + "v1.0.0.mod": mod,
        at + "v1.0.0.zip": zipped(files),
    }
    sums = f"example.test/greet v1.0.0 {go_sum(files)}\nexample.test/greet v1.0.0/go.mod {go_sum({'go.mod': mod})}\n"
    return served, sums


def crate(url: str) -> tuple[dict[str, bytes], str]:
    """The files of a sparse index at `url` + /cargo/, and the Cargo.lock of the package `app` that needs the crate."""
    manifest = b'[package]\nname = "greet"\nversion = "1.0.0"\nedition = "2021"\n'
    source = f'pub fn word() -> &\'static str {{ "{WORD}" }}\n'.encode()
    archive = tar_gz({"greet-1.0.0/Cargo.toml": manifest, "greet-1.0.0/src/lib.rs": source})
    entry = {"name": "greet", "vers": "1.0.0", "deps": [], "cksum": sha256(archive), "features": {}, "yanked": False}
    lock = (
        'version = 3\n\n[[package]]\nname = "app"\nversion = "0.1.0"\ndependencies = [\n "greet",\n]\n\n'
        f'[[package]]\nname = "greet"\nversion = "1.0.0"\nsource = "sparse+{url}/cargo/"\n'
        f'checksum = "{sha256(archive)}"\n'
    )
    return {
        "cargo/config.json": json.dumps({"dl": url + "/cargo/dl/{crate}-{version}.crate"}).encode(),
        "cargo/gr/ee/greet": json.dumps(entry).encode() + b"\n",
        "cargo/dl/greet-1.0.0.crate": archive,
    }, lock


_GEMSPEC = """--- !ruby/object:Gem::Specification
name: greet
version: !ruby/object:Gem::Version
  version: 1.0.0
platform: ruby
authors: [nobody]
date: 2024-01-01 00:00:00.000000000 Z
dependencies: []
description: greets
summary: greets
files: [lib/greet.rb]
require_paths: [lib]
rubygems_version: 3.6.0
required_ruby_version: !ruby/object:Gem::Requirement
  requirements: [[">=", !ruby/object:Gem::Version {version: '0'}]]
required_rubygems_version: !ruby/object:Gem::Requirement
  requirements: [[">=", !ruby/object:Gem::Version {version: '0'}]]
specification_version: 4
"""


def gem() -> dict[str, bytes]:
    """The files of a compact index below gems/."""
    source = f'module Greet\n  WORD = "{WORD}"\nend\n'.encode()
    archive = tar(
        {
            "metadata.gz": gzip.compress(_GEMSPEC.encode(), mtime=0),
            "data.tar.gz": tar_gz({"lib/greet.rb": source}),
        }
    )
    info = f"---\n1.0.0 |checksum:{sha256(archive)}\n".encode()
    listed = hashlib.md5(info, usedforsecurity=False).hexdigest()
    return {
        "gems/versions": f"created_at: 2024-01-01T00:00:00Z\n---\ngreet 1.0.0 {listed}\n".encode(),
        "gems/info/greet": info,
        "gems/names": b"---\ngreet\n",
        "gems/gems/greet-1.0.0.gem": archive,
    }


def composer_package(url: str) -> tuple[dict[str, bytes], str]:
    """The archive of a package, and the composer.lock that names it."""
    described = {"name": "example/greet", "autoload": {"psr-4": {"Greet\\": "src/"}}}
    source = f'<?php\nnamespace Greet;\nclass Word {{ public const TEXT = "{WORD}"; }}\n'.encode()
    archive = zipped({"greet/composer.json": json.dumps(described).encode(), "greet/src/Word.php": source})
    package = {
        **described,
        "version": "1.0.0",
        "type": "library",
        "dist": {
            "type": "zip",
            "url": f"{url}/composer/greet.zip",
            "reference": "1",
            "shasum": hashlib.sha1(archive, usedforsecurity=False).hexdigest(),
        },
    }
    lock = {"content-hash": "0", "packages": [package], "packages-dev": [], "plugin-api-version": "2.6.0"}
    return {"composer/greet.zip": archive}, json.dumps(lock, indent=4)


def wheel(url: str) -> tuple[dict[str, bytes], str]:
    """The files of a simple index at `url` + /simple/, and the uv.lock of the project `app` that needs the wheel."""
    name = "greet-1.0.0-py3-none-any.whl"
    about = "greet-1.0.0.dist-info"
    metadata = b"Metadata-Version: 2.1\nName: greet\nVersion: 1.0.0\n"
    parts = {
        "greet.py": f'WORD = "{WORD}"\n'.encode(),
        f"{about}/METADATA": metadata,
        f"{about}/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{one},sha256={_urlsafe(data)},{len(data)}\n" for one, data in parts.items())
    archive = zipped({**parts, f"{about}/RECORD": (record + f"{about}/RECORD,,\n").encode()})
    link = f'<a href="{url}/simple/greet/{name}#sha256={sha256(archive)}">{name}</a>'
    page = f"<!DOCTYPE html><html><body>{link}</body></html>"
    lock = (
        'version = 1\nrequires-python = ">=3.10"\n\n[[package]]\nname = "app"\nversion = "0.1.0"\n'
        'source = { virtual = "." }\ndependencies = [\n    { name = "greet" },\n]\n\n[package.metadata]\n'
        'requires-dist = [{ name = "greet" }]\n\n'
        f'[[package]]\nname = "greet"\nversion = "1.0.0"\nsource = {{ registry = "{url}/simple" }}\nwheels = [\n'
        f'    {{ url = "{url}/simple/greet/{name}", hash = "sha256:{sha256(archive)}" }},\n]\n'
    )
    return {"simple/greet/index.html": page.encode(), f"simple/greet/{name}": archive}, lock


def _urlsafe(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


def npm_package(url: str) -> tuple[dict[str, bytes], str]:
    """The files of an npm registry at `url` + /npm/, and the package-lock.json of `app` that needs the package."""
    described = {"name": "greet", "version": "1.0.0", "main": "index.js"}
    archive = tar_gz(
        {
            "package/package.json": json.dumps(described).encode(),
            "package/index.js": f'module.exports = "{WORD}";\n'.encode(),
        }
    )
    digest = base64.b64encode(hashlib.sha512(archive).digest()).decode()
    dist = {"tarball": f"{url}/npm/greet/-/greet-1.0.0.tgz", "integrity": f"sha512-{digest}"}
    about = {"name": "greet", "dist-tags": {"latest": "1.0.0"}, "versions": {"1.0.0": {**described, "dist": dist}}}
    needs = {"name": "app", "version": "1.0.0", "dependencies": {"greet": "1.0.0"}}
    found = {"version": "1.0.0", "resolved": dist["tarball"], "integrity": dist["integrity"]}
    packages = {"": needs, "node_modules/greet": found}
    lock = {"name": "app", "version": "1.0.0", "lockfileVersion": 3, "requires": True, "packages": packages}
    files = {"npm/greet/index.html": json.dumps(about).encode(), "npm/greet/-/greet-1.0.0.tgz": archive}
    return files, json.dumps(lock, indent=2)


def write(directory: Path, files: Mapping[str, bytes]) -> None:
    for name, data in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
