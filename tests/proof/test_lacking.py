"""What a failed trial of a base lacked, by the records of the old base; and the search that tries again with it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from image.builders import docker_archive, file, folder, layer, link

from dfopt.engine import EngineError
from dfopt.facts import Facts
from dfopt.image import open_archive
from dfopt.image.artifacts import ImageFiles
from dfopt.optimizer import optimize
from dfopt.pass_selection import Options
from dfopt.proof import fixes
from dfopt.proof.fixes import Verdicts, refined
from dfopt.proof.lab import Lab, ProofSettings, Smoke
from dfopt.proof.lacking import lacking_packages
from dfopt.proof.stage_builds import BuildFacts
from dfopt.proof.verdict import ImageCost, OriginalImage, ProofVerdict
from dfopt.refusal import Refusal
from dfopt.results import Result
from dfopt.source import Source

OWNED = {
    "make": ["usr/bin/make"], "gcc": ["usr/bin/gcc"], "gcc-14": ["usr/bin/x86_64-linux-gnu-gcc-14"],
    "git": ["usr/bin/git"], "libpq5": ["usr/lib/x86_64-linux-gnu/libpq.so.5"], "libc6": ["usr/lib/libc.so.6"],
    "libc6-dev": ["usr/include/stdio.h", "usr/lib/x86_64-linux-gnu/crt1.o"],
    "libpq-dev": ["usr/lib/x86_64-linux-gnu/libpq.so", "usr/lib/x86_64-linux-gnu/pkgconfig/libpq.pc"],
    "libssl-dev": ["usr/include/openssl/ssl.h"], "python3-yaml": ["usr/lib/python3/dist-packages/yaml/__init__.py"],
    "odd-tools": ["usr/bin/odd-tool"], "ca-certificates": ["usr/share/ca-certificates/a.crt"],
    "ruby3.3-dev": ["usr/include/ruby-3.3.0/ruby/ruby.h", "usr/include/ruby-3.3.0/ruby.h"],
    "jdk": ["usr/lib/jvm/bin/javac"], "tzdata": ["usr/share/zoneinfo/UTC"],
}  # fmt: skip
BASE = layer(
    folder("usr/bin"), link("usr/bin/cc", "/etc/alternatives/cc"), link("etc/alternatives/cc", "/usr/bin/gcc"),
    link("usr/bin/gcc", "x86_64-linux-gnu-gcc-14"), file("usr/bin/x86_64-linux-gnu-gcc-14", "gcc", 0o755),
    file("usr/bin/make", "make", 0o755), file("usr/bin/odd-tool", "odd", 0o755),
    file("usr/lib/jvm/bin/javac", "javac", 0o755), link("opt/java", "/usr/lib/jvm"),
    file("usr/bin/git", "git", 0o755), file("usr/local/bin/node", "node", 0o755),
    *(
        file(f"var/lib/dpkg/info/{name}.list", "".join(f"/{path}\n" for path in paths))
        for name, paths in OWNED.items()
    ),
)  # fmt: skip


@pytest.fixture
def base(tmp_path: Path) -> Iterator[ImageFiles]:
    with open_archive(docker_archive(tmp_path / "base.tar", [BASE])) as archive:
        yield ImageFiles(archive.image())


@pytest.mark.parametrize(
    ("output", "packages"),
    [
        ("all is well", []),
        ("#8 0.1 /bin/sh: 1: make: not found", ["make"]),
        ("/bin/sh: 1: eval: make: not found", ["make"]),
        ("/bin/sh: 1: /opt/java/bin/javac: not found", ["jdk"]),  # through a link in its directory's name
        ("bash: line 1: git: command not found", ["git"]),
        ("make: gcc: No such file or directory", ["gcc"]),
        ("error: linker `cc` not found", ["gcc"]),  # a link of update-alternatives, which no package owns
        ("error: command 'gcc' failed: No such file or directory", ["gcc"]),
        ('cgo: C compiler "gcc" not found: exec: "gcc": executable file not found in $PATH', ["gcc"]),
        ("a.c:1:10: fatal error: stdio.h: No such file or directory", ["libc6-dev"]),
        ("mkmf.rb can't find header files for ruby at /usr/lib/ruby/include/ruby.h", ["ruby3.3-dev"]),
        ("/usr/bin/ld: cannot find crt1.o: No such file or directory", ["libc6-dev"]),
        ("/usr/bin/ld: cannot find -lpq: No such file or directory", ["libpq-dev"]),
        ("Package libpq was not found in the pkg-config search path.", ["libpq-dev"]),
        ("fatal error: openssl/ssl.h: No such file or directory", ["libssl-dev"]),
        ("./a: error while loading shared libraries: libpq.so.5: cannot open shared object file", ["libpq5"]),
        ("ModuleNotFoundError: No module named 'yaml'", ["python3-yaml"]),
        ("fatal: unable to access: server certificate verification failed. CAfile: none", ["ca-certificates"]),
        ("zoneinfo._common.ZoneInfoNotFoundError: 'No time zone found'", ["tzdata"]),
        ("/bin/sh: 1: node: not found", []),  # no package's
        ("/bin/sh: 1: make: not found" + "\nlater" * 9000, []),  # the end of the log says what failed
    ],
)
def test_failures_name_packages_of_the_old_base(base: ImageFiles, output: str, packages: list[str]) -> None:
    assert list(lacking_packages(base, output)) == packages


TEXT = 'FROM debian:13\nRUN eval "$SETUP"\nCMD ["date"]\n'
SOURCE = Source.from_bytes(TEXT.encode())


def cost(total: int) -> ImageCost:
    return ImageCost(total, total, total, 1, 1)


class Engine:
    def remove(self, image: object) -> None:
        assert image == "part"


class Bench(Lab):
    """Knows what the parts of a build hold; `reads`: how often they were read."""

    reads = 0

    def __init__(self, files: ImageFiles) -> None:
        super().__init__(Engine(), ProofSettings())  # type: ignore[arg-type]
        self.base_files = files

    def part(self, dockerfile: bytes, path: str) -> object:  # type: ignore[override]
        assert dockerfile == b"FROM debian:13\n"
        return "part"

    def files(self, image: object) -> ImageFiles:
        self.reads += 1
        return self.base_files


def trial(
    base: ImageFiles, monkeypatch: pytest.MonkeyPatch, to: str, verdicts: list[ProofVerdict], text: Source = SOURCE
) -> tuple[Result, ProofVerdict, list[str]]:
    """What becomes of a base by trial, of which the builds end so in turn; and the texts that were built."""
    built: list[str] = []
    facts, bench = BuildFacts(text, judged=True), Bench(base)
    options = Options(("swap-base",), tiers=("safe", "unsafe"), settings={"swap-base": {"to": to, "by": "trial"}})

    def against(lab: object, base: object, dockerfile: bytes, *_: object, measure: bool) -> ProofVerdict:
        built.append(dockerfile.decode())
        return verdicts[len(built) - 1]

    def make() -> Result:
        result = optimize(text, options, facts)
        while facts.has_questions:
            facts.give_up("no engine")
            result = optimize(text, options, facts)
        return result

    monkeypatch.setattr(fixes, "compare_with_original", against)
    original = OriginalImage(None, cost(1000), frozenset())  # type: ignore[arg-type]
    result, verdict = refined(Verdicts(bench, original, "Dockerfile"), make, make(), facts)
    assert bench.reads <= 1
    return result, verdict, built


def failed(log: str) -> ProofVerdict:
    return ProofVerdict(f"it does not build: {log}", (), 0, cost(1000), None, log=log)


def smoked(output: str) -> ProofVerdict:
    return ProofVerdict("the smoke test fails", (), 0, cost(1000), cost(700), Smoke(False, output))


HOLDS = ProofVerdict("", (), 0, cost(1000), cost(800), Smoke(True, ""))
LARGER = ProofVerdict("", (), 0, cost(1000), cost(1000), Smoke(True, ""))
INSTALL = "RUN apt-get update && apt-get install -y --no-install-recommends {} && rm -rf /var/lib/apt/lists/*\n"


def test_what_a_build_and_then_a_smoke_test_lacked_is_installed(
    base: ImageFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    verdicts = [failed("/bin/sh: 1: make: not found"), smoked("sh: 1: git: not found"), HOLDS]
    result, verdict, built = trial(base, monkeypatch, "slim", verdicts)
    assert verdict.holds
    assert built == [TEXT.replace("debian:13\n", f"debian:13-slim\n{install}") for install in (
        "", INSTALL.format("make"), INSTALL.format("git make"),
    )]  # fmt: skip
    assert result.output == built[-1]
    assert result.applied[0].message.endswith("; git make added (a trial lacked git, make)")


def test_in_another_distribution_a_table_names_the_package(base: ImageFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    result, verdict, _ = trial(base, monkeypatch, "alpine", [failed("sh: make: not found"), HOLDS])
    assert verdict.holds
    assert "FROM alpine:3.22\nRUN apk add --no-cache make\n" in result.output
    result, verdict, built = trial(base, monkeypatch, "alpine", [failed("sh: odd-tool: not found"), HOLDS])
    assert (result.changed, len(built)) == (False, 1)
    assert verdict.failure == "it does not build: sh: odd-tool: not found"
    assert [report.reason for report in result.reported] == ["line 1: odd-tools is needed, and not in alpine:3.22"]


@pytest.mark.parametrize("log", ["/bin/sh: 1: node: not found", "make: *** [all] Error 1"])
def test_a_failure_that_names_nothing_of_the_old_base_ends_the_trial(
    base: ImageFiles, monkeypatch: pytest.MonkeyPatch, log: str
) -> None:
    result, verdict, built = trial(base, monkeypatch, "slim", [failed(log)])
    assert (verdict.failure, built) == (f"it does not build: {log}", [result.output])


def test_a_base_that_is_no_smaller_with_what_it_lacked_is_given_up(
    base: ImageFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    result, verdict, built = trial(base, monkeypatch, "slim", [failed("/bin/sh: 1: make: not found"), LARGER])
    assert (result.changed, verdict, len(built)) == (False, LARGER, 2)
    assert [report.reason for report in result.reported] == ["with make, which a trial lacked, it is no smaller"]


def test_nobody_asks_without_a_judge(base: ImageFiles) -> None:
    facts = BuildFacts(SOURCE)
    assert facts.lacking(0, "debian:13", "debian:13-slim") == {}
    assert not facts.has_evidence
    assert Facts().lacking(0, "debian:13", "debian:13-slim") == {}


def test_what_one_base_lacked_is_not_added_to_another(base: ImageFiles) -> None:
    facts, bench = BuildFacts(SOURCE, judged=True), Bench(base)
    for image in ("debian:13-slim", "alpine:3.22"):
        assert facts.lacking(0, "debian:13", image) == {}
    tried = TEXT.replace("debian:13", "debian:13-slim@sha256:" + "0" * 64)
    facts.learn_failure(bench, "Dockerfile", failed("sh: 1: make: not found"), tried)
    assert facts.lacking(0, "debian:13", "debian:13-slim") == {"make": "make"}
    assert facts.lacking(0, "debian:13", "alpine:3.22") == {}
    assert facts.give_up_base(tried)
    assert isinstance(facts.lacking(0, "debian:13", "debian:13-slim"), Refusal)
    assert not facts.give_up_base(tried)


def test_an_old_base_that_cannot_be_read_tells_nothing(base: ImageFiles, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreadable(lab: Lab, image: object) -> ImageFiles:
        raise EngineError("no space left on device")

    monkeypatch.setattr(Bench, "files", unreadable)
    log = "/bin/sh: 1: make: not found"
    result, verdict, built = trial(base, monkeypatch, "slim", [failed(log)])
    assert (verdict.failure, built) == (f"it does not build: {log}", [result.output])
