"""Suppression comments: each tool's spelling, and what it holds for."""

from __future__ import annotations

import pytest

from dfopt.optimizer import optimize
from dfopt.pass_selection import Options, chosen
from dfopt.passes.index import entries
from dfopt.source import Source
from dfopt.suppress import rules
from dfopt.syntax.dockerfile import parse

# apt-cleanup (DL3009) on lines 4 and 6, latest-tag (DL3006, DS-0001) on lines 2 and 5
INSTALL = "RUN apt-get update && apt-get install -y gcc"
TEXT = f"{{}}\nFROM debian\n{{}}\n{INSTALL}\nFROM ubuntu\n{INSTALL}\n"


def lines_of(comment: str, place: int, pass_name: str) -> list[int]:
    """The lines on which a pass reports, with a comment above the first FROM (0) or above the first RUN (1)."""
    text = TEXT.format(*["#" if index != place else comment for index in range(2)])
    result = optimize(Source("Dockerfile", text), Options((pass_name,)))
    assert result.problem is None
    return sorted({text.count("\n", 0, one.start) + 1 for one in [*result.applied, *result.reported]})


@pytest.mark.parametrize(
    ("comment", "place", "pass_name", "expected"),
    [
        pytest.param("#", 0, "apt-cleanup", [4, 6], id="nothing"),
        pytest.param("# dfopt: ignore=DL3009 reason=mine", 1, "apt-cleanup", [6], id="own"),
        pytest.param("# dfopt: file-ignore=size", 1, "apt-cleanup", [], id="own-file"),
        pytest.param("# hadolint ignore=DL3008,DL3009", 1, "apt-cleanup", [6], id="hadolint"),
        pytest.param("# hadolint global ignore=DL3009", 1, "apt-cleanup", [], id="hadolint-global"),
        pytest.param("# hadolint ignore=", 1, "apt-cleanup", [4, 6], id="hadolint-nothing"),
        pytest.param("#checkov:skip=CKV_DOCKER_7:we know", 1, "latest-tag", [], id="checkov"),
        pytest.param("# checkov:skip=CKV_DOCKER_7", 0, "latest-tag", [], id="checkov-blank"),
        pytest.param("#checkov:skip=CKV_DOCKER_3:another", 1, "latest-tag", [2, 5], id="checkov-other"),
        pytest.param("# trivy:ignore:DS-0001", 0, "latest-tag", [5], id="trivy-stage"),
        pytest.param("#trivy:ignore:AVD-DS-0001", 0, "latest-tag", [5], id="trivy-avd"),
        pytest.param("#trivy:ignore:ds001 #trivy:ignore:ds002", 0, "latest-tag", [5], id="trivy-short"),
        pytest.param("#trivy:ignore:ds002 #trivy:ignore:ds001:exp:2099-01-01", 0, "latest-tag", [5], id="trivy-date"),
        pytest.param("# trivy:ignore:DS-0001", 1, "latest-tag", [2, 5], id="trivy-elsewhere"),
    ],
)
def test_spelling(comment: str, place: int, pass_name: str, expected: list[int]) -> None:
    assert lines_of(comment, place, pass_name) == expected


def test_buildkit() -> None:
    """As a directive it holds for the file; above an instruction, for that one."""
    body = "FROM debian:13 AS One\n{}FROM debian:13 AS Two\nFROM debian:13\nCOPY --from=One /a /\nCOPY --from=Two / /\n"

    def names(text: str) -> list[str]:
        result = optimize(Source("Dockerfile", text), Options(("StageNameCasing",)))
        return [one.message for one in result.applied]

    assert len(names(body.format(""))) == 2
    assert names("# check=skip=StageNameCasing\n" + body.format("")) == []
    assert names(body.format("# check=skip=StageNameCasing\n")) == ["write the stage name One as one"]
    assert names(body.format("# check=error=true;skip=FromAsCasing,StageNameCasing\n")) == [
        "write the stage name One as one"
    ]
    assert len(names(body.format("# check=error=true\n"))) == 2


def test_trivy_covers_the_stage_it_stands_above() -> None:
    text = "#trivy:ignore:DS002\nFROM debian:13\nRUN true\nCMD sh\nFROM debian:13\nCMD sh\n"
    assert [rule.lines for rule in rules(parse(text))] == [(2, 4)]


@pytest.mark.parametrize("word", ["DS-0002", "ds002", "DS0002", "AVD-DS-0002", "CKV_DOCKER_3", "add-user"])
def test_codes_select(word: str) -> None:
    assert [entry.name for entry in chosen(Options((word,)))] == ["add-user"]


@pytest.mark.parametrize("code", sorted({code for entry in entries() for code in entry.codes}))
def test_every_code_selects_and_suppresses(code: str) -> None:
    assert chosen(Options((code,)))
    spelling = {"C": "#checkov:skip={}", "D": "# hadolint ignore={}"}.get(code[0], "# check=skip={}")
    if code.startswith("DS-"):
        spelling = "#trivy:ignore:{}"
    elif code.startswith(("CIS-", "DKL-")):  # of dockle, which looks at images and has no comments
        spelling = "# dfopt: ignore={}"
    (rule,) = rules(parse(f"#\n{spelling.format(code)}\nFROM debian\n"))
    assert all(rule.covers(entry.load(), 3, 3) for entry in chosen(Options((code,))))
