"""The ledger: every way in which bytes die, with who did it; hardlinks; duplicates."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import pytest

from dfopt.image import Ledger, dive_figures, make_ledger
from dfopt.image.layers import LayerFiles
from dfopt.image.ledger import LedgerError
from dfopt.record import replace
from image.builders import (
    TarEntry,
    file,
    folder,
    hardlink,
    ledger_of,
    link,
    opaque,
    stack,
    whiteout,
)

A = file("d/a", "12345")
Death = tuple[str, int, int, int, str, str]


def deaths(ledger: Ledger) -> list[Death]:
    """path, size, producer, killer, kind, killed by"""
    return sorted((each.path, each.size, each.producer, each.killer, each.kind, each.killed_by) for each in ledger.dead)


CASES: dict[str, tuple[list[list[TarEntry]], list[Death]]] = {
    "nothing": ([], []),
    "empty layers": ([[], []], []),
    "one layer": ([[folder("d"), A]], []),
    "another file": ([[A], [file("d/b", "1")]], []),
    "directory entry again": ([[folder("d"), A], [folder("d", mode=0o700)]], []),
    "whiteout of what is not there": ([[A], [whiteout("d/none"), whiteout("none/none")]], []),
    "whiteout below a file": ([[A], [whiteout("d/a/b")]], []),
    "whiteout in its own layer": ([[A, whiteout("d/a")]], []),
    "whiteout before, in its own layer": ([[whiteout("d/a"), A]], []),
    "opaque in its own layer": ([[A, opaque("d")]], []),
    "opaque of what is not there": ([[A], [opaque("none")]], []),
    "deleted": ([[A], [whiteout("d/a")]], [("/d/a", 5, 0, 1, "deleted", "/d/a")]),
    "deleted with its directory": ([[A], [whiteout("d")]], [("/d/a", 5, 0, 1, "deleted", "/d")]),
    "deleted once": ([[A], [whiteout("d")], [whiteout("d"), whiteout("d/a")]], [("/d/a", 5, 0, 1, "deleted", "/d")]),
    "deleted two layers on": ([[A], [], [whiteout("d")]], [("/d/a", 5, 0, 2, "deleted", "/d")]),
    "overwritten": ([[A], [file("d/a", "123")]], [("/d/a", 5, 0, 1, "overwritten", "/d/a")]),
    "overwritten by the same size": ([[A], [file("d/a", "54321")]], [("/d/a", 5, 0, 1, "overwritten", "/d/a")]),
    "overwritten in its own layer": ([[A, file("d/a", "123")]], [("/d/a", 5, 0, 0, "overwritten", "/d/a")]),
    "overwritten twice": (
        [[A], [file("d/a", "1")], [file("d/a", "22")]],
        [("/d/a", 1, 1, 2, "overwritten", "/d/a"), ("/d/a", 5, 0, 1, "overwritten", "/d/a")],
    ),
    "metadata only": (
        [[A], [file("d/a", "12345", mode=0o600)], [file("d/a", "12345", owner=(1, 1))]],
        [("/d/a", 5, 0, 1, "metadata only", "/d/a"), ("/d/a", 5, 1, 2, "metadata only", "/d/a")],
    ),
    "replaced by a link": ([[A], [link("d/a", "x")]], [("/d/a", 5, 0, 1, "overwritten", "/d/a")]),
    "replaced by a directory": ([[A], [folder("d/a")]], [("/d/a", 5, 0, 1, "overwritten", "/d/a")]),
    "replaced by a directory that has no entry": (
        [[A], [file("d/a/b", "1")]], [("/d/a", 5, 0, 1, "overwritten", "/d/a/b")]
    ),
    "directory replaced by a file": ([[A], [file("d", "x")]], [("/d/a", 5, 0, 1, "overwritten", "/d")]),
    "directory replaced by a file of the same content": (
        [[A], [file("d", "12345")]], [("/d/a", 5, 0, 1, "overwritten", "/d")]
    ),
    "directory replaced by a link": ([[A], [link("d", "x")]], [("/d/a", 5, 0, 1, "overwritten", "/d")]),
    "shadowed": ([[A], [opaque("d")]], [("/d/a", 5, 0, 1, "shadowed", "/d")]),
    "shadowed below": (
        [[A, file("d/e/f", "1")], [folder("d"), opaque("d"), file("d/e/g", "22")]],
        [("/d/a", 5, 0, 1, "shadowed", "/d"), ("/d/e/f", 1, 0, 1, "shadowed", "/d")],
    ),
    "shadowed at the root": ([[A], [opaque("."), file("x", "1")]], [("/d/a", 5, 0, 1, "shadowed", "/")]),
    "shadowed and brought again": ([[A], [opaque("d"), file("d/a", "1")]], [("/d/a", 5, 0, 1, "overwritten", "/d/a")]),
    "shadowed and brought again as it was": (
        [[A], [opaque("d"), A]], [("/d/a", 5, 0, 1, "metadata only", "/d/a")]
    ),
    "deleted and brought again": ([[A], [whiteout("d"), file("d/a", "1")]], [("/d/a", 5, 0, 1, "overwritten", "/d/a")]),
    "deleted and brought as a directory": (
        [[A], [whiteout("d/a"), folder("d/a")]], [("/d/a", 5, 0, 1, "overwritten", "/d/a")]
    ),
    "hardlink alone": ([[A, hardlink("d/b", "d/a")]], []),
    "one of two names deleted": ([[A, hardlink("d/b", "d/a")], [whiteout("d/a")]], []),
    "one of two names overwritten": ([[A, hardlink("d/b", "d/a")], [file("d/b", "1")]], []),
    "both names deleted": (
        [[A, hardlink("b", "d/a")], [whiteout("d/a")], [whiteout("b")]], [("/d/a", 5, 0, 2, "deleted", "/b")]
    ),
    "both names deleted at once": (
        [[A, hardlink("d/b", "d/a")], [whiteout("d")]], [("/d/a", 5, 0, 1, "deleted", "/d")]
    ),
    "hardlink to a lower layer": ([[A], [hardlink("b", "d/a")], [whiteout("d")]], []),
    "hardlink over its own file": ([[A, hardlink("b", "d/a")], [hardlink("b", "d/a")]], []),
    "hardlink over another file": (
        [[A, file("b", "22")], [hardlink("b", "d/a")]], [("/b", 2, 0, 1, "overwritten", "/b")]
    ),
    "hardlink to a link": ([[link("l", "x"), hardlink("m", "l")], [whiteout("l")]], []),
    "hardlink through a link": ([[A, link("e", "d")], [hardlink("b", "e/a"), whiteout("d/a")]], []),
    "whiteout through a link": ([[A, link("e", "/d")], [whiteout("e/a")]], [("/d/a", 5, 0, 1, "deleted", "/e/a")]),
    "opaque through a link": ([[A, link("e", "d")], [opaque("e")]], [("/d/a", 5, 0, 1, "shadowed", "/e")]),
    "empty files count nothing": ([[file("a")], [whiteout("a")]], []),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("turned", [False, True], ids=["in order", "whiteouts last"])
def test_who_killed_what(case: str, turned: bool, tmp_path: Path) -> None:
    """In whichever order a layer lists its whiteouts, they act on lower layers only."""
    layers, expected = CASES[case]
    if turned:
        layers = [sorted(entries, key=lambda entry: "/.wh." in f"/{entry[0].name}") for entries in layers]
    ledger = ledger_of(tmp_path, *layers)
    assert deaths(ledger) == sorted(expected)
    stored = sum(len(data) for entries in layers for _, data in entries)
    assert (ledger.total_bytes, ledger.dead_bytes) == (stored, sum(death[1] for death in expected))
    assert ledger.live_bytes == ledger.total_bytes - ledger.dead_bytes


def test_tallies(tmp_path: Path) -> None:
    second = [whiteout("d"), file("b", "333"), hardlink("c", "b")]
    ledger = ledger_of(tmp_path, [folder("d"), A, file("b", "22")], second)
    assert [(t.files, t.entries, t.whiteouts, t.bytes, t.live, t.dead, t.killed) for t in ledger.layers] == [
        (2, 3, 0, 7, 0, 7, 0),
        (1, 3, 1, 3, 3, 0, 7),
    ]
    assert ledger.efficiency() == 0.3
    assert ledger_of(tmp_path).efficiency() == 1.0


def test_the_merged_file_system(tmp_path: Path) -> None:
    ledger = ledger_of(
        tmp_path,
        [folder("d", mode=0o711), A, file("b", "22"), link("l", "b")],
        [file("d/new/x", "1"), whiteout("b")],
    )  # fmt: skip
    assert [(path, node.entry.kind, node.entry.mode, node.layer) for path, node in ledger.files()] == [
        ("/", "directory", 0o755, -1),
        ("/d", "directory", 0o711, 0),
        ("/d/a", "file", 0o644, 0),
        ("/d/new", "directory", 0o755, 1),
        ("/d/new/x", "file", 0o644, 1),
        ("/l", "symlink", 0o777, 0),
    ]


def test_an_entry_below_a_link_of_a_lower_layer_is_noted(tmp_path: Path) -> None:
    ledger = ledger_of(tmp_path, [folder("usr/lib"), link("lib", "usr/lib")], [file("lib/x", "1"), file("lib/y")])
    found = [path for path, _ in ledger.files()]
    assert found == ["/", "/lib", "/usr", "/usr/lib", "/usr/lib/x", "/usr/lib/y"]
    assert len(ledger.notes) == 1
    assert (
        "entries below /lib, which leads through a link of a lower layer, are counted at /usr/lib (" in ledger.notes[0]
    )


def test_a_directory_over_a_link_hides_it(tmp_path: Path) -> None:
    ledger = ledger_of(tmp_path, [folder("usr/lib"), link("lib", "usr/lib")], [folder("lib"), file("lib/x", "1")])
    assert [path for path, _ in ledger.files()] == ["/", "/lib", "/lib/x", "/usr", "/usr/lib"]
    assert ledger.notes == ()


def test_duplicates_by_content(tmp_path: Path) -> None:
    ledger = ledger_of(
        tmp_path,
        [file("a", "same"), file("b", "same"), hardlink("c", "a"), file("dead", "same"), file("x", ""), file("y", "")],
        [file("e", "same"), whiteout("dead"), file("p", "other one"), file("q", "other one")],
    )  # fmt: skip
    assert [(found.paths, found.size, found.wasted()) for found in ledger.duplicates()] == [
        (("/p", "/q"), 9, 9),
        (("/a", "/b", "/e"), 4, 8),
    ]


def test_an_account_that_does_not_balance_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The three sums are made independently: to lose a death is noticed."""
    contents = stack(tmp_path, [A], [whiteout("d")])
    monkeypatch.setattr("dfopt.image.merged_tree.Tree._kill", lambda *_: None)
    with pytest.raises(LedgerError, match="layer 0: 5 bytes, but 0 live and 0 dead"):
        make_ledger(contents.layers)


def test_without_hashes_nothing_is_called_metadata_only(tmp_path: Path) -> None:
    contents = stack(tmp_path, [A], [file("d/a", "12345", mode=0o600)])
    blind = [
        LayerFiles(each.layer, tuple(replace(entry, sha256=b"") for entry in each.entries), 0, 0, "plain")
        for each in contents.layers
    ]
    assert [death.kind for death in make_ledger(blind).dead] == ["overwritten"]
    assert make_ledger(blind).duplicates() == []


def calls(work: Callable[[], object]) -> int:
    """How many function calls some work takes: a measure that no other load on the machine changes."""
    count = 0

    def profile(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(profile)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


def scattered(count: int) -> list[list[TarEntry]]:
    return [[file(f"d/{n}", "x") for n in range(2 * count)], [whiteout(f"d/{n}") for n in range(count)]]


def repeated_opaque(count: int) -> list[list[TarEntry]]:
    return [
        [file(f"d/{n}", "x") for n in range(count)],
        [e for n in range(count) for e in (file(f"d/{n}"), opaque("d"))],
    ]


def nested_opaque(count: int) -> list[list[TarEntry]]:
    paths = ["/".join(["d"] * depth) for depth in range(1, 60)]
    below = [file(f"{paths[-1]}/{n}", "x") for n in range(count)]
    return [below, [file(f"{paths[-1]}/n{n}") for n in range(count)] + [opaque(path) for path in paths]]


def deep(count: int) -> list[list[TarEntry]]:
    return [[file("/".join(["d"] * 500) + f"/{n}", "x") for n in range(count)], [whiteout("d")]]


@pytest.mark.parametrize("make", [scattered, repeated_opaque, nested_opaque, deep], ids=lambda make: make.__name__)
@pytest.mark.parametrize("account", [make_ledger, dive_figures], ids=["ledger", "dive"])
def test_twice_the_whiteouts_cost_no_more_than_twice(
    account: Callable[[tuple[LayerFiles, ...]], object],
    make: Callable[[int], list[list[TarEntry]]],
    tmp_path: Path,
) -> None:
    costs = []
    for count in (400, 800):
        contents = stack(tmp_path, *make(count))
        costs.append(calls(lambda contents=contents: account(contents.layers)))  # type: ignore[misc]
    assert costs[1] < 2.2 * costs[0]


def test_names_deeper_than_pythons_recursion(tmp_path: Path) -> None:
    path = "/".join("d" for _ in range(2000))
    ledger = ledger_of(tmp_path, [file(path, "x")], [whiteout("d")])
    assert ledger.dead_bytes == 1
    assert dive_figures(stack(tmp_path, [file(path, "x")], [whiteout("d")]).layers).efficiency == 1.0


@pytest.mark.parametrize("marker", [opaque("d"), whiteout("d")], ids=["opaque", "whiteout"])
def test_a_directory_hidden_and_implied_by_the_same_layer_is_a_new_one(tmp_path: Path, marker: TarEntry) -> None:
    """Wherever in the layer the marker stands: what lower layers said of the directory is gone with it."""
    for upper in ((marker, file("d/e/a", "1")), (file("d/e/a", "1"), marker)):
        ledger = ledger_of(tmp_path, [folder("d/e", 0o700)], upper)
        assert {path: node.entry.mode for path, node in ledger.files()}["/d/e"] == 0o755


def test_a_whiteout_spares_what_its_own_layer_brought_in_the_place_of_a_file(tmp_path: Path) -> None:
    ledger = ledger_of(tmp_path, [folder("c"), file("c/a", "old")], [file("c/a/a", "new"), whiteout("c")])
    assert [path for path, _ in ledger.files()] == ["/", "/c", "/c/a", "/c/a/a"]
