"""One small package for each package manager, as its registry serves it: absolute path -> content.

`name` is one that no build has seen; `payload` is what makes the package as large as it is. In what a function gives,
`{url}` stands for the registry's address (local_registry.py). `ARTEFACTS` says where the package itself lies.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import tarfile
import zipfile
from collections.abc import Mapping

Files = dict[str, bytes]
ARTEFACTS = {
    "npm": "/npm/{name}/-/{name}-1.0.0.tgz",
    "wheel": "/files/{name}-1.0.0-py3-none-any.whl",
    "module": "/go/example.com/{name}/@v/v1.0.0.zip",
}


def tar_gz(files: Mapping[str, bytes]) -> bytes:
    """A compressed tar of `files`; the same content gives the same bytes."""
    return gzip.compress(tar(files), mtime=0)


def tar(files: Mapping[str, bytes]) -> bytes:
    """A tar of `files`, without times and names of users."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as made:
        for path, content in files.items():
            member = tarfile.TarInfo(path)
            member.size, member.mode = len(content), 0o644
            made.addfile(member, io.BytesIO(content))
    return out.getvalue()


def zipped(files: Mapping[str, bytes]) -> bytes:
    """A zip of `files`."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for path, content in files.items():
            made.writestr(zipfile.ZipInfo(path), content)
    return out.getvalue()


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
    path = ARTEFACTS["npm"].format(name=name)
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
    path = ARTEFACTS["wheel"].format(name=name)
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
        ARTEFACTS["module"].format(name=name): made,
    }
