"""The dry run itself: what it calls a difference, and what not."""

from __future__ import annotations

from pathlib import Path

import pytest

from dryrun.allowed import Declaration
from dryrun.pool import Pool, Task
from dryrun.trial import Checks

ALL = Checks(faults=-1, cache_lost=True, start=True, split=True)
ANY = Declaration(files="any", settings=("*",), owners=("/**",), modes=("/**",))
APT = "FROM debian:13\nRUN apt-get update && apt-get install -y jq\n"
DATA = 'FROM debian:13\nRUN mkdir -p /data && chmod 777 /data\nCMD ["server", "--into", "/data"]\n'


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param("FROM debian:13\nRUN a\nRUN b\n", "FROM debian:13\nRUN a && b\n", id="joined"),
        pytest.param(
            "FROM debian:13\nRUN a | b | c\n", "FROM debian:13\nRUN (a) | (b) | (c)\n", id="calls of a pipeline"
        ),
        pytest.param(
            "FROM debian:13 AS x\nRUN a; echo > /a\nFROM debian:13 AS y\nRUN b; echo > /b\nFROM scratch\n"
            "COPY --from=x /a /\nCOPY --from=y /b /\n",
            "FROM debian:13 AS y\nRUN b; echo > /b\nFROM debian:13 AS x\nRUN a; echo > /a\nFROM scratch\n"
            "COPY --from=x /a /\nCOPY --from=y /b /\n",
            id="stages in another order",
        ),
        pytest.param(
            'FROM debian:13\nRUN date +%N > /now; echo "$RANDOM$(mktemp)" > /x\nRUN :\n',
            'FROM debian:13\nRUN date +%N > /now; echo "$RANDOM$(mktemp)" > /x; :\n',
            id="what no two builds share",
        ),
        pytest.param(
            "FROM alpine:3\nCOPY a.sh /a.sh\nRUN chmod 755 /a.sh\n",
            "FROM alpine:3\nCOPY --chmod=755 a.sh /a.sh\n",
            id="mode",
        ),
        pytest.param("FROM debian\nRUN cd /x && ./y\nRUN z\n", "FROM debian\nRUN (cd /x && ./y) && z\n", id="lacks"),
        pytest.param(
            "FROM debian:13\nRUN cp /etc/hosts /usr/bin/apt-get && chmod 0 /usr/bin/curl\nRUN a\nRUN wget x\n",
            "FROM debian:13\nRUN cp /etc/hosts /usr/bin/apt-get && chmod 0 /usr/bin/curl\nRUN a && wget x\n",
            id="one program written over",
        ),
        pytest.param("FROM scratch\nCOPY a /\n", "FROM scratch\nCOPY a /a\n", id="no shell"),
        pytest.param("FROM fedora\nRUN dnf install x\nRUN a\n", "FROM fedora\nRUN dnf install x && a\n", id="RHEL"),
    ],
)  # fmt: skip
def test_same(pool: Pool, before: str, after: str) -> None:
    (trial,) = pool.run([Task("x", before.encode(), after=after.encode(), checks=ALL)])
    assert (trial.verdict.kind, trial.verdict.detail) == ("same", "")


@pytest.mark.parametrize(
    ("before", "after", "passes", "declared"),
    [
        pytest.param(APT, APT[:-1] + " && rm -rf /var/lib/apt/lists/*\n", ("apt-cleanup",),
                     Declaration(paths=("/var/lib/apt/lists/**",)), id="index"),
        pytest.param("FROM python\nRUN pip install x\n", "FROM python\nRUN pip install --no-cache-dir x\n",
                     ("pip-no-cache",), Declaration(caches=("pip",)), id="cache"),
        pytest.param("FROM fedora\nRUN dnf install -y x\n", "FROM fedora\nRUN dnf install -y x && dnf clean all\n",
                     ("dnf-cleanup",), Declaration(caches=("dnf",)), id="clean"),
        pytest.param("FROM debian\nRUN echo > /a; chmod 4755 /a\n", "FROM debian\nRUN echo > /a; chmod 755 /a\n", (),
                     Declaration(setid=("/**",)), id="setuid"),
        pytest.param("FROM debian\nLABEL a=1\n", "FROM debian\nLABEL a=2\n", (), Declaration(settings=("Labels.*",)),
                     id="label"),
        pytest.param("FROM debian\nRUN apt-get install -y b a\n", "FROM debian\nRUN apt-get install -y a b\n",
                     ("sort-packages",), Declaration(), id="operands"),
    ],
)  # fmt: skip
def test_declared(pool: Pool, before: str, after: str, passes: tuple[str, ...], declared: Declaration) -> None:
    """What is declared is no difference; the same without the declaration is one, where the build works at all."""
    same = Task("x", before.encode(), after=after.encode(), checks=ALL, passes=passes, declared=(declared,))
    bare = Task("x", before.encode(), after=after.encode(), checks=ALL)
    one, two = (trial.verdict for trial in pool.run([same, bare]))
    assert not one.differs, one
    assert two.differs or two.kind == "both fail"


@pytest.mark.parametrize(
    ("kind", "before", "after"),
    [
        pytest.param("calls", "FROM debian\nRUN a\nRUN b\n", "FROM debian\nRUN b\nRUN a\n", id="order"),
        pytest.param("calls", "FROM debian\nRUN cd /srv\nRUN a\n", "FROM debian\nRUN cd /srv && a\n", id="directory"),
        pytest.param("calls", "FROM debian\nRUN X=1\nRUN a\n", "FROM debian\nRUN export X=1 && a\n", id="environment"),
        pytest.param("calls", "FROM debian\nRUN umask 077\nRUN a\n", "FROM debian\nRUN umask 077 && a\n", id="umask"),
        pytest.param("calls", "FROM debian\nUSER 7\nRUN a\n", "FROM debian\nRUN a\nUSER 7\n", id="user"),
        pytest.param("fails", "FROM debian\nRUN false || :\nRUN a\n", "FROM debian\nRUN false && a\n", id="failure"),
        pytest.param("files", "FROM debian\nCOPY a /a\nRUN chown 5 /a\n", "FROM debian\nCOPY a /a\n", id="owner"),
        pytest.param("files", "FROM debian\nCOPY a /a\nRUN chmod 640 /a\n", "FROM debian\nCOPY a /a\n", id="mode"),
        pytest.param("files", "FROM debian\nRUN echo a > /a\n", "FROM debian\nRUN echo b > /a\n", id="content"),
        pytest.param("config", "FROM debian\nCMD a\n", 'FROM debian\nCMD ["a"]\n', id="config"),
        pytest.param("broken", "FROM debian\nRUN a\n", "FROM debian\nRUN a\nb\n", id="no Dockerfile"),
        pytest.param("fault", "FROM debian\nRUN a; b\n", "FROM debian\nRUN a && b\n", id="a failure that is heard now"),
        pytest.param("fault", "FROM debian\nRUN a && b\n", "FROM debian\nRUN a; b\n", id="and one that is not"),
        pytest.param("fault", "FROM debian\nRUN set -e; a; b\n", "FROM debian\nRUN set -e; { a; b; } || c\n", id="-e"),
    ],
)  # fmt: skip
def test_different(pool: Pool, kind: str, before: str, after: str) -> None:
    (trial,) = pool.run([Task("x", before.encode(), after=after.encode(), checks=ALL)])
    assert trial.verdict.kind == kind, trial.verdict


@pytest.mark.parametrize(
    ("kind", "before", "after", "declared"),
    [
        pytest.param(
            "cache lost", "FROM debian\nRUN echo > /c && cat /c\n",
            "FROM debian\nRUN --mount=type=cache,target=/m echo > /m/c\n"
            "RUN --mount=type=cache,target=/m cat /m/c > /c\n",
            ANY, id="a cache that a later step relies on",
        ),
        pytest.param("start", DATA.replace("777", "755"), DATA.replace("777", "755") + "USER 7\n", ANY, id="data"),
        pytest.param(
            "start", "FROM debian\nCMD apt-get update && apt-get install -y x\n",
            "FROM debian\nCMD apt-get install -y x\n", ANY, id="no index when it runs",
        ),
        pytest.param(
            "split", DATA, 'FROM debian:13 AS b\nRUN mkdir /data && chmod 777 /data\nFROM debian:13\n'
            'COPY --from=b /data /data\nCMD ["server", "--into", "/data"]\n', Declaration(files="any"), id="mode",
        ),
        pytest.param(
            "split", "FROM debian\nRUN curl -o /opt/run https://example.org && chmod 755 /opt/run\nCMD /opt/run\n",
            "FROM debian\nCMD /opt/run\n", Declaration(files="any"), id="a program that is gone",
        ),
    ],
)  # fmt: skip
def test_modes(pool: Pool, kind: str, before: str, after: str, declared: Declaration) -> None:
    (trial,) = pool.run([Task("x", before.encode(), after=after.encode(), checks=ALL, declared=(declared,))])
    assert trial.verdict.kind == kind, trial.verdict


def test_context(pool: Pool, tmp_path: Path) -> None:
    """A script of the context runs for real, as far as .dockerignore lets it in."""
    (tmp_path / "a.sh").write_text("#!/bin/sh\necho one > /out\ntool\n")
    (tmp_path / "b.sh").write_text("#!/bin/sh\necho two > /out\n")
    (tmp_path / ".dockerignore").write_text("c*\n")
    (tmp_path / "c.sh").write_text("#!/bin/sh\n")
    texts = [f"FROM debian\nCOPY . /s\nRUN sh /s/{name}.sh\n".encode() for name in "abc"]
    pairs = ((texts[0], texts[0] + b"RUN :\n"), (texts[0], texts[1]), (texts[0], texts[2]))
    trials = pool.run(Task("x", one, tmp_path, after=two) for one, two in pairs)
    assert [trial.verdict.kind for trial in trials] == ["same", "calls", "fails"]


def test_both_fail(pool: Pool) -> None:
    texts = [f"FROM debian\nRUN exit 3\nRUN {name}\n".encode() for name in "ab"]
    (trial,) = pool.run([Task("x", texts[0], after=texts[1])])
    assert trial.verdict.kind == "both fail"


def test_windows_is_not_built(pool: Pool) -> None:
    text = b"FROM mcr.microsoft.com/windows/nanoserver\nRUN a\n"
    (trial,) = pool.run([Task("x", text, after=text + b"RUN b\n")])
    assert trial.verdict.kind == "no build"


def test_what_stays_unheard_is_no_failure(pool: Pool) -> None:
    before = b"FROM debian:13\nRUN cat 'odd name' | cat; echo done > /x\n"
    (trial,) = pool.run([Task("x", before, after=before + b"RUN :\n", passes=("pipefail",))])
    assert trial.verdict.kind == "same", trial.verdict
