"""What fixes say that they bring: every default one names bytes, layers, seconds, or the wrong result that it mends."""

from __future__ import annotations

from pathlib import Path

import pytest

from dfopt.cost import SOURCE, benefit_of, benefit_text, rebuild_benefit
from dfopt.facts import NO_FACTS, Facts
from dfopt.findings import Benefit, Finding
from dfopt.optimizer import optimize
from dfopt.pass_selection import Options
from dfopt.passes.index import entries
from dfopt.source import Source
from dfopt.workspace.facts import ContextFacts

from .tools.benefit_share import kind_of
from .tools.laws import cases

DEFAULT = {entry.name for entry in entries() if entry.default and "safe" in entry.tiers}


@pytest.mark.parametrize("name", sorted(DEFAULT))
def test_a_default_fix_says_what_it_brings(name: str) -> None:
    silent: list[str] = []
    fixes = 0
    for case in cases().values():
        if case.files.group != name:
            continue
        options = Options((name,), (), ("safe",), case.options.settings)
        for fix in optimize(case.source, options, case.facts()).applied:
            fixes += 1
            if kind_of(fix.benefit) == "nothing":
                silent.append(f"{case.name}: {fix.message}")
    assert fixes, "a default pass with no golden case of a safe fix"
    assert silent == []


@pytest.mark.parametrize(
    ("message", "seconds"),
    [
        ("a change of the sources keeps the layer of pip3 install", 22.3),
        ("a change of the sources keeps the layer of apt-get install, pip install", 31.0),
        ("go mod download before the sources: a change of them keeps its layer", 7.7),
        ("a change of the sources keeps the layer of conan install", None),
    ],
)
def test_a_rebuild_by_the_table(message: str, seconds: float | None) -> None:
    benefit = rebuild_benefit(message)
    assert (None if benefit is None else benefit.rebuild) == seconds


def test_what_a_fix_mends_is_said() -> None:
    source = Source("Dockerfile", "FROM debian:12\nRUN apt-get install curl\n")
    (fix,) = optimize(source, Options(("assume-yes",)), NO_FACTS).applied
    assert fix.benefit == Benefit(mends="a build that ends at a question", source=SOURCE)
    assert benefit_text(fix.benefit) == "mends a build that ends at a question"


def test_advice_brings_nothing_by_itself() -> None:
    assert benefit_of(Finding("assume-yes", "text", 0, 1)) is None
    assert benefit_of(Finding("assume-yes", "text", 0, 1, None, "a reason")) is not None


class Sizes(Facts):
    """The bytes of some images, and a source file that does nothing."""

    def __init__(self, sizes: dict[str, int]) -> None:
        self.sizes = sizes

    def image_bytes(self, image: str) -> int | None:
        return self.sizes.get(image)

    def digest(self, image: str) -> str | None:
        return f"sha256:{'1' * 64}"

    def context_paths(self) -> frozenset[str]:
        return frozenset(("main.c",))

    def context_file(self, path: str) -> bytes | None:
        return b"int main(void) { return 0; }\n"


SPLIT = """\
FROM gcc:14
WORKDIR /src
COPY main.c .
RUN gcc -O2 -o /usr/local/bin/app main.c
CMD ["app"]
"""
PLAIN = 'FROM node:22\nCOPY main.c /\nCMD ["node", "/main.c"]\n'


@pytest.mark.parametrize(
    ("name", "text", "sizes", "saved"),
    [
        ("multi-stage", SPLIT, {}, 1_320_000_000),
        ("multi-stage", SPLIT, {"gcc:14": 528_000_000}, 448_000_000),
        ("multi-stage", SPLIT, {"gcc:14": 528_000_000, "debian:trixie-slim": 78_500_000}, 449_500_000),
        ("swap-base", PLAIN, {"node:22": 693_000_000}, 473_000_000),
        ("swap-base", PLAIN, {"node:22": 7, "node:22-slim": 3}, 4),
        ("swap-base", PLAIN.replace("22", f"22@sha256:{'0' * 64}"), {"node:22": 7, "node:22-slim": 3}, 4),
    ],
)
def test_sizes_of_images_at_hand(name: str, text: str, sizes: dict[str, int], saved: int) -> None:
    """They stand in the place of the table's, each by itself; a figure of such sizes alone is measured."""
    options = Options((name,), (), ("safe", "unsafe"))
    (fix,) = optimize(Source("Dockerfile", text), options, Sizes(sizes)).applied
    assert fix.benefit is not None
    assert fix.benefit.bytes == saved
    assert fix.benefit.origin == ("measured" if saved == 4 else "estimated")


def test_what_the_step_removes_again_recommends_nothing() -> None:
    def saved(text: str) -> list[int]:
        applied = optimize(Source("Dockerfile", text), Options(("no-recommends",), (), ("unsafe",)), NO_FACTS).applied
        return [0 if fix.benefit is None else fix.benefit.bytes for fix in applied]

    install = "FROM debian:13-slim\nRUN apt-get update && apt-get install -y"
    (wget,) = saved(f"{install} wget\n")
    (both,) = saved(f"{install} wget gcc git\n")
    assert both > wget > 0
    assert saved(f"{install} wget git && git gc && apt-get purge -y git && apt-get autoremove -y\n") == [wget]


@pytest.mark.parametrize(("package", "least"), [("build-essential", 200_000_000), ("jq", 0)])
def test_what_the_old_base_has_is_installed_again(package: str, least: int) -> None:
    """build-essential brings nothing to an image that has a compiler, and all of it to the slim one."""

    def saved(text: str) -> int:
        (fix,) = optimize(Source("Dockerfile", text), Options(("swap-base",), (), ("unsafe",)), Sizes({})).applied
        assert fix.benefit is not None
        return fix.benefit.bytes

    gap = saved(PLAIN) - saved(PLAIN.replace("COPY", f"RUN apt-get update && apt-get install -y {package}\nCOPY"))
    assert least <= gap <= 2 * least


def test_another_base_rather_than_a_second_stage_on_that_base() -> None:
    """Where both save the same: a split takes off pip's cache besides, but so does pip-no-cache."""
    place = Path(__file__).parent / "suite" / "apps" / "flask-app"
    source = Source("Dockerfile", (place / "Dockerfile").read_text())
    facts = ContextFacts("Dockerfile", str(place), source, str(place))

    def applied(*names: str) -> set[str]:
        options = Options(names, (), ("safe", "unsafe"))
        return {fix.name for fix in optimize(source, options, facts).applied}

    assert applied("multi-stage", "swap-base", "pip-no-cache") == {"swap-base", "pip-no-cache"}
    assert applied("multi-stage", "swap-base") == {"multi-stage"}
