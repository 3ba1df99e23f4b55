"""`fix --verify` asks the build where `fix` must refuse: what it shows turns refusals into fixes that hold."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dfopt.cli.entry import main
from dfopt.record import Record

from .engine import Engine
from .leftovers import leftovers

# A library of the system that no table names, so that nothing but the program itself tells its package
DATABASE = """\
#include <stdio.h>
char *db_version(int *major, int *minor, int *patch);
int main(void) { return puts(db_version(0, 0, 0)) < 0; }
"""
ANSWER = '#include <stdio.h>\nint main(void) { return puts("42") < 0; }\n'
LINKED = """\
FROM gcc:14
WORKDIR /src
COPY version.c .
RUN gcc -o /usr/local/bin/version version.c -ldb-5.3
CMD ["/usr/local/bin/version"]
"""
STAGES = """\
FROM gcc:14 AS build
WORKDIR /src
COPY answer.c build.sh ./
RUN sh build.sh
FROM debian:13
COPY --from=build /out/answer /srv/answer
CMD ["/srv/answer"]
"""
SERVER = """\
FROM {base}
WORKDIR /srv
RUN mkdir bin && printf '#!/bin/sh\\nexec nc -lk -p 8080 -e cat\\n' >bin/serve.sh && chmod +x bin/serve.sh
{last}
"""
TRIED = 'FROM debian:13-slim\nCOPY run.sh /srv/\nCMD ["sh", "/srv/run.sh", "date"]\n'
STATIC, DYNAMIC = (f"mkdir -p /out && gcc {flags} -o /out/answer answer.c\n" for flags in ("-static", "-O1"))
TO = '[passes.swap-base]\nto = "{}"\n'
BY_TRIAL = '[passes.swap-base]\nto = "{}"\nby = "trial"\n'
HARDENED = BY_TRIAL.format("chainguard-static")
TO_STATIC = {"dfopt.toml": TO.format("distroless-static")}
# What a base image of one's own starts before the words of CMD
HARMLESS, DROPS = (f'#!/bin/sh\nset -e\numask 022\n{last} "$@"\n' for last in ("exec", "exec su-exec nobody"))


class Case(Record):
    """`words`: of both command lines; `more`: of the one that builds; `refused`: why `fix` does not act; `gains`: lines
    of the file that `fix --verify` writes; `told`: what its messages say; `bases`: images that are needed."""

    files: dict[str, str]
    words: tuple[str, ...]
    more: tuple[str, ...]
    refused: str
    gains: tuple[str, ...]
    told: str = ""
    bases: tuple[str, ...] = ()


CASES = {
    "multi-stage: the package of a library": Case(
        {"Dockerfile": LINKED, "version.c": DATABASE}, ("--select", "multi-stage"),
        ("--smoke", "/usr/local/bin/version"),
        "the package of the library db-5.3, linked in line 4, is not known",
        ("FROM debian:trixie-slim", "/usr/local/bin/version /usr/local/bin/version", "libdb5.3t64"),
        bases=("gcc",),
    ),
    "swap-base: a program that its builder links statically": Case(
        {"Dockerfile": STAGES, "answer.c": ANSWER, "build.sh": STATIC, "dfopt.toml": TO.format("alpine")},
        ("--select", "swap-base"), ("--smoke", "/srv/answer"),
        "line 6: which libraries the files of another stage or image need is not known", ("FROM alpine:3.22",),
        bases=("gcc",),
    ),
    "swap-base: libraries that distroless has": Case(
        {"Dockerfile": STAGES, "answer.c": ANSWER, "build.sh": DYNAMIC, "dfopt.toml": TO.format("distroless-base")},
        ("--select", "swap-base"), ("--smoke", "/srv/answer"),
        "line 6: what /out/answer holds is not known", ("FROM gcr.io/distroless/base-debian13",),
        bases=("gcc", "distroless-base"),
    ),
    "swap-base: by trial, what a script runs": Case(
        {"Dockerfile": TRIED, "run.sh": 'set -e\neval "$1"\n', "dfopt.toml": BY_TRIAL.format("alpine")},
        ("--select", "swap-base"), ("--smoke", "sh /srv/run.sh date"), "line 3: what eval runs is not known",
        ("FROM alpine:3.22",), "the smoke test decided: line 3: what eval runs is not known",
    ),
    "swap-base: by trial, an image that its maker hardens": Case(
        {"Dockerfile": STAGES, "answer.c": ANSWER, "build.sh": STATIC, "dfopt.toml": HARDENED},
        ("--select", "swap-base"), ("--smoke", "/srv/answer"),
        "what cgr.dev/chainguard/static:latest holds is known from documents alone",
        ("FROM cgr.dev/chainguard/static:latest",), bases=("gcc",),
    ),
    "add-user: the start script of a base image": Case(
        {"Dockerfile": SERVER.format(base="example/harmless:1", last='CMD ["nc", "-lk", "-p", "8080", "-e", "cat"]')},
        ("--select", "add-user"), ("--smoke", "test $(id -u) -lt 20000"),
        "whether example/harmless:1 runs as root is not known", ("USER 10001",),
    ),
    "add-user: a start script that a step writes": Case(
        {"Dockerfile": SERVER.format(base="busybox:1.37", last='CMD ["/srv/bin/serve.sh"]')},
        ("--select", "add-user"), (), "what serve.sh does is not known", ("USER 10001",),
    ),
    "exec-form: the first line of a script": Case(
        {"Dockerfile": SERVER.format(base="busybox:1.37", last="CMD /srv/bin/serve.sh")},
        ("--select", "exec-form"), (), "whether serve.sh has a #! line is not known", ('CMD ["/srv/bin/serve.sh"]',),
    ),
    "exec-form: a base image that no engine has by its name": Case(
        {"Dockerfile": "FROM ours\nCMD sleep 9\n"}, ("--select", "exec-form"),
        ("--build-context", "ours=docker-image://busybox:1.37"),
        "whether the base image has an ENTRYPOINT that looks at the words of CMD is not known", ('CMD ["sleep", "9"]',),
    ),
    "flatten: the settings of such an image": Case(
        {"Dockerfile": 'FROM ours\nRUN echo 1 >/a\nRUN rm /a\nCMD ["sleep", "9"]\n'}, ("--select", "flatten"),
        ("--build-context", "ours=docker-image://busybox:1.37"), "the configuration of ours is not known",
        ("FROM scratch", "COPY --from="),
    ),
    "strip-suid: which files there are": Case(
        {"Dockerfile": "FROM example/harmless:1\nRUN true\n"}, ("--select", "strip-suid"),
        ("--smoke", "test -u /bin/ping"),
        "whether example/harmless:1 runs as root is not known",
        ("find / -xdev -perm /6000",), "1 file, 0.0 MB: helper",
    ),
}  # fmt: skip
STAYS = {
    "a program linked with libraries, on an image without any": (
        Case(
            {"Dockerfile": STAGES, "answer.c": ANSWER, "build.sh": DYNAMIC, **TO_STATIC},
            ("--select", "swap-base"), (),
            "line 6: what /out/answer holds is not known", (),
            "line 6: /srv/answer is linked with libraries of another system than gcr.io/distroless/static-debian13",
            ("gcc",),
        )
    ),
    "a base image that chooses the user itself": (
        Case(
            {"Dockerfile": SERVER.format(base="example/drops:1", last='CMD ["nc", "-lk", "-p", "8080", "-e", "cat"]')},
            ("--select", "add-user"), (), "whether example/drops:1 runs as root is not known", (),
            "the image starts su-exec, which chooses the user itself",
        )
    ),
}  # fmt: skip


@pytest.fixture
def temporary(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """TMPDIR; dfopt works with the tests' engine, which has two base images that no table knows, and a stand-in for one
    of Chainguard's."""
    for name in ("t", "config", "bases"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "t"))
    monkeypatch.setenv("DOCKER_HOST", engine.host)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "config"))
    names = []
    for name, script in (("harmless", HARMLESS), ("drops", DROPS)):
        (tmp_path / "bases" / "start").write_text(script)
        image = engine.build(
            tmp_path / "bases",
            b"FROM busybox:1.37\nCOPY --chmod=755 start /usr/local/bin/start\n"
            b"RUN mkdir -p /usr/bin && echo '#!/bin/sh' >/usr/bin/helper && cp /usr/bin/helper /bin/ping.new\n"
            b"RUN chmod 4755 /usr/bin/helper && rm /bin/ping && mv /bin/ping.new /bin/ping && chmod 4755 /bin/ping\n"
            b'ENTRYPOINT ["/usr/local/bin/start"]\n',
        )
        names.append(f"example/{name}:1")
        assert engine.call(["tag", image, names[-1]], 60).returncode == 0
    (tmp_path / "bases" / "passwd").write_text("root:x:0:0::/:\nnonroot:x:65532:65532::/:\n")
    image = engine.build(tmp_path / "bases", b"FROM scratch\nCOPY passwd /etc/passwd\nUSER 65532\n")
    names.append("cgr.dev/chainguard/static:latest")
    assert engine.call(["tag", image, names[-1]], 60).returncode == 0
    yield tmp_path / "t"
    engine.call(["image", "rm", *names], 60)


def asked(context: Path, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[dict[str, Any], str]:
    """What `dfopt fix` tells of the one file of a context, and what it says on standard error."""
    common = ["fix", "--no-cache", "--output-format", "json", "--show-refusals", "--context", str(context)]
    status = main([*common, *words, str(context / "Dockerfile")])
    said = capsys.readouterr()
    assert status in (0, 1), said.err
    (document,) = json.loads(said.out)["files"]
    return document, said.err


def fill(place: Path, case: Case, request: pytest.FixtureRequest) -> Path:
    if case.bases:
        bases: Callable[..., None] = request.getfixturevalue("more_bases")
        bases(*case.bases)
    place.mkdir()
    for name, text in case.files.items():
        (place / name).write_text(text)
    return place


def reasons(document: dict[str, Any]) -> list[str]:
    return [one["reason"] for one in document["findings"] if one["kind"] == "refusal"]


@pytest.mark.parametrize("name", CASES)
def test_refused_without_a_build_and_proved_with_one(
    name: str, temporary: Path, tmp_path: Path, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    case = CASES[name]
    context = fill(tmp_path / "context", case, request)
    before, _ = asked(context, capsys, "--unsafe", *case.words)
    assert reasons(before) == [case.refused]
    assert not before["changed"]
    after, said = asked(context, capsys, "--verify", "--write", "--network", "host", *case.more, *case.words)
    assert reasons(after) == [], said
    assert after["written"]
    assert after["proof"]["dropped"] == []
    text = (context / "Dockerfile").read_text()
    assert [one for one in case.gains if one not in text] == []
    assert case.told in " ".join(one["message"] for one in after["findings"])
    assert leftovers(temporary) == []


@pytest.mark.parametrize("name", STAYS)
def test_refusal_that_a_build_confirms(
    name: str, temporary: Path, tmp_path: Path, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    case = STAYS[name]
    context = fill(tmp_path / "context", case, request)
    before, _ = asked(context, capsys, "--unsafe", *case.words)
    assert reasons(before) == [case.refused]
    after, _ = asked(context, capsys, "--verify", "--network", "host", *case.words)
    assert reasons(after) == [case.told]
    assert not after["changed"]
    assert leftovers(temporary) == []


def test_fix_that_the_smoke_test_drops(temporary: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What the server's visitors write beside its own directory stands in no file: only the smoke test knows."""
    dockerfile = SERVER.format(
        base="busybox:1.37",
        last='RUN mkdir /uploads && echo > /uploads/first\nCMD ["nc", "-lk", "-p", "8080", "-e", "cat"]',
    )
    context = tmp_path / "context"
    context.mkdir()
    (context / "Dockerfile").write_text(dockerfile)
    before, _ = asked(context, capsys, "--unsafe", "--select", "add-user")
    assert [one["kind"] for one in before["findings"]] == ["fix"]
    words = ("--verify", "--network", "host", "--smoke", "touch /uploads/one", "--select", "add-user")
    after, said = asked(context, capsys, *words)
    assert not after["changed"]
    (dropped,) = after["proof"]["dropped"]
    assert dropped["pass"] == "add-user"
    assert "/uploads/one: Permission denied" in dropped["reason"]
    assert "1 dropped" in said
    assert leftovers(temporary) == []


def test_a_file_that_does_not_build_says_why_nothing_is_known(
    temporary: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    context = tmp_path / "context"
    context.mkdir()
    (context / "Dockerfile").write_text("FROM busybox:1.37\nRUN exit 3\nCMD ./serve.sh\n")
    after, _ = asked(context, capsys, "--verify", "--network", "host", "--select", "exec-form")
    (reason,) = reasons(after)
    assert reason.startswith("whether serve.sh has a #! line is not known: the original file does not build")


def test_base_that_a_trial_shows_to_be_too_small(
    temporary: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    context = tmp_path / "context"
    context.mkdir()
    for name, text in (("Dockerfile", TRIED), ("run.sh", 'eval "$1"\n'), ("dfopt.toml", BY_TRIAL.format("alpine"))):
        (context / name).write_text(text)
    smoke = ("--smoke", "sh /srv/run.sh 'dpkg --print-architecture'")
    after, _ = asked(context, capsys, "--verify", "--network", "host", *smoke, "--select", "swap-base")
    assert not after["changed"]
    (dropped,) = after["proof"]["dropped"]
    assert "dpkg: not found" in dropped["reason"]
    assert leftovers(temporary) == []


# An archive brings the program: which of its directories it writes to, a run shows
ARCHIVED = """\
FROM busybox:1.37
WORKDIR /srv/served
COPY served.tar /tmp/
RUN tar -xf /tmp/served.tar -C /srv/served && rm /tmp/served.tar
EXPOSE 80
CMD ["sh", "./serve.sh"]
"""
SERVE = """\
set -e
echo started >>logs/log
echo 2 >state
exec nc -ll -p 8080 -e cat
"""
SERVES = """\
#!/bin/sh
for attempt in 1 2 3 4 5 6 7 8 9 10; do
  docker exec "$DFOPT_CONTAINER" sh -c 'grep -q 2 state && netstat -lnt | grep :8080' && exit 0
  sleep 0.5
done
exit 1
"""


def test_a_run_shows_what_a_user_must_own(temporary: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    context, script = tmp_path / "context", tmp_path / "smoke"
    context.mkdir()
    script.write_text(SERVES)
    script.chmod(0o755)
    with tarfile.open(context / "served.tar", "w") as archive:
        for name, text in (("serve.sh", SERVE), ("state", "1\n"), ("logs/first", ""), ("code/part", "")):
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            archive.addfile(entry, io.BytesIO(text.encode()))
    (context / "Dockerfile").write_text(ARCHIVED)
    before, _ = asked(context, capsys, "--unsafe", "--select", "add-user")
    (refused,) = reasons(before)
    assert refused == "line 4 puts a program into /srv/served: where in it that writes is not known"
    words = ("--verify", "--write", "--network", "none", "--smoke-script", str(script), "--select", "add-user")
    after, said = asked(context, capsys, *words)
    assert (after["proof"]["dropped"], reasons(after)) == ([], []), said
    text = (context / "Dockerfile").read_text()
    assert "chown 10001:10001 /srv/served/logs /srv/served/state" in text
    assert "USER 10001\n" in text
    assert leftovers(temporary) == []
