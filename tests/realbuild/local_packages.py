"""One small package for each package manager, as its registry serves it: absolute path -> content.

`name` is one that no build has seen; `payload` is what makes the package as large as it is. In what a function gives,
`{url}` stands for the registry's address (local_registry.py).
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping

from .archives import tar, tar_gz, zipped

Files = dict[str, bytes]


def npm(name: str, payload: bytes) -> Files:
    """For npm, Yarn and pnpm: the package's document (npm registry, package-metadata.md) and its tarball."""
    package = {"name": name, "version": "1.0.0", "main": "index.js"}
    tarball = tar_gz(
        {
            "package/package.json": json.dumps(package).encode(),
            "package/index.js": b'module.exports = "' + name.encode() + b'";\n',
            "package/payload": payload,
        }
    )
    path = f"/npm/{name}/-/{name}-1.0.0.tgz"
    dist = {
        "tarball": "{url}" + path,
        "shasum": hashlib.sha1(tarball).hexdigest(),
        "integrity": "sha512-" + base64.b64encode(hashlib.sha512(tarball).digest()).decode(),
    }
    document = {
        "name": name,
        "dist-tags": {"latest": "1.0.0"},
        "versions": {"1.0.0": {**package, "dist": dist}},
        "time": {"1.0.0": "2020-01-01T00:00:00.000Z", "modified": "2020-01-01T00:00:00.000Z"},
    }
    return {f"/npm/{name}": json.dumps(document).encode(), path: tarball}


def wheel(name: str, payload: bytes) -> Files:
    """For pip and uv: a page of the simple repository API (PEP 503), the wheel, and its metadata alone (PEP 658)."""
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0.0\n".encode()
    files = {
        f"{name}/__init__.py": f'TEXT = "{name}"\n'.encode(),
        f"{name}/payload": payload,
        f"{name}-1.0.0.dist-info/METADATA": metadata,
        f"{name}-1.0.0.dist-info/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},,\n" for path in (*files, f"{name}-1.0.0.dist-info/RECORD"))
    made = zipped({**files, f"{name}-1.0.0.dist-info/RECORD": record.encode()})
    path = f"/files/{name}-1.0.0-py3-none-any.whl"
    href = f"{path}#sha256={hashlib.sha256(made).hexdigest()}"
    link = f'<a href="{href}" data-dist-info-metadata="true">{path.rpartition("/")[2]}</a>'
    return {
        f"/simple/{name}/": f"<!DOCTYPE html><html><body>{link}</body></html>".encode(),
        path: made,
        f"{path}.metadata": metadata,
    }


def module(name: str, payload: bytes) -> Files:
    """For Go: a module behind the GOPROXY protocol."""
    path, top = f"example.com/{name}", f"/go/example.com/{name}/@v"
    mod = f"module {path}\n\ngo 1.20\n".encode()
    root = f"{path}@v1.0.0/"
    source = f'package {name}\n\n// Name is the package\'s name.\nconst Name = "{name}"\n'.encode()
    made = zipped({root + "go.mod": mod, root + f"{name}.go": source, root + "payload": payload})
    return {
        f"{top}/list": b"v1.0.0\n",
        f"{top}/v1.0.0.info": b'{"Version": "v1.0.0", "Time": "2020-01-01T00:00:00Z"}',
        f"{top}/v1.0.0.mod": mod,
        f"{top}/v1.0.0.zip": made,
    }


def crate(name: str, payload: bytes) -> Files:
    """For Cargo: a sparse registry (The Cargo Book, Registry Index) and the crate."""
    root = f"{name}-1.0.0/"
    made = tar_gz(
        {
            root + "Cargo.toml": f'[package]\nname = "{name}"\nversion = "1.0.0"\nedition = "2021"\n'.encode(),
            root + "src/lib.rs": f'pub const TEXT: &str = "{name}";\n'.encode(),
            root + "payload": payload,
        }
    )
    entry: dict[str, object] = {"name": name, "vers": "1.0.0", "deps": [], "features": {}, "yanked": False}
    entry["cksum"] = hashlib.sha256(made).hexdigest()
    return {
        "/crates/config.json": b'{"dl": "{url}/crates/files"}',
        f"/crates/{name[:2]}/{name[2:4]}/{name}": json.dumps(entry).encode() + b"\n",
        f"/crates/files/{name}/1.0.0/download": made,
    }


def gem(name: str, payload: bytes) -> Files:
    """For RubyGems and Bundler: a compact index (rubygems.org, Compact Index API) and the gem, below /repo."""
    specification = f"""\
--- !ruby/object:Gem::Specification
name: {name}
version: !ruby/object:Gem::Version
  version: 1.0.0
platform: ruby
authors: [Nobody]
date: 2020-01-01 00:00:00.000000000 Z
dependencies: []
files: [lib/{name}.rb, payload]
require_paths: [lib]
required_ruby_version: !ruby/object:Gem::Requirement
  requirements:
  - - ">="
    - !ruby/object:Gem::Version
      version: '0'
required_rubygems_version: !ruby/object:Gem::Requirement
  requirements:
  - - ">="
    - !ruby/object:Gem::Version
      version: '0'
rubygems_version: 3.6.0
specification_version: 4
summary: A package of a test
"""
    data = tar_gz({f"lib/{name}.rb": f'TEXT = "{name}"\n'.encode(), "payload": payload})
    made = tar({"metadata.gz": gzip.compress(specification.encode(), mtime=0), "data.tar.gz": data})
    info = f"---\n1.0.0 |checksum:{hashlib.sha256(made).hexdigest()}\n".encode()
    line = f"{name} 1.0.0 {hashlib.md5(info).hexdigest()}\n"
    return {
        "/repo/versions": f"created_at: 2020-01-01T00:00:00Z\n---\n{line}".encode(),
        "/repo/names": f"---\n{name}\n".encode(),
        f"/repo/info/{name}": info,
        f"/repo/gems/{name}-1.0.0.gem": made,
    }


def composer(name: str, payload: bytes) -> Files:
    """For Composer: a repository in one file (Composer documentation, Repositories) and the package."""
    own = {"name": f"example/{name}", "autoload": {"files": ["name.php"]}}
    source = f"<?php\nconst TEXT = '{name}';\n".encode()
    made = zipped({"composer.json": json.dumps(own).encode(), "name.php": source, "payload": payload})
    path = f"/composer/files/{name}.zip"
    dist = {"type": "zip", "url": "{url}" + path, "shasum": hashlib.sha1(made).hexdigest()}
    package = {**own, "version": "1.0.0", "dist": dist}
    return {
        "/composer/packages.json": json.dumps({"packages": {own["name"]: {"1.0.0": package}}}).encode(),
        path: made,
    }


def artifact(name: str, payload: bytes) -> Files:
    """For Maven and Gradle: a project object model and a jar with its text in a resource, below /repo."""
    pom = (
        '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
        f"<groupId>com.example</groupId><artifactId>{name}</artifactId><version>1.0.0</version></project>\n"
    ).encode()
    jar = zipped({"META-INF/MANIFEST.MF": b"Manifest-Version: 1.0\n", "name": name.encode(), "payload": payload})
    top = f"/repo/com/example/{name}/1.0.0/{name}-1.0.0"
    found: Files = {}
    for kind, content in ((".pom", pom), (".jar", jar)):
        found |= {top + kind: content, f"{top}{kind}.sha1": hashlib.sha1(content).hexdigest().encode()}
    return found


def apk(name: str, payload: bytes) -> Files:
    """For apk: an index and a package."""
    return apk_repository({name: (payload, "")})


def apk_repository(packages: Mapping[str, tuple[bytes, str]]) -> Files:
    """For apk: an index and packages of format 2 (Alpine, Apk spec), unsigned. `packages`: name -> (payload, name of
    the package that it depends on, or "")."""
    files, index = Files(), ""
    for name, (payload, needed) in packages.items():
        data = gzip.compress(
            _with_checksums({f"usr/share/{name}/name": name.encode(), f"usr/share/{name}/payload": payload})
        )
        facts = {"pkgname": name, "pkgver": "1.0.0-r0", "pkgdesc": "A package of a test", "arch": "x86_64"}
        facts |= {"size": str(len(payload)), "license": "MIT", "datahash": hashlib.sha256(data).hexdigest()}
        facts |= {"depend": needed} if needed else {}
        control = tar({".PKGINFO": "".join(f"{key} = {value}\n" for key, value in facts.items()).encode()})
        control = gzip.compress(control[:1024], mtime=0)  # the header and one block: no end of the archive
        identity = base64.b64encode(hashlib.sha1(control).digest()).decode()
        files[f"/apk/x86_64/{name}-1.0.0-r0.apk"] = made = control + data
        index += (
            f"C:Q1{identity}\nP:{name}\nV:1.0.0-r0\nA:x86_64\nS:{len(made)}\nI:{len(payload)}\nT:A package of a test\n"
            f"U:https://example.com\nL:MIT\n{f'D:{needed}' if needed else ''}\n\n".replace("\n\n\n", "\n\n")
        )
    files["/apk/x86_64/APKINDEX.tar.gz"] = tar_gz({"DESCRIPTION": b"test", "APKINDEX": index.encode()})
    return files


def _with_checksums(files: Mapping[str, bytes]) -> bytes:
    """A tar whose every file has its SHA-1 in an extended header, with the directories that hold them."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as made:
        known: set[str] = set()
        for path, content in files.items():
            parts = path.split("/")
            for above in ("/".join(parts[:count]) for count in range(1, len(parts))):
                if above not in known:
                    known.add(above)
                    member = tarfile.TarInfo(above)
                    member.type, member.mode = tarfile.DIRTYPE, 0o755
                    made.addfile(member)
            member = tarfile.TarInfo(path)
            member.size, member.mode = len(content), 0o644
            member.pax_headers = {"APK-TOOLS.checksum.SHA1": hashlib.sha1(content).hexdigest()}
            made.addfile(member, io.BytesIO(content))
    return out.getvalue()
