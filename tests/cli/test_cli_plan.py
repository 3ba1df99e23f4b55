"""`dfopt plan`: what each level would bring, in text and JSON; nothing is written."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

WASTEFUL = """\
FROM debian:13-slim
RUN apt-get update
RUN apt-get install -y --no-install-recommends gcc libc6-dev
COPY app.c /srv/
RUN apt-get purge -y gcc libc6-dev && apt-get autoremove -y
CMD ["/srv/app"]
"""
UNKNOWN = "FROM example.org/own/base:1\nRUN apt-get update && apt-get install -y curl\nRUN chown app /srv\n"


def plan(tree: Path, *arguments: str, code: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "dfopt", "plan", *arguments], cwd=tree, text=True, capture_output=True, check=False
    )
    assert done.returncode == code, done.stderr
    return done.stdout


def test_one_file(tmp_path: Path) -> None:
    file = tmp_path / "Dockerfile"
    file.write_text(WASTEFUL.replace("COPY app.c /srv/\n", ""))
    text = plan(tmp_path, "Dockerfile")
    rows = {line.split()[0]: line.split() for line in text.splitlines() if line.split()[:1] and line[:3] == "  -"}
    assert rows["-O1"][1:3] == ["230", "MB"]
    assert rows["-O1"][-2:] == ["1", "yes"]
    assert "merge-run" in text
    assert text.splitlines()[-1].startswith("Next: dfopt fix -O")
    assert file.read_text() == WASTEFUL.replace("COPY app.c /srv/\n", "")


def test_figures_are_those_of_the_table(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(WASTEFUL.replace("COPY app.c /srv/\n", ""))
    (file,) = json.loads(plan(tmp_path, "--output-format", "json", "."))["files"]
    first = file["levels"][0]
    benefits = {fix["pass"]: fix["benefit"] for fix in first["fixes"]}
    assert benefits["merge-run"]["source"] == "package_sizes.toml"
    assert benefits["merge-run"]["layers"] == 2
    assert first["bytes"] == benefits["merge-run"]["bytes"] + benefits["apt-cleanup"]["bytes"]
    assert file["now"] == {"layers": 3, "root": True}
    assert first["layers"] == 1


def test_many_files(tmp_path: Path) -> None:
    for name, text in (("a", WASTEFUL), ("b", UNKNOWN), ("c", "FROM scratch\nCOPY a /\n")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "Dockerfile").write_text(text)
    text = plan(tmp_path, ".")
    assert text.startswith("3 files:\n")
    assert "a/Dockerfile" in text
    assert "c/Dockerfile" not in text


def test_what_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FRUM x\n")
    (tmp_path / "other.Dockerfile").write_text(WASTEFUL)
    assert "-O1" in plan(tmp_path, ".", code=2)
