"""Images as archives: seeds of every kind, and a mutation of tar files that keeps digests and names in agreement."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import io
import json
import lzma
import random
import re
import tarfile
import zlib

from tests.tools.fuzz.mutation import Mutator

KINDS = (
    tarfile.REGTYPE, tarfile.AREGTYPE, tarfile.LNKTYPE, tarfile.SYMTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE,
    tarfile.BLKTYPE, tarfile.CONTTYPE, b"Z", b"S", b"x", b"g", b"L", b"K",
)  # fmt: skip
NAMES = (
    "..", "../x", "/etc/passwd", "a/../../b", ".", "", "a//b", "./a", ".wh.x", ".wh.", ".wh..", ".wh...", ".wh..wh..opq", "a/.wh..wh..opq", ".wh..wh.plnk",
    "manifest.json", "index.json", "oci-layout", "repositories", "blobs/sha256/x", "blobs/../x", "etc/shadow", "root/.ssh/id_rsa",
    "var/lib/dpkg/status", "lib/apk/db/installed", "var/lib/rpm/rpmdb.sqlite", "a\0b", "\x1b[2J", "\udcff", "n" * 300, "d/" * 400 + "x", "x/" * 3000,
)  # fmt: skip
PAX = ("size", "path", "linkpath", "uid", "gid", "mtime", "mode", "GNU.sparse.map", "GNU.sparse.size", "GNU.sparse.major", "GNU.sparse.minor",
       "GNU.sparse.realsize", "GNU.sparse.name", "GNU.sparse.numblocks", "SCHILY.xattr.security.capability", "hdrcharset", "charset")  # fmt: skip
DPKG = b"Package: libc6\nStatus: install ok installed\nVersion: 2.41-1\nInstalled-Size: 12000\nDepends: x (>= 1)\n\nPackage: curl\nStatus: install ok installed\nVersion: 8\nInstalled-Size: 400\n"
APK = b"C:Q1x=\nP:musl\nV:1.2\nI:400000\nS:1\n\nP:busybox\nV:1.37\nI:900\nF:bin\nR:busybox\na:0:0:755\n"

Member = tuple[tarfile.TarInfo, bytes]


def member(name: str, content: bytes = b"", kind: bytes = tarfile.REGTYPE, link: str = "", mode: int = 0o644) -> Member:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode, info.size = kind, link, mode, len(content)
    return info, content


LAYERS: tuple[list[Member], ...] = (
    [
        member("etc", kind=tarfile.DIRTYPE), member("etc/passwd", b"root:x:0:0::/root:/bin/sh\n"), member("etc/os-release", b"ID=debian\nVERSION_ID=13\n"),
        member("usr/bin/tool", b"\x7fELF\x02\x01\x01" + b"\0" * 200, mode=0o4755), member("bin", kind=tarfile.SYMTYPE, link="usr/bin"),
        member("usr/bin/hard", kind=tarfile.LNKTYPE, link="usr/bin/tool"), member("var/lib/dpkg/status", DPKG),
        member("var/cache/a", b"c" * 3000), member("dev/x", kind=tarfile.CHRTYPE),
    ],
    [
        member("var/cache/.wh.a"), member("app/key.pem", b"-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n"),
        member("app/.env", b"AWS_SECRET_ACCESS_KEY=abcdefghijklmnopqrstuvwxyz0123456789ABCD\n"), member("lib/apk/db/installed", APK),
    ],
    [member("etc/.wh..wh..opq"), member("etc/new", b"x"), member("app", kind=tarfile.SYMTYPE, link="/etc"), member("usr/.wh.bin")],
)  # fmt: skip


def pack(members: list[Member], form: int = tarfile.PAX_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form, encoding="utf-8", errors="surrogateescape") as archive:
        for info, content in members:
            try:
                archive.addfile(
                    info,
                    io.BytesIO(content + b"\0" * max(0, info.size - len(content))) if info.size < 1 << 22 else None,
                )
            except (ValueError, OverflowError, OSError):
                continue
    return out.getvalue()


def hexdigest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def config(layers: list[bytes]) -> bytes:
    return json.dumps({
        "architecture": "amd64", "os": "linux", "created": "2026-01-01T00:00:00Z",
        "config": {"Env": ["PATH=/bin", "A=b"], "Cmd": ["sh"], "User": "app", "Labels": {"a": "b"}, "ExposedPorts": {"80/tcp": {}}, "Volumes": {"/d": {}},
                   "Healthcheck": {"Test": ["CMD", "x"], "Interval": 1000000000}, "Entrypoint": ["/x"], "WorkingDir": "/app", "StopSignal": "SIGTERM"},
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hexdigest(layer) for layer in layers]},
        "history": [{"created_by": text} for text in (
            "/bin/sh -c #(nop) ADD file:x in / ", "RUN |1 A=b /bin/sh -c apt-get update # buildkit", "COPY --chown=1 a b # buildkit")]
            + [{"created_by": 'CMD ["sh"]', "empty_layer": True}],
    }).encode()  # fmt: skip


def docker_archive(layers: list[bytes]) -> bytes:
    text = config(layers)
    name = hexdigest(text) + ".json"
    manifest = json.dumps(
        [{"Config": name, "RepoTags": ["x:1"], "Layers": [f"{number}/layer.tar" for number in range(len(layers))]}]
    ).encode()
    return pack(
        [
            member(name, text),
            *[member(f"{number}/layer.tar", layer) for number, layer in enumerate(layers)],
            member("manifest.json", manifest),
        ]
    )


def oci_archive(layers: list[bytes], packed: list[bytes], media: str) -> bytes:
    blobs: dict[str, bytes] = {}

    def blob(content: bytes, kind: str) -> dict[str, object]:
        blobs[hexdigest(content)] = content
        return {"mediaType": kind, "digest": "sha256:" + hexdigest(content), "size": len(content)}

    text = blob(config(layers), "application/vnd.oci.image.config.v1+json")
    manifest = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json", "config": text,
                "layers": [blob(content, media) for content in packed]}  # fmt: skip
    entry = {**blob(json.dumps(manifest).encode(), "application/vnd.oci.image.manifest.v1+json"), "platform": {"os": "linux", "architecture": "amd64"},
             "annotations": {"org.opencontainers.image.ref.name": "x:1"}}  # fmt: skip
    index = {"schemaVersion": 2, "manifests": [entry]}
    return pack([member("oci-layout", b'{"imageLayoutVersion": "1.0.0"}'), member("index.json", json.dumps(index).encode()),
                 *[member(f"blobs/sha256/{name}", content) for name, content in blobs.items()]])  # fmt: skip


def seeds() -> list[bytes]:
    """Archives of three layers: as `docker save` makes them, and as OCI layouts with layers of every compression."""
    layers = [pack(members) for members in LAYERS]
    gnu = [pack(members, tarfile.GNU_FORMAT) for members in LAYERS]
    base = "application/vnd.oci.image.layer.v1.tar"
    made = [
        docker_archive(layers),
        docker_archive(gnu),
        docker_archive(layers[:1]),
        oci_archive(layers, layers, base),
        oci_archive(layers, [gzip.compress(layer, 6, mtime=0) for layer in layers], base + "+gzip"),
    ]
    try:
        import zstandard
    except ImportError:
        pass
    else:
        made.append(oci_archive(layers, [zstandard.compress(layer) for layer in layers], base + "+zstd"))
    return [*made, gzip.compress(made[0], mtime=0), *made, bz2.compress(made[0]), *made, lzma.compress(made[3])]


class ArchiveMutator:
    """Mutates members of an archive, and what they hold, archives among them."""

    def __init__(self, chance: random.Random, text: Mutator) -> None:
        self.chance = chance
        self.mutator = text

    def archive(self, data: bytes, depth: int = 3) -> bytes:
        """A mutated archive; bytes that are none are mutated as such."""
        chance = self.chance
        if chance.random() < 0.06:
            return self.mutator.flip(self.mutator.flip(data)) if chance.random() < 0.7 else self.mutator.truncate(data)
        for start, unpack, repack in (
            (b"\x1f\x8b", _gunzip, gzip.compress),
            (b"BZh", bz2.decompress, bz2.compress),
            (b"\xfd7zXZ", lzma.decompress, lzma.compress),
        ):
            if data.startswith(start):
                try:
                    return repack(self.archive(unpack(data), depth))
                except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError):
                    return self.mutator.text(data)
        try:
            members = _members(data)
        except (tarfile.TarError, ValueError, OSError, EOFError):
            return self.mutator.text(data)
        if not members:
            return self.mutator.text(data)
        for _ in range(chance.choice((1, 1, 2, 3))):
            members = self.member(members, depth) if members else members
        if chance.random() < 0.85:
            members = agreeing(members)
        made = pack(
            members, chance.choice((tarfile.PAX_FORMAT, tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT))
        )
        return self.header(made) if chance.random() < 0.12 else made

    def member(self, members: list[Member], depth: int) -> list[Member]:
        chance = self.chance
        at = chance.randrange(len(members))
        info, content = members[at]
        kind = chance.random()
        if kind < 0.55 and content:
            inside = info.name.endswith("layer.tar") or content[257:262] == b"ustar" or content[:2] == b"\x1f\x8b"
            new = self.archive(content, depth - 1) if inside and depth else self.mutator.json(content)
            return [*members[:at], _sized(info, new), *members[at + 1 :]]
        if kind < 0.62:
            return members[:at] + members[at + 1 :]
        if kind < 0.7:
            return [*members, (info, content)]
        if kind < 0.75:
            return [
                *members,
                member(
                    chance.choice(NAMES),
                    chance.choice((b"", b"x", DPKG, APK)),
                    chance.choice(KINDS),
                    chance.choice(NAMES),
                ),
            ]
        changed = tarfile.TarInfo(info.name)
        changed.type, changed.mode, changed.uid, changed.gid, changed.mtime = (
            info.type,
            info.mode,
            info.uid,
            info.gid,
            info.mtime,
        )
        changed.linkname, changed.size = info.linkname, info.size
        what = chance.randrange(7)
        if what == 0:
            changed.name = chance.choice((*NAMES, chance.choice(members)[0].name, info.name + "/x"))
        elif what == 1:
            changed.type = chance.choice(KINDS)
        elif what == 2:
            changed.linkname = chance.choice((*NAMES, info.name, chance.choice(members)[0].name))
        elif what == 3:
            changed.mode = chance.choice((0, 0o777, 0o6777, 0o7777777, 2**40))
        elif what == 4:
            changed.uid = chance.choice((-1, 2**31, 2**63, 1000))
        elif what == 5:
            changed.size = chance.choice((0, 1, 511, 513, 2**20))
        else:
            key = chance.choice(PAX)
            changed.pax_headers = {
                key: chance.choice(
                    ("0", "-1", "1" * 5000, "1.5", "nan", "a\0b", "x", "0,1", "0,10,5,10", "99999999999,1", info.name)
                )
            }
        return [*members[:at], (changed, content), *members[at + 1 :]]

    def header(self, data: bytes) -> bytes:
        """Changes a field of a header, and mends its checksum."""
        blocks = [at for at in range(0, len(data) - 511, 512) if data[at + 257 : at + 262] == b"ustar"]
        if not blocks:
            return data
        at = self.chance.choice(blocks)
        block = bytearray(data[at : at + 512])
        start, length = self.chance.choice(
            (
                (0, 100),
                (100, 8),
                (108, 8),
                (116, 8),
                (124, 12),
                (136, 12),
                (156, 1),
                (157, 100),
                (257, 8),
                (329, 8),
                (345, 155),
                (482, 12),
            )
        )
        field = self.chance.choice(
            (
                b"\xff" * length,
                b"\x80" + b"\0" * length,
                b"7" * length,
                b" " * length,
                b"\0" * length,
                b"-1" + b"\0" * length,
                bytes(self.chance.randrange(256) for _ in range(length)),
            )
        )
        block[start : start + length] = field[:length]
        block[148:156] = b" " * 8
        if self.chance.random() < 0.9:
            block[148:156] = b"%06o\0 " % sum(block)
        return data[:at] + bytes(block) + data[at + 512 :]


def _gunzip(data: bytes) -> bytes:
    return zlib.decompressobj(31).decompress(data, 8 << 20)


def _members(data: bytes) -> list[Member]:
    with tarfile.open(fileobj=io.BytesIO(data), encoding="utf-8", errors="surrogateescape") as archive:
        found: list[Member] = []
        for info in archive:
            file = archive.extractfile(info) if info.isreg() and not info.issparse() else None
            found.append((info, file.read(4 << 20) if file else b""))
            if len(found) > 200:
                break
        return found


def _sized(info: tarfile.TarInfo, content: bytes) -> Member:
    new = tarfile.TarInfo(info.name)
    new.type, new.mode, new.uid, new.gid, new.linkname = info.type, info.mode, info.uid, info.gid, info.linkname
    new.size = len(content)
    return new, content


def agreeing(members: list[Member]) -> list[Member]:
    """Members whose names are digests get those of their new content, wherever these are written."""
    for _ in range(4):
        renamed: dict[bytes, bytes] = {}
        for info, content in members:
            found = re.search(r"[0-9a-f]{64}", info.name)
            if found and found[0] != hexdigest(content):
                renamed[found[0].encode()] = hexdigest(content).encode()
        if not renamed:
            break
        members = [_renamed(info, content, renamed) for info, content in members]
    return members


def _renamed(info: tarfile.TarInfo, content: bytes, renamed: dict[bytes, bytes]) -> Member:
    """A member with other digests in its name, and in its content where that is JSON."""

    def new(text: bytes) -> bytes:
        return re.sub(b"|".join(renamed), lambda match: renamed[match[0]], text)

    if content[:1] in (b"{", b"["):
        content = new(content)
    if len(content) != info.size and info.isreg():
        info = _sized(info, content)[0]
    info.name = new(info.name.encode("utf-8", "surrogateescape")).decode("utf-8", "surrogateescape")
    return info, content
