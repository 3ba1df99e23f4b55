"""Live bytes, to the byte, against `umoci unpack`: another implementation, which really unpacks."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from dfopt.image import make_ledger
from image import applier
from image.builders import contents_of, gz, layer, oci_layout, plain, require
from image.samples import IMAGES


@pytest.mark.parametrize("case", IMAGES)
@pytest.mark.parametrize("pack", [plain, gz], ids=["plain", "gzip"])
def test_live_bytes_are_what_umoci_unpacks(case: str, pack: object, tmp_path: Path) -> None:
    umoci = require("umoci", "live bytes are compared with what it unpacks (Debian package umoci)")
    tars = [layer(*entries) for entries in IMAGES[case]]
    path = oci_layout(tmp_path / "image", tars, pack=pack)  # type: ignore[arg-type]
    ledger = make_ledger(contents_of(path).layers)
    rootless = [] if os.geteuid() == 0 else ["--rootless"]
    command = [umoci, "unpack", *rootless, "--image", f"{path}:latest", os.fspath(tmp_path / "bundle")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    root = tmp_path / "bundle/rootfs"
    assert ledger.live_bytes == sum(size for size, _ in applier.inodes(root).values())
    assert ledger.total_bytes == sum(len(data) for entries in IMAGES[case] for _, data in entries)
    unpacked = {path: (facts[0], facts[4], facts[5]) for path, facts in applier.state(root).items()}
    found = {
        path: (
            node.entry.kind,
            node.entry.link if node.entry.kind == "symlink" else "",
            node.inode.entry.sha256.hex() if node.inode else "",
        )
        for path, node in ledger.files()
        if path != "/"
    }
    assert found == unpacked
