"""Random stacks of layers, applied to a real directory by a naive applier: the ledger must agree in everything."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from hypothesis import event, given, settings
from hypothesis import strategies as st

from dfopt.image import make_ledger
from image import applier
from image.builders import TarEntry, file, folder, hardlink, link, opaque, stack, whiteout

NAMES = st.sampled_from(["a", "b", "c"])
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
CONTENTS = st.sampled_from([b"", b"1", b"22", b"33", b"4444"])


class Writer:
    """Draws layers that a builder could have made: hardlinks lead to what is there, nothing lies below a link.

    Each file gets a time of its own, by which its bytes can be told from all others in the real directory.
    """

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.time = 1000
        self.stored: dict[int, tuple[int, str, bytes]] = {}  # time -> layer, path, content
        self.present: set[str] = set()  # regular files of the layer being drawn that may be linked to

    def layer(self, number: int) -> list[TarEntry]:
        self.present = set()
        entries = [self.entry(number) for _ in range(self.draw(st.integers(0, 7)))]
        hidden = [self.hiding() for _ in range(self.draw(st.integers(0, 2)))]
        for each in hidden:  # anywhere among the others
            entries.insert(self.draw(st.integers(0, len(entries))), each)
        return entries

    def hiding(self) -> TarEntry:
        return whiteout(self.draw(PATHS)) if self.draw(st.booleans()) else opaque(self.draw(PATHS))

    def entry(self, number: int) -> TarEntry:
        path = self.draw(PATHS)
        mode, owner = self.draw(st.sampled_from([0o644, 0o755, 0o600])), (self.draw(st.sampled_from([0, 7])), 0)
        kind = self.draw(st.sampled_from(["file", "file", "file", "folder", "link", "hardlink"]))
        gone = {other for other in self.present if path == other or path.startswith(f"{other}/")}
        if kind == "hardlink" and (targets := sorted(self.present - gone)):
            target = self.draw(st.sampled_from(targets))
            if not target.startswith(f"{path}/"):
                self.forget(path)
                self.present.add(path)
                return hardlink(path, target)
        self.forget(path)
        if kind == "folder":
            return folder(path, mode, owner)
        if kind == "link":
            return link(f"{path}.link", self.draw(PATHS))
        self.time += 1
        content = self.draw(CONTENTS)
        self.stored[self.time] = (number, f"/{path}", content)
        self.present.add(path)
        return file(path, content, mode, owner, mtime=self.time)

    def forget(self, path: str) -> None:
        """What an entry at `path` replaces: the path itself, files in the place of its parents, all below it."""
        self.present = {
            other
            for other in self.present
            if other != path and not other.startswith(f"{path}/") and not path.startswith(f"{other}/")
        }


@st.composite
def stacks(draw: st.DrawFn) -> tuple[list[list[TarEntry]], dict[int, tuple[int, str, bytes]]]:
    writer = Writer(draw)
    return [writer.layer(number) for number in range(draw(st.integers(1, 4)))], writer.stored


@given(stacks())
@settings(max_examples=200)
def test_the_ledger_agrees_with_a_real_directory(
    made: tuple[list[list[TarEntry]], dict[int, tuple[int, str, bytes]]],
) -> None:
    layers, stored = made
    with tempfile.TemporaryDirectory() as folder_name:
        base = Path(folder_name)
        root = base / "root"
        root.mkdir()
        alive_after: list[set[int]] = []
        for entries in layers:
            applier.apply(root, entries)
            alive_after.append({time for _, time in applier.inodes(root).values()})
        expected, live_bytes = applier.state(root), sum(size for size, _ in applier.inodes(root).values())
        ledger = make_ledger(stack(base, *layers).layers)

    # The merged file system is the directory.
    found = {}
    for path, node in ledger.files():
        entry = node.entry
        owner = (entry.uid, entry.gid) if os.geteuid() == 0 else (-1, -1)
        if entry.kind == "symlink":
            found[path] = ("symlink", 0, -1, -1, entry.link, "")
        else:
            content = node.inode.entry.sha256.hex() if node.inode else ""
            found[path] = (entry.kind, entry.mode, *owner, "", content)
    del found["/"]
    assert found == expected

    # Every byte that was stored is live or dead; the dead ones died in the layer in which they vanished.
    assert ledger.live_bytes == live_bytes
    assert ledger.total_bytes == sum(len(content) for _, _, content in stored.values())
    dead = sorted((each.producer, each.path, each.size, each.killer) for each in ledger.dead)
    gone = []
    for time, (number, path, content) in stored.items():
        killer = next((n for n in range(number, len(layers)) if time not in alive_after[n]), None)
        if killer is not None and content:
            gone.append((number, path, len(content), killer))
    assert dead == sorted(gone)
    assert [tally.live for tally in ledger.layers] == [
        sum(len(content) for time, (number, _, content) in stored.items() if number == n and time in alive_after[-1])
        for n in range(len(layers))
    ]

    # The kind of death, where the path alone decides it.
    for each in ledger.dead:
        event(each.kind)
        own, heirs = (
            [time for time, (n, path, _) in stored.items() if n == number and path == each.path]
            for number in (each.producer, each.killer)
        )
        lone = each.killer != each.producer and len(own) == len(heirs) == 1
        if lone and each.killed_by == each.path and heirs[0] in alive_after[each.killer]:
            same = stored[own[0]][2] == stored[heirs[0]][2]
            assert each.kind == ("metadata only" if same else "overwritten")
        if each.kind in ("deleted", "shadowed"):
            assert not any(time in alive_after[each.killer] for time in heirs)
