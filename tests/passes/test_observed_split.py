"""The split by evidence: the text that comes of what a build showed."""

from __future__ import annotations

import pytest

from dfopt.facts import Facts, RunEvidence
from dfopt.optimizer import optimize
from dfopt.pass_selection import Options
from dfopt.record import replace
from dfopt.refusal import Refusal
from dfopt.source import Source

FILE = """\
FROM debian:13
ENV DEBIAN_FRONTEND=noninteractive PORT=80
RUN apt-get update && apt-get install -y gcc libfoo2
COPY . /app
WORKDIR /app
RUN ./build-it
USER app
EXPOSE 80
CMD ["./server"]
"""
SHOWN = RunEvidence(
    "apt", ("libfoo2",), ("/app/server", "/etc/app.conf", "/etc/group", "/etc/passwd"), (("/app/pages", "7:7"),),
    (("/usr/bin/serve", "/app/server"),), (("/app", 0o750, "7:7"), ("/data", 0o755, "7:7")), True,
    80_000_000, 320_000_000,
)  # fmt: skip


class Shown(Facts):
    """A build of the file showed `evidence`; `asked`: for which images."""

    __slots__ = ("asked", "evidence")

    def __init__(self, evidence: RunEvidence | Refusal | None) -> None:
        self.evidence = evidence
        self.asked: list[str] = []

    def run_evidence(self, stage: int, base: str, image: str) -> RunEvidence | Refusal | None:
        if stage:
            return None  # of a stage that the file, as it was built, does not have
        self.asked.append(image)
        return self.evidence


def split(facts: Shown, text: str = FILE, **settings: object) -> tuple[str, list[str]]:
    """(the text behind the builder, or "" where it is as it was; reasons of refusals)."""
    options = Options(select=("multi-stage",), tiers=("unsafe",), settings={"multi-stage": settings})
    result = optimize(Source("Dockerfile", text), options, facts)
    assert not result.problem
    stage = result.output.partition("./build-it\n")[2].strip("\n") if result.changed else ""
    return stage, [report.reason for report in result.reported if report.reason]


EXPECTED = """\
FROM debian:13-slim
ENV DEBIAN_FRONTEND=noninteractive PORT=80
RUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y LEAN libfoo2 && rm -rf /var/lib/apt/lists/*
COPY --from=builder --chown=7:7 /app/pages /app/pages
COPY --from=builder /app/server /app/server
COPY --from=builder /etc/app.conf /etc/group /etc/passwd /etc/
RUN chown 7:7 /app && chmod 750 /app && mkdir -p /data && chown 7:7 /data && ln -sf /app/server /usr/bin/serve
RUN ldconfig
WORKDIR /app
USER app
EXPOSE 80
CMD ["./server"]""".replace("LEAN", "--no-install-recommends")


def test_the_new_stage() -> None:
    facts = Shown(SHOWN)
    stage, refusals = split(facts)
    assert (stage, refusals) == (EXPECTED, [])
    assert set(facts.asked) == {"debian:13-slim"}


def test_what_was_taken_away_is_taken_away_again() -> None:
    stage, refusals = split(Shown(replace(SHOWN, removed=("/etc/nginx/sites-enabled/default",))))
    assert refusals == []
    assert "RUN rm -f /etc/nginx/sites-enabled/default && chown 7:7 /app" in stage


def test_nothing_was_built() -> None:
    stage, refusals = split(Shown(None))
    assert stage == ""
    assert len(refusals) == 1  # that of the proof
    assert split(Shown(None), by="evidence") == ("", [])


def test_an_empty_image_runs_nothing() -> None:
    facts = Shown(SHOWN)
    stage, refusals = split(facts, by="minimum")
    assert stage == ""
    assert len(refusals) == 1
    assert refusals[0].startswith("an empty image cannot run `chown 7:7 /app && chmod 750 /app && mkdir -p /data")
    libraries = ("/lib/a.so", "/usr/lib/b.so")
    files, reasons = (*SHOWN.files, *libraries), dict.fromkeys(libraries, "libraries")
    bare = replace(SHOWN, packages=(), files=files, links=(), directories=(), libraries=False, reasons=reasons)
    stage, _ = split(Shown(bare), by="minimum")
    assert stage.startswith("FROM scratch\nENV ")
    assert "# libraries\nCOPY --from=builder /lib/a.so /lib/a.so\nCOPY --from=builder /usr/lib/b.so" in stage
    assert "RUN" not in stage
    assert set(facts.asked) == {"scratch"}


@pytest.mark.parametrize(
    ("evidence", "reason"),
    [
        (replace(SHOWN, files=("/app/a b",)), "unusual characters"),
        (Refusal("the image starts nothing"), "starts nothing"),
        (replace(SHOWN, saved=4_000_000), None),
        (replace(SHOWN, bytes=900_000_000, saved=20_000_000), None),
    ],
    ids=["path", "refused", "little", "small-share"],
)
def test_what_is_not_split(evidence: RunEvidence | Refusal, reason: str | None) -> None:
    stage, refusals = split(Shown(evidence), by="evidence")
    assert stage == ""
    assert [reason] == [reason for text in refusals if reason in text] if reason else refusals == []


def test_a_start_that_the_base_image_knows_alone() -> None:
    text = FILE.replace('CMD ["./server"]\n', "").replace("debian:13", "golang:1.24")
    assert split(Shown(SHOWN), text, by="evidence") == ("", ["the file does not say what the image starts"])
