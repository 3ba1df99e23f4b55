"""text, json and sarif: complete, readable by machines, and without any secret's value."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from image.builders import file, whiteout

from dfopt.image import compare, open_image, read_rules
from dfopt.knowledge import table
from dfopt.review.build import ReviewSettings
from dfopt.review.model import Reviewed
from dfopt.review.reports import FORMATS, render
from review.making import image, review, step

SECRET = "Kq8-zzTop-Yv3"
EVIL = "evil\x1b[31m\n\u202e<script>\udcff"
DOCKERFILE = f"FROM debian:13\nRUN apt-get update && apt-get install -y own\nENV API_TOKEN={SECRET}\n"
HISTORY = [
    step("base"), step(f"RUN |1 BUILD_TOKEN={SECRET} /bin/sh -c apt-get update && apt-get install -y own # buildkit"),
    step(f"ENV API_TOKEN={SECRET}", empty=True), step(f"RUN /bin/sh -c echo {EVIL!r}"),
]  # fmt: skip
ENV = [f"API_TOKEN={SECRET}", "A=1"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    layers = [
        [file("usr/bin/su", "s", mode=0o4755)],
        [file("var/lib/apt/lists/x_Packages", "p" * 400_000), file("root/.netrc", f"login a password {SECRET}\n")],
        [file(f"tmp/{EVIL}", "e" * 200_000), whiteout("root/.netrc")],
    ]
    return image(tmp_path / "one.tar", layers, HISTORY, Env=ENV)


@pytest.fixture
def one(path: Path) -> Reviewed:
    return Reviewed(review(path, DOCKERFILE, ReviewSettings(read_rules("rules:\n  highestWastedBytes: 1B\n"))))


@pytest.fixture
def two(path: Path, tmp_path: Path) -> Reviewed:
    other = image(tmp_path / "two.tar", [[file("usr/bin/su", "s", mode=0o755), file("new", "n" * 70)]], Env=["A=2"])
    contents = []
    for each in (path, other):
        with open_image(str(each)) as opened:
            contents.append(opened.read())
    before, after = review(path, DOCKERFILE), review(other)
    comparison = compare(contents[0], before.ledger, contents[1], after.ledger)
    return Reviewed(before, after, comparison)


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("everything", [False, True])
def test_no_report_tells_a_secret_or_lets_a_name_through(
    one: Reviewed, two: Reviewed, format: str, everything: bool
) -> None:
    for reviewed in (one, two):
        text = render(format, reviewed, everything=everything)
        assert SECRET not in text
        assert "\x1b" not in text
        text.encode()  # no surrogates


def test_text(one: Reviewed) -> None:
    text = render("text", one)
    assert "600 kB in 3 layers" in text
    assert "Dockerfile:2: warning [leftover] apt's package index: 400 kB in 1 file from line 2" in text
    assert "apt-cleanup would save 400 kB" in text
    assert "predicted: dfopt's passes would save 400 kB; see `dfopt fix Dockerfile`" in text
    assert "error [secret] credentials in /root/.netrc:1" in text
    assert ".dive-ci highestWastedBytes 1B: " in text
    assert "\x1b[31merror\x1b[0m" in render("text", one, color=True)


def test_text_of_a_clean_image(tmp_path: Path) -> None:
    text = render("text", Reviewed(review(image(tmp_path / "i.tar", [[file("a", "1")]]))))
    assert "No findings." in text
    assert "1 byte in 1 layers" in text


def test_tables_are_cut_and_say_so(tmp_path: Path) -> None:
    files = [file(f"bin/{n:02}", "x", mode=0o4755) for n in range(20)]
    reviewed = Reviewed(review(image(tmp_path / "i.tar", [files])))
    assert "... and 8 more notes (--all lists them)" in render("text", reviewed)
    assert "--all" not in render("text", reviewed, everything=True)


def test_text_of_two(two: Reviewed) -> None:
    text = render("text", two)
    assert "layer bytes: 600 kB -> 71 bytes (-100.0%)" in text
    assert "layers: 3 -> 1, 0 shared" in text
    assert "config Env.API_TOKEN: **** (13 characters) -> not set" in text
    assert "config Env.A: 1 -> 2" in text
    assert "changed  mode" in text


def test_json(one: Reviewed) -> None:
    document = json.loads(render("json", one))
    assert document["version"] == 1
    found = document["images"][0]
    assert (found["bytes"], found["live"]) == (600_001 + 15 + len(SECRET) + 3, 600_001)
    assert found["live"] + found["dead"] == found["bytes"]
    assert [layer["size"] for layer in found["layers"]] == [1, 400_031, 200_000]
    assert found["dockerfile"]["lines"][0]["savings"][0]["name"] == "apt-cleanup"
    assert found["dive_ci"][1]["rule"] == "highestWastedBytes"
    assert {"rule", "level", "message", "path", "layer", "line", "size", "passes"} == set(found["findings"][0])
    assert "comparison" not in document


def test_json_of_two(two: Reviewed) -> None:
    found = json.loads(render("json", two))["comparison"]
    assert found["equal"] is False
    assert {"key": "Env.API_TOKEN", "before": "**** (13 characters)", "after": None} in found["config"] or {
        "key": "Env.API_TOKEN", "before": "**** (13 characters)", "after": "not set",
    } in found["config"]  # fmt: skip
    kinds = {each["path"]: each["kind"] for each in found["files"]}
    assert (kinds["/new"], kinds["/usr/bin/su"]) == ("added", "changed")


def test_sarif(one: Reviewed) -> None:
    document = json.loads(render("sarif", one))
    run = document["runs"][0]
    rules = {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    assert rules == set(table("review_rules"))
    leftover = next(each for each in run["results"] if each["ruleId"] == "leftover")
    place = leftover["locations"][0]
    assert place["physicalLocation"] == {"artifactLocation": {"uri": "Dockerfile"}, "region": {"startLine": 2}}
    assert place["logicalLocations"][0]["fullyQualifiedName"] == "/var/lib/apt/lists/x_Packages"
    assert all(each["ruleId"] in rules and each["level"] in ("error", "warning", "note") for each in run["results"])
    prints = [each["partialFingerprints"]["dfoptReview/v1"] for each in run["results"]]
    assert len(set(prints)) > 3


def test_sarif_without_a_dockerfile(path: Path) -> None:
    run = json.loads(render("sarif", Reviewed(review(path))))["runs"][0]
    assert all("region" not in each["locations"][0]["physicalLocation"] for each in run["results"])
