"""Two images side by side."""

from __future__ import annotations

import tarfile
from pathlib import Path
from typing import Any

import pytest

from dfopt.image import Comparison, compare, make_ledger, open_archive, read_image
from image.builders import (
    TarEntry,
    contents_of,
    docker_archive,
    file,
    folder,
    hardlink,
    layer,
    link,
    node,
    opaque,
    whiteout,
)

Layers = list[list[TarEntry]]
BASE: list[TarEntry] = [folder("d"), file("d/a", "one"), link("l", "d/a"), node("n", tarfile.CHRTYPE)]


def compared(
    tmp_path: Path, before: Layers, after: Layers, old: dict[str, Any] | None = None, new: dict[str, Any] | None = None
) -> Comparison:
    sides = []
    for name, layers, settings in (("before", before, old), ("after", after, new)):
        tars = [layer(*entries) for entries in layers]
        path = docker_archive(tmp_path / f"{name}.tar", tars, config=settings or {})
        contents = contents_of(path)
        sides += [contents, make_ledger(contents.layers)]
    return compare(*sides)


def changes(result: Comparison) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(change.path, change.kind, change.fields) for change in result.files]


def capable(value: str) -> TarEntry:
    return file("d/a", "one", pax_headers={"SCHILY.xattr.security.capability": value})


SAME: dict[str, tuple[Layers, Layers]] = {
    "the same layers": ([BASE], [BASE]),
    "other layers": ([BASE], [[entry] for entry in BASE]),
    "dead bytes": ([BASE], [[*BASE, file("x", "gone")], [whiteout("x")]]),
    "other times": ([BASE], [[folder("d", mtime=9), file("d/a", "one", mtime=99), *BASE[2:]]]),
    "a directory without an entry": ([[folder("d"), file("d/a")]], [[file("d/a")]]),
    "mode of a link": ([[link("l", "x")]], [[link("l", "x", mode=0o644)]]),
    "hardlinks and copies": ([[file("a", "1"), hardlink("b", "a")]], [[file("a", "1"), file("b", "1")]]),
    "an opaque directory that brings all again": ([BASE], [BASE, [opaque("d"), file("d/a", "one")]]),
    "nothing at all": ([], [[]]),
}


@pytest.mark.parametrize("case", SAME)
def test_images_that_no_container_can_tell_apart(case: str, tmp_path: Path) -> None:
    result = compared(tmp_path, *SAME[case])
    assert changes(result) == []
    assert result.equal()


DIFFERENT: dict[str, tuple[list[TarEntry], list[tuple[str, str, tuple[str, ...]]]]] = {
    "added": ([folder("d/new"), file("d/new/x")], [("/d/new", "added", ()), ("/d/new/x", "added", ())]),
    "removed": ([whiteout("d")], [("/d", "removed", ()), ("/d/a", "removed", ())]),
    "content of the same size": ([file("d/a", "two")], [("/d/a", "changed", ("content",))]),
    "content": ([file("d/a", "three")], [("/d/a", "changed", ("content",))]),
    "mode": ([file("d/a", "one", mode=0o4755)], [("/d/a", "changed", ("mode",))]),
    "owner": ([file("d/a", "one", owner=(7, 0))], [("/d/a", "changed", ("owner",))]),
    "group": ([file("d/a", "one", owner=(0, 7))], [("/d/a", "changed", ("owner",))]),
    "mode of a directory": ([folder("d", mode=0o1777)], [("/d", "changed", ("mode",))]),
    "attributes": ([capable("x")], [("/d/a", "changed", ("attributes",))]),
    "target": ([link("l", "elsewhere")], [("/l", "changed", ("target",))]),
    "device": ([node("n", tarfile.CHRTYPE, 1, 5)], [("/n", "changed", ("device",))]),
    "type": ([link("d/a", "x")], [("/d/a", "changed", ("type",))]),
    "type of a device": ([node("n", tarfile.BLKTYPE)], [("/n", "changed", ("type",))]),
    "several": ([file("d/a", "1", mode=0o600, owner=(1, 1))], [("/d/a", "changed", ("mode", "owner", "content"))]),
    "file for a directory": ([file("d", "x")], [("/d", "changed", ("type",)), ("/d/a", "removed", ())]),
}


@pytest.mark.parametrize("case", DIFFERENT)
def test_files(case: str, tmp_path: Path) -> None:
    top, expected = DIFFERENT[case]
    result = compared(tmp_path, [BASE], [BASE, top])
    assert changes(result) == expected
    assert not result.equal()
    turned = {"added": "removed", "removed": "added", "changed": "changed"}
    back = compared(tmp_path, [BASE, top], [BASE])
    assert changes(back) == [(path, turned[kind], fields) for path, kind, fields in expected]


def test_entries_are_given_for_both_sides(tmp_path: Path) -> None:
    result = compared(tmp_path, [BASE], [BASE, [file("d/a", "three", mode=0o600), file("e")]])
    first, second = result.files
    assert first.before is not None
    assert first.after is not None
    assert (first.before.size, first.before.mode, first.after.size, first.after.mode) == (3, 0o644, 5, 0o600)
    assert second.before is None


@pytest.mark.parametrize(
    ("announced", "left"),
    [
        ([], ["/var", "/var/cache", "/var/cache/x", "/var/log"]),
        (["/var/cache"], ["/var", "/var/log"]),
        (["/var/cache/"], ["/var", "/var/log"]),
        (["/var/ca"], ["/var", "/var/cache", "/var/cache/x", "/var/log"]),
        (["/var/c*"], ["/var", "/var/log"]),
        (["*/x", "/var/log"], ["/var", "/var/cache"]),
        (["/"], []),
    ],
)
def test_what_was_announced_is_subtracted(announced: list[str], left: list[str], tmp_path: Path) -> None:
    result = compared(
        tmp_path, [BASE], [[*BASE, folder("var"), folder("var/cache"), file("var/cache/x"), file("var/log")]]
    )
    assert [change.path for change in result.without(announced).files] == left
    assert result.without(announced).before == result.before


CONFIGS: dict[str, tuple[dict[str, Any], dict[str, Any], list[tuple[str, Any, Any]]]] = {
    "same": ({"User": "app", "Env": ["A=1"]}, {"User": "app", "Env": ["A=1"]}, []),
    "empty is not set": ({"Cmd": None, "Volumes": {}}, {"User": "", "Labels": None, "Env": []}, []),
    "user": ({}, {"User": "1000"}, [("User", None, "1000")]),
    "command": ({"Cmd": ["a"]}, {"Cmd": ["b"]}, [("Cmd", ["a"], ["b"])]),
    "one variable": ({"Env": ["A=1", "B=2"]}, {"Env": ["B=3", "A=1"]}, [("Env.B", "2", "3")]),
    "variable gone": ({"Env": ["A=1"]}, {}, [("Env.A", "1", None)]),
    "variable set to nothing": ({}, {"Env": ["A="]}, [("Env.A", None, "")]),
    "label": ({"Labels": {"v": "1"}}, {"Labels": {"v": "2"}}, [("Labels.v", "1", "2")]),
    "ports": ({"ExposedPorts": {"80/tcp": {}}}, {}, [("ExposedPorts", {"80/tcp": {}}, None)]),
    "health check": (
        {"Healthcheck": {"Test": ["CMD", "x"]}}, {"Healthcheck": {"Test": ["NONE"]}},
        [("Healthcheck", {"Test": ["CMD", "x"]}, {"Test": ["NONE"]})],
    ),
    "what the builder leaves behind": ({"Image": "sha256:1", "Hostname": "x"}, {"Image": "sha256:2"}, []),
}  # fmt: skip


@pytest.mark.parametrize("case", CONFIGS)
def test_configs(case: str, tmp_path: Path) -> None:
    old, new, expected = CONFIGS[case]
    result = compared(tmp_path, [BASE], [BASE], old, new)
    assert [(change.key, change.before, change.after) for change in result.config] == expected
    assert result.equal() == (not expected)


def test_figures_and_shared_layers(tmp_path: Path) -> None:
    result = compared(tmp_path, [BASE, [file("x", "12345")], [whiteout("x")]], [BASE, [file("y", "1")]])
    before, after = result.before, result.after
    assert (before.layers, before.layer_bytes, before.live, before.dead, before.files) == (3, 8, 3, 5, 3)
    assert (after.layers, after.layer_bytes, after.live, after.dead, after.files) == (2, 4, 4, 0, 4)
    assert before.stored > after.stored > 0
    assert result.shared == 1


def test_without_hashes_nothing_is_called_equal(tmp_path: Path) -> None:
    with open_archive(docker_archive(tmp_path / "image.tar", [layer(*BASE)])) as archive:
        blind = [read_image(archive.image(), hashes=False) for _ in range(2)]
    before, after = ((contents, make_ledger(contents.layers)) for contents in blind)
    with pytest.raises(ValueError, match="read them with hashes"):
        compare(*before, *after)
