"""swap-base, built for real on other distributions: genuine Alpine layers, busybox, distroless and scratch.

(The slim images are tried on the applications of tests/suite.)"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from pathlib import Path

import pytest

from dfopt.knowledge import table
from dfopt.optimizer import optimize
from dfopt.pass_selection import Options
from dfopt.record import Record
from dfopt.source import Source
from dfopt.testing.case_files import CaseDirectory
from dfopt.testing.facts import CaseFacts

from .engine import Engine

GO = """\
package main

import (
	"fmt"
	"os"
)

func main() {
	text, err := os.ReadFile("pages/text")
	fmt.Print(string(text), err, " ", os.Getuid(), "\\n")
}
"""

BOT = """\
import sys

import markupsafe
import yaml

print(markupsafe.escape("<"), yaml.safe_load("[1]"), sys.argv[1:])
"""


class Case(Record):
    """`bases`: what is needed beside the usual bases; `stand_ins`: of images that are not made here; `words`: of the
    container; `answer`: what it says before and after."""

    to: str
    bases: tuple[str, ...]
    stand_ins: dict[str, str]
    files: dict[str, str]
    dockerfile: str
    base: str
    words: tuple[str, ...]
    answer: bytes


GO_STAGES = """\
FROM golang:1.24 AS build
WORKDIR /src
COPY go.mod main.go ./
RUN CGO_ENABLED=0 go build -o /out/show .
FROM debian:13-slim
WORKDIR /srv
COPY --from=build /out/show ./
COPY pages pages
USER 1000
ENTRYPOINT ["./show"]
"""
GO_FILES = {"main.go": GO, "go.mod": "module example.com/show\n\ngo 1.24\n", "pages/text": "a page\n"}
CASES = {
    "alpine": Case(
        "alpine", (), {},
        {"report.sh": "#!/bin/sh\nset -e\nid -un\nstat -c %U:%G /var/reports\nsort -r /srv/lines | head -n 1\n"},
        "FROM debian:13\n"
        "RUN groupadd -r staff2 && useradd -r -m -g staff2 -s /bin/bash reporter \\\n"
        "    && mkdir -p /var/reports && chown reporter:staff2 /var/reports && rm -rf /var/lib/apt/lists/*\n"
        "WORKDIR /srv\n"
        "RUN seq 1 9 > lines && find /srv -type f -name lines -exec chmod 644 {} +\n"
        "COPY --chown=reporter:staff2 report.sh ./\n"
        "USER reporter\n"
        'CMD ["sh", "report.sh"]\n',
        "alpine:3.22", (), b"reporter\nreporter:staff2\n9\n",
    ),
    "python on alpine": Case(
        "alpine", ("python-alpine",), {"python:3.12-slim": "python:3.13-slim"},
        {"bot.py": BOT},
        "FROM python:3.12-slim\n"
        "RUN pip install --no-cache-dir --root-user-action=ignore markupsafe pyyaml\n"
        "WORKDIR /bot\n"
        "COPY bot.py ./\n"
        "RUN useradd --create-home bot\n"
        "USER bot\n"
        'ENTRYPOINT ["python", "bot.py"]\n',
        "python:3.12-alpine", ("x",), b"&lt; [1] ['x']\n",
    ),
    "node on alpine": Case(
        "alpine", ("node", "node-alpine"), {},
        {"show.js": "console.log(require('os').userInfo().username, process.argv.slice(2));\n"},
        "FROM node:22\nWORKDIR /app\nCOPY show.js ./\nUSER node\nENTRYPOINT [\"node\", \"show.js\"]\n",
        "node:22-alpine", ("x",), b"node [ 'x' ]\n",
    ),
    "busybox": Case(
        "busybox", (), {}, {"count.sh": "#!/bin/sh\nls /data | wc -l\n"},
        "FROM debian:13-slim\nCOPY count.sh /\nRUN mkdir -p /data && touch /data/a /data/b\n"
        'CMD ["sh", "/count.sh"]\n',
        "busybox:1.37", (), b"2\n",
    ),
    "distroless": Case(
        "distroless-static", ("golang", "distroless-static"), {}, GO_FILES, GO_STAGES,
        "gcr.io/distroless/static-debian13", (), b"a page\n<nil> 1000\n",
    ),
    "distroless-base": Case(
        "distroless-base", ("golang", "distroless-base"), {}, GO_FILES, GO_STAGES,
        "gcr.io/distroless/base-debian13", (), b"a page\n<nil> 1000\n",
    ),
    "distroless-cc": Case(
        "distroless-cc", ("gcc", "distroless-cc"), {},
        {"main.c": "#include <stdio.h>\nint main(void) { return puts(\"here\") < 0; }\n"},
        "FROM gcc:14 AS build\nCOPY main.c /\nRUN gcc -static -o /show /main.c\n"
        'FROM debian:13-slim\nCOPY --from=build /show /show\nENTRYPOINT ["/show"]\n',
        "gcr.io/distroless/cc-debian13", (), b"here\n",
    ),
    "a list on alpine": Case(
        "alpine", (), {},
        {"lines": "b\na\n"},
        "FROM debian:13\nCOPY lines /srv/\n"
        "RUN set -eux; sort /srv/lines > /srv/sorted; mkdir -p /var/lib/apt/lists; rm -rf /var/lib/apt/lists/*\n"
        'CMD ["head", "-n", "1", "/srv/sorted"]\n',
        "alpine:3.22", (), b"a\n",
    ),
    "scratch": Case("scratch", ("golang",), {}, GO_FILES, GO_STAGES, "scratch", (), b"a page\n<nil> 1000\n"),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_swapped(engine: Engine, more_bases: Callable[..., None], tmp_path: Path, name: str) -> None:
    case = CASES[name]
    if case.bases:
        more_bases(*case.bases)
    for file, text in case.files.items():
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text(text)
    options = Options(("swap-base",), (), ("safe", "unsafe"), {"swap-base": {"to": case.to}})
    result = optimize(Source("Dockerfile", case.dockerfile), options, CaseFacts(CaseDirectory(tmp_path)))
    assert [one.reason for one in result.reported if one.reason] == []
    assert f"FROM {case.base}\n" in result.output
    images = []
    try:
        for text in (case.dockerfile, result.output):
            images.append(engine.build(tmp_path, text.encode(), stand_ins=case.stand_ins))
            ran = engine.call(["run", "--rm", "--network=none", images[-1], *case.words], timeout=60)
            assert (ran.returncode, ran.stdout) == (0, case.answer), ran
        sizes = [int(engine.call(["image", "inspect", "--format={{.Size}}", one], timeout=60).stdout) for one in images]
        assert sizes[1] < sizes[0] / 2
    finally:
        engine.remove(*images)


_DIRECTORIES = "/bin /sbin /usr/bin /usr/sbin"
# what runs in another release's perl or systemd's name, and what debconf's tools bring for packages alone
_SELDOM = re.compile(r"deb-systemd-.*|debconf-.*|pam_.*|perl5.*")


@pytest.mark.parametrize(("family", "image"), [("alpine", "alpine:3.22.1"), ("debian", "debian:13-slim")])
def test_programs_and_accounts_of_images(engine: Engine, family: str, image: str) -> None:
    """What `base_programs` says of an image is what is in the image."""
    known = table("base_programs")
    asked = f"ls {_DIRECTORIES}; echo @@@; cut -d: -f1 /etc/passwd"
    ran = engine.call(["run", "--rm", "--network=none", image, "sh", "-c", asked], timeout=60)
    programs, _, accounts = ran.stdout.decode().partition("@@@")
    real = {name for name in programs.split() if not name.endswith(":")}
    listed = set(known["programs"][family].split())
    assert listed - real == set()
    assert {name for name in real - listed if not _SELDOM.fullmatch(name)} == set()
    assert {name for name in accounts.split() if not name.startswith("_")} == {
        name for name in known["accounts"][family] if not name.startswith("_")
    }


def test_options_of_busybox(engine: Engine) -> None:
    """No option of the table is missing in what busybox says of itself (tar's letters, and cat's -u, which does
    nothing, are in its source alone)."""
    options = table("base_programs")["options"]
    silent = {"tar": set("cxtp"), "cat": {"u"}}
    script = "".join(f"echo '@@@ {name}'; busybox {shlex.quote(name)} --help 2>&1 </dev/null; " for name in options)
    ran = engine.call(["run", "--rm", "--network=none", "alpine:3.22.1", "sh", "-c", script], timeout=120)
    for part in ran.stdout.decode().split("@@@ ")[1:]:
        name, _, text = part.partition("\n")
        if "applet not found" in text:
            assert name not in table("base_programs")["programs"]["alpine"].split()
            continue
        row = options[name]
        letters, longs = (row, []) if isinstance(row, str) else (row[0], row[1:])
        usage = text[text.find("Usage") :]
        said = {letter for word in re.findall(r"(?<![\w-])-([A-Za-z0-9]+)(?![\w-])", usage) for letter in word}
        assert set(letters) - said - silent.get(name, set()) == set(), name
        assert set(longs) <= set(re.findall(r"--([a-z][a-z-]+)", usage)), name
