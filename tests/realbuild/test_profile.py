"""`dfopt profile` on a real engine: what a build and a run show is what the profile says, and what passes use."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dfopt.cli.entry import main
from dfopt.engine import open_watch
from dfopt.profile.document import parse_document

from .engine import Engine
from .leftovers import leftovers

SECRET = "TOP-SECRET-KEY"
SERVER = f"""FROM busybox:1.37
ENV PASSWORD={SECRET}
COPY start.sh /start.sh
RUN --mount=type=secret,id=key,target=/keys/{SECRET} cp /keys/{SECRET} /tmp/key && rm /tmp/key
RUN head -c 9000000 /dev/urandom >/draft && mkdir /data
RUN rm /draft
RUN chmod 755 /start.sh
USER 1000:1000
CMD ["/bin/sh", "/start.sh", "{SECRET}"]
"""
START = """trap 'kill $!; exit 7' TERM
date >/tmp/started
httpd -f -p 127.0.0.1:18087 &
wait
"""
ASK = """#!/bin/sh
for attempt in 1 2 3 4 5 6 7 8 9 10; do
  if grep -q ':46A7 .* 0A ' /proc/net/tcp; then sleep 0.5; exit 0; fi
  sleep 0.5
done
exit 1
"""


@pytest.fixture
def place(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project, which is the working directory; dfopt works with the tests' engine, in a TMPDIR of its own."""
    for name in ("t", "config", "project"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "t"))
    monkeypatch.setenv("DOCKER_HOST", engine.host)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "config"))
    monkeypatch.chdir(tmp_path / "project")
    return tmp_path / "project"


def document(place: Path) -> dict[str, Any]:
    return parse_document((place / "dfopt.profile").read_bytes())


def test_a_server(place: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (place / "Dockerfile").write_text(SERVER)
    (place / "start.sh").write_text(START)
    (place / "ask.sh").write_text(ASK)
    (place / "ask.sh").chmod(0o755)
    (place.parent / "key").write_text(SECRET)
    words = ["--network", "host", "--secret", f"id=key,src={place.parent / 'key'}", "--smoke", f"echo {SECRET}"]
    assert main(["profile", "-q", *words, "--smoke-script", "ask.sh"]) == 0
    made = document(place)
    rows = {row["line"]: (row["bytes"], row["dead"]) for row in made["lines"]}
    size = len(START)
    assert rows == {3: (size, size), 4: (0, 0), 5: (9_000_000, 9_000_000), 6: (0, 0), 7: (size, 0)}
    assert made["image"]["user"] == "1000:1000"
    assert made["image"]["cmd"] == {"program": "/bin/sh", "words": 3}
    base = made["bases"]["busybox:1.37"]
    assert (base["user"], base["entrypoint"], base["set_id"]) == ("", [], {"/": {}})
    assert base["artifact"]["/bin/sh"]["kind"] == "elf"
    smoke, script = made["runs"]
    assert (smoke["test"], smoke["exit_status"]) == ("smoke", 0)
    assert (script["exit_status"], script["signal"]) == (7, None)  # it heard the signal, and ended by itself
    assert script["user"] == "1000:1000"
    assert script["listens"] == ["tcp/18087"]
    assert script["programs"] == ["/bin/busybox"]
    assert script["written"] == ["/tmp/started"]
    assert SECRET not in (place / "dfopt.profile").read_text()
    assert leftovers(place.parent / "t") == []
    capfd.readouterr()
    assert main(["fix"]) == 1
    assert "(measured: 9.00 MB, 9.00 MB dead, 9.00 MB less)" in capfd.readouterr().out


def test_facts_of_a_stage(
    place: Path, more_bases: Callable[..., None], capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a program needs, as `fix --verify` learns it, without an engine: the same text comes out."""
    more_bases("gcc", "distroless-base")
    (place / "answer.c").write_text('#include <stdio.h>\nint main(void) { return puts("42") < 0; }\n')
    (place / "Dockerfile").write_text(
        "FROM gcc:14 AS build\nCOPY answer.c /src/\nRUN gcc -O2 -o /srv/answer /src/answer.c\n\n"
        'FROM debian:13\nCOPY --from=build /srv/answer /srv/\nCMD ["/srv/answer"]\n'
    )
    (place / "dfopt.toml").write_text('[passes.swap-base]\nto = "distroless-base"\n')
    fix = ["fix", "--select", "swap-base", "--output-format", "json"]

    def findings(*words: str) -> tuple[list[tuple[str, str]], bool]:
        capfd.readouterr()
        main([*fix, *words])
        (file,) = json.loads(capfd.readouterr().out)["files"]
        return [(one["kind"], one["message"]) for one in file["findings"]], file["changed"]

    without, changed = findings("--unsafe", "--show-refusals")
    assert ([kind for kind, _ in without], changed) == (["refusal"], False)
    assert main(["profile", "-q", "--network", "host", "--smoke", "/srv/answer"]) == 0
    verified = findings("--verify", "--network", "host", "--smoke", "/srv/answer")
    monkeypatch.setenv("PATH", str(place / "nothing"))
    assert findings("--unsafe") == verified
    assert verified[1]


def test_the_files_that_are_opened(place: Path, fanotify: None, capfd: pytest.CaptureFixture[str]) -> None:
    """Those of packages as numbers, those of many as a directory, those below a secret's place not at all."""
    (place / "main.py").write_text(
        "import glob\nfor path in [*glob.glob('parts/*'), 'k' + 'ey', '/keys/a', '/keys/b']:\n    open(path).read()\n"
    )
    (place / "Dockerfile").write_text(
        "FROM python:3-slim\nWORKDIR /app\nRUN --mount=type=secret,id=key,target=/keys/b mkdir -p parts /keys \\\n"
        "    && for part in $(seq 30); do echo $part >parts/$part; done && touch key other /keys/a\n"
        'COPY main.py .\nCMD ["python", "main.py"]\n'
    )
    (place / "key").write_text("k")
    script = place / "test.sh"
    script.write_text("#!/bin/sh\nexec docker wait $DFOPT_CONTAINER\n")
    script.chmod(0o755)
    words = ("--network", "host", "--secret", "id=key,src=key")
    assert main(["profile", *words, "--smoke-script", "test.sh"]) == 0
    (run,) = document(place)["runs"]
    opened = run["opened"]
    assert [path for path in opened["paths"] if not path.startswith(("/usr/", "/etc/"))] == [
        "/app/key", "/app/main.py", "/app/parts/*", "/keys/a",
    ]  # fmt: skip
    assert opened["packages"]["libc6"] >= 2  # libc and its linker
    assert opened["packages"]["libpython3.13-minimal"] > 5  # its bytecode, which no package lists
    assert len(opened["paths"]) <= 50
    said = capfd.readouterr().err
    assert f"dfopt: the smoke script opened {opened['files']} of {document(place)['image']['files']} files, " in said


def test_what_was_not_seen_is_said(
    place: Path, fanotify: None, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (place / "Dockerfile").write_text("FROM busybox:1.37\nRUN touch /a\n")
    words = ("profile", "--network", "host", "--smoke", "sleep 1; cat /etc/passwd /etc/group")
    monkeypatch.setattr(open_watch, "_MOST", 1)
    assert main([*words]) == 0
    (run,) = document(place)["runs"]
    assert (run["opened"]["since"], run["opened"]["complete"]) == ("start", "no")
    assert run["opened"]["paths"] == ["/bin/busybox"]
    assert "; some were not seen, for there were too many at once" in capfd.readouterr().err
    monkeypatch.setattr(open_watch, "_MOST", 1000)
    monkeypatch.setattr(open_watch, "has_begun", lambda identity: True)
    assert main([*words]) == 0
    (run,) = document(place)["runs"]
    assert (run["opened"]["since"], run["opened"]["complete"]) == ("later", "yes")
    assert {"/etc/group", "/etc/passwd"} <= set(run["opened"]["paths"])
    assert "; what was opened at the start was not seen" in capfd.readouterr().err


def test_a_smoke_test_that_fails(place: Path, engine: Engine) -> None:
    (place / "Dockerfile").write_text("FROM busybox:1.37\nRUN touch /a\n")
    assert main(["profile", "-q", "--network", "host", "--smoke", "test -e /b"]) == 2
    assert not (place / "dfopt.profile").exists()
    assert leftovers(place.parent / "t") == []
    own = f"name=-{os.getpid()}-"  # others may use the engine meanwhile
    assert engine.call(["ps", "--all", "--quiet", "--filter", own], 60).stdout == b""
