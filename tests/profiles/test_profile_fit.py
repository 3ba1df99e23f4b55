"""What fix, check and plan make of a profile beside a Dockerfile, without an engine."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from cli.running import dfopt
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dfopt.facts import until_answered
from dfopt.optimizer import optimize
from dfopt.pass_selection import Options
from dfopt.profile.facts import ProfileFacts, observed_run_of
from dfopt.source import Source

from .samples import DOCKERFILE, fitting, project, rewrite

UNKNOWN = "whether the base image has an ENTRYPOINT that looks at the words of CMD is not known"
SHELL_FORM = DOCKERFILE.replace('CMD ["app"]', "CMD /usr/bin/app")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    project(tmp_path)
    return tmp_path


def run(place: Path, *args: str) -> tuple[int, str, str]:
    """Runs the real dfopt where no engine can be found."""
    done = dfopt(*args, cwd=place, driven=False, env={"PATH": str(place / "nothing")})
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def findings(place: Path, *args: str) -> list[dict[str, Any]]:
    _, out, _ = run(place, "check", "--output-format", "json", "--show-refusals", "--no-cache", *args)
    return list(json.loads(out)["files"][0]["findings"])


def of(rows: list[dict[str, Any]], name: str) -> dict[str, Any]:
    return next(row for row in rows if row["pass"] == name)


def test_figures_of_lines(place: Path) -> None:
    rows = findings(place)
    assert of(rows, "apt-cleanup")["benefit"] == {
        "bytes": 21_000_000, "layers": 0, "rebuild_seconds": 0.0, "setuid": 0, "root": False, "origin": "measured",
        "source": "dfopt.profile", "mends": "", "line_bytes": 38_000_000, "line_dead_bytes": 0,
    }  # fmt: skip
    joined = of(rows, "merge-run")["benefit"]
    assert (joined["bytes"], joined["origin"], joined["line_dead_bytes"]) == (9_000_000, "measured", 9_000_000)
    _, diff, _ = run(place, "fix")
    assert "delete apt's package index in the layer that downloaded it (measured: 38.0 MB, 21.0 MB less)\n" in diff
    assert "(measured: 9.00 MB, 9.00 MB dead, 9.00 MB less)\n" in diff
    _, plan, _ = run(place, "plan")
    assert "(21.0 MB; measured: 38.0 MB)" in plan
    assert "30.0 MB (measured)" in plan
    _, text, _ = run(place, "check")
    assert "(21.0 MB less, wrote 38.0 MB)" in text


def test_the_patch_still_applies(place: Path, tmp_path: Path) -> None:
    _, _, told = run(place, "fix", "--write")
    assert "fixed Dockerfile" in told
    assert "rm -rf /var/lib/apt/lists" in (place / "Dockerfile").read_text()


def test_facts_in_place_of_refusals(place: Path) -> None:
    (place / "Dockerfile").write_text(SHELL_FORM)
    (place / "dfopt.profile").unlink()
    assert UNKNOWN in of(findings(place, "--select", "exec-form"), "exec-form")["reason"]
    made = fitting(place)
    made["bases"] = {"vendor/base:1": {"user": "", "entrypoint": ["/usr/bin/tini", "--"]}}
    (place / "dfopt.profile").write_text(json.dumps(made))
    row = of(findings(place, "--select", "exec-form"), "exec-form")
    assert (row["kind"], row["reason"]) == ("available", "")
    _, _, told = run(place, "fix", "--unsafe")
    assert "dfopt: Dockerfile: facts measured by dfopt.profile: the base image vendor/base:1" in told
    assert "facts measured" not in run(place, "fix", "--unsafe", "-q")[2]


def test_none_of_it_without(place: Path) -> None:
    with_none = run(place, "fix", "-O2", "--profile", "none"), findings(place, "--profile", "none")
    (place / "dfopt.profile").unlink()
    assert (run(place, "fix", "-O2"), findings(place)) == with_none


@pytest.mark.parametrize(
    ("change", "part"),
    [
        (lambda place: (place / "Dockerfile").write_text(DOCKERFILE + "USER 7\n"), "the Dockerfile"),
        (lambda place: (place / "app.sh").write_text("other"), "what the file takes of its build context"),
        (lambda place: (place / "app.sh").chmod(0o755), "what the file takes of its build context"),
        (lambda place: (place / ".dockerignore").write_text("app.sh"), "what the file takes of its build context"),
        (lambda place: lock(place, "1" * 64), "the base image vendor/base:1"),
    ],
)  # fmt: skip
def test_stale_parts_are_ignored_with_one_note(place: Path, change: Any, part: str) -> None:
    project(place)
    keys = json.loads((place / "dfopt.profile").read_text())["keys"]
    rewrite(place, keys={**keys, "bases": {"vendor/base:1": "sha256:" + "0" * 64}})
    change(place)
    _, diff, told = run(place, "fix")
    assert told.count(f"dfopt: dfopt.profile: {part} changed since it was made: only what it says of ") == 1
    assert "`dfopt profile` makes it anew" in told
    assert "measured" not in diff
    assert of(findings(place), "apt-cleanup")["benefit"]["origin"] == "estimated"
    (place / "Dockerfile").write_text((place / "Dockerfile").read_text().replace('CMD ["app"]', "CMD /bin/app"))
    reason = of(findings(place, "--select", "exec-form"), "exec-form")["reason"]
    assert (UNKNOWN in reason) == part.startswith("the base image")  # what is said of a base outlives the rest


def lock(place: Path, digest: str) -> None:
    (place / "dfopt.lock").write_text(
        f'version = 1\n\n[[image]]\nreference = "docker.io/vendor/base:1"\ndigest = "sha256:{digest}"\n'
        'media-type = "application/vnd.oci.image.index.v1+json"\n'
    )


def test_a_split_by_what_a_smoke_test_needed(place: Path) -> None:
    _, diff, told = run(place, "fix", "--unsafe", "--select", "multi-stage")
    for line in (
        "FROM vendor/base:1 AS builder",
        "RUN apt-get update && apt-get install -y --no-install-recommends curl && rm -rf /var/lib/apt/lists/*",
        "COPY --from=builder /usr/local/bin/app /usr/local/bin/app",
        "COPY --from=builder --chown=7:7 /srv/pages /srv/pages",
    ):
        assert f"+{line}\n" in diff
    made = "rm -f /etc/app/default && mkdir -p /data && chmod 1777 /data && ln -sf /usr/local/bin/app /usr/bin/app"
    assert f"+RUN {made}\n" in diff
    assert "some 40 MB less" in diff
    assert "the image of stage 0 (vendor/base:1), and what its smoke test needs" in told
    (place / "Dockerfile").write_text(DOCKERFILE.replace("curl", "curl wget"))
    assert "FROM vendor/base:1 AS builder" not in run(place, "fix", "--unsafe", "--select", "multi-stage")[1]


def test_a_lock_that_agrees(place: Path) -> None:
    keys = json.loads((place / "dfopt.profile").read_text())["keys"]
    rewrite(place, keys={**keys, "bases": {"vendor/base:1": "sha256:" + "0" * 64}})
    lock(place, "0" * 64)
    assert of(findings(place), "apt-cleanup")["benefit"]["origin"] == "measured"


def test_a_profile_of_another_file_is_refused_by_name(place: Path) -> None:
    (place / "Dockerfile").rename(place / "Dockerfile.dev")
    _, diff, told = run(place, "fix", "Dockerfile.dev")
    assert "dfopt: dfopt.profile is a profile of Dockerfile, not of Dockerfile.dev: it is not used\n" in told
    assert "measured" not in diff


def test_what_was_not_asked_then_is_not_known(place: Path) -> None:
    """Passes ask of the image what the profile does not know: that image is left out, nothing is guessed."""
    rewrite(place, bases={}, stages=[{"stage": 0, "base": "vendor/base:1", "release": ["debian", "trixie"]}])
    status, _, told = run(place, "check", "--select", "all")
    assert status == 1
    assert "the image of stage 0" not in told
    asked = of(findings(place, "--select", "strip-suid"), "strip-suid")
    (place / "dfopt.profile").unlink()
    assert of(findings(place, "--select", "strip-suid"), "strip-suid")["reason"] == asked["reason"]


def test_passes_do_not_begin_anew_for_each_stage() -> None:
    rows = {number: {"stage": number, "base": "a:1"} for number in range(50)}
    facts = ProfileFacts(rows, {})

    def ask() -> list[str]:
        return [str(image.release()) for stage in rows if (image := facts.built(stage, "a:1")) is not None]

    asked: list[int] = []
    assert until_answered(lambda: asked.append(1) or ask()) == []  # type: ignore[func-returns-value]
    assert len(asked) == 4
    assert facts.used == {}


def strip_suid(place: Path) -> dict[str, Any]:
    return of(findings(place, "--select", "strip-suid"), "strip-suid")["benefit"] or {}


def test_setuid_files(place: Path) -> None:
    """Of the base image, else of the stage; the table's, where the profile knows neither."""
    of_base = strip_suid(place)
    assert (of_base["setuid"], of_base["origin"], of_base["source"]) == (1, "measured", "dfopt.profile")
    rewrite(place, bases={})
    of_stage = strip_suid(place)
    assert (of_stage["setuid"], of_stage["origin"], of_stage["source"]) == (1, "measured", "dfopt.profile")
    rewrite(place, stages=[])
    assert strip_suid(place).get("origin") != "measured"


def test_facts_of_a_base_outlive_an_edit(place: Path) -> None:
    (place / "Dockerfile").write_text(DOCKERFILE.replace("head -c 9000000", "head -c 4000"))
    assert (strip_suid(place)["setuid"], strip_suid(place)["source"]) == (1, "dfopt.profile")
    _, _, told = run(place, "fix", "--select", "strip-suid", "--unsafe")
    assert "the Dockerfile changed since it was made" in told
    assert "dfopt: Dockerfile: facts measured by dfopt.profile: the files of the base image vendor/base:1\n" in told
    (place / "Dockerfile").write_text(DOCKERFILE.replace("vendor/base:1", "vendor/base:2"))
    assert strip_suid(place).get("origin") != "measured"


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        (b"{", "dfopt.profile:1:2: not JSON"),
        (b'{\n "version": 2\n}', "dfopt.profile:1:1: the document has no key"),
        (b"[" * 100_000, "dfopt.profile:1:1: nested too deeply"),
        (b" " * (3 << 20), "dfopt.profile: larger than 2097152 bytes"),
    ],
)
@pytest.mark.parametrize("command", ["fix", "check", "plan"])
def test_a_broken_profile_is_an_error_of_its_file(place: Path, command: str, content: bytes, shown: str) -> None:
    other = place / "other"
    other.mkdir()
    (other / "Dockerfile").write_text(DOCKERFILE)
    (place / "dfopt.profile").write_bytes(content)
    status, out, told = run(place, command, ".")
    assert status == 2
    assert f"error: {shown}" in told
    assert "apt-cleanup" in out or "saves" in out  # the rest of the run goes on
    assert (place / "Dockerfile").read_text() == DOCKERFILE


def test_a_profile_with_a_wrong_value_is_told_by_its_place(place: Path) -> None:
    text = (place / "dfopt.profile").read_text()
    (place / "dfopt.profile").write_text(text.replace('"user": "",', '"user": "x; curl",'))
    line = next(n for n, row in enumerate(text.split("\n"), 1) if '"user": "",' in row)
    status, _, told = run(place, "fix")
    assert status == 2
    assert f"dfopt.profile:{line}:" in told
    assert "is not of the form" in told


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs here")
def test_what_is_no_file(place: Path) -> None:
    (place / "dfopt.profile").unlink()
    os.mkfifo(place / "dfopt.profile")
    status, _, told = run(place, "fix")
    assert (status, "dfopt.profile: not a regular file" in told) == (2, True)


def test_a_link_out_of_the_repository(tmp_path: Path) -> None:
    inside = tmp_path / "repository"
    inside.mkdir()
    (inside / ".git").mkdir()
    project(inside)
    (inside / "dfopt.profile").rename(tmp_path / "elsewhere")
    (inside / "dfopt.profile").symlink_to(tmp_path / "elsewhere")
    status, _, told = run(inside, "fix")
    assert (status, "lies outside of the repository (--profile may lead there)" in told) == (2, True)
    _, diff, _ = run(inside, "fix", "--profile", str(tmp_path / "elsewhere"))
    assert "measured" in diff


def test_a_named_profile_that_is_not_there(place: Path) -> None:
    status, _, told = run(place, "fix", "--profile", "nothing")
    assert (status, "nothing: No such file" in told) == (2, True)


def test_many_files_share_what_is_read(place: Path) -> None:
    """In worker processes and behind the cache of results, too."""
    for number in range(40):
        (place / f"a{number}").mkdir()
        (place / f"a{number}" / "Dockerfile").write_text(DOCKERFILE)
    shutil.copytree(place / "a3", place / "last")
    shutil.copy(place / "app.sh", place / "last")
    shutil.copy(place / "dfopt.profile", place / "last")
    for _ in range(2):
        _, out, told = run(place, "fix", ".", "-j", "2")
        assert out.count("(measured: 38.0 MB, 21.0 MB less)") == 2
        assert told.count("error") == 0
    (place / "last" / "dfopt.profile").unlink()
    assert run(place, "fix", ".", "-j", "2")[1].count("(measured: 38.0 MB, 21.0 MB less)") == 1


@given(data=st.data())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damaged_profiles_never_end_the_run(place: Path, data: st.DataObject) -> None:
    project(place)
    content = bytearray((place / "dfopt.profile").read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at : at + data.draw(st.integers(0, 9))] = data.draw(st.binary(max_size=5))
    (place / "dfopt.profile").write_bytes(bytes(content))
    done = dfopt("check", "--no-cache", cwd=place, driven=False)  # looks for a traceback itself
    assert done.returncode in (1, 2)
    assert b"internal error" not in done.stderr


ARCHIVED = """FROM debian:13-slim
WORKDIR /opt/served
COPY served.tar.gz /tmp/
RUN tar -xzf /tmp/served.tar.gz -C /opt/served
CMD ["./served"]
"""


def test_what_a_run_wrote_is_given_to_a_user() -> None:
    kinds = {"/opt/served/log": "", "/opt/served": "directory", "./served": "elf", "/opt/served/served": "elf"}
    row = {"base": "debian:13-slim", "artifact": {path: {"kind": kind} for path, kind in kinds.items()}}
    run = observed_run_of([{"test": "script", "written": ["/opt/served/log"], "listens": None}])
    assert run is not None
    options = Options(("add-user",), (), ("safe", "unsafe"))

    def made(facts: ProfileFacts) -> str:
        return until_answered(lambda: optimize(Source("Dockerfile", ARCHIVED), options, facts).output)

    assert "chown 10001:10001 /opt/served\n" in made(ProfileFacts({0: row}, {}, (0, run)))
    assert made(ProfileFacts({0: row}, {})) == ARCHIVED
    assert made(ProfileFacts({0: {**row, "artifact": {}}}, {}, (0, run))) == ARCHIVED
    assert observed_run_of([{"test": "smoke", "written": ["/a"], "listens": None}]) is None
