"""The split by evidence: the text that comes of what a build showed."""

from __future__ import annotations

from typing import Any

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
    """A build of the file showed `evidence`; `asked`: for which images; `config`: of the base image."""

    __slots__ = ("asked", "config", "evidence")

    def __init__(self, evidence: RunEvidence | Refusal | None, config: dict[str, object] | None = None) -> None:
        self.evidence = evidence
        self.config = config
        self.asked: list[str] = []

    def run_evidence(self, stage: int, base: str, image: str) -> RunEvidence | Refusal | None:
        if stage:
            return None  # of a stage that the file, as it was built, does not have
        self.asked.append(image)
        return self.evidence

    def built_config(self, image: str) -> dict[str, object] | None:
        return self.config


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
    assert split(Shown(Refusal("the image starts nothing"))) == ("", ["the image starts nothing"])


class Unbuilt(Shown):
    __slots__ = ()

    def unbuilt(self) -> str:
        return "exit code: 1"


def test_a_build_that_failed_is_what_to_mend() -> None:
    options = Options(select=("multi-stage",), tiers=("unsafe",))
    result = optimize(Source("Dockerfile", FILE), options, Unbuilt(None))
    assert [report.unblock for report in result.reported] == ["mend the build, which failed: exit code: 1"]


def test_what_make_writes_a_build_shows() -> None:
    text = FILE.replace("./build-it", "make install && ./build-it")
    assert split(Shown(None), text) == ("", ["what `make` in line 6 writes is not known"])
    assert split(Shown(SHOWN), text) == (EXPECTED, [])


LIBRARIES = ("/lib/a.so", "/usr/lib/b.so")
BARE = replace(
    SHOWN, packages=(), files=(*SHOWN.files, *LIBRARIES), trees=(("/app/pages", ""),), links=(), libraries=False,
    reasons=dict.fromkeys(LIBRARIES, "libraries"),
)  # fmt: skip
ON_NOTHING = """\
RUN install -d -m 750 -o 7 -g 7 /rootfs/app && install -d -o 7 -g 7 /rootfs/data

FROM scratch
ENV DEBIAN_FRONTEND=noninteractive PORT=80
# directories with a mode or an owner of their own
COPY --from=builder /rootfs/ /
# libraries
COPY --from=builder /lib/a.so /lib/a.so
COPY --from=builder /usr/lib/b.so /usr/lib/b.so
COPY --from=builder /app/pages /app/pages
COPY --from=builder /app/server /app/server
COPY --from=builder /etc/app.conf /etc/group /etc/passwd /etc/
WORKDIR /app
USER app
EXPOSE 80
CMD ["./server"]"""


def test_an_empty_image_gets_directories_from_the_builder() -> None:
    facts = Shown(BARE, {})
    assert split(facts, by="minimum") == (ON_NOTHING, [])
    assert set(facts.asked) == {"scratch"}
    log = replace(BARE, links=(("/var/log/app/out", "/dev/stdout"),))
    made = "install -d /rootfs/var/log/app && ln -s /dev/stdout /rootfs/var/log/app/out"
    assert f"install -d -o 7 -g 7 /rootfs/data && {made}\n" in split(Shown(log, {}), by="minimum")[0]
    stage, _ = split(Shown(replace(BARE, directories=()), {}), by="minimum")
    assert "RUN" not in stage
    assert "/rootfs" not in stage


@pytest.mark.parametrize(
    ("shown", "front"),
    [
        ({"directories": (("/tmp", 0o1777, "0:0"), ("/app", 0o755, "0:0"))}, True),
        ({"directories": (("/app", 0o700, "0:0"),)}, False),
        ({"directories": (("/app", 0o755, "7:0"),)}, False),
        ({"directories": (("/", 0o755, "7:7"),)}, False),
        ({"directories": (), "trees": (("/app", "7:7"),)}, False),
        ({"directories": (), "links": (("/srv/now", "/srv/1"),)}, False),
    ],
)
def test_workdir_of_an_empty_image(shown: dict[str, Any], front: bool) -> None:
    """In front of the copies it can be a user's, with no shell to give it away; behind them it changes nothing."""
    workdir = "/srv/now/app" if "links" in shown else "/app"
    text = FILE.replace("WORKDIR /app", f"WORKDIR {workdir}")
    stage, _ = split(Shown(replace(BARE, **shown), {}), text, by="minimum")
    assert (stage.index(f"\nWORKDIR {workdir}\n") < stage.index("\nCOPY ")) == front
    assert not front or "/rootfs/app" not in stage  # a copied directory would bring its owner


def test_what_the_settings_keep_comes_along() -> None:
    keep = ["/srv/templates", "/app/server"]
    stage, _ = split(Shown(SHOWN), keep=keep)
    kept = "\nCOPY --from=builder /srv/templates /srv/templates\nRUN chown"
    assert stage == EXPECTED.replace("\nRUN chown", kept)
    assert "COPY --from=builder /srv/templates /srv/templates\n" in split(Shown(BARE, {}), by="minimum", keep=keep)[0]
    assert split(Shown(SHOWN), keep=["../x"])[1] == ["the path ../x has unusual characters"]


def test_an_empty_image_of_many_parts() -> None:
    many = replace(BARE, files=tuple(f"/srv/{number}/file" for number in range(40)))
    reason = "an empty image would take 42 COPYs, more than anybody reviews"
    assert split(Shown(many, {}), by="minimum") == ("", [reason])


@pytest.mark.parametrize("user", ["USER app\n", ""])
def test_a_builder_that_cannot_give_directories_away(user: str) -> None:
    text = FILE.replace("USER app\n", "").replace("RUN ./build", f"{user}RUN ./build")
    stage, refusals = split(Shown(BARE, {"User": "" if user else "daemon"}), text, by="minimum")
    assert refusals == []
    assert stage.startswith("USER root\nRUN install -d -m 750 -o 7 -g 7 /rootfs/app")
    assert f"\nUSER {'app' if user else 'daemon'}\n" in stage  # of the new stage


def test_an_empty_image_says_what_the_base_image_set() -> None:
    config = {
        "Env": ["PATH=/usr/local/go/bin:/opt/tool/bin:/usr/bin", "LANG=C.UTF-8", "GO_VERSION=1", "PORT=1"],
        "Entrypoint": ["/init", "--"], "Cmd": ["bash"], "User": "web", "StopSignal": "SIGQUIT", "WorkingDir": "/srv",
        "ExposedPorts": {"8080/tcp": {}},
    }  # fmt: skip
    shown = replace(BARE, files=(*BARE.files, "/opt/tool/bin/x"), directories=())
    text = FILE.replace("WORKDIR /app\n", "").replace("USER app\n", "")
    stage, refusals = split(Shown(shown, config), text, by="minimum")
    assert refusals == []
    lines = stage.strip().split("\n")
    assert lines[:4] == [
        "FROM scratch", "ENV PATH=/opt/tool/bin:/usr/bin LANG=C.UTF-8", "WORKDIR /srv",
        "ENV DEBIAN_FRONTEND=noninteractive PORT=80",
    ]  # fmt: skip
    assert lines[-6:] == [
        "EXPOSE 8080/tcp", "USER web", "STOPSIGNAL SIGQUIT", "EXPOSE 80", 'CMD ["./server"]',
        'ENTRYPOINT ["/init", "--"]',
    ]  # fmt: skip


def test_a_path_that_adds_to_that_of_the_base_image() -> None:
    path = "PATH=/usr/local/bin:/usr/bin"
    text = FILE.replace("PORT=80", "PATH=/venv/bin:$PATH")
    stage, refusals = split(Shown(BARE, {"Env": [path, "PORT=1"]}), text, by="minimum")
    assert refusals == []
    assert f"FROM scratch\nENV {path} PORT=1\nENV DEBIAN_FRONTEND=noninteractive PATH=/venv/bin:$PATH\n" in stage
    stage, _ = split(Shown(BARE, {"Env": [path]}), by="minimum")
    assert f"ENV {path}" not in stage  # which engines set by themselves


@pytest.mark.parametrize(
    ("more", "place"),
    [
        ({"trees": (("/opt/tool", ""),)}, "/opt/tool/bin"),  # which the tree holds
        ({"links": (("/opt/java", "/usr/lib/jvm/java-21"),)}, "/opt/java/bin"),  # to which a link leads
        ({"trees": (("/opt/toolbox", ""),)}, None),
    ],
)
def test_a_place_of_programs_that_is_copied_with_what_it_lies_in(more: dict[str, Any], place: str | None) -> None:
    path = "PATH=/opt/tool/bin:/opt/java/bin:/usr/bin"
    stage, refusals = split(Shown(replace(BARE, **more), {"Env": [path]}), by="minimum")
    assert refusals == []
    assert (f"\nENV PATH={place}:/usr/bin\n" in stage) if place else "ENV PATH" not in stage


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        (None, "what debian:13 sets is not known"),
        ({"Healthcheck": {"Test": ["CMD", "true"]}}, "the base image has a HEALTHCHECK"),
        ({"Env": ["MOTTO=a b"]}, "a setting of the base image has unusual characters: a b"),
    ],
)
def test_settings_of_the_base_image_that_cannot_be_said(config: dict[str, object] | None, reason: str) -> None:
    assert split(Shown(BARE, config), by="minimum") == ("", [reason])


@pytest.mark.parametrize(
    ("evidence", "reason"),
    [
        (replace(SHOWN, files=("/app/a b",)), "unusual characters"),
        (replace(SHOWN, links=(("/app/a", "b; touch /owned #"),)), "/b; touch /owned # has unusual characters"),
        (Refusal("the image starts nothing"), "starts nothing"),
        (replace(SHOWN, saved=4_000_000), "on debian:13-slim would save 4.00 MB alone"),
        (replace(SHOWN, saved=-1), "on debian:13-slim would save 0 bytes alone"),
        (replace(SHOWN, bytes=900_000_000, saved=20_000_000), "on debian:13-slim would save 20.0 MB alone"),
    ],
    ids=["path", "link", "refused", "little", "larger", "small-share"],
)
def test_what_is_not_split(evidence: RunEvidence | Refusal, reason: str) -> None:
    stage, refusals = split(Shown(evidence), by="evidence")
    assert stage == ""
    assert [reason] == [reason for text in refusals if reason in text]


def test_little_to_save_is_told_where_a_split_was_looked_for() -> None:
    little = replace(SHOWN, saved=4_000_000)
    assert split(Shown(little)) == ("", ["a stage of its own on debian:13-slim would save 4.00 MB alone"])
    nothing_to_split = 'FROM debian:13-slim\nCOPY . /app\nRUN true ./build-it\nCMD ["/app/run.sh"]\n'
    assert split(Shown(little), nothing_to_split) == ("", [])


def test_a_start_that_the_base_image_knows_alone() -> None:
    text = FILE.replace('CMD ["./server"]\n', "").replace("debian:13", "golang:1.24")
    assert split(Shown(SHOWN), text, by="evidence") == ("", ["the file does not say what the image starts"])


def test_a_build_that_failed_is_told() -> None:
    class Failed(Shown):
        def unbuilt(self) -> str:
            return "step 3 ended with 1"

    text, reasons = split(Failed(None), by="minimum")
    assert (text, reasons) == ("", ["what the run needs is not known"])
