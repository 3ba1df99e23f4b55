"""Images, as lists of layers, on which this package is held against other programs."""

from __future__ import annotations

from image.builders import TarEntry, file, folder, hardlink, link, opaque, whiteout

BASE = [
    folder("etc"), file("etc/passwd", "root:x:0:0" * 20), folder("usr"), folder("usr/bin"), link("bin", "usr/bin"),
    file("usr/bin/tool", b"\x7fELF" * 900, mode=0o755), hardlink("usr/bin/other", "usr/bin/tool"), folder("var"),
    folder("var/cache"), *[file(f"var/cache/{n}", "c" * n) for n in range(30)], file("var/log", "x"), file("empty"),
]  # fmt: skip

IMAGES: dict[str, list[list[TarEntry]]] = {
    "one layer": [BASE],
    "files deleted one by one": [BASE, [whiteout(f"var/cache/{n}") for n in range(0, 30, 2)]],
    "directory deleted": [BASE, [whiteout("var/cache"), whiteout("none")]],
    "opaque directory": [BASE, [folder("var/cache"), opaque("var/cache"), file("var/cache/7", "seven")]],
    "opaque directory, mark last": [BASE, [folder("var/cache"), file("var/cache/7", "seven"), opaque("var/cache")]],
    "opaque directory within a kept one": [
        [*BASE, file("var/a/b/c", "1"), file("var/a/d", "22")],
        [folder("var/a/b"), opaque("var/a/b"), file("var/a/b/e", "333")],
    ],
    "opaque root": [BASE, [opaque("."), file("only", "this")]],
    "deleted and brought again": [BASE, [whiteout("var/cache"), folder("var/cache"), file("var/cache/3", "again")]],
    "one hardlink deleted": [BASE, [whiteout("usr/bin/tool")]],
    "one hardlink overwritten": [BASE, [file("usr/bin/other", "new")]],
    "both hardlinks deleted": [BASE, [whiteout("usr/bin/tool")], [whiteout("usr/bin/other")]],
    "hardlink to a lower layer": [BASE, [hardlink("usr/bin/third", "usr/bin/tool"), whiteout("usr/bin/tool")]],
    "metadata only": [BASE, [file("etc/passwd", "root:x:0:0" * 20, mode=0o600)], [file("empty", owner=(7, 7))]],
    "directory replaced by a file": [BASE, [file("var", "now a file")]],
    "file replaced by a directory": [BASE, [folder("empty"), file("empty/x", "x")]],
    "file replaced by a link": [BASE, [link("etc/passwd", "/nowhere")]],
    "link replaced by a directory": [BASE, [folder("bin"), file("bin/x", "x")]],
    "below a link of a lower layer": [BASE, [file("bin/x", "123"), whiteout("bin/tool")]],
    "below an absolute link": [[*BASE, link("lib", "/usr/bin")], [file("lib/y", "45"), opaque("lib")]],
    "the same path twice": [BASE, [file("etc/passwd", "1"), file("etc/passwd", "22")]],
    "names of all kinds": [
        [file("é/" + "n" * 150, "long"), file("sp ace", "1"), file("/leading", "22"), file("./dot/./x", "333")],
        [whiteout("é/" + "n" * 150), file("sp ace", "2222")],
    ],
}  # fmt: skip
